"""A start near the optimum of one scale, by auctions of ever smaller tolerance with pricing between them.

From there the network simplex makes few pivots; from the refined tree of the coarser scale alone it makes
several for each point, each of which changes a large part of the tree.  Arcs far from tight are dropped
meanwhile; pricing finds again those that turn out to be needed.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from otdiv.core.validation import Array
from otdiv.network_flow.graph import ArcList, TwoWayRows, compress_two_way
from otdiv.network_flow.integer_masses import SLACK_TOLERANCE
from otdiv.network_flow.transportation_auction import (
    Pseudoflow,
    restore_slackness,
    run_auction,
    run_reverse_auction,
)
from otdiv.network_flow.trees.basis_from_flow import basis_from_flow
from otdiv.network_flow.trees.spanning_tree import Basis
from otdiv.pricing.pricing import Pricing
from otdiv.transport.methods.multiscale.candidate_arcs import merge_arcs
from otdiv.transport.methods.multiscale.scales import Scale
from otdiv.transport.methods.multiscale.state import SolverState

SHARES: tuple[tuple[float, ...], ...] = ((1.0, 0.1), (1e-2,))
"""Tolerances of the auctions in each round, as shares of the first one."""
SHARES_WHEN_COARSE: tuple[tuple[float, ...], ...] = ((1.0, 0.1), (1e-2, 1e-3))
FIRST = 10.0
"""The first tolerance, in units of the mean difference between the second best and the best arc of a source."""
FIRST_ON_GRID = 4.0
"""The same between cells of a grid.  There the smallest tolerance at coarse scales took the most time and gained least,
so that all scales have the tolerances of the finest."""
_FIRST_IF_TIED = 1e-3
"""The first tolerance as a share of the mean cost, where all arcs tie and that difference is 0."""
_SMALLEST = 2.0**-40
"""The smallest tolerance, as a share of the largest potential or cost."""
_KEPT = 60.0
"""Arcs without flow are kept up to this reduced cost, in units of the tolerance.  Larger: more arcs to scan."""
_KEPT_ON_GRID = 30.0
"""The same between two tolerances on a grid, where pricing soon finds what was dropped too early: 10 to 20 % less time.
Between other points it would be half as much again, at 60 too."""
_ADDED = 8
"""Most arcs added per source in one round."""
MAX_PRICE_DROP = 3200
"""In units of the tolerance.  Where prices would have to fall further at once, pricing is called for new arcs first;
doubled each time."""
_LEFT_BEFORE_LAST = 0.03
"""Share of the sources, or targets, that may wait for the last tolerance of a round.  Larger: shorter auctions."""
_SCANS_PER_CHECK = 100_000_000
"""Arcs scanned between two checks of the time limit."""
_SCANS_PER_SIDE = 20
"""Scans of each arc after which the side that bids may change.  Fewer: more of the time goes into changing sides."""


class AuctionStart:
    """A pseudoflow of one scale that approaches the optimum.

    Attributes
    ----------
    complete : bool
        Whether all mass is delivered.
    """

    def __init__(self, state: SolverState, scale: Scale, pricing: Pricing, arcs: ArcList, f: Array, g: Array) -> None:
        self.state, self.scale, self.pricing, self.arcs = state, scale, pricing, arcs
        flow = np.zeros(len(arcs.tails), np.int64)
        self.pseudoflow = Pseudoflow(f.copy(), g.copy(), flow, scale.a.copy(), scale.b.copy())
        self.known = np.full(len(f), -np.inf)  # lower bounds of min c - g
        self.graph: TwoWayRows | None = None
        self.complete = False
        self.scans = 0.0  # per arc, in the last auction

    def rounds(self, finest: bool) -> Iterator[None]:
        """Run the rounds; yields after each that delivers all mass."""
        on_grid, tolerance = self.state.grid is not None, 0.0
        shares = SHARES if finest or on_grid else SHARES_WHEN_COARSE
        for k, in_round in enumerate(shares):
            if finest and k > 0 and self.scans > self.state.tuning.auction_easy:
                return
            self._compress()
            assert self.graph is not None
            if k == 0:
                mean_gap = restore_slackness(self.graph, self.pseudoflow, np.inf)
                tolerance = (FIRST_ON_GRID if on_grid else FIRST) * mean_gap
                tolerance = tolerance or _FIRST_IF_TIED * float(self.arcs.costs.mean())
            tolerances = [tolerance * share for share in in_round if tolerance * share > self._smallest_tolerance()]
            for eps in tolerances:
                if on_grid and eps != tolerances[0]:
                    self._drop_arcs(_KEPT_ON_GRID * eps)
                few = 0 if eps == tolerances[-1] else int(_LEFT_BEFORE_LAST * len(self.pseudoflow.f))
                if not self._run_auction(eps, few):
                    return
            if not tolerances:
                return
            restore_slackness(self.graph, self.pseudoflow, np.inf)
            last = k + 1 == len(shares)
            if finest or not last:
                violating = self._price()
            if finest:
                f = np.minimum(self.pseudoflow.f, self.known)
                self.state.keep_potentials(self.scale, f, self.pseudoflow.g)
                self.state.stats["rounds"] += 1
            yield
            if finest or not last:
                self._replace_arcs(violating, _KEPT * tolerances[-1])

    def basis(self) -> Basis:
        """A basis with the flow of a round, or a cheaper one."""
        assert self.graph is not None
        return basis_from_flow(self.graph, self.pseudoflow, self.pricing.costs)

    def _compress(self) -> None:
        self.graph = compress_two_way(len(self.pseudoflow.f), len(self.pseudoflow.g), *self.arcs)

    def _run_auction(self, eps: float, few: int) -> bool:
        """Whether all mass was delivered, but that of ``few`` sources or targets; if not, the plan so far stays good.

        Whichever are fewer bid, sources with mass left or targets in need of some; first the sources.
        """
        assert self.graph is not None
        pseudoflow = self.pseudoflow
        restore_slackness(self.graph, pseudoflow, eps)
        left, max_drop, self.scans = self.state.tuning.auction_scans * len(self.arcs.tails), MAX_PRICE_DROP, 0.0
        sources = targets = len(pseudoflow.f)  # with mass left, and in need of some
        forward, since, before = True, 0.0, pseudoflow.excess.sum()
        while min(sources, targets) > few and left > 0:
            # where no mass was delivered since the last change, they might undo one another's bids for ever
            if since >= _SCANS_PER_SIDE * len(self.arcs.tails) and pseudoflow.excess.sum() < before:
                forward, since, before = sources <= targets, 0.0, pseudoflow.excess.sum()
            most = int(min(left, _SCANS_PER_SIDE * len(self.arcs.tails), _SCANS_PER_CHECK))
            run = run_auction if forward else run_reverse_auction
            bids, scanned, arcs_missing = run(self.graph, pseudoflow, eps, max_drop, few, most)
            if not forward:
                self.known[:] = -np.inf  # g has risen
            self.state.stats["bids"] += int(bids)
            self.state.require_time()
            left -= scanned
            since += scanned
            self.scans += scanned / len(self.arcs.tails)
            sources, targets = (int(np.count_nonzero(masses)) for masses in (pseudoflow.excess, pseudoflow.deficit))
            if arcs_missing:
                max_drop *= 2
                restore_slackness(self.graph, pseudoflow, np.inf)
                self._replace_arcs(self._price(), np.inf)
                pseudoflow = self.pseudoflow
                self._compress()
        self.complete = sources == 0
        return min(sources, targets) <= few

    def _price(self) -> ArcList:
        """Arcs that violate f + g <= c."""
        tolerance = SLACK_TOLERANCE / _SMALLEST * self._smallest_tolerance()
        return self.pricing.violating(self.pseudoflow.f, self.pseudoflow.g, self.known, tolerance, _ADDED)

    def _smallest_tolerance(self) -> float:
        """Smaller differences of prices are near their rounding."""
        return _SMALLEST * max(float(np.abs(self.pseudoflow.g).max()), float(self.arcs.costs.max()))

    def _drop_arcs(self, most: float) -> None:
        """Drop arcs without flow whose reduced cost is above ``most``."""
        assert self.graph is not None
        restore_slackness(self.graph, self.pseudoflow, np.inf)
        kept = self._kept(self.pseudoflow.f, most)
        self.arcs = ArcList(*(column[kept] for column in self.arcs))
        self.pseudoflow = self.pseudoflow._replace(flow=self.pseudoflow.flow[kept])
        self._compress()

    def _kept(self, f: Array, most: float) -> Array:
        """Which arcs have flow, or a reduced cost below ``most``."""
        tails, heads, costs = self.arcs
        return np.asarray((self.pseudoflow.flow > 0) | (costs - f[tails] - self.pseudoflow.g[heads] < most))

    def _replace_arcs(self, violating: ArcList, most: float) -> None:
        """Drop arcs without flow whose reduced cost is above ``most``, add the violating ones; the flow stays."""
        arcs, pseudoflow = self.arcs, self.pseudoflow
        kept = self._kept(np.minimum(pseudoflow.f, self.known), most)
        before, flow = ArcList(*(column[kept] for column in arcs)), pseudoflow.flow[kept]
        self.arcs = merge_arcs(self.pricing, before, violating)
        m = len(pseudoflow.g)
        where = np.searchsorted(
            self.arcs.tails.astype(np.int64) * m + self.arcs.heads, before.tails.astype(np.int64) * m + before.heads
        )
        moved = np.zeros(len(self.arcs.tails), np.int64)
        moved[where] = flow
        self.pseudoflow = pseudoflow._replace(flow=moved)
