"""Pricing: the pairs (x, y) of lowest c(x, y) - g(y), as if every pair had been evaluated."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy

import numpy as np

from otdiv.core.devices import transport_device
from otdiv.core.memory import row_blocks
from otdiv.core.options import DEFAULTS, SolverOptions
from otdiv.core.threads import count_threads, run_in_parts
from otdiv.core.validation import Array, invalid
from otdiv.costs import Cost
from otdiv.network_flow.graph import ArcList
from otdiv.pricing.compiled_costs import Metric, metric_of
from otdiv.pricing.compiled_distances import pair_costs
from otdiv.pricing.kd_tree import KdTree, build_tree, kd_order
from otdiv.pricing.matrix_products import ProductFilter, filtered_lowest, filtered_minima, make_filter, products_apply
from otdiv.pricing.node_bounds import node_rows
from otdiv.pricing.torch_products import TorchProducts
from otdiv.pricing.tree_search import search_lowest, search_minima

_Boxes = tuple[Array, bool, Array, Array, int]

TREE_UP_TO = 200
"""Dimension above which no tree is built where matrix products apply.  Larger: trees are tried that rarely pay."""
_COMPARE_ABOVE = 2**20
"""Pairs; below it the tree is used without comparing it with matrix products."""
_PROBES = 32
"""Points searched in that comparison.  More: a more reliable and slower one."""
_TREE_COST = 0.15
"""Time per point evaluated in a tree and dimension, in units of the time that products take for a pair.

Larger: matrix products are chosen more often.
"""


class Pricing:
    """All pairs of x [n, d] and y [m, d], both in kd order (:func:`ordered`; right but slow in any other).

    In low dimension by tree search, in high dimension by matrix products; the first call chooses between
    them by the number of pairs that a tree search of some points evaluates.

    Parameters
    ----------
    cost : Cost
        One that is :func:`otdiv.pricing.compiled_costs.priceable`.
    largest_cost : float
        At least as large as every computed cost of a pair.
    options : SolverOptions
        Device, threads and tuning; no result depends on them.

    Raises
    ------
    InvalidInput
        A cost that is not priceable, or a device that torch cannot use.
    """

    def __init__(self, x: Array, y: Array, cost: Cost, largest_cost: float, options: SolverOptions = DEFAULTS) -> None:
        metric = metric_of(cost, x.shape[1])
        if metric is None:
            raise invalid(
                "cost", "be a norm of the difference, or a power of one", repr(cost.name), "Use method 'pot'."
            )
        self.metric: Metric = metric
        self.x, self.y, self.cost, self.largest_cost, self.options = x, y, cost, largest_cost, options
        self.threads, self.block_entries = count_threads(options.threads), options.tuning.block_entries
        by_products, pairs = products_apply(metric), len(x) * len(y)
        device = None
        if by_products and pairs >= options.tuning.device_above:
            device = transport_device(options.device, float(pairs) * x.shape[1])
        self.by_torch = None
        if device is not None:
            self.by_torch = TorchProducts(metric, x, y, device, options.tuning.block_entries, self.threads)
        if self.by_torch is not None:
            return
        self.tree: KdTree | None = build_tree(y) if x.shape[1] <= TREE_UP_TO or not by_products else None
        self.columns = np.ascontiguousarray(y.T) if self.tree is not None else y[:0].T
        self.filter: ProductFilter | None = None if self.tree is not None else make_filter(x, y)
        self.chosen = self.tree is None or not by_products or pairs < _COMPARE_ABOVE

    def minima(self, g: Array, hints: Array | None = None) -> tuple[Array, Array]:
        """min_j c(x_i, y_j) - g_j for every i, with a j where it is attained.

        The costs are computed by differences; the minimum is that of all n m computed numbers.  ``hints`` [n] are
        targets to begin with, good or bad.
        """
        if self.by_torch is not None:
            return self.by_torch.minima(g)
        n = len(self.x)
        hints = np.zeros(n, np.int64) if hints is None else hints
        values, where = np.empty(n), np.empty(n, np.int64)

        def by_tree(first: int, end: int, boxes: _Boxes) -> int:
            return search_minima(self.metric, self.x, first, end, self.y, self.columns, *boxes, g, hints, values, where)

        def by_filter(first: int, end: int, dots: Array, offset: int) -> int:
            known = self._filter_arguments()
            return filtered_minima(
                self.metric, self.x, self.y, dots, offset, first, end, *known, g, hints, values, where
            )  # fmt: skip

        self._search(g, by_tree, by_filter)
        return values, where

    def lowest(self, g: Array, tops: Array, k: int) -> tuple[ArcList, Array]:
        """For every i the arcs with c(x_i, y_j) - g_j < tops_i, at most k, the lowest; and min(tops_i, the minimum)."""
        n = len(self.x)
        k = min(k, len(self.y))
        if self.by_torch is not None:
            return self.by_torch.lowest(g, tops, k)
        counts, values = np.empty(n, np.int64), np.empty((n, k))
        where, costs = np.empty((n, k), np.int32), np.empty((n, k))
        found = counts, values, where, costs

        def by_tree(first: int, end: int, boxes: _Boxes) -> int:
            return search_lowest(self.metric, self.x, first, end, self.y, self.columns, *boxes, g, tops, *found)

        def by_filter(first: int, end: int, dots: Array, offset: int) -> int:
            known = self._filter_arguments()
            return filtered_lowest(self.metric, self.x, self.y, dots, offset, first, end, *known, g, tops, *found)

        self._search(g, by_tree, by_filter)
        there = np.arange(k) < counts[:, None]
        tails = np.repeat(np.arange(n, dtype=np.int32), counts)
        return ArcList(tails, where[there], costs[there]), np.where(counts > 0, values[:, 0], tops)

    def violating(self, f: Array, g: Array, known: Array, tolerance: float, most: int) -> ArcList:
        """Arcs with c(x_i, y_j) - g_j < f_i - tolerance, at most ``most`` of each i, the lowest.

        ``known`` [n], lower bounds of min_j c(x_i, y_j) - g_j, is raised.  Where g only falls they stay valid, and
        points whose f is not above them need no search.
        """
        rows = np.flatnonzero(f > known + tolerance)
        if len(rows) == 0:
            return ArcList(*(np.empty(0, kind) for kind in (np.int32, np.int32, float)))
        part = self
        if 2 * len(rows) > len(f):
            rows = np.arange(len(f))
        else:
            part = self._of_rows(rows)
        arcs, known[rows] = part.lowest(g, f[rows] - tolerance, most)
        return ArcList(rows[arcs.tails].astype(np.int32), arcs.heads, arcs.costs)

    def _of_rows(self, rows: Array) -> Pricing:
        """Pricing of some of the points x against all of y, with what is known of y."""
        part = copy(self)
        part.x = self.x[rows]
        if self.by_torch is not None:
            part.by_torch = self.by_torch.of_rows(rows)
            return part
        if self.filter is not None:
            x, norms, slack = self.filter.x[rows], self.filter.x_norms[rows], self.filter.slack[rows]
            part.filter = self.filter._replace(x=x, x_norms=norms, slack=slack)
        return part

    def costs(self, tails: Array, heads: Array) -> Array:
        """The computed costs of the arcs (tails[k], heads[k])."""
        return pair_costs(self.metric, self.x, self.y, tails, heads, self.threads)

    def _search(self, g: Array, by_tree: Callable[..., int], by_filter: Callable[..., int]) -> None:
        asked = self.options.interrupted
        if self.tree is not None:
            boxes = self._boxes(g)
            if not self.chosen:
                self._choose(by_tree, boxes)
        if self.filter is None:
            run_in_parts(lambda first, end: by_tree(first, end, boxes), len(self.x), self.threads, asked)
            return
        for rows in row_blocks(len(self.x), len(self.y), self.block_entries):
            dots = self.filter.x[rows] @ self.filter.y.T  # by the threads of the matrix library

            def work(a: int, b: int, dots: Array = dots, at: int = rows.start) -> int:
                return by_filter(at + a, at + b, dots, at)

            run_in_parts(work, rows.stop - rows.start, self.threads, asked)

    def _boxes(self, g: Array) -> _Boxes:
        assert self.tree is not None
        rows, affine = node_rows(self.metric, self.tree, g, self.largest_cost)
        return rows, affine, self.tree.start, self.tree.stop, self.tree.leaves

    def _choose(self, by_tree: Callable[..., int], boxes: _Boxes) -> None:
        """Use products where evaluating all pairs by them takes less time than what the tree evaluates."""
        n, m, d = len(self.x), len(self.y), self.x.shape[1]
        probes = np.linspace(0, n - 1, _PROBES).astype(int)
        evaluated = sum(by_tree(int(i), int(i) + 1, boxes) for i in probes) / _PROBES
        if evaluated * _TREE_COST * (d + 4) > m:
            self.use_products()
        self.chosen = True

    def use_products(self) -> None:
        """Use matrix products from now on."""
        self.filter = make_filter(self.x, self.y)
        self.chosen = True

    def _filter_arguments(self) -> tuple[Array, Array, Array, float]:
        assert self.filter is not None
        return self.filter.x_norms, self.filter.y_norms, self.filter.slack, self.filter.scale


def ordered(points: Array, threads: int | None = 1) -> Array:
    """A kd order of the points; clusters of nearby points are ranges of it.  It is the same with more threads."""
    return kd_order(points, 3, count_threads(threads))
