"""A basis of the network simplex from any flow that has delivered all mass (crossover, or purification).

Arcs with flow, largest flow first, make a forest; each of the others closes a cycle, round which mass is moved
in the cheaper direction until one of its arcs is empty.  The arcs that then have flow are a forest again.
Its parts are connected to that of the root by arcs without flow, of least reduced cost first, each from a
source of the part: so the tree is strongly feasible (:mod:`otdiv.network_flow.simplex_pivots`).
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.core.validation import Array
from otdiv.network_flow.graph import TwoWayRows
from otdiv.network_flow.transportation_auction import Pseudoflow
from otdiv.network_flow.trees.cycle import find_cycle, move_along_path, reroot_subtree
from otdiv.network_flow.trees.spanning_tree import Basis, build_basis

_NONE = -1


def basis_from_flow(graph: TwoWayRows, pseudoflow: Pseudoflow, compute_costs: Callable[[Array, Array], Array]) -> Basis:
    """The basis whose flow is that of ``pseudoflow``, or a cheaper one on the same arcs.

    ``compute_costs(tails, heads)`` gives the costs of arcs that are not in the graph.
    """
    n, m = len(pseudoflow.f), len(pseudoflow.g)
    used = np.flatnonzero(pseudoflow.flow)
    used = used[np.argsort(-pseudoflow.flow[used], kind="stable")]
    in_forest, parts = _spanning_forest(n, m, graph.tails[used], graph.rows.ends[used])
    outside, used = used[~in_forest], used[in_forest]
    tails, heads, costs, flows = graph.tails[used], graph.rows.ends[used], graph.rows.costs[used], pseudoflow.flow[used]
    basis = _join(n, m, (tails, heads, flows, costs), _connect_to_root(n, parts), None)
    _cancel_cycles(
        n, graph.tails[outside], graph.rows.ends[outside], graph.rows.costs[outside], pseudoflow.flow[outside], basis
    )
    nodes = np.flatnonzero((basis.parent >= 0) & (basis.flow > 0))
    above = basis.parent[nodes]
    tails, heads = np.where(nodes < n, nodes, above), np.where(nodes < n, above, nodes) - n
    _, parts = _spanning_forest(n, m, tails, heads)
    connections = _connect_cheaply(graph, pseudoflow.f, pseudoflow.g, parts)
    return _join(n, m, (tails, heads, basis.flow[nodes], basis.cost[nodes]), connections, compute_costs)


def _join(
    n: int,
    m: int,
    forest: tuple[Array, ...],
    connections: tuple[Array, Array],
    compute_costs: Callable[[Array, Array], Array] | None,
) -> Basis:
    """The tree of a forest (tails, heads, flows, costs) and of arcs without flow that connect its parts."""
    costs = np.zeros(len(connections[0])) if compute_costs is None else compute_costs(*connections)
    more = *connections, np.zeros(len(costs), np.int64), costs
    return build_basis(n, m, *(np.append(column, new) for column, new in zip(forest, more, strict=True)))


@kernel()
def _find_part(v, up):
    while up[v] != v:
        up[v] = up[up[v]]
        v = up[v]
    return v


@kernel()
def _spanning_forest(n, m, tails, heads):
    """The arcs that, taken in order, join two parts of the forest (Kruskal), and the part of each node."""
    up = np.arange(n + m)
    joins = np.zeros(len(tails), np.bool_)
    for k in range(len(tails)):
        u, v = _find_part(tails[k], up), _find_part(n + heads[k], up)
        if u != v:
            up[u], joins[k] = v, True
    for v in range(n + m):
        up[v] = _find_part(v, up)
    return joins, up


@kernel()
def _connect_to_root(n, parts):
    """Arcs from one source of each part to the last target."""
    connected = np.zeros(len(parts), np.bool_)
    connected[parts[-1]] = True
    tails = np.empty(n, np.int32)
    count = 0
    for i in range(n):
        if not connected[parts[i]]:
            connected[parts[i]] = True
            tails[count] = i
            count += 1
    return tails[:count], np.full(count, len(parts) - n - 1, np.int32)


@kernel()
def _cancel_cycles(n, tails, heads, costs, flows, basis):
    """Arcs outside the tree lose their flow or enter it; mass moves round their cycles in the cheaper direction."""
    flow, cost = basis.flow, basis.cost
    for arc in range(len(tails)):
        source, target, outside = tails[arc], n + heads[arc], flows[arc]
        s, t = find_cycle(source, target, basis)
        total = costs[arc]  # of one unit more on this arc
        room_up, last_up, up_at_source = np.int64(2**62), _NONE, True
        room_down, last_down, down_at_source = outside, _NONE, True
        for at_source in (True, False):
            path, size = (basis.source_path, s) if at_source else (basis.target_path, t)
            for e in range(np.int64(size)):
                v = path[e]
                if e & 1:
                    total += cost[v]
                    if flow[v] < room_down:
                        room_down, last_down, down_at_source = flow[v], e, at_source
                else:
                    total -= cost[v]
                    if flow[v] < room_up:
                        room_up, last_up, up_at_source = flow[v], e, at_source
        amount, last, at_source = -room_down, last_down, down_at_source
        if total < 0:
            amount, last, at_source = room_up, last_up, up_at_source
        move_along_path(basis.source_path, s, amount, flow)
        move_along_path(basis.target_path, t, amount, flow)
        if last >= 0:
            path = basis.source_path if at_source else basis.target_path
            reroot_subtree(path, np.uint64(last), target if at_source else source, basis)
            flow[path[0]], cost[path[0]] = outside + amount, costs[arc]


@kernel()
def _connect_cheaply(graph, f, g, parts):
    """Arcs that connect each part to one connected before, the root's first; to the last target where no arc does."""
    into, tails_in, costs_in = graph.columns
    n, nodes = len(f), len(parts)
    first, after = np.full(nodes, _NONE, np.int32), np.full(nodes, _NONE, np.int32)  # the targets of each part
    for j in range(nodes - n):
        after[n + j], first[parts[n + j]] = first[parts[n + j]], n + j
    connected = np.zeros(nodes, np.bool_)
    more_tails, more_heads = np.empty(n, np.int32), np.empty(n, np.int32)
    count = scanned = 0
    waiting = [(0.0, np.int64(0), np.int64(0))]
    waiting.pop()
    part = parts[-1]
    while True:
        connected[part] = True
        v = first[part]
        while v >= 0:
            for q in range(into[v - n], into[v - n + 1]):
                i = tails_in[q]
                if not connected[parts[i]]:
                    heappush(waiting, (costs_in[q] - f[i] - g[v - n], np.int64(i), np.int64(v - n)))
            v = after[v]
        i, j = _NONE, nodes - n - 1
        while len(waiting) > 0 and i < 0:
            _, i, j = heappop(waiting)
            if connected[parts[i]]:
                i, j = _NONE, nodes - n - 1
        while i < 0 and scanned < n:
            if not connected[parts[scanned]]:
                i = scanned
            scanned += 1
        if i < 0:
            return more_tails[:count], more_heads[:count]
        more_tails[count], more_heads[count] = i, j
        count += 1
        part = parts[i]
