"""The divergence from estimated log ratios of densities: value, standard error, interval.

D_f(P || Q) = max over r of E_P f'(r) - E_Q (r f'(r) - f(r)), reached at r = p / q.  With held-out ratios the mean is
too small by the square of the error of r, with ratios fitted to the same points it is too large by about as much:
the two bracket the divergence, and their middle is the estimate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from otdiv.core.validation import Array
from otdiv.divergences import ConvexGenerator
from otdiv.estimators.estimate import bracket_quantile
from otdiv.estimators.generators import bounded_at_infinity, bounded_at_zero, require_derivative, value_range

EFFECTIVE_POINTS = 15
"""Points of either sample that carry a mean of density ratios, (sum w)^2 / sum w^2, below which the interval is
opened: fewer make it a matter of single points.  A larger number opens more intervals."""


@dataclass(frozen=True)
class OneStep:
    """A value and an interval from log ratios.

    Attributes
    ----------
    value, standard_error, lower, upper : float
    held_out, fitted : float
        The two ends of the bracket: means with held-out and with fitted ratios.
    effective : float
        The smaller of the effective numbers of points that carry the two means.
    """

    value: float
    standard_error: float
    lower: float
    upper: float
    held_out: float
    fitted: float
    effective: float


def scores(generator: ConvexGenerator, logs_x: Array, logs_y: Array) -> tuple[Array, Array]:
    """f'(r) at the points of P and r f'(r) - f(r) at those of Q, r = exp(logs)."""
    slope = require_derivative(generator)
    r, s = np.exp(logs_x), np.exp(logs_y)
    return np.asarray(slope(r)), np.asarray(s * slope(s) - generator.f(s))


def variational_mean(generator: ConvexGenerator, logs_x: Array, logs_y: Array) -> tuple[float, float]:
    """E_P f'(r) - E_Q (r f'(r) - f(r)) and its standard error.

    Parameters
    ----------
    generator : ConvexGenerator
        With a derivative.
    logs_x, logs_y : ndarray [n], [m]
        Estimates of log(p / q) at the points of both samples.

    Returns
    -------
    value, standard_error : float
    """
    first, second = scores(generator, logs_x, logs_y)
    value = float(first.mean() - second.mean())
    return value, math.sqrt(float(first.var(ddof=1)) / len(first) + float(second.var(ddof=1)) / len(second))


def effective_points(weights: Array) -> float:
    """(sum w)^2 / sum w^2: how many points of equal weight would carry the mean as well."""
    top = float(weights.max())
    w = weights / top if top > 0 else np.ones_like(weights)
    return float(w.sum() ** 2 / (w @ w))


def one_step(
    generator: ConvexGenerator,
    held_out: tuple[Array, Array],
    fitted: tuple[Array, Array],
    is_halved: bool,
    confidence: float,
) -> OneStep:
    """Value and interval from the two ends of the bracket.

    Parameters
    ----------
    generator : ConvexGenerator
    held_out, fitted : tuple of ndarray [n] and [m]
        Log ratios by discriminators that have not, and that have seen the points.
    is_halved : bool
        ``fitted`` is held out too, by discriminators that saw half of the data: then the loss is extrapolated
        along c / (size of training), from 0.5 and 0.9 of the data to all data and to the limit.
    confidence : float
    """
    low, error = variational_mean(generator, *held_out)
    other, _ = variational_mean(generator, *fitted)
    high = low + 2.5 * max(low - other, 0.0) if is_halved else max(other, low)
    z = bracket_quantile(high - low, error, confidence)
    largest = value_range(generator)
    value = min(max((low + high) / 2, 0.0), largest)
    # where the ratio at few points decides a mean, its spread over the sample says nothing
    effective = min(
        effective_points(np.exp(held_out[1])) if not bounded_at_infinity(generator) else math.inf,
        effective_points(np.exp(-held_out[0])) if not bounded_at_zero(generator) else math.inf,
    )
    return OneStep(
        value,
        error,
        min(max(low - z * error, 0.0), largest),
        min(max(high + z * error, 0.0), largest),
        low,
        high,
        effective,
    )
