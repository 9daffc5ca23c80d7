"""What an earlier solve of the same problem has found, at the points of the finest scale.

From it both engines go on at that scale: its plan is a basis or an assignment, and its potentials choose the
candidate arcs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from otdiv.core.validation import Array
from otdiv.network_flow.graph import ArcList
from otdiv.network_flow.trees.forest_order import flow_on_forest
from otdiv.problem.transport_problem import Proposal

_NARROW = 1e-4
"""Relative gap up to which the simplex goes on from a plan; a wider one is closed sooner from the beginning."""
_NARROW_FOR_ASSIGNMENT = 1e-2
"""The same for an assignment, from which bids go on."""


class EarlierSolve(NamedTuple):
    """Arcs with flow, in units of mass, and the potential of the targets."""

    tails: Array
    heads: Array
    flow: Array
    g: Array

    def flow_on(self, arcs: ArcList, m: int) -> Array:
        """The flow on arcs that are sorted by source and target, and hold all of these."""
        flow = np.zeros(len(arcs.tails), np.int64)
        every = arcs.tails.astype(np.int64) * m + arcs.heads
        flow[np.searchsorted(every, self.tails.astype(np.int64) * m + self.heads)] = self.flow
        return flow


def find_earlier_solve(
    start: Proposal | None, sources: Array, targets: Array, a: Array, b: Array, *, assignment: bool
) -> EarlierSolve | None:
    """The plan and the potentials of ``start`` in the order of the finest scale.

    None without a start, where its gap is wide, and where its plan is not one on a forest (for an assignment: a
    matching) with exactly these masses.
    """
    if start is None or start.plan is None or start.g is None:
        return None
    if start.stats.get("gap", 0.0) > (_NARROW_FOR_ASSIGNMENT if assignment else _NARROW):
        return None
    place_x, place_y = np.full(start.plan.shape[0], -1), np.full(start.plan.shape[1], -1)
    place_x[sources], place_y[targets] = np.arange(len(sources)), np.arange(len(targets))
    tails, heads = place_x[start.plan.rows], place_y[start.plan.columns]
    keys = np.unique((tails * len(b) + heads)[(tails >= 0) & (heads >= 0) & (start.plan.mass > 0)])
    tails, heads = (keys // len(b)).astype(np.int32), (keys % len(b)).astype(np.int32)
    if assignment:
        flow = a[tails]
        possible = np.array_equal(tails, np.arange(len(a))) and len(np.unique(heads)) == len(b)
    else:
        flow, possible = flow_on_forest(len(a), a, b, tails, heads)
    if not possible:
        return None
    used = flow > 0
    return EarlierSolve(tails[used], heads[used], flow[used], start.g[targets])
