"""Pivots of the network simplex where few arcs violate: only what a pivot has changed is priced again.

A pivot changes the potentials of one subtree, all by the same amount, and only arcs between that subtree and the
rest can begin to violate.  Where few arcs do, following the subtree and its arcs takes far less time than all
potentials and a scan of all arcs after each handful of pivots.  The tree then carries lists of children, and the
arcs are stored by node.
"""

from __future__ import annotations

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.network_flow.trees.spanning_tree import find_apex, move_round_cycle, update_potentials

_NONE = -1


@kernel()
def pivot_locally(n, tails, heads, costs, basis, tolerance, most, most_scanned):
    """Pivot until none of these arcs violates; returns pivots and arcs scanned.

    Stops early after ``most`` pivots, or after scanning about ``most_scanned`` arcs.  The potentials are those of
    the tree at the end.

    The queue holds nodes: each violating arc has an end in it.
    """
    parent, _, cost, potential, _ = basis
    nodes = len(parent)
    update_potentials(n, basis)
    start, at = _arcs_by_node(n, nodes, tails, heads)
    children = _list_children(parent)
    queue, queued = np.empty(nodes, np.int32), np.zeros(nodes, np.bool_)
    head = size = count = 0
    scanned = len(tails)
    for k in range(len(tails)):
        v = tails[k]
        if not queued[v] and costs[k] - potential[v] + potential[n + heads[k]] < -tolerance:
            queue[size], queued[v] = v, True
            size += 1
    subtree = np.empty(nodes, np.int32)
    while size > 0 and count < most and scanned < most_scanned:
        v = queue[head]
        head = head + 1 if head + 1 < nodes else 0
        size -= 1
        queued[v] = False
        entering, lowest = _lowest_arc(n, v, start, at, tails, heads, costs, potential)
        scanned += start[v + 1] - start[v]
        if lowest >= -tolerance:
            continue
        top = _pivot(n, tails[entering], n + heads[entering], costs[entering], basis, children)
        count += 1
        before = potential[top]
        moved = _follow_subtree(n, top, parent, cost, potential, children, subtree)
        rises = potential[top] > before  # then arcs out of the subtree's sources become cheaper, else those into it
        for e in range(-1, moved):
            u = subtree[e] if e >= 0 else v
            if queued[u] or (e >= 0 and (u < n) != rises):
                continue
            scanned += start[u + 1] - start[u]
            _, lowest = _lowest_arc(n, u, start, at, tails, heads, costs, potential)
            if lowest < -tolerance:
                end = head + size
                queue[end if end < nodes else end - nodes], queued[u] = u, True
                size += 1
    return count, scanned


@kernel()
def _arcs_by_node(n, nodes, tails, heads):
    """The arcs at node v: at[start[v]] ... at[start[v + 1] - 1]."""
    start = np.zeros(nodes + 1, np.int64)
    for k in range(len(tails)):
        start[tails[k] + 1] += 1
        start[n + heads[k] + 1] += 1
    for v in range(nodes):
        start[v + 1] += start[v]
    place = start[:-1].copy()
    at = np.empty(2 * len(tails), np.int32)
    for k in range(len(tails)):
        u, v = tails[k], n + heads[k]
        at[place[u]], at[place[v]] = k, k
        place[u] += 1
        place[v] += 1
    return start, at


@kernel()
def _list_children(parent):
    """First child of each node, and next and previous sibling: linked lists."""
    nodes = len(parent)
    first, after, before = (
        np.full(nodes, _NONE, np.int32),
        np.full(nodes, _NONE, np.int32),
        np.full(nodes, _NONE, np.int32),
    )
    children = first, after, before
    for v in range(nodes):
        if parent[v] >= 0:
            _attach(v, parent[v], children)
    return children


@kernel()
def _attach(v, above, children):
    first, after, before = children
    after[v], before[v] = first[above], _NONE
    if first[above] >= 0:
        before[first[above]] = v
    first[above] = v


@kernel()
def _detach(v, above, children):
    first, after, before = children
    if before[v] >= 0:
        after[before[v]] = after[v]
    else:
        first[above] = after[v]
    if after[v] >= 0:
        before[after[v]] = before[v]


@kernel()
def _lowest_arc(n, v, start, at, tails, heads, costs, potential):
    """The arc of lowest reduced cost at a node."""
    entering, lowest = _NONE, np.inf
    for e in range(start[v], start[v + 1]):
        k = at[e]
        reduced = costs[k] - potential[tails[k]] + potential[n + heads[k]]
        if reduced < lowest:
            entering, lowest = k, reduced
    return entering, lowest


@kernel()
def _follow_subtree(n, top, parent, cost, potential, children, subtree):
    """Recompute the potentials of the subtree; its nodes are written to ``subtree``, their number is returned."""
    first, after, _ = children
    subtree[0], size, done = top, 1, 0
    while done < size:
        v = subtree[done]
        done += 1
        above = potential[parent[v]]
        potential[v] = above + cost[v] if v < n else above - cost[v]
        w = first[v]
        while w >= 0:
            subtree[size] = w
            size += 1
            w = after[w]
    return size


@kernel()
def _pivot(n, source, target, arc_cost, basis, children):
    """As :func:`otdiv.network_flow.simplex_pivots.pivot`; returns the root of the subtree that has moved."""
    parent, flow, cost, _, mark = basis
    apex = find_apex(source, target, len(parent) - 1, parent, mark)
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
    if amount > 0:
        move_round_cycle(n, source, target, apex, amount, parent, flow)
    top, above = (source, target) if at_source else (target, source)
    v, new_parent = top, above
    arc_flow, arc_cost_now = amount, arc_cost
    while True:
        old_parent = parent[v]
        _detach(v, old_parent, children)
        _attach(v, new_parent, children)
        parent[v] = new_parent
        flow[v], arc_flow = arc_flow, flow[v]
        cost[v], arc_cost_now = arc_cost_now, cost[v]
        if v == leaving:
            return top
        new_parent, v = v, old_parent
