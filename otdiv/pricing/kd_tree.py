"""Points in kd order, and the boxes of a balanced kd-tree over them.

The tree is implicit: a node covers a range [start, stop) of the ordered points, its
children the two halves, the middle rounded down.  So the same order serves as search
tree at every scale, and ranges at one depth are clusters of equal size up to one.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.core.validation import Array

_SHARED_LEVELS, _SHARED_ABOVE = 4, 2**22
"""Halvings after which the parts are shared among threads, and coordinates of all points from which they are."""
LEAF = 40
"""Most points of a leaf.  Larger: fewer nodes to bound, more points evaluated in each."""


class KdTree(NamedTuple):
    """Boxes of the nodes; node k has the children 2 k + 1 and 2 k + 2, nodes from ``leaves`` on are leaves.

    Attributes
    ----------
    points : ndarray [n, d]
        In kd order.
    low, high : ndarray [nodes, d]
    start, stop : ndarray of int64 [nodes]
    leaves : int
    """

    points: Array
    low: Array
    high: Array
    start: Array
    stop: Array
    leaves: int


def depth_for(n: int, leaf: int = LEAF) -> int:
    """Halvings until no range holds more than ``leaf`` of n points."""
    depth = 0
    while -(-n // 2**depth) > leaf:
        depth += 1
    return depth


def ranges(n: int, depth: int) -> Array:
    """The borders [2**depth + 1] of the ranges at a depth: repeated halving of [0, n), rounded down."""
    borders = np.array([0, n])
    for _ in range(depth):
        finer = np.empty(2 * len(borders) - 1, dtype=np.int64)
        finer[::2], finer[1::2] = borders, (borders[:-1] + borders[1:]) // 2
        borders = finer
    return borders


def kd_order(points: Array, leaf: int = LEAF, threads: int = 1) -> Array:
    """The order of the points after splitting at medians of the widest coordinate, down to ``leaf`` points.

    It does not depend on the number of threads, which share the parts of the first halvings where points are many.
    """
    n, depth = len(points), depth_for(len(points), leaf)
    order = np.arange(n)
    centre = _centre(points)
    first = min(_SHARED_LEVELS, depth) if threads > 1 and points.size >= _SHARED_ABOVE else depth
    _split(points, order, centre, 0, n, first)
    if first < depth:
        borders = ranges(n, first)
        with ThreadPoolExecutor(threads) as pool:
            rest = range(len(borders) - 1)
            list(pool.map(lambda k: _split(points, order, centre, borders[k], borders[k + 1], depth - first), rest))
    return order


def build_tree(points: Array) -> KdTree:
    """The tree over points that are already in kd order (right for any order, quick for a kd order)."""
    depth = depth_for(len(points))
    borders = [ranges(len(points), level) for level in range(depth + 1)]
    start = np.concatenate([level[:-1] for level in borders])
    stop = np.concatenate([level[1:] for level in borders])
    low, high = np.empty((len(start), points.shape[1])), np.empty((len(start), points.shape[1]))
    leaves = 2**depth - 1
    _boxes(points, start, stop, leaves, low, high)
    return KdTree(points, low, high, start, stop, leaves)


@kernel()
def _boxes(points, start, stop, leaves, low, high):
    d = points.shape[1]
    for node in range(len(start) - 1, -1, -1):
        for k in range(d):
            if node >= leaves:
                least = most = points[start[node], k]
                for j in range(start[node] + 1, stop[node]):
                    least, most = min(least, points[j, k]), max(most, points[j, k])
                low[node, k], high[node, k] = least, most
            else:
                low[node, k] = min(low[2 * node + 1, k], low[2 * node + 2, k])
                high[node, k] = max(high[2 * node + 1, k], high[2 * node + 2, k])


@kernel()
def _centre(points):
    n, d = points.shape
    centre = np.zeros(d)
    for r in range(n):
        for k in range(d):
            centre[k] += points[r, k] / n
    return centre


@kernel()
def _split(points, order, middle_point, begin, end, depth):
    """Halve [begin, end) ``depth`` times, each range at the median of its widest coordinate."""
    n, d = points.shape
    keys = np.empty(end - begin)
    starts, stops, levels = np.empty(depth + 2, np.int64), np.empty(depth + 2, np.int64), np.empty(depth + 2, np.int64)
    starts[0], stops[0], levels[0] = begin, end, depth
    pending = 1
    low, high = np.empty(d), np.empty(d)
    while pending > 0:
        pending -= 1
        start, stop, level = starts[pending], stops[pending], levels[pending]
        if level == 0:
            continue
        low[:] = np.inf
        high[:] = -np.inf
        for r in range(start, stop):
            for k in range(d):
                value = points[order[r], k]
                if value < low[k]:
                    low[k] = value
                if value > high[k]:
                    high[k] = value
        widest = 0
        for k in range(1, d):
            if high[k] - low[k] > high[widest] - low[widest]:
                widest = k
        # the last range is kept about the middle of all points, so that the last point is a central one
        sign = -1.0 if stop == n and middle_point[widest] < 0.5 * (low[widest] + high[widest]) else 1.0
        for r in range(start, stop):
            keys[r - begin] = sign * points[order[r], widest]
        middle = (start + stop) // 2
        _select(keys, order[begin:end], start - begin, stop - 1 - begin, middle - begin)
        starts[pending], stops[pending], levels[pending] = middle, stop, level - 1
        starts[pending + 1], stops[pending + 1], levels[pending + 1] = start, middle, level - 1
        pending += 2


@kernel()
def _select(keys, order, first, last, rank):
    """Reorder so that the key of rank ``rank`` is in its place, smaller ones before (Hoare's find)."""
    while first < last:
        a, b, c = keys[first], keys[(first + last) // 2], keys[last]
        cut = max(min(a, b), min(max(a, b), c))
        i, j = first, last
        while i <= j:
            while keys[i] < cut:
                i += 1
            while cut < keys[j]:
                j -= 1
            if i <= j:
                keys[i], keys[j] = keys[j], keys[i]
                order[i], order[j] = order[j], order[i]
                i += 1
                j -= 1
        if rank <= j:
            last = j
        elif rank >= i:
            first = i
        else:
            return
