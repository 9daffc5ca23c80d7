"""How far one column has moved, and whether that can be chance, at any number of rows.

Under the hypothesis that both samples come from one distribution every division of the pooled rows is equally likely,
and the counts in fixed cells of the pool are multivariate hypergeometric.  So permutations are drawn as counts, whose
number is that of the cells and not of the rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import stats

from otdiv.core.validation import Array
from otdiv.transport.solve import emd

CELLS = 512
"""Most cells into which the pooled values of a number are counted, of equal frequency; more see finer changes."""
RARE = 5
"""Rows of both tables below which levels of a category are counted together."""
PERMUTATIONS = 1999
_DRAWS_AT_A_TIME = 256
_NORMAL_95 = 1.959964
"""Standard errors on either side of a 95 % interval."""

Statistic = Callable[[Array], Array]


class Moved(NamedTuple):
    """A distance between two samples of one column.

    Attributes
    ----------
    distance : float
        Of the samples: exact W1 in the unit of the values, or total variation.
    floor : float
        The mean distance under permutations, which samples of these sizes show without any change.
    lower, upper : float
        An interval about the distance of the distributions, see :func:`number_moved`.
    p_value : float
    """

    distance: float
    floor: float
    lower: float
    upper: float
    p_value: float


def number_moved(x: Array, y: Array, rng: np.random.Generator, permutations: int = PERMUTATIONS) -> Moved:
    """W1 of two samples of a number, with interval and p-value.

    Parameters
    ----------
    x, y : ndarray [n], [m]
    rng : numpy Generator
    permutations : int

    Returns
    -------
    Moved
        The p-value is the smaller of two, doubled: W1 of the counts in at most ``CELLS`` cells of the pool, by
        permutation, and Kolmogorov-Smirnov (scipy.stats.ks_2samp), which has no least p-value.

    Notes
    -----
    The interval is [W - floor - z s, W + z s] with s^2 = var f(x) / n + var g(y) / m for the optimal potentials f, g,
    the limit where the distributions differ.  The empirical distance is too large on average, by at most about the
    floor; taking it off the lower end alone makes the interval cover at least what it says, also without a change.
    Between equal samples every potential is optimal, and that of the largest variance, x itself, is taken.
    """
    pooled = np.sort(np.concatenate([x, y]))
    if pooled[0] == pooled[-1]:
        return Moved(0.0, 0.0, 0.0, 0.0, 1.0)
    edges = np.unique(pooled[np.linspace(0, len(pooled) - 1, CELLS + 1).astype(int)])
    cells = np.searchsorted(edges, np.concatenate([x, y]), side="left")
    sizes = np.bincount(cells, minlength=len(edges) + 1)
    used = sizes > 0
    places = np.bincount(cells, np.concatenate([x, y]), minlength=len(edges) + 1)[used] / sizes[used]
    steps, counts = np.diff(places), sizes[used]
    observed = np.bincount(cells[: len(x)], minlength=len(edges) + 1)[used]

    def distance(draws: Array) -> Array:
        ahead = np.cumsum(draws, axis=-1)[..., :-1] / len(x)
        behind = np.cumsum(counts - draws, axis=-1)[..., :-1] / len(y)
        return np.asarray(np.abs(ahead - behind) @ steps)

    p, floor = _permuted(counts, observed, distance, rng, permutations)
    by_ks = float(stats.ks_2samp(x, y).pvalue)
    found = emd(x, y, method="line")
    f, g = (found.f, found.g) if found.value > 0 else (x, y)
    error = float(np.sqrt(f.var() / len(x) + g.var() / len(y)))
    return _with_interval(found.value, floor, error, np.inf, min(1.0, 2 * min(p, by_ks)))


def category_moved(
    x: Array, y: Array, levels: int, rng: np.random.Generator, permutations: int = PERMUTATIONS
) -> Moved:
    """Total variation of two samples of a category, with interval and p-value.

    Parameters
    ----------
    x, y : ndarray of int [n], [m]
        Levels.
    levels : int
    rng : numpy Generator
    permutations : int

    Returns
    -------
    Moved
        The p-value is that of chi-square of the counts by permutation; where that is the least possible and every
        cell expects at least five rows, that of the chi-square distribution if it is smaller still.  The interval is
        as in :func:`number_moved`, with the potential f = 1 where the share has grown.
    """
    n, m = len(x), len(y)
    first, second = np.bincount(x, minlength=levels), np.bincount(y, minlength=levels)
    excess = first / n > second / m
    tv = float(np.abs(first / n - second / m).sum() / 2)
    if not excess.any():  # equal shares: every set of levels is optimal, and one near a half varies most
        order = np.argsort(-first, kind="stable")
        excess[order] = np.cumsum(first[order]) <= max(0.5 * n, float(first.max()))
    shares = float(first[excess].sum() / n), float(second[excess].sum() / m)
    error = float(np.sqrt(shares[0] * (1 - shares[0]) / n + shares[1] * (1 - shares[1]) / m))
    every, rare = first + second, first + second < RARE

    def variation(draws: Array) -> Array:
        return np.asarray(np.abs(draws / n - (every - draws) / m).sum(axis=-1) / 2)

    _, floor = _permuted(every, first, variation, rng, _DRAWS_AT_A_TIME)
    first, second = (np.append(c[~rare], c[rare].sum()) for c in (first, second))
    counts = first + second
    first, counts = first[counts > 0], counts[counts > 0]
    if len(counts) < 2:
        return _with_interval(tv, floor, error, 1.0, 1.0)
    expected = counts * (n / (n + m))
    variance = expected * (m / (n + m))

    def chi_square(draws: Array) -> Array:
        return np.asarray((((draws - expected) ** 2) / variance).sum(axis=-1))

    p, _ = _permuted(counts, first, chi_square, rng, permutations)
    if p <= 1 / (1 + permutations) and min(expected.min(), (counts - expected).min()) >= RARE:
        p = min(p, float(stats.chi2.sf(float(chi_square(first)), len(counts) - 1)))
    return _with_interval(tv, floor, error, 1.0, p)


def _with_interval(distance: float, floor: float, error: float, most: float, p: float) -> Moved:
    lower = max(0.0, distance - floor - _NORMAL_95 * error)
    return Moved(distance, floor, lower, min(most, distance + _NORMAL_95 * error), p)


def _permuted(
    counts: Array, observed: Array, statistic: Statistic, rng: np.random.Generator, permutations: int
) -> tuple[float, float]:
    """(1 + number of permuted statistics >= the observed one) / (1 + B), and their mean."""
    value = float(statistic(observed))
    value -= 1e-12 * abs(value)  # equal divisions may differ by rounding
    reached, total, left = 0, 0.0, permutations
    while left > 0:
        size = min(left, _DRAWS_AT_A_TIME)
        found = statistic(rng.multivariate_hypergeometric(counts, int(observed.sum()), size=size))
        reached, total = reached + int(np.count_nonzero(found >= value)), total + float(found.sum())
        left -= size
    return (1 + reached) / (1 + permutations), total / permutations
