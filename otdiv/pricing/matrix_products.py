"""All pairs in high dimension: a filter by matrix products in single precision, then exact differences.

|x - y|^2 = |x|^2 + |y|^2 - 2 x.y costs one matrix product, but loses digits.  So it only
filters: a pair is passed over when even the lower end of a proved error interval around
it is no candidate; all others are computed by differences.  The answer is that of
computing every pair by differences.

The bound.  Points are centred and scaled, so that norms are at most 1, then rounded to
single precision (unit v = 2**-24).  A dot product of d terms is off by at most
(d + 3) v |x| |y|, whatever the order of summation (Higham, Accuracy and Stability of
Numerical Algorithms, section 3.1); the squared norms, in double precision, by far less.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.core.validation import Array
from otdiv.pricing.compiled_costs import EUCLIDEAN, SQUARED, Metric
from otdiv.pricing.compiled_distances import distance
from otdiv.pricing.tree_search import insert

_SINGLE = 2.0**-24
_CHUNK = 128
"""Pairs filtered at a time; a chunk without candidates is skipped whole."""


class ProductFilter(NamedTuple):
    """Both sets of points, centred, scaled by a power of two, in single precision, with their squared norms."""

    x: Array
    y: Array
    x_norms: Array
    y_norms: Array
    slack: Array
    scale: float


def products_apply(metric: Metric) -> bool:
    """Whether the cost is a Euclidean distance or its square, which matrix products can filter."""
    return metric.kind in (EUCLIDEAN, SQUARED) and metric.power == 1.0


def make_filter(x: Array, y: Array) -> ProductFilter:
    """The filter for Euclidean distances between x and y."""
    centre = y.mean(axis=0)
    x, y = x - centre, y - centre
    largest = max(float(np.abs(x).max()), float(np.abs(y).max()), 1e-300)
    scale = float(np.ldexp(1.0, -int(np.frexp(largest * np.sqrt(x.shape[1]))[1])))
    x, y = x * scale, y * scale
    norms = [np.einsum("ij,ij->i", points, points) for points in (x, y)]
    return ProductFilter(
        x.astype(np.float32), y.astype(np.float32), norms[0], norms[1], squares_slack(x.shape[1], *norms), scale
    )


def squares_slack(d: int, x_norms: Array, y_norms: Array) -> Array:
    """For each x a bound on the error of its squared distances, in the scale of the filter."""
    farthest = float(y_norms.max())
    reach = np.sqrt(x_norms * farthest) * (1 + 1e-12)
    return 2.02 * (d + 8) * _SINGLE * reach + (d + 8) * 2.0**-46 * (x_norms + farthest) + d * 1e-35


@kernel()
def _candidates(row, norms, g, norm, top, squared, scale):
    """How many of these targets may cost less than top + g_j; ``norm`` is that of the query, less the slack."""
    hits = 0
    if squared:
        for j in range(len(row)):
            limit = (top + g[j]) * scale
            limit = limit if limit > 0.0 else 0.0
            hits += norm + norms[j] - 2.0 * row[j] < limit
    else:
        for j in range(len(row)):
            limit = (top + g[j]) * scale
            limit = limit if limit > 0.0 else 0.0
            hits += norm + norms[j] - 2.0 * row[j] < limit * limit
    return hits


@kernel()
def _raised(top, largest_g):
    """``top``, a little higher: the rounding of c - g and of top + g stays below the difference."""
    return top + 2.0**-50 * (abs(top) + largest_g)


@kernel()
def filtered_minima(metric, x, y, dots, offset, first, end, x_norms, y_norms, slack, scale, g, hints, values, where):
    """As :func:`otdiv.pricing.tree_search.search_minima`; row i of x has its products in dots[i - offset]."""
    squared = metric.kind == SQUARED
    factor = scale * scale if squared else scale
    largest_g = np.abs(g).max()
    query = np.empty(x.shape[1])
    evaluated = 0
    for i in range(first, end):
        query[:] = x[i]
        best_j = hints[i]
        best = distance(metric, query, y, best_j) - g[best_j]
        row = dots[i - offset]
        raised = _raised(best, largest_g)
        for chunk in range(0, len(row), _CHUNK):
            stop = min(chunk + _CHUNK, len(row))
            here = slice(chunk, stop)
            if _candidates(row[here], y_norms[here], g[here], x_norms[i] - slack[i], raised, squared, factor) == 0:
                continue
            for j in range(chunk, stop):
                limit = max(raised + g[j], 0.0) * factor
                if x_norms[i] + y_norms[j] - 2.0 * row[j] - slack[i] < (limit if squared else limit * limit):
                    evaluated += 1
                    value = distance(metric, query, y, j) - g[j]
                    if value < best:
                        best, best_j = value, j
                        raised = _raised(best, largest_g)
        values[i], where[i] = best, best_j
    return evaluated


@kernel()
def filtered_lowest(
    metric, x, y, dots, offset, first, end, x_norms, y_norms, slack, scale, g, tops, counts, values, where, costs
):
    """As :func:`otdiv.pricing.tree_search.search_lowest`; row i of x has its products in dots[i - offset]."""
    squared = metric.kind == SQUARED
    factor = scale * scale if squared else scale
    k = values.shape[1]
    largest_g = np.abs(g).max()
    query = np.empty(x.shape[1])
    evaluated = 0
    for i in range(first, end):
        query[:] = x[i]
        row = dots[i - offset]
        found, top = 0, tops[i]
        raised = _raised(top, largest_g)
        for chunk in range(0, len(row), _CHUNK):
            stop = min(chunk + _CHUNK, len(row))
            here = slice(chunk, stop)
            if _candidates(row[here], y_norms[here], g[here], x_norms[i] - slack[i], raised, squared, factor) == 0:
                continue
            for j in range(chunk, stop):
                limit = max(raised + g[j], 0.0) * factor
                if x_norms[i] + y_norms[j] - 2.0 * row[j] - slack[i] < (limit if squared else limit * limit):
                    evaluated += 1
                    cost = distance(metric, query, y, j)
                    if cost - g[j] < top:
                        found = insert(cost - g[j], j, cost, i, found, k, values, where, costs)
                        if found == k:
                            top = values[i, k - 1]
                            raised = _raised(top, largest_g)
        counts[i] = found
    return evaluated
