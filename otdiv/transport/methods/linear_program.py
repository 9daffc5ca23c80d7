"""Exact transport as a linear program, and as its dual.

    primal   min sum c_ij plan_ij   s.t. row sums = a, column sums = b, plan >= 0
    dual     max sum a_i f_i + sum b_j g_j   s.t. f_i + g_j <= c_ij

Each is handed to the solver as a program of its own; HiGHS and cvxpy are
independent backends.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from scipy import sparse

from otdiv.core.bounds import Status
from otdiv.core.options import DEFAULTS, SolverOptions
from otdiv.core.validation import Array
from otdiv.linear_programming.program import LinearProgram
from otdiv.linear_programming.solve import LPSolution, solve_lp
from otdiv.problem.plan import Plan
from otdiv.problem.transport_problem import Proposal, TransportProblem

_BYTES_PER_ARC = 1400
"""Measured peak of HiGHS per arc (300 x 300 to 600 x 600); Clarabel through cvxpy takes about as much."""
_SHORTEST_LIMIT = 1e-3
"""Seconds; the solvers want a positive limit."""


def marginal_matrix(n: int, m: int, rows: Array, columns: Array) -> Any:
    """The constraint matrix A [n + m, k] of the arcs: A plan = (row sums, column sums).

    Parameters
    ----------
    n, m : int
        Sources and targets.
    rows, columns : ndarray of int [k]
        The ends of each arc.

    Returns
    -------
    scipy.sparse.csc_array [n + m, k]
        Two ones in each column.
    """
    k = len(rows)
    indices = np.stack([rows, columns + n], axis=1).ravel()
    return sparse.csc_array((np.ones(2 * k), indices, np.arange(0, 2 * k + 1, 2)), shape=(n + m, k))


def transport_program(problem: TransportProblem, highest: float = np.inf) -> tuple[LinearProgram, Array, Array]:
    """The transport problem as min c'x, A x = b, x >= 0 over its arcs.

    Parameters
    ----------
    problem : TransportProblem
    highest : float
        Only arcs that cost no more are variables; by default all that are not forbidden.

    Returns
    -------
    program : LinearProgram
        Variables are the arcs in row-major order, A = [row sums; column sums], b = [a; b].
    rows, columns : ndarray of int [k]
        The ends of each arc.
    """
    rows, columns, costs = problem.arcs()
    if highest < np.inf:
        kept = costs <= highest
        rows, columns, costs = rows[kept], columns[kept], costs[kept]
    matrix = marginal_matrix(problem.n, problem.m, rows, columns)
    right = np.concatenate([problem.a, problem.b]) / problem.mu.mass
    return LinearProgram(costs, matrix, right), rows, columns


def solve_primal(problem: TransportProblem, options: SolverOptions = DEFAULTS, backend: str = "highs") -> Proposal:
    """Solve the primal program; the potentials are its multipliers."""
    return _solve(problem, options, backend, dual=False)


def solve_dual(problem: TransportProblem, options: SolverOptions = DEFAULTS, backend: str = "highs") -> Proposal:
    """Solve the dual program in its own right; the plan is its multipliers."""
    return _solve(problem, options, backend, dual=True)


def _solve(problem: TransportProblem, options: SolverOptions, backend: str, dual: bool) -> Proposal:
    arcs = problem.n * problem.m if problem.sparse is None else len(problem.sparse.values)
    problem.require_memory(_BYTES_PER_ARC * arcs, options.memory_limit, "the linear program")
    started, level = time.monotonic(), problem.sentinel_level

    def left() -> float | None:
        limit = options.time_limit
        return None if limit is None else max(limit - (time.monotonic() - started), _SHORTEST_LIMIT)

    try:
        if level is not None:  # first without the arcs that only a sentinel keeps from being forbidden
            solution, rows, columns = _solve_program(problem, level, backend, dual, left())
            if solution.x is not None:
                return _proposal(problem, solution, rows, columns)
        return _proposal(problem, *_solve_program(problem, np.inf, backend, dual, left()))
    except KeyboardInterrupt:
        return Proposal.stopped("the linear program: interrupted")


def _solve_program(
    problem: TransportProblem, highest: float, backend: str, dual: bool, time_limit: float | None
) -> tuple[LPSolution, Array, Array]:
    program, rows, columns = transport_program(problem, highest)
    return solve_lp(program.dual() if dual else program, backend, time_limit=time_limit), rows, columns


def _proposal(problem: TransportProblem, solution: LPSolution, rows: Array, columns: Array) -> Proposal:
    stats = dict(solution.stats)
    if solution.x is None or solution.y is None:
        return Proposal(None, None, None, solution.status, stats)
    stats["objective"] = solution.objective * problem.mu.mass
    used = solution.x > 0  # how closely they settle the value is for the auditor to say
    plan = Plan(rows[used], columns[used], solution.x[used] * problem.mu.mass, (problem.n, problem.m))
    return Proposal(plan, solution.y[: problem.n], solution.y[problem.n :], Status.OPTIMAL, stats)
