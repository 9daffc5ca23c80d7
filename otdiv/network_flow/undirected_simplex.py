"""Network simplex on an undirected graph: the cheapest flow that levels out the excesses of the nodes.

    min sum over edges of length * |flow|,  outflow - inflow = excess at every node
    max sum over nodes of excess * u,       |u_v - u_w| <= length on every edge

Edges have no capacity, so every spanning tree carries a flow; its edges are directed as
their flow is.  Excesses are integers.  The tree is strongly feasible (an edge without flow
leads to the root) and the last blocking edge leaves, so that no tree is visited twice (Cunningham,
Mathematical Programming 11, 1976; Ahuja, Magnanti and Orlin, Network Flows, ch. 11).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.core.validation import Array
from otdiv.network_flow.trees.cycle import find_apex

PARENT, CHILD, LEFT, RIGHT = range(4)


class Tree(NamedTuple):
    """A spanning tree rooted at node 0.

    Attributes
    ----------
    links : ndarray of int32 [n, 4]
        Parent, first child, left and right sibling; -1 for none.
    up : ndarray of bool [n]
        Whether the edge to the parent is directed to the parent.
    flow : ndarray of int64 [n]
        On that edge, in its direction.
    length, u : ndarray [n]
        Of that edge; the potential, which falls along the flow by the length.
    mark : ndarray of int32 [n]
        Scratch: the number of the last search for an apex that visited the node.
    """

    links: Array
    up: Array
    flow: Array
    length: Array
    u: Array
    mark: Array


@kernel()
def build_tree(tails, heads, lengths, excess):
    """The tree with these n - 1 edges, with its flow and potentials."""
    n = len(excess)
    first = np.zeros(n + 1, np.int64)
    for k in range(n - 1):
        first[tails[k] + 1] += 1
        first[heads[k] + 1] += 1
    for v in range(n):
        first[v + 1] += first[v]
    place, at = first[:-1].copy(), np.empty(2 * (n - 1), np.int64)
    for k in range(n - 1):
        for v in (tails[k], heads[k]):
            at[place[v]] = k
            place[v] += 1
    links = np.full((n, 4), -1, np.int32)
    up, flow, length = np.ones(n, np.bool_), excess.copy(), np.zeros(n)
    u, mark = np.zeros(n), np.zeros(n, np.int32)
    order = np.empty(n, np.int32)
    order[0], reached = 0, 1
    for k in range(n):
        v = order[k]
        for e in range(first[v], first[v + 1]):
            w = heads[at[e]] if tails[at[e]] == v else tails[at[e]]
            if w != links[v, PARENT]:
                _add_child(w, v, links)
                length[w] = lengths[at[e]]
                order[reached] = w
                reached += 1
    for k in range(n - 1, 0, -1):  # children before parents: the excess of a subtree flows to its parent
        v = order[k]
        flow[links[v, PARENT]] += flow[v]
        up[v] = flow[v] >= 0
        flow[v] = abs(flow[v])
    flow[0] = 0
    update_edge_potentials(links, up, length, u)
    return links, up, flow, length, u, mark


@kernel()
def next_in_subtree(v, top, links):
    """The node after v in the preorder of the subtree of ``top``; -1 at its end."""
    if links[v, CHILD] >= 0:
        return links[v, CHILD]
    while v != top:
        if links[v, RIGHT] >= 0:
            return links[v, RIGHT]
        v = links[v, PARENT]
    return -1


@kernel()
def update_edge_potentials(links, up, length, u):
    """Recompute all potentials: lengths are added up from the root."""
    v = next_in_subtree(0, 0, links)
    while v >= 0:
        u[v] = u[links[v, PARENT]] + (length[v] if up[v] else -length[v])
        v = next_in_subtree(v, 0, links)


@kernel()
def run_edge_pivots(graph, tree, cursor, block, tolerance, most):
    """Up to ``most`` pivots, each by the worst edge of the next block that has a violated one.

    Returns the number of pivots, where the next scan starts, and whether no edge is violated.
    """
    tails, heads, lengths = graph
    u = tree.u
    edges = len(tails)
    for count in range(most):
        entering, worst = -1, tolerance
        left = edges
        while left > 0 and entering < 0:
            stop = min(cursor + min(block, left), edges)
            for k in range(cursor, stop):
                over = abs(u[tails[k]] - u[heads[k]]) - lengths[k]
                if over > worst:
                    entering, worst = k, over
            left -= stop - cursor
            cursor = stop if stop < edges else 0
        if entering < 0:
            return count, cursor, True
        v, w = tails[entering], heads[entering]
        if u[v] > u[w]:
            _pivot(v, w, lengths[entering], tree)
        else:
            _pivot(w, v, lengths[entering], tree)
    return most, cursor, False


@kernel()
def _pivot(source, target, arc_length, tree):
    """The edge enters as source -> target; the last blocking edge of its cycle leaves."""
    links, up, flow, length, u, mark = tree
    apex = find_apex(source, target, 0, links[:, PARENT], mark)
    leaving, amount, at_source = -1, np.int64(2**62), True
    v = source
    while v != apex:
        if up[v] and flow[v] < amount:
            leaving, amount = v, flow[v]
        v = links[v, PARENT]
    v = target
    while v != apex:
        if not up[v] and flow[v] <= amount:
            leaving, amount, at_source = v, flow[v], False
        v = links[v, PARENT]
    if amount > 0:
        v = source
        while v != apex:
            flow[v] += -amount if up[v] else amount
            v = links[v, PARENT]
        v = target
        while v != apex:
            flow[v] += amount if up[v] else -amount
            v = links[v, PARENT]
    top, above = (source, target) if at_source else (target, source)
    shift = u[target] + arc_length - u[source]
    _reroot_subtree(top, leaving, above, tree)
    up[top], flow[top], length[top] = at_source, amount, arc_length
    shift = shift if at_source else -shift
    v = top
    while v >= 0:
        u[v] += shift
        v = next_in_subtree(v, top, links)


@kernel()
def _reroot_subtree(top, old_top, above, tree):
    """Cut off the subtree of ``old_top``, make its node ``top`` the root of it, and attach that to ``above``."""
    links, up, flow, length, _, _ = tree
    v, new_parent = top, above
    was_up, was_flow, was_length = up[top], flow[top], length[top]
    while True:
        old_parent = links[v, PARENT]
        _remove_child(v, old_parent, links)
        _add_child(v, new_parent, links)
        if v == old_top:
            return
        new_parent, v = v, old_parent
        up[v], was_up = not was_up, up[v]
        flow[v], was_flow = was_flow, flow[v]
        length[v], was_length = was_length, length[v]


@kernel()
def _remove_child(v, above, links):
    """Take v out of the children of ``above``."""
    before, after = links[v, LEFT], links[v, RIGHT]
    if before >= 0:
        links[before, RIGHT] = after
    else:
        links[above, CHILD] = after
    if after >= 0:
        links[after, LEFT] = before


@kernel()
def _add_child(v, above, links):
    """Make v the first child of ``above``."""
    first = links[above, CHILD]
    links[v, PARENT], links[v, LEFT], links[v, RIGHT] = above, -1, first
    if first >= 0:
        links[first, LEFT] = v
    links[above, CHILD] = v


@kernel()
def decompose_flow(excess, tree):
    """The flow of the tree as masses that go from nodes of positive excess to nodes of negative excess.

    Nodes are visited along the flow.  At each node there is a list of packets (origin, mass): what the node
    lacks is delivered, the rest is forwarded; a list that is forwarded whole is linked, not copied.

    Returns
    -------
    origins, ends : ndarray of int32 [k]
    masses : ndarray of int64 [k], k <= 3 n
    """
    links, up, flow, _, _, _ = tree
    n = len(excess)
    most = 3 * n + 1
    origin, mass, following = np.empty(most, np.int32), np.empty(most, np.int64), np.full(most, -1, np.int32)
    head, tail = np.full(n, -1, np.int32), np.full(n, -1, np.int32)
    origins, ends, masses = np.empty(most, np.int32), np.empty(most, np.int32), np.empty(most, np.int64)
    packets, sent = 0, 0
    waiting_for = np.zeros(n, np.int32)
    for v in range(1, n):
        if flow[v] > 0:
            waiting_for[links[v, PARENT] if up[v] else v] += 1
    stack = np.empty(n, np.int32)
    size = 0
    for v in range(n):
        if waiting_for[v] == 0:
            stack[size] = v
            size += 1
    while size > 0:
        size -= 1
        v = stack[size]
        if excess[v] > 0:
            origin[packets], mass[packets], following[packets] = v, excess[v], head[v]
            if head[v] < 0:
                tail[v] = packets
            head[v] = packets
            packets += 1
        lacking = -excess[v]
        while lacking > 0:
            p = head[v]
            part = min(lacking, mass[p])
            origins[sent], ends[sent], masses[sent] = origin[p], v, part
            sent += 1
            lacking -= part
            mass[p] -= part
            if mass[p] == 0:
                head[v] = following[p]
        # to the children first, what is left to the parent
        child = links[v, CHILD]
        while child >= 0:
            if flow[child] > 0 and not up[child]:
                packets = _forward(v, child, flow[child], origin, mass, following, head, tail, packets)
                waiting_for[child] -= 1
                if waiting_for[child] == 0:
                    stack[size] = child
                    size += 1
            child = links[child, RIGHT]
        if v > 0 and up[v] and flow[v] > 0:
            above = links[v, PARENT]
            if head[v] >= 0:  # all that is left: the lists are joined
                following[tail[v]] = head[above]
                if head[above] < 0:
                    tail[above] = tail[v]
                head[above] = head[v]
            waiting_for[above] -= 1
            if waiting_for[above] == 0:
                stack[size] = above
                size += 1
    return origins[:sent], ends[:sent], masses[:sent]


@kernel()
def _forward(v, w, amount, origin, mass, following, head, tail, packets):
    """Move packets worth ``amount`` from the list of v to that of w, the last one in part."""
    while amount > 0:
        p = head[v]
        if mass[p] > amount:
            mass[p] -= amount
            q = packets
            origin[q], mass[q] = origin[p], amount
            packets += 1
            amount = 0
        else:
            q = p
            head[v] = following[p]
            amount -= mass[p]
        following[q] = head[w]
        if head[w] < 0:
            tail[w] = q
        head[w] = q
    return packets
