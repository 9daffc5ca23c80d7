"""Lower bounds of c(x, y) - g(y) over the points y of a tree node, rounding included.

One of two:

- *Box.*  The cost to the nearest point of the node's box, less the node's largest g.
  Rounding is monotone, and the steps (difference, square, sum, maximum, root) are
  those of the cost itself in the same order.  So what is computed for the box is at
  most what is computed for any point in it, without slack; only ``pow`` needs some.
- *Affine.*  Near the optimum g has slope, so its largest value over a box is first
  order in the width too high; an affine function g(y) <= s.(y - z) + top about the
  box's centre z only second order.  A convex cost lies above its tangent, hence

      c(x, y) - g(y)  >=  c(x, z) - sum_k |c'_k(x, z) - s_k| w_k - top

  with the half widths w; for the squared norm the minimum over the box is taken
  exactly instead.  The slope is a least-squares fit where the node has points
  enough, else its parent's.  Any slope is right: ``top`` is a maximum over the
  node's points, and holds a bound on all rounding of both sides.
"""

from __future__ import annotations

import math

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.core.rounding import UNIT
from otdiv.core.validation import Array
from otdiv.pricing.compiled_costs import CITYBLOCK, EUCLIDEAN, MINKOWSKI, SQUARED, Metric
from otdiv.pricing.kd_tree import KdTree

GROUP = 16
"""Queries that share one descent of the tree.  Larger: more bounds per node, of which fewer are needed."""
AFFINE_UP_TO = 12
"""Dimension above which boxes alone bound: the fit of a slope then costs more than it saves."""


def node_rows(metric: Metric, tree: KdTree, g: Array, largest_cost: float) -> tuple[Array, bool]:
    """What the bound of each node needs, one row for each, and whether it is the affine one.

    [low, high, largest g] for the box, [centre, half, slope, low, high, top] for the affine bound.
    No computed cost between a query and a point may exceed ``largest_cost``.
    """
    d = tree.points.shape[1]
    affine = metric.power == 1.0 and metric.kind in (SQUARED, EUCLIDEAN, CITYBLOCK) and d <= AFFINE_UP_TO
    if not affine:
        rows = np.empty((len(tree.start), 2 * d + 1))
        rows[:, :d], rows[:, d : 2 * d] = tree.low, tree.high
        _largest(rows[:, 2 * d], g, tree.start, tree.stop, tree.leaves)
        return rows, False
    rows = np.empty((len(tree.start), 5 * d + 1))
    centre = 0.5 * (tree.low + tree.high)
    rows[:, :d], rows[:, d : 2 * d] = centre, np.maximum(tree.high - centre, centre - tree.low)
    rows[:, 3 * d : 4 * d], rows[:, 4 * d : 5 * d] = tree.low, tree.high
    _fit(rows, tree.points, g, tree.start, tree.stop, 16 * (d + 8) * UNIT, largest_cost)
    return rows, True


@kernel()
def _largest(largest, g, start, stop, leaves):
    for node in range(len(largest) - 1, -1, -1):
        if node >= leaves:
            largest[node] = g[start[node] : stop[node]].max()
        else:
            largest[node] = max(largest[2 * node + 1], largest[2 * node + 2])


@kernel()
def _fit(rows, points, g, start, stop, gamma, largest_cost):
    d = points.shape[1]
    matrix, slope = np.empty((d, d)), np.empty(d)
    for node in range(len(rows)):
        first, end = start[node], stop[node]
        if end - first < 2 * (d + 1) or not _least_squares(points, g, first, end, matrix, slope):
            for k in range(d):
                slope[k] = rows[(node - 1) // 2, 2 * d + k] if node > 0 else 0.0
        steep = 0.0
        for k in range(d):
            rows[node, 2 * d + k] = slope[k]
            steep += abs(slope[k]) * rows[node, d + k]
        top = -np.inf
        for j in range(first, end):
            value = g[j]
            for k in range(d):
                value -= slope[k] * (points[j, k] - rows[node, k])
            top = value if value > top else top
        rows[node, 5 * d] = top + gamma * (largest_cost + steep + abs(top))


@kernel()
def _least_squares(points, g, first, stop, matrix, slope):
    """Fit g over points[first:stop] by the normal equations (Cholesky); False where that fails."""
    d = points.shape[1]
    count = stop - first
    mean = np.zeros(d)
    level = 0.0
    for j in range(first, stop):
        level += g[j] / count
        for k in range(d):
            mean[k] += points[j, k] / count
    matrix[:, :] = 0.0
    slope[:] = 0.0
    for j in range(first, stop):
        for k in range(d):
            gap = points[j, k] - mean[k]
            slope[k] += gap * (g[j] - level)
            for h in range(k + 1):
                matrix[k, h] += gap * (points[j, h] - mean[h])
    trace = 0.0
    for k in range(d):
        trace += matrix[k, k]
    for k in range(d):
        matrix[k, k] += 1e-6 * trace  # so that flat sets of points have a fit
        for h in range(k):
            for q in range(h):
                matrix[k, h] -= matrix[k, q] * matrix[h, q]
            matrix[k, h] /= matrix[h, h]
            matrix[k, k] -= matrix[k, h] ** 2
        if not matrix[k, k] > 0:
            return False
        matrix[k, k] = math.sqrt(matrix[k, k])
    for k in range(d):
        for h in range(k):
            slope[k] -= matrix[k, h] * slope[h]
        slope[k] /= matrix[k, k]
    for k in range(d - 1, -1, -1):
        for h in range(k + 1, d):
            slope[k] -= matrix[h, k] * slope[h]
        slope[k] /= matrix[k, k]
        if not abs(slope[k]) < 1e150:
            return False
    return True


@kernel(error_model="numpy")
def node_bounds(metric, queries, row, affine, bounds, roots):
    """Lower bounds on the computed c(query, y) - g(y) over the node of this row, for a group of queries [d, GROUP].

    Loops over the group are innermost, so that several are taken at a time (over slices, whose length the
    compiler does not know: short loops it does know are unrolled instead).  ``roots`` is scratch.
    """
    d = len(queries)
    if not affine:
        query = np.empty(d)
        for lane in range(GROUP):
            for k in range(d):
                query[k] = queries[k, lane]
            bounds[lane] = _box_cost(metric, query, row) - row[2 * d]
        return
    kind = metric.kind
    bounds, roots = bounds[:GROUP], roots[:GROUP]
    # all positions are taken relative to the query, so that a far offset of the coordinates costs no digits
    for lane in range(len(bounds)):
        bounds[lane] = 0.0
    if kind == SQUARED:  # coordinate by coordinate the minimum over the box
        for k in range(d):
            centre, slope, least, most = row[k], row[2 * d + k], row[3 * d + k], row[4 * d + k]
            at = queries[k, :GROUP]
            for lane in range(len(bounds)):
                t = min(max(0.5 * slope, least - at[lane]), most - at[lane])
                bounds[lane] += t * t - slope * (t - (centre - at[lane]))
    elif kind == EUCLIDEAN:
        for k in range(d):
            centre, at = row[k], queries[k, :GROUP]
            for lane in range(len(bounds)):
                gap = centre - at[lane]
                bounds[lane] += gap * gap
        for lane in range(len(bounds)):
            bounds[lane] = math.sqrt(bounds[lane])
            roots[lane] = bounds[lane] if bounds[lane] > 1e-300 else 1e-300  # where the root is 0, so are the gaps
        for k in range(d):
            centre, slope, half, at = row[k], row[2 * d + k], row[d + k], queries[k, :GROUP]
            for lane in range(len(bounds)):
                bounds[lane] -= abs((centre - at[lane]) / roots[lane] - slope) * half
    else:
        for k in range(d):
            centre, slope, half, at = row[k], row[2 * d + k], row[d + k], queries[k, :GROUP]
            for lane in range(len(bounds)):
                gap = centre - at[lane]
                side = 1.0 if gap > 0 else -1.0
                bounds[lane] += abs(gap) - abs(side - slope) * half
    for lane in range(len(bounds)):
        bounds[lane] -= row[5 * d]


@kernel()
def _box_cost(metric, query, row):
    kind, p, power, safe = metric
    d = len(query)
    total = 0.0
    if kind <= CITYBLOCK:
        for k in range(d):
            under, over = row[k] - query[k], query[k] - row[d + k]
            gap = under if under > 0 else over if over > 0 else 0.0
            total += gap if kind == CITYBLOCK else gap * gap
        if kind == EUCLIDEAN:
            total = math.sqrt(total)
    else:
        for k in range(d):
            total = max(total, row[k] - query[k], query[k] - row[d + k])
        if kind == MINKOWSKI and total > 0:
            largest, total = total, 0.0
            for k in range(d):
                total += (max(row[k] - query[k], query[k] - row[d + k], 0.0) / largest) ** p
            total = largest * total ** (1 / p)
    if power != 1.0:
        total = total**power
    return total * safe
