"""The bias of a gradient penalty, and three estimates without it.

With penalty weight lambda the optimal critic is s f* with s = 1 + W / (2 lambda), so the raw value is
R = W + W^2 / (2 lambda).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np

from otdiv.core.validation import Array, invalid

Function = Callable[[Any], Array]
CONVERGED = 0.05
"""Largest distance of the identity from 1, and largest spread, of a converged training; higher accepts more."""
SEGMENTS, RAY_POINTS = 2000, 1000
"""Points on which slopes are averaged, and points of each side between which rays are searched; more of them make
the de-biased values less random."""


def penalty_bias(w: float, weight: float) -> float:
    """W^2 / (2 lambda), by how much the raw value of a penalised critic exceeds W.

    Parameters
    ----------
    w : float
        W1, in the unit of the points.
    weight : float
        lambda, in the unit of the points; positive.

    Returns
    -------
    float
        In the unit of the points.

    Raises
    ------
    InvalidInput
        A weight that is not positive.

    Examples
    --------
    >>> penalty_bias(0.5, 10.0)
    0.0125
    """
    return w * w / (2 * _positive(weight))


def remove_bias(raw: float, weight: float) -> float:
    """W = lambda (sqrt(1 + 2 R / lambda) - 1), the inverse of R = W + W^2 / (2 lambda).

    Parameters
    ----------
    raw : float
        sum a f - sum b f of the trained critic, without the penalty; not negative.
    weight : float
        lambda, in the unit of the points.

    Returns
    -------
    float
        W, in the unit of the points.

    Raises
    ------
    InvalidInput
        A negative value or a weight that is not positive.

    Examples
    --------
    >>> round(remove_bias(0.5125, 10.0), 12)
    0.5
    """
    if raw < 0:
        raise invalid("raw", "not be negative", repr(raw), "Exchange the distributions: W1 is symmetric.")
    ratio = 2 * raw / _positive(weight)
    # lambda (sqrt(1 + t) - 1) without the loss of digits at small t
    return weight * ratio / (sqrt(1 + ratio) + 1)


@dataclass(frozen=True)
class Debiased:
    """Three estimates free of the penalty's bias, and whether the training was converged.

    Attributes
    ----------
    formula : float
        lambda (sqrt(1 + 2 R / lambda) - 1).
    by_penalty : float
        R - 2 lambda E[penalty].
    by_slope : float
        R over the mean slope on the segments of the optimal pairs, where they were at hand.
    identity : float
        R / (2 lambda E[(|grad f| - 1) |grad f|]) on the penalised points: 1 at convergence.
    """

    formula: float
    by_penalty: float
    by_slope: float
    identity: float

    @property
    def spread(self) -> float:
        """Largest less smallest of the three over the formula's: a few per cent where they agree."""
        three = (self.formula, self.by_penalty, self.by_slope)
        return (max(three) - min(three)) / self.formula if self.formula > 0 else 0.0

    @property
    def converged(self) -> bool:
        """Whether the identity holds within 5 %."""
        return abs(self.identity - 1) <= CONVERGED

    @property
    def agree(self) -> bool:
        """Whether the three values agree within 5 %."""
        return self.spread <= CONVERGED

    def to_dict(self) -> dict[str, float]:
        """Ready for JSON."""
        return {
            "formula": self.formula,
            "by_penalty": self.by_penalty,
            "by_slope": self.by_slope,
            "identity": self.identity,
            "spread": self.spread,
        }


def debiasing_terms(
    f: Function,
    gradient: Function,
    x: Array,
    y: Array,
    raw: float,
    weight: float,
    penalty: Callable[[Array], Array],
    rng: np.random.Generator,
) -> Debiased:
    """The three de-biased values and the convergence identity, on new segments between the distributions.

    Parameters
    ----------
    f, gradient : callable
        The critic, [k, d] -> [k], and its gradient, [k, d] -> [k, d].
    x, y : ndarray [n, d], [m, d]
    raw : float
        Its value.
    weight : float
        lambda, in the unit of the points.
    penalty : callable
        Gradient norms [k] -> penalties [k], without lambda.
    rng : numpy.random.Generator
    """
    t = rng.uniform(size=(SEGMENTS, 1))
    z = t * x[rng.integers(len(x), size=SEGMENTS)] + (1 - t) * y[rng.integers(len(y), size=SEGMENTS)]
    norms = np.linalg.norm(gradient(z), axis=1)
    paid = weight * float(np.mean(penalty(norms)))
    # for (|g| - 1)^2 and its positive part alike the derivative of the penalty along f is 2 (|g| - 1) |g|
    excess = np.where(penalty(norms) > 0, norms - 1, 0.0)
    derivative = 2 * weight * float(np.mean(excess * norms))
    starts, ends = find_rays(f, x, y)
    t = rng.uniform(size=(len(starts), 1))
    slope = float(np.mean(np.linalg.norm(gradient(t * starts + (1 - t) * ends), axis=1)))
    return Debiased(
        formula=remove_bias(max(raw, 0.0), weight),
        by_penalty=raw - 2 * paid,
        by_slope=raw / slope if slope > 0 else 0.0,
        identity=raw / derivative if derivative > 0 else np.inf,
    )


def find_rays(f: Function, x: Array, y: Array) -> tuple[Array, Array]:
    """Rays of transport: each x with the y that has the largest (f(x) - f(y)) / |x - y|."""
    x, y = x[:RAY_POINTS], y[:RAY_POINTS]
    distances = np.sqrt(np.maximum((x * x).sum(1)[:, None] + (y * y).sum(1) - 2 * x @ y.T, 0.0))
    slopes = (f(x)[:, None] - f(y)) / np.maximum(distances, 1e-6 * max(float(distances.max()), 1e-300))
    return x, y[slopes.argmax(axis=1)]


def _positive(weight: float) -> float:
    if not weight > 0:
        raise invalid("weight", "be positive", repr(weight), "Pass the weight lambda of the penalty.")
    return weight
