"""One question to all pairs: where is c(x, y) - g(y) lowest?

:class:`Pricing` answers as if every pair had been looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from otdiv.core.compilation import announce_compilation
from otdiv.core.validation import Array
from otdiv.costs import Cost
from otdiv.pricing.compiled_costs import Metric, metric_of
from otdiv.pricing.compiled_distances import elementwise_costs
from otdiv.pricing.device import chosen_device
from otdiv.pricing.kd_tree import PointTree, kd_order, tree_of
from otdiv.pricing.matrix_products import BLOCK_ENTRIES, Sieve, sieve_of, sieved_lowest, sieved_minima, sieves
from otdiv.pricing.node_bounds import node_rows
from otdiv.pricing.torch_products import TorchProducts
from otdiv.pricing.tree_search import search_lowest, search_minima

_Boxes = tuple[Array, bool, Array, Array, int]

THREADS = 2
TREE_UP_TO = 200
"""Above this dimension no tree is built where matrix products apply."""
_DECIDE_ABOVE = 2**20
"""Below so many pairs the tree is taken unasked."""
DEVICE_ABOVE = 2**18
"""From so many pairs on a sweep goes to the device, where one is chosen (:mod:`otdiv.pricing.device`)."""
_PROBES = 32
_TREE_COST = 0.15
"""Time to look at one point of a tree in one dimension, in units of the time that products take for a pair."""
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

    Low dimension goes by tree search, high dimension by matrix products; which of them, the first
    sweep decides by counting what a search of some points looks at.

    Parameters
    ----------
    cost : Cost
        One that is :func:`otdiv.pricing.compiled_costs.priceable`.
    largest_cost : float
        At least as large as every computed cost of a pair.
    """

    def __init__(self, x: Array, y: Array, cost: Cost, largest_cost: float) -> None:
        metric = metric_of(cost, x.shape[1])
        if metric is None:
            raise ValueError(f"cost {cost.name!r} is no norm of the difference")
        self.metric: Metric = metric
        self.x, self.y, self.largest_cost = x, y, largest_cost
        sieve = sieves(metric)
        device = chosen_device() if sieve and len(x) * len(y) >= DEVICE_ABOVE else None
        self.by_torch = None if device is None else TorchProducts(metric, x, y, device)
        if self.by_torch is not None:
            return
        self.tree: PointTree | None = tree_of(y) if x.shape[1] <= TREE_UP_TO or not sieve else None
        self.columns = np.ascontiguousarray(y.T) if self.tree is not None else y[:0].T
        self.sieve: Sieve | None = None if self.tree is not None else sieve_of(x, y)
        self.decided = self.tree is None or not sieve or len(x) * len(y) < _DECIDE_ABOVE

    def minima(self, g: Array, hints: Array | None = None) -> tuple[Array, Array]:
        """min_j c(x_i, y_j) - g_j for every i, with a j where it is attained.

        The costs are computed by differences; the minimum is that of all n m computed numbers.
        """
        if self.by_torch is not None:
            return self.by_torch.minima(g)
        n = len(self.x)
        hints = np.zeros(n, np.int64) if hints is None else hints
        values, where = np.empty(n), np.empty(n, np.int64)

        def by_tree(first: int, end: int, boxes: _Boxes) -> int:
            return search_minima(self.metric, self.x, first, end, self.y, self.columns, *boxes, g, hints, values, where)

        def by_sieve(first: int, end: int, dots: Array, offset: int) -> int:
            known = self._sieve_arguments()
            return sieved_minima(
                self.metric, self.x, self.y, dots, offset, first, end, *known, g, hints, values, where
            )  # fmt: skip

        self._sweep(g, by_tree, by_sieve)
        return values, where

    def lowest(self, g: Array, tops: Array, k: int) -> tuple[Arcs, Array]:
        """For every i the arcs with c(x_i, y_j) - g_j < tops_i, at most k, the lowest; and min(tops_i, the minimum)."""
        n = len(self.x)
        k = min(k, len(self.y))
        if self.by_torch is not None:
            tails, heads, least = self.by_torch.lowest(g, tops, k)
            return Arcs(tails, heads, self.costs(tails, heads)), least
        counts, values = np.empty(n, np.int64), np.empty((n, k))
        where, costs = np.empty((n, k), np.int32), np.empty((n, k))
        found = counts, values, where, costs

        def by_tree(first: int, end: int, boxes: _Boxes) -> int:
            return search_lowest(self.metric, self.x, first, end, self.y, self.columns, *boxes, g, tops, *found)

        def by_sieve(first: int, end: int, dots: Array, offset: int) -> int:
            known = self._sieve_arguments()
            return sieved_lowest(self.metric, self.x, self.y, dots, offset, first, end, *known, g, tops, *found)

        self._sweep(g, by_tree, by_sieve)
        there = np.arange(k) < counts[:, None]
        tails = np.repeat(np.arange(n, dtype=np.int32), counts)
        return Arcs(tails, where[there], costs[there]), np.where(counts > 0, values[:, 0], tops)

    def costs(self, tails: Array, heads: Array) -> Array:
        """The computed costs of the arcs (tails[k], heads[k])."""
        return elementwise_costs(self.metric, self.x, self.y, tails, heads)

    def _sweep(self, g: Array, by_tree: Callable[..., int], by_sieve: Callable[..., int]) -> None:
        if self.tree is not None:
            boxes = self._boxes(g)
            if not self.decided:
                self._decide(by_tree, boxes)
        if self.sieve is None:
            in_parts(lambda first, end: by_tree(first, end, boxes), len(self.x))
            return
        step = max(1, BLOCK_ENTRIES // len(self.y))
        for first in range(0, len(self.x), step):
            end = min(first + step, len(self.x))
            dots = self.sieve.x[first:end] @ self.sieve.y.T  # by the threads of the matrix library
            in_parts(lambda a, b, dots=dots, at=first: by_sieve(at + a, at + b, dots, at), end - first)

    def _boxes(self, g: Array) -> _Boxes:
        assert self.tree is not None
        rows, affine = node_rows(self.metric, self.tree, g, self.largest_cost)
        return rows, affine, self.tree.start, self.tree.stop, self.tree.leaves

    def _decide(self, by_tree: Callable[..., int], boxes: _Boxes) -> None:
        """Products where a search looks at so many points that looking at all, three times as fast, is quicker."""
        n, m, d = len(self.x), len(self.y), self.x.shape[1]
        probes = np.linspace(0, n - 1, _PROBES).astype(int)
        looked = sum(by_tree(int(i), int(i) + 1, boxes) for i in probes) / _PROBES
        if looked * _TREE_COST * (d + 4) > m:
            self.use_products()
        self.decided = True

    def use_products(self) -> None:
        """Go by matrix products from now on."""
        self.sieve = sieve_of(self.x, self.y)
        self.decided = True

    def _sieve_arguments(self) -> tuple[Array, Array, Array, float]:
        assert self.sieve is not None
        return self.sieve.x_norms, self.sieve.y_norms, self.sieve.slack, self.sieve.scale


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
