r"""Linear programs in two forms, their duals, and one function that solves them.

    equality     min c'x,  A x  = b, x >= 0     |    max b'y,  A'y <= c, y free
    inequality   min c'x,  A x >= b, x >= 0     |    max b'y,  A'y <= c, y >= 0

One sign convention holds everywhere: y is the vector with A'y <= c whose value is b'y.
What a solver claims is checked before it is returned: an optimum by its
residuals, infeasibility and unboundedness by a ray.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from scipy import sparse

from otdiv.core.bounds import Status
from otdiv.core.validation import Array, as_float_array, check_choice, invalid, readonly, require_finite
from otdiv.linear_programming.backends import Answer, Rows, by_cvxpy, by_highs
from otdiv.linear_programming.checks import ACCEPTED, Form, ScaledProgram, checked_optimum, verified_ray


@dataclass(frozen=True, slots=True, eq=False)
class LinearProgram:
    """The primal program min c'x subject to A x = b (or A x >= b), x >= 0.

    Parameters
    ----------
    c : array_like, shape [n]
        Cost of each variable.
    A : array_like or scipy.sparse matrix, shape [m, n]
        Constraint matrix; a sparse one stays sparse.
    b : array_like, shape [m]
        Right-hand side.
    form : {"equality", "inequality"}
        Whether the rows say A x = b or A x >= b.

    Raises
    ------
    InvalidInput
        Shapes that do not fit, NaN, infinity, or another form.

    Examples
    --------
    >>> lp = LinearProgram([2, 3], [[1, 1], [1, 3]], [4, 6], "inequality")
    >>> solution = solve_lp(lp)
    >>> solution.x.round(9).tolist(), solution.y.round(9).tolist(), round(solution.objective, 9)
    ([3.0, 1.0], [1.5, 0.5], 9.0)
    """

    c: Array
    A: Any
    b: Array
    form: Form = "equality"

    def __post_init__(self) -> None:
        check_choice("form", self.form, ("equality", "inequality"))
        A = _as_constraints(self.A)
        c, b = as_float_array("c", self.c), as_float_array("b", self.b)
        for name, vector, length, what in (("c", c, A.shape[1], "column"), ("b", b, A.shape[0], "row")):
            if vector.shape != (length,):
                requirement = f"have shape [{length}], one entry for each {what} of A"
                raise invalid(name, requirement, f"shape {vector.shape}", f"A has shape {A.shape}.")
            require_finite(name, vector)
        object.__setattr__(self, "A", A)
        object.__setattr__(self, "c", readonly(c))
        object.__setattr__(self, "b", readonly(b))

    @property
    def shape(self) -> tuple[int, int]:
        """(m, n): how many constraints and how many variables."""
        return self.A.shape

    def dual(self) -> DualProgram:
        """The dual as a program of its own."""
        return DualProgram(self)


@dataclass(frozen=True, slots=True, eq=False)
class DualProgram:
    """The dual program max b'y subject to A'y <= c; y is free (equality) or y >= 0 (inequality).

    `solve_lp` solves it as it stands: its variables are y, and the primal x comes
    back as the multipliers of the rows of A'y <= c.

    Parameters
    ----------
    primal : LinearProgram
        The program it is the dual of.

    Examples
    --------
    >>> lp = LinearProgram([2, 3], [[1, 1], [1, 3]], [4, 6], "inequality")
    >>> round(solve_lp(lp.dual()).objective, 9)
    9.0
    """

    primal: LinearProgram

    @property
    def c(self) -> Array:
        """Right-hand side of the dual's rows, shape [n]."""
        return self.primal.c

    @property
    def A(self) -> Any:
        """The primal's matrix, shape [m, n]; the dual's rows are those of its transpose."""
        return self.primal.A

    @property
    def b(self) -> Array:
        """Objective of the dual, shape [m]."""
        return self.primal.b

    @property
    def form(self) -> Form:
        """Form of the primal; "inequality" adds y >= 0 here."""
        return self.primal.form

    @property
    def shape(self) -> tuple[int, int]:
        """(n, m): how many constraints and how many variables."""
        m, n = self.primal.shape
        return n, m

    def dual(self) -> LinearProgram:
        """The dual of the dual: the primal."""
        return self.primal


@dataclass(frozen=True, slots=True, eq=False)
class LPSolution:
    """How a linear program ended, with the evidence.

    Attributes
    ----------
    status : Status
        OPTIMAL, INFEASIBLE or UNBOUNDED *of the program that was asked*; STOPPED
        when a limit was reached; FAILED when the answer did not pass its check.
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
        backend, solver, message, seconds, iterations; for an optimum
        primal_residual, dual_violation and gap; for a ray ray_violation and ray_gain.
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
    if time_limit is not None and not time_limit > 0:
        raise invalid("time_limit", "be positive", time_limit, "Give seconds, or None for no limit.")

    def ask(rows: Rows) -> Answer:
        return by_highs(rows, time_limit, method) if backend == "highs" else by_cvxpy(rows, time_limit)

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
        return _optimal(scaled, is_primal, answer, stats)
    if answer.status in ("stopped", "failed"):
        return _without_answer(Status.STOPPED if answer.status == "stopped" else Status.FAILED, stats)
    return _with_ray(scaled, is_primal, answer.status, ask, stats)


def _optimal(scaled: ScaledProgram, is_primal: bool, answer: Answer, stats: dict[str, Any]) -> LPSolution:
    """The solution where the residuals of point and multipliers are small, else FAILED."""
    x, y, objective, residuals = checked_optimum(scaled, is_primal, answer)
    relative = residuals.pop("relative")
    stats.update(residuals)
    if not relative <= ACCEPTED:
        stats["message"] += " The answer did not pass its check: see primal_residual, dual_violation and gap."
        return _without_answer(Status.FAILED, stats)
    return LPSolution(Status.OPTIMAL, readonly(x), readonly(y), objective, None, MappingProxyType(stats))


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


def _as_constraints(A: Any) -> Any:
    """A as a read-only matrix of at least one row and one column: dense float64, or sparse by columns."""
    if sparse.issparse(A):
        if A.dtype.kind not in "fiu":
            raise invalid("A", "hold real numbers", f"dtype {A.dtype}", "Convert it to float64 as you mean it.")
        matrix = sparse.csc_array(A, dtype=np.float64, copy=True)
        matrix.sum_duplicates()
        require_finite("A", matrix.data)
        for part in (matrix.data, matrix.indices, matrix.indptr):
            part.flags.writeable = False
    else:
        matrix = as_float_array("A", A)
        if matrix.ndim == 2 and matrix.size:
            require_finite("A", matrix)
            matrix = readonly(matrix)
    if matrix.ndim != 2 or 0 in matrix.shape:
        requirement = "have shape [m, n] with at least one row and one column"
        raise invalid("A", requirement, f"shape {matrix.shape}", "One row is one constraint, one column one variable.")
    return matrix
