"""A spanning tree of sources and targets: the basis of the network simplex.

It lives in its own arrays, apart from the list of arcs, so that arcs may be added, sorted
or dropped and the tree stays as it is.  Arcs lead from sources to targets, so the side of
a node determines the direction of the arc to its parent.  ``potential`` p holds f on the sources
and -g on the targets: an arc (i, j) has the reduced cost c - p_i + p_j, zero on the tree
(Ahuja, Magnanti and Orlin, Network Flows, ch. 11).  The tree is stored as parents alone; an
order of the nodes is found, where one is needed, by following parents up to nodes seen before.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.core.validation import Array
from otdiv.errors import OtdivError

_NONE = -1
_ONE = np.uint64(1)  # indices are unsigned, see :mod:`otdiv.network_flow.graph`


class Basis(NamedTuple):
    """A spanning tree of n sources and m targets (numbered n ... n + m - 1), rooted at the last target.

    Attributes
    ----------
    parent : ndarray of int32 [n + m]
        -1 at the root.
    flow : ndarray of int64 [n + m]
        On the arc to the parent.
    cost, potential : ndarray [n + m]
    mark : ndarray of int32 [n + m]
        Scratch: the number of the last search that visited the node; the root holds the number of searches.
    source_path, target_path : ndarray of uint32 [n + m]
        Scratch: the nodes of the last cycle, from the source and from the target of the arc that closes it upwards;
        the first is the stack of a search of all nodes too.
    """

    parent: Array
    flow: Array
    cost: Array
    potential: Array
    mark: Array
    source_path: Array
    target_path: Array


def build_basis(n: int, m: int, tails: Array, heads: Array, flows: Array, costs: Array) -> Basis:
    """The basis whose tree has the n + m - 1 arcs (tails, heads), with their flows and costs."""
    nodes = n + m
    parent = np.full(nodes, _NONE, np.int32)
    scratch = np.zeros(nodes, np.int32), np.zeros(nodes, np.uint32), np.zeros(nodes, np.uint32)
    basis = Basis(parent, np.zeros(nodes, np.int64), np.zeros(nodes), np.zeros(nodes), *scratch)
    reached = _attach_nodes(n, tails, heads, flows, costs, basis)
    if reached != nodes:
        raise OtdivError(f"{len(tails)} arcs reach {reached} of {nodes} nodes: no spanning tree")
    return basis


@kernel()
def _attach_nodes(n, tails, heads, flows, costs, basis):
    """Set parents, flows, costs and potentials from the last node outwards; returns the number of nodes reached."""
    parent, flow, cost, potential = basis.parent, basis.flow, basis.cost, basis.potential
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
    while waiting > 0:
        waiting -= 1
        v = stack[waiting]
        for e in range(first[v], first[v + 1]):
            k = at[e]
            w = n + heads[k] if v < n else tails[k]
            if parent[w] < 0 and w != root:
                parent[w], flow[w], cost[w] = v, flows[k], costs[k]
                potential[w] = potential[v] + costs[k] if w < n else potential[v] - costs[k]
                stack[waiting] = w
                waiting += 1
                reached += 1
    return reached


@kernel()
def least_cost_basis(tails, heads, costs, a, b, order):
    """Fill the arcs in the given order with all the mass that fits, and let two added nodes take the rest.

    Source ``n`` and target ``m`` are the added nodes.  Each arc taken uses up its source or its target,
    which then is a leaf below the other end; so the arcs make a forest with one node left in each tree,
    and that one is connected to the added node of the other side by an arc of cost 0 (to be priced by the
    caller).  Where both ends are used up the source stays, with nothing left: an arc without flow has its
    source at the lower end, which makes the tree strongly feasible.

    Returns
    -------
    rows, columns : ndarray of int32 [n + m + 1]
    flows : ndarray of int64 [n + m + 1]
    arc_costs : ndarray [n + m + 1]
    """
    n, m = len(a), len(b)
    size = n + m + 1
    rows, columns = np.empty(size, np.int32), np.empty(size, np.int32)
    flows, arc_costs = np.zeros(size, np.int64), np.zeros(size)
    left, need = a.copy(), b.copy()
    full, spent = np.zeros(m, np.bool_), np.zeros(n, np.bool_)
    k = 0
    for e in order:
        i, j = tails[e], heads[e]
        if spent[i] or full[j]:
            continue
        rows[k], columns[k], arc_costs[k] = i, j, costs[e]
        if need[j] <= left[i]:
            flows[k] = need[j]
            left[i] -= need[j]
            full[j] = True
        else:
            flows[k] = left[i]
            need[j] -= left[i]
            spent[i] = True
        k += 1
    for i in range(n):
        if not spent[i]:
            rows[k], columns[k], flows[k] = i, m, left[i]
            k += 1
    taken = np.int64(0)
    for j in range(m):
        if not full[j]:
            rows[k], columns[k], flows[k] = n, j, need[j]
            taken += need[j]
            k += 1
    rows[k], columns[k], flows[k] = n, m, a.sum() - taken
    return rows, columns, flows, arc_costs


@kernel(borrows=True)
def _push_unmarked(v, now, parent, mark, stack):
    """Stack v and the nodes above it, up to one marked ``now``; returns that one, and how many were stacked."""
    size = np.uint64(0)
    while mark[v] != now:
        mark[v], stack[size] = now, v
        size += _ONE
        v = np.uint32(parent[v])
    return v, size


@kernel()
def preorder(basis):
    """All nodes, parents before children."""
    parent, mark = basis.parent, basis.mark
    nodes = len(parent)
    root = nodes - 1
    order, stack = np.empty(nodes, np.int32), basis.source_path
    order[0], k = root, 1
    mark[root] += 1
    for node in range(np.uint32(root)):
        _, size = _push_unmarked(np.uint32(node), mark[root], parent, mark, stack)
        while size > 0:
            size -= _ONE
            order[k] = stack[size]
            k += 1
    return order


@kernel(borrows=True)
def update_potentials(n, basis):
    """Recompute all potentials: costs are added up from the root."""
    parent, cost, potential, mark, stack = basis.parent, basis.cost, basis.potential, basis.mark, basis.source_path
    root, sources = np.uint32(len(parent) - 1), np.uint32(n)
    mark[root] += 1
    now = mark[root]
    for node in range(root):
        v, size = _push_unmarked(np.uint32(node), now, parent, mark, stack)
        p = potential[v]
        while size > 0:
            size -= _ONE
            v = stack[size]
            p = p + cost[v] if v < sources else p - cost[v]
            potential[v] = p
