"""A spanning tree whose unchanged parts are contracted, so that new potentials after some pivots take little time.

A pivot moves a subtree, and all potentials in it by one amount.  After k pivots the arcs that the tree has kept
since it was contracted make at most k + 1 parts, and within a part all potentials have moved alike.  So the
moves of the parts are found on a tree of k + 1 nodes, and each node adds that of its part: two passes over arrays
in order, where :func:`otdiv.network_flow.trees.spanning_tree.update_potentials` follows parents through memory.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.core.validation import Array
from otdiv.network_flow.trees.spanning_tree import preorder, update_potentials

_NODES_PER_PART = 32
"""Nodes per new arc, above which the tree is contracted again.  Larger: that is done more often, each time in as much
time as some ten moves of the parts."""
_LEAST_PARTS = 16
"""New arcs with which no tree is contracted again."""
_NONE, _ONE = -1, np.uint64(1)


class ContractedTree(NamedTuple):
    """The tree at the time of its contraction, the arcs it has lost since, and those that are new.

    Attributes
    ----------
    order : ndarray of int32 [nodes]
        Parents before children in the old tree.
    parent : ndarray of int32 [nodes]
    potential : ndarray [nodes]
        In the old tree.
    cut : ndarray of bool [nodes]
        Whether the arc to the old parent has left the tree.
    part : ndarray of int32 [nodes]
        The first node, in the order, of the part of each node.
    moved : ndarray [nodes]
        Of the first node of each part: by how much the potentials of the part have moved.
    tops : ndarray of int32 [nodes]
        The nodes whose arc to the parent is new: one in each part but the root's.
    place : ndarray of int32 [nodes]
        The place of each node in ``tops``; -1 where the arc to its parent is an old one.
    new_arcs : ndarray of int64 [1]
        How many there are, the only entry.
    """

    order: Array
    parent: Array
    potential: Array
    cut: Array
    part: Array
    moved: Array
    tops: Array
    place: Array
    new_arcs: Array


@kernel()
def contract(basis):
    """The contraction of the whole tree of a basis, whose potentials are up to date."""
    nodes = len(basis.parent)
    part = np.full(nodes, nodes - 1, np.int32)
    tops, place = np.empty(nodes, np.int32), np.full(nodes, _NONE, np.int32)
    old = preorder(basis), basis.parent.copy(), basis.potential.copy()
    return ContractedTree(*old, np.zeros(nodes, np.bool_), part, np.zeros(nodes), tops, place, np.zeros(1, np.int64))


@kernel(borrows=True)
def replace_arc(path, last, above, amount, arc_cost, basis, contraction):
    """The arc from ``path[0]`` to ``above`` enters the tree, with its flow and cost, and that at ``path[last]`` leaves.

    As :func:`otdiv.network_flow.trees.cycle.reroot_subtree`, with a record of the change.
    """
    parent, flow, cost = basis.parent, basis.flow, basis.cost
    _, old_parent, _, cut, _, _, tops, place, new_arcs = contraction
    leaving = path[last]
    if place[leaving] >= 0:
        new_arcs[0] -= 1
        moved = tops[new_arcs[0]]
        tops[place[leaving]], place[moved] = moved, place[leaving]
    elif old_parent[leaving] == parent[leaving]:
        cut[leaving] = True
    else:
        cut[parent[leaving]] = True
    e = last
    while e > 0:
        v, below = path[e], path[e - _ONE]
        parent[v], flow[v], cost[v], place[v] = below, flow[below], cost[below], place[below]
        if place[v] >= 0:
            tops[np.uint32(place[v])] = v
        e -= _ONE
    top = path[0]
    parent[top], flow[top], cost[top], place[top] = above, amount, arc_cost, new_arcs[0]
    tops[new_arcs[0]] = top
    new_arcs[0] += 1


@kernel()
def bring_up_to_date(n, basis, contraction):
    """Bring the potentials of the basis up to date; returns the contraction, a new one where parts are many."""
    nodes = len(basis.parent)
    if contraction.new_arcs[0] > max(_LEAST_PARTS, nodes // _NODES_PER_PART):
        update_potentials(n, basis)
        return contract(basis)
    order, old_parent, old, cut, part, moved, _, _, _ = contraction
    potential = basis.potential
    for k in range(np.uint64(1), np.uint64(nodes)):
        v = np.uint32(order[k])
        part[v] = v if cut[v] else part[np.uint32(old_parent[v])]
    _move_parts(n, basis, contraction)
    for v in range(np.uint64(nodes)):
        potential[v] = old[v] + moved[np.uint32(part[v])]
    return contraction


@kernel()
def _move_parts(n, basis, contraction):
    """Find how far the parts have moved, each after the part above it."""
    parent, cost = basis.parent, basis.cost
    _, _, old, _, part, moved, tops, _, new_arcs = contraction
    arcs, root = new_arcs[0], len(parent) - 1
    number = moved  # of the new arc at the top of each part, until its move is known
    number[root] = _NONE
    for e in range(arcs):
        number[part[tops[e]]] = e
    above = np.empty(arcs, np.int32)
    for e in range(arcs):
        above[e] = np.int32(number[part[parent[tops[e]]]])
    moved[root] = 0.0
    done, stack = np.zeros(arcs, np.bool_), np.empty(arcs, np.int32)
    for first in range(arcs):
        e, size = np.int32(first), 0
        while e >= 0 and not done[e]:
            stack[size], done[e] = e, True
            size += 1
            e = above[e]
        while size > 0:
            size -= 1
            v = tops[stack[size]]
            w = parent[v]
            p = old[w] + moved[part[w]]
            moved[part[v]] = (p + cost[v] if v < n else p - cost[v]) - old[v]
