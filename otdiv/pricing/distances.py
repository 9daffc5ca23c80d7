"""Point costs inside compiled code, each pair by the difference form, coordinate after coordinate.

Imports metric and numba.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from otdiv.pricing.metric import CITYBLOCK, EUCLIDEAN, MINKOWSKI


@njit(cache=True, nogil=True)
def distance(metric, query, points, j):  # type: ignore[no-untyped-def]
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


@njit(cache=True, nogil=True)
def distances(metric, query, columns, first, end, costs):  # type: ignore[no-untyped-def]
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


@njit(cache=True, nogil=True)
def paired_costs(metric, x, y, tails, heads):  # type: ignore[no-untyped-def]
    """The costs [k] of the pairs (x[tails[k]], y[heads[k]])."""
    costs = np.empty(len(tails))
    query = np.empty(x.shape[1])
    for k in range(len(tails)):
        if k == 0 or tails[k] != tails[k - 1]:
            query[:] = x[tails[k]]
        costs[k] = distance(metric, query, y, heads[k])
    return costs
