"""The pieces of a source that cost least to hand to another one: a short sorted list for each pair of sources.

A list holds all pieces below a bound ``beyond``, and some that are the source's no more.  While it is not empty its
first valid piece gives w(i, h); then all pieces of the source are scanned, and the nearest of them kept.
"""

from __future__ import annotations

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.transport.methods.few.exchange_graph import NONE


@kernel()
def find_shortest_piece(graph, i, h):
    """Make length[i, h] exact: w(i, h), with its piece.  Returns how many pieces were scanned."""
    scanned = 0
    if not _take_nearest(graph, i, h):
        scanned = _scan_pieces(graph, i, h)
        if not _take_nearest(graph, i, h):  # the source serves nothing
            graph.length[i, h], graph.shortest[i, h], graph.exact[i, h] = np.inf, NONE, True
    return scanned


@kernel()
def _take_nearest(graph, i, h):
    """The first piece of the list that is still a piece of i, if there is one."""
    nearest = graph.nearest[i, h]
    for e in range(graph.begin[i, h], graph.end[i, h]):
        p = nearest[e, 0]
        if graph.source[p] == i and graph.target[p] == nearest[e, 1]:
            graph.begin[i, h] = e
            graph.length[i, h], graph.shortest[i, h], graph.exact[i, h] = graph.steps[i, h, e], p, True
            return True
    graph.begin[i, h] = graph.end[i, h] = 0
    return False


@kernel()
def _scan_pieces(graph, i, h):
    """Fill the list anew from all pieces of i; entries that are no longer its pieces are dropped."""
    costs, source, target, entries = graph.costs, graph.source, graph.target, graph.entries
    at, size = graph.start[i], graph.size[i]
    scanned, e = size, at
    graph.beyond[i, h] = np.inf
    while e < at + size:
        p = entries[e]
        if source[p] != i:
            size -= 1
            entries[e] = entries[at + size]
            continue
        j = target[p]
        step = costs[j, h] - costs[j, i]
        if step < graph.beyond[i, h]:
            keep_nearest(graph, i, h, step, p)
        e += 1
    graph.size[i] = size
    return scanned


@kernel()
def keep_nearest(graph, i, h, step, p):
    """Put the piece p of i, whose step is below the bound, into the list; where that is full the last one leaves it."""
    nearest, steps = graph.nearest[i, h], graph.steps[i, h]
    begin, end = graph.begin[i, h], graph.end[i, h]
    if end == len(steps):
        if begin == 0:
            end -= 1
        else:
            steps[: end - begin] = steps[begin:end]
            nearest[: end - begin] = nearest[begin:end]
            begin, end = 0, end - begin
    e = end
    while e > begin and steps[e - 1] > step:
        steps[e], nearest[e, 0], nearest[e, 1] = steps[e - 1], nearest[e - 1, 0], nearest[e - 1, 1]
        e -= 1
    steps[e], nearest[e, 0], nearest[e, 1] = step, p, graph.target[p]
    graph.begin[i, h], graph.end[i, h] = begin, end + 1
    if end + 1 - begin == len(steps):
        graph.beyond[i, h] = steps[end]
