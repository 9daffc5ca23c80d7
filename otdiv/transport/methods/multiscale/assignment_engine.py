"""Equal masses, as many sources as targets: at each scale a matching, by auction and augmenting paths.

Coarse to fine as in :mod:`otdiv.transport.methods.multiscale.solve`.  Each scale begins with the arcs
of low reduced cost under the coarser potentials; then in turn sources bid with a
tolerance that falls from round to round, and pricing over all pairs adds the arcs that
violate f + g <= c.  From the last tolerance on matching is exact: what the bids have left
free, trees from single sources match, then a forest from all that are still free.

Clusters of a coarse scale count as equal masses although they hold one point more or
less: their matching only has to suggest potentials.
"""

from __future__ import annotations

import numpy as np

from otdiv.core.validation import Array
from otdiv.network_flow.alternating_forest import Forest, Incoming, forest_space, grow, grow_each, incoming
from otdiv.network_flow.assignment_auction import FREE, Graph, Matching, bid, graph_of, release, unmatched, with_arcs
from otdiv.pricing.compiled_costs import SQUARED
from otdiv.pricing.pricing import Arcs, Pricing
from otdiv.transport.methods.multiscale.candidate_arcs import all_pairs, children, merged, neighbours
from otdiv.transport.methods.multiscale.scales import TOLERANCE, Scale
from otdiv.transport.methods.multiscale.state import Run

SHARES = ((1.0, 0.1), (1e-2, 1e-3, 1e-4))
"""Tolerances of the bids in each round, as shares of the first; later rounds are exact."""
FIRST = 10.0
"""The first tolerance, in units of the mean amount by which a second best arc is above the best."""
_FLAT = 1e-3
"""Where all arcs tie: the first tolerance as a share of the mean cost."""
_FEW = 2e-3
"""The share of the sources that may be left to the searches."""
_BIDS = 20
"""Bids per point at one tolerance, after which price wars are left to the searches."""
_NEAR = 300
"""Sources that may join the tree of a single source, before the trees of all grow at once."""
_JOINS = 8
"""Sources that may join trees between two looks at the clock, in units of their number."""
_CHUNK = 100_000
"""Single sources searched from between two looks at the clock."""
_NEIGHBOURS, _NEIGHBOURS_ON_RAYS = 8, 24
"""First arcs at each point, in both directions; more in the plane for a norm, which ties along rays."""
_ADDED = 16
"""Arcs added at each source in one round."""
_ROUNDS_WHEN_COARSE = 2


class Assignment:
    """The engine for equal masses: its matching and the scale of it."""

    name = "auction and augmenting paths"

    def __init__(self, run: Run, scales: list[Scale]) -> None:
        self.run, self.scales = run, scales
        self.level, self.matching = len(scales) - 1, unmatched(*(np.zeros(len(v)) for v in scales[-1][:2]))
        self.points = run.pricing(*scales[0][:2])
        self.best: Array | None = None  # targets of the best plan of the points so far

    def solve(self, rtol: float) -> None:
        """From the coarsest scale to the points."""
        for level in range(len(self.scales) - 1, -1, -1):
            scale = self.scales[level]
            pricing = self.points if level == 0 else self.run.pricing(scale.x, scale.y)
            rays = pricing.metric.power == 1.0 and pricing.metric.kind != SQUARED and scale.x.shape[1] <= 2
            if level == len(self.scales) - 1:
                arcs = all_pairs(scale, pricing)
                f, g = np.zeros(len(scale.x)), np.zeros(len(scale.y))
            else:
                count = _NEIGHBOURS_ON_RAYS if rays else _NEIGHBOURS
                with self.run.timed("candidates"):
                    f, g, near = neighbours(self.run, scale, self.scales[level + 1], pricing, count)
                    coarse = completed(self.matching)
                    arcs = merged(pricing, near, children(np.arange(len(coarse)), coarse, scale))
                    del near
                if level == 0:
                    self.run.keep(scale, f, g)
            self.run.look_at_clock()
            self.level, self.matching = level, unmatched(f, g)
            graph = graph_of(len(f), *arcs)
            del arcs
            self._settle(scale, pricing, graph, rtol, finest=level == 0)
            del graph
            self._keep_plan()
            self.run.coarse = level, self.matching.g

    def _settle(self, scale: Scale, pricing: Pricing, graph: Graph, rtol: float, finest: bool) -> None:
        """Match and price in turn, until no pair violates; at coarse scales twice."""
        run, matching = self.run, self.matching
        n = len(scale.x)
        forest = forest_space(n)
        known = np.full(n, -np.inf)
        first, rounds = 0.0, 0
        while True:
            tolerance = TOLERANCE * max(float(np.abs(matching.g).max()), float(graph.costs.max()))
            if rounds == 0:
                first = FIRST * release(graph, matching, np.inf) or _FLAT * float(graph.costs.mean())
            for share in SHARES[rounds] if rounds < len(SHARES) else ():
                with run.timed("auction"):
                    release(graph, matching, first * share)
                    run.stats["bids"] += bid(graph, matching, first * share, int(_FEW * n), _BIDS * n)
                run.look_at_clock()
            rounds += 1
            beyond = first * 2.0**rounds
            exact = rounds > len(SHARES) or (not finest and rounds == _ROUNDS_WHEN_COARSE)
            release(graph, matching, tolerance if exact else np.inf)
            if exact:
                with run.timed("augmenting paths"):
                    self._match_all(graph, forest, beyond)
            if not finest and rounds == _ROUNDS_WHEN_COARSE:
                return
            with run.timed("pricing"):
                violating = self._priced(pricing, known, tolerance)
            if finest:
                run.keep(scale, np.minimum(matching.f, known), matching.g)
                self._keep_plan()
            run.stats["rounds"] += 1
            run.tell(n, len(graph.heads))
            if finest and run.upper - run.lower <= rtol * run.upper:
                return
            with run.timed("lists of arcs"):
                before = len(graph.heads)
                graph = with_arcs(graph, *violating)
            del violating
            stuck = (matching.target == FREE).any() and beyond < self.run.problem.largest_cost
            if exact and len(graph.heads) == before and not stuck:
                return  # none violates, or none that is new: the rest is rounding

    def _priced(self, pricing: Pricing, known: Array, tolerance: float) -> Arcs:
        """Arcs that violate f + g <= c; ``known``, what is known to be at most min c - g for each source, is raised.

        As g only falls, what was known stays true, and sources whose f has not risen above it need no look.
        """
        f, g = self.matching.f, self.matching.g
        rows = np.flatnonzero(f > known + tolerance)
        part = pricing if 2 * len(rows) > len(f) else self.run.pricing(pricing.x[rows], pricing.y)
        rows = np.arange(len(f)) if part is pricing else rows
        if len(rows) == 0:
            return Arcs(*(np.empty(0, kind) for kind in (np.int32, np.int32, float)))
        arcs, known[rows] = part.lowest(g, f[rows] - tolerance, _ADDED)
        return Arcs(rows[arcs.tails].astype(np.int32), arcs.heads, arcs.costs)

    def _match_all(self, graph: Graph, forest: Forest, beyond: float) -> None:
        """Trees from single sources, then from all that are left at once."""
        matching = self.matching
        n = len(matching.f)
        arcs_in = Incoming(*incoming(graph, n))
        for first in range(0, n, _CHUNK):
            self.run.look_at_clock()
            grow_each(graph, arcs_in, matching, forest, first, min(n, first + _CHUNK), _NEAR)
        while True:
            self.run.look_at_clock()
            roots = np.flatnonzero(matching.target == FREE).astype(np.int32)
            if len(roots) == 0 or not grow(graph, arcs_in, matching, forest, roots, _JOINS * n, beyond):
                return

    def _keep_plan(self) -> None:
        """Take the matching, brought down to the points, as the best plan, if it is better."""
        level, target = self.level, completed(self.matching)
        while level > 0:
            level -= 1
            target = _refined(target, self.scales[level])
        value = float(self.points.costs(np.arange(len(target), dtype=np.int32), target).mean())
        if self.best is None or value < self.run.upper:
            self.run.upper, self.best = value, target

    def plan(self) -> tuple[Array, Array, Array]:
        """Sources, targets and masses in quanta: the best matching of any scale so far."""
        if self.best is None:
            self._keep_plan()
        assert self.best is not None
        return np.arange(len(self.best)), self.best, self.scales[0].a


def completed(matching: Matching) -> Array:
    """The target of each source; free sources and free targets are paired in their (kd) order."""
    target = matching.target.copy()
    target[target == FREE] = np.flatnonzero(matching.source == FREE)
    return target


def _refined(target: Array, finer: Scale) -> Array:
    """Points of matched clusters are paired in order; those left over in order too."""
    n = len(finer.x)
    down = unmatched(np.zeros(n), np.zeros(n))
    sizes_x, sizes_y = np.diff(finer.borders_x), np.diff(finer.borders_y)[target]
    for p in range(int(np.minimum(sizes_x, sizes_y).max())):
        there = np.flatnonzero((p < sizes_x) & (p < sizes_y))
        i, j = finer.borders_x[there] + p, finer.borders_y[target[there]] + p
        down.target[i], down.source[j] = j, i
    return completed(down)
