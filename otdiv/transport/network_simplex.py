"""The primal network simplex for transport on a sparse set of arcs.

A basis is a spanning tree of the sources and the targets.  It lives in its own
arrays (:class:`Basis`), apart from the list of arcs, so that arcs may be added,
sorted or dropped between two calls and the tree stays as it is.  Arcs lead from
sources to targets, so the side of a node tells the direction of the arc to its
parent.  ``potential`` p holds f on the sources and -g on the targets: an arc (i, j) has
the reduced cost c - p_i + p_j, zero on the tree, and a subtree moves by one number
(Ahuja, Magnanti and Orlin, Network Flows, ch. 11; Bazaraa, Jarvis and Sherali, Linear
Programming and Network Flows, ch. 9).

Masses are integers (:mod:`otdiv.transport.coarsen`), so ties are exact.  The tree is
strongly feasible (Cunningham, Mathematical Programming 11, 1976): an arc without flow
points to the root, that is, its lower end is a source.  The leaving arc is the last
blocking one on the way round from the apex along the entering arc; this keeps the tree
so, and no basis returns.

Nearly all pivots move no flow, and nearly all move a subtree of a few nodes while paths
to the root are hundreds of arcs long.  Codes that keep subtree sizes or depths (Kovacs,
Optimization Methods and Software 30, 2015, compares them) walk those paths in every
pivot.  Here nothing is kept but parent, first child and both siblings: the first arc
without flow above the entering arc's source leaves, provided its subtree does not hold
the target, which a walk through the subtree tells; all else is local to that subtree.

Pricing is by blocks: the most violating arc of the next block that has one enters.
Imports numba and errors only; numba is loaded with this file.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from otdiv.errors import Array

_NONE = -1
PARENT, CHILD, LEFT, RIGHT = range(4)


class Basis(NamedTuple):
    """A spanning tree of n sources and m targets (numbered n ... n + m - 1), rooted at the last target.

    Attributes
    ----------
    links : ndarray of int32 [n + m, 4]
        Parent, first child, left and right sibling of each node, side by side in memory; -1 for none.
    flow : ndarray of int64 [n + m]
        On the arc to the parent.
    cost, potential : ndarray [n + m]
    mark : ndarray of int32 [n + m]
        Scratch: the last search for an apex that came by.
    """

    links: Array
    flow: Array
    cost: Array
    potential: Array
    mark: Array


def basis_of(n: int, m: int, tails: Array, heads: Array, flows: Array, costs: Array) -> Basis:
    """The basis whose tree has the n + m - 1 arcs (tails, heads), with their flows and costs."""
    nodes = n + m
    links = np.full((nodes, 4), _NONE, np.int32)
    flow, mark = np.zeros(nodes, np.int64), np.zeros(nodes, np.int32)
    basis = Basis(links, flow, np.zeros(nodes), np.zeros(nodes), mark)
    reached = _grow(n, tails, heads, flows, costs, basis)
    if reached != nodes:
        raise ValueError(f"{len(tails)} arcs reach {reached} of {nodes} nodes: no spanning tree")
    return basis


@njit(cache=True, nogil=True)
def _grow(n, tails, heads, flows, costs, basis):  # type: ignore[no-untyped-def]
    """Hang the tree up at the last node; returns the number of nodes reached."""
    flow, cost, potential = basis.flow, basis.cost, basis.potential
    nodes = len(flow)
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
    stack[0], waiting, reached = root, 1, 1
    seen = np.zeros(nodes, np.bool_)
    seen[root] = True
    while waiting > 0:
        waiting -= 1
        v = stack[waiting]
        for e in range(first[v], first[v + 1]):
            k = at[e]
            w = n + heads[k] if v < n else tails[k]
            if not seen[w]:
                seen[w] = True
                flow[w], cost[w] = flows[k], costs[k]
                potential[w] = potential[v] + costs[k] if w < n else potential[v] - costs[k]
                _adopt(w, v, basis)
                stack[waiting] = w
                waiting += 1
                reached += 1
    return reached


@njit(cache=True, nogil=True)
def next_in_subtree(v, top, links):  # type: ignore[no-untyped-def]
    """The node after v in the preorder of the subtree of ``top``; -1 at its end."""
    if links[v, CHILD] >= 0:
        return links[v, CHILD]
    while v != top:
        if links[v, RIGHT] >= 0:
            return links[v, RIGHT]
        v = links[v, PARENT]
    return _NONE


@njit(cache=True, nogil=True)
def preorder(basis):  # type: ignore[no-untyped-def]
    """All nodes, parents before children."""
    links = basis.links
    order = np.empty(len(links), np.int32)
    root = len(links) - 1
    v = root
    for k in range(len(links)):
        order[k] = v
        v = next_in_subtree(v, root, links)
    return order


@njit(cache=True, nogil=True)
def refresh_potentials(n, basis):  # type: ignore[no-untyped-def]
    """Add the costs up anew from the root, so that no rounding of former pivots remains."""
    links, cost, potential = basis.links, basis.cost, basis.potential
    root = len(links) - 1
    v = next_in_subtree(root, root, links)
    while v >= 0:
        u = links[v, PARENT]
        potential[v] = potential[u] + cost[v] if v < n else potential[u] - cost[v]
        v = next_in_subtree(v, root, links)


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
    potential = basis.potential
    shift = arc_cost - potential[source] + potential[target]
    idle = _first_idle(n, source, basis)
    if idle >= 0 and not _holds(idle, target, basis):
        rehang(source, idle, target, basis)
        basis.flow[source], basis.cost[source] = 0, arc_cost
        _move(source, shift, basis)
        return
    apex = find_apex(source, target, idle, basis)
    leaving, amount, at_source = _leaving(n, source, target, apex, basis)
    _push(n, source, target, apex, amount, basis)
    top, above = (source, target) if at_source else (target, source)
    rehang(top, leaving, above, basis)
    basis.flow[top], basis.cost[top] = amount, arc_cost
    _move(top, shift if at_source else -shift, basis)


@njit(cache=True, nogil=True)
def _first_idle(n, source, basis):  # type: ignore[no-untyped-def]
    """The first node above ``source`` (or itself) whose arc carries no flow; -1 if none.

    Such an arc points to the root, so its lower end is a source, and a flow around the cycle would lower it.
    """
    links, flow = basis.links, basis.flow
    v = source
    while v >= 0:
        if v < n and flow[v] == 0:
            return v
        v = links[v, PARENT]
    return _NONE


@njit(cache=True, nogil=True)
def _holds(top, node, basis):  # type: ignore[no-untyped-def]
    """Whether ``node`` lies below ``top``: walk through the subtree and climb from the node, whichever ends first."""
    links = basis.links
    walker, climber = top, node
    while True:
        if climber == top or walker == node:
            return True
        walker, climber = next_in_subtree(walker, top, links), links[climber, PARENT]
        if walker < 0 or climber < 0:
            return walker >= 0 and climber == top


@njit(cache=True, nogil=True)
def find_apex(source, target, idle, basis):  # type: ignore[no-untyped-def]
    """Where the paths from source and target to the root meet; at ``idle`` at the latest."""
    links, mark = basis.links, basis.mark
    root = len(mark) - 1
    mark[root] += 1  # the root's mark counts the searches
    now = mark[root]
    v = source
    while v != root and v != idle:
        mark[v] = now
        v = links[v, PARENT]
    mark[v] = now
    v = target
    while mark[v] != now:
        v = links[v, PARENT]
    return v


@njit(cache=True, nogil=True)
def _leaving(n, source, target, apex, basis):  # type: ignore[no-untyped-def]
    """The node whose arc to its parent leaves, the amount that goes round, and on which side it lies.

    The cycle runs apex ... source -> target ... apex.  Against it lie the arcs of the sources on the
    first half and those of the targets on the second; the least flow among them blocks.  Ties go to
    the last on the way round.
    """
    links, flow = basis.links, basis.flow
    leaving, amount, at_source = source, np.int64(2**62), True
    v = source
    while v != apex:
        if v < n and flow[v] < amount:
            leaving, amount = v, flow[v]
        v = links[v, PARENT]
    v = target
    while v != apex:
        if v >= n and flow[v] <= amount:
            leaving, amount, at_source = v, flow[v], False
        v = links[v, PARENT]
    return leaving, amount, at_source


@njit(cache=True, nogil=True)
def _push(n, source, target, apex, amount, basis):  # type: ignore[no-untyped-def]
    links, flow = basis.links, basis.flow
    v = source
    while v != apex:
        flow[v] += -amount if v < n else amount
        v = links[v, PARENT]
    v = target
    while v != apex:
        flow[v] += amount if v < n else -amount
        v = links[v, PARENT]


@njit(cache=True, nogil=True)
def rehang(top, old_top, above, basis):  # type: ignore[no-untyped-def]
    """Cut the subtree of ``old_top`` off, turn it so that its node ``top`` is the top, and hang it below ``above``.

    Along the stem from ``top`` to ``old_top`` parents become children; each arc's flow and cost pass from
    its former lower end to its new one.
    """
    links, flow, cost = basis.links, basis.flow, basis.cost
    v, new_parent = top, above
    arc_flow, arc_cost = flow[top], cost[top]
    while True:
        old_parent = links[v, PARENT]
        _leave(v, old_parent, basis)
        _adopt(v, new_parent, basis)
        if v == old_top:
            return
        new_parent, v = v, old_parent
        flow[v], arc_flow = arc_flow, flow[v]
        cost[v], arc_cost = arc_cost, cost[v]


@njit(cache=True, nogil=True)
def _leave(v, above, basis):  # type: ignore[no-untyped-def]
    """Take v out of the children of ``above``."""
    links = basis.links
    before, after = links[v, LEFT], links[v, RIGHT]
    if before >= 0:
        links[before, RIGHT] = after
    else:
        links[above, CHILD] = after
    if after >= 0:
        links[after, LEFT] = before


@njit(cache=True, nogil=True)
def _adopt(v, above, basis):  # type: ignore[no-untyped-def]
    """Make v the first child of ``above``."""
    links = basis.links
    first = links[above, CHILD]
    links[v, PARENT], links[v, LEFT], links[v, RIGHT] = above, _NONE, first
    if first >= 0:
        links[first, LEFT] = v
    links[above, CHILD] = v


@njit(cache=True, nogil=True)
def _move(top, shift, basis):  # type: ignore[no-untyped-def]
    """Shift the potentials of the subtree of ``top``."""
    links, potential = basis.links, basis.potential
    v = top
    while v >= 0:
        potential[v] += shift
        v = next_in_subtree(v, top, links)
