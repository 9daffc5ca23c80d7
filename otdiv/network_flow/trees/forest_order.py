"""The arcs of a forest from the leaves inwards: in that order the masses of the nodes determine every flow."""

from __future__ import annotations

import numpy as np

from otdiv.core.compilation import kernel


@kernel()
def list_leaves_first(n, m, tails, heads):
    """Arcs and nodes such that, in this order, each node has no other arc left than the one beside it.

    The list is shorter than the arcs where some of them lie on a cycle or stand twice.

    Returns
    -------
    arcs, leaves : ndarray of int64
        Sources are the nodes 0 ... n - 1, targets n ... n + m - 1.
    """
    degree, arc = np.zeros(n + m, np.int64), np.zeros(n + m, np.int64)
    for k in range(len(tails)):
        for v in (np.int64(tails[k]), n + np.int64(heads[k])):
            degree[v] += 1
            arc[v] ^= k  # the exclusive or of the arcs at a node is its arc when there is one: no lists are needed
    arcs, leaves = np.empty(len(tails), np.int64), np.empty(len(tails), np.int64)
    count = 0
    for first in range(n + m):
        v = np.int64(first)
        while degree[v] == 1:
            k = arc[v]
            w = tails[k] + n + heads[k] - v
            arcs[count], leaves[count] = k, v
            count += 1
            degree[v] -= 1
            degree[w] -= 1
            arc[w] ^= k
            v = w
    return arcs[:count], leaves[:count]


@kernel()
def flow_on_forest(n, a, b, tails, heads):
    """The flow that carries the masses a to the masses b along the arcs of a forest.

    Parameters
    ----------
    n : int
        Sources.
    a, b : ndarray of int64 [n], [m]
    tails, heads : ndarray of int

    Returns
    -------
    flow : ndarray of int64
    possible : bool
        Whether the arcs are a forest, the flow is nowhere negative, and all mass is carried.
    """
    left = np.concatenate((a, b))
    flow = np.zeros(len(tails), np.int64)
    arcs, leaves = list_leaves_first(n, len(b), tails, heads)
    for e in range(len(arcs)):
        k, v = arcs[e], leaves[e]
        flow[k] = left[v]
        left[tails[k] + n + heads[k] - v] -= left[v]
        left[v] = 0
    return flow, len(arcs) == len(tails) and not left.any() and (len(flow) == 0 or flow.min() >= 0)
