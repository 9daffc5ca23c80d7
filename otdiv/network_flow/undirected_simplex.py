"""Network simplex on an undirected graph: the cheapest flow that levels out the excesses of the nodes.

    min sum over edges of length * |flow|,  outflow - inflow = excess at every node
    max sum over nodes of excess * u,       |u_v - u_w| <= length on every edge

Edges have no capacity, so every spanning tree carries a flow; its edges are directed as
their flow is.  Excesses are integers.  The tree is strongly feasible (an edge without flow
leads to the root) and the last blocking edge leaves, so that no tree is visited twice (Cunningham,
Mathematical Programming 11, 1976; Ahuja, Magnanti and Orlin, Network Flows, ch. 11).

The tree is a :class:`otdiv.network_flow.trees.spanning_tree.Basis` whose nodes all count as sources: its ``potential``
is u, and its ``cost`` the rise of u from the parent to the node, the length of their edge with a sign: positive where
the edge is directed to the parent.  As in :mod:`otdiv.network_flow.simplex_pivots` edges enter in batches, after each
of which the potentials are brought up to date.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.core.options import Tuning
from otdiv.core.validation import Array
from otdiv.network_flow.graph import ArcList
from otdiv.network_flow.simplex_pivots import batch_size, block_size, repeat_batches
from otdiv.network_flow.trees.contracted_tree import bring_up_to_date, contract, replace_arc
from otdiv.network_flow.trees.cycle import find_cycle
from otdiv.network_flow.trees.spanning_tree import Basis, update_potentials

_LARGER = 2
"""Batches and blocks, in units of those for arcs between clouds: a third less time at 512 x 512, the same at 256."""
_NONE, _ONE = -1, np.uint64(1)


def basis_of_tree(order: Array, parent: Array, length: Array, excess: Array) -> Basis:
    """The basis of a spanning tree, with the flow that levels out the excesses.

    Parameters
    ----------
    order : ndarray of int [n]
        The nodes, parents before children; the root is the last node, n - 1.
    parent : ndarray of int32 [n]
        -1 at the root.
    length : ndarray [n]
        Of the edge to the parent; 0 at the root.
    excess : ndarray of int64 [n]
        With the sum 0.
    """
    n = len(parent)
    flow = excess.copy()
    _add_up_subtrees(order, parent, flow)
    scratch = np.zeros(n, np.int32), np.zeros(n, np.uint32), np.zeros(n, np.uint32)
    basis = Basis(parent, np.abs(flow), np.where(flow >= 0, length, -length), np.zeros(n), *scratch)
    update_potentials(n, basis)
    return basis


@kernel()
def _add_up_subtrees(order, parent, flow):
    """Add the excess of each subtree to its parent, to which it flows."""
    for k in range(len(order) - 1, 0, -1):
        v = order[k]
        flow[parent[v]] += flow[v]


def level_out(
    edges: ArcList, basis: Basis, share: float, limit: int, tuning: Tuning, after_batch: Callable[[int], None]
) -> int:
    """Pivot until no edge is violated, or until ``limit`` pivots were made; returns their number.

    Parameters
    ----------
    edges : ArcList
    basis : Basis
        Changed in place.
    share : float
        An edge is violated when its ends differ by more than its length and this share of the largest number.
    limit : int
    tuning : Tuning
    after_batch : callable
        Given the pivots of each batch; may raise to stop, and the flow of the basis is then feasible.
    """
    n, cursor = len(basis.parent), 0
    longest, block = float(edges.costs.max(initial=0.0)), _LARGER * block_size(len(edges.tails))

    def run_batch(most: int) -> tuple[int, bool]:
        nonlocal cursor
        tolerance = share * max(float(np.abs(basis.potential).max()), longest)
        limits = block, tolerance, most, tuning.scans_per_batch
        count, cursor, optimal = run_edge_pivots(*edges, basis, cursor, *limits)
        update_potentials(n, basis)
        after_batch(int(count))
        return int(count), bool(optimal)

    return repeat_batches(run_batch, limit, tuning.pivots_per_batch)


@kernel()
def run_edge_pivots(tails, heads, lengths, basis, cursor, block, tolerance, most, most_scanned):
    """Up to ``most`` pivots, until about ``most_scanned`` edges are scanned.

    Returns the number of pivots, where the next scan starts, and whether no edge is violated.
    """
    n = len(basis.parent)
    contraction = contract(basis)
    batch = np.empty(batch_size(_LARGER * n), np.int64)
    count = scanned = idle = 0
    while count < most and scanned < most_scanned:
        room = batch[: most - count]
        size, seen, cursor = _select_batch(tails, heads, lengths, basis.potential, cursor, block, tolerance, room)
        scanned += seen
        entered = 0
        for e in range(size):
            k = batch[e]
            entered += _pivot(tails[k], heads[k], lengths[k], tolerance, basis, contraction)
        count += entered
        idle += seen
        if entered > 0:
            contraction = bring_up_to_date(n, basis, contraction)
            idle = 0
        if idle >= len(tails):  # edges that seem to be violated by rounding are not round their cycles
            return count, cursor, True
    return count, cursor, False


@kernel(borrows=True)
def _select_batch(tails, heads, lengths, u, cursor, block, tolerance, batch):
    """The most violated edge of each block, until the batch is full or all edges are scanned."""
    size, left, edges = 0, len(tails), len(tails)
    while left > 0 and size < len(batch):
        stop = min(cursor + min(block, left), edges)
        entering, worst = _NONE, tolerance
        for k in range(np.uint64(cursor), np.uint64(stop)):
            over = abs(u[np.uint32(tails[k])] - u[np.uint32(heads[k])]) - lengths[k]
            if over > worst:
                entering, worst = np.int64(k), over
        if entering >= 0:
            batch[size] = entering
            size += 1
        left -= stop - cursor
        cursor = stop if stop < edges else 0
    return size, edges - left, cursor


@kernel(borrows=True)
def _pivot(v, w, length, tolerance, basis, contraction):
    """The edge enters, directed as u falls, if it is violated, and the last blocking edge of its cycle leaves.

    The cycle runs apex ... source -> target ... apex.  Edges against it block: those directed to the parent on the
    first half, the others on the second.  Returns whether the edge entered.
    """
    flow, rise = basis.flow, basis.cost
    source, target, of_source, of_target = np.uint32(v), np.uint32(w), basis.source_path, basis.target_path
    s, t = find_cycle(v, w, basis)
    fall = _rise_of_path(of_source, s, rise) - _rise_of_path(of_target, t, rise)
    if abs(fall) - length <= tolerance:
        return False
    if fall < 0:
        source, target, of_source, of_target, s, t = target, source, of_target, of_source, t, s
    last, amount, at_source = np.uint64(0), np.int64(2**62), True
    for e in range(s):
        x = of_source[e]
        if rise[x] > 0 and flow[x] < amount:
            last, amount = e, flow[x]
    for e in range(t):
        x = of_target[e]
        if rise[x] < 0 and flow[x] <= amount:
            last, amount, at_source = e, flow[x], False
    if amount > 0:
        _send_down(of_source, s, amount, flow, rise)
        _send_down(of_target, t, -amount, flow, rise)
    path, above = (of_source, target) if at_source else (of_target, source)
    replace_arc(path, last, above, amount, length if at_source else -length, basis, contraction)
    for e in range(_ONE, last + _ONE):  # here parents have become children
        rise[path[e]] = -rise[path[e]]
    return True


@kernel(borrows=True)
def _rise_of_path(path, size, rise):
    """By how much u rises from the end of the path to its start."""
    total = 0.0
    for e in range(size):
        total += rise[path[e]]
    return total


@kernel(borrows=True)
def _send_down(path, size, amount, flow, rise):
    """Send mass along the path from its end to its start: against the edges that are directed to the parent."""
    for e in range(size):
        v = path[e]
        flow[v] += -amount if rise[v] > 0 else amount
