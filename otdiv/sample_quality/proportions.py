"""Shares of points with exact binomial intervals, one or several at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from otdiv.core.validation import Array

CONFIDENCE = 0.95
"""Coverage of intervals unless another is asked for."""


@dataclass(frozen=True)
class Proportion:
    """A share of points with its Clopper-Pearson interval.

    Attributes
    ----------
    value : float
        count / n.
    lower, upper : float
        The true probability lies between them in at least the share ``confidence`` of all samples, for every n;
        assumption: the points are independent draws.
    count, n : int
    confidence : float
    """

    value: float
    lower: float
    upper: float
    count: int
    n: int
    confidence: float = CONFIDENCE

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        return f"{100 * self.value:.1f} % [{100 * self.lower:.1f}, {100 * self.upper:.1f}]"

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def binomial_interval(counts: Array, n: int, confidence: float = CONFIDENCE) -> tuple[Array, Array]:
    """Clopper-Pearson intervals of k probabilities that hold together (Bonferroni).

    Each interval has error probability at most (1 - confidence) / k, so that all k hold with ``confidence``, whatever
    the dependence of the counts; those of one multinomial sample are dependent.

    Parameters
    ----------
    counts : ndarray of int [k]
        Successes among n independent draws.
    n : int
    confidence : float

    Returns
    -------
    lower, upper : ndarray [k]

    References
    ----------
    C. Clopper and E. Pearson, The use of confidence or fiducial limits illustrated in the case of the binomial,
    Biometrika 26, 1934.
    """
    from scipy.special import betaincinv

    tail = (1.0 - confidence) / 2 / len(counts)
    some, not_all = np.maximum(counts, 1), np.minimum(counts, n - 1)
    lower = np.where(counts > 0, betaincinv(some, n - some + 1, tail), 0.0)
    upper = np.where(counts < n, betaincinv(not_all + 1, n - not_all, 1.0 - tail), 1.0)
    return lower, upper


def proportion(count: int, n: int, confidence: float = CONFIDENCE) -> Proportion:
    """The share count / n with its interval.

    Parameters
    ----------
    count, n : int
        0 <= count <= n, n >= 1.
    confidence : float

    Returns
    -------
    Proportion
    """
    lower, upper = binomial_interval(np.array([count]), n, confidence)
    return Proportion(count / n, float(lower[0]), float(upper[0]), int(count), int(n), confidence)
