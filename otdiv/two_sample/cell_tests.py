"""Jensen-Shannon divergence of the counts of two samples in common cells."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import xlogy

from otdiv.core.validation import Array, as_rng, invalid
from otdiv.two_sample.arguments import as_permutations, as_pool
from otdiv.two_sample.permutations import count_as_large, draw_divisions, least_p_of
from otdiv.two_sample.result import TestResult

FEWEST_IN_CELL = 8
"""Points of the pool in an average cell of the finest partition.  Fewer: finer cells, mostly empty of one sample."""
_MOST_LEVELS = 7
"""Halvings of the finest partition (128 cells)."""
_ROUNDING = 1e-13
"""Difference up to which two divergences count as equal."""


def js_test(x: Any, y: Any, *, levels: Any = None, permutations: int = 999, rng: Any = None) -> TestResult:
    """Permutation test with the Jensen-Shannon divergence of counts, aggregated over partitions into cells.

    The cells are boxes of equal count: the pool is halved again and again at the median of the coordinate of widest
    range, in units of the pool's standard deviations.  Equal values stay together.

    Parameters
    ----------
    x, y : array_like [n, d] and [m, d] (or [n], [m] on the line), or data frames with the same columns
        Independent observations; at least two each.
    levels : int or sequence of int, optional
        Numbers of halvings, k for 2^k cells; None: 1, 2, ... as long as a cell keeps 8 points of the pool on average.
    permutations : int
        B, shared by all partitions.
    rng : int, numpy.random.Generator or None
        Source of the permutations.

    Returns
    -------
    TestResult
        Its statistic is the divergence, in nats and at most log 2, of the counts in the partition with the least
        p-value.  Its p-value is that of the least p-value among all partitions.

    Raises
    ------
    InvalidInput
        NaN or infinity, fewer than two points, different columns or dimensions, weights that differ; levels that
        are not whole numbers from 1 to 20.

    References
    ----------
    J. Lin, Divergence measures based on the Shannon entropy, IEEE Trans. Inf. Theory 37, 1991.

    Examples
    --------
    >>> js_test([0.0, 1.0, 2.0, 3.0], [8.0, 9.0, 10.0, 11.0], rng=0).p_value <= 0.05
    True
    """
    pool, generator = as_pool(x, y), as_rng(rng)
    depths = _as_levels(levels, pool.size)
    divisions = draw_divisions(pool.n, pool.m, as_permutations(permutations), generator)
    cells = halved_cells(pool.points, max(depths))
    values = []
    for depth in depths:
        values.append(_divergences(divisions.labels, cells[depth - 1]))
    p, which = least_p_of(np.array([count_as_large(row, _ROUNDING) for row in values]))
    return TestResult(
        statistic=float(values[which][0]),
        p_value=p,
        method="js",
        n=pool.n,
        m=pool.m,
        permutations=divisions.count - 1,
        exhaustive=divisions.exhaustive,
        least_p_value=divisions.least_p_value(symmetric=True),
        meaning=f"Jensen-Shannon divergence of counts in {len(np.unique(cells[depths[which] - 1]))} cells, in nats",
    )


def _as_levels(levels: Any, size: int) -> list[int]:
    if levels is None:
        most = int(np.log2(max(size / FEWEST_IN_CELL, 2.0)))
        return list(range(1, min(most, _MOST_LEVELS) + 1))
    given = [levels] if np.ndim(levels) == 0 else list(levels)
    if not given or not all(
        isinstance(k, int | np.integer) and not isinstance(k, bool) and 1 <= k <= 20 for k in given
    ):
        raise invalid("levels", "be whole numbers from 1 to 20", repr(levels), "Leave it out for a choice by size.")
    return sorted({int(k) for k in given})


def halved_cells(points: Array, depth: int) -> Array:
    """The cell of every point after 1, ..., depth halvings [depth, N]; a function of the points alone.

    Parameters
    ----------
    points : ndarray [N, d]
    depth : int
    """
    spread = points.std(axis=0)
    scaled = points / np.where(spread > 0, spread, 1.0)
    cell = np.zeros(len(points), dtype=np.int64)
    levels = []
    for _ in range(depth):
        upper = np.zeros(len(points), dtype=bool)
        for members in _groups(cell):
            part = scaled[members]
            column = part[:, int(np.ptp(part, axis=0).argmax())]
            upper[members] = column > _middle(column)
        cell = 2 * cell + upper
        levels.append(cell)
    return np.array(levels)


def _groups(cell: Array) -> list[Array]:
    order = np.argsort(cell, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(cell[order])) + 1)


def _middle(column: Array) -> float:
    """The value at whose upper end the column splits most evenly, equal values together."""
    values, counts = np.unique(column, return_counts=True)
    below = np.cumsum(counts)
    return float(values[int(np.abs(2 * below - len(column)).argmin())])


def _divergences(labels: Array, cell: Array) -> Array:
    """Jensen-Shannon divergence of the counts in the cells, for every division [R]."""
    order = np.argsort(cell, kind="stable")
    starts = np.concatenate([[0], np.flatnonzero(np.diff(cell[order])) + 1])
    first = np.add.reduceat(labels[:, order], starts, axis=1, dtype=np.int64)
    sizes = np.diff(np.append(starts, len(cell)))
    n = int(labels[0].sum())
    p, q = first / n, (sizes - first) / (len(cell) - n)
    mixture = 0.5 * (p + q)  # positive: no cell is empty
    return 0.5 * (xlogy(p, p / mixture) + xlogy(q, q / mixture)).sum(axis=1)
