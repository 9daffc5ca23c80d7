"""W_inf, the bottleneck distance: the least t such that mass need move no further than t.

    W_inf = min { t : a plan exists that uses only pairs with d(x, y) <= t }

Upper bound: such a plan.  Lower bound: one step below t a set of atoms holds more
mass than all atoms within reach can take (Hall's condition), so no plan exists.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import maximum_bipartite_matching, maximum_flow

from otdiv.certificates.infeasibility import TransportWitness, transport_witness
from otdiv.certificates.plan_repair import equal_atoms
from otdiv.core.bounds import Bounds
from otdiv.core.options import SolverOptions
from otdiv.core.validation import Array
from otdiv.costs import MatrixCost
from otdiv.errors import Infeasible, SolverFailed
from otdiv.problem.transport_problem import TransportProblem
from otdiv.transport.result import TransportResult
from otdiv.transport.solve import solve_with

_UNITS = 2**30
"""Whole units that the mass is divided into for the search; what they round away decides nothing, the proof does."""
_MOST_STEPS = 8
"""Levels that the proof may move the result of the search by."""


def solve_bottleneck(
    problem: TransportProblem, method: str, options: SolverOptions
) -> tuple[float, Bounds, TransportResult, TransportWitness | None]:
    """The bottleneck distance of a problem whose cost is the metric.

    Parameters
    ----------
    problem : TransportProblem
    method : str
        For the plan over the pairs within reach.
    options : SolverOptions

    Returns
    -------
    value : float
        The distance, as it is computed.
    bounds : Bounds
        In the unit of the metric; its ends differ by the rounding of one distance.
    transport : TransportResult
        A plan within reach, optimal for the metric among those, with further pairs forbidden.
    witness : TransportWitness or None
        Why no plan exists one step below; None where every atom has to move as far anyway.
    """
    problem.require_memory(24.0 * problem.n * problem.m, options.memory_limit, "the bottleneck distance")
    table = problem.costs()[np.ix_(problem.a > 0, problem.b > 0)]
    levels = np.unique(table)
    nearest = max(float(table.min(axis=1).max()), float(table.min(axis=0).max()))  # every atom has to move somewhere
    k = _search(problem, table, levels, int(np.searchsorted(levels, nearest)))
    for _ in range(_MOST_STEPS):
        reach = float(levels[k])
        try:
            within = np.where(problem.costs() <= reach, problem.costs(), np.inf)
            transport = solve_with(TransportProblem(problem.mu, problem.nu, MatrixCost(within)), method, options)
            reached = bool(np.isfinite(transport.upper))  # else part of the mass stayed where it was
        except Infeasible:
            reached = False
        if not reached:
            k += 1
            continue
        if reach <= nearest:
            return reach, _bounds(problem, reach), transport, None
        witness = transport_witness(problem.a, problem.b, problem.costs() < reach)
        if witness is not None:
            return reach, _bounds(problem, reach), transport, witness
        k -= 1
    raise SolverFailed(f"the bottleneck distance is near {levels[k]:.6g}, and no set of atoms proves it from below.")


def _bounds(problem: TransportProblem, reach: float) -> Bounds:
    """The interval of the true distance about the computed one."""
    relative, absolute = problem.cost.relative_error(problem.d), problem.cost.absolute_error(problem.d)
    off = 2 * relative * reach + (absolute if reach else 0.0)
    return Bounds(max(0.0, reach - off), reach + off)


def _search(problem: TransportProblem, table: Array, levels: Array, first: int) -> int:
    """The first level, from ``first`` on, at which the pairs within reach carry all mass, by bisection."""
    low, high = first, len(levels) - 1
    carries = _matches if equal_atoms(problem) else _flows
    a, b = problem.a[problem.a > 0], problem.b[problem.b > 0]
    while low < high:
        middle = (low + high) // 2
        if carries(a, b, sparse.csr_array(table <= levels[middle])):
            high = middle
        else:
            low = middle + 1
    return low


def _matches(a: Array, b: Array, within: Any) -> bool:
    return bool((maximum_bipartite_matching(within, perm_type="column") >= 0).all())


def _flows(a: Array, b: Array, within: Any) -> bool:
    """Whether a flow from a source through the pairs to a sink carries all mass, in whole units."""
    n, m = within.shape
    supply, demand = _in_units(a), _in_units(b)
    pairs = within.tocoo()
    tails = np.concatenate([np.zeros(n), 1 + pairs.coords[0], 1 + n + np.arange(m)]).astype(np.int32)
    heads = np.concatenate([1 + np.arange(n), 1 + n + pairs.coords[1], np.full(m, n + m + 1)]).astype(np.int32)
    capacities = np.concatenate([supply, np.full(len(pairs.coords[0]), _UNITS), demand]).astype(np.int32)
    graph = sparse.csr_array((capacities, (tails, heads)), shape=(n + m + 2, n + m + 2))
    return maximum_flow(graph, 0, n + m + 1).flow_value >= _UNITS - n - m


def _in_units(weights: Array) -> Array:
    """Whole units whose running sums are those of the weights, rounded."""
    return np.diff(np.rint(np.cumsum(weights) / weights.sum() * _UNITS), prepend=0.0)
