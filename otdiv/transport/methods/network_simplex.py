"""Exact transport on a list of arcs, by the network simplex: sparse costs, and matrices with forbidden arcs.

A plan may not exist, or may be hard to find, so two nodes are added: a source and a
target that every other node reaches by an artificial arc, besides one arc between them
that costs nothing.  Mass that the initial basis
(:func:`otdiv.network_flow.trees.spanning_tree.least_cost_basis`) cannot place goes along them.
Artificial arcs have one high cost, raised until no flow is left on them or
until no path of allowed arcs could cost as much; then flow that is left on them has no other path,
and the nodes it reaches are the witness of infeasibility.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from otdiv.core.bounds import Status
from otdiv.core.budget import Budget, Stopped
from otdiv.core.options import DEFAULTS, SolverOptions, Tuning
from otdiv.core.progress import reporting
from otdiv.core.validation import Array
from otdiv.network_flow.graph import ArcList
from otdiv.network_flow.integer_masses import MASS_UNITS, SLACK_TOLERANCE, integer_masses
from otdiv.network_flow.simplex_pivots import PIVOTS_PER_NODE, pivot_to_optimum
from otdiv.network_flow.trees.spanning_tree import Basis, build_basis, least_cost_basis, update_potentials
from otdiv.problem.plan import Plan
from otdiv.problem.potentials import extend_potentials
from otdiv.problem.transport_problem import Proposal, TransportProblem

_BYTES_PER_ARC = 60
"""Measured peak per arc."""
_FINEST_TOLERANCE = 2.0**-51
"""As SLACK_TOLERANCE, for a few last pivots: costs of very different sizes need the digits below it."""
_FINEST_PIVOTS_PER_NODE = 4
"""Most of those last pivots, of which some only follow rounding."""
_RAISE = 32.0
"""Factor by which the cost of artificial arcs grows while flow is left on them."""
ROUNDING_MASS = 1e-12
"""Share of the mass below which what has no path is rounding of the weights."""


class _Network(NamedTuple):
    """Arcs between the atoms of positive mass, costs scaled so that the largest is near 1, masses in units."""

    arcs: ArcList
    a: Array
    b: Array
    scale: float


def solve_network_simplex(problem: TransportProblem, options: SolverOptions = DEFAULTS) -> Proposal:
    """Plan and potentials from the network simplex on all allowed arcs.

    Parameters
    ----------
    problem : TransportProblem
        Any cost; +inf, or absence from a sparse one, forbids an arc.
    options : SolverOptions
        Its limits of time and memory, and its progress.  When stopped, plan and potentials are proposed as they
        are; a plan that lacks mass for want of time has no upper bound where arcs are forbidden.

    Returns
    -------
    Proposal
        Of status INFEASIBLE where some mass has no path; ``stats["stranded"]`` are the sources it is left at.

    Raises
    ------
    TooLarge
        The estimated need exceeds the limit.
    """
    arcs = problem.n * problem.m if problem.sparse is None else len(problem.sparse.values)
    problem.require_memory(_BYTES_PER_ARC * arcs, options.memory_limit, "the network simplex on all arcs")
    sources, targets = np.flatnonzero(problem.a), np.flatnonzero(problem.b)
    masses = integer_masses(problem.a[sources], problem.b[targets])
    level = problem.sentinel_level
    with reporting(options.progress) as report:
        budget = options.budget("network simplex", report)
        for highest in (np.inf,) if level is None else (level, np.inf):
            network = _build_network(problem, sources, targets, *masses, highest)
            basis, stranded, stopped = _solve(network, budget, options.tuning)
            if stranded.sum() == 0 or stopped:  # sentinels are needed only where mass has no path without them
                break
    n = len(sources)
    flows, ends = _arcs_in_use(basis, n, len(targets))
    plan = Plan(sources[ends[0]], targets[ends[1]], flows * (problem.mu.mass / MASS_UNITS), (problem.n, problem.m))
    f, g = basis.potential[:n], -basis.potential[n + 1 : -1]
    middle = 0.5 * (float(f.min()) + float(f.max()))  # takes out what artificial arcs have added to all
    f, g = extend_potentials(problem, sources, targets, (f - middle) * network.scale, (g + middle) * network.scale)
    infeasible = not stopped and stranded.sum() > ROUNDING_MASS * MASS_UNITS
    status = Status.STOPPED if stopped else Status.INFEASIBLE if infeasible else Status.OPTIMAL
    message = f"network simplex on {budget.stats['arcs']} arcs" + (f": {stopped}" if stopped else "")
    stats: dict[str, Any] = {"message": message, "stranded": sources[stranded > 0] if infeasible else ()}
    return Proposal(plan, f, g, status, {**budget.stats, **stats})


def _build_network(
    problem: TransportProblem, sources: Array, targets: Array, a: Array, b: Array, highest: float
) -> _Network:
    """The arcs up to the cost ``highest`` between atoms that have mass, numbered among these."""
    rows, columns, costs = problem.arcs()
    if len(sources) < problem.n or len(targets) < problem.m or highest < np.inf:
        row_of, column_of = np.full(problem.n, -1, np.int32), np.full(problem.m, -1, np.int32)
        row_of[sources], column_of[targets] = np.arange(len(sources)), np.arange(len(targets))
        rows, columns = row_of[rows], column_of[columns]
        kept = (rows >= 0) & (columns >= 0) & (costs <= highest)
        rows, columns, costs = rows[kept], columns[kept], costs[kept]
    largest = float(np.abs(costs).max(initial=0.0))
    scale = float(np.ldexp(1.0, int(np.frexp(largest)[1]) - 1)) if largest > 0 else 1.0
    return _Network(ArcList(rows, columns, costs / scale), a, b, scale)


def _solve(network: _Network, budget: Budget, tuning: Tuning) -> tuple[Basis, Array, str]:
    """The optimal basis, or the one reached when stopped; mass of each source without a path; and why it stopped."""
    n, m = len(network.a), len(network.b)
    given = network.arcs
    order = np.argsort(given.costs, kind="stable")
    basis = build_basis(n + 1, m + 1, *least_cost_basis(*given, network.a, network.b, order))
    arcs = ArcList(
        np.append(given.tails, np.int32(n)), np.append(given.heads, np.int32(m)), np.append(given.costs, 0.0)
    )
    budget.stats["arcs"] = len(given.tails)
    artificial, stopped = 4.0, ""
    while True:
        _price_artificial_arcs(basis, n, artificial)
        try:
            _pivot(n + 1, arcs, basis, budget, tuning)
        except (Stopped, KeyboardInterrupt) as stop:
            stopped = str(stop) or "interrupted"
        stranded = np.where(basis.parent[:n] == n + m + 1, basis.flow[:n], 0)
        # where artificial arcs cost more than all paths of allowed ones, mass that is left on them has no path
        if stopped or stranded.sum() == 0 or artificial > n + m:
            return basis, stranded, stopped
        artificial *= _RAISE


def _price_artificial_arcs(basis: Basis, n: int, cost: float) -> None:
    """Set the cost of the artificial arcs in the tree: all at the two added nodes, but the one between them."""
    above, root = basis.parent, len(basis.parent) - 1
    artificial = (above == root) | (above == n)
    artificial[n] = above[n] != root
    basis.cost[artificial] = cost
    update_potentials(n + 1, basis)


def _pivot(n: int, arcs: ArcList, basis: Basis, budget: Budget, tuning: Tuning) -> None:
    """Pivot until no arc violates, then a few times more below the usual tolerance."""
    nodes = len(basis.flow)

    def after_batch(count: int) -> None:
        budget.stats["pivots"] += count
        budget.report(points=nodes, arcs=len(arcs.tails))
        budget.require_time()

    for share, pivots in ((SLACK_TOLERANCE, PIVOTS_PER_NODE), (_FINEST_TOLERANCE, _FINEST_PIVOTS_PER_NODE)):
        pivot_to_optimum(n, arcs, basis, share, 1.0, pivots * nodes, tuning, after_batch)


def _arcs_in_use(basis: Basis, n: int, m: int) -> tuple[Array, tuple[Array, Array]]:
    """Flow, source and target of the tree's arcs that have flow and are not artificial."""
    nodes = np.flatnonzero((basis.parent >= 0) & (basis.flow > 0))
    above = basis.parent[nodes]
    i, j = np.where(nodes <= n, nodes, above), np.where(nodes <= n, above, nodes) - n - 1
    real = (i < n) & (j < m)
    return basis.flow[nodes[real]], (i[real], j[real])
