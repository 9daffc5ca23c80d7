"""Global price update: all prices of an auction are lowered at once by the distances to targets in need of mass.

Distances are taken along arcs, and backwards along arcs with flow, in whole units of eps: the amount by
which an arc misses being admissible.  After the update every source with mass left has a path of admissible
arcs to a target in need (Goldberg, Journal of Algorithms 22, 1997).
"""

from __future__ import annotations

import numpy as np

from otdiv.core.compilation import kernel

_NONE = -1
_FAR = 2**15
"""Units of eps; larger distances count as this one.  Larger: more buckets to clear."""


@kernel()
def lower_prices(graph, pseudoflow, eps, max_drop):
    """Dijkstra's algorithm by buckets, from the targets in need until all sources with mass left are reached.

    Distances above ``max_drop`` units are not searched.

    Returns
    -------
    scanned : int
        Arcs scanned.
    arcs_missing : bool
        Whether some source was not reached, and might have been at a larger distance.
    """
    rows, _, columns, _ = graph
    start, heads, costs = rows
    into, tails_in, costs_in = columns
    f, g, flow, excess, deficit = pseudoflow
    n, m = len(f), len(g)
    distance = np.full(n + m, _FAR, np.int32)
    top = np.full(_FAR, _NONE, np.int32)  # first node of each bucket, a doubly linked list
    after, before = np.full(n + m, _NONE, np.int32), np.full(n + m, _NONE, np.int32)
    waiting = 0
    for i in range(n):
        waiting += excess[i] > 0
    for j in range(m):
        if deficit[j] > 0:
            _move_to_bucket(n + j, 0, distance, top, after, before)
    now = scanned = 0
    unit = 1.0 / eps
    while now < min(max_drop, _FAR) and waiting > 0:
        v = top[now]
        if v < 0:
            now += 1
            continue
        top[now] = after[v]
        if after[v] >= 0:
            before[after[v]] = _NONE
        if v < n:  # nodes at distance now are final
            waiting -= excess[v] > 0
            scanned += np.int64(start[v + 1] - start[v])
            for k in range(start[v], start[v + 1]):
                if flow[k] > 0:
                    j = heads[k]
                    if distance[n + j] > now:
                        to = now + _count_steps((f[v] + g[j] - costs[k]) * unit)
                        if to < distance[n + j]:
                            _move_to_bucket(n + j, to, distance, top, after, before)
        else:
            j = v - n
            scanned += np.int64(into[j + 1] - into[j])
            for q in range(into[j], into[j + 1]):
                w = tails_in[q]
                if distance[w] > now:
                    to = now + _count_steps((costs_in[q] - f[w] - g[j]) * unit)
                    if to < distance[w]:
                        _move_to_bucket(w, to, distance, top, after, before)
    for v in range(n + m):
        fall = eps * min(distance[v], now)
        if v < n:
            f[v] += fall
        else:
            g[v - n] -= fall
    return scanned, waiting > 0 and max_drop < _FAR


@kernel()
def _count_steps(reduced):
    """The units of eps by which prices must fall for an arc of this reduced cost to become admissible."""
    return np.int64(0) if reduced < 0 else np.int64(min(reduced, float(_FAR))) + 1


@kernel()
def _move_to_bucket(v, to, distance, top, after, before):
    """Move node v to the bucket of distance ``to``."""
    if distance[v] < _FAR:
        if before[v] >= 0:
            after[before[v]] = after[v]
        else:
            top[distance[v]] = after[v]
        if after[v] >= 0:
            before[after[v]] = before[v]
    distance[v], before[v], after[v] = to, _NONE, top[to]
    if top[to] >= 0:
        before[top[to]] = v
    top[to] = v
