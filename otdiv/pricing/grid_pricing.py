"""Pricing between the cells of a grid for the squared distance: minima by the c-transform, arcs near them.

The transform gives every minimum exactly, in the time of a few searches; so only points of which the potential is
too high are searched for the arcs that violate.  Candidate arcs are those to the cells round the minimum.
"""

from __future__ import annotations

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.core.options import DEFAULTS, SolverOptions
from otdiv.core.validation import Array
from otdiv.costs import Cost
from otdiv.network_flow.graph import ArcList
from otdiv.pricing.grid_transform import SeparableTransform, spread
from otdiv.pricing.pricing import Pricing
from otdiv.pricing.tree_search import insert

_REACH = {1: 4, 2: 2, 3: 1}
"""Cells on each side of the minimum among which candidates are chosen, by the number of axes: 9, 25 or 27 in all."""


class GridPricing(Pricing):
    """As :class:`Pricing`, between the sources x [n, d] and the targets y [m, d] of ``grid``, in its order."""

    def __init__(
        self,
        x: Array,
        y: Array,
        cost: Cost,
        largest_cost: float,
        options: SolverOptions = DEFAULTS,
        *,
        grid: SeparableTransform,
    ) -> None:
        super().__init__(x, y, cost, largest_cost, options)
        self.grid = grid
        self.target_of_cell = np.full(int(np.prod(grid.cells.shape)), -1, np.int32)
        self.target_of_cell[grid.cells.at_y] = np.arange(len(y))

    def minima(self, g: Array, hints: Array | None = None) -> tuple[Array, Array]:
        """min_j c(x_i, y_j) - g_j for every i, rounded down, with a j where it is attained."""
        cells = self.grid.cells
        values, where = self.grid.nearest(spread(g, cells.at_y, cells.shape))
        return values[cells.at_x], self.target_of_cell[where[cells.at_x]].astype(np.int64)

    def lowest(self, g: Array, tops: Array, k: int) -> tuple[ArcList, Array]:
        """As :meth:`Pricing.lowest`; where all arcs are asked for, the k lowest of those near the minimum."""
        if np.isinf(tops).all():
            return self._near_minima(g, min(k, len(self.y)))
        least = self.grid.over_targets(g)
        rows = np.flatnonzero(least < tops)
        return self._search_rows(rows, g, tops[rows], k), np.minimum(least, tops)

    def violating(self, f: Array, g: Array, known: Array, tolerance: float, most: int) -> ArcList:
        """As :meth:`Pricing.violating`; ``known`` becomes the minima."""
        known[:] = self.grid.over_targets(g)
        rows = np.flatnonzero(f > known + tolerance)
        return self._search_rows(rows, g, f[rows] - tolerance, most)

    def _search_rows(self, rows: Array, g: Array, tops: Array, k: int) -> ArcList:
        """The arcs of some sources below ``tops``, at most k of each, by search."""
        if len(rows) == 0:
            return ArcList(*(np.empty(0, kind) for kind in (np.int32, np.int32, float)))
        arcs, _ = Pricing.lowest(self._of_rows(rows), g, tops, k)
        return ArcList(rows[arcs.tails].astype(np.int32), arcs.heads, arcs.costs)

    def _near_minima(self, g: Array, k: int) -> tuple[ArcList, Array]:
        n, cells = len(self.x), self.grid.cells
        values = spread(g, cells.at_y, cells.shape)
        least, where = self.grid.nearest(values)
        counts, lows = np.zeros(n, np.int64), np.empty((n, k))
        heads, costs = np.empty((n, k), np.int32), np.empty((n, k))
        reach = _REACH[len(cells.shape)]
        offsets = np.stack(np.meshgrid(*[np.arange(-reach, reach + 1)] * len(cells.shape), indexing="ij"), axis=-1)
        middles = np.stack(np.unravel_index(where[cells.at_x], cells.shape), axis=1)
        corners = np.array(cells.shape)
        lists = counts, lows, heads, costs
        offsets = offsets.reshape(-1, len(corners))
        list_near(self.x, self.y, middles, offsets, corners, self.target_of_cell, g, *lists)
        there = np.arange(k) < counts[:, None]
        tails = np.repeat(np.arange(n, dtype=np.int32), counts)
        return ArcList(tails, heads[there], costs[there]), least[cells.at_x]


@kernel()
def list_near(x, y, middles, offsets, shape, target_of_cell, g, counts, values, where, costs):
    """The lowest c(x_i, y_j) - g_j among the cells at ``offsets`` from the middle of each i, ascending."""
    d, k = x.shape[1], values.shape[1]
    for i in range(len(x)):
        for e in range(len(offsets)):
            cell, inside = 0, True
            for axis in range(d):
                step = middles[i, axis] + offsets[e, axis]
                inside &= 0 <= step < shape[axis]
                cell = cell * shape[axis] + step
            j = target_of_cell[cell] if inside else -1
            if j < 0:
                continue
            cost = 0.0
            for axis in range(d):
                gap = x[i, axis] - y[j, axis]
                cost += gap * gap
            value = cost - g[j]
            if counts[i] < k or value < values[i, k - 1]:
                counts[i] = insert(value, j, cost, i, counts[i], k, values, where, costs)
