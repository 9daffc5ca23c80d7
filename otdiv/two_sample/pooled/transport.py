"""Exact transport between two groups of a pool of points, of any sizes, for the cost min(distance, cap), compiled.

Each source has mass 1 / n and each target 1 / m.  In whole units, m / gcd and n / gcd, mass moves along successive
shortest augmenting paths; potentials and searches are those of :mod:`otdiv.two_sample.pooled.capped_assignment`, with
flow on arcs in the place of partners.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.core.validation import Array
from otdiv.network_flow.heap import sift_down, sift_up

_UNSEEN, _SETTLED = -1, -2
"""Values of ``place``: the target waits in no heap, or its distance is final."""


class _Search(NamedTuple):
    """The state of one transport: potentials, flow and the scratch arrays of a search; indices are those of the pool.

    Attributes
    ----------
    potential : ndarray [N]
        f of sources, g of targets.
    left : ndarray of int64 [N]
        Supply of a source, demand of a target, not yet moved.
    first : ndarray of int64 [N]
        Of a target: its first arc with flow; -1 for none.
    time : ndarray [N]
        Distance from the source of the search.
    via : ndarray of int64 [N]
        Of a target: the source before it.  Of a source: the arc with flow over which it was reached.
    place, heap : ndarray of int32 [N]
    reached : ndarray of int32 [N]
        Sources and targets whose distance is final.
    """

    potential: Array
    left: Array
    first: Array
    time: Array
    via: Array
    place: Array
    heap: Array
    reached: Array


@kernel()
def transport_costs(geometry, labels, cap, values, gaps):
    """The optimal transport cost of every division, at mass 1.

    Parameters
    ----------
    geometry : PooledGeometry
    labels : ndarray of bool [B, N]
        True: the point is a source.  Each has mass 1 / n, each target 1 / m.
    cap : float
        The cost of a pair is min(distance, cap).
    values, gaps : ndarray [B]
        The optimal costs, and by how much the cost of the flow exceeds the value of the potentials.
    """
    for b in range(len(labels)):
        values[b], gaps[b] = _optimal_cost(geometry, labels[b], cap)


@kernel()
def _optimal_cost(geometry, is_source, cap):
    size = len(is_source)
    n = np.sum(is_source)
    m = size - n
    divisor = _greatest_common_divisor(n, m)
    supply, demand = m // divisor, n // divisor
    index, short = np.int64, np.int32
    search = _Search(
        np.zeros(size),
        np.where(is_source, supply, demand).astype(index),
        np.full(size, -1, index),
        np.empty(size),
        np.empty(size, index),
        np.full(size, _UNSEEN, short),
        np.empty(size, short),
        np.empty(size, short),
    )
    arcs = np.empty((4 * size, 4), index)  # target, source, flow, next arc of the target
    used = _ship_to_nearest(geometry, is_source, cap, search, arcs)
    vacant = 0
    for s in range(size):
        while is_source[s] and search.left[s] > 0:
            while is_source[vacant] or search.left[vacant] == 0:
                vacant += 1
            if used + size >= len(arcs):
                longer = np.empty((2 * len(arcs), 4), index)
                longer[:used] = arcs[:used]
                arcs = longer
            end = _find_path(geometry, is_source, cap, search, arcs, s, vacant)
            used = _augment(search, arcs, used, s, end)
    return _check(geometry, is_source, cap, search, arcs, used, supply, demand)


@kernel()
def _greatest_common_divisor(a, b):
    while b:
        a, b = b, a % b
    return a


@kernel()
def _ship_to_nearest(geometry, is_source, cap, search, arcs):
    """Potentials f_i = min_j c_ij, g = 0, and what can move along arcs of that cost; returns the number of arcs."""
    used = 0
    for i in range(len(is_source)):
        if not is_source[i]:
            continue
        least = cap
        for k in range(len(is_source)):
            j, cost = geometry.neighbour[i, k], geometry.sorted_distance[i, k]
            if cost > least or search.left[i] == 0:
                break
            if is_source[j]:
                continue
            least = cost
            moved = min(search.left[i], search.left[j])
            if moved > 0:
                used = _add_arc(search, arcs, used, j, i, moved)
        search.potential[i] = least
    return used


@kernel()
def _add_arc(search, arcs, used, j, i, moved):
    arcs[used, 0], arcs[used, 1], arcs[used, 2], arcs[used, 3] = j, i, moved, search.first[j]
    search.first[j] = used
    search.left[i] -= moved
    search.left[j] -= moved
    return used + 1


@kernel()
def _find_path(geometry, is_source, cap, search, arcs, s, vacant):
    """A shortest path of reduced costs from source s to a target with demand left; moves the potentials along."""
    potential, left, first, time, via, place, heap, reached = search
    limit, size = _reach_targets(geometry, is_source, cap, search, s, 0.0, np.inf, 0, vacant)
    time[s], reached[0], count = 0.0, s, 1
    while True:
        j = heap[0]
        size -= 1
        if size > 0:
            sift_down(heap, time, place, size, heap[size], 0)
        place[j] = _UNSEEN
        if left[j] > 0:
            break
        place[j] = _SETTLED
        reached[count] = j
        count += 1
        arc = first[j]
        while arc >= 0:
            i = arcs[arc, 1]
            if arcs[arc, 2] > 0 and place[i] == _UNSEEN and i != s:
                time[i], via[i], place[i] = time[j], arc, _SETTLED
                reached[count] = i
                count += 1
                limit, size = _reach_targets(geometry, is_source, cap, search, i, time[j], limit, size, vacant)
            arc = arcs[arc, 3]
    for k in range(size):
        place[heap[k]] = _UNSEEN
    for k in range(count):
        v = reached[k]
        place[v] = _UNSEEN
        shift = time[j] - time[v]
        potential[v] += shift if is_source[v] else -shift
    return j


@kernel()
def _reach_targets(geometry, is_source, cap, search, i, at, limit, size, vacant):
    """Lower the distances of the targets that source i reaches before ``limit``, the nearest vacant target so far."""
    potential, left, _, time, via, place, heap, _ = search
    offset = at - potential[i]
    for k in range(len(is_source)):
        cost = geometry.sorted_distance[i, k]
        beyond = cost >= cap
        j = geometry.neighbour[i, k]
        if beyond:
            j, cost = vacant, cap
        if offset + cost >= limit:
            break
        p = place[j]
        if not is_source[j] and p != _SETTLED:
            value = max(at, offset + cost - potential[j])
            if value < limit and (p == _UNSEEN or value < time[j]):
                if p == _UNSEEN:
                    p = size
                    size += 1
                time[j], via[j] = value, i
                sift_up(heap, time, place, j, p)
                if left[j] > 0:
                    limit = value
        if beyond:
            break
    return limit, size


@kernel()
def _augment(search, arcs, used, s, end):
    """Move as much as the path from s to the target ``end`` admits; returns the number of arcs."""
    left, first, via = search.left, search.first, search.via
    moved = min(left[s], left[end])
    j = end
    while via[j] != s:
        arc = via[via[j]]
        moved = min(moved, arcs[arc, 2])
        j = arcs[arc, 0]
    left[s] -= moved
    left[end] -= moved
    j = end
    while True:
        i = via[j]
        arc = first[j]
        while arc >= 0 and arcs[arc, 1] != i:
            arc = arcs[arc, 3]
        if arc >= 0:
            arcs[arc, 2] += moved
        else:
            arcs[used, 0], arcs[used, 1], arcs[used, 2], arcs[used, 3] = j, i, moved, first[j]
            first[j] = used
            used += 1
        if i == s:
            return used
        back = via[i]
        arcs[back, 2] -= moved
        j = arcs[back, 0]
        if arcs[back, 2] == 0:  # taken out of the list of j; what is behind it still counts as a place used
            before = first[j]
            if before == back:
                first[j] = arcs[back, 3]
            else:
                while arcs[before, 3] != back:
                    before = arcs[before, 3]
                arcs[before, 3] = arcs[back, 3]


@kernel()
def _check(geometry, is_source, cap, search, arcs, used, supply, demand):
    """Cost of the flow, and its excess over the value of the potentials, computed from the distances alone."""
    potential = search.potential
    above = below = 0.0
    for k in range(used):
        above += arcs[k, 2] * min(geometry.distance[arcs[k, 1], arcs[k, 0]], cap)
    mass = 0
    for i in range(len(is_source)):
        if not is_source[i]:
            below += demand * potential[i]
            continue
        mass += supply
        least = np.inf
        for j in range(len(is_source)):
            if not is_source[j]:
                least = min(least, min(geometry.distance[i, j], cap) - potential[j])
        below += supply * least
    return above / mass, (above - below) / mass
