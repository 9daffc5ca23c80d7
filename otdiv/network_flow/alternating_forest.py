"""Unassigned sources are assigned through augmenting paths, found by growing a forest of alternating trees.

A tree of alternating paths grows from every unassigned source, all at the same pace in a time t: f rises
by t at its sources and g falls by t at its targets, so that its arcs stay tight.  A target outside all trees
joins the tree that reaches it first, together with the source it is assigned to; an unassigned target
completes an augmenting path.  The assignment is then changed along the path to the root, and this tree alone
is dissolved: its potentials stay as they are, and its nodes may join other trees (Mehlhorn and Schafer,
Journal of Experimental Algorithmics 7, 2002, measure searches from all unassigned nodes at once; Kolmogorov,
Mathematical Programming Computation 1, 2009, trees that outlive an augmentation).  Starting a new search for
the sources that are left would visit all nodes each time.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.core.validation import Array
from otdiv.network_flow.assignment_auction import UNASSIGNED
from otdiv.network_flow.heap import sift_down, sift_up

_UNSEEN, _IN_TREE = -1, -2
"""Values of ``place``: the target waits in no heap, or belongs to a tree."""


class Forest(NamedTuple):
    """Scratch arrays of :func:`augment`.

    Attributes
    ----------
    time, via, arc : ndarray [m]
        When a tree reaches the target first, from which source and by which arc.
    place : ndarray of int32 [m]
        Its position in the heap of targets that wait to be reached.
    heap : ndarray of int32 [m]
    root, since, after : ndarray [n]
        The root of a source's tree, when it joined, and the next source of its tree; -1 for none.
    last : ndarray of int32 [n]
        The last source of the tree of a root.
    freed : ndarray of int32 [n]
        The targets of the tree that was dissolved last.
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


def allocate_forest(n: int) -> Forest:
    """Scratch arrays for n sources and as many targets."""
    short = np.int32
    targets = np.empty(n), np.empty(n, short), np.empty(n, np.int64), np.full(n, _UNSEEN, short), np.empty(n, short)
    return Forest(*targets, np.full(n, UNASSIGNED, short), np.empty(n), *(np.empty(n, short) for _ in range(3)))


@kernel()
def augment_one_by_one(graph, columns, assignment, forest, first, end, most):
    """Grow a tree from each unassigned source first ... end - 1 by itself; given up at ``most`` sources in it."""
    roots = np.empty(1, np.int32)
    for i in range(first, end):
        if assignment.target[i] < 0:
            roots[0] = i
            augment(graph, columns, assignment, forest, roots, most, 0.0)


@kernel()
def augment(graph, columns, assignment, forest, roots, most, overshoot):
    """Assign the roots, until all are assigned, ``most`` sources have joined a tree, or no tree can grow further.

    In the last case the potentials of the trees move on by ``overshoot``, so that arcs that lead out of the
    trees violate f + g <= c and are found by pricing.  With ``most`` above the number of sources some root is
    assigned, unless none can be.

    Returns
    -------
    int
        How many of the roots were assigned.
    """
    start, heads, costs = graph
    f, g, target, cost, source = assignment
    time, via, arc, place, heap, root, since, after, last, freed = forest
    size = joined = begun = assigned = 0
    now = 0.0
    for r in roots:
        root[r], since[r], after[r], last[r] = r, 0.0, UNASSIGNED, r
    while assigned < len(roots) and joined < most:
        if begun < len(roots):
            i = roots[begun]
            begun += 1
        else:
            if size == 0:
                break
            j = heap[0]
            i = via[j]
            # the tree of i may be dissolved, or i may have joined another one since: then j is reached from elsewhere
            outdated = root[i] < 0 or since[i] - f[i] + costs[arc[j]] - g[j] > time[j]
            if outdated and _find_first_reach(j, graph, columns, assignment, forest):
                time[j] = max(time[j], now)
                sift_down(heap, time, place, size, j, 0)
                continue
            size -= 1
            if size > 0:
                sift_down(heap, time, place, size, heap[size], 0)
            place[j] = _UNSEEN
            if outdated:
                continue
            now = max(now, time[j])
            tree, i = root[via[j]], source[j]
            if i < 0:
                count = _dissolve(tree, now, assignment, forest)
                freed[count] = j
                _assign_along_path(j, target, source, cost, costs, via, arc)
                assigned += 1
                for q in range(count + 1 if assigned < len(roots) else 0):
                    j = freed[q]
                    if _find_first_reach(j, graph, columns, assignment, forest):
                        time[j] = max(time[j], now)
                        sift_up(heap, time, place, j, size)
                        size += 1
                continue
            time[j], place[j] = now, _IN_TREE
            root[i], since[i], after[i] = tree, now, UNASSIGNED
            after[last[tree]] = i
            last[tree] = i
            joined += 1
        offset = since[i] - f[i]
        for k in range(start[i], start[i + 1]):
            j = heads[k]
            p = place[j]
            if p == _IN_TREE:
                continue
            value = offset + costs[k] - g[j]
            if p == _UNSEEN:
                p = size
                size += 1
            elif value >= time[j]:
                continue
            time[j], via[j], arc[j] = value, i, k
            sift_up(heap, time, place, j, p)
    if size == 0 and assigned < len(roots):
        now += overshoot
    for q in range(size):
        place[heap[q]] = _UNSEEN
    for r in roots:
        if root[r] == r:
            _dissolve(r, now, assignment, forest)
    return assigned


@kernel()
def _dissolve(tree, now, assignment, forest):
    """Bring the potentials of a tree up to now and take its nodes out; its targets are then in ``freed``."""
    f, g, target, _, _ = assignment
    time, _, _, place, _, root, since, after, _, freed = forest
    count = 0
    v = tree
    while v >= 0:
        f[v] += now - since[v]
        root[v] = UNASSIGNED
        if v != tree:
            j = target[v]
            g[j] -= now - time[j]
            place[j] = _UNSEEN
            freed[count] = j
            count += 1
        v = after[v]
    return count


@kernel()
def _find_first_reach(j, graph, columns, assignment, forest):
    """Set when, from which source and by which arc a tree reaches target j first; False if none does."""
    start, heads, costs = graph
    f, g = assignment.f, assignment.g
    time, via, arc, root, since = forest.time, forest.via, forest.arc, forest.root, forest.since
    time[j] = np.inf
    for q in range(columns.start[j], columns.start[j + 1]):
        i = columns.ends[q]
        if root[i] >= 0:
            k = start[i] + np.searchsorted(heads[start[i] : start[i + 1]], j)
            value = since[i] - f[i] + costs[k] - g[j]
            if value < time[j]:
                time[j], via[j], arc[j] = value, i, k
    return time[j] < np.inf


@kernel()
def _assign_along_path(j, target, source, cost, costs, via, arc):
    """Every source on the path from the unassigned target j to the root is assigned to the target towards j."""
    while j >= 0:
        i = via[j]
        before = target[i]
        target[i], source[j], cost[i] = j, i, costs[arc[j]]
        j = before
