"""The pieces of a source that cost least to hand to another one: a short sorted list for each pair of sources.

A list holds all pieces below a bound ``beyond``, and some that are the source's no more.  While it is not empty its
first valid piece gives w(i, l); then all pieces of the source are scanned, and the nearest of them kept.
"""

from __future__ import annotations

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.transport.methods.few.exchange_graph import NONE


@kernel()
def find_shortest_piece(graph, i, l):
    """Make length[i, l] exact: w(i, l), with its piece.  Returns how many pieces were scanned."""
    scanned = 0
    if not _take_nearest(graph, i, l):
        scanned = _scan_pieces(graph, i, l)
        if not _take_nearest(graph, i, l):  # the source serves nothing
            graph.length[i, l], graph.shortest[i, l], graph.exact[i, l] = np.inf, NONE, True
    return scanned


@kernel()
def _take_nearest(graph, i, l):
    """The first piece of the list that is still a piece of i, if there is one."""
    nearest = graph.nearest[i, l]
    for e in range(graph.begin[i, l], graph.end[i, l]):
        p = nearest[e, 0]
        if graph.source[p] == i and graph.target[p] == nearest[e, 1]:
            graph.begin[i, l] = e
            graph.length[i, l], graph.shortest[i, l], graph.exact[i, l] = graph.steps[i, l, e], p, True
            return True
    graph.begin[i, l] = graph.end[i, l] = 0
    return False


@kernel()
def _scan_pieces(graph, i, l):
    """Fill the list anew from all pieces of i; entries that are no longer its pieces are dropped."""
    costs, source, target, entries = graph.costs, graph.source, graph.target, graph.entries
    at, size = graph.start[i], graph.size[i]
    scanned, e = size, at
    graph.beyond[i, l] = np.inf
    while e < at + size:
        p = entries[e]
        if source[p] != i:
            size -= 1
            entries[e] = entries[at + size]
            continue
        j = target[p]
        step = costs[j, l] - costs[j, i]
        if step < graph.beyond[i, l]:
            keep_nearest(graph, i, l, step, p)
        e += 1
    graph.size[i] = size
    return scanned


@kernel()
def keep_nearest(graph, i, l, step, p):
    """Put the piece p of i, whose step is below the bound, into the list; where that is full the last one leaves it."""
    nearest, steps = graph.nearest[i, l], graph.steps[i, l]
    begin, end = graph.begin[i, l], graph.end[i, l]
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
    graph.begin[i, l], graph.end[i, l] = begin, end + 1
    if end + 1 - begin == len(steps):
        graph.beyond[i, l] = steps[end]
