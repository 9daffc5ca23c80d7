"""One question to all pairs: where is c(x, y) - g(y) lowest?

:class:`Pricing` answers as if every pair had been looked at.  Imports the other
files of the room.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from otdiv.costs import Cost
from otdiv.errors import Array
from otdiv.pricing.compiling import announce_compilation
from otdiv.pricing.distances import paired_costs
from otdiv.pricing.metric import Metric, metric_of
from otdiv.pricing.node_bounds import node_rows
from otdiv.pricing.point_tree import PointTree, kd_order, tree_of
from otdiv.pricing.tree_search import search_lowest, search_minima

THREADS = 2
_PARTS = 16
"""Queries are cut into so many parts, so that the threads end at about the same time."""

announce_compilation()


class Arcs(NamedTuple):
    """Arcs with their costs: sources (rows of x), targets (rows of y)."""

    tails: Array
    heads: Array
    costs: Array


class Pricing:
    """All pairs of x [n, d] and y [m, d], both in kd order (:func:`ordered`; right but slow in any other).

    Parameters
    ----------
    cost : Cost
        One that is :func:`otdiv.pricing.metric.priceable`.
    largest_cost : float
        At least as large as every computed cost of a pair.
    """

    def __init__(self, x: Array, y: Array, cost: Cost, largest_cost: float) -> None:
        metric = metric_of(cost, x.shape[1])
        if metric is None:
            raise ValueError(f"cost {cost.name!r} is no norm of the difference")
        self.metric: Metric = metric
        self.x, self.y, self.largest_cost = x, y, largest_cost
        self.tree: PointTree = tree_of(y)

    def minima(self, g: Array, hints: Array | None = None) -> tuple[Array, Array]:
        """min_j c(x_i, y_j) - g_j for every i, with a j where it is attained.

        The costs are computed by differences; the minimum is that of all n m computed numbers.
        """
        n = len(self.x)
        hints = np.zeros(n, np.int64) if hints is None else hints
        values, where = np.empty(n), np.empty(n, np.int64)
        tree = self.tree
        rows, affine = node_rows(self.metric, tree, g, self.largest_cost)

        def search(first: int, end: int) -> None:
            search_minima(
                self.metric, self.x, first, end, tree.points, rows, affine, tree.start, tree.stop, tree.leaves,
                g, hints, values, where,
            )  # fmt: skip

        in_parts(search, n)
        return values, where

    def lowest(self, g: Array, tops: Array, k: int) -> tuple[Arcs, Array]:
        """For every i the arcs with c(x_i, y_j) - g_j < tops_i, at most k, the lowest; and min(tops_i, the minimum)."""
        n = len(self.x)
        k = min(k, len(self.y))
        counts, values = np.empty(n, np.int64), np.empty((n, k))
        where, costs = np.empty((n, k), np.int32), np.empty((n, k))
        tree = self.tree
        rows, affine = node_rows(self.metric, tree, g, self.largest_cost)

        def search(first: int, end: int) -> None:
            search_lowest(
                self.metric, self.x, first, end, tree.points, rows, affine, tree.start, tree.stop, tree.leaves,
                g, tops, counts, values, where, costs,
            )  # fmt: skip

        in_parts(search, n)
        there = np.arange(k) < counts[:, None]
        tails = np.repeat(np.arange(n, dtype=np.int32), counts)
        return Arcs(tails, where[there], costs[there]), np.where(counts > 0, values[:, 0], tops)

    def costs(self, tails: Array, heads: Array) -> Array:
        """The computed costs of the arcs (tails[k], heads[k])."""
        return paired_costs(self.metric, self.x, self.y, tails, heads)


def ordered(points: Array) -> Array:
    """A kd order of the points; clusters of nearby points are ranges of it."""
    return kd_order(points, leaf=3)


def in_parts(work, n: int) -> None:  # type: ignore[no-untyped-def]
    """Run ``work(first, end)`` over [0, n) in parts, by two threads where that pays; kernels release the lock."""
    if n < 512:
        work(0, n)
        return
    borders = np.linspace(0, n, _PARTS + 1).astype(int)
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, borders[:-1], borders[1:]))
