"""A spanning tree for the network simplex from any flow that leaves no mass behind.

Arcs of the flow, those that carry most first, make a forest; each of the others closes a
cycle, round which mass goes in the cheaper direction until one of its arcs is empty.
What then carries mass is a forest again.  Its parts are tied to that of the root by arcs
without flow, the least in reduced cost first, each from a source of the part: so the tree
is strongly feasible (:mod:`otdiv.network_flow.simplex_pivots`).
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush

import numpy as np
from numba import njit

from otdiv.core.validation import Array
from otdiv.network_flow.spanning_tree import Basis, basis_of, find_apex, rehang
from otdiv.network_flow.transportation_auction import Loads, Network

_NONE = -1


def tree_of_flow(network: Network, loads: Loads, costs_of: Callable[[Array, Array], Array]) -> Basis:
    """The basis whose flow is that of ``loads``, or a cheaper one on the same arcs."""
    n, m = len(loads.f), len(loads.g)
    used = np.flatnonzero(loads.flow)
    used = used[np.argsort(-loads.flow[used], kind="stable")]
    in_forest, parts = _forest(n, m, network.tails[used], network.heads[used])
    outside, used = used[~in_forest], used[in_forest]
    tails, heads, costs, flows = network.tails[used], network.heads[used], network.costs[used], loads.flow[used]
    basis = _tied(n, m, (tails, heads, flows, costs), _ties_to_root(n, parts), None)
    _enter(n, network.tails[outside], network.heads[outside], network.costs[outside], loads.flow[outside], basis)
    nodes = np.flatnonzero((basis.parent >= 0) & (basis.flow > 0))
    above = basis.parent[nodes]
    tails, heads = np.where(nodes < n, nodes, above), np.where(nodes < n, above, nodes) - n
    _, parts = _forest(n, m, tails, heads)
    ties = _least_ties(network, loads.f, loads.g, parts)
    return _tied(n, m, (tails, heads, basis.flow[nodes], basis.cost[nodes]), ties, costs_of)


def _tied(
    n: int,
    m: int,
    forest: tuple[Array, ...],
    ties: tuple[Array, Array],
    costs_of: Callable[[Array, Array], Array] | None,
) -> Basis:
    """The tree of a forest (tails, heads, flows, costs) and of arcs without flow that make it one."""
    costs = np.zeros(len(ties[0])) if costs_of is None else costs_of(*ties)
    more = *ties, np.zeros(len(costs), np.int64), costs
    return basis_of(n, m, *(np.append(column, new) for column, new in zip(forest, more, strict=True)))


@njit(cache=True, nogil=True)
def _part(v, up):  # type: ignore[no-untyped-def]
    while up[v] != v:
        up[v] = up[up[v]]
        v = up[v]
    return v


@njit(cache=True, nogil=True)
def _forest(n, m, tails, heads):  # type: ignore[no-untyped-def]
    """Which arcs, in their order, join two parts of the forest (Kruskal); and the part of each node."""
    up = np.arange(n + m)
    joins = np.zeros(len(tails), np.bool_)
    for k in range(len(tails)):
        u, v = _part(tails[k], up), _part(n + heads[k], up)
        if u != v:
            up[u], joins[k] = v, True
    for v in range(n + m):
        up[v] = _part(v, up)
    return joins, up


@njit(cache=True, nogil=True)
def _ties_to_root(n, parts):  # type: ignore[no-untyped-def]
    """Arcs from one source of each part to the last target."""
    tied = np.zeros(len(parts), np.bool_)
    tied[parts[-1]] = True
    tails = np.empty(n, np.int32)
    count = 0
    for i in range(n):
        if not tied[parts[i]]:
            tied[parts[i]] = True
            tails[count] = i
            count += 1
    return tails[:count], np.full(count, len(parts) - n - 1, np.int32)


@njit(cache=True, nogil=True)
def _enter(n, tails, heads, costs, flows, basis):  # type: ignore[no-untyped-def]
    """Arcs outside the tree lose their flow or enter it; the mass goes round their cycles the cheaper way."""
    parent, flow, cost = basis.parent, basis.flow, basis.cost
    for k in range(len(tails)):
        source, target, outside = tails[k], n + heads[k], flows[k]
        apex = find_apex(source, target, len(parent) - 1, parent, basis.mark)
        total = costs[k]  # of one unit more on this arc
        room_up, last_up, up_at_source = np.int64(2**62), _NONE, True
        room_down, last_down, down_at_source = outside, _NONE, True
        for at_source in (True, False):
            v = source if at_source else target
            while v != apex:
                if (v < n) == at_source:
                    total -= cost[v]
                    if flow[v] < room_up:
                        room_up, last_up, up_at_source = flow[v], v, at_source
                else:
                    total += cost[v]
                    if flow[v] < room_down:
                        room_down, last_down, down_at_source = flow[v], v, at_source
                v = parent[v]
        amount, leaving, side = -room_down, last_down, down_at_source
        if total < 0:
            amount, leaving, side = room_up, last_up, up_at_source
        for at_source in (True, False):
            v = source if at_source else target
            while v != apex:
                flow[v] += -amount if (v < n) == at_source else amount
                v = parent[v]
        if leaving >= 0:
            top, above = (source, target) if side else (target, source)
            rehang(top, leaving, above, basis)
            flow[top], cost[top] = outside + amount, costs[k]


@njit(cache=True, nogil=True)
def _least_ties(network, f, g, parts):  # type: ignore[no-untyped-def]
    """Arcs that tie each part to one tied before, beginning at the root's; to the last target where none leads out."""
    _, _, _, _, into, _, tails_in, costs_in = network
    n, nodes = len(f), len(parts)
    first, after = np.full(nodes, _NONE, np.int32), np.full(nodes, _NONE, np.int32)  # the targets of each part
    for j in range(nodes - n):
        after[n + j], first[parts[n + j]] = first[parts[n + j]], n + j
    tied = np.zeros(nodes, np.bool_)
    more_tails, more_heads = np.empty(n, np.int32), np.empty(n, np.int32)
    count = looked = 0
    waiting = [(0.0, np.int64(0), np.int64(0))]
    waiting.pop()
    part = parts[-1]
    while True:
        tied[part] = True
        v = first[part]
        while v >= 0:
            for q in range(into[v - n], into[v - n + 1]):
                i = tails_in[q]
                if not tied[parts[i]]:
                    heappush(waiting, (costs_in[q] - f[i] - g[v - n], np.int64(i), np.int64(v - n)))
            v = after[v]
        i, j = _NONE, nodes - n - 1
        while len(waiting) > 0 and i < 0:
            _, i, j = heappop(waiting)
            if tied[parts[i]]:
                i, j = _NONE, nodes - n - 1
        while i < 0 and looked < n:
            if not tied[parts[looked]]:
                i = looked
            looked += 1
        if i < 0:
            return more_tails[:count], more_heads[:count]
        more_tails[count], more_heads[count] = i, j
        count += 1
        part = parts[i]
