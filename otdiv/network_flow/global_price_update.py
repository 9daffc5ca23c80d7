"""All prices of an auction lowered at once, by the distances to targets that still need mass.

Distances run along arcs, and against those in use, in whole units of eps: what an arc
lacks to be admissible.  After the update every source with mass left has a path of
admissible arcs to a target in need (Goldberg, Journal of Algorithms 22, 1997, calls it
global price update).
"""

from __future__ import annotations

import numpy as np
from numba import njit

_NONE = -1
_FAR = 2**15
"""Distances from here on count as this one."""


@njit(cache=True, nogil=True)
def lower_prices(network, loads, eps, reach):  # type: ignore[no-untyped-def]
    """Dijkstra's algorithm by buckets, from the targets in need until all sources with mass left are reached.

    It goes no further than ``reach`` units.

    Returns
    -------
    looked : int
        Arcs looked at.
    short : bool
        Whether some source was not reached, and might have been from further on.
    """
    start, _, heads, costs, into, _, tails_in, costs_in = network
    f, g, flow, left, missing = loads
    n, m = len(f), len(g)
    distance = np.full(n + m, _FAR, np.int32)
    top = np.full(_FAR, _NONE, np.int32)  # of each bucket, a list with links both ways
    after, before = np.full(n + m, _NONE, np.int32), np.full(n + m, _NONE, np.int32)
    waiting = 0
    for i in range(n):
        waiting += left[i] > 0
    for j in range(m):
        if missing[j] > 0:
            _put(n + j, 0, distance, top, after, before)
    now = looked = 0
    unit = 1.0 / eps
    while now < min(reach, _FAR) and waiting > 0:
        v = top[now]
        if v < 0:
            now += 1
            continue
        top[now] = after[v]
        if after[v] >= 0:
            before[after[v]] = _NONE
        if v < n:  # whoever is no further than now is done
            waiting -= left[v] > 0
            looked += np.int64(start[v + 1] - start[v])
            for k in range(start[v], start[v + 1]):
                if flow[k] > 0:
                    j = heads[k]
                    if distance[n + j] > now:
                        to = now + _steps((f[v] + g[j] - costs[k]) * unit)
                        if to < distance[n + j]:
                            _put(n + j, to, distance, top, after, before)
        else:
            j = v - n
            looked += np.int64(into[j + 1] - into[j])
            for q in range(into[j], into[j + 1]):
                w = tails_in[q]
                if distance[w] > now:
                    to = now + _steps((costs_in[q] - f[w] - g[j]) * unit)
                    if to < distance[w]:
                        _put(w, to, distance, top, after, before)
    for v in range(n + m):
        fall = eps * min(distance[v], now)
        if v < n:
            f[v] += fall
        else:
            g[v - n] -= fall
    return looked, waiting > 0 and reach < _FAR


@njit(cache=True, nogil=True)
def _steps(reduced):  # type: ignore[no-untyped-def]
    """By how many units of eps prices must fall for an arc of this reduced cost to become admissible."""
    return np.int64(0) if reduced < 0 else np.int64(min(reduced, float(_FAR))) + 1


@njit(cache=True, nogil=True)
def _put(v, to, distance, top, after, before):  # type: ignore[no-untyped-def]
    """Move v to the bucket ``to``."""
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
