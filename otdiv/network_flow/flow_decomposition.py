"""Decomposition of a flow on a tree into masses that go from nodes with an excess to nodes that lack it.

(Ahuja, Magnanti and Orlin, Network Flows, ch. 3.5.)
"""

from __future__ import annotations

import numpy as np

from otdiv.core.compilation import kernel

_NONE = -1


@kernel()
def decompose_flow(excess, basis):
    """The flow of the tree as masses that go from nodes of positive excess to nodes of negative excess.

    Nodes are visited along the flow.  At each node there is a list of packets (origin, mass): what the node
    lacks is delivered, the rest is forwarded; a list that is forwarded whole is linked, not copied.

    Returns
    -------
    origins, ends : ndarray of int32 [k]
    masses : ndarray of int64 [k], k <= 3 n
    """
    parent, flow, rise = basis.parent, basis.flow, basis.cost
    n = len(excess)
    root = n - 1
    most = 3 * n + 1
    origin, mass, following = np.empty(most, np.int32), np.empty(most, np.int64), np.full(most, -1, np.int32)
    head, tail = np.full(n, -1, np.int32), np.full(n, -1, np.int32)
    origins, ends, masses = np.empty(most, np.int32), np.empty(most, np.int32), np.empty(most, np.int64)
    packets, sent = 0, 0
    first_child, sibling = np.full(n, _NONE, np.int32), np.full(n, _NONE, np.int32)
    waiting_for = np.zeros(n, np.int32)
    for v in range(root):
        above = parent[v]
        sibling[v], first_child[above] = first_child[above], v
        if flow[v] > 0:
            waiting_for[above if rise[v] > 0 else v] += 1
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
        child = first_child[v]
        while child >= 0:
            if flow[child] > 0 and rise[child] < 0:
                packets = _forward(v, child, flow[child], origin, mass, following, head, tail, packets)
                waiting_for[child] -= 1
                if waiting_for[child] == 0:
                    stack[size] = child
                    size += 1
            child = sibling[child]
        if v != root and rise[v] > 0 and flow[v] > 0:
            above = parent[v]
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
