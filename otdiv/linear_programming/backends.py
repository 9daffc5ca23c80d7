"""The two solvers of linear programs: HiGHS through SciPy, and cvxpy for comparison.

Each solves

    min cost'v   subject to   matrix v (=|<=|>=) rhs,   lower <= v <= upper,

and answers in one convention: a status, the point, and for each row the multiplier
d(minimum) / d(rhs).  What the multiplier means for the user's program is decided in
:mod:`otdiv.linear_programming.checks`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from otdiv.core.threads import without_warnings
from otdiv.core.validation import Array

Sense = Literal["=", "<=", ">="]
TOLERANCE = 1e-10
"""Absolute feasibility asked of HiGHS, the tightest that it accepts; a larger one is faster and less exact."""


@dataclass(frozen=True, slots=True)
class Rows:
    """min cost'v subject to matrix v (sense) rhs and lower <= v <= upper."""

    cost: Array
    matrix: Any
    sense: Sense
    rhs: Array
    lower: float
    upper: float

    @property
    def entries(self) -> int:
        """Numbers that the matrix stores."""
        return int(self.matrix.nnz if sparse.issparse(self.matrix) else self.matrix.size)


@dataclass(frozen=True, slots=True)
class Answer:
    """The solver's message, and its point and multipliers if it has them.

    ``status`` is one of optimal, infeasible, unbounded, unclear (infeasible or
    unbounded, or numerical trouble), stopped (a limit was reached), failed.
    """

    status: str
    point: Array | None
    multipliers: Array | None
    solver: str
    message: str
    seconds: float
    iterations: int


def by_highs(rows: Rows, time_limit: float | None, method: str = "highs") -> Answer:
    """Answer ``rows`` with HiGHS: dual simplex, feasibility to 1e-10."""
    options: dict[str, Any] = {"primal_feasibility_tolerance": TOLERANCE, "dual_feasibility_tolerance": TOLERANCE}
    if time_limit is not None:
        options["time_limit"] = time_limit
    if rows.sense == "=":
        system = {"A_eq": rows.matrix, "b_eq": rows.rhs}
    elif rows.sense == "<=":
        system = {"A_ub": rows.matrix, "b_ub": rows.rhs}
    else:
        system = {"A_ub": -rows.matrix, "b_ub": -rows.rhs}
    start = time.perf_counter()
    try:
        found = linprog(rows.cost, **system, bounds=(rows.lower, rows.upper), method=method, options=options)
    except (ValueError, RuntimeError) as problem:
        return Answer("failed", None, None, "HiGHS", str(problem), time.perf_counter() - start, 0)
    seconds = time.perf_counter() - start
    status = {0: "optimal", 1: "stopped", 2: "infeasible", 3: "unbounded"}.get(found.status, "unclear")
    multipliers = None
    if status == "optimal":
        # SciPy's marginals are already d(minimum)/d(right-hand side), for the rows as they were passed.
        multipliers = found.eqlin.marginals if rows.sense == "=" else found.ineqlin.marginals
        if rows.sense == ">=":
            multipliers = -multipliers
    return Answer(status, found.x, multipliers, "HiGHS", str(found.message), seconds, int(found.nit))


def by_cvxpy(rows: Rows, time_limit: float | None) -> Answer:
    """Answer ``rows`` with cvxpy: Clarabel, an interior-point method that shares no code with HiGHS.

    Where Clarabel does not reach its tight tolerances, HiGHS is called through
    cvxpy instead; ``solver`` names the one that answered.
    """
    import cvxpy

    v = cvxpy.Variable(rows.cost.size)
    product = rows.matrix @ v
    if rows.sense == "=":
        row = product == rows.rhs
    elif rows.sense == "<=":
        row = product <= rows.rhs
    else:
        row = product >= rows.rhs
    limits = []
    if np.isfinite(rows.lower):
        limits.append(v >= rows.lower)
    if np.isfinite(rows.upper):
        limits.append(v <= rows.upper)
    problem = cvxpy.Problem(cvxpy.Minimize(rows.cost @ v), [row, *limits])

    tight = {"tol_gap_abs": 1e-12, "tol_gap_rel": 1e-12, "tol_feas": 1e-12}
    highs: dict[str, Any] = {"primal_feasibility_tolerance": TOLERANCE, "dual_feasibility_tolerance": TOLERANCE}
    if time_limit is not None:
        tight["time_limit"] = time_limit
        highs["time_limit"] = time_limit
    start = time.perf_counter()
    with without_warnings():  # of an inaccurate solution: the status says so
        solver, reported = "Clarabel", _cvxpy_status(problem, solver="CLARABEL", **tight)
        if reported not in ("optimal", "infeasible", "unbounded", "user_limit"):
            solver, reported = "HiGHS through cvxpy", _cvxpy_status(problem, solver="HIGHS", **highs)
    seconds = time.perf_counter() - start
    known = {"optimal": "optimal", "infeasible": "infeasible", "unbounded": "unbounded", "user_limit": "stopped"}
    unclear = "infeasible" in reported or "unbounded" in reported
    status = known.get(reported, "unclear" if unclear else "failed")
    point = multipliers = None
    if status == "optimal":
        point = np.asarray(v.value, dtype=np.float64).ravel()
        # cvxpy's multiplier for a minimum is d(minimum)/d(rhs) only for >=; it has the other sign for = and <=.
        multipliers = np.asarray(row.dual_value, dtype=np.float64).ravel() * (1.0 if rows.sense == ">=" else -1.0)
    stats = problem.solver_stats
    return Answer(
        status, point, multipliers, solver, f"cvxpy: {reported}", seconds, int(getattr(stats, "num_iters", 0) or 0)
    )


def _cvxpy_status(problem: Any, **options: Any) -> str:
    """The status after solving; a solver's exception is its message."""
    import cvxpy

    try:
        problem.solve(**options)
    except (cvxpy.SolverError, ValueError) as error:
        return f"error ({error})"
    return str(problem.status)
