"""The scales of a problem: clusters, and the refinement of a spanning tree from one scale to the next."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.core.threads import run_in_parts
from otdiv.core.validation import Array
from otdiv.network_flow.integer_masses import MASS_UNITS
from otdiv.network_flow.trees.spanning_tree import Basis, preorder
from otdiv.pricing.kd_tree import ranges

FEW = 16
"""Points up to which one side is not clustered.  Its square is the least number of pairs of the coarsest scale."""
CLUSTER_LEVELS = 2
"""Halvings per scale: each joins about 2**2 = 4 points into one.  More: fewer scales, further apart."""

CURVE_DIMENSIONS = 0.5, 1.4
"""Between these numbers the points of one side count as lying on a curve; in the plane 1.7 to 2.4 are measured."""
STEPS_MEASURED = 4096
"""So many steps between points say which dimension these have."""
_GOLDEN = 0.6180339887498949
"""Multiples of the golden ratio, modulo 1, are spread evenly without a period, which clusters of four points have."""


class Scale(NamedTuple):
    """The problem at one scale: points in kd order, masses in units, and the clusters of the next coarser scale.

    Cluster k of the sources is the range [borders_x[k], borders_x[k + 1]).
    """

    x: Array
    y: Array
    a: Array
    b: Array
    borders_x: Array
    borders_y: Array


def build_scales(x: Array, y: Array, a: Array, b: Array, coarsest_pairs: int, threads: int = 1) -> list[Scale]:
    """The scales from the points themselves (first) to the coarsest, which has at most ``coarsest_pairs`` pairs.

    x and y are in kd order; clusters are replaced by their centre of mass.  Both sides of at most FEW points
    are not coarsened further.
    """
    scales = []
    while len(x) * len(y) > max(coarsest_pairs, FEW**2):
        borders_x, borders_y = _clusters(len(x)), _clusters(len(y))
        scales.append(Scale(x, y, a, b, borders_x, borders_y))
        x, y = centroids(x, a, borders_x, threads), centroids(y, b, borders_y, threads)
        a, b = cluster_sums(a, borders_x), cluster_sums(b, borders_y)
    scales.append(Scale(x, y, a, b, np.array([0, len(x)]), np.array([0, len(y)])))
    return scales


def lies_on_curve(scales: list[Scale]) -> bool:
    """Whether the points of both sides have dimension about 1.

    Steps between consecutive points in kd order, of clusters of s points s**(1 / dimension) times as long.
    """
    if len(scales) < 2:
        return False
    sides = (scales[0].x, scales[1].x), (scales[0].y, scales[1].y)
    return all(CURVE_DIMENSIONS[0] < _dimension(*side) < CURVE_DIMENSIONS[1] for side in sides)


def _dimension(points: Array, clusters: Array) -> float:
    """log(number of points / of clusters) / log(median step of clusters / of points); 0 where steps do not grow."""
    fine, coarse = _median_step(points), _median_step(clusters)
    return float(np.log(len(points) / len(clusters)) / np.log(coarse / fine)) if 0.0 < fine < coarse else 0.0


def _median_step(points: Array) -> float:
    """Median distance from a point to the next, of some thousand of them at places without a period."""
    steps = len(points) - 1
    at = (
        np.arange(steps) if steps <= STEPS_MEASURED else (np.arange(STEPS_MEASURED) * _GOLDEN % 1.0 * steps).astype(int)
    )
    return float(np.median(np.linalg.norm(points[at + 1] - points[at], axis=1)))


def _clusters(n: int) -> Array:
    """Borders of clusters of 3 to 6 points, a power of two of them; few points are not clustered."""
    if n <= FEW:
        return np.arange(n + 1)
    return ranges(n, round(np.log2(n)) - CLUSTER_LEVELS)


def cluster_sums(masses: Array, borders: Array) -> Array:
    """The mass of each cluster [borders[k], borders[k + 1])."""
    return np.add.reduceat(masses, borders[:-1])


def centroids(points: Array, masses: Array, borders: Array, threads: int = 1) -> Array:
    """The centre of mass of each cluster."""
    weights = masses / MASS_UNITS
    total = np.add.reduceat(weights, borders[:-1])
    found = np.empty((len(total), points.shape[1]))
    run_in_parts(lambda first, end: _weighted_sums(points, weights, borders, first, end, found), len(total), threads)
    return found / total[:, None]


@kernel()
def _weighted_sums(points, weights, borders, first, end, found):
    d = points.shape[1]
    for cluster in range(first, end):
        for k in range(d):
            found[cluster, k] = 0.0
        for p in range(borders[cluster], borders[cluster + 1]):
            for k in range(d):
                found[cluster, k] += points[p, k] * weights[p]


def refine_basis(basis: Basis, a: Array, b: Array, borders_a: Array, borders_b: Array) -> tuple[Array, Array, Array]:
    """The spanning tree of the finer scale that carries the coarse tree's flow.

    Each cluster distributes its points' masses over its tree arcs in order (northwest corner rule), and each
    tree arc matches the pieces at its two ends in order (the same rule).  A coarse tree with N + M - 1 arcs
    becomes n + m - 1 fine ones: again a spanning tree.

    All masses carry a second, infinitesimal part (Charnes' perturbation: one more for each source, n more
    for the last target), compared when the first part ties.  With it no step of the rule ties, no flow
    vanishes, and the tree is strongly feasible.

    Returns
    -------
    tails, heads, flows : ndarray [n + m - 1]
    """
    sources = len(borders_a) - 1
    mass, count = _compute_arc_flows(sources, basis, a, b, borders_a, borders_b)
    child = np.flatnonzero(basis.parent >= 0)
    above = basis.parent[child]
    at_source = child < sources
    i, j = np.where(at_source, child, above), np.where(at_source, above, child) - sources
    sign = np.where(at_source, 1, -1)
    mass, count = sign * mass[child], sign * count[child]
    by_source = np.lexsort((j, i))
    i, j, mass, count = i[by_source], j[by_source], mass[by_source], count[by_source]
    by_target = np.lexsort((i, j))
    ones, last = np.ones(len(a), np.int64), np.zeros(len(b), np.int64)
    last[-1] = len(a)
    source_pieces = _split_into_pieces(i, mass, count, a, ones, borders_a)
    target_pieces = _split_into_pieces(j[by_target], mass[by_target], count[by_target], b, last, borders_b)
    where = np.empty(len(by_target), np.int64)  # of each arc among the arcs by target
    where[by_target] = np.arange(len(by_target))
    return _match_pieces(len(a) + len(b) - 1, where, source_pieces, target_pieces)


@kernel()
def _compute_arc_flows(sources, basis, a, b, borders_a, borders_b):
    """What flows from the subtree of each node to its parent: mass and infinitesimal part."""
    nodes = len(basis.flow)
    mass, count = np.empty(nodes, np.int64), np.empty(nodes, np.int64)
    for v in range(sources):
        mass[v], count[v] = a[borders_a[v] : borders_a[v + 1]].sum(), borders_a[v + 1] - borders_a[v]
    for v in range(nodes - sources):
        mass[sources + v], count[sources + v] = -b[borders_b[v] : borders_b[v + 1]].sum(), 0
    root = nodes - 1
    count[root] = -len(a)
    order = preorder(basis)
    for k in range(nodes - 1, 0, -1):
        v = order[k]
        above = basis.parent[v]
        mass[above] += mass[v]
        count[above] += count[v]
    return mass, count


@kernel()
def _split_into_pieces(cluster, mass, count, masses, counts, borders):
    """Distribute each cluster's points over its arcs in order; arcs are sorted by cluster.

    Returns first [arcs + 1], and of each piece its point, mass and infinitesimal part: pieces
    first[e] ... first[e + 1] - 1 belong to arc e.
    """
    arcs = len(cluster)
    most = len(masses) + arcs
    first = np.empty(arcs + 1, np.int64)
    point, part, bit = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most, np.int64)
    k = 0
    p = 0
    for e in range(arcs):
        first[e] = k
        if e == 0 or cluster[e] != cluster[e - 1]:
            p = borders[cluster[e]]
            left, left_bit = masses[p], counts[p]
        need, need_bit = mass[e], count[e]
        while left < need or (left == need and left_bit < need_bit):
            point[k], part[k], bit[k] = p, left, left_bit
            k += 1
            need -= left
            need_bit -= left_bit
            p += 1
            left, left_bit = masses[p], counts[p]
        point[k], part[k], bit[k] = p, need, need_bit
        k += 1
        left -= need
        left_bit -= need_bit
    first[arcs] = k
    return first, point[:k], part[:k], bit[:k]


@kernel()
def _match_pieces(size, where, source_pieces, target_pieces):
    """Match the pieces at both ends of each arc in order."""
    tails, heads, flows = np.empty(size, np.int32), np.empty(size, np.int32), np.empty(size, np.int64)
    first_s, point_s, part_s, bit_s = source_pieces
    first_t, point_t, part_t, bit_t = target_pieces
    k = 0
    for e in range(len(where)):
        s, end_s = first_s[e], first_s[e + 1]
        t, end_t = first_t[where[e]], first_t[where[e] + 1]
        left, left_bit, need, need_bit = part_s[s], bit_s[s], part_t[t], bit_t[t]
        while True:
            tails[k], heads[k] = point_s[s], point_t[t]
            if (left < need or (left == need and left_bit < need_bit)) and s + 1 < end_s:
                flows[k] = left
                need -= left
                need_bit -= left_bit
                s += 1
                left, left_bit = part_s[s], bit_s[s]
            elif t + 1 < end_t:
                flows[k] = need
                left -= need
                left_bit -= need_bit
                t += 1
                need, need_bit = part_t[t], bit_t[t]
            else:
                flows[k] = left
                k += 1
                break
            k += 1
    return tails[:k], heads[:k], flows[:k]
