"""Exact transport on the arcs of a cost matrix, dense or with forbidden arcs, by our network simplex.

Starts from the north-west tree; where that tree uses a forbidden arc, an
artificial one of prohibitive cost stands in for it until the pivots drive its
flow to zero.  Imports network_simplex, coarsen, problem and below, and numba.
"""

from __future__ import annotations

import numpy as np

from otdiv.bounds import Status
from otdiv.errors import Array
from otdiv.plan import Plan
from otdiv.pricing.compiling import announce_compilation
from otdiv.problem import Proposal, TransportProblem
from otdiv.transport.coarsen import TOTAL, integer_masses
from otdiv.transport.network_simplex import PARENT, Basis, basis_of, pivot, refresh_potentials

announce_compilation()

_BYTES_PER_ARC = 60
_TOLERANCE = 2.0**-46
_CHUNK, _SCANNED_IN_CHUNK = 100_000, 1_000_000_000


def solve_arcs(problem: TransportProblem, memory_limit: float | None = None) -> Proposal:
    """Plan and potentials from the simplex on all allowed arcs.

    Parameters
    ----------
    problem : TransportProblem
        Any cost; +inf forbids an arc.
    memory_limit : float, optional
        Bytes.

    Raises
    ------
    TooLarge
        The estimated need exceeds the limit.
    """
    problem.require_memory(_BYTES_PER_ARC * problem.n * problem.m, memory_limit, "the network simplex on all arcs")
    sources, targets = np.flatnonzero(problem.a), np.flatnonzero(problem.b)
    costs = problem.costs()[np.ix_(sources, targets)]
    masses = integer_masses(problem.a[sources], problem.b[targets])
    stats = {"pivots": 0, "arcs": 0}
    basis = None
    level = problem.sentinel_level
    for allowed in ([costs <= level] if level is not None else []) + [np.isfinite(costs)]:
        basis, prohibitive = _optimum(costs, allowed, *masses, stats)
        left = int(basis.flow[(basis.cost == prohibitive) & (basis.links[:, PARENT] >= 0)].sum())
        if left == 0:  # sentinels are needed only if a flow stays on artificial arcs without them
            break
    assert basis is not None
    n = len(sources)
    nodes = np.flatnonzero((basis.links[:, PARENT] >= 0) & (basis.flow > 0) & (basis.cost < prohibitive))
    above = basis.links[nodes, PARENT]
    i, j = np.where(nodes < n, nodes, above), np.where(nodes < n, above, nodes) - n
    plan = Plan(sources[i], targets[j], basis.flow[nodes] * (problem.mu.mass / TOTAL), (problem.n, problem.m))
    f, g = _extended(problem, sources, targets, basis.potential[:n], -basis.potential[n:])
    status = Status.OPTIMAL if left == 0 else Status.INFEASIBLE
    return Proposal(plan, f, g, status, {**stats, "message": f"network simplex on {stats['arcs']} arcs"})


def _optimum(costs: Array, allowed: Array, a: Array, b: Array, stats: dict[str, int]) -> tuple[Basis, float]:
    """The optimal basis over the allowed arcs, and the cost that marks artificial ones."""
    n, m = costs.shape
    tails, heads = (index.astype(np.int32) for index in allowed.nonzero())
    priced = costs[allowed]
    # no path along allowed arcs costs as much as one artificial arc
    prohibitive = 2.0 * (1.0 + float(priced.max()) - min(float(priced.min()), 0.0)) * (n + m)
    rows, columns, flows = _north_west(a, b)
    first = np.where(allowed[rows, columns], costs[rows, columns], prohibitive)
    basis = basis_of(n, m, rows, columns, flows, first)
    tolerance = _TOLERANCE * max(float(np.abs(priced).max()), 1e-300)
    block = max(16, int(np.sqrt(len(tails))))
    cursor, optimal = 0, False
    while not optimal:
        count, _, cursor, optimal = pivot(
            n, tails, heads, priced, basis, cursor, block, tolerance, _CHUNK, _SCANNED_IN_CHUNK
        )
        stats["pivots"] += int(count)
        refresh_potentials(n, basis)
    stats["arcs"] = len(tails)
    return basis, prohibitive


def _north_west(a: Array, b: Array) -> tuple[Array, Array, Array]:
    """The staircase tree of whole masses; among ties the column goes first, which makes it strongly feasible."""
    n, m = len(a), len(b)
    levels = np.concatenate([np.cumsum(b)[:-1], np.cumsum(a)[:-1]])
    order = np.argsort(levels, kind="stable")
    down = np.concatenate([[False], order >= m - 1])
    rows = np.cumsum(down)
    columns = np.arange(n + m - 1) - rows
    flows = np.diff(levels[order], prepend=0, append=int(a.sum()))
    return rows.astype(np.int32), columns.astype(np.int32), flows


def _extended(problem: TransportProblem, sources: Array, targets: Array, f: Array, g: Array) -> tuple[Array, Array]:
    """Potentials of all atoms: those without mass by the c-transform of the others."""
    costs = problem.costs()
    whole_f = (costs[:, targets] - g).min(axis=1)
    whole_f[sources] = f
    whole_g = (costs - np.where(np.isfinite(whole_f), whole_f, 0.0)[:, None]).min(axis=0)
    whole_g[targets] = g
    return np.where(np.isfinite(whole_f), whole_f, 0.0), np.where(np.isfinite(whole_g), whole_g, 0.0)
