"""Matching equal masses one to one on a sparse set of arcs: by auction, then by shortest augmenting paths.

All masses equal, a plan is a matching.  It keeps with potentials f, g on the arcs of a
:class:`Graph` the two conditions

    f_i + g_j <= c_ij on every arc,      c_ij <= f_i + g_j + eps on every matched one,

and is optimal on these arcs when nobody is free and eps = 0.

- :func:`bid`.  A free source takes its best target from whoever has it and lowers g there
  until the target is only eps better than the second best (Bertsekas, Annals of Operations
  Research 14, 1988).  Cheap and local, but the last few sources fight long price wars.
- :func:`augment`.  Those are matched by searches for the nearest free target in reduced
  costs, from many free sources at once; each source's tree of alternating paths grows until
  it holds one (Jonker and Volgenant, Computing 38, 1987, from one source at a time).

Only g falls and only f rises, each by what keeps both conditions.  Imports numba and errors.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from otdiv.errors import Array

FREE = -1
_UNSEEN, _DONE = -1, -2


class Graph(NamedTuple):
    """Arcs by source: those of source i are start[i] ... start[i + 1] - 1; each has a target and a cost."""

    start: Array
    heads: Array
    costs: Array


class Matching(NamedTuple):
    """Potentials f [n] and g [m], the target of each source with its cost, and the source of each target."""

    f: Array
    g: Array
    target: Array
    cost: Array
    source: Array


class Search(NamedTuple):
    """Scratch of :func:`augment`: distances and arcs by which targets were reached, a heap of those waiting."""

    distance: Array
    arc: Array
    via: Array
    place: Array
    heap: Array
    touched: Array
    since: Array
    root: Array
    reached: Array


def graph_of(n: int, tails: Array, heads: Array, costs: Array) -> Graph:
    """The graph of arcs that are sorted by their source."""
    start = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(tails, minlength=n), out=start[1:])
    return Graph(start, heads, costs)


def unmatched(f: Array, g: Array) -> Matching:
    """Nobody matched yet."""
    n, m = len(f), len(g)
    return Matching(f.copy(), g.copy(), np.full(n, FREE, np.int32), np.zeros(n), np.full(m, FREE, np.int32))


def search_space(n: int, m: int) -> Search:
    """Scratch for n sources and m targets."""
    short = np.int32
    targets = np.empty(m), np.empty(m, np.int64), np.empty(m, short), np.full(m, _UNSEEN, short)
    waiting = np.empty(m, short), np.empty(m, short)
    return Search(*targets, *waiting, np.empty(n), np.full(n, FREE, short), np.empty(n, short))


@njit(cache=True, nogil=True)
def release(graph, matching, eps):  # type: ignore[no-untyped-def]
    """Set f_i = min c - g over the arcs of i; matched arcs above that by more than eps are given up.

    Returns the mean amount by which the second best arc is above the best.
    """
    start, heads, costs = graph
    f, g, target, cost, source = matching
    n = len(f)
    gaps = 0.0
    for i in range(n):
        best = second = np.inf
        for k in range(start[i], start[i + 1]):
            value = costs[k] - g[heads[k]]
            if value < best:
                best, second = value, best
            elif value < second:
                second = value
        f[i] = best
        if second < np.inf:
            gaps += (second - best) / n
        j = target[i]
        if j >= 0 and cost[i] - g[j] > best + eps:
            target[i], source[j] = FREE, FREE
    return gaps


@njit(cache=True, nogil=True)
def bid(graph, matching, eps, few, most):  # type: ignore[no-untyped-def]
    """Free sources bid in turn until at most ``few`` are free or ``most`` bids were made; returns the bids.

    f is left behind; :func:`release` brings it up.
    """
    start, heads, costs = graph
    f, g, target, cost, source = matching
    n = len(f)
    now, later = np.empty(n, np.int32), np.empty(n, np.int32)
    free = 0
    for i in range(n):
        if target[i] < 0 and start[i] < start[i + 1]:
            now[free] = i
            free += 1
    bids = 0
    while free > few and bids < most:
        outbid = 0
        for q in range(free):
            i = now[q]
            best = second = np.inf
            at = start[i]
            for k in range(start[i], start[i + 1]):
                value = costs[k] - g[heads[k]]
                if value < best:
                    best, second, at = value, best, k
                elif value < second:
                    second = value
            j = heads[at]
            g[j] -= eps + (second - best if second < np.inf else 0.0)
            before = source[j]
            if before >= 0:
                target[before] = FREE
                later[outbid] = before
                outbid += 1
            source[j], target[i], cost[i] = i, j, costs[at]
        bids += free
        now, later = later, now
        free = outbid
    return bids


@njit(cache=True, nogil=True)
def augment_each(graph, matching, search, most):  # type: ignore[no-untyped-def]
    """One search from each free source, that gives up when it has reached ``most`` sources."""
    roots = np.empty(1, np.int32)
    for i in range(len(matching.target)):
        if matching.target[i] < 0:
            roots[0] = i
            augment(graph, matching, search, roots, most, 0.0)


@njit(cache=True, nogil=True)
def augment(graph, matching, search, roots, most, beyond):  # type: ignore[no-untyped-def]
    """Grow alternating trees from free sources, all at the same pace, and match each that meets a free target.

    Ends when every tree has met one, when ``most`` sources are in trees, or when no tree can grow any more;
    then the trees grow by ``beyond`` into the void, so that pricing finds arcs that lead out of them.

    Returns
    -------
    int
        How many of the roots were matched.
    """
    start, heads, costs = graph
    f, g, target, cost, source = matching
    distance, arc, via, place, heap, touched, since, root, reached = search
    seen = sources = expanded = size = matched = 0
    depth = 0.0
    for i in roots:
        root[i], since[i] = i, 0.0
        reached[sources] = i
        sources += 1
    while True:
        while expanded < sources:
            i = reached[expanded]
            expanded += 1
            offset = since[i] - f[i]
            for k in range(start[i], start[i + 1]):
                j = heads[k]
                p = place[j]
                if p == _DONE:
                    continue
                value = offset + costs[k] - g[j]
                if p == _UNSEEN:
                    touched[seen] = j
                    seen += 1
                    p = size
                    size += 1
                elif value >= distance[j]:
                    continue
                distance[j], via[j], arc[j] = value, i, k
                _rise(heap, distance, place, j, p)
        if size == 0:
            depth += beyond
            break
        if sources >= most:
            break
        j = heap[0]
        size -= 1
        if size > 0:
            _sink(heap, distance, place, size, heap[size])
        place[j] = _DONE
        depth = max(depth, distance[j])
        distance[j] = depth
        i = source[j]
        if i >= 0:
            root[i], since[i] = root[via[j]], depth
            reached[sources] = i
            sources += 1
        elif target[root[via[j]]] < 0:
            _match_along(j, target, source, cost, costs, via, arc)
            matched += 1
            if matched == len(roots):
                break
    for q in range(sources):
        i = reached[q]
        f[i] += depth - since[i]
        root[i] = FREE
    for q in range(seen):
        j = touched[q]
        if place[j] == _DONE:
            g[j] -= depth - distance[j]
        place[j] = _UNSEEN
    return matched


@njit(cache=True, nogil=True)
def _match_along(j, target, source, cost, costs, via, arc):  # type: ignore[no-untyped-def]
    """Every source on the path from the free target j to the root passes to the target towards j."""
    while j >= 0:
        i = via[j]
        before = target[i]
        target[i], source[j], cost[i] = j, i, costs[arc[j]]
        j = before


@njit(cache=True, nogil=True)
def _rise(heap, key, place, v, k):  # type: ignore[no-untyped-def]
    """Put v into a heap, smallest key first, at k or above."""
    while k > 0:
        above = (k - 1) >> 1
        w = heap[above]
        if key[w] <= key[v]:
            break
        heap[k], place[w] = w, k
        k = above
    heap[k], place[v] = v, k


@njit(cache=True, nogil=True)
def _sink(heap, key, place, size, v):  # type: ignore[no-untyped-def]
    """Put v into a heap whose top was taken."""
    k = 0
    while True:
        below = 2 * k + 1
        if below >= size:
            break
        if below + 1 < size and key[heap[below + 1]] < key[heap[below]]:
            below += 1
        w = heap[below]
        if key[w] >= key[v]:
            break
        heap[k], place[w] = w, k
        k = below
    heap[k], place[v] = v, k
