r"""The residual graph of a transport problem, contracted onto its few sources.

Every one of the m targets is served in full by one or more of the k sources.  To hand a target j from source i to
source h costs c_hj - c_ij, so on the graph of the sources the arc i -> h has the length

    w(i, h) = min { c_hj - c_ij : j served by i },

and the loads are optimal for what each source sends if and only if potentials f satisfy f_h - f_i <= w(i, h) for all
pairs (no cycle is negative).  A share of a target that one source serves is a *piece*; w(i, h) is kept as a lower bound
with the piece it came from, and found anew, over the pieces of i, only where a shortest path asks for it.  Each such
search keeps the next best pieces, too (:mod:`otdiv.transport.methods.few.nearest_pieces`).

Costs lie by targets, [m, k], so that all that concerns one target lies together.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.core.validation import Array

NONE = -1
_SPARE_PIECES = 8
"""Free pieces per source beside the m + k that a basic solution has.  Fewer: more often moved to larger arrays."""
_SPARE_ENTRIES = 16
"""Entries that a list of pieces may grow by, beside its own length, before it is moved."""
_KEPT_IN_ALL = 2**21
"""Nearest pieces that are kept for all pairs of sources together (16 bytes each).  More: fewer scans of all pieces."""
_KEPT = 4, 256
"""Fewest and most that are kept for one pair; between them the root of the targets per source, at which the scans of
all pieces and the insertions into lists take about as long."""
USED, FREE, END = 0, 1, 2
"""Places in ``counts``: pieces ever used, first of those that are free again, end of the lists."""


class ExchangeGraph(NamedTuple):
    """k sources that serve m targets: what each serves, and what it costs to hand a target on.

    Attributes
    ----------
    costs : ndarray [m, k]
    f : ndarray [k]
        Potentials: c_ij - f_i is least over i for each piece (i, j).
    excess : ndarray of int64 [k]
        Load minus weight of each source, in mass units.
    length : ndarray [k, k]
        A lower bound on w(i, h); +inf on the diagonal, and where i serves nothing.
    shortest : ndarray of int32 [k, k]
        The piece that has this length, where ``exact``.
    exact : ndarray of bool [k, k]
        Whether the bound is w(i, h) itself.
    nearest : ndarray of int32 [k, k, t, 2]
        Pieces of i next in line to be handed to h, by increasing step, and their targets when they were put there; a
        piece that has another source or target by now does not count.
    steps : ndarray [k, k, t]
        c_hj - c_ij of these.
    begin, end : ndarray of int32 [k, k]
        The part of ``nearest`` in use.
    beyond : ndarray [k, k]
        All other pieces of i have at least this step to h.
    target, source : ndarray of int32 [p]
        Ends of each piece; source -1 for one that is free.
    flow : ndarray of int64 [p]
        Mass of each piece.
    following : ndarray of int32 [p]
        The next piece of the same target, or the next free one; -1 at the end.
    first : ndarray of int32 [m]
        The first piece of each target.
    entries : ndarray of int32
        Lists of the pieces of each source, some of which it may not have any more.
    start, size, room : ndarray of int64 [k]
        Where each list begins, how many entries it has, and how many fit.
    counts : ndarray of int64 [3]
        See ``USED``, ``FREE``, ``END``.
    """

    costs: Array
    f: Array
    excess: Array
    length: Array
    shortest: Array
    exact: Array
    nearest: Array
    steps: Array
    begin: Array
    end: Array
    beyond: Array
    target: Array
    source: Array
    flow: Array
    following: Array
    first: Array
    entries: Array
    start: Array
    size: Array
    room: Array
    counts: Array


def build_exchange_graph(costs: Array, a: Array, b: Array, f: Array) -> ExchangeGraph:
    """The graph where each target is served by a source of least c_ij - f_i.

    Parameters
    ----------
    costs : ndarray [m, k]
    a, b : ndarray of int64 [k], [m]
        Masses in units, of one total.
    f : ndarray [k]
    """
    m, k = costs.shape
    pieces = m + (1 + _SPARE_PIECES) * k
    source = np.full(pieces, NONE, np.int32)
    target, following = np.full(pieces, NONE, np.int32), np.full(pieces, NONE, np.int32)
    flow = np.zeros(pieces, np.int64)
    target[:m], flow[:m] = np.arange(m), b
    first = np.arange(m, dtype=np.int32)
    length, shortest = np.full((k, k), np.inf), np.full((k, k), NONE, np.int32)
    excess = -a
    _serve_by_nearest(costs, f, b, source, excess, length, shortest)
    exact, in_use = np.ones((k, k), np.bool_), np.zeros((k, k), np.int32)
    kept = int(np.clip(min(np.sqrt(m / k), _KEPT_IN_ALL / k**2), *_KEPT))
    nearest, steps = np.empty((k, k, kept, 2), np.int32), np.empty((k, k, kept))
    entries, start, size, room = _list_pieces(source[:m], k)
    counts = np.array([m, NONE, start[-1] + room[-1]], np.int64)
    return ExchangeGraph(
        costs, f, excess, length, shortest, exact, nearest, steps, in_use, in_use.copy(), length.copy(),
        target, source, flow, following, first, entries, start, size, room, counts,
    )  # fmt: skip


def with_more_room(graph: ExchangeGraph) -> ExchangeGraph:
    """The same graph with room for more pieces and longer lists."""
    used, k = int(graph.counts[USED]), len(graph.f)
    more = used // 2 + (1 + _SPARE_PIECES) * k
    pieces = {
        name: np.append(getattr(graph, name)[:used], np.full(more, NONE, np.int32))
        for name in ("target", "source", "following")
    }
    entries, start, size, room = _list_pieces(graph.source[:used], k)
    counts = np.array([used, graph.counts[FREE], start[-1] + room[-1]], np.int64)
    return graph._replace(
        flow=np.append(graph.flow[:used], np.zeros(more, np.int64)),
        entries=entries, start=start, size=size, room=room, counts=counts, **pieces,
    )  # fmt: skip


def _list_pieces(source: Array, k: int) -> tuple[Array, Array, Array, Array]:
    """Lists of the pieces of each source, and where they lie; behind them as much room again for lists that move."""
    order = np.argsort(source, kind="stable").astype(np.int32)
    free = int(np.count_nonzero(source == NONE))
    size = np.bincount(source[source >= 0], minlength=k)
    room = size + size // 2 + _SPARE_ENTRIES
    start = np.cumsum(room) - room
    entries = np.full(3 * int(room.sum()), NONE, np.int32)
    behind = np.repeat(start - (np.cumsum(size) - size), size)
    entries[behind + np.arange(len(behind))] = order[free:]
    return entries, start, size, room


@kernel()
def _serve_by_nearest(costs, f, b, source, excess, length, shortest):
    """Serve each target by its source of least c_ij - f_i, and find all lengths."""
    m, k = costs.shape
    for j in range(m):
        nearest, least = 0, costs[j, 0] - f[0]
        for i in range(1, k):
            reduced = costs[j, i] - f[i]
            if reduced < least:
                nearest, least = i, reduced
        source[j] = nearest
        excess[nearest] += b[j]
        here = costs[j, nearest]
        for i in range(k):
            step = costs[j, i] - here
            if step < length[nearest, i] and i != nearest:
                length[nearest, i], shortest[nearest, i] = step, j
