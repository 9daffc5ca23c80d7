"""The arguments (x, y) that every test takes, as one pool of points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from otdiv.core.validation import Array, as_float_array, invalid
from otdiv.measures.arguments import as_measure
from otdiv.measures.discrete import DiscreteMeasure, with_same_columns

FEWEST = 2
"""Points that a sample needs: the permutations of fewer say nothing about its spread."""


@dataclass(frozen=True, eq=False)
class Pool:
    """Two samples as one list of points, those of x first.

    Attributes
    ----------
    points : ndarray [n + m, d]
    n, m : int
        Sizes of x and y.
    names : tuple of str
        Of the columns; "0", "1", ... where the input has none.
    """

    points: Array
    n: int
    m: int
    names: tuple[str, ...]

    @property
    def size(self) -> int:
        """n + m."""
        return len(self.points)

    @property
    def d(self) -> int:
        """Number of columns."""
        return self.points.shape[1]


def as_pool(x: Any, y: Any) -> Pool:
    """Both samples, columns matched by name where both have names.

    Raises
    ------
    InvalidInput
        Fewer than two points, NaN or infinity, different dimensions or names, weights that differ.
    """
    mu, nu = _as_sample("x", x), _as_sample("y", y)
    nu = with_same_columns(mu, nu)
    names = mu.names or nu.names or tuple(str(k) for k in range(mu.d))
    return Pool(np.concatenate([mu.points, nu.points]), mu.n, nu.n, names)


def _as_sample(name: str, points: Any) -> DiscreteMeasure:
    measure = as_measure(name, points)
    if np.ptp(measure.weights) > 0:
        raise invalid(
            name,
            "be a sample, all of whose points count the same",
            "a DiscreteMeasure whose weights differ",
            "Pass the sample itself: the number of observations decides what is significant.",
        )
    if measure.n < FEWEST:
        raise invalid(name, f"hold at least {FEWEST} points", str(measure.n), "Collect more observations.")
    return measure


def as_permutations(permutations: Any) -> int:
    """The number of permutations.

    Raises
    ------
    InvalidInput
        Not a positive integer.
    """
    whole = isinstance(permutations, int | np.integer) and not isinstance(permutations, bool)
    if not (whole and permutations >= 1):
        raise invalid("permutations", "be a positive integer", repr(permutations), "Leave it out for 999.")
    return int(permutations)


def as_level(level: Any) -> float:
    """A level between 0 and 1.

    Raises
    ------
    InvalidInput
    """
    real = isinstance(level, float | int | np.floating | np.integer) and not isinstance(level, bool)
    if not (real and 0 < level < 1):
        raise invalid("level", "lie between 0 and 1, both excluded", repr(level), "For example 0.05.")
    return float(level)


def as_positive_list(name: str, values: Any, *, finite: bool) -> Array:
    """Distinct positive numbers [k], ascending; a single number counts as a list of one.

    Raises
    ------
    InvalidInput
        None at all, NaN, zero or negative ones; inf where they must be ``finite``.
    """
    numbers = np.unique(np.atleast_1d(as_float_array(name, values)))
    if numbers.ndim != 1 or len(numbers) == 0 or not np.all(numbers > 0) or (finite and np.isinf(numbers).any()):
        kind = "positive, finite numbers" if finite else "positive numbers"
        raise invalid(name, f"be one or more {kind}", repr(values), "Leave it out for a choice from the data.")
    return numbers
