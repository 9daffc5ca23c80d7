"""The cycle that an arc closes with a spanning tree: found, measured, used for mass, and broken elsewhere.

Paths through the tree are written down as they are followed: to read them from an array, several times and out of
order, takes less than to follow parents again, where each step waits for the one before.
"""

from __future__ import annotations

import numpy as np

from otdiv.core.compilation import kernel

_ONE, _TWO = np.uint64(1), np.uint64(2)  # indices are unsigned, see :mod:`otdiv.network_flow.graph`


@kernel(borrows=True)
def find_cycle(source, target, basis):
    """The cycle that an arc closes, as the paths of both its ends up to their lowest common ancestor.

    Both are followed in turn, so that what lies above it takes no time, and kept in the basis, since to read them there
    needs no node to find the next.  Their nodes are sources and targets in turn.

    Returns
    -------
    s, t : uint64
        The lengths of ``basis.source_path`` and ``basis.target_path``, without that ancestor.
    """
    parent, mark = basis.parent, basis.mark
    of_source, of_target = basis.source_path, basis.target_path
    root = np.uint32(len(parent) - 1)
    mark[root] += 1
    now = mark[root]
    u, v = np.uint32(source), np.uint32(target)
    s, t = np.uint64(0), np.uint64(0)
    while True:
        if u != root:
            if mark[u] == now:
                while of_target[t - _ONE] != u:
                    t -= _ONE
                return s, t - _ONE
            mark[u], of_source[s] = now, u
            s += _ONE
            u = np.uint32(parent[u])
        if v != root:
            if mark[v] == now:
                while of_source[s - _ONE] != v:
                    s -= _ONE
                return s - _ONE, t
            mark[v], of_target[t] = now, v
            t += _ONE
            v = np.uint32(parent[v])
        elif u == root:
            return s, t


@kernel(borrows=True)
def cost_of_path(path, size, cost):
    """Sum of the costs along a path of :func:`find_cycle`, those of its first arc and of every other one negative."""
    whole = size & ~_ONE
    total = 0.0
    for e in range(np.uint64(0), whole, _TWO):
        total += cost[path[e + _ONE]] - cost[path[e]]
    return total if whole == size else total - cost[path[whole]]


@kernel(borrows=True)
def move_along_path(path, size, amount, flow):
    """Take mass off the first arc of a path and every other one, and add it to those between."""
    for e in range(np.uint64(0), size, _TWO):
        flow[path[e]] -= amount
    for e in range(_ONE, size, _TWO):
        flow[path[e]] += amount


@kernel(borrows=True)
def reroot_subtree(path, last, above, basis):
    """Cut off the subtree of ``path[last]``, make ``path[0]`` the root of it, and attach that to ``above``.

    Along the path parents become children; flow and cost of each arc move from its former lower end to its new one, and
    those of the arc to ``above`` are for the caller to set.
    """
    parent, flow, cost = basis.parent, basis.flow, basis.cost
    e = last
    while e > 0:
        v, below = path[e], path[e - _ONE]
        parent[v], flow[v], cost[v] = below, flow[below], cost[below]
        e -= _ONE
    parent[path[0]] = above
