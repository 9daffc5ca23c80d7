"""Matching equal masses one to one on a sparse set of arcs: the state, its arcs, and bids.

All masses equal, a plan is a matching.  It keeps with potentials f, g on the arcs of a
:class:`Graph` the two conditions

    f_i + g_j <= c_ij on every arc,      c_ij <= f_i + g_j + eps on every matched one,

and is optimal on these arcs when nobody is free and eps = 0.

A free source bids: it takes its best target from whoever has it and lowers g there until
the target is only eps better than the second best (Bertsekas, Annals of Operations
Research 14, 1988).  Cheap and local, but the last few sources fight long price wars;
those are left to a search (:mod:`otdiv.network_flow.alternating_forest`).

Only g falls and only f rises, each by what keeps both conditions.  Indices are unsigned where
many are looked at: of signed ones numba asks each time whether they count from the end.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from otdiv.core.validation import Array

FREE = -1


class Graph(NamedTuple):
    """Arcs by source: those of source i are start[i] ... start[i + 1] - 1, by ascending target, with their costs.

    ``start`` and ``heads`` are of uint32.
    """

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


def graph_of(n: int, tails: Array, heads: Array, costs: Array) -> Graph:
    """The graph of arcs that are sorted by their source, in arrays of its own, as they may have to grow."""
    start = np.zeros(n + 1, np.uint32)
    np.cumsum(np.bincount(tails, minlength=n), out=start[1:])
    return Graph(start, heads.astype(np.uint32), costs.copy())


def with_arcs(graph: Graph, tails: Array, heads: Array, costs: Array) -> Graph:
    """The graph with more arcs, given by ascending source; those that it has already are left out.

    The old graph is used up: its arrays grow in place, as two of them would not fit beside one another.
    """
    new = _missing(graph.start, graph.heads, tails, heads)
    tails, heads, costs = tails[new], heads[new], costs[new]
    for column in (graph.heads, graph.costs):
        column.resize(len(column) + len(tails), refcheck=False)
    _insert(*graph, tails, heads, costs)
    return graph


@njit(cache=True, nogil=True)
def _missing(start, heads, tails, more_heads):  # type: ignore[no-untyped-def]
    new = np.empty(len(tails), np.bool_)
    for k in range(len(tails)):
        first, end = start[tails[k]], start[tails[k] + 1]
        at = first + np.searchsorted(heads[first:end], more_heads[k])
        new[k] = at == end or heads[at] != more_heads[k]
    return new


@njit(cache=True, nogil=True)
def _insert(start, heads, costs, tails, more_heads, more_costs):  # type: ignore[no-untyped-def]
    """Move the arcs up, the last first, and put the new ones between them."""
    more, to = len(tails), len(heads)
    for i in range(len(start) - 2, -1, -1):
        first = start[i]
        k = start[i + 1]
        start[i + 1] = to
        end = to
        while k > first:
            k -= 1
            to -= 1
            heads[to], costs[to] = heads[k], costs[k]
        while more > 0 and tails[more - 1] == i:
            more -= 1
            to -= 1
            p = to
            while p + 1 < end and heads[p + 1] < more_heads[more]:
                heads[p], costs[p] = heads[p + 1], costs[p + 1]
                p += 1
            heads[p], costs[p] = more_heads[more], more_costs[more]


def unmatched(f: Array, g: Array) -> Matching:
    """Nobody matched yet."""
    n, m = len(f), len(g)
    return Matching(f.copy(), g.copy(), np.full(n, FREE, np.int32), np.zeros(n), np.full(m, FREE, np.int32))


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
            second = min(second, max(value, best))
            best = min(value, best)
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
                second = min(second, max(value, best))
                if value < best:
                    best, at = value, k
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
