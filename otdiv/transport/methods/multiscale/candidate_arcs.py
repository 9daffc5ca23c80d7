"""Arcs that the next solve may use: those of low reduced cost under the potentials of the coarser scale."""

from __future__ import annotations

import numpy as np

from otdiv.core.validation import Array
from otdiv.pricing.pricing import Arcs, Pricing
from otdiv.transport.methods.multiscale.scales import Scale
from otdiv.transport.methods.multiscale.state import Run

NEIGHBOURS = 8
"""Candidate arcs at each point, in both directions."""


def all_pairs(scale: Scale, pricing: Pricing) -> Arcs:
    """Every arc, sorted by source and target."""
    n, m = len(scale.x), len(scale.y)
    tails = np.repeat(np.arange(n, dtype=np.int32), m)
    heads = np.tile(np.arange(m, dtype=np.int32), n)
    return Arcs(tails, heads, pricing.costs(tails, heads))


def neighbours(
    run: Run, scale: Scale, coarser: Scale, forward: Pricing, count: int = NEIGHBOURS
) -> tuple[Array, Array, list[Arcs]]:
    """Coarse potentials extended to this scale, f_i + g_j <= c_ij, and ``count`` nearly tight arcs at each point."""
    assert run.coarse is not None
    f, _ = run.pricing(scale.x, coarser.y).minima(run.coarse[1])
    arcs, g = run.pricing(scale.y, scale.x).lowest(f, np.full(len(scale.y), np.inf), count)
    more, f = forward.lowest(g, np.full(len(scale.x), np.inf), count)
    return f, g, [Arcs(arcs.heads, arcs.tails, arcs.costs), more]


def children(i: Array, j: Array, scale: Scale) -> Arcs:
    """All pairs of points in the two clusters of each coarse arc (i[k], j[k])."""
    if len(scale.borders_x) == len(scale.x) + 1 or len(scale.borders_y) == len(scale.y) + 1:
        i, j = i[:0], j[:0]  # a side whose points stay apart has many children on the other: left to pricing
    tails, heads = [np.empty(0, np.int32)], [np.empty(0, np.int32)]
    for p in range(int(np.diff(scale.borders_x).max())):
        for q in range(int(np.diff(scale.borders_y).max())):
            s, t = scale.borders_x[i] + p, scale.borders_y[j] + q
            there = (s < scale.borders_x[i + 1]) & (t < scale.borders_y[j + 1])
            tails.append(s[there].astype(np.int32))
            heads.append(t[there].astype(np.int32))
    return Arcs(np.concatenate(tails), np.concatenate(heads), np.empty(0))


def merged(pricing: Pricing, *lists: Arcs | list[Arcs]) -> Arcs:
    """The union, sorted by source and target, so that a scan over a range of arcs stays among near points."""
    m = len(pricing.y)
    every = [arcs for entry in lists for arcs in (entry if isinstance(entry, list) else [entry])]
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
    return Arcs(tails, heads, pricing.costs(tails, heads))
