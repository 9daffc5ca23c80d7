"""Exact transport between large point clouds: coarse to fine, few arcs, pricing by search.

Points are joined into clusters of about four, these again, and so on
(:mod:`otdiv.transport.methods.multiscale.scales`).  The solution of each scale suggests arcs for the next
finer one: those of low reduced cost under its potentials.  At the finest scale a solve on
few arcs and a search over all pairs for arcs that violate f + g <= c take turns until
there is none.  Equal masses on both sides are matched (:mod:`otdiv.transport.methods.multiscale.assignment_engine`),
any others flow on a spanning tree (:mod:`otdiv.transport.methods.multiscale.simplex_engine`), which at a loose
tolerance may end at a coarse scale.

It may be stopped at any moment: what has been found at any scale goes down to a plan, and
the potentials of any scale extend to all points.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from otdiv.core.bounds import Status
from otdiv.core.validation import Array
from otdiv.network_flow.integer_masses import TOTAL, integer_masses
from otdiv.pricing.pricing import ordered
from otdiv.problem.plan import Plan
from otdiv.problem.transport_problem import Proposal, TransportProblem
from otdiv.transport.methods.multiscale.assignment_engine import Assignment
from otdiv.transport.methods.multiscale.scales import Scale, scales_of
from otdiv.transport.methods.multiscale.simplex_engine import LOOSE, TreeFlow
from otdiv.transport.methods.multiscale.state import Run, Stopped
from otdiv.transport.progress import Progress


def solve_multiscale(
    problem: TransportProblem,
    rtol: float = 1e-9,
    time_limit: float | None = None,
    memory_limit: float | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Proposal:
    """Plan and potentials, optimal or the best found when stopped.

    Parameters
    ----------
    problem : TransportProblem
        With a cost of points: a norm of the difference or a power of one.
    rtol : float
        Relative gap at which to stop.
    time_limit : float, optional
        Seconds, after which the best plan and potentials so far are handed over (the audit comes on top).
        Ctrl-C does the same.
    memory_limit : float, optional
        Bytes.
    progress : callable, optional
        Called with a :class:`otdiv.transport.progress.Progress` after each round.

    Raises
    ------
    TooLarge
        The estimated need exceeds the limit.
    """
    problem.require_memory(memory_needed(problem), memory_limit, "the multiscale method")
    run = Run(problem, np.inf if time_limit is None else time.monotonic() + time_limit, progress)
    # points without mass take no part; the auditor's c-transform finds their potentials
    sources, targets = np.flatnonzero(problem.a), np.flatnonzero(problem.b)
    sources = sources[ordered(problem.mu.points[sources])]
    targets = targets[ordered(problem.nu.points[targets])]
    a, b = integer_masses(problem.a[sources], problem.b[targets])
    scales = scales_of(problem.mu.points[sources], problem.nu.points[targets], a, b)
    matching = _equal(a, b) and rtol < LOOSE
    engine = Assignment(run, scales) if matching else TreeFlow(run, scales)
    status, message = Status.OPTIMAL, "no pair violates f + g <= c"
    try:
        engine.solve(rtol)
        if run.upper - run.lower > rtol * run.upper:
            message = "rounding hides what still violates"
    except Stopped:
        status, message = Status.STOPPED, "the time limit"
    except KeyboardInterrupt:
        status, message = Status.STOPPED, "interrupted"
    i, j, quanta = engine.plan()
    mass = quanta * (problem.mu.mass / TOTAL)
    plan = Plan(sources[i], targets[j], mass, (problem.n, problem.m))
    f, g = _potentials(run, scales, sources, targets)
    if status is Status.STOPPED:
        g = None  # the auditor then finds the best one for f; at the optimum g is that already
    return Proposal(plan, f, g, status, {**run.stats, "message": f"multiscale {engine.name}: {message}"})


def _equal(a: Array, b: Array) -> bool:
    """Whether a matching is a plan: as many sources as targets, masses equal but for a quantum."""
    return len(a) == len(b) and max(a.max(), b.max()) - min(a.min(), b.min()) <= 1


def memory_needed(problem: TransportProblem) -> float:
    """Bytes: points and boxes at all scales, tree, candidate arcs, and what one round of pricing returns."""
    return (problem.n + problem.m) * (1200.0 + 80.0 * problem.d)


def _potentials(
    run: Run, scales: list[Scale], sources: Array, targets: Array
) -> tuple[Array, Array] | tuple[None, None]:
    """The best f and g, those of points without mass by the c-transform of the others."""
    if run.f is None or run.g is None:
        if run.coarse is None:
            return None, None
        run.f = run.extended(scales)
        run.g = _price(run, scales[0].y, scales[0].x, run.f)
    mu, nu = run.problem.mu.points, run.problem.nu.points
    f, g = np.empty(len(mu)), np.empty(len(nu))
    f[sources], g[targets] = run.f, run.g
    idle = np.setdiff1d(np.arange(len(mu)), sources)
    f[idle] = _price(run, mu[idle], scales[0].y, run.g)
    idle = np.setdiff1d(np.arange(len(nu)), targets)
    g[idle] = _price(run, nu[idle], scales[0].x, run.f)
    return f, g


def _price(run: Run, x: Array, y: Array, g: Array) -> Array:
    return run.pricing(x, y).minima(g)[0] if len(x) else np.empty(0)
