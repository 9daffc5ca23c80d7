"""Lower bounds of c(x, y) - g(y) over the points y of a tree node, rounding included.

One of two:

- *Box.*  The cost to the nearest point of the node's box, less the node's largest g.
  Rounding is monotone, and the steps (difference, square, sum, maximum, root) are
  those of the cost itself in the same order.  So what is computed for the box is at
  most what is computed for any point in it, without slack; only ``pow`` needs some.
- *Affine.*  Near the optimum g has slope, so its largest value over a box is first
  order in the width too high; an affine function g(y) <= s.(y - z) + top about the
  box's centre z only second order.  A convex cost lies above its tangents; that at the
  centre gives for the 1-norm, with the half widths w,

      c(x, y) - g(y)  >=  c(x, z) - sum_k |c'_k(x, z) - s_k| w_k - top.

  For the squared norm the minimum over the box is taken exactly.  For the Euclidean one
  every vector p with |p| <= 1 gives

      c(x, y) - g(y)  >=  p.(z - x) - sum_k |p_k - s_k| w_k - top,

  and p is taken in the direction of the point of the box that is nearest to the line from
  x along s: all points y on such a ray nearly tie, and the tangent at the centre leaves
  open the boxes on both sides of those that the ray meets, as many again.
  The slope is a least-squares fit where the node has points enough, else its parent's.
  Any slope is right: ``top`` is a maximum over the node's points, and holds a bound on
  all rounding of both sides; in it |p| <= 1 + O(u), and |z - x| <= (1 + sqrt(d)) times
  the largest cost, since each face of the box holds a point of the node.
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

_NEAREST_UP_TO = 6
"""Dimension above which the Euclidean tangent touches at the box's centre: another point costs more than it saves."""
_LEAST_LENGTH = 1e-150
"""Shorter vectors are not made unit ones: the squares of their coordinates would lose digits."""


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
def node_bounds(metric, queries, row, affine, bounds, scratch):
    """Lower bounds on the computed c(query, y) - g(y) over the node of this row, for a group of queries [d, GROUP].

    Loops over the group are innermost, so that several are taken at a time (over slices, whose length the
    compiler does not know: short loops it does know are unrolled instead).  ``scratch`` [d + 1, GROUP].
    """
    d = len(queries)
    if not affine:
        query = np.empty(d)
        for lane in range(GROUP):
            for k in range(d):
                query[k] = queries[k, lane]
            bounds[lane] = _box_cost(metric, query, row) - row[2 * d]
        return
    # all positions are taken relative to the query, so that a far offset of the coordinates costs no digits
    bounds = bounds[:GROUP]
    if metric.kind == EUCLIDEAN and d == 2:
        _bounds_in_plane(queries, row, bounds)
        return
    if metric.kind == EUCLIDEAN and d == 3:
        _bounds_in_space(queries, row, bounds)
        return
    for lane in range(len(bounds)):
        bounds[lane] = -row[5 * d]
    if metric.kind == SQUARED:  # coordinate by coordinate the minimum over the box
        for k in range(d):
            centre, slope, least, most = row[k], row[2 * d + k], row[3 * d + k], row[4 * d + k]
            at = queries[k, :GROUP]
            for lane in range(len(bounds)):
                t = min(max(0.5 * slope, least - at[lane]), most - at[lane])
                bounds[lane] += t * t - slope * (t - (centre - at[lane]))
    elif metric.kind == EUCLIDEAN:
        _normals(queries, row, scratch)
        for k in range(d):
            centre, slope, half, at, normal = row[k], row[2 * d + k], row[d + k], queries[k, :GROUP], scratch[k, :GROUP]
            for lane in range(len(bounds)):
                bounds[lane] += normal[lane] * (centre - at[lane]) - abs(normal[lane] - slope) * half
    else:
        for k in range(d):
            centre, slope, half, at = row[k], row[2 * d + k], row[d + k], queries[k, :GROUP]
            for lane in range(len(bounds)):
                gap = centre - at[lane]
                side = 1.0 if gap > 0 else -1.0
                bounds[lane] += abs(gap) - abs(side - slope) * half


@kernel(borrows=True, error_model="numpy", inline="always")
def _bounds_in_plane(queries, row, bounds):
    """The affine bound of the Euclidean norm in two dimensions, all in one loop."""
    across, along = queries[0, :GROUP], queries[1, :GROUP]
    p, q, half_p, half_q, slope_p, slope_q, top = row[0], row[1], row[2], row[3], row[4], row[5], row[10]
    scale = _inverse_square(row, 2)
    for lane in range(len(bounds)):
        gap_p, gap_q = p - across[lane], q - along[lane]
        steps = (gap_p * slope_p + gap_q * slope_q) * scale
        s = min(max(steps * slope_p, gap_p - half_p), gap_p + half_p)
        t = min(max(steps * slope_q, gap_q - half_q), gap_q + half_q)
        length = 1.0 / max(math.sqrt(s * s + t * t), _LEAST_LENGTH)
        s, t = s * length, t * length
        bounds[lane] = s * gap_p + t * gap_q - abs(s - slope_p) * half_p - abs(t - slope_q) * half_q - top


@kernel(borrows=True, error_model="numpy", inline="always")
def _bounds_in_space(queries, row, bounds):
    """The same in three dimensions."""
    across, along, above = queries[0, :GROUP], queries[1, :GROUP], queries[2, :GROUP]
    p, q, r, half_p, half_q, half_r = row[0], row[1], row[2], row[3], row[4], row[5]
    slope_p, slope_q, slope_r, top = row[6], row[7], row[8], row[15]
    scale = _inverse_square(row, 3)
    for lane in range(len(bounds)):
        gap_p, gap_q, gap_r = p - across[lane], q - along[lane], r - above[lane]
        steps = (gap_p * slope_p + gap_q * slope_q + gap_r * slope_r) * scale
        s = min(max(steps * slope_p, gap_p - half_p), gap_p + half_p)
        t = min(max(steps * slope_q, gap_q - half_q), gap_q + half_q)
        u = min(max(steps * slope_r, gap_r - half_r), gap_r + half_r)
        length = 1.0 / max(math.sqrt(s * s + t * t + u * u), _LEAST_LENGTH)
        s, t, u = s * length, t * length, u * length
        lost = abs(s - slope_p) * half_p + abs(t - slope_q) * half_q + abs(u - slope_r) * half_r
        bounds[lane] = s * gap_p + t * gap_q + u * gap_r - lost - top


@kernel(borrows=True, error_model="numpy")
def _normals(queries, row, scratch):
    """For each of a group the gradient of the Euclidean norm at a point of the box, in scratch[:d].

    The point is near the minimum of the cost less the slope: the nearest one to the line that leads from the query
    along the slope, at the foot of the box's centre; in many dimensions it is the centre.
    """
    d = len(queries)
    lengths = scratch[d, :GROUP]
    for k in range(d):
        centre, at, point = row[k], queries[k, :GROUP], scratch[k, :GROUP]
        for lane in range(len(lengths)):
            point[lane] = centre - at[lane]
    if d <= _NEAREST_UP_TO:
        scale = _inverse_square(row, d)
        for lane in range(len(lengths)):
            lengths[lane] = 0.0
        for k in range(d):
            slope, point = row[2 * d + k] * scale, scratch[k, :GROUP]
            for lane in range(len(lengths)):
                lengths[lane] += point[lane] * slope
        for k in range(d):
            half, slope, point = row[d + k], row[2 * d + k], scratch[k, :GROUP]
            for lane in range(len(lengths)):
                point[lane] = min(max(lengths[lane] * slope, point[lane] - half), point[lane] + half)
    for lane in range(len(lengths)):
        lengths[lane] = 0.0
    for k in range(d):
        point = scratch[k, :GROUP]
        for lane in range(len(lengths)):
            lengths[lane] += point[lane] * point[lane]
    for lane in range(len(lengths)):
        lengths[lane] = 1.0 / max(math.sqrt(lengths[lane]), _LEAST_LENGTH)
    for k in range(d):
        point = scratch[k, :GROUP]
        for lane in range(len(lengths)):
            point[lane] *= lengths[lane]


@kernel(borrows=True, error_model="numpy")
def _inverse_square(row, d):
    """1 over the square of the slope's norm; 0 for none."""
    square = 0.0
    for k in range(d):
        square += row[2 * d + k] ** 2
    return 1.0 / square if square > _LEAST_LENGTH else 0.0


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
