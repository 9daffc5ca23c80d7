"""An initial basis on any list of arcs, by the least-cost rule of the transportation simplex."""

from __future__ import annotations

import numpy as np

from otdiv.core.compilation import kernel


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
