"""The additively weighted nearest neighbour, and the lowest arcs, by branch and bound on a tree.

For a query x, min over y of c(x, y) - g(y): nodes of the tree over y whose lower bound
(:mod:`otdiv.pricing.node_bounds`) is not below what is already found are skipped, so the
answer is that of evaluating every pair.  Queries that follow one another lie near one
another, so they go down the tree in groups: a node is opened when one of the group needs
it, its bounds are computed for all of them at a time, and its points only for those that
need them.
"""

from __future__ import annotations

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.pricing.compiled_distances import count_below, distance, distances
from otdiv.pricing.node_bounds import GROUP, node_bounds

_STACK = 128
_LARGEST_LEAF = 64


@kernel()
def search_minima(metric, x, first, end, y, columns, rows, affine, start, stop, leaves, g, hints, values, where):
    """values[i] = min_j c(x_i, y_j) - g_j and where[i] its j, for first <= i < end; returns the pairs evaluated.

    ``hints`` [n] are indices to begin with, good or bad.
    """
    d = x.shape[1]
    nodes, bounds = np.empty(_STACK, np.int64), np.empty((_STACK, GROUP))
    near, far, scratch = np.empty(GROUP), np.empty(GROUP), np.empty((d + 1, GROUP))
    query, queries, costs_here = np.empty(d), np.empty((d, GROUP)), np.empty(_LARGEST_LEAF)
    counts_here = np.empty(GROUP, np.int64)
    evaluated = 0
    for top in range(first, end, GROUP):
        size = _fill(x, top, end, queries)
        for i in range(top, top + size):
            query[:] = x[i]
            where[i] = hints[i]
            values[i] = distance(metric, query, y, where[i]) - g[where[i]]
            if i > first and where[i - 1] != where[i]:  # the neighbour's answer may be a better start
                value = distance(metric, query, y, where[i - 1]) - g[where[i - 1]]
                if value < values[i]:
                    values[i], where[i] = value, where[i - 1]
        best = values[top : top + size]
        nodes[0], bounds[0] = 0, -np.inf
        pending = 1
        while pending > 0:
            pending -= 1
            if not _may_hold(bounds[pending], best):
                continue
            node = nodes[pending]
            if node >= leaves:
                g_here = g[start[node] : stop[node]]
                evaluated += len(g_here) * count_below(
                    metric, queries, columns, start[node], stop[node], g_here, bounds[pending], best, counts_here
                )
                for lane in range(size):
                    if counts_here[lane] > 0:
                        query[:] = x[top + lane]
                        distances(metric, query, columns, start[node], stop[node], costs_here)
                        for r in range(len(g_here)):
                            value = costs_here[r] - g_here[r]
                            if value < best[lane]:
                                best[lane], where[top + lane] = value, start[node] + r
                continue
            left, right = 2 * node + 1, 2 * node + 2
            node_bounds(metric, queries, rows[left], affine, near, scratch)
            node_bounds(metric, queries, rows[right], affine, far, scratch)
            pending = _push(nodes, bounds, pending, left, right, near, far, best)
    return evaluated


@kernel()
def search_lowest(
    metric, x, first, end, y, columns, rows, affine, start, stop, leaves, g, tops, counts, values, where, costs
):
    """For first <= i < end the arcs with c(x_i, y_j) - g_j < tops[i], at most k, the lowest.

    Returns the number of pairs evaluated.
    counts [n] says how many; values, where, costs [n, k] hold them in ascending order.
    """
    k = values.shape[1]
    d = x.shape[1]
    nodes, bounds = np.empty(_STACK, np.int64), np.empty((_STACK, GROUP))
    near, far, scratch = np.empty(GROUP), np.empty(GROUP), np.empty((d + 1, GROUP))
    query, queries, costs_here = np.empty(d), np.empty((d, GROUP)), np.empty(_LARGEST_LEAF)
    counts_here = np.empty(GROUP, np.int64)
    limit = np.empty(GROUP)
    evaluated = 0
    for top in range(first, end, GROUP):
        size = _fill(x, top, end, queries)
        best = limit[:size]
        for lane in range(size):
            best[lane], counts[top + lane] = tops[top + lane], 0
        if top > first and counts[top - 1] == k:
            _bound_by_neighbour(metric, x[top : top + size], y, g, where[top - 1], best)
        nodes[0], bounds[0] = 0, -np.inf
        pending = 1
        while pending > 0:
            pending -= 1
            if not _may_hold(bounds[pending], best):
                continue
            node = nodes[pending]
            if node >= leaves:
                g_here = g[start[node] : stop[node]]
                evaluated += len(g_here) * count_below(
                    metric, queries, columns, start[node], stop[node], g_here, bounds[pending], best, counts_here
                )
                for lane in range(size):
                    if counts_here[lane] > 0:
                        i = top + lane
                        query[:] = x[i]
                        distances(metric, query, columns, start[node], stop[node], costs_here)
                        for r in range(len(g_here)):
                            value = costs_here[r] - g_here[r]
                            if value < best[lane]:
                                j = start[node] + r
                                counts[i] = insert(value, j, costs_here[r], i, counts[i], k, values, where, costs)
                                if counts[i] == k:
                                    best[lane] = values[i, k - 1]
                continue
            left, right = 2 * node + 1, 2 * node + 2
            node_bounds(metric, queries, rows[left], affine, near, scratch)
            node_bounds(metric, queries, rows[right], affine, far, scratch)
            pending = _push(nodes, bounds, pending, left, right, near, far, best)
    return evaluated


@kernel()
def _bound_by_neighbour(metric, x, y, g, neighbours, best):
    """Lower ``best`` to just above the largest cost - g to the lowest points of the query before: there are enough."""
    query = np.empty(x.shape[1])
    for lane in range(len(x)):
        query[:] = x[lane]
        largest = -np.inf
        for j in neighbours:
            largest = max(largest, distance(metric, query, y, j) - g[j])
        best[lane] = min(best[lane], np.nextafter(largest, np.inf))


@kernel()
def _fill(x, first, end, queries):
    """Coordinates of the group that begins at row ``first``, short groups padded; returns its size."""
    size = min(GROUP, end - first)
    for lane in range(GROUP):
        row = first + min(lane, size - 1)
        for k in range(len(queries)):
            queries[k, lane] = x[row, k]
    return size


@kernel()
def _may_hold(bounds, best):
    """Whether the node may hold something for one of the group."""
    wanted = 0
    for lane in range(len(best)):
        wanted += bounds[lane] < best[lane]
    return wanted > 0


@kernel()
def _push(nodes, bounds, pending, left, right, near, far, best):
    """Put both children on the stack where wanted, the one with the lower bounds on top."""
    closer = 0
    for lane in range(len(best)):
        closer += near[lane] < far[lane]
    if 2 * closer < len(best):
        left, right, near, far = right, left, far, near
    if _may_hold(far, best):
        nodes[pending] = right
        for lane in range(GROUP):
            bounds[pending, lane] = far[lane]
        pending += 1
    if _may_hold(near, best):
        nodes[pending] = left
        for lane in range(GROUP):
            bounds[pending, lane] = near[lane]
        pending += 1
    return pending


@kernel()
def insert(value, j, cost, i, found, k, values, where, costs):
    """Put an arc into the ascending list of row i, at most k long; returns the list's length."""
    place = found if found < k else k - 1
    while place > 0 and values[i, place - 1] > value:
        values[i, place] = values[i, place - 1]
        where[i, place] = where[i, place - 1]
        costs[i, place] = costs[i, place - 1]
        place -= 1
    values[i, place], where[i, place], costs[i, place] = value, j, cost
    return min(found + 1, k)
