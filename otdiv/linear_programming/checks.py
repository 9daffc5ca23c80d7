"""A linear program in units that suit a solver, and the checks its answer has to pass.

Each row of A, then b and c are divided by powers of two, which is exact; tolerances
that a solver means absolutely become relative ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from scipy import sparse

from otdiv.core.rounding import UNIT
from otdiv.core.validation import Array
from otdiv.linear_programming.backends import Answer, Rows, Sense

Form = Literal["equality", "inequality"]

ACCEPTED = 1e-7
"""Largest relative residual of an answer that is called optimal; a larger one accepts coarser answers."""
_ROUNDINGS = 4.0
"""Roundings that each term of c'x and b'y is charged with: of x and y themselves, and of the products and sums."""
RAY = 1e-9
"""Largest violation of a ray of size 1, and least gain, after scaling; a larger one refuses rays of small gain."""


class ScaledProgram:
    """The program with each row of A, then b and c, divided by powers of two, and the programs that are solved for it.

    x is in units of ``b_unit``; y_i in units of ``c_unit / row_unit_i``.
    """

    def __init__(self, c: Array, A: Any, b: Array, form: Form) -> None:
        self.form = form
        self.row_unit = _row_units(A)
        even = bool((self.row_unit == 1.0).all())
        self.A = A if even else _divide_rows(A, self.row_unit)
        self.b_unit, self.c_unit = _power_of_two(b / self.row_unit), _power_of_two(c)
        self.b, self.c = b / self.row_unit / self.b_unit, c / self.c_unit
        self.sense: Sense = "=" if form == "equality" else ">="
        self.floor = -np.inf if form == "equality" else 0.0  # lower bound of y

    def primal_rows(self) -> Rows:
        """min c'x: A x = b (>= b), x >= 0."""
        return Rows(self.c, self.A, self.sense, self.b, 0.0, np.inf)

    def dual_rows(self) -> Rows:
        """min -b'y: A'y <= c, y free (>= 0)."""
        return Rows(-self.b, self.A.T, "<=", self.c, self.floor, np.inf)

    def y_ray_rows(self) -> Rows:
        """min -b'y: A'y <= 0, y in a box; never infeasible, never unbounded."""
        return Rows(-self.b, self.A.T, "<=", np.zeros_like(self.c), max(self.floor, -1.0), 1.0)

    def x_ray_rows(self) -> Rows:
        """min c'd: A d = 0 (>= 0), 0 <= d <= 1."""
        return Rows(self.c, self.A, self.sense, np.zeros_like(self.b), 0.0, 1.0)

    def feasible_rows(self, is_primal: bool) -> Rows:
        """Any feasible point of the primal, or of the dual."""
        rows = self.primal_rows() if is_primal else self.dual_rows()
        return Rows(np.zeros_like(rows.cost), rows.matrix, rows.sense, rows.rhs, rows.lower, rows.upper)

    def x_back(self, x: Array) -> Array:
        """x in the units of the original program."""
        return x * self.b_unit

    def y_back(self, y: Array) -> Array:
        """y in the units of the original program."""
        return y * (self.c_unit / self.row_unit)


@np.errstate(over="ignore", invalid="ignore")  # what is not finite is refused in the end
def checked_optimum(
    scaled: ScaledProgram, is_primal: bool, answer: Answer
) -> tuple[Array, Array, float, dict[str, float]]:
    """x, y, objective and residuals of a claimed optimum, in original units; the residual "relative" decides.

    The claim stands if residuals["relative"] <= ACCEPTED.
    """
    assert answer.point is not None and answer.multipliers is not None
    x, y = (answer.point, answer.multipliers) if is_primal else (-answer.multipliers, answer.point)
    # Bounds hold exactly from here on: so that the residuals below hold all violations.
    x = np.maximum(x, 0.0)
    y = y if scaled.form == "equality" else np.maximum(y, 0.0)
    value, bound = float(scaled.c @ x), float(scaled.b @ y)
    residual, violation = _primal_residual(scaled, x, scaled.b), _dual_violation(scaled, y, scaled.c)
    size = max(1.0, float(x.max()), float(np.abs(y).max()), abs(value))
    unit = scaled.b_unit * scaled.c_unit
    rounding = _ROUNDINGS * UNIT * float(np.abs(scaled.c) @ x + np.abs(scaled.b) @ np.abs(y))
    uncertainty = abs(value - bound) + residual * float(np.abs(y).sum()) + violation * float(x.sum()) + rounding
    x, y, objective = scaled.x_back(x), scaled.y_back(y), (value if is_primal else bound) * unit
    finite = bool(np.isfinite(x).all() and np.isfinite(y).all() and np.isfinite(objective))
    residuals = {
        "primal_residual": residual * scaled.b_unit,
        "dual_violation": violation * scaled.c_unit,
        "gap": (value - bound) * unit,
        "uncertainty": uncertainty * unit if finite else np.inf,
        "relative": max(residual, violation, abs(value - bound)) / size if finite else np.inf,
    }
    return x, y, objective, residuals


def verified_ray(scaled: ScaledProgram, in_x: bool, ask: Callable[[Rows], Answer]) -> tuple[Array, float, float] | None:
    """A verified ray of x (c'd < 0) or of y (b'y > 0), with its violation and its gain; None if there is none."""
    answer = ask(scaled.x_ray_rows() if in_x else scaled.y_ray_rows())
    if answer.status != "optimal" or answer.point is None:
        return None
    ray = np.maximum(answer.point, 0.0) if in_x or scaled.form == "inequality" else answer.point
    largest = float(np.abs(ray).max())
    if not largest > 0:
        return None
    ray = ray / largest
    if in_x:
        gain, violation = -float(scaled.c @ ray), _primal_residual(scaled, ray, 0.0)
    else:
        gain, violation = float(scaled.b @ ray), _dual_violation(scaled, ray, 0.0)
    if not (gain > RAY and violation <= RAY and violation <= 1e-3 * gain):
        return None
    if in_x:
        return ray, violation, gain * scaled.c_unit
    original = ray / scaled.row_unit
    top = float(np.abs(original).max())
    return original / top, violation / top, gain * scaled.b_unit / top


def _primal_residual(scaled: ScaledProgram, x: Array, b: Array | float) -> float:
    """Largest |A x - b|, or largest b - A x where the form is A x >= b."""
    residual = scaled.A @ x - b
    return float(np.abs(residual).max() if scaled.form == "equality" else max(0.0, -residual.min()))


def _dual_violation(scaled: ScaledProgram, y: Array, c: Array | float) -> float:
    """Largest excess of A'y over c."""
    return max(0.0, float((scaled.A.T @ y - c).max()))


def _power_of_two(vector: Array) -> float:
    """The power of two just above the largest entry, so that dividing by it loses nothing; 1 for zero."""
    return float(np.ldexp(1.0, int(np.frexp(np.abs(vector).max())[1]))) if vector.any() else 1.0


def _row_units(A: Any) -> Array:
    """For each row the power of two nearest to its largest entry; 1 for rows whose largest entry is 1, or 0."""
    largest = abs(A).max(axis=1)
    largest = largest.toarray().ravel() if sparse.issparse(largest) else np.asarray(largest).ravel()
    units = np.ones(largest.size)
    some = largest > 0
    units[some] = np.exp2(np.floor(np.log2(largest[some])))
    return units


def _divide_rows(A: Any, units: Array) -> Any:
    """A with each row divided by its unit."""
    return sparse.csc_array(sparse.diags_array(1.0 / units) @ A) if sparse.issparse(A) else A / units[:, None]
