"""Solve a linear program with a backend, and check the answer before it is returned.

An optimum is checked by its residuals, infeasibility and unboundedness by a ray.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from otdiv.core.bounds import Status
from otdiv.core.budget import Stopped
from otdiv.core.options import RTOL, SolverOptions
from otdiv.core.validation import Array, ReadOnlyCopies, check_choice, invalid, readonly
from otdiv.linear_programming.backends import Answer, Rows, by_cvxpy, by_highs
from otdiv.linear_programming.checks import ACCEPTED, ScaledProgram, checked_optimum, verified_ray
from otdiv.linear_programming.exact_check import exactly_optimal
from otdiv.linear_programming.program import DualProgram, LinearProgram
from otdiv.processes.child import call_in_child

_IN_CHILD_FROM = 20_000
"""Entries of the matrix from which a program takes some tenths of a second, and has a process that Ctrl-C can end."""
_MOST_EXACT_ENTRIES = 2000
"""Entries of a matrix up to which an answer is checked in fractions where rounding leaves it open."""
_CHILD_STARTS_WITHIN = 0.25
"""Seconds by which that process may pass the limit, which its solver keeps by itself."""


@dataclass(frozen=True, slots=True, eq=False)
class LPSolution(ReadOnlyCopies):
    """How a linear program ended, with the evidence.

    Attributes
    ----------
    status : Status
        OPTIMAL, INFEASIBLE or UNBOUNDED *of the program that was passed*; FAILED when the answer did
        not pass its check; STOPPED when a limit was reached (then without x and y), or when x and y settle the
        objective less closely than asked.
    x : ndarray [n] or None
        Primal solution; for an unbounded primal a feasible point, where the ray starts.
    y : ndarray [m] or None
        Dual solution, A'y <= c; for an unbounded dual a feasible point.
    objective : float
        Optimal value; +inf / -inf for an infeasible or unbounded program (a minimum
        over nothing is +inf, a maximum over nothing -inf); NaN if it is not known.
    ray : ndarray or None
        Infeasible primal or unbounded dual: y with A'y <= 0 (y >= 0 in the inequality
        form) and b'y > 0.  Unbounded primal or infeasible dual: d >= 0 with A d = 0
        (A d >= 0) and c'd < 0.  Scaled to largest entry 1.
    stats : mapping
        backend, solver, message, seconds, iterations; with x and y
        primal_residual, dual_violation, gap = c'x - b'y, and uncertainty, by how much these and rounding let
        the objective be wrong: |gap| + primal_residual |y|_1 + dual_violation |x|_1 + 4 u (|c|'x + |b|'|y|),
        or 0 where a small program is optimal exactly at these floats; for a ray ray_violation and ray_gain.
    """

    status: Status
    x: Array | None
    y: Array | None
    objective: float
    ray: Array | None
    stats: Mapping[str, Any] = field(repr=False)


def solve_lp(
    program: LinearProgram | DualProgram,
    backend: str = "highs",
    *,
    rtol: float = RTOL,
    atol: float = 0.0,
    time_limit: float | None = None,
    method: str = "highs",
) -> LPSolution:
    """Solve a primal or a dual program and check the answer.

    Parameters
    ----------
    program : LinearProgram or DualProgram
        Which program is handed to the solver.
    backend : {"highs", "cvxpy"}
        HiGHS through SciPy, or cvxpy with Clarabel (``stats["solver"]`` names the one that answered).
    rtol, atol : float
        The status is OPTIMAL where the uncertainty is at most the larger of rtol * |objective| and atol; atol is in
        the unit of the objective.
    time_limit : float, optional
        Seconds after which the solver gives up; the status is then STOPPED.
    method : {"highs", "highs-ds", "highs-ipm"}
        HiGHS's own choice, dual simplex, or interior point; for the backend "highs".

    Returns
    -------
    LPSolution
        No status raises: INFEASIBLE and UNBOUNDED come with a verified ray,
        everything unclear is FAILED or STOPPED with the solver's own message.

    Raises
    ------
    InvalidInput
        ``program`` is not a program, or an option is not one of those above.

    Notes
    -----
    Each row of A, then b and c are divided by a power of two near their largest entry, which is
    exact, so that the solvers' absolute tolerances become relative ones; the residuals in
    ``stats`` are those of the rows so divided.

    Examples
    --------
    >>> nothing = LinearProgram([1, 1], [[1, 1]], [-1])          # x1 + x2 = -1, x >= 0
    >>> answer = solve_lp(nothing)
    >>> answer.status.label, answer.ray.tolist()
    ('infeasible', [-1.0])
    """
    if not isinstance(program, LinearProgram | DualProgram):
        requirement = "be a LinearProgram or a DualProgram"
        raise invalid("program", requirement, type(program).__name__, "Build one with LinearProgram(c, A, b, form).")
    check_choice("backend", backend, ("highs", "cvxpy"))
    check_choice("method", method, ("highs", "highs-ds", "highs-ipm"))
    SolverOptions(rtol=rtol, atol=atol)  # refuses what is no tolerance
    if time_limit is not None and not time_limit > 0:
        raise invalid("time_limit", "be positive", time_limit, "Give seconds, or None for no limit.")

    solver: Callable[..., Answer] = by_highs if backend == "highs" else by_cvxpy
    settings = (time_limit, method) if backend == "highs" else (time_limit,)

    def ask(rows: Rows) -> Answer:
        if rows.entries < _IN_CHILD_FROM:
            return solver(rows, *settings)
        limit = None if time_limit is None else time_limit + _CHILD_STARTS_WITHIN
        try:
            return call_in_child(solver, rows, *settings, time_limit=limit)
        except Stopped as stop:
            return Answer("stopped", None, None, backend, str(stop), time_limit or 0.0, 0)

    primal = program if isinstance(program, LinearProgram) else program.primal
    scaled = ScaledProgram(primal.c, primal.A, primal.b, primal.form)
    is_primal = program is primal
    answer = ask(scaled.primal_rows() if is_primal else scaled.dual_rows())
    stats = {
        "backend": backend,
        "solver": answer.solver,
        "message": answer.message,
        "seconds": answer.seconds,
        "iterations": answer.iterations,
    }
    if answer.status == "optimal":
        return _optimal(primal, scaled, is_primal, answer, stats, rtol, atol)
    if answer.status in ("stopped", "failed"):
        return _without_answer(Status.STOPPED if answer.status == "stopped" else Status.FAILED, stats)
    return _with_ray(scaled, is_primal, answer.status, ask, stats)


def _optimal(
    program: LinearProgram,
    scaled: ScaledProgram,
    is_primal: bool,
    answer: Answer,
    stats: dict[str, Any],
    rtol: float,
    atol: float,
) -> LPSolution:
    """The solution where the residuals of point and multipliers are small, else FAILED."""
    x, y, objective, residuals = checked_optimum(scaled, is_primal, answer)
    relative = residuals.pop("relative")
    stats.update(residuals)
    if not relative <= ACCEPTED:
        stats["message"] += " The answer did not pass its check: see primal_residual, dual_violation and gap."
        return _without_answer(Status.FAILED, stats)
    allowed = max(rtol * abs(objective), atol)
    small = x.size * y.size <= _MOST_EXACT_ENTRIES
    if residuals["uncertainty"] > allowed and small and exactly_optimal(program, x, y):
        stats["uncertainty"] = 0.0
    status = Status.OPTIMAL if stats["uncertainty"] <= allowed else Status.STOPPED
    return LPSolution(status, readonly(x), readonly(y), objective, None, MappingProxyType(stats))


def _with_ray(
    scaled: ScaledProgram, is_primal: bool, reported: str, ask: Callable[[Rows], Answer], stats: dict[str, Any]
) -> LPSolution:
    """Decide between infeasible and unbounded by a verified ray, trying the reported status first.

    Presolve may call an unbounded program infeasible and the reverse; no status is accepted without its ray,
    and UNBOUNDED also needs a feasible point.
    """
    for claim in ("unbounded", "infeasible") if reported == "unbounded" else ("infeasible", "unbounded"):
        found = verified_ray(scaled, is_primal == (claim == "unbounded"), ask)
        if found is None:
            continue
        ray, violation, gain = found
        evidence = MappingProxyType({**stats, "ray_violation": violation, "ray_gain": gain})
        if claim == "infeasible":
            value = np.inf if is_primal else -np.inf
            return LPSolution(Status.INFEASIBLE, None, None, value, readonly(ray), evidence)
        start = ask(scaled.feasible_rows(is_primal))
        if start.status == "optimal" and start.point is not None:
            value = -np.inf if is_primal else np.inf
            x = readonly(scaled.x_back(np.maximum(start.point, 0.0))) if is_primal else None
            y = None if is_primal else readonly(scaled.y_back(start.point))
            return LPSolution(Status.UNBOUNDED, x, y, value, readonly(ray), evidence)
    stats["message"] += " No ray could be verified."
    return _without_answer(Status.FAILED, stats)


def _without_answer(status: Status, stats: dict[str, Any]) -> LPSolution:
    return LPSolution(status, None, None, float("nan"), None, MappingProxyType(stats))
