"""Unassigned sources are assigned through augmenting paths, found by growing a forest of alternating trees.

A tree of alternating paths grows from every unassigned source, all at the same pace in a time t: f rises
by t at its sources and g falls by t at its targets, so that its arcs stay tight.  A target outside all trees
joins the tree that reaches it first, together with the source it is assigned to; an unassigned target
completes an augmenting path.  Once enough trees have one, the potentials of all are brought up to that time, the
assignment is changed along one path in each of these trees, and the forest is dissolved.

So a forest is one run of Dijkstra's algorithm from many nodes (Mehlhorn and Schafer, Journal of Experimental
Algorithmics 7, 2002).  Trees that outlive an augmentation (Kolmogorov, Mathematical Programming Computation 1, 2009)
need no second run, but with few of them left each path frees a large part of the graph, which the others take over: of
120 000 points in ten dimensions, 600 of them unassigned, that takes three times as long.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.core.validation import Array
from otdiv.network_flow.assignment_auction import UNASSIGNED
from otdiv.network_flow.graph import prefetch_arcs
from otdiv.network_flow.heap import sift_down, sift_up

COMPLETE_SHARE = 0.4
"""Share of the trees that have a path when the forest is dissolved.

Larger: fewer forests; each grows on where most of the paths it finds are second ones of their trees.
"""
_NOT_WAITING, _IN_TREE = -1, -np.inf
"""The ``place`` of a target that waits in no heap, and the time of one that takes no more offers."""
_TIME, _PRICE = 0, 1
"""Columns of ``reach``."""


class Forest(NamedTuple):
    """Scratch arrays of :func:`augment`.

    Attributes
    ----------
    reach : ndarray [m, 2]
        When a tree reaches the target first, inf for never; and g.  Side by side, since each arc reads both.
    via : ndarray of int32 [m]
    cost : ndarray [m]
        From which source, and the cost of the arc.
    heap, place : ndarray of int32 [m]
    key : ndarray [m]
        The targets that wait to be reached, each one's position, and their times by position.
    root : ndarray of int32 [n]
        Of a source's tree.
    since, joined : ndarray [n], [m]
        When a source, and a target, joined.
    sources, targets : ndarray of int32 [n], [m]
        Those in trees.
    end : ndarray of int32 [n]
        The unassigned target in the tree of a root; -1 for none.
    """

    reach: Array
    via: Array
    cost: Array
    heap: Array
    place: Array
    key: Array
    root: Array
    since: Array
    joined: Array
    sources: Array
    targets: Array
    end: Array


def allocate_forest(n: int) -> Forest:
    """Scratch arrays for n sources and as many targets."""

    def numbers() -> Array:
        return np.empty(n, np.int32)

    def times() -> Array:
        return np.empty(n)

    return Forest(
        reach=np.full((n, 2), np.inf),
        via=numbers(),
        cost=times(),
        heap=numbers(),
        place=np.full(n, _NOT_WAITING, np.int32),
        key=times(),
        root=numbers(),
        since=times(),
        joined=times(),
        sources=numbers(),
        targets=numbers(),
        end=numbers(),
    )


@kernel()
def augment_one_by_one(graph, assignment, forest, first, end, most):
    """Grow a tree from each unassigned source first ... end - 1 by itself; given up at ``most`` sources in it."""
    _load(assignment.g, forest)
    roots = np.empty(1, np.int32)
    for i in range(first, end):
        if assignment.target[i] < 0:
            roots[0] = i
            _grow(graph, assignment, forest, roots, most, 0.0)
    _store(assignment.g, forest)


@kernel()
def augment(graph, assignment, forest, roots, overshoot):
    """Grow one forest from the roots, all unassigned sources; returns how many of them are assigned.

    At least one is, unless no tree can grow to an unassigned target.  Then the potentials of the trees move on by
    ``overshoot``, so that arcs that lead out of them violate f + g <= c and are found by pricing.
    """
    _load(assignment.g, forest)
    complete = _grow(graph, assignment, forest, roots, len(assignment.f) + 1, overshoot)
    _store(assignment.g, forest)
    return complete


@kernel()
def _load(g, forest):
    for j in range(len(g)):
        forest.reach[j, _PRICE] = g[j]


@kernel()
def _store(g, forest):
    for j in range(len(g)):
        g[j] = forest.reach[j, _PRICE]


@kernel()
def _grow(graph, assignment, forest, roots, most, overshoot):
    """As :func:`augment`, with g in ``forest.reach``; given up where ``most`` sources are in its trees."""
    start, heads, costs = graph
    f, _, _, _, source = assignment
    reach, via, cost, heap, place, key, root, since, joined, sources, targets, end = forest
    wanted = max(1, int(COMPLETE_SHARE * len(roots)))
    waiting = joined_sources = joined_targets = complete = 0  # complete: trees with a path
    now = 0.0
    while complete < wanted and joined_sources < most:
        if joined_sources < len(roots):
            i = roots[joined_sources]
            root[i], since[i], end[i] = i, 0.0, UNASSIGNED
        else:
            if waiting == 0:
                break
            j = heap[0]
            now = max(now, key[0])
            waiting -= 1
            if waiting > 0:
                sift_down(heap, key, place, waiting, heap[waiting], key[waiting], 0)
                if source[heap[0]] >= 0:  # the source that is most likely next
                    prefetch_arcs(graph, source[heap[0]])
            place[j], reach[j, _TIME], joined[j] = _NOT_WAITING, _IN_TREE, now
            targets[joined_targets] = j
            joined_targets += 1
            tree, i = root[via[j]], source[j]
            if i < 0:
                if end[tree] < 0:
                    end[tree] = j
                    complete += 1
                continue
            root[i], since[i] = tree, now
        sources[joined_sources] = i
        joined_sources += 1
        offset = since[i] - f[i]
        for k in range(start[i], start[i + 1]):
            j = heads[k]
            time = offset + costs[k] - reach[j, _PRICE]
            if time < reach[j, _TIME]:
                reach[j, _TIME], via[j], cost[j] = time, i, costs[k]
                p = place[j]
                if p < 0:
                    p = waiting
                    waiting += 1
                sift_up(heap, key, place, j, time, p)
    if waiting == 0 and complete == 0:
        now += overshoot
    _dissolve(now, waiting, joined_sources, joined_targets, f, forest)
    for i in roots:
        _assign_along_path(end[i], assignment, via, cost)
    return complete


@kernel()
def _dissolve(now, waiting, joined_sources, joined_targets, f, forest):
    """Bring the potentials of all trees up to now, and take their nodes and those that wait out."""
    for k in range(waiting):
        j = forest.heap[k]
        forest.place[j], forest.reach[j, _TIME] = _NOT_WAITING, np.inf
    for k in range(joined_sources):
        i = forest.sources[k]
        f[i] += now - forest.since[i]
    for k in range(joined_targets):
        j = forest.targets[k]
        forest.reach[j, _PRICE] -= now - forest.joined[j]
        forest.reach[j, _TIME] = np.inf


@kernel()
def _assign_along_path(j, assignment, via, cost):
    """Every source on the path from the unassigned target j to the root is assigned to the target towards j."""
    while j >= 0:
        i = via[j]
        before = assignment.target[i]
        assignment.target[i], assignment.source[j], assignment.cost[i] = j, i, cost[j]
        j = before
