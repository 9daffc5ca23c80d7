"""Shortest augmenting paths on the exchange graph, from a source with excess to the nearest with a deficit.

Dijkstra's algorithm with potentials (Ahuja, Magnanti and Orlin, Network Flows, ch. 9.7) keeps every piece at a source
of least c_ij - f_i, so that the loads are optimal when no excess is left.  Masses are integers: each path lessens the
excess by whole units and hands on at least one whole piece, or settles one source.
"""

from __future__ import annotations

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.transport.methods.few.exchange_graph import END, FREE, NONE, USED
from otdiv.transport.methods.few.nearest_pieces import find_shortest_piece, keep_nearest

DONE, MORE, FULL = 0, 1, 2
"""Why a batch ended: no excess is left; as many paths as allowed; the arrays have no room."""


@kernel()
def run_augmentations(graph, most, most_scanned):
    """Up to ``most`` augmentations, or until about ``most_scanned`` pieces and arcs were scanned.

    Returns
    -------
    count, scanned : int
        Augmentations made, pieces and arcs scanned.
    code : int
        ``DONE``, ``MORE`` or ``FULL``.
    """
    k = len(graph.f)
    distance, before = np.empty(k), np.empty(k, np.int32)
    settled, order = np.empty(k, np.bool_), np.empty(k, np.int32)
    path, pieces = np.empty(k, np.int32), np.empty(k, np.int32)
    count = scanned = 0
    for begin in range(k):
        while graph.excess[begin] > 0:
            if count >= most or scanned >= most_scanned:
                return count, scanned, MORE
            end, steps = _find_path(graph, begin, distance, before, settled, order)
            scanned += steps
            _store_lengths(graph, begin, end, before, distance)
            tight = True
            while tight:  # of equal costs many pieces go along one path
                hops = _trace_path(graph, begin, end, before, path, pieces)
                if not _make_room(graph, path, hops):
                    return count, scanned, FULL
                _augment(graph, path, pieces, hops)
                count += 1
                tight = count < most and graph.excess[begin] > 0 and graph.excess[end] < 0
                tight = tight and _lengths_stay(graph, begin, end, before, distance)
    return count, scanned, DONE


@kernel()
def _find_path(graph, begin, distance, before, settled, order):
    """Dijkstra from ``begin`` to the first source with a deficit; f changes so that the path is tight."""
    f, length, exact = graph.f, graph.length, graph.exact
    k = len(f)
    distance[:] = np.inf
    settled[:] = False
    before[:] = begin
    distance[begin] = 0.0
    number = scanned = 0
    while True:
        v, least = NONE, np.inf
        for u in range(k):
            if not settled[u] and distance[u] < least:
                v, least = u, distance[u]
        scanned += k
        u = before[v]
        if v != begin and not exact[u, v]:  # the distance is a lower bound
            scanned += find_shortest_piece(graph, u, v)
            distance[v] = np.inf
            for e in range(number):
                u = order[e]
                through = distance[u] + max(0.0, length[u, v] - f[v] + f[u])
                if through < distance[v]:
                    distance[v], before[v] = through, u
            continue
        settled[v] = True
        order[number] = v
        number += 1
        if graph.excess[v] < 0:
            break
        for u in range(k):
            if not settled[u]:
                through = least + max(0.0, length[v, u] - f[u] + f[v])
                if through < distance[u]:
                    distance[u], before[u] = through, v
        scanned += k
    for e in range(number):
        u = order[e]
        f[u] -= distance[v] - distance[u]
    return v, scanned


@kernel()
def _store_lengths(graph, begin, end, before, lengths):
    """The length of the arc of the path into each of its sources."""
    v = end
    while v != begin:
        lengths[v] = graph.length[before[v], v]
        v = before[v]


@kernel()
def _lengths_stay(graph, begin, end, before, lengths):
    """Whether the path is as short as it was before its pieces were handed on."""
    v = end
    while v != begin:
        u = before[v]
        if not graph.exact[u, v]:
            find_shortest_piece(graph, u, v)
        if graph.length[u, v] != lengths[v]:
            return False
        v = u
    return True


@kernel()
def _trace_path(graph, begin, end, before, path, pieces):
    """The path from its end: nodes, and the piece that each step takes from the next of them; returns its length.

    Where a target is handed on by several sources of the path, the first hands it straight to where it ends up.  The
    ones between would limit the path to their share of it, however small, and have as small a share again afterwards.
    """
    hops, v = 0, end
    while v != begin:
        u = before[v]
        p = graph.shortest[u, v]
        w = u
        while w != begin:
            q = graph.shortest[before[w], w]
            w = before[w]
            if graph.target[q] == graph.target[p]:
                u, p = w, q
        path[hops], pieces[hops] = v, p
        hops += 1
        v = u
    path[hops] = begin
    return hops


@kernel()
def _make_room(graph, path, hops):
    """Whether there is room for a new piece at each source of the path; lists that are full move to the end."""
    if len(graph.target) - graph.counts[USED] < hops:
        return False
    for e in range(hops):
        v = path[e]
        if graph.size[v] == graph.room[v]:
            room, end = 2 * graph.room[v], graph.counts[END]
            if end + room > len(graph.entries):
                return False
            for q in range(graph.size[v]):
                graph.entries[end + q] = graph.entries[graph.start[v] + q]
            graph.start[v], graph.room[v] = end, room
            graph.counts[END] = end + room
    return True


@kernel()
def _augment(graph, path, pieces, hops):
    """Send along the path, which is stored from its end, as much as excess, deficit and its pieces allow."""
    begin, end = path[hops], path[0]
    amount = min(graph.excess[begin], -graph.excess[end])
    for e in range(hops):
        amount = min(amount, graph.flow[pieces[e]])
    graph.excess[begin] -= amount
    graph.excess[end] += amount
    for e in range(hops):
        p = pieces[e]
        _receive(graph, graph.target[p], path[e], amount)
        graph.flow[p] -= amount
        if graph.flow[p] == 0:
            _drop(graph, p, path[e + 1])


@kernel()
def _receive(graph, j, h, amount):
    """Source h serves ``amount`` more of target j."""
    p = graph.first[j]
    while p != NONE:
        if graph.source[p] == h:
            graph.flow[p] += amount
            return
        p = graph.following[p]
    p = graph.counts[FREE]
    if p == NONE:
        p = graph.counts[USED]
        graph.counts[USED] += 1
    else:
        graph.counts[FREE] = graph.following[p]
    graph.target[p], graph.source[p], graph.flow[p] = j, h, amount
    graph.following[p] = graph.first[j]
    graph.first[j] = p
    graph.entries[graph.start[h] + graph.size[h]] = p
    graph.size[h] += 1
    here = graph.costs[j, h]
    for i in range(len(graph.f)):
        step = graph.costs[j, i] - here
        if i == h:
            continue
        if step < graph.beyond[h, i]:
            keep_nearest(graph, h, i, step, p)
        if step <= graph.length[h, i]:
            graph.length[h, i], graph.shortest[h, i], graph.exact[h, i] = step, p, True


@kernel()
def _drop(graph, p, i):
    """The piece p of source i is empty: take it out of its target's chain, and mark the lengths that came from it."""
    j = graph.target[p]
    if graph.first[j] == p:
        graph.first[j] = graph.following[p]
    else:
        q = graph.first[j]
        while graph.following[q] != p:
            q = graph.following[q]
        graph.following[q] = graph.following[p]
    graph.source[p] = NONE
    graph.following[p] = graph.counts[FREE]
    graph.counts[FREE] = p
    for h in range(len(graph.f)):
        if graph.shortest[i, h] == p:
            graph.exact[i, h] = False
            graph.shortest[i, h] = NONE
