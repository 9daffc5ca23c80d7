"""Candidate arcs of a scale: those of low reduced cost under the potentials of the coarser scale."""

from __future__ import annotations

import numpy as np

from otdiv.core.validation import Array
from otdiv.network_flow.graph import ArcList
from otdiv.pricing.pricing import Pricing
from otdiv.transport.methods.multiscale.scales import Scale
from otdiv.transport.methods.multiscale.state import SolverState

NEIGHBOURS = 8
"""Candidate arcs per point, in both directions.  More: fewer rounds of pricing, more memory and time in each."""


def list_all_pairs(scale: Scale, pricing: Pricing) -> ArcList:
    """Every arc, sorted by source and target."""
    n, m = len(scale.x), len(scale.y)
    tails = np.repeat(np.arange(n, dtype=np.int32), m)
    heads = np.tile(np.arange(m, dtype=np.int32), n)
    return ArcList(tails, heads, pricing.costs(tails, heads))


def find_neighbours(
    state: SolverState, scale: Scale, coarser: Scale, forward: Pricing, count: int = NEIGHBOURS
) -> tuple[Array, Array, list[ArcList]]:
    """Coarse potentials extended to this scale, f_i + g_j <= c_ij, and ``count`` nearly tight arcs at each point."""
    assert state.coarse is not None
    f, _ = state.pricing(scale.x, coarser.y).minima(state.coarse[1])
    arcs, g = state.pricing(scale.y, scale.x).lowest(f, np.full(len(scale.y), np.inf), count)
    more, f = forward.lowest(g, np.full(len(scale.x), np.inf), count)
    return f, g, [ArcList(arcs.heads, arcs.tails, arcs.costs), more]


def list_children(i: Array, j: Array, scale: Scale) -> ArcList:
    """All pairs of points in the two clusters of each coarse arc (i[k], j[k]), without their costs."""
    if len(scale.borders_x) == len(scale.x) + 1 or len(scale.borders_y) == len(scale.y) + 1:
        i, j = i[:0], j[:0]  # where one side is not clustered, a coarse arc has many children: left to pricing
    tails, heads = [np.empty(0, np.int32)], [np.empty(0, np.int32)]
    for p in range(int(np.diff(scale.borders_x).max())):
        for q in range(int(np.diff(scale.borders_y).max())):
            s, t = scale.borders_x[i] + p, scale.borders_y[j] + q
            there = (s < scale.borders_x[i + 1]) & (t < scale.borders_y[j + 1])
            tails.append(s[there].astype(np.int32))
            heads.append(t[there].astype(np.int32))
    return ArcList(np.concatenate(tails), np.concatenate(heads), np.empty(0))


def merge_arcs(pricing: Pricing, *lists: ArcList | list[ArcList]) -> ArcList:
    """The union, sorted by source and target, so that consecutive arcs lie between near points."""
    m = len(pricing.y)
    every = [arcs for entry in lists for arcs in ([entry] if isinstance(entry, ArcList) else entry)]
    keys = np.empty(sum(len(arcs.tails) for arcs in every), np.int64)  # in place: there may be a hundred million
    end = 0
    for arcs in every:
        part = keys[end : end + len(arcs.tails)]
        np.multiply(arcs.tails, m, out=part, dtype=np.int64)
        part += arcs.heads
        end += len(part)
    keys.sort()
    keys = keys[np.concatenate([[True], keys[1:] != keys[:-1]])]
    tails, heads = np.empty(len(keys), np.int32), np.empty(len(keys), np.int32)
    np.floor_divide(keys, m, out=tails, casting="unsafe")
    np.remainder(keys, m, out=heads, casting="unsafe")
    del keys
    return ArcList(tails, heads, pricing.costs(tails, heads))
