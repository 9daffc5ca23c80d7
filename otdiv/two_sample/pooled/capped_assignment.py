"""Exact assignment between two equal halves of a pool of points for the cost min(distance, cap), compiled.

Sources bid for targets, and those left over are assigned along shortest augmenting paths (Jonker and Volgenant,
Computing 38, 1987).  At every moment the potentials satisfy f_i + g_j <= c_ij for **all** pairs, and a free target
has g_j = 0, the largest value there is.  So a search that reads the neighbours of i in order of their distance can
stop as soon as no further one can be nearer than the best target found; and since all costs beyond the cap are equal,
one free target stands for all that lie beyond it.  A small cap makes every search short.

The answer is checked from outside: its cost from above, and from below the value of the potentials after
f_i = min_j c_ij - g_j was computed anew over all pairs.  The difference is returned with every optimum.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.core.validation import Array
from otdiv.network_flow.assignment_auction import UNASSIGNED
from otdiv.network_flow.heap import sift_down, sift_up

BIDS = 5
"""Bids per source, after which the rest is left to the search for paths.  Larger: fewer searches, longer auctions."""
_UNSEEN, _SETTLED = -1, -2
"""Values of ``place``: the target waits in no heap, or its distance is final."""


class _Search(NamedTuple):
    """The state of one assignment and the scratch arrays of a search; all indices are those of the pool.

    Attributes
    ----------
    potential : ndarray [N]
        f of sources, g of targets.
    partner : ndarray of int32 [N]
        The target of a source, the source of a target; -1 for none.
    time : ndarray [N]
        Distance of a target from the source of the search.
    via : ndarray of int32 [N]
        The source before a target.
    place, heap : ndarray of int32 [N]
    key : ndarray [N]
        The distances by place in the heap.
    settled : ndarray of int32 [N]
        Targets whose distance is final.
    """

    potential: Array
    partner: Array
    time: Array
    via: Array
    place: Array
    heap: Array
    key: Array
    settled: Array


@kernel()
def capped_assignment_costs(geometry, labels, cap, values, gaps):
    """The optimal mean cost of the assignment of every division into equal halves.

    Parameters
    ----------
    geometry : PooledGeometry
    labels : ndarray of bool [B, N]
        True: the point is a source; N / 2 in every row.
    cap : float
        The cost of a pair is min(distance, cap).
    values, gaps : ndarray [B]
        The optimal costs, and by how much the cost of the assignment exceeds the value of the potentials.
    """
    size = labels.shape[1]
    short = np.int32
    search = _Search(
        np.empty(size),
        np.empty(size, short),
        np.empty(size),
        np.empty(size, short),
        np.full(size, _UNSEEN, short),
        np.empty(size, short),
        np.empty(size),
        np.empty(size, short),
    )
    for b in range(len(labels)):
        _assign(geometry, labels[b], cap, search)
        values[b], gaps[b] = _check(geometry, labels[b], cap, search)


@kernel()
def _assign(geometry, is_source, cap, search):
    """Assign all sources: by bids, and those left after BIDS each along shortest augmenting paths."""
    size = len(is_source)
    search.potential[:] = 0.0
    search.partner[:] = UNASSIGNED
    active, outbid = np.empty(size, np.int32), np.empty(size, np.int32)
    count = 0
    for s in range(size):
        if is_source[s]:
            active[count] = s
            count += 1
    vacant = np.zeros(1, np.int64)
    bids, most = 0, BIDS * count
    while count > 0 and bids < most:
        losers = 0
        for q in range(count):
            loser = _bid(geometry, is_source, cap, search, active[q], vacant)
            if loser != UNASSIGNED:
                outbid[losers] = loser
                losers += 1
        bids += count
        active, outbid = outbid, active
        count = losers
    for q in range(count):
        _find_vacant(is_source, search, vacant)
        _augment(geometry, is_source, cap, search, active[q], vacant[0])


@kernel()
def _find_vacant(is_source, search, vacant):
    """Move the pointer on to a free target; a target that was assigned once is never free again."""
    while is_source[vacant[0]] or search.partner[vacant[0]] != UNASSIGNED:
        vacant[0] += 1


@kernel()
def _bid(geometry, is_source, cap, search, i, vacant):
    """Give source i its best target, whose g falls until the second best is as good; returns the source it had."""
    potential, partner = search.potential, search.partner
    best = second = np.inf
    at = other = UNASSIGNED
    for k in range(len(is_source)):
        cost = geometry.sorted_distance[i, k]
        if min(cost, cap) >= second:
            break
        if cost >= cap:
            if cap < best:
                _find_vacant(is_source, search, vacant)
                best, at = cap, vacant[0]
            second = min(second, cap)
            break
        j = geometry.neighbour[i, k]
        if not is_source[j]:
            value = cost - potential[j]
            if value < best:
                best, second, at, other = value, best, j, at
            elif value < second:
                second, other = value, j
    if second <= best:
        potential[i] = best
        if partner[at] != UNASSIGNED:
            if other == UNASSIGNED or partner[other] != UNASSIGNED:
                return i
            at = other
        partner[i], partner[at] = at, i
        return UNASSIGNED
    if second < np.inf:
        potential[at] -= second - best
        potential[i] = second
    else:
        potential[i] = best
    loser = partner[at]
    if loser != UNASSIGNED:
        partner[loser] = UNASSIGNED
    partner[i], partner[at] = at, i
    return loser


@kernel()
def _augment(geometry, is_source, cap, search, s, vacant):
    """Assign source s along a shortest path of reduced costs to a free target; the potentials move along."""
    potential, partner, time, via, place, heap, key, settled = search
    limit, size = _reach_targets(geometry, is_source, cap, search, s, 0.0, np.inf, 0, vacant)
    count = 0
    while True:
        j = heap[0]
        size -= 1
        if size > 0:
            sift_down(heap, key, place, size, heap[size], key[size], 0)
        place[j] = _SETTLED
        if partner[j] == UNASSIGNED:
            break
        settled[count] = j
        count += 1
        limit, size = _reach_targets(geometry, is_source, cap, search, partner[j], time[j], limit, size, vacant)
    end = j
    for k in range(size):
        place[heap[k]] = _UNSEEN
    place[end] = _UNSEEN
    potential[s] += time[end]
    for k in range(count):
        j = settled[k]
        place[j] = _UNSEEN
        potential[j] -= time[end] - time[j]
        potential[partner[j]] += time[end] - time[j]
    j = end
    while j != UNASSIGNED:
        i = via[j]
        before = partner[i]
        partner[i], partner[j] = j, i
        j = before


@kernel()
def _reach_targets(geometry, is_source, cap, search, i, at, limit, size, vacant):
    """Lower the distances of the targets that source i reaches before ``limit``, the nearest free target so far."""
    potential, partner, time, via, place, heap, key, _ = search
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
                sift_up(heap, key, place, j, value, p)
                if partner[j] == UNASSIGNED:
                    limit = value
        if beyond:
            break
    return limit, size


@kernel()
def _check(geometry, is_source, cap, search):
    """Mean cost of the assignment, and its excess over the value of the potentials, from the distances alone."""
    potential, partner = search.potential, search.partner
    above = below = 0.0
    count = 0
    for i in range(len(is_source)):
        if not is_source[i]:
            below += potential[i]
            continue
        count += 1
        above += min(geometry.distance[i, partner[i]], cap)
        least = np.inf
        for j in range(len(is_source)):
            if not is_source[j]:
                least = min(least, min(geometry.distance[i, j], cap) - potential[j])
        below += least
    return above / count, (above - below) / count
