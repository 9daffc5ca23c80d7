"""Near the optimum of one scale by auctions of ever smaller tolerance, with pricing between them.

The network simplex makes few pivots from there; from the coarser scale's tree alone it
makes several for each point, each of which moves a large part of the tree.  Arcs far from
tight are dropped on the way: pricing brings back what is missed.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from otdiv.core.validation import Array
from otdiv.network_flow.basis_from_flow import tree_of_flow
from otdiv.network_flow.spanning_tree import Basis
from otdiv.network_flow.transportation_auction import Loads, Network, auction, network_of, release
from otdiv.pricing.pricing import Arcs, Pricing
from otdiv.transport.methods.multiscale.candidate_arcs import merged
from otdiv.transport.methods.multiscale.scales import TOLERANCE, Scale
from otdiv.transport.methods.multiscale.state import Run

SHARES: tuple[tuple[float, ...], ...] = ((1.0, 0.1), (1e-2,))
"""Tolerances of the auctions in each round, as shares of the first."""
_EASY = 50
"""The second round only comes if the first looked less often at each arc: many dimensions, where pivots cost more."""
SHARES_WHEN_COARSE: tuple[tuple[float, ...], ...] = ((1.0, 0.1), (1e-2, 1e-3))
FIRST = 10.0
"""The first tolerance, in units of the mean amount by which a second best arc is above the best."""
_FLAT = 1e-3
"""Where all arcs tie: the first tolerance as a share of the mean cost."""
_SMALLEST = 2.0**-40
"""The least tolerance, as a share of the largest potential or cost."""
_KEPT = 60.0
"""Arcs without flow stay when their reduced cost is below so many tolerances."""
_ADDED = 8
"""Arcs added at each source in one round."""
_REACH = 400
"""By how many tolerances prices may fall at once before pricing looks for arcs that make it needless; then doubled."""
_FEW = 0.03
"""Before the last tolerance of a round an auction ends when this share of the sources has mass left."""
_CHUNK = 100_000_000
"""Arcs looked at between two looks at the clock."""
_LOOKS = 1500
"""Looks at each arc at one tolerance, after which the auction is given up; some 200 are usual."""


class Approach:
    """Loads of one scale on their way to its optimum; ``complete`` when no mass is left at its source."""

    def __init__(self, run: Run, scale: Scale, pricing: Pricing, arcs: Arcs, f: Array, g: Array) -> None:
        self.run, self.scale, self.pricing, self.arcs = run, scale, pricing, arcs
        flow = np.zeros(len(arcs.tails), np.int64)
        self.loads = Loads(f.copy(), g.copy(), flow, scale.a.copy(), scale.b.copy())
        self.known = np.full(len(f), -np.inf)  # at most min c - g, which only rises
        self.network: Network | None = None
        self.complete = False
        self.looks = 0.0  # at each arc, in the last auction

    def rounds(self, finest: bool) -> Iterator[None]:
        """Run the rounds; yields after each that leaves no mass behind."""
        shares, first = SHARES if finest else SHARES_WHEN_COARSE, 0.0
        for k, in_round in enumerate(shares):
            if finest and k > 0 and self.looks > _EASY:
                return
            self.network = network_of(len(self.loads.f), len(self.loads.g), *self.arcs)
            if k == 0:
                first = FIRST * release(self.network, self.loads, np.inf) or _FLAT * float(self.arcs.costs.mean())
            tolerances = [first * share for share in in_round if first * share > self._unit()]
            for eps in tolerances:
                few = 0 if eps == tolerances[-1] else int(_FEW * len(self.loads.f))
                if not self._auction(eps, few):
                    return
            if not tolerances:
                return
            release(self.network, self.loads, np.inf)
            last = k + 1 == len(shares)
            if finest or not last:
                violating = self._priced()
            if finest:
                self.run.keep(self.scale, np.minimum(self.loads.f, self.known), self.loads.g)
                self.run.stats["rounds"] += 1
            yield
            if finest or not last:
                self._exchange(violating, _KEPT * tolerances[-1])

    def tree(self) -> Basis:
        """A spanning tree with the flow of a round, or a cheaper one."""
        assert self.network is not None
        return tree_of_flow(self.network, self.loads, self.pricing.costs)

    def _auction(self, eps: float, few: int) -> bool:
        """Whether all mass arrived, but that of a ``few`` sources; the plan so far stays good when not."""
        assert self.network is not None
        loads = self.loads
        release(self.network, loads, eps)
        left, reach, self.looks = _LOOKS * len(self.arcs.tails), _REACH, 0.0
        waiting = len(loads.f)
        while waiting > few and left > 0:
            bids, looked, short = auction(self.network, loads, eps, reach, few, min(left, _CHUNK))
            self.run.stats["bids"] += int(bids)
            self.run.look_at_clock()
            left -= looked
            self.looks += looked / len(self.arcs.tails)
            waiting = int(np.count_nonzero(loads.left))
            if short:
                reach *= 2
                release(self.network, loads, np.inf)
                self._exchange(self._priced(), np.inf)
                loads = self.loads
                self.network = network_of(len(loads.f), len(loads.g), *self.arcs)
        self.complete = waiting == 0
        return waiting <= few

    def _priced(self) -> Arcs:
        """Arcs that violate f + g <= c; only sources whose f is above what is known need a look."""
        f, g = self.loads.f, self.loads.g
        tolerance = TOLERANCE / _SMALLEST * self._unit()
        rows = np.flatnonzero(f > self.known + tolerance)
        if len(rows) == 0:
            return Arcs(*(np.empty(0, kind) for kind in (np.int32, np.int32, float)))
        part = self.pricing
        if 2 * len(rows) > len(f):
            rows = np.arange(len(f))
        else:
            part = self.run.pricing(part.x[rows], part.y)
        arcs, self.known[rows] = part.lowest(g, f[rows] - tolerance, _ADDED)
        return Arcs(rows[arcs.tails].astype(np.int32), arcs.heads, arcs.costs)

    def _unit(self) -> float:
        """The least tolerance: prices could hardly tell a smaller difference."""
        return _SMALLEST * max(float(np.abs(self.loads.g).max()), float(self.arcs.costs.max()))

    def _exchange(self, violating: Arcs, reach: float) -> None:
        """Drop idle arcs whose reduced cost is above ``reach``, add the violating ones; the flow stays."""
        arcs, loads = self.arcs, self.loads
        f = np.minimum(loads.f, self.known)
        kept = (loads.flow > 0) | (arcs.costs - f[arcs.tails] - loads.g[arcs.heads] < reach)
        before, flow = Arcs(*(column[kept] for column in arcs)), loads.flow[kept]
        self.arcs = merged(self.pricing, before, violating)
        m = len(loads.g)
        where = np.searchsorted(
            self.arcs.tails.astype(np.int64) * m + self.arcs.heads, before.tails.astype(np.int64) * m + before.heads
        )
        moved = np.zeros(len(self.arcs.tails), np.int64)
        moved[where] = flow
        self.loads = loads._replace(flow=moved)
