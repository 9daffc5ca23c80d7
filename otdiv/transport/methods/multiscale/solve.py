"""Exact transport between large point clouds: coarse to fine, few arcs, pricing by search.

Points are joined into clusters of about four, these again, and so on
(:mod:`otdiv.transport.methods.multiscale.scales`).  The solution of each scale suggests arcs for the next
finer one: those of low reduced cost under its potentials.  At the finest scale two steps alternate: a solve
on few arcs, and a search over all pairs for arcs that violate f + g <= c, until there is none.  Equal masses
on both sides are an assignment (:mod:`otdiv.transport.methods.multiscale.assignment_engine`), others a flow
on a spanning tree (:mod:`otdiv.transport.methods.multiscale.simplex_engine`), which for a loose tolerance may
end at a coarse scale.

It may be stopped at any moment: what has been found at any scale refines to a plan, and the potentials of any
scale extend to all points.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from otdiv.certificates.grid_potentials import find_squared_grid
from otdiv.core.bounds import Status
from otdiv.core.budget import Stopped
from otdiv.core.options import DEFAULTS, SolverOptions
from otdiv.core.progress import reporting
from otdiv.core.threads import count_threads
from otdiv.core.validation import Array
from otdiv.network_flow.integer_masses import MASS_UNITS, integer_masses
from otdiv.pricing.pricing import ordered
from otdiv.problem.plan import Plan
from otdiv.problem.potentials import extend_potentials
from otdiv.problem.transport_problem import Proposal, TransportProblem
from otdiv.transport.methods.multiscale.assignment_engine import AssignmentEngine
from otdiv.transport.methods.multiscale.earlier_solve import find_earlier_solve
from otdiv.transport.methods.multiscale.scales import Scale, build_scales
from otdiv.transport.methods.multiscale.simplex_engine import COARSEST_PAIRS, LOOSE, SimplexEngine
from otdiv.transport.methods.multiscale.state import SolverState

_CANDIDATES_INCLUDED, _BYTES_PER_CANDIDATE = 24, 65
"""Candidate arcs of a source that the bytes of a point include, and the bytes of each other one, while they are
searched for and merged; measured on curves."""


def solve_multiscale(problem: TransportProblem, options: SolverOptions = DEFAULTS) -> Proposal:
    """Plan and potentials, optimal or the best found when stopped.

    Parameters
    ----------
    problem : TransportProblem
        With a cost of points: a norm of the difference or a power of one.
    options : SolverOptions
        ``rtol`` is the relative gap at which to stop; after ``time_limit`` seconds the best plan and potentials
        so far are proposed (the audit comes on top), and after Ctrl-C too.

    Raises
    ------
    TooLarge
        The estimated need exceeds the limit.
    """
    problem.require_memory(estimate_memory(problem), options.memory_limit, "the multiscale method")
    # points without mass take no part; their potentials are extended at the end
    sources, targets = np.flatnonzero(problem.a), np.flatnonzero(problem.b)
    sources = sources[ordered(problem.mu.points[sources], options.threads)]
    targets = targets[ordered(problem.nu.points[targets], options.threads)]
    a, b = integer_masses(problem.a[sources], problem.b[targets])
    assignment = _masses_are_equal(a, b) and options.rtol < LOOSE
    coarsest = options.tuning.coarsest_pairs if assignment else min(options.tuning.coarsest_pairs, COARSEST_PAIRS)
    points = problem.mu.points[sources], problem.nu.points[targets]
    scales = build_scales(*points, a, b, coarsest, count_threads(options.threads))
    status, message = Status.OPTIMAL, "no pair violates f + g <= c"
    with reporting(options.progress) as report:
        state = SolverState(problem, options, options.budget("multiscale", report))
        grid = find_squared_grid(problem)
        if grid is not None:
            state.grid = scales[0].x, scales[0].y, grid.restrict(sources, targets)
        state.earlier = find_earlier_solve(options.start, sources, targets, a, b, assignment=assignment)
        first = AssignmentEngine(state, scales) if assignment else None
        if first is not None:
            need = estimate_memory(problem, first.candidates)
            problem.require_memory(need, options.memory_limit, "the multiscale method")
        engine = first or SimplexEngine(state, scales)

        def propose(status: Status, message: str) -> Proposal:
            i, j, units = engine.plan() if first is None or first is engine else first.cheaper(engine.plan())
            mass = units * (problem.mu.mass / MASS_UNITS)
            plan = Plan(sources[i], targets[j], mass, (problem.n, problem.m))
            f, g = _extend(state, scales, sources, targets)
            return Proposal(plan, f, g, status, {**state.stats, "message": f"multiscale {engine.name}: {message}"})

        state.propose = lambda: propose(Status.STOPPED, "a checkpoint")
        try:
            if not engine.solve(options.rtol):
                state.earlier = None
                engine = SimplexEngine(state, scales)
                engine.solve(options.rtol)
            if state.upper - state.lower > options.rtol * state.upper:
                message = "rounding hides what still violates"
        except (Stopped, KeyboardInterrupt) as stop:
            status, message = Status.STOPPED, str(stop) or "interrupted"
    state.budget.finish()
    found = propose(status, message)
    # when stopped the auditor finds the best g for f; at the optimum g is that already
    return replace(found, g=None) if status is Status.STOPPED else found


def _masses_are_equal(a: Array, b: Array) -> bool:
    """Whether an assignment is a plan: as many sources as targets, masses equal but for a unit."""
    return len(a) == len(b) and max(a.max(), b.max()) - min(a.min(), b.min()) <= 1


def estimate_memory(problem: TransportProblem, candidates: int = _CANDIDATES_INCLUDED) -> float:
    """Bytes: points and boxes at all scales, tree, candidate arcs, and what one round of pricing returns."""
    more = max(candidates - _CANDIDATES_INCLUDED, 0)
    return (problem.n + problem.m) * (1200.0 + 80.0 * problem.d + 0.5 * _BYTES_PER_CANDIDATE * more)


def _extend(
    state: SolverState, scales: list[Scale], sources: Array, targets: Array
) -> tuple[Array, Array] | tuple[None, None]:
    """The best f and g, extended to points without mass; None where the coarsest scale was not solved."""
    if state.f is None or state.g is None:
        if state.coarse is None:
            return None, None
        state.f = state.extend_coarse(scales)
        state.g = state.pricing(scales[0].y, scales[0].x).minima(state.f)[0]
    f, g, x, y = state.f, state.g, state.problem.mu.points, state.problem.nu.points
    grid = find_squared_grid(state.problem)

    def over_targets(rest: Array) -> Array:
        if grid is None:
            return state.pricing(x[rest], scales[0].y).minima(g)[0]
        return grid.over_targets(_fill(len(y), targets, g))[rest]

    def over_sources(rest: Array) -> Array:
        if grid is None:
            return state.pricing(y[rest], scales[0].x).minima(f)[0]
        return grid.over_sources(_fill(len(x), sources, f))[rest]

    return extend_potentials(state.problem, sources, targets, f, g, over_targets, over_sources)


def _fill(size: int, at: Array, potential: Array) -> Array:
    """The potential at the points ``at``, -inf at all others, which then attain no minimum."""
    whole = np.full(size, -np.inf)
    whole[at] = potential
    return whole
