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
def paired_costs(metric, x, y, tails, heads):  # type: ignore[no-untyped-def]
    """The costs [k] of the pairs (x[tails[k]], y[heads[k]])."""
    costs = np.empty(len(tails))
    query = np.empty(x.shape[1])
    for k in range(len(tails)):
        if k == 0 or tails[k] != tails[k - 1]:
            query[:] = x[tails[k]]
        costs[k] = distance(metric, query, y, heads[k])
    return costs
