"""Any masses: at each scale a flow on a spanning tree, by the network simplex.

Coarse to fine as in :mod:`otdiv.transport.methods.multiscale.solve`.  At each scale the coarser tree is
refined into a feasible one; candidate arcs are those of lowest reduced cost under the
coarser potentials, the pairs of children of arcs in use and the tree's own.  Auctions come
near the optimum (:mod:`otdiv.transport.methods.multiscale.auction_start`), their flow becomes a tree, and at the
finest scale the network simplex and pricing over all pairs, which adds the arcs that
violate f + g <= c, take turns until none does.  Where an auction leaves mass behind the
simplex does without from then on.  The tree of any scale refines to a plan.
"""

from __future__ import annotations

import numpy as np

from otdiv.core.validation import Array
from otdiv.network_flow.integer_masses import TOTAL
from otdiv.network_flow.simplex_pivots import pivot
from otdiv.network_flow.spanning_tree import Basis, basis_of, refresh_potentials
from otdiv.pricing.compiled_costs import SQUARED
from otdiv.pricing.pricing import Arcs, Pricing
from otdiv.transport.methods.multiscale.auction_start import Approach
from otdiv.transport.methods.multiscale.candidate_arcs import all_pairs, children, merged, neighbours
from otdiv.transport.methods.multiscale.scales import TOLERANCE, Scale, refine
from otdiv.transport.methods.multiscale.state import Run

_ADDED = 12
"""Arcs added at each source in one round."""
_ROUNDS_WHEN_COARSE = 2
_CHUNK = 5000
_SCANNED_IN_CHUNK = 20_000_000
"""Pivots, and arcs looked at, between two looks at the clock."""
_PIVOTS_PER_NODE = 1000
"""Beyond so many only rounding still pivots; what is left open then shows in the proved interval."""
_CLUSTERS = 20.0
"""So many clusters, over the tolerance, have about that gap in the plane, where it falls like one over their number.

Asking is the expensive part: it looks at all pairs of points.
"""
_NEARLY = 2.0
"""From an interval so many times too wide two looks at all pairs may make one narrow enough."""
LOOSE = 1e-4
"""From this tolerance on coarse scales are asked whether they suffice."""


class TreeFlow:
    """The engine for any masses: a basis and the scale of it."""

    name = "network simplex"

    def __init__(self, run: Run, scales: list[Scale]) -> None:
        self.run, self.scales = run, scales
        self.level, self.basis = len(scales), _single_arc()  # at first above all scales
        self.bidding = True  # until an auction has left mass behind
        self.hopeful = 0.0  # from so many clusters on a scale is asked whether it suffices

    def solve(self, rtol: float) -> None:
        """From the coarsest scale to the points, or to the first that suffices."""
        run, scales = self.run, self.scales
        self.hopeful = _CLUSTERS / rtol
        for level in range(len(scales) - 1, -1, -1):
            scale, coarse = scales[level], self.basis
            pricing = run.pricing(scale.x, scale.y)
            basis = _refined(coarse, scale, pricing)
            self.level, self.basis = level, basis
            coarsest, finest = level == len(scales) - 1, level == 0
            if coarsest:
                arcs = all_pairs(scale, pricing)
            else:
                f, g, near = neighbours(run, scale, scales[level + 1], pricing)
                below = children(*_used(coarse, len(scale.borders_x) - 1), scale)
                arcs = merged(pricing, near, below, _tree_arcs(basis, len(scale.x)))
                if finest:
                    run.keep(scale, f, g)
            run.look_at_clock()
            near_optimal = None
            if not coarsest and self.bidding:
                near_optimal = Approach(run, scale, pricing, arcs, f, g)
                self._approach(near_optimal, rtol, finest)
                arcs, self.bidding = near_optimal.arcs, near_optimal.complete
            if finest and run.lower >= (1.0 - rtol) * run.upper:
                return
            asked = level > 0 and rtol >= LOOSE and len(scale.x) >= self.hopeful
            if finest or asked or near_optimal is None or not near_optimal.complete:
                self._settle(scale, pricing, arcs, rtol, finest)
                run.coarse = level, -self.basis.potential[len(scale.x) :]
            else:
                run.coarse = level, near_optimal.loads.g
            if asked and self._suffices(rtol):
                return

    def _approach(self, approach: Approach, rtol: float, finest: bool) -> None:
        """Bids and prices in turn; the basis follows whenever no mass is left at its source."""
        run = self.run
        for _ in approach.rounds(finest):
            if finest:
                self.basis = approach.tree()
                run.upper = min(run.upper, float(self.basis.flow / TOTAL @ self.basis.cost))
                run.tell(len(approach.scale.x), len(approach.arcs.tails))
                if run.upper - run.lower <= rtol * run.upper:
                    return
        if not finest and approach.complete:
            self.basis = approach.tree()

    def _settle(self, scale: Scale, pricing: Pricing, arcs: Arcs, rtol: float, finest: bool) -> None:
        """Pivot and price in turn, until no pair violates; at coarse scales twice."""
        run, basis, n = self.run, self.basis, len(scale.x)
        rounds = 0
        while True:
            tolerance = TOLERANCE * max(float(np.abs(basis.potential).max()), float(arcs.costs.max()))
            self._pivot_to_optimum(n, arcs, tolerance)
            f, g = basis.potential[:n], -basis.potential[n:]
            rounds += 1
            if not finest and rounds == _ROUNDS_WHEN_COARSE:
                return
            violating, lowest = pricing.lowest(g, f - tolerance, _ADDED)
            if finest:
                run.keep(scale, lowest, g)
                run.upper = float(basis.flow / TOTAL @ basis.cost)
            run.stats["rounds"] += 1
            run.tell(n, len(arcs.tails))
            if finest and run.upper - run.lower <= rtol * run.upper:
                return
            more = merged(pricing, arcs, violating)
            if len(more.tails) == len(arcs.tails):  # none violates, or none that is new: the rest is rounding
                return
            arcs = more

    def _pivot_to_optimum(self, n: int, arcs: Arcs, tolerance: float) -> None:
        run, basis = self.run, self.basis
        block = max(16, int(np.sqrt(len(arcs.tails))))
        cursor, optimal, left = 0, False, _PIVOTS_PER_NODE * len(basis.flow)
        while not optimal and left > 0:
            count, _, cursor, optimal = pivot(n, *arcs, basis, cursor, block, tolerance, _CHUNK, _SCANNED_IN_CHUNK)
            run.stats["pivots"] += count
            left -= count
            refresh_potentials(n, basis)
            run.look_at_clock()

    def _suffices(self, rtol: float) -> bool:
        """Whether plan and potentials of this scale, brought to the points, are close enough; if so they are kept."""
        run, finest = self.run, self.scales[0]
        forward = run.pricing(finest.x, finest.y)
        level, basis = self.level, self.basis
        while level > 0:
            level -= 1
            basis = _refined(basis, self.scales[level], forward if level == 0 else None)
        run.upper = float(basis.flow / TOTAL @ basis.cost)
        f = run.extended(self.scales)
        enough = rtol * run.upper
        norm = forward.metric.power == 1.0 and forward.metric.kind != SQUARED
        if norm:  # f is a 1-Lipschitz function, known at the targets too without a look at all pairs of points
            run.keep(finest, f, -run.extended(self.scales, finest.y))
        if not norm or enough < run.upper - run.lower < _NEARLY * enough:
            g, _ = run.pricing(finest.y, finest.x).minima(f)
            run.keep(finest, f, g)
            if run.upper - run.lower > enough:  # f may still rise
                run.keep(finest, forward.minima(g)[0], g)
        run.tell(len(self.scales[self.level].x), run.stats["arcs"])
        gap = run.upper - run.lower
        if gap > enough:
            self.hopeful = len(self.scales[self.level].x) * gap / enough
            return False
        self.level, self.basis = 0, basis
        return True

    def plan(self) -> tuple[Array, Array, Array]:
        """Sources, targets and masses in quanta: the flow of the tree, refined down to the points."""
        level, basis = self.level, self.basis
        while level > 0:
            level -= 1
            basis = _refined(basis, self.scales[level], None)
        carrying = np.flatnonzero((basis.parent >= 0) & (basis.flow > 0))
        return *_used(basis, len(self.scales[0].x)), basis.flow[carrying]


def _single_arc() -> Basis:
    none = np.zeros(1, np.int64)
    return basis_of(1, 1, none.astype(np.int32), none.astype(np.int32), none, np.zeros(1))


def _refined(coarse: Basis, scale: Scale, pricing: Pricing | None) -> Basis:
    """The coarser tree brought to this scale; without pricing its costs are left at 0."""
    tails, heads, flows = refine(coarse, scale.a, scale.b, scale.borders_x, scale.borders_y)
    costs = np.zeros(len(tails)) if pricing is None else pricing.costs(tails, heads)
    return basis_of(len(scale.x), len(scale.y), tails, heads, flows, costs)


def _tree_arcs(basis: Basis, n: int) -> Arcs:
    nodes = np.flatnonzero(basis.parent >= 0)
    above = basis.parent[nodes]
    return Arcs(np.where(nodes < n, nodes, above), np.where(nodes < n, above, nodes) - n, basis.cost[nodes])


def _used(basis: Basis, n: int) -> tuple[Array, Array]:
    """Sources and targets of the arcs that carry flow."""
    nodes = np.flatnonzero((basis.parent >= 0) & (basis.flow > 0))
    above = basis.parent[nodes]
    return np.where(nodes < n, nodes, above), np.where(nodes < n, above, nodes) - n
