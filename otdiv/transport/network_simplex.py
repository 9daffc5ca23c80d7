"""The primal network simplex for transport on a sparse set of arcs.

A basis is a spanning tree of the sources and the targets.  It lives in its own
arrays (:class:`Basis`), apart from the list of arcs, so that arcs may be added,
sorted or dropped between two calls and the tree stays as it is.

The tree is kept in preorder (Bazaraa, Jarvis and Sherali, Linear Programming
and Network Flows, ch. 9; Ahuja, Magnanti and Orlin, Network Flows, ch. 11;
the choice of indices after Kovacs, Optimization Methods and Software 30, 2015):

- ``parent`` and, for the arc to the parent, ``cost`` and ``flow``.  Arcs lead from
  sources to targets, so the node's side tells the direction of that arc;
- ``thread`` the next node in preorder, ``back`` the one before, ``last`` the last node of
  the subtree and ``size`` its number of nodes.

``potential`` p holds f on the sources and -g on the targets: an arc (i, j) has the
reduced cost c - p_i + p_j, zero on the tree, and a subtree moves by one number.

Masses are integers (:mod:`otdiv.transport.coarsen`), so ties are exact.  The tree is
strongly feasible (Cunningham, Mathematical Programming 11, 1976): an arc without
flow points to the root.  The leaving arc is the last blocking one on the way round
from the apex along the entering arc; this keeps the tree so, and no basis returns.

Imports numba and errors only; numba is loaded with this file.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from otdiv.errors import Array


class Basis(NamedTuple):
    """A spanning tree of n sources and m targets (numbered n ... n + m - 1), rooted at the last target.

    Attributes
    ----------
    parent, thread, back, last, size : ndarray of int32 [n + m]
    flow : ndarray of int64 [n + m]
        On the arc to the parent.
    cost, potential : ndarray [n + m]
    """

    parent: Array
    thread: Array
    back: Array
    last: Array
    size: Array
    flow: Array
    cost: Array
    potential: Array


def basis_of(n: int, m: int, tails: Array, heads: Array, flows: Array, costs: Array) -> Basis:
    """The basis whose tree has the n + m - 1 arcs (tails, heads), with their flows and costs."""
    nodes = n + m
    parent, thread, back, last, size = (np.empty(nodes, np.int32) for _ in range(5))
    flow, cost, potential = np.zeros(nodes, np.int64), np.zeros(nodes), np.zeros(nodes)
    basis = Basis(parent, thread, back, last, size, flow, cost, potential)
    reached = _grow(n, tails, heads, flows, costs, basis)
    if reached != nodes:
        raise ValueError(f"{len(tails)} arcs reach {reached} of {nodes} nodes: no spanning tree")
    return basis


@njit(cache=True, nogil=True)
def _grow(n, tails, heads, flows, costs, basis):  # type: ignore[no-untyped-def]
    """Hang the tree up at the last node, in preorder; returns the number of nodes reached."""
    parent, thread, back, last, size, flow, cost, potential = basis
    nodes = len(parent)
    first = np.zeros(nodes + 1, np.int64)  # arcs at each node, one after the other
    for k in range(len(tails)):
        first[tails[k] + 1] += 1
        first[n + heads[k] + 1] += 1
    for v in range(nodes):
        first[v + 1] += first[v]
    place = first[:-1].copy()
    at = np.empty(2 * len(tails), np.int64)
    for k in range(len(tails)):
        u, v = tails[k], n + heads[k]
        at[place[u]], at[place[v]] = k, k
        place[u] += 1
        place[v] += 1
    root = nodes - 1
    stack = np.empty(nodes, np.int32)
    stack[0], waiting = root, 1
    parent[root] = -1
    order = np.empty(nodes, np.int32)
    seen = np.zeros(nodes, np.bool_)
    seen[root] = True
    reached = 0
    while waiting > 0:
        waiting -= 1
        v = stack[waiting]
        order[reached] = v
        reached += 1
        for e in range(first[v], first[v + 1]):
            k = at[e]
            w = n + heads[k] if v < n else tails[k]
            if not seen[w]:
                seen[w] = True
                parent[w], flow[w], cost[w] = v, flows[k], costs[k]
                potential[w] = potential[v] + costs[k] if w < n else potential[v] - costs[k]
                stack[waiting] = w
                waiting += 1
    if reached < nodes:
        return reached
    for r in range(nodes):
        thread[order[r]] = order[(r + 1) % nodes]
        back[order[(r + 1) % nodes]] = order[r]
        size[r], last[r] = 1, r
    for r in range(nodes - 1, 0, -1):
        v = order[r]
        u = parent[v]
        size[u] += size[v]
        if last[u] == u:  # in reverse preorder the last child comes first
            last[u] = last[v]
    return reached


@njit(cache=True, nogil=True)
def refresh_potentials(n, basis):  # type: ignore[no-untyped-def]
    """Add the costs up anew from the root, so that no rounding of former pivots remains."""
    v = basis.thread[len(basis.parent) - 1]
    while basis.parent[v] >= 0:
        u = basis.parent[v]
        basis.potential[v] = basis.potential[u] + basis.cost[v] if v < n else basis.potential[u] - basis.cost[v]
        v = basis.thread[v]


@njit(cache=True, nogil=True)
def pivot(n, tails, heads, costs, basis, cursor, block, tolerance, most, most_scanned):  # type: ignore[no-untyped-def]
    """Up to ``most`` pivots; each enters the most violating arc of the next block that has one.

    An arc violates when its reduced cost is below ``-tolerance``.  Stops early after looking at
    ``most_scanned`` arcs, so that one call takes bounded time.

    Returns
    -------
    count, scanned : int
        Pivots made, arcs looked at.
    cursor : int
        Where the next scan starts.
    optimal : bool
        Whether no arc violates.
    """
    potential = basis.potential
    arcs = len(tails)
    count = 0
    scanned = 0
    while count < most and scanned < most_scanned:
        entering, lowest = -1, -tolerance
        left = arcs
        while left > 0 and entering < 0:
            stop = min(cursor + min(block, left), arcs)
            for k in range(cursor, stop):
                reduced = costs[k] - potential[tails[k]] + potential[n + heads[k]]
                if reduced < lowest:
                    entering, lowest = k, reduced
            left -= stop - cursor
            scanned += stop - cursor
            cursor = stop if stop < arcs else 0
        if entering < 0:
            return count, scanned, cursor, True
        exchange(n, tails[entering], n + heads[entering], costs[entering], basis)
        count += 1
    return count, scanned, cursor, False


@njit(cache=True, nogil=True)
def exchange(n, source, target, arc_cost, basis):  # type: ignore[no-untyped-def]
    """One pivot: the arc source -> target enters the tree, the last blocking arc of its cycle leaves."""
    apex = _apex(source, target, basis)
    leaving, amount, at_source = _leaving(n, source, target, apex, basis)
    if amount > 0:
        _push(n, source, target, apex, amount, basis)
    shift = arc_cost - basis.potential[source] + basis.potential[target]
    new_root, new_parent = (source, target) if at_source else (target, source)
    _detach(leaving, apex, basis)
    _hang_up_at(new_root, leaving, basis)
    basis.flow[new_root], basis.cost[new_root] = amount, arc_cost
    _attach(new_root, new_parent, apex, basis)
    _move(new_root, shift if at_source else -shift, basis)


@njit(cache=True, nogil=True)
def _apex(u, v, basis):  # type: ignore[no-untyped-def]
    """Where the paths from u and v to the root meet: the smaller subtree climbs."""
    parent, size = basis.parent, basis.size
    while u != v:
        if size[u] < size[v]:
            u = parent[u]
        elif size[u] > size[v]:
            v = parent[v]
        else:
            u, v = parent[u], parent[v]
    return u


@njit(cache=True, nogil=True)
def _leaving(n, source, target, apex, basis):  # type: ignore[no-untyped-def]
    """The node whose arc to its parent leaves, the amount that goes round, and on which side it lies.

    The cycle runs apex ... source -> target ... apex.  Against it lie the arcs of the sources on the
    first half and those of the targets on the second; the least flow among them blocks.  Ties go to
    the last on the way round.
    """
    parent, flow = basis.parent, basis.flow
    leaving, amount, at_source = source, np.int64(2**62), True
    v = source
    while v != apex:
        if v < n and flow[v] < amount:
            leaving, amount = v, flow[v]
        v = parent[v]
    v = target
    while v != apex:
        if v >= n and flow[v] <= amount:
            leaving, amount, at_source = v, flow[v], False
        v = parent[v]
    return leaving, amount, at_source


@njit(cache=True, nogil=True)
def _push(n, source, target, apex, amount, basis):  # type: ignore[no-untyped-def]
    parent, flow = basis.parent, basis.flow
    v = source
    while v != apex:
        flow[v] += -amount if v < n else amount
        v = parent[v]
    v = target
    while v != apex:
        flow[v] += amount if v < n else -amount
        v = parent[v]


@njit(cache=True, nogil=True)
def _detach(top, apex, basis):  # type: ignore[no-untyped-def]
    """Take the subtree of ``top`` out of the preorder; its own inner order stays."""
    parent, thread, back, last, size = basis.parent, basis.thread, basis.back, basis.last, basis.size
    end, before = last[top], back[top]
    after = thread[end]
    thread[before], back[after] = after, before
    v = parent[top]
    while v >= 0 and last[v] == end:
        last[v] = before
        v = parent[v]
    v = parent[top]
    while v != apex:
        size[v] -= size[top]
        v = parent[v]


@njit(cache=True, nogil=True)
def _hang_up_at(root, top, basis):  # type: ignore[no-untyped-def]
    """Re-root the loose subtree of ``top`` at its node ``root``.

    Along the stem root = s_0, s_1, ..., s_k = top the new preorder is the old subtree of s_0, then
    that of s_1 without that of s_0, and so on: each is a piece before and a piece behind.
    """
    parent, thread, back, last, size = basis.parent, basis.thread, basis.back, basis.last, basis.size
    flow, cost = basis.flow, basis.cost
    whole = size[top]
    child, node = root, parent[root]
    end = last[root]  # of the new order so far
    # of the child's old place: its size, the nodes before and behind its subtree, its last node, its arc
    child_size, child_last, child_flow, child_cost = size[root], last[root], flow[root], cost[root]
    before, behind = back[root], thread[child_last]
    while child != top:
        above, node_size, node_last, node_back = parent[node], size[node], last[node], back[node]
        node_flow, node_cost = flow[node], cost[node]
        node_behind = behind if node_last == child_last else thread[node_last]
        thread[end], back[node] = node, end
        end = before
        if child_last != node_last:
            thread[before], back[behind] = behind, before
            end = node_last
        parent[node], flow[node], cost[node] = child, child_flow, child_cost
        size[node] = whole - child_size
        child, node, before, behind = node, above, node_back, node_behind
        child_size, child_last, child_flow, child_cost = node_size, node_last, node_flow, node_cost
    size[root] = whole
    v = top
    while v != root:
        last[v] = end
        v = parent[v]
    last[root] = end


@njit(cache=True, nogil=True)
def _attach(top, above, apex, basis):  # type: ignore[no-untyped-def]
    """Put the loose subtree of ``top`` below ``above``, as its first child."""
    parent, thread, back, last, size = basis.parent, basis.thread, basis.back, basis.last, basis.size
    end, after = last[top], thread[above]
    thread[above], back[top] = top, above
    thread[end], back[after] = after, end
    parent[top] = above
    v = above
    while v >= 0 and last[v] == above:
        last[v] = end
        v = parent[v]
    v = above
    while v != apex:
        size[v] += size[top]
        v = parent[v]


@njit(cache=True, nogil=True)
def _move(top, shift, basis):  # type: ignore[no-untyped-def]
    thread, potential = basis.thread, basis.potential
    v = top
    for _ in range(basis.size[top]):
        potential[v] += shift
        v = thread[v]
