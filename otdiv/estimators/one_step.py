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
MEAN_RATIO = 2.0
"""Factor by which the mean of a ratio of densities may differ from 1; a larger one opens fewer intervals."""
_TO_THE_LIMIT = 0.9**-0.5 / (0.5**-0.5 - 0.9**-0.5)
"""What training on 0.9 of the data still misses, over what it gained since 0.5 of them."""


@dataclass(frozen=True)
class OneStep:
    """A value and an interval from log ratios.

    Attributes
    ----------
    value, standard_error, lower, upper : float
    held_out, fitted : float
        The two ends of the bracket: means with held-out and with fitted ratios.
    doubt : str or None
        Why the sample cannot show how large the divergence is; None where nothing says so.
    """

    value: float
    standard_error: float
    lower: float
    upper: float
    held_out: float
    fitted: float
    doubt: str | None


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
        ``fitted`` is held out too, by discriminators that saw half of the data: then what is missing is
        extrapolated along c (size of training)^(-1/2), from 0.5 and 0.9 of the data to the limit, and the far end
        of the bracket is twice as far.
    confidence : float
    """
    low, error = variational_mean(generator, *held_out)
    other, _ = variational_mean(generator, *fitted)
    gained = max(low - max(other, 0.0), 0.0)  # a discriminator worse than the ratio 1, of mean 0, has learnt nothing
    high = low + 2 * _TO_THE_LIMIT * gained if is_halved else max(other, low)
    z = bracket_quantile(high - low, error, confidence)
    largest = value_range(generator)
    value = min(max((low + high) / 2, 0.0), largest)
    return OneStep(
        value,
        error,
        min(max(low - z * error, 0.0), largest),
        min(max(high + z * error + _skewness(high, z * error), 0.0), largest),
        low,
        high,
        doubt_about(generator, *held_out),
    )


def _skewness(value: float, reach: float) -> float:
    """reach^2 / (4 value), at most reach: what an interval of the root of the value adds to its upper end.

    A divergence is about a square of what differs, so that its root, not itself, is nearly normal, and an estimate that
    is too small comes with an error that is too small.
    """
    return min(reach**2 / (4 * value), reach) if value > 0 else reach


def doubt_about(generator: ConvexGenerator, logs_x: Array, logs_y: Array) -> str | None:
    """Why the ratios cannot be trusted where the divergence has no upper limit.

    p / q has mean 1 under Q, and q / p under P: a mean far from 1 is mass of one where the other was not seen, and a
    mean that a few points carry says nothing about its error.

    Parameters
    ----------
    generator : ConvexGenerator
    logs_x, logs_y : ndarray [n], [m]
        Held-out log(p / q).

    Returns
    -------
    str or None
    """
    sides = []
    if not bounded_at_infinity(generator):
        sides.append(("p / q", "y", np.exp(logs_y)))
    if not bounded_at_zero(generator):
        sides.append(("q / p", "x", np.exp(-logs_x)))
    for ratio, sample, values in sides:
        if not 1 / MEAN_RATIO <= (mean := float(values.mean())) <= MEAN_RATIO:
            return f"{ratio} has mean {mean:.3g} over {sample} instead of 1: the samples hardly overlap"
        if (points := effective_points(values)) < EFFECTIVE_POINTS:
            return f"the mean of {ratio} over {sample} rests on {points:.0f} effective points"
    return None
