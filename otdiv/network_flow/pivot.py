"""One pivot of the network simplex: an arc enters the spanning tree, and one of its cycle leaves.

The rules that keep the tree strongly feasible stand in :mod:`otdiv.network_flow.simplex_pivots`.
"""

from __future__ import annotations

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.network_flow.trees.contracted_tree import replace_arc
from otdiv.network_flow.trees.cycle import cost_of_path, find_cycle, move_along_path, reroot_subtree

_TWO = np.uint64(2)


@kernel(borrows=True)
def pivot(source, target, arc_cost, tolerance, basis):
    """The arc source -> target enters the tree if it violates, and the last blocking arc of its cycle leaves.

    Returns whether the arc entered.
    """
    entered, at_source, last, amount = _send_round_cycle(source, target, arc_cost, tolerance, basis)
    if entered:
        path = basis.source_path if at_source else basis.target_path
        reroot_subtree(path, last, target if at_source else source, basis)
        basis.flow[path[0]], basis.cost[path[0]] = amount, arc_cost
    return entered


@kernel(borrows=True)
def pivot_recorded(source, target, arc_cost, tolerance, basis, contraction):
    """The same, with a record for :func:`otdiv.network_flow.trees.contracted_tree.bring_up_to_date`."""
    entered, at_source, last, amount = _send_round_cycle(source, target, arc_cost, tolerance, basis)
    if entered:
        path = basis.source_path if at_source else basis.target_path
        replace_arc(path, last, target if at_source else source, amount, arc_cost, basis, contraction)
    return entered


@kernel(inline="always")  # for small problems, where a call counts
def _send_round_cycle(source, target, arc_cost, tolerance, basis):
    """Send as much as fits round the cycle that the arc source -> target closes, if the arc violates.

    The cycle runs apex ... source -> target ... apex.  Against it lie the arcs of the sources on the
    first half and those of the targets on the second: every other one of both, from the ends of the arc on.  The least
    flow among them blocks; of ties the last one on the cycle.

    Returns
    -------
    entered : bool
        Whether the arc violates.
    at_source : bool
        Whether the blocking arc is on the path of the source.
    last : int
        Place of its lower end on that path.
    amount : int
    """
    flow, cost, of_source, of_target = basis.flow, basis.cost, basis.source_path, basis.target_path
    s, t = find_cycle(source, target, basis)
    reduced = arc_cost + cost_of_path(of_source, s, cost) + cost_of_path(of_target, t, cost)
    entered = reduced < -tolerance
    last, amount, at_source = np.uint64(0), np.int64(2**62), True
    if entered:
        for e in range(np.uint64(0), s, _TWO):
            if flow[of_source[e]] < amount:
                last, amount = e, flow[of_source[e]]
        for e in range(np.uint64(0), t, _TWO):
            if flow[of_target[e]] <= amount:
                last, amount, at_source = e, flow[of_target[e]], False
        if amount > 0:
            move_along_path(of_source, s, amount, flow)
            move_along_path(of_target, t, amount, flow)
    return entered, at_source, last, amount
