"""The primal network simplex for transport on a sparse set of arcs.

A basis is a spanning tree (:mod:`otdiv.network_flow.spanning_tree`); an arc (i, j) outside
has the reduced cost c - p_i + p_j, the sum of the costs round the cycle it closes
(Bazaraa, Jarvis and Sherali, Linear Programming and Network Flows, ch. 9).

Masses are integers (:mod:`otdiv.transport.methods.multiscale.scales`), so ties are exact.  The tree is
strongly feasible (Cunningham, Mathematical Programming 11, 1976): an arc without flow
points to the root, that is, its lower end is a source.  The leaving arc is the last
blocking one on the way round from the apex along the entering arc; this keeps the tree
so, and no basis returns.

A pivot goes round a cycle of some dozens of arcs, but the potentials of a tenth of the
nodes move with it.  Codes that keep them, subtree sizes or depths right in every pivot
(Kovacs, Optimization Methods and Software 30, 2015, compares them) spend nearly all
their time there.  Here potentials are added up anew only after a batch of pivots.  By
them the batch is selected, the worst arc of each block (multiple partial pricing);
whether it still violates when its turn comes, the costs round its cycle tell.  When a
look at all arcs finds few that violate, the nearly tight ones are solved first.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from otdiv.network_flow.spanning_tree import find_apex, refresh_potentials, rehang

_NONE = -1
_NODES_PER_ARC = 128
"""So many nodes for each arc of a batch: adding up all potentials then takes about as long as the batch's pivots."""
_NEARLY_TIGHT = 0.25
"""When few arcs violate, this share of all is solved first."""
_SAMPLE = 2048
"""Arcs looked at to find which those are."""


@njit(cache=True, nogil=True)
def pivot(n, tails, heads, costs, basis, cursor, block, tolerance, most, most_scanned):  # type: ignore[no-untyped-def]
    """Up to ``most`` pivots; an arc violates when its reduced cost is below ``-tolerance``.

    Stops early after looking at about ``most_scanned`` arcs, so that one call takes bounded time.

    Returns
    -------
    count, scanned : int
        Pivots made, arcs looked at.
    cursor : int
        Where the next scan starts.
    optimal : bool
        Whether no arc violates.
    """
    count = scanned = 0
    optimal = False
    while not optimal and count < most and scanned < most_scanned:
        limits = block, tolerance, most - count, most_scanned - scanned
        pivots, looked, cursor, optimal = _batches(n, tails, heads, costs, basis, cursor, *limits, True)
        count += pivots
        scanned += looked
        if not optimal and count < most and scanned < most_scanned:  # few violate
            near = _nearly_tight(n, tails, heads, costs, basis.potential)
            limits = max(16, block // 2), tolerance, most - count, most_scanned - scanned
            pivots, looked, _, _ = _batches(n, tails[near], heads[near], costs[near], basis, 0, *limits, False)
            count += pivots
            scanned += looked + len(tails)
    return count, scanned, cursor, optimal


@njit(cache=True, nogil=True)
def _batches(n, tails, heads, costs, basis, cursor, block, tolerance, most, most_scanned, until_few):  # type: ignore[no-untyped-def]
    """Pivots on these arcs in batches, to the optimum or until too ``few`` violate to fill a batch."""
    batch = np.empty(max(8, len(basis.flow) // _NODES_PER_ARC), np.int64)
    count = scanned = 0
    while count < most and scanned < most_scanned:
        size, looked, cursor = _worst_of_blocks(
            n, tails, heads, costs, basis.potential, cursor, block, tolerance, batch[: most - count]
        )
        scanned += looked
        entered = 0
        for e in range(size):
            k = batch[e]
            entered += exchange(n, tails[k], n + heads[k], costs[k], tolerance, basis)
        count += entered
        if entered > 0:
            refresh_potentials(n, basis)
        whole_round = looked == len(tails)
        if whole_round and entered == 0:
            return count, scanned, cursor, True
        if whole_round and until_few and size < len(batch):
            break
    return count, scanned, cursor, False


@njit(cache=True, nogil=True)
def _worst_of_blocks(n, tails, heads, costs, potential, cursor, block, tolerance, batch):  # type: ignore[no-untyped-def]
    """The most violating arc of each block, until the batch is full or once round.

    Unsigned indices: of signed ones numba asks each time whether they count from the end, which costs more than
    the look.
    """
    size, left, arcs = 0, len(tails), len(tails)
    while left > 0 and size < len(batch):
        stop = min(cursor + min(block, left), arcs)
        entering, lowest = _NONE, -tolerance
        for k in range(np.uint64(cursor), np.uint64(stop)):
            reduced = costs[k] - potential[np.uint32(tails[k])] + potential[np.uint32(n + heads[k])]
            if reduced < lowest:
                entering, lowest = np.int64(k), reduced
        if entering >= 0:
            batch[size] = entering
            size += 1
        left -= stop - cursor
        cursor = stop if stop < arcs else 0
    return size, arcs - left, cursor


@njit(cache=True, nogil=True)
def _nearly_tight(n, tails, heads, costs, potential):  # type: ignore[no-untyped-def]
    """The arcs of lowest reduced cost, those of the tree among them."""
    step = max(1, len(tails) // _SAMPLE)
    sample = np.empty(len(tails) // step)
    for e in range(len(sample)):
        k = e * step
        sample[e] = costs[k] - potential[tails[k]] + potential[n + heads[k]]
    sample.sort()
    reach = max(0.0, sample[int(_NEARLY_TIGHT * len(sample))])
    near, size = np.empty(len(tails), np.int32), 0
    for k in range(np.uint64(len(tails))):
        if costs[k] - potential[np.uint32(tails[k])] + potential[np.uint32(n + heads[k])] <= reach:
            near[size] = k
            size += 1
    return near[:size]


@njit(cache=True, nogil=True)
def exchange(n, source, target, arc_cost, tolerance, basis):  # type: ignore[no-untyped-def]
    """One pivot: the arc source -> target enters the tree if it violates, the last blocking arc of its cycle leaves.

    The cycle runs apex ... source -> target ... apex.  Against it lie the arcs of the sources on the
    first half and those of the targets on the second; the least flow among them blocks.  Ties go to
    the last on the way round.  Returns whether it entered.
    """
    parent, flow, cost, _, mark = basis
    apex = find_apex(source, target, len(parent) - 1, parent, mark)
    reduced = arc_cost
    leaving, amount, at_source = source, np.int64(2**62), True
    v = source
    while v != apex:
        if v < n:
            reduced -= cost[v]
            if flow[v] < amount:
                leaving, amount = v, flow[v]
        else:
            reduced += cost[v]
        v = parent[v]
    v = target
    while v != apex:
        if v >= n:
            reduced -= cost[v]
            if flow[v] <= amount:
                leaving, amount, at_source = v, flow[v], False
        else:
            reduced += cost[v]
        v = parent[v]
    if reduced >= -tolerance:
        return False
    if amount > 0:
        v = source
        while v != apex:
            flow[v] += -amount if v < n else amount
            v = parent[v]
        v = target
        while v != apex:
            flow[v] += amount if v < n else -amount
            v = parent[v]
    top, above = (source, target) if at_source else (target, source)
    rehang(top, leaving, above, basis)
    flow[top], cost[top] = amount, arc_cost
    return True
