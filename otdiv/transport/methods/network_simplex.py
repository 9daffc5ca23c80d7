"""Exact transport on a list of arcs, by our network simplex: sparse costs, and matrices with forbidden arcs.

A plan may not exist, or may be hard to find, so two nodes are added: a source and a
target that every other node reaches by an artificial arc, besides one arc between them
that costs nothing.  What the first tree (:mod:`otdiv.network_flow.initial_basis`) cannot place
goes that way.  Artificial arcs have one high cost, raised until no flow stays on them or
until no path of allowed arcs could cost as much; flow that still stays has no other way,
and what it can reach is the witness.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from otdiv.core.bounds import Status
from otdiv.core.compilation import announce_compilation
from otdiv.core.validation import Array
from otdiv.network_flow.initial_basis import first_tree
from otdiv.network_flow.integer_masses import TOTAL, integer_masses
from otdiv.network_flow.simplex_pivots import pivot
from otdiv.network_flow.spanning_tree import Basis, basis_of, refresh_potentials
from otdiv.problem.plan import Plan
from otdiv.problem.transport_problem import Proposal, TransportProblem
from otdiv.transport.progress import Progress

announce_compilation()

_BYTES_PER_ARC = 60
_TOLERANCE, _FINEST = 2.0**-46, 2.0**-51
_CHUNK, _SCANNED_IN_CHUNK = 5000, 20_000_000
"""Pivots, and arcs looked at, between two looks at the clock."""
_PIVOTS_PER_NODE = 1000
"""Beyond so many only rounding still pivots; what is left open then shows in the proved interval."""
_RAISE = 32.0
"""By how much artificial arcs are made dearer while flow stays on them."""
LEFT_OVER = 1e-12
"""Less than this share of the mass without a way is rounding of the weights."""


class _Stopped(Exception):
    """The time is up."""


class _Run:
    """The clock, who is told, and what is counted."""

    def __init__(self, time_limit: float | None, progress: Callable[[Progress], None] | None) -> None:
        self.started, self.progress = time.monotonic(), progress
        self.deadline = np.inf if time_limit is None else self.started + time_limit
        self.stats: dict[str, Any] = {"pivots": 0, "arcs": 0}
        self.stopped = ""

    def pause(self, nodes: int, arcs: int) -> None:
        """Between two batches of pivots: tell, and stop when the time is up."""
        if self.progress is not None:
            self.progress(Progress(time.monotonic() - self.started, nodes, arcs, -np.inf, np.inf))
        if time.monotonic() > self.deadline:
            raise _Stopped


class _Network(NamedTuple):
    """Arcs between the atoms of positive mass, costs scaled so that the largest is near 1, masses in quanta."""

    tails: Array
    heads: Array
    costs: Array
    a: Array
    b: Array
    scale: float


def solve_arcs(
    problem: TransportProblem,
    memory_limit: float | None = None,
    time_limit: float | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Proposal:
    """Plan and potentials from the simplex on all allowed arcs.

    Parameters
    ----------
    problem : TransportProblem
        Any cost; +inf, or absence from a sparse one, forbids an arc.
    memory_limit : float, optional
        Bytes.
    time_limit : float, optional
        Seconds, after which plan and potentials are handed over as they are, as after Ctrl-C.  A plan that
        lacks mass for want of time has no upper bound where arcs are forbidden.
    progress : callable, optional
        Called with a :class:`otdiv.transport.progress.Progress`, its interval left open.

    Returns
    -------
    Proposal
        Of status INFEASIBLE where some mass has no way; ``stats["stranded"]`` are the sources it stays at.

    Raises
    ------
    TooLarge
        The estimated need exceeds the limit.
    """
    arcs = problem.n * problem.m if problem.sparse is None else len(problem.sparse.values)
    problem.require_memory(_BYTES_PER_ARC * arcs, memory_limit, "the network simplex on all arcs")
    sources, targets = np.flatnonzero(problem.a), np.flatnonzero(problem.b)
    masses = integer_masses(problem.a[sources], problem.b[targets])
    run = _Run(time_limit, progress)
    level = problem.sentinel_level
    for highest in (np.inf,) if level is None else (level, np.inf):
        network = _network(problem, sources, targets, *masses, highest)
        basis, stranded = _optimum(network, run)
        if stranded.sum() == 0 or run.stopped:  # sentinels are needed only where mass has no way without them
            break
    n = len(sources)
    flows, ends = _arcs_in_use(basis, n, len(targets))
    plan = Plan(sources[ends[0]], targets[ends[1]], flows * (problem.mu.mass / TOTAL), (problem.n, problem.m))
    f, g = basis.potential[:n], -basis.potential[n + 1 : -1]
    middle = 0.5 * (float(f.min()) + float(f.max()))  # leaves out what artificial arcs have added to all
    f, g = (f - middle) * network.scale, (g + middle) * network.scale
    whole_f, whole_g = _extended(problem, sources, targets, f, g)
    lost = not run.stopped and stranded.sum() > LEFT_OVER * TOTAL
    status = Status.STOPPED if run.stopped else Status.INFEASIBLE if lost else Status.OPTIMAL
    message = f"network simplex on {run.stats['arcs']} arcs" + (f": {run.stopped}" if run.stopped else "")
    told = {"message": message, "stranded": sources[stranded > 0] if lost else ()}
    return Proposal(plan, whole_f, whole_g, status, {**run.stats, **told})


def _network(problem: TransportProblem, sources: Array, targets: Array, a: Array, b: Array, highest: float) -> _Network:
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
    return _Network(rows, columns, costs / scale, a, b, scale)


def _optimum(network: _Network, run: _Run) -> tuple[Basis, Array]:
    """The optimal basis, or that of the moment when stopped, and how much of each source's mass has no way."""
    n, m = len(network.a), len(network.b)
    tails, heads = np.append(network.tails, np.int32(n)), np.append(network.heads, np.int32(m))
    costs = np.append(network.costs, 0.0)
    order = np.argsort(network.costs, kind="stable")
    basis = basis_of(n + 1, m + 1, *first_tree(tails[:-1], heads[:-1], costs[:-1], network.a, network.b, order))
    run.stats["arcs"] = len(network.tails)
    artificial = 4.0
    while True:
        _price_artificial(basis, n, artificial)
        try:
            _pivot_to_optimum(n + 1, tails, heads, costs, basis, run)
        except (_Stopped, KeyboardInterrupt) as stop:
            run.stopped = "the time limit" if isinstance(stop, _Stopped) else "interrupted"
        stranded = np.where(basis.parent[:n] == n + m + 1, basis.flow[:n], 0)
        # where artificial arcs cost more than all ways along allowed ones, what stays on them has no way
        if run.stopped or stranded.sum() == 0 or artificial > n + m:
            return basis, stranded
        artificial *= _RAISE


def _price_artificial(basis: Basis, n: int, cost: float) -> None:
    """Set the cost of the artificial arcs in the tree: all at the two added nodes, but the one between them."""
    above, root = basis.parent, len(basis.parent) - 1
    artificial = (above == root) | (above == n)
    artificial[n] = above[n] != root
    basis.cost[artificial] = cost
    refresh_potentials(n + 1, basis)


def _pivot_to_optimum(n: int, tails: Array, heads: Array, costs: Array, basis: Basis, run: _Run) -> None:
    """Pivot until no arc violates; then, for costs of very different sizes, a little on down into the rounding."""
    block = max(16, int(np.sqrt(len(tails))))
    for share, left in ((_TOLERANCE, _PIVOTS_PER_NODE * len(basis.flow)), (_FINEST, 4 * len(basis.flow))):
        cursor, optimal = 0, False
        while not optimal and left > 0:
            tolerance = share * max(1.0, float(np.abs(basis.potential).max()))
            most = min(_CHUNK, left)
            count, _, cursor, optimal = pivot(
                n, tails, heads, costs, basis, cursor, block, tolerance, most, _SCANNED_IN_CHUNK
            )
            run.stats["pivots"] += int(count)
            left -= max(1, int(count))
            refresh_potentials(n, basis)
            run.pause(len(basis.flow), len(tails))


def _arcs_in_use(basis: Basis, n: int, m: int) -> tuple[Array, tuple[Array, Array]]:
    """Flow, source and target of the tree's arcs that carry mass and are not artificial."""
    nodes = np.flatnonzero((basis.parent >= 0) & (basis.flow > 0))
    above = basis.parent[nodes]
    i, j = np.where(nodes <= n, nodes, above), np.where(nodes <= n, above, nodes) - n - 1
    real = (i < n) & (j < m)
    return basis.flow[nodes[real]], (i[real], j[real])


def _extended(problem: TransportProblem, sources: Array, targets: Array, f: Array, g: Array) -> tuple[Array, Array]:
    """Potentials of all atoms: those without mass by the c-transform of the others."""
    whole_f, whole_g = np.full(problem.n, np.inf), np.full(problem.m, -np.inf)
    whole_g[targets] = g
    if len(sources) < problem.n:
        whole_f = _settled(_least_of_rows(problem, whole_g))
    whole_f[sources] = f
    if len(targets) < problem.m:
        whole_g = _settled(_least_of_columns(problem, whole_f))
        whole_g[targets] = g
    return whole_f, whole_g


def _least_of_rows(problem: TransportProblem, g: Array) -> Array:
    arcs = problem.sparse
    return (problem.costs() - g).min(axis=1) if arcs is None else arcs.minima_of_rows(arcs.values - g[arcs.columns])


def _least_of_columns(problem: TransportProblem, f: Array) -> Array:
    arcs = problem.sparse
    if arcs is None:
        return (problem.costs() - f[:, None]).min(axis=0)
    return arcs.minima_of_columns(arcs.values - f[arcs.rows])


def _settled(potential: Array) -> Array:
    """An atom all of whose arcs are forbidden has no constraint; any finite value will do."""
    return np.where(np.isfinite(potential), potential, 0.0)
