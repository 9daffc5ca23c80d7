"""The primal network simplex for transport on a sparse set of arcs.

A basis is a spanning tree (:mod:`otdiv.network_flow.trees.spanning_tree`); an arc (i, j) outside it has the
reduced cost c - p_i + p_j, the sum of the costs round the cycle it closes (Bazaraa, Jarvis and Sherali,
Linear Programming and Network Flows, ch. 9).

Masses are integers (:mod:`otdiv.network_flow.integer_masses`), so ties are exact.  The tree is strongly
feasible (Cunningham, Mathematical Programming 11, 1976): an arc without flow points to the root, that is, its
lower end is a source.  The leaving arc is the last blocking one on the cycle, from the apex along the
entering arc; this keeps the tree strongly feasible, and no basis is visited twice.

A pivot changes a cycle of some dozens of arcs, but the potentials of a tenth of the nodes.  Codes that update
potentials, subtree sizes or depths in every pivot (Kovacs, Optimization Methods and Software 30, 2015,
compares them) spend nearly all their time there.  Here potentials are recomputed only after a batch of
pivots, and only part by part of the tree (:mod:`otdiv.network_flow.trees.contracted_tree`).  The batch holds the
worst arc of each block by the potentials of its start (multiple partial pricing); whether an arc still violates when
its turn comes is decided by the costs round its cycle.  When a scan of all arcs finds few that violate, the nearly
tight ones are solved first.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.core.options import Tuning
from otdiv.network_flow.graph import ArcList
from otdiv.network_flow.pivot import pivot_recorded
from otdiv.network_flow.trees.contracted_tree import bring_up_to_date, contract
from otdiv.network_flow.trees.spanning_tree import Basis, update_potentials

_NONE = -1
_NODES_PER_ARC, _LEAST_BATCH = 256, 32
"""Nodes per arc of a batch, and the fewest arcs.  Smaller batches: more time in recomputing potentials after each."""
_BLOCK = 0.25
"""Arcs in a block, in units of the square root of all.  Larger: worse arcs enter, and more are scanned for each."""
_NEARLY_TIGHT = 0.25
"""Share of all arcs that is solved first when few arcs violate."""
_SAMPLE = 2048
"""Arcs that are sampled to find which those are.  More: a more exact share."""
PIVOTS_PER_NODE = 1000
"""Most pivots per node in one solve.  Beyond it only rounding still pivots, and the interval shows what is open."""


@kernel(borrows=True)
def batch_size(nodes):
    """Arcs that enter before the potentials are brought up to date."""
    return max(_LEAST_BATCH, nodes // _NODES_PER_ARC)


def block_size(arcs: int) -> int:
    """Arcs of which the worst enters."""
    return max(16, int(_BLOCK * np.sqrt(arcs)))


def repeat_batches(run_batch: Callable[[int], tuple[int, bool]], limit: int, batch: int) -> int:
    """Run batches of pivots until the optimum, or until ``limit`` pivots were made; returns their number.

    ``run_batch(most)`` makes up to ``most`` pivots, and returns how many and whether the basis is optimal.
    """
    total, optimal = 0, False
    while not optimal and total < limit:
        count, optimal = run_batch(min(batch, limit - total))
        total += max(1, count)
    return total


def pivot_to_optimum(
    n: int,
    arcs: ArcList,
    basis: Basis,
    share: float,
    scale: float,
    limit: int,
    tuning: Tuning,
    after_batch: Callable[[int], None],
) -> int:
    """Pivot until no arc violates, or until ``limit`` pivots were made; returns their number.

    Parameters
    ----------
    n : int
        Sources of the basis.
    arcs : ArcList
    basis : Basis
        Changed in place.
    share, scale : float
        An arc violates when its reduced cost is below -share * max(scale, largest potential).
    limit : int
    tuning : Tuning
    after_batch : callable
        Given the pivots of each batch; may raise to stop, and the basis is then feasible.
    """
    block, cursor = block_size(len(arcs.tails)), 0

    def run_batch(most: int) -> tuple[int, bool]:
        nonlocal cursor
        tolerance = share * max(scale, float(np.abs(basis.potential).max()))
        count, _, cursor, optimal = run_pivots(n, *arcs, basis, cursor, block, tolerance, most, tuning.scans_per_batch)
        update_potentials(n, basis)
        after_batch(int(count))
        return int(count), bool(optimal)

    return repeat_batches(run_batch, limit, tuning.pivots_per_batch)


@kernel()
def run_pivots(n, tails, heads, costs, basis, cursor, block, tolerance, most, most_scanned):
    """Up to ``most`` pivots; an arc violates when its reduced cost is below ``-tolerance``.

    Stops early after scanning about ``most_scanned`` arcs, so that one call takes bounded time.

    Returns
    -------
    count, scanned : int
        Pivots made, arcs scanned.
    cursor : int
        Where the next scan starts.
    optimal : bool
        Whether no arc violates.
    """
    count = scanned = 0
    optimal = False
    contraction = contract(basis)
    while not optimal and count < most and scanned < most_scanned:
        limits = block, tolerance, most - count, most_scanned - scanned
        pivots, seen, cursor, optimal, contraction = _pivot_in_batches(
            n, tails, heads, costs, basis, contraction, cursor, *limits, True
        )
        count += pivots
        scanned += seen
        if not optimal and count < most and scanned < most_scanned:  # few violate
            near = _nearly_tight(n, tails, heads, costs, basis.potential)
            arcs = tails[near], heads[near], costs[near]
            limits = max(16, block // 2), tolerance, most - count, most_scanned - scanned
            pivots, seen, _, _, contraction = _pivot_in_batches(n, *arcs, basis, contraction, 0, *limits, False)
            count += pivots
            scanned += seen + len(tails)
    return count, scanned, cursor, optimal


@kernel()
def _pivot_in_batches(
    n, tails, heads, costs, basis, contraction, cursor, block, tolerance, most, most_scanned, leave_when_few
):
    """Pivots on these arcs in batches, until a scan of all finds none, or does not fill a batch."""
    batch = np.empty(batch_size(len(basis.flow)), np.int64)
    count = scanned = idle = 0
    while count < most and scanned < most_scanned:
        size, seen, cursor = _select_batch(
            n, tails, heads, costs, basis.potential, cursor, block, tolerance, batch[: most - count]
        )
        scanned += seen
        entered = 0
        for e in range(size):
            k = batch[e]
            entered += pivot_recorded(tails[k], n + heads[k], costs[k], tolerance, basis, contraction)
        count += entered
        idle += seen
        if entered > 0:
            contraction = bring_up_to_date(n, basis, contraction)
            idle = 0
        if idle >= len(tails):  # arcs that seem to violate by rounding do not round their cycles
            return count, scanned, cursor, True, contraction
        if leave_when_few and seen == len(tails) and size < len(batch):
            break
    return count, scanned, cursor, False, contraction


@kernel(borrows=True)
def _select_batch(n, tails, heads, costs, potential, cursor, block, tolerance, batch):
    """The most violating arc of each block, until the batch is full or all arcs are scanned.

    Indices are unsigned, see :mod:`otdiv.network_flow.graph`.
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


@kernel()
def _nearly_tight(n, tails, heads, costs, potential):
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
