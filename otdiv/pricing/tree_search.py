"""The additively weighted nearest neighbour, and the lowest arcs, by branch and bound on a tree.

For a query x, min over y of c(x, y) - g(y): nodes of the tree over y whose lower bound
(:mod:`otdiv.pricing.node_bounds`) is not below what is already found are skipped, so the
answer is that of looking at every pair.  Imports distances, node_bounds and numba.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from otdiv.pricing.distances import distance, distances
from otdiv.pricing.node_bounds import node_bound

_STACK = 128
_LARGEST_LEAF = 64


@njit(cache=True, nogil=True)
def search_minima(  # type: ignore[no-untyped-def]
    metric, x, first, end, y, columns, rows, affine, start, stop, leaves, g, hints, values, where
):
    """values[i] = min_j c(x_i, y_j) - g_j and where[i] its j, for first <= i < end; returns the pairs looked at.

    ``hints`` [n] are indices to begin with, good or bad.
    """
    nodes, bounds = np.empty(_STACK, np.int64), np.empty(_STACK)
    query, costs_here = np.empty(x.shape[1]), np.empty(_LARGEST_LEAF)
    looked = 0
    for i in range(first, end):
        query[:] = x[i]
        best_j = hints[i]
        best = distance(metric, query, y, best_j) - g[best_j]
        if i > first and where[i - 1] != best_j:  # the neighbour's answer may be a better start
            value = distance(metric, query, y, where[i - 1]) - g[where[i - 1]]
            if value < best:
                best, best_j = value, where[i - 1]
        nodes[0], bounds[0] = 0, -np.inf
        waiting = 1
        while waiting > 0:
            waiting -= 1
            if bounds[waiting] >= best:
                continue
            node = nodes[waiting]
            if node >= leaves:
                looked += stop[node] - start[node]
                distances(metric, query, columns, start[node], stop[node], costs_here)
                g_here = g[start[node] : stop[node]]
                for r in range(len(g_here)):
                    value = costs_here[r] - g_here[r]
                    if value < best:
                        best, best_j = value, start[node] + r
                continue
            left, right = 2 * node + 1, 2 * node + 2
            near = node_bound(metric, query, rows[left], affine)
            far = node_bound(metric, query, rows[right], affine)
            if near > far:
                near, far, left, right = far, near, right, left
            if far < best:
                nodes[waiting], bounds[waiting] = right, far
                waiting += 1
            if near < best:
                nodes[waiting], bounds[waiting] = left, near
                waiting += 1
        values[i], where[i] = best, best_j
    return looked


@njit(cache=True, nogil=True)
def search_lowest(  # type: ignore[no-untyped-def]
    metric, x, first, end, y, columns, rows, affine, start, stop, leaves, g, tops, counts, values, where, costs
):
    """For first <= i < end the arcs with c(x_i, y_j) - g_j < tops[i], at most k, the lowest.

    Returns the number of pairs looked at.
    counts [n] says how many; values, where, costs [n, k] hold them in ascending order.
    """
    k = values.shape[1]
    nodes, bounds = np.empty(_STACK, np.int64), np.empty(_STACK)
    query, costs_here = np.empty(x.shape[1]), np.empty(_LARGEST_LEAF)
    looked = 0
    for i in range(first, end):
        query[:] = x[i]
        found, top = 0, tops[i]
        nodes[0], bounds[0] = 0, -np.inf
        waiting = 1
        while waiting > 0:
            waiting -= 1
            if bounds[waiting] >= top:
                continue
            node = nodes[waiting]
            if node >= leaves:
                looked += stop[node] - start[node]
                distances(metric, query, columns, start[node], stop[node], costs_here)
                g_here = g[start[node] : stop[node]]
                for r in range(len(g_here)):
                    value = costs_here[r] - g_here[r]
                    if value < top:
                        found = insert(value, start[node] + r, costs_here[r], i, found, k, values, where, costs)
                        if found == k:
                            top = values[i, k - 1]
                continue
            left, right = 2 * node + 1, 2 * node + 2
            near = node_bound(metric, query, rows[left], affine)
            far = node_bound(metric, query, rows[right], affine)
            if near > far:
                near, far, left, right = far, near, right, left
            if far < top:
                nodes[waiting], bounds[waiting] = right, far
                waiting += 1
            if near < top:
                nodes[waiting], bounds[waiting] = left, near
                waiting += 1
        counts[i] = found
    return looked


@njit(cache=True, nogil=True)
def insert(value, j, cost, i, found, k, values, where, costs):  # type: ignore[no-untyped-def]
    """Put an arc into the ascending list of row i, at most k long; returns the list's length."""
    place = found if found < k else k - 1
    while place > 0 and values[i, place - 1] > value:
        values[i, place] = values[i, place - 1]
        where[i, place] = where[i, place - 1]
        costs[i, place] = costs[i, place - 1]
        place -= 1
    values[i, place], where[i, place], costs[i, place] = value, j, cost
    return min(found + 1, k)
