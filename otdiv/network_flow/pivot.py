"""One pivot of the network simplex: an arc enters the spanning tree, and one of its cycle leaves.

The rules that keep the tree strongly feasible stand in :mod:`otdiv.network_flow.simplex_pivots`.
"""

from __future__ import annotations

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.network_flow.trees.contracted_tree import replace_arc
from otdiv.network_flow.trees.spanning_tree import find_apex, move_round_cycle, reroot_subtree


@kernel()
def pivot(n, source, target, arc_cost, tolerance, basis):
    """The arc source -> target enters the tree if it violates, and the last blocking arc of its cycle leaves.

    Returns whether the arc entered.
    """
    reduced, top, leaving, above, amount = _send_round_cycle(n, source, target, arc_cost, tolerance, basis)
    if reduced >= -tolerance:
        return False
    reroot_subtree(top, leaving, above, basis)
    basis.flow[top], basis.cost[top] = amount, arc_cost
    return True


@kernel()
def pivot_recorded(n, source, target, arc_cost, tolerance, basis, contraction):
    """The same, with a record for :func:`otdiv.network_flow.trees.contracted_tree.bring_up_to_date`."""
    reduced, top, leaving, above, amount = _send_round_cycle(n, source, target, arc_cost, tolerance, basis)
    if reduced >= -tolerance:
        return False
    replace_arc(top, leaving, above, amount, arc_cost, basis, contraction)
    return True


@kernel(inline="always")  # for small problems, where a call counts
def _send_round_cycle(n, source, target, arc_cost, tolerance, basis):
    """Send as much as fits round the cycle that the arc source -> target closes, if the arc violates.

    The cycle runs apex ... source -> target ... apex.  Against it lie the arcs of the sources on the
    first half and those of the targets on the second; the least flow among them blocks; of
    ties the last one on the cycle.

    Returns
    -------
    reduced : float
        Reduced cost of the arc.
    top, leaving, above : int
        The ends of the arc, that below the blocking arc first, and the lower end of the blocking arc between them.
    amount : int
    """
    parent, flow, cost, _, mark = basis
    apex = find_apex(source, target, len(parent) - 1, parent, mark)
    reduced = arc_cost
    leaving, amount, at_source = source, np.int64(2**62), True
    v = source
    while v != apex:
        if v < n:
            reduced -= cost[v]
            if flow[v] < amount:
                leaving, amount = v, flow[v]
        else:
            reduced += cost[v]
        v = parent[v]
    v = target
    while v != apex:
        if v >= n:
            reduced -= cost[v]
            if flow[v] <= amount:
                leaving, amount, at_source = v, flow[v], False
        else:
            reduced += cost[v]
        v = parent[v]
    if reduced < -tolerance and amount > 0:
        move_round_cycle(n, source, target, apex, amount, parent, flow)
    top, above = (source, target) if at_source else (target, source)
    return reduced, top, leaving, above, amount
