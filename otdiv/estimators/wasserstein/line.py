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
    value, standard_error, lower, upper : float
    """

    value: float
    standard_error: float
    lower: float
    upper: float


def contact_threshold(n: int, m: int) -> float:
    """Standard errors sqrt(log(n + m)) up to which a difference counts as 0.

    It grows, so that differences of 0 are found in the limit, and slower than sqrt(n), so that others are not.
    """
    return math.sqrt(math.log(n + m))


def interval_of_draws(empirical: float, bias: float, smooth: Array, kinked: Array, confidence: float) -> LimitInterval:
    """Interval of W from draws of W_n - W.

    Parameters
    ----------
    empirical, bias : float
        W_n, and what is subtracted from it for the value.
    smooth : ndarray [B]
        Draws as if the potential were unique: the upper end is W_n less their lower quantile.
    kinked : ndarray [B]
        Draws with the potential free where the samples do not decide it: the lower end is W_n less their upper
        quantile.
    confidence : float
    """
    lower = max(empirical - float(np.quantile(kinked, (1 + confidence) / 2)), 0.0)
    upper = empirical - float(np.quantile(smooth, (1 - confidence) / 2))
    value = min(max(empirical - bias, lower), upper)
    return LimitInterval(value, float(smooth.std(ddof=1)), lower, upper)


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
    smooth, kinked, again = np.empty(DRAWS), np.empty(DRAWS), np.empty(DRAWS)
    for rows in row_blocks(DRAWS, len(points)):
        size = rows.stop - rows.start
        moved = rng.multinomial(n, p, size=size) / n - p - rng.multinomial(m, q, size=size) / m + q
        bridge = np.cumsum(moved, axis=1)[:, :-1]
        smooth[rows] = bridge @ sign
        kinked[rows] = bridge[:, ~in_contact] @ sign[~in_contact] + np.abs(bridge[:, in_contact]) @ gaps[in_contact]
        again[rows] = np.abs(bridge + delta) @ gaps
    return interval_of_draws(empirical, float(again.mean()) - empirical, smooth, kinked, confidence)
