"""The cheapest flow on a dense matrix for any masses: a greedy basis, then the network simplex.

    min { sum c_ij flow_ij : row sums = supply, column sums = demand }

in whole units, so that ties between masses are exact.  A basis is a spanning tree as in
:mod:`otdiv.network_flow.trees.spanning_tree`, its pivots are those of :mod:`otdiv.network_flow.simplex_pivots`; what is
special to a dense matrix is pricing: an arc has no entry in a list, and the most violating arc of a source is the
least of c_ij - g_j in its row.
"""

from __future__ import annotations

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.network_flow.pivot import pivot
from otdiv.network_flow.small.flow_start import first_potentials
from otdiv.network_flow.small.rows import copy_to, first_reduced, least_reduced
from otdiv.network_flow.trees.spanning_tree import update_potentials

PIVOTS_PER_NODE = 1000
"""Pivots for each source and target, after which the problem is given up; ten are usual."""
LEAST_BATCH, NODES_PER_ARC = 24, 256
"""Arcs of a batch: so many, and one more for each so many nodes; measured from 8 to 1800 points a side.

Larger batches: more arcs that no longer violate when their turn comes.  Smaller ones: more time in recomputing all
potentials after each.
"""
TOLERANCE, FINEST_TOLERANCE = 2.0**-46, 2.0**-51
"""An arc violates when c - f - g is below minus this share of the largest cost or potential.

With the first one the optimum is reached; a few pivots with the second mend the last digits.
"""
FINEST_BATCHES = 16
"""Most batches of those."""
HALVED, QUARTERED = 2, 5
"""Targets for each source from which a row is priced in two parts, and in four, since few rows fill no batch.

Smaller: more pivots, each of a less violating arc.
"""


@kernel(inline="always")
def send_flow(costs, supply, demand, largest, basis, f, g, work):
    """Fill the basis, a tree of n + m nodes, with the cheapest flow, and f [n], g [m] with its potentials.

    Parameters
    ----------
    costs : ndarray [n, m]
    supply, demand : int64 ndarray [n], [m]
        Whole units, one at least, of the same total; used up.
    largest : float
        Among the costs in absolute value.
    basis : Basis
        Of n + m nodes, filled anew.
    f, g : ndarray [n], [m]
        Get potentials with f_i + g_j = c_ij on the tree, and <= c_ij but for rounding where the optimum is reached.
    work : Workspace

    Returns
    -------
    bool
        Whether the optimum is reached; otherwise the flow is a plan all the same.
    """
    m = costs.shape[1]
    open_g, row_of = work.masked[:m], work.source[:m]
    first_potentials(costs, supply, demand, f, g, row_of, work)
    _greedy_basis(costs, supply, demand, basis, g, open_g, row_of)
    return _pivot_to_optimum(costs, largest, basis, f, g, work)


@kernel(borrows=True)
def _greedy_basis(costs, supply, demand, basis, g, open_g, row_of):
    """A strongly feasible basis: each arc taken uses up its source or its target, which becomes a leaf below the other.

    First each target takes from the source where f + g = c, then each source sends what it has left where c - g is
    least.  The last target is the root: it is filled by what is left at the end.
    """
    n, m = costs.shape
    parent, flow, cost, potential, mark = basis.parent, basis.flow, basis.cost, basis.potential, basis.mark
    root = n + m - 1
    parent[:] = -1
    flow[:] = 0
    cost[:] = 0.0
    potential[:] = 0.0
    mark[:] = 0
    copy_to(g, open_g)
    open_g[m - 1] = -np.inf
    for j in range(m - 1):
        if parent[row_of[j]] < 0:
            _take_arc(n, row_of[j], j, costs, supply, demand, basis, open_g)
    for i in range(n):
        while parent[i] < 0:
            least = least_reduced(costs[i], open_g)
            if least == np.inf:
                parent[i], flow[i], cost[i] = root, supply[i], costs[i, m - 1]
            else:
                j = first_reduced(costs[i], open_g, least)
                _take_arc(n, i, j, costs, supply, demand, basis, open_g)


@kernel(borrows=True)
def _take_arc(n, i, j, costs, supply, demand, basis, open_g):
    """Send from i to j what both have left; the one that is used up becomes a leaf below the other, of ties the target.

    So an arc without flow has its source at the lower end, which makes the tree strongly feasible.
    """
    parent, flow, cost = basis.parent, basis.flow, basis.cost
    amount = min(supply[i], demand[j])
    leaf, above = (n + j, i) if demand[j] <= supply[i] else (i, n + j)
    parent[leaf], flow[leaf], cost[leaf] = above, amount, costs[i, j]
    supply[i] -= amount
    demand[j] -= amount
    if leaf >= n:
        open_g[j] = -np.inf


@kernel(borrows=True)
def _pivot_to_optimum(costs, largest, basis, f, g, work):
    """Pivot in batches until no arc violates; returns whether none does, by the first of the two tolerances.

    A batch holds the most violating arc of each of some rows, or parts of long rows, by the potentials of its start;
    whether an arc still violates when its turn comes is decided by the costs round its cycle.
    """
    n, m = costs.shape
    size = LEAST_BATCH + (n + m) // NODES_PER_ARC
    wanted = 4 if m >= QUARTERED * n else 2 if m >= HALVED * n else 1
    step = (m + wanted - 1) // wanted
    parts = n * ((m + step - 1) // step)
    batch_i, batch_j = work.done, work.target  # no longer than the parts, and these not than n and m
    share, left, cursor, optimal = TOLERANCE, PIVOTS_PER_NODE * (n + m), 0, False
    _read_potentials(n, m, basis, f, g)
    while left > 0 and work.stop[0] == 0:
        left -= 1
        steepest = largest
        for i in range(n):
            steepest = max(steepest, abs(f[i]))
        tolerance = share * steepest
        found, seen = 0, 0
        while seen < parts and found < size:
            i, first = cursor % n, step * (cursor // n)
            row, row_g = costs[i, first : first + step], g[first : first + step]
            cursor = cursor + 1 if cursor + 1 < parts else 0
            seen += 1
            least = least_reduced(row, row_g)
            if least - f[i] < -tolerance:
                batch_i[found], batch_j[found] = i, first + first_reduced(row, row_g, least)
                found += 1
        entered = 0
        for k in range(found):
            i, j = batch_i[k], batch_j[k]
            entered += pivot(i, n + j, costs[i, j], tolerance, basis)
        if entered > 0:
            _read_potentials(n, m, basis, f, g)
        elif seen == parts:
            if optimal:
                break
            optimal, share, left = True, FINEST_TOLERANCE, FINEST_BATCHES
    return optimal


@kernel(borrows=True)
def _read_potentials(n, m, basis, f, g):
    """f and g of the tree."""
    update_potentials(n, basis)
    for i in range(n):
        f[i] = basis.potential[i]
    for j in range(m):
        g[j] = -basis.potential[n + j]
