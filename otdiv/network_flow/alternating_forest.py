"""Free sources matched by a forest of alternating paths, each tree let go as soon as it is done.

From every free source a tree of alternating paths grows, all at the same pace in time t:
f rises by t at its sources and g falls by t at its targets, so that its arcs stay tight.
A target that no tree holds joins the one that reaches it first, with the source it is
matched to; a free one ends that tree.  Mass then moves along the path to the root, and
the tree is let go: its potentials stay as they are and its nodes are there for others
(Mehlhorn and Schafer, Journal of Experimental Algorithmics 7, 2002, measure searches from
all free nodes at once; Kolmogorov, Mathematical Programming Computation 1, 2009, trees that
outlive an augmentation).  Searching anew for those that are left would look at all nodes
each time.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from otdiv.core.validation import Array
from otdiv.network_flow.assignment_auction import FREE

_UNSEEN, _HELD = -1, -2


class Incoming(NamedTuple):
    """Arcs by target: sources[start[j]] ... sources[start[j + 1] - 1]."""

    start: Array
    sources: Array


class Forest(NamedTuple):
    """Scratch of :func:`grow`.

    Of a target: when a tree reaches it first, by which source and arc, and its place among those that wait for
    it.  Of a source: its root, when it joined, the next one in its tree; of a root the last one.  ``freed`` are the
    targets of a tree that was let go.
    """

    time: Array
    via: Array
    arc: Array
    place: Array
    heap: Array
    root: Array
    since: Array
    after: Array
    last: Array
    freed: Array


def forest_space(n: int) -> Forest:
    """Scratch for n sources and as many targets."""
    short = np.int32
    targets = np.empty(n), np.empty(n, short), np.empty(n, np.int64), np.full(n, _UNSEEN, short), np.empty(n, short)
    return Forest(*targets, np.full(n, FREE, short), np.empty(n), *(np.empty(n, short) for _ in range(3)))


@njit(cache=True, nogil=True)
def incoming(graph, m):  # type: ignore[no-untyped-def]
    """The arcs by target."""
    start, heads, _ = graph
    into = np.zeros(m + 1, np.uint32)
    for k in range(len(heads)):
        into[heads[k] + 1] += 1
    for j in range(m):
        into[j + 1] += into[j]
    place = into[:-1].copy()
    sources = np.empty(len(heads), np.uint32)
    for i in range(len(start) - 1):
        for k in range(start[i], start[i + 1]):
            sources[place[heads[k]]] = i
            place[heads[k]] += 1
    return into, sources


@njit(cache=True, nogil=True)
def grow_each(graph, arcs_in, matching, forest, first, end, most):  # type: ignore[no-untyped-def]
    """A tree from each free source first ... end - 1 alone, given up when ``most`` sources have joined it."""
    roots = np.empty(1, np.int32)
    for i in range(first, end):
        if matching.target[i] < 0:
            roots[0] = i
            grow(graph, arcs_in, matching, forest, roots, most, 0.0)


@njit(cache=True, nogil=True)
def grow(graph, arcs_in, matching, forest, roots, most, beyond):  # type: ignore[no-untyped-def]
    """Match free sources, until all are matched, ``most`` sources have joined a tree, or no tree can grow any more.

    Trees that can grow no more grow by ``beyond`` into the void, so that pricing finds arcs that lead out of them.
    With ``most`` above the number of sources some root is matched, unless none can be.

    Returns
    -------
    int
        How many of the roots were matched.
    """
    start, heads, costs = graph
    f, g, target, cost, source = matching
    time, via, arc, place, heap, root, since, after, last, freed = forest
    size = joined = begun = matched = 0
    now = 0.0
    for r in roots:
        root[r], since[r], after[r], last[r] = r, 0.0, FREE, r
    while matched < len(roots) and joined < most:
        if begun < len(roots):
            i = roots[begun]
            begun += 1
        else:
            if size == 0:
                break
            j = heap[0]
            i = via[j]
            # its tree may be gone, or gone and the source in another one since: who else will be the first?
            gone = root[i] < 0 or since[i] - f[i] + costs[arc[j]] - g[j] > time[j]
            if gone and _first_to_reach(j, graph, arcs_in, matching, forest):
                time[j] = max(time[j], now)
                sink(heap, time, place, size, j, 0)
                continue
            size -= 1
            if size > 0:
                sink(heap, time, place, size, heap[size], 0)
            place[j] = _UNSEEN
            if gone:
                continue
            now = max(now, time[j])
            tree, i = root[via[j]], source[j]
            if i < 0:
                count = _let_go(tree, now, matching, forest)
                freed[count] = j
                _match_along(j, target, source, cost, costs, via, arc)
                matched += 1
                for q in range(count + 1 if matched < len(roots) else 0):
                    j = freed[q]
                    if _first_to_reach(j, graph, arcs_in, matching, forest):
                        time[j] = max(time[j], now)
                        rise(heap, time, place, j, size)
                        size += 1
                continue
            time[j], place[j] = now, _HELD
            root[i], since[i], after[i] = tree, now, FREE
            after[last[tree]] = i
            last[tree] = i
            joined += 1
        offset = since[i] - f[i]
        for k in range(start[i], start[i + 1]):
            j = heads[k]
            p = place[j]
            if p == _HELD:
                continue
            value = offset + costs[k] - g[j]
            if p == _UNSEEN:
                p = size
                size += 1
            elif value >= time[j]:
                continue
            time[j], via[j], arc[j] = value, i, k
            rise(heap, time, place, j, p)
    if size == 0 and matched < len(roots):
        now += beyond
    for q in range(size):
        place[heap[q]] = _UNSEEN
    for r in roots:
        if root[r] == r:
            _let_go(r, now, matching, forest)
    return matched


@njit(cache=True, nogil=True)
def _let_go(tree, now, matching, forest):  # type: ignore[no-untyped-def]
    """Bring the potentials of a tree up to now and take its nodes out; its targets are now in ``freed``."""
    f, g, target, _, _ = matching
    time, _, _, place, _, root, since, after, _, freed = forest
    count = 0
    v = tree
    while v >= 0:
        f[v] += now - since[v]
        root[v] = FREE
        if v != tree:
            j = target[v]
            g[j] -= now - time[j]
            place[j] = _UNSEEN
            freed[count] = j
            count += 1
        v = after[v]
    return count


@njit(cache=True, nogil=True)
def _first_to_reach(j, graph, arcs_in, matching, forest):  # type: ignore[no-untyped-def]
    """Set when, by which source and by which arc a tree reaches target j first; False if none does."""
    start, heads, costs = graph
    f, g = matching.f, matching.g
    time, via, arc, root, since = forest.time, forest.via, forest.arc, forest.root, forest.since
    time[j] = np.inf
    for q in range(arcs_in.start[j], arcs_in.start[j + 1]):
        i = arcs_in.sources[q]
        if root[i] >= 0:
            k = start[i] + np.searchsorted(heads[start[i] : start[i + 1]], j)
            value = since[i] - f[i] + costs[k] - g[j]
            if value < time[j]:
                time[j], via[j], arc[j] = value, i, k
    return time[j] < np.inf


@njit(cache=True, nogil=True)
def _match_along(j, target, source, cost, costs, via, arc):  # type: ignore[no-untyped-def]
    """Every source on the path from the free target j to the root passes to the target towards j."""
    while j >= 0:
        i = via[j]
        before = target[i]
        target[i], source[j], cost[i] = j, i, costs[arc[j]]
        j = before


@njit(cache=True, nogil=True)
def rise(heap, key, place, v, k):  # type: ignore[no-untyped-def]
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
def sink(heap, key, place, size, v, k):  # type: ignore[no-untyped-def]
    """Put v into a heap at k or below."""
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
