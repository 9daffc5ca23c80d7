"""W1 on the line: the limit distribution of the integral of |F - G|, by resampling the two empirical processes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from otdiv.core.memory import row_blocks
from otdiv.core.validation import Array

DRAWS = 500
"""Resamples; more of them lower the Monte-Carlo error of the quantiles."""


@dataclass(frozen=True)
class LimitInterval:
    """The interval from the limit distribution of W_n - W.

    Attributes
    ----------
    standard_error, lower, upper : float
    bias : float
        Mean of the limit distribution where the potential is left free.
    """

    standard_error: float
    lower: float
    upper: float
    bias: float


def contact_threshold(n: int, m: int) -> float:
    """Standard errors sqrt(log(n + m)) up to which a difference counts as 0.

    It grows, so that differences of 0 are found in the limit, and slower than sqrt(n), so that others are not.
    """
    return math.sqrt(math.log(n + m))


def interval_of_draws(empirical: float, smooth: Array, kinked: Array, confidence: float) -> LimitInterval:
    """Interval of W from draws of W_n - W.

    Parameters
    ----------
    empirical : float
        W_n.
    smooth : ndarray [B]
        Draws as if the potential were unique: the upper end is W_n less their lower quantile.
    kinked : ndarray [B]
        Draws with the potential free where the samples do not decide it: the lower end is W_n less their upper
        quantile, and their mean is the bias.
    confidence : float
    """
    low = float(np.quantile(smooth, (1 - confidence) / 2))
    high = float(np.quantile(kinked, (1 + confidence) / 2))
    bias = float(kinked.mean())
    return LimitInterval(float(smooth.std(ddof=1)), max(empirical - high, 0.0), empirical - low, bias)


def line_interval(x: Array, y: Array, empirical: float, confidence: float, rng: np.random.Generator) -> LimitInterval:
    """Interval of W1 = integral of |F - G| on the line.

    The limit of W_n - W is the integral of sign(F - G) B where F differs from G and of |B| where it does not, B the
    difference of two Brownian bridges; B is drawn by resampling, and F counts as equal to G where they differ by
    fewer than :func:`contact_threshold` standard errors.

    Parameters
    ----------
    x, y : ndarray [n], [m]
    empirical : float
        W1 of the two samples.
    confidence : float
    rng : numpy.random.Generator

    References
    ----------
    E. del Barrio, E. Gine and C. Matran, Central limit theorems for the Wasserstein distance between the empirical
    and the true distributions, Ann. Probab. 27, 1999; Z. Fang and A. Santos, Inference on directionally
    differentiable functions, Rev. Econ. Stud. 86, 2019.
    """
    n, m = len(x), len(y)
    points, which = np.unique(np.concatenate([x, y]), return_inverse=True)
    p = np.bincount(which[:n], minlength=len(points)) / n
    q = np.bincount(which[n:], minlength=len(points)) / m
    gaps = np.diff(points)
    ahead_x, ahead_y = np.cumsum(p)[:-1], np.cumsum(q)[:-1]
    delta = ahead_x - ahead_y
    spread = np.sqrt(np.maximum(ahead_x * (1 - ahead_x) / n + ahead_y * (1 - ahead_y) / m, 0.0))
    in_contact = np.abs(delta) <= contact_threshold(n, m) * spread
    sign = np.sign(delta) * gaps
    smooth, kinked = np.empty(DRAWS), np.empty(DRAWS)
    for rows in row_blocks(DRAWS, len(points)):
        size = rows.stop - rows.start
        moved = rng.multinomial(n, p, size=size) / n - p - rng.multinomial(m, q, size=size) / m + q
        bridge = np.cumsum(moved, axis=1)[:, :-1]
        smooth[rows] = bridge @ sign
        kinked[rows] = bridge[:, ~in_contact] @ sign[~in_contact] + np.abs(bridge[:, in_contact]) @ gaps[in_contact]
    return interval_of_draws(empirical, smooth, kinked, confidence)
