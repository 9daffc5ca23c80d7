"""The engine for equal masses: at each scale an assignment, by auction and augmenting paths.

Coarse to fine as in :mod:`otdiv.transport.methods.multiscale.solve`.  Each scale starts with the arcs of low
reduced cost under the coarser potentials.  Sources bid with a falling tolerance, and pricing over all pairs adds
the arcs that violate f + g <= c.  Then they bid once more, until none is left: on the way to an exact assignment
what was assigned and is not tight yet is then exchanged among near points, while each source that no bid has
assigned may cost a search through the whole graph.  From there on assignments are exact and alternate with pricing:
sources are assigned through augmenting paths, first from a tree of each of them, then from a forest of all that
remain.

Where groups of points lie far apart and hold different numbers of sources and targets, the arcs of low reduced cost
cannot carry off what is too much, and each round of pricing adds a few that can: then the engine gives up, and the
network simplex, whose tree leads from each scale to the next with all masses, takes its place.  On a curve, where what
is too much has to pass hundreds of points, more arcs of each carry it.

Clusters of a coarse scale count as equal masses although they hold one point more or less: their assignment
only has to suggest potentials.
"""

from __future__ import annotations

import numpy as np

from otdiv.core.validation import Array
from otdiv.network_flow.alternating_forest import Forest, allocate_forest, augment, augment_one_by_one
from otdiv.network_flow.assignment_auction import (
    UNASSIGNED,
    Assignment,
    empty_assignment,
    restore_slackness,
    run_bids,
    run_reverse_bids,
)
from otdiv.network_flow.graph import ArcList, CompressedRows, compress_rows, insert_arcs, transpose_rows
from otdiv.network_flow.integer_masses import SLACK_TOLERANCE, integrate
from otdiv.pricing.compiled_costs import SQUARED
from otdiv.pricing.pricing import Pricing
from otdiv.transport.methods.multiscale.candidate_arcs import (
    find_neighbours,
    list_all_pairs,
    list_children,
    merge_arcs,
)
from otdiv.transport.methods.multiscale.earlier_solve import EarlierSolve
from otdiv.transport.methods.multiscale.scales import Scale, lies_on_curve
from otdiv.transport.methods.multiscale.state import SolverState

SHARES = ((1.0, 0.1, 1e-2, 1e-3, 1e-4), (0.1, 1e-2, 1e-3, 1e-4, 1e-5))
"""Tolerances of the bids in each round, as shares of the first one.  After the last of them the assignment is exact;
in later rounds there are no bids."""
_LONG_AUCTION = 10
"""Bids per source at one tolerance after which the first round tries no smaller one than the third: arcs are missing,
and pricing may as well begin."""
FIRST = 10.0
"""The first tolerance, in units of the mean difference between the second best and the best arc of a source.

Larger: a coarser first assignment, and more tolerances until the last.
"""
_FIRST_IF_TIED = 1e-3
"""The first tolerance as a share of the mean cost, where all arcs tie and that difference is 0."""
_LEFT_TO_PATHS = 2e-3
"""Share of the sources that bids of the first round may leave unassigned; those before an exact assignment go on until
none is left.  Larger: shorter auctions, potentials further from the optimum."""
_MOST_BIDS = 16
"""Bids per source at one tolerance, after which the rest is left to the search for paths.  Fewer: shorter auctions, and
more of the searches, which take longer."""
_BIDS_PER_SIDE = 2
"""Bids per source after which sources and targets change sides.  Fewer: more of the time goes into the change."""
_MOST_MISSING = 1e-4
"""Share of the sources that may find no path at all before the engine gives up."""
_MOST_STALLS = 3
"""Rounds with such sources before it gives up, however few they are."""
_TREE_SIZE, _TREE_SHARE = 300, 0.0025
"""Sources in the tree of a single source, at which it is given up and left to the forest: at least, and as a share of
all."""
_SEARCHES_PER_CHECK = 100_000
"""Single sources searched from between two checks of the time limit."""
_NEIGHBOURS, _NEIGHBOURS_ON_RAYS = 8, 24
"""First arcs per point, in both directions; more in the plane for a norm, whose costs tie along rays."""
_NEIGHBOURS_ON_CURVES, _MOST_ON_CURVES = (48, 0.25), 2**18
"""The same on a curve: at least, and per square root of the number of points, up to so many points.

Between two samples of n points of a curve of the order of sqrt(n) points have to move on, each to the next place; above
that number the arcs take more memory than all else.
"""
_ADDED = 16
"""Most arcs added per source in one round."""


class AssignmentEngine:
    """The assignment of the current scale, and the best one of the points so far."""

    name = "auction and augmenting paths"

    def __init__(self, state: SolverState, scales: list[Scale]) -> None:
        self.state, self.scales = state, scales
        self.level = len(scales) - 1
        self.assignment = empty_assignment(*(np.zeros(len(v)) for v in scales[-1][:2]))
        self.points = state.pricing(*scales[0][:2])
        self.candidates = _candidates(self.points, scales)
        self.best: Array | None = None  # target of each source in the best plan of the points so far

    def solve(self, rtol: float) -> bool:
        """From the coarsest scale to the points; False where it gives up."""
        state, complete = self.state, True
        if state.earlier is not None:
            return self._go_on(state.earlier, rtol)
        for level in range(len(self.scales) - 1, -1, -1):
            scale = self.scales[level]
            pricing = self.points if level == 0 else state.pricing(scale.x, scale.y)
            if level == len(self.scales) - 1:
                arcs = list_all_pairs(scale, pricing)
                f, g = np.zeros(len(scale.x)), np.zeros(len(scale.y))
            else:
                with state.timed("candidates"):
                    f, g, near = find_neighbours(state, scale, self.scales[level + 1], pricing, self.candidates)
                    coarse = complete_targets(self.assignment)
                    arcs = merge_arcs(pricing, near, list_children(np.arange(len(coarse)), coarse, scale))
                    del near
                if level == 0:
                    state.keep_potentials(scale, f, g)
            state.require_time()
            self.level, self.assignment = level, empty_assignment(f, g)
            graph = compress_rows(len(f), *arcs)
            del arcs
            complete = self._solve_scale(scale, pricing, graph, rtol, finest=level == 0)
            del graph
            self._keep_plan()
            state.coarse = level, self.assignment.g
        return complete

    def _go_on(self, earlier: EarlierSolve, rtol: float) -> bool:
        """From the assignment of an earlier solve, at the points."""
        state, scale, pricing = self.state, self.scales[0], self.points
        state.coarse = 0, earlier.g
        with state.timed("candidates"):
            f, g, near = find_neighbours(state, scale, scale, pricing, self.candidates)
            arcs = merge_arcs(pricing, near, ArcList(earlier.tails, earlier.heads, np.empty(0)))
        state.keep_potentials(scale, f, g)
        self.level, self.assignment = 0, empty_assignment(f, g)
        self.assignment.target[earlier.tails], self.assignment.source[earlier.heads] = earlier.heads, earlier.tails
        self.assignment.cost[:] = pricing.costs(earlier.tails, earlier.heads)
        self._keep_plan()
        complete = self._solve_scale(scale, pricing, compress_rows(len(f), *arcs), rtol, finest=True, rounds=1)
        self._keep_plan()
        return complete

    def _solve_scale(
        self, scale: Scale, pricing: Pricing, graph: CompressedRows, rtol: float, finest: bool, rounds: int = 0
    ) -> bool:
        """Assign and price alternately, until no pair violates f + g <= c; at coarse scales once each.

        Later ``rounds`` have smaller tolerances from the beginning.  False where sources stay unassigned (see above).
        """
        state, assignment = self.state, self.assignment
        n = len(scale.x)
        forest = allocate_forest(n)
        known = np.full(n, -np.inf)
        first, stalls = 0.0, 0
        while True:
            tolerance = SLACK_TOLERANCE * max(float(np.abs(assignment.g).max()), float(graph.costs.max()))
            if first == 0.0:
                mean_gap = restore_slackness(graph, assignment, np.inf)
                first = FIRST * mean_gap or _FIRST_IF_TIED * float(graph.costs.mean())
            exact = rounds >= len(SHARES) - 1
            if rounds < len(SHARES):
                risen = self._bid(graph, first, SHARES[rounds], to_the_end=exact)
                if risen:
                    known[:] = -np.inf
            rounds += 1
            overshoot = first * 2.0**rounds
            restore_slackness(graph, assignment, tolerance if exact else np.inf)
            if exact:
                with state.timed("augmenting paths"):
                    self._augment_all(graph, forest, overshoot)
                if not finest:
                    return True
                missing = _count_unassigned(assignment)
                stalls += missing > 0
                if missing > _MOST_MISSING * n or stalls > _MOST_STALLS:
                    return False
            with state.timed("pricing"):
                violating = pricing.violating(assignment.f, assignment.g, known, tolerance, _ADDED)
            if finest:
                state.keep_potentials(scale, np.minimum(assignment.f, known), assignment.g)
                self._keep_plan()
            state.stats["rounds"] += 1
            state.report(n, len(graph.ends))
            if finest and state.upper - state.lower <= rtol * state.upper:
                return True
            if finest:
                state.offer()
            with state.timed("arc lists"):
                before = len(graph.ends)
                graph = insert_arcs(graph, *violating)
            del violating
            # with sources unassigned the potentials have overshot, and may do so again until arcs are found
            stalled = (assignment.target == UNASSIGNED).any() and overshoot < self.state.problem.largest_cost
            if exact and len(graph.ends) == before and not stalled:
                return True  # no arc violates, or none that is new: what is left is rounding

    def _bid(self, graph: CompressedRows, first: float, shares: tuple[float, ...], to_the_end: bool) -> bool:
        """Bids at tolerances ``first * share``, at each of them by sources, then by targets and sources in turn.

        Returns whether g may have risen.
        """
        state, assignment = self.state, self.assignment
        n = len(assignment.f)
        left = 0 if to_the_end else int(_LEFT_TO_PATHS * n)
        columns = None
        for count, share in enumerate(shares, 1):
            eps, bids, forward = first * share, 0, True
            with state.timed("auction"):
                restore_slackness(graph, assignment, eps)
                waiting = before = _count_unassigned(assignment)
                while waiting > left and bids < _MOST_BIDS * n:
                    if forward:
                        bids += int(run_bids(graph, assignment, eps, left, _BIDS_PER_SIDE * n))
                        restore_slackness(graph, assignment, np.inf)
                    else:
                        columns = columns or transpose_rows(graph, n)
                        bids += run_reverse_bids(columns, assignment, eps, left, _BIDS_PER_SIDE * n)
                    waiting = _count_unassigned(assignment)
                    if waiting < before:  # else they might undo one another's bids for ever
                        forward, before = not forward, waiting
            state.stats["bids"] += bids
            state.require_time()
            # sources that outbid one another to no end at this tolerance would do so for longer at the next
            left = max(left, waiting)
            if not to_the_end and count > 2 and bids > _LONG_AUCTION * n:
                break
        return columns is not None

    def _augment_all(self, graph: CompressedRows, forest: Forest, overshoot: float) -> None:
        """Augmenting paths from single sources, then from all that are left at once."""
        assignment = self.assignment
        n = len(assignment.f)
        most = max(_TREE_SIZE, int(_TREE_SHARE * n))
        for first in range(0, n, _SEARCHES_PER_CHECK):
            self.state.require_time()
            end = min(n, first + _SEARCHES_PER_CHECK)
            augment_one_by_one(graph, assignment, forest, first, end, most)
        while True:
            self.state.require_time()
            roots = np.flatnonzero(assignment.target == UNASSIGNED).astype(np.int32)
            if len(roots) == 0 or not augment(graph, assignment, forest, roots, overshoot):
                return

    def _keep_plan(self) -> None:
        """Take the assignment, refined down to the points, as the best plan, if it is better."""
        level, target = self.level, complete_targets(self.assignment)
        while level > 0:
            level -= 1
            target = _refine_targets(target, self.scales[level])
        value = float(self.points.costs(np.arange(len(target), dtype=np.int32), target).mean())
        if self.best is None or value < self.state.upper:
            self.state.upper, self.best = value, target

    def plan(self) -> tuple[Array, Array, Array]:
        """Sources, targets and masses in units: the best assignment of any scale so far."""
        if self.best is None:
            self._keep_plan()
        assert self.best is not None
        return np.arange(len(self.best)), self.best, self.scales[0].a

    def cheaper(self, other: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        """The cheaper of the best assignment so far and another plan of the points."""

        def cost(plan: tuple[Array, Array, Array]) -> float:
            i, j, units = plan
            return integrate(units, self.points.costs(i, j))

        return min(self.plan(), other, key=cost)


def _candidates(pricing: Pricing, scales: list[Scale]) -> int:
    """First arcs of each point, in both directions."""
    if len(pricing.x) <= _MOST_ON_CURVES and lies_on_curve(scales):
        least, factor = _NEIGHBOURS_ON_CURVES
        return max(least, int(factor * len(pricing.x) ** 0.5))
    rays = pricing.metric.power == 1.0 and pricing.metric.kind != SQUARED and pricing.x.shape[1] <= 2
    return _NEIGHBOURS_ON_RAYS if rays else _NEIGHBOURS


def _count_unassigned(assignment: Assignment) -> int:
    return int(np.count_nonzero(assignment.target == UNASSIGNED))


def complete_targets(assignment: Assignment) -> Array:
    """The target of each source; unassigned sources and targets are paired in their (kd) order."""
    target = assignment.target.copy()
    target[target == UNASSIGNED] = np.flatnonzero(assignment.source == UNASSIGNED)
    return target


def _refine_targets(target: Array, finer: Scale) -> Array:
    """Points of assigned clusters are paired in order; those left over in order too."""
    n = len(finer.x)
    refined = empty_assignment(np.zeros(n), np.zeros(n))
    sizes_x, sizes_y = np.diff(finer.borders_x), np.diff(finer.borders_y)[target]
    for p in range(int(np.minimum(sizes_x, sizes_y).max())):
        there = np.flatnonzero((p < sizes_x) & (p < sizes_y))
        i, j = finer.borders_x[there] + p, finer.borders_y[target[there]] + p
        refined.target[i], refined.source[j] = j, i
    return complete_targets(refined)
