"""The cheapest flow between the sources and targets that have mass, the shorter side of them as rows.

Sources and targets without mass would be rows and columns for nothing, and the solver searches few long rows faster
than many short ones.  Elsewhere the potentials follow: g_j = min_i (c_ij - f_i).
"""

from __future__ import annotations

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.network_flow.small.rows import gather
from otdiv.network_flow.small.transportation import send_flow
from otdiv.network_flow.trees.spanning_tree import Basis


@kernel(inline="always")
def flow_on_support(costs, supply, demand, unit, largest, f, g, work):
    """Fill f [n] and g [m] with potentials, f where there is mass only, and ``work`` with the arcs of the plan.

    Parameters
    ----------
    costs : ndarray [n, m]
    supply, demand : int64 ndarray [n], [m]
        Whole units of the same positive total.
    unit : float
        The mass of one.
    largest : float
        Among the costs in absolute value.
    f, g : ndarray [n], [m]
    work : Workspace

    Returns
    -------
    int
        Number of arcs with flow.
    """
    sources, targets = np.flatnonzero(supply), np.flatnonzero(demand)
    turned = len(sources) > len(targets)
    few, many = (targets, sources) if turned else (sources, targets)
    whole = not turned and len(few) == len(f) and len(many) == len(g)
    table, of_few, of_many = costs, f, g
    if not whole:
        table, of_few, of_many = np.empty((len(few), len(many))), np.empty(len(few)), np.empty(len(many))
        if turned:
            gather(costs.T, few, many, table)
        else:
            gather(costs, few, many, table)
    mass_of_few, mass_of_many = (demand, supply) if turned else (supply, demand)
    nodes = len(few) + len(many)
    basis = Basis(
        work.parent[:nodes],
        work.flow[:nodes],
        work.cost[:nodes],
        work.potential[:nodes],
        work.mark[:nodes],
        work.source_path[:nodes],
        work.target_path[:nodes],
    )
    send_flow(table, mass_of_few[few], mass_of_many[many], largest, basis, of_few, of_many, work)
    if not whole:
        of_sources, of_targets = (of_many, of_few) if turned else (of_few, of_many)
        for k in range(len(sources)):
            f[sources[k]] = of_sources[k]
        _extend_g(costs, f, sources, demand, g)
        for k in range(len(targets)):
            g[targets[k]] = of_targets[k]
    return _read_arcs(few, many, turned, unit, basis, work)


@kernel()
def _extend_g(costs, f, sources, demand, g):
    """g_j = min_i (c_ij - f_i) over the sources with mass, at the targets without."""
    without = np.flatnonzero(demand == 0)
    for j in without:
        g[j] = np.inf
    for i in sources:
        for j in without:
            g[j] = min(g[j], costs[i, j] - f[i])


@kernel(borrows=True)
def _read_arcs(few, many, turned, unit, basis, work):
    """The arcs of the tree that have flow: ends, masses and costs; returns their number."""
    count, n = 0, len(few)
    for v in range(len(basis.parent) - 1):
        if basis.flow[v] > 0:
            above = basis.parent[v]
            i, j = (v, above - n) if v < n else (above, v - n)
            row, column = (many[j], few[i]) if turned else (few[i], many[j])
            work.rows[count], work.columns[count] = row, column
            work.mass[count] = basis.flow[v] * unit  # rounded; the marginals' error says it
            work.price[count] = basis.cost[v]
            count += 1
    return count
