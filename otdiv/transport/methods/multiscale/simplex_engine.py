"""The engine for any masses: at each scale a flow on a spanning tree, by the network simplex.

Coarse to fine as in :mod:`otdiv.transport.methods.multiscale.solve`.  At each scale the coarser tree is refined
into a feasible one; candidate arcs are those of lowest reduced cost under the coarser potentials, the pairs of
children of arcs with flow, and the tree's own.  Auctions lead near the optimum
(:mod:`otdiv.transport.methods.multiscale.auction_start`), and their flow becomes a basis.  At the finest scale
two steps alternate: the network simplex, and pricing over all pairs, which adds the arcs that violate
f + g <= c, until none does.  After an auction that has left mass undelivered there are no more of them.  The
tree of any scale refines to a plan.
"""

from __future__ import annotations

import numpy as np

from otdiv.core.validation import Array
from otdiv.network_flow.graph import ArcList, compress_two_way
from otdiv.network_flow.integer_masses import SLACK_TOLERANCE, integrate
from otdiv.network_flow.simplex_pivots import PIVOTS_PER_NODE, pivot_to_optimum
from otdiv.network_flow.transportation_auction import Pseudoflow
from otdiv.network_flow.trees.basis_from_flow import basis_from_flow
from otdiv.network_flow.trees.spanning_tree import Basis, build_basis
from otdiv.pricing.compiled_costs import SQUARED
from otdiv.pricing.pricing import Pricing
from otdiv.transport.methods.multiscale.auction_start import AuctionStart
from otdiv.transport.methods.multiscale.candidate_arcs import (
    find_neighbours,
    list_all_pairs,
    list_children,
    merge_arcs,
)
from otdiv.transport.methods.multiscale.earlier_solve import EarlierSolve
from otdiv.transport.methods.multiscale.scales import Scale, refine_basis
from otdiv.transport.methods.multiscale.state import SolverState

_ADDED = 12
"""Most arcs added per source in one round."""
_ROUNDS_WHEN_COARSE = 2
"""Rounds at the coarse scales, which need no optimum."""
_CLUSTERS = 20.0
"""Clusters times tolerance at which a coarse scale may suffice: in the plane the gap falls like 1 / clusters.

Larger: fewer scales are tried, each of which takes a search over all pairs of points.
"""
_NEARLY = 2.0
"""Factor by which an interval may be too wide for two more searches over all pairs to be tried."""
COARSEST_PAIRS = 2**12
"""Most pairs of clusters at the coarsest scale, all of which are arcs.  More: many pivots on arcs far from tight."""
AUCTIONS_FROM = 4000
"""Points of both sides from which auctions come first; with fewer, pivots from the refined tree take less time."""
LOOSE = 1e-4
"""Tolerance from which coarse scales are tried as an answer."""


class SimplexEngine:
    """The basis of the current scale."""

    name = "network simplex"

    def __init__(self, state: SolverState, scales: list[Scale]) -> None:
        self.state, self.scales = state, scales
        self.level, self.basis = len(scales), _single_arc()  # at first above all scales
        self.auctions_enabled = True  # until an auction has left mass undelivered
        self.min_clusters = 0.0  # clusters from which a coarse scale is tried as an answer

    def solve(self, rtol: float) -> bool:
        """From the coarsest scale to the points, or to the first that suffices; True, as it never gives up."""
        state, scales = self.state, self.scales
        if state.earlier is not None:
            self._go_on(state.earlier, rtol)
            return True
        self.min_clusters = _CLUSTERS / rtol if rtol > 0 else np.inf
        for level in range(len(scales) - 1, -1, -1):
            scale, coarse = scales[level], self.basis
            pricing = state.pricing(scale.x, scale.y)
            basis = _refine(coarse, scale, pricing)
            self.level, self.basis = level, basis
            coarsest, finest = level == len(scales) - 1, level == 0
            if coarsest:
                arcs = list_all_pairs(scale, pricing)
            else:
                f, g, near = find_neighbours(state, scale, scales[level + 1], pricing)
                children = list_children(*_list_used(coarse, len(scale.borders_x) - 1), scale)
                arcs = merge_arcs(pricing, near, children, _list_tree_arcs(basis, len(scale.x)))
                if finest:
                    state.keep_potentials(scale, f, g)
            state.require_time()
            start = None
            if not coarsest and self.auctions_enabled and len(basis.flow) >= AUCTIONS_FROM:
                start = AuctionStart(state, scale, pricing, arcs, f, g)
                self._run_auctions(start, rtol, finest)
                arcs, self.auctions_enabled = start.arcs, start.complete
            if finest and state.lower >= (1.0 - rtol) * state.upper:
                return True
            tried = level > 0 and rtol >= LOOSE and len(scale.x) >= self.min_clusters
            if finest or tried or start is None or not start.complete:
                self._solve_scale(scale, pricing, arcs, rtol, finest)
                state.coarse = level, -self.basis.potential[len(scale.x) :]
            else:
                state.coarse = level, start.pseudoflow.g
            if tried and self._suffices(rtol):
                return True
        return True

    def _go_on(self, earlier: EarlierSolve, rtol: float) -> None:
        """From the plan of an earlier solve, at the points."""
        state, scale = self.state, self.scales[0]
        n, m, pricing = len(scale.x), len(scale.y), state.pricing(scale.x, scale.y)
        state.coarse = 0, earlier.g
        f, g, near = find_neighbours(state, scale, scale, pricing)
        state.keep_potentials(scale, f, g)
        arcs = merge_arcs(pricing, near, ArcList(earlier.tails, earlier.heads, np.empty(0)))
        pseudoflow = Pseudoflow(f, g, earlier.flow_on(arcs, m), np.zeros(n, np.int64), np.zeros(m, np.int64))
        self.basis = basis_from_flow(compress_two_way(n, m, *arcs), pseudoflow, pricing.costs)
        self.level, state.upper = 0, integrate(self.basis.flow, self.basis.cost)
        self._solve_scale(scale, pricing, arcs, rtol, finest=True)

    def _run_auctions(self, start: AuctionStart, rtol: float, finest: bool) -> None:
        """Auctions and pricing; the basis is replaced whenever all mass is delivered."""
        state = self.state
        for _ in start.rounds(finest):
            if finest:
                self.basis = start.basis()
                state.upper = min(state.upper, integrate(self.basis.flow, self.basis.cost))
                state.report(len(start.scale.x), len(start.arcs.tails))
                if state.upper - state.lower <= rtol * state.upper:
                    return
        if not finest and start.complete:
            self.basis = start.basis()

    def _solve_scale(self, scale: Scale, pricing: Pricing, arcs: ArcList, rtol: float, finest: bool) -> None:
        """Pivot and price alternately, until no pair violates f + g <= c; at coarse scales twice."""
        state, basis, n = self.state, self.basis, len(scale.x)
        rounds = 0
        while True:
            largest = float(arcs.costs.max())
            limit = PIVOTS_PER_NODE * len(basis.flow)
            pivot_to_optimum(n, arcs, basis, SLACK_TOLERANCE, largest, limit, state.tuning, self._after_batch)
            f, g = basis.potential[:n], -basis.potential[n:]
            rounds += 1
            if not finest and rounds == _ROUNDS_WHEN_COARSE:
                return
            tolerance = SLACK_TOLERANCE * max(float(np.abs(basis.potential).max()), largest)
            violating, lowest = pricing.lowest(g, f - tolerance, _ADDED)
            if finest:
                state.keep_potentials(scale, lowest, g)
                state.upper = min(state.upper, integrate(basis.flow, basis.cost))
            state.stats["rounds"] += 1
            state.report(n, len(arcs.tails))
            if finest and state.upper - state.lower <= rtol * state.upper:
                return
            if finest:
                state.offer()
            more = merge_arcs(pricing, arcs, violating)
            if len(more.tails) == len(arcs.tails):  # no arc violates, or none that is new: what is left is rounding
                return
            arcs = more

    def _after_batch(self, count: int) -> None:
        self.state.stats["pivots"] += count
        self.state.require_time()
        if self.level == 0:
            self.state.offer()

    def _suffices(self, rtol: float) -> bool:
        """Whether plan and potentials of this scale, refined to the points, are close enough; then they are kept."""
        state, finest = self.state, self.scales[0]
        forward = state.pricing(finest.x, finest.y)
        level, basis = self.level, self.basis
        while level > 0:
            level -= 1
            basis = _refine(basis, self.scales[level], forward if level == 0 else None)
        state.upper = integrate(basis.flow, basis.cost)
        f = state.extend_coarse(self.scales)
        enough = rtol * state.upper
        norm = forward.metric.power == 1.0 and forward.metric.kind != SQUARED
        if norm:  # f is a 1-Lipschitz function, known at the targets too without a search over all pairs of points
            state.keep_potentials(finest, f, -state.extend_coarse(self.scales, finest.y))
        if not norm or enough < state.upper - state.lower < _NEARLY * enough:
            g, _ = state.pricing(finest.y, finest.x).minima(f)
            state.keep_potentials(finest, f, g)
            if state.upper - state.lower > enough:  # f may still rise
                state.keep_potentials(finest, forward.minima(g)[0], g)
        state.report(len(self.scales[self.level].x), state.stats["arcs"])
        gap = state.upper - state.lower
        if gap > enough:
            self.min_clusters = len(self.scales[self.level].x) * gap / enough
            return False
        self.level, self.basis = 0, basis
        return True

    def plan(self) -> tuple[Array, Array, Array]:
        """Sources, targets and masses in units: the flow of the tree, refined down to the points."""
        level, basis = self.level, self.basis
        while level > 0:
            level -= 1
            basis = _refine(basis, self.scales[level], None)
        used = np.flatnonzero((basis.parent >= 0) & (basis.flow > 0))
        return *_list_used(basis, len(self.scales[0].x)), basis.flow[used]


def _single_arc() -> Basis:
    """The basis above all scales: everything in one source, and one target."""
    none = np.zeros(1, np.int64)
    return build_basis(1, 1, none.astype(np.int32), none.astype(np.int32), none, np.zeros(1))


def _refine(coarse: Basis, scale: Scale, pricing: Pricing | None) -> Basis:
    """The coarser tree refined to this scale; without pricing its costs are left at 0."""
    tails, heads, flows = refine_basis(coarse, scale.a, scale.b, scale.borders_x, scale.borders_y)
    costs = np.zeros(len(tails)) if pricing is None else pricing.costs(tails, heads)
    return build_basis(len(scale.x), len(scale.y), tails, heads, flows, costs)


def _list_tree_arcs(basis: Basis, n: int) -> ArcList:
    nodes = np.flatnonzero(basis.parent >= 0)
    above = basis.parent[nodes]
    return ArcList(np.where(nodes < n, nodes, above), np.where(nodes < n, above, nodes) - n, basis.cost[nodes])


def _list_used(basis: Basis, n: int) -> tuple[Array, Array]:
    """Sources and targets of the arcs that have flow."""
    nodes = np.flatnonzero((basis.parent >= 0) & (basis.flow > 0))
    above = basis.parent[nodes]
    return np.where(nodes < n, nodes, above), np.where(nodes < n, above, nodes) - n
