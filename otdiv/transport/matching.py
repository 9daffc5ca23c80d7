"""Matching equal masses one to one on a sparse set of arcs: the state, its arcs, and bids.

All masses equal, a plan is a matching.  It keeps with potentials f, g on the arcs of a
:class:`Graph` the two conditions

    f_i + g_j <= c_ij on every arc,      c_ij <= f_i + g_j + eps on every matched one,

and is optimal on these arcs when nobody is free and eps = 0.

A free source bids: it takes its best target from whoever has it and lowers g there until
the target is only eps better than the second best (Bertsekas, Annals of Operations
Research 14, 1988).  Cheap and local, but the last few sources fight long price wars;
those are left to a search (:mod:`otdiv.transport.forest`).

Only g falls and only f rises, each by what keeps both conditions.  Imports numba and errors.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from otdiv.errors import Array

FREE = -1


class Graph(NamedTuple):
    """Arcs by source: those of source i are start[i] ... start[i + 1] - 1, by ascending target, with their costs."""

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
    """The graph of arcs that are sorted by their source."""
    start = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(tails, minlength=n), out=start[1:])
    return Graph(start, heads, costs)


def with_arcs(graph: Graph, tails: Array, heads: Array, costs: Array) -> Graph:
    """The graph with more arcs, given by ascending source; those that it has already are left out."""
    new = _missing(*graph[:2], tails, heads)
    return Graph(*_joined(*graph, tails[new], heads[new], costs[new]))


@njit(cache=True, nogil=True)
def _missing(start, heads, tails, more_heads):  # type: ignore[no-untyped-def]
    new = np.empty(len(tails), np.bool_)
    for k in range(len(tails)):
        first, end = start[tails[k]], start[tails[k] + 1]
        at = first + np.searchsorted(heads[first:end], more_heads[k])
        new[k] = at == end or heads[at] != more_heads[k]
    return new


@njit(cache=True, nogil=True)
def _joined(start, heads, costs, tails, more_heads, more_costs):  # type: ignore[no-untyped-def]
    n = len(start) - 1
    new_start = np.empty(n + 1, np.int64)
    new_heads, new_costs = np.empty(len(heads) + len(tails), np.int32), np.empty(len(heads) + len(tails))
    size = more = 0
    for i in range(n):
        new_start[i] = first = size
        for k in range(start[i], start[i + 1]):
            new_heads[size], new_costs[size] = heads[k], costs[k]
            size += 1
        while more < len(tails) and tails[more] == i:
            p = size
            while p > first and new_heads[p - 1] > more_heads[more]:
                new_heads[p], new_costs[p] = new_heads[p - 1], new_costs[p - 1]
                p -= 1
            new_heads[p], new_costs[p] = more_heads[more], more_costs[more]
            size += 1
            more += 1
    new_start[n] = size
    return new_start, new_heads, new_costs


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
