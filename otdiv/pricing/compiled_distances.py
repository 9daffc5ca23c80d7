"""Point costs inside compiled code, each pair by the difference form, coordinate after coordinate."""

from __future__ import annotations

import math

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.core.threads import run_in_parts
from otdiv.core.validation import Array
from otdiv.pricing.compiled_costs import CITYBLOCK, EUCLIDEAN, MINKOWSKI, Metric

TILE_COORDINATES, TILE_TARGETS = 64, 256
"""Of a tile of targets (128 KiB), which a core's second cache holds; measured."""


@kernel(borrows=True)
def distance(metric, query, points, j):
    """The cost between the point ``query`` [d] and row j of ``points``."""
    kind, p, power, _ = metric
    total = 0.0
    d = len(query)
    if kind <= EUCLIDEAN:
        for k in range(d):
            gap = query[k] - points[j, k]
            total += gap * gap
        if kind == EUCLIDEAN:
            total = math.sqrt(total)
    elif kind == CITYBLOCK:
        for k in range(d):
            total += abs(query[k] - points[j, k])
    else:
        for k in range(d):
            gap = abs(query[k] - points[j, k])
            total = gap if gap > total else total
        if kind == MINKOWSKI and total > 0:
            largest, total = total, 0.0
            for k in range(d):
                total += (abs(query[k] - points[j, k]) / largest) ** p
            total = largest * total ** (1 / p)
    return total if power == 1.0 else total**power


@kernel(borrows=True)
def distances(metric, query, columns, first, end, costs):
    """``distance`` to the points first ... end - 1 of ``columns`` [d, m] into costs[: end - first].

    Coordinates are the outer loop, so that the points are taken several at a time (slices, because an
    index that may be negative keeps the compiler from doing so); each point sees the same operations
    in the same order as in ``distance``.
    """
    kind, p, power, _ = metric
    costs = costs[: end - first]
    costs[:] = 0.0
    d = len(query)
    if kind <= EUCLIDEAN:
        for k in range(d):
            at, coordinates = query[k], columns[k, first:end]
            for r in range(len(costs)):
                gap = at - coordinates[r]
                costs[r] += gap * gap
        if kind == EUCLIDEAN:
            for r in range(len(costs)):
                costs[r] = math.sqrt(costs[r])
    elif kind == CITYBLOCK:
        for k in range(d):
            at, coordinates = query[k], columns[k, first:end]
            for r in range(len(costs)):
                costs[r] += abs(at - coordinates[r])
    else:
        for k in range(d):
            at, coordinates = query[k], columns[k, first:end]
            for r in range(len(costs)):
                gap = abs(at - coordinates[r])
                costs[r] = gap if gap > costs[r] else costs[r]
        if kind == MINKOWSKI:
            for r in range(len(costs)):
                largest = costs[r]
                if largest > 0:
                    total = 0.0
                    for k in range(d):
                        total += (abs(query[k] - columns[k, first + r]) / largest) ** p
                    costs[r] = largest * total ** (1 / p)
    if power != 1.0:
        for r in range(len(costs)):
            costs[r] = costs[r] ** power


@kernel()
def distance_table(metric, x, y, costs):
    """All costs [n, m] between the points x [n, d] and y [m, d], each by the operations of :func:`distance` in order.

    Squares are added up tile by tile, so that the targets of a tile are read from memory once for all sources, and
    four coordinates at a time, so that a sum is written back once for them.
    """
    n, m, d = len(x), len(y), x.shape[1]
    if metric.kind > EUCLIDEAN or metric.power != 1.0:
        by_coordinate = np.empty((d, m))
        for j in range(m):
            for k in range(d):
                by_coordinate[k, j] = y[j, k]
        for i in range(n):
            distances(metric, x[i], by_coordinate, 0, m, costs[i])
        return
    tile = np.empty((min(d, TILE_COORDINATES), min(m, TILE_TARGETS)))
    for first in range(0, m, TILE_TARGETS):
        end = min(m, first + TILE_TARGETS)
        for low in range(0, d, TILE_COORDINATES):
            high = min(d, low + TILE_COORDINATES)
            for j in range(first, end):
                for k in range(low, high):
                    tile[k - low, j - first] = y[j, k]
            for i in range(n):
                sums = costs[i, first:end]
                if low == 0:
                    for r in range(len(sums)):
                        sums[r] = 0.0
                _add_squares(x[i, low:high], tile, sums)
                if high == d and metric.kind == EUCLIDEAN:
                    for r in range(len(sums)):
                        sums[r] = math.sqrt(sums[r])


@kernel(borrows=True)
def _add_squares(query, tile, sums):
    """Add the squares of query_k - tile_kr to sums_r, one coordinate after the other."""
    whole = len(query) - len(query) % 4
    for k in range(0, whole, 4):
        p, q, s, t = query[k], query[k + 1], query[k + 2], query[k + 3]
        one, two, three, four = tile[k], tile[k + 1], tile[k + 2], tile[k + 3]
        for r in range(len(sums)):
            u, v, w, z = p - one[r], q - two[r], s - three[r], t - four[r]
            sums[r] = (((sums[r] + u * u) + v * v) + w * w) + z * z
    for k in range(whole, len(query)):
        p, one = query[k], tile[k]
        for r in range(len(sums)):
            u = p - one[r]
            sums[r] += u * u


_WIDER, _TINY = 1.0 + 2.0**-48, 1e-300
"""Of a squared reach: 16 times its rounding, and what may be lost where it underflows.  Larger: more leaves that hold
nothing are evaluated."""


@kernel(borrows=True)
def count_below(metric, queries, columns, first, end, g, bounds, best, counts):
    """counts[lane]: at how many of the points first ... end - 1, whose g is given, cost - g is below best[lane].

    Lanes whose lower bound is not below their best are skipped and get 0; others for which there is no
    quick count get 1, that is, they have to be evaluated.  Most leaves hold nothing below the best; counting,
    unlike comparing with a minimum that moves, is done for several points at a time.  Of the Euclidean norm squares are
    compared, a rounding higher, so that a few more may be counted.  Returns the number of lanes counted.
    """
    d = len(queries)
    counted = 0
    quick = metric.power == 1.0 and metric.kind == EUCLIDEAN and (d == 2 or d == 3)
    second = min(1, d - 1)
    along, across, deep = columns[0, first:end], columns[second, first:end], columns[d - 1, first:end]
    for lane in range(len(best)):
        top = best[lane]
        counts[lane] = 0
        if not bounds[lane] < top:
            continue
        counted += 1
        if not quick:
            counts[lane] = 1
            continue
        count = 0
        at, above, behind = queries[0, lane], queries[second, lane], queries[d - 1, lane]
        if d == 2:
            for r in range(len(g)):
                u, v, reach = at - along[r], above - across[r], top + g[r]
                count += u * u + v * v < reach * abs(reach) * _WIDER + _TINY
        else:
            for r in range(len(g)):
                u, v, w, reach = at - along[r], above - across[r], behind - deep[r], top + g[r]
                count += u * u + v * v + w * w < reach * abs(reach) * _WIDER + _TINY
        counts[lane] = count
    return counted


_IN_ONE_THREAD = 2**20
"""Coordinates of all pairs up to which one thread computes their costs."""


def pair_costs(metric: Metric, x: Array, y: Array, tails: Array, heads: Array, threads: int) -> Array:
    """The costs [k] of the pairs (x[tails[k]], y[heads[k]]), by several threads where they are many."""
    if threads == 1 or len(tails) * x.shape[1] <= _IN_ONE_THREAD:
        return np.asarray(elementwise_costs(metric, x, y, tails, heads))
    costs = np.empty(len(tails))

    def work(first: int, end: int) -> None:
        costs[first:end] = elementwise_costs(metric, x, y, tails[first:end], heads[first:end])

    run_in_parts(work, len(tails), threads)
    return costs


@kernel()
def elementwise_costs(metric, x, y, tails, heads):
    """The costs [k] of the pairs (x[tails[k]], y[heads[k]]), each by the operations of :func:`distance` in order.

    Of the Euclidean norm and its square these are written out: in a twelfth of the time.
    """
    costs = np.empty(len(tails))
    if metric.kind <= EUCLIDEAN and metric.power == 1.0:
        d = np.uint64(x.shape[1])
        for k in range(np.uint64(len(tails))):
            i, j = np.uint32(tails[k]), np.uint32(heads[k])
            total = 0.0
            for e in range(d):
                gap = x[i, e] - y[j, e]
                total += gap * gap
            costs[k] = math.sqrt(total) if metric.kind == EUCLIDEAN else total
        return costs
    query = np.empty(x.shape[1])
    for k in range(len(tails)):
        if k == 0 or tails[k] != tails[k - 1]:
            query[:] = x[tails[k]]
        costs[k] = distance(metric, query, y, heads[k])
    return costs
