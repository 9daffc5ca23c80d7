"""Divergences of samples from finitely many values: corrected plug-in, its error, and the G-test of equality."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc, xlogy

from otdiv.core.validation import Array, invalid
from otdiv.divergences import ConvexGenerator
from otdiv.estimators.arguments import Samples
from otdiv.estimators.estimate import normal_quantile
from otdiv.estimators.generators import require_derivative, value_range
from otdiv.measures.discrete import distinct_rows

PSEUDO_COUNT = 0.5
"""Added to both counts of every cell where some cell is empty on one side; a larger one draws both samples together."""
_STEP = 1e-4
"""Relative step of the difference quotient for f''."""


@dataclass(frozen=True, eq=False)
class Counts:
    """How often each of K cells came in x and in y, with the number of cells that came in one sample only."""

    x: Array
    y: Array

    @property
    def missing_in_y(self) -> int:
        """Cells with points of x and none of y."""
        return int(np.count_nonzero((self.x > 0) & (self.y == 0)))

    @property
    def missing_in_x(self) -> int:
        """Cells with points of y and none of x."""
        return int(np.count_nonzero((self.y > 0) & (self.x == 0)))

    @property
    def missing(self) -> int:
        """Cells with points of one sample only."""
        return self.missing_in_x + self.missing_in_y


@dataclass(frozen=True)
class PlugIn:
    """A corrected plug-in value with its interval.

    Attributes
    ----------
    value, standard_error, lower, upper : float
    plug_in, bias : float
        The value of the empirical pmfs, and what was subtracted from it.
    p_value : float
        Of the G-test of P = Q.
    cells : int
    """

    value: float
    standard_error: float
    lower: float
    upper: float
    plug_in: float
    bias: float
    p_value: float
    cells: int


def count_values(samples: Samples) -> Counts:
    """Counts of the distinct points of both samples."""
    _, which = distinct_rows(np.concatenate([samples.x, samples.y]))
    x, y = which[: samples.n], which[samples.n :]
    return Counts(np.bincount(x, minlength=samples.distinct), np.bincount(y, minlength=samples.distinct))


def count_bins(samples: Samples, bins: int) -> Counts:
    """Counts in ``bins`` intervals of equal pooled frequency, on the line.

    Raises
    ------
    InvalidInput
        Points that do not lie on the line, fewer than two bins.
    """
    if samples.d != 1:
        raise invalid("bins", "be None for points in the plane and beyond", f"d = {samples.d}", "Bin the points first.")
    if isinstance(bins, bool) or not isinstance(bins, int) or bins < 2:
        raise invalid("bins", "be a whole number of at least 2", repr(bins), "For example bins=20.")
    pooled = np.concatenate([samples.x, samples.y])
    edges = np.unique(np.quantile(pooled, np.linspace(0, 1, bins + 1)[1:-1]))
    x, y = (np.searchsorted(edges, side[:, 0], side="right") for side in (samples.x, samples.y))
    return Counts(np.bincount(x, minlength=len(edges) + 1), np.bincount(y, minlength=len(edges) + 1))


def g_test(counts: Counts) -> float:
    """p-value of the likelihood-ratio test of P = Q, from the chi-square distribution with K - 1 degrees.

    Notes
    -----
    G = 2 sum over cells and samples of count log(count / expected); S. S. Wilks, 1938.
    """
    total = counts.x + counts.y
    n, m = counts.x.sum(), counts.y.sum()
    g = 0.0
    for seen, size in ((counts.x, n), (counts.y, m)):
        g += 2 * float(xlogy(seen, seen / (total * size / (n + m))).sum())
    return float(chdtrc(max(len(total) - 1, 1), max(g, 0.0)))


def corrected_plug_in(generator: ConvexGenerator, counts: Counts, confidence: float) -> PlugIn:
    """D_f of the empirical pmfs less its bias of second order, with the interval of the delta method.

    bias = 1/2 sum f''(t) (p (1 - p) / n + t^2 q (1 - q) / m) / q with t = p / q, which is
    f''(1) (K - 1) (1/n + 1/m) / 2 for P = Q: (K - 1) / 2 for KL, (K - 1) / 8 for JS.

    Parameters
    ----------
    generator : ConvexGenerator
        With a derivative.
    counts : Counts
        Where a cell is empty on one side, :data:`PSEUDO_COUNT` is added to all.
    confidence : float

    Returns
    -------
    PlugIn

    References
    ----------
    G. A. Miller, Note on the bias of information estimates, 1955.
    """
    slope = require_derivative(generator)
    n, m = int(counts.x.sum()), int(counts.y.sum())
    added = PSEUDO_COUNT if counts.missing else 0.0
    p, q = (_pmf(side, added) for side in (counts.x, counts.y))
    t = p / q
    value = float(q @ generator.f(t))
    curvature = (slope(t * (1 + _STEP)) - slope(t * (1 - _STEP))) / (2 * _STEP * t)
    if generator.name == "total_variation":
        bias = _kink_bias(p, q, n, m)
    else:
        bias = 0.5 * float((curvature * (p * (1 - p) / n + t**2 * q * (1 - q) / m) / q).sum())
    variance = _variance(p, slope(t)) / n + _variance(q, generator.f(t) - t * slope(t)) / m
    # near P = Q the value is a sum of K - 1 squares, of variance 2 bias^2 / (K - 1)
    error = math.sqrt(variance + 2 * bias**2 / max(len(p) - 1, 1))
    z, p_value = normal_quantile(confidence), g_test(counts)
    low, high, largest = value - bias - z * error, value - bias + z * error, value_range(generator)
    if p_value > 1 - confidence:
        low = 0.0
    return PlugIn(
        min(max(value - bias, 0.0), largest),
        error,
        min(max(low, 0.0), largest),
        min(max(high, 0.0), largest),
        value,
        bias,
        p_value,
        len(p),
    )


def _pmf(counts: Array, added: float) -> Array:
    return (counts + added) / (counts.sum() + added * len(counts))


def _variance(p: Array, values: Array) -> float:
    return float(p @ (values - p @ values) ** 2)


def _kink_bias(p: Array, q: Array, n: int, m: int) -> float:
    """1/2 sum (E|delta + s Z| - |delta|), delta = p - q of standard error s, delta less than s counted as 0."""
    s = np.sqrt(p * (1 - p) / n + q * (1 - q) / m)
    delta = np.abs(p - q)
    ratio = np.where(delta < s, 0.0, delta / np.maximum(s, 1e-300))
    tail = np.array([0.5 * math.erfc(r / math.sqrt(2)) for r in ratio])
    density = np.exp(-0.5 * ratio**2) / math.sqrt(2 * math.pi)
    return 0.5 * float((2 * s * (density - ratio * tail)).sum())
