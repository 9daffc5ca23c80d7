r"""The Lagrangian, the dual function it defines, weak duality, and the optimality conditions.

    L(x, y) = c'x + y'(b - A x)           with F = -y: c'x + F'(A x - b)
    q(y)    = min over x >= 0 of L(x, y)  = b'y if A'y <= c, and -inf if one component of c - A'y is negative

In the form A x >= b the rows read A x - s = b with a surplus s >= 0, so that a negative
y_i lets s_i run off and q(y) = -inf as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from otdiv.core.validation import Array, as_float_array, invalid, readonly, require_finite
from otdiv.errors import CertificateRefused
from otdiv.linear_programming.program import LinearProgram

TOLERANCE = 1e-9
"""Violation that is accepted, relative to the size of the numbers that are added up; a larger one accepts coarser
answers of a solver."""


def lagrangian(lp: LinearProgram, x: Any, y: Any) -> float:
    """L(x, y) = c'x + y'(b - A x), for any x and y whatsoever.

    It stays below c'x for a *feasible* x (and y >= 0 in the inequality form), not for every x.

    Parameters
    ----------
    lp : LinearProgram
    x : array_like, shape [n]
    y : array_like, shape [m]
        Multipliers, of either sign.

    Returns
    -------
    float

    Raises
    ------
    InvalidInput
        A wrong length, NaN or infinity.

    Examples
    --------
    >>> lp = LinearProgram([1, 2], [[1, 1]], [1])
    >>> lagrangian(lp, [0.5, 0.5], [1])
    1.5
    """
    x, y = _vector("x", x, lp.shape[1]), _vector("y", y, lp.shape[0])
    return float(lp.c @ x + y @ (lp.b - lp.A @ x))


@dataclass(frozen=True, slots=True, eq=False)
class DualValue:
    """The dual function at one y, with the reason where it is -inf.

    Attributes
    ----------
    value : float
        b'y, or -inf.
    at_zero : float
        L(0, y) = b'y, where the ray starts.
    reduced_cost : ndarray [n]
        c - A'y.
    variable : {"x", "surplus"} or None
        Which variable runs off when the value is -inf.
    index : int or None
        Its index: the most negative slope, counting from 0.
    slope : float
        How fast the Lagrangian falls along it; 0 when the value is finite.
    """

    value: float
    at_zero: float
    reduced_cost: Array
    variable: str | None
    index: int | None
    slope: float

    def along(self, t: float) -> float:
        """The Lagrangian at distance t along the offending coordinate: at_zero + t slope."""
        return self.at_zero + t * self.slope

    def why(self) -> str:
        """The value in one sentence."""
        if self.variable is None:
            return f"q(y) = b'y = {self.value:.12g}: no component of c - A'y is negative, so x = 0 is a minimiser."
        return (
            f"q(y) = -inf: raising {self.variable}[{self.index}] by t changes the Lagrangian by {self.slope:.6g} t, "
            "and nothing holds it back."
        )


def dual_function(lp: LinearProgram, y: Any, *, tolerance: float = TOLERANCE) -> DualValue:
    """q(y) = min over x >= 0 of L(x, y): a lower bound of the optimum, or -inf with its cause.

    Parameters
    ----------
    lp : LinearProgram
    y : array_like, shape [m]
        Multipliers, of either sign.
    tolerance : float
        A negative component of c - A'y below tolerance x (largest entry of |c| + |A|'|y|) counts as rounding.

    Returns
    -------
    DualValue

    Raises
    ------
    InvalidInput
        A wrong length, NaN or infinity.

    Examples
    --------
    >>> lp = LinearProgram([1, 2], [[1, 1]], [1])
    >>> dual_function(lp, [1]).value, dual_function(lp, [3]).value
    (1.0, -inf)
    >>> dual_function(lp, [3]).index, dual_function(lp, [3]).along(10)
    (0, -17.0)
    """
    y = _vector("y", y, lp.shape[0])
    reduced = lp.c - lp.A.T @ y
    rounding = tolerance * float((np.abs(lp.c) + abs(lp.A).T @ np.abs(y)).max())
    value = float(lp.b @ y)
    causes = []
    if reduced.min() < -rounding:
        causes.append(("x", int(np.argmin(reduced)), float(reduced.min())))
    if lp.form == "inequality" and y.min() < -tolerance * np.abs(y).max():
        causes.append(("surplus", int(np.argmin(y)), float(y.min())))
    if not causes:
        return DualValue(value, value, readonly(reduced), None, None, 0.0)
    variable, index, slope = min(causes, key=lambda cause: cause[2])
    return DualValue(-np.inf, value, readonly(reduced), variable, index, slope)


@dataclass(frozen=True, slots=True, eq=False)
class KKTReport:
    """The optimality conditions of a pair (x, y), each as a number.

    Attributes
    ----------
    primal_residual : float
        Largest |A x - b| (or b - A x); ``primal_row`` says where.
    x_negativity, y_negativity : float
        Largest negative part of x; of y in the inequality form (0 in the other).
    dual_violation : float
        Largest excess of A'y over c; ``dual_column`` says where.
    slack_products : ndarray [n]
        x_j (c - A'y)_j: zero at an optimum, non-negative for a feasible pair.
    row_products : ndarray [m]
        y_i (A x - b)_i: zero in the equality form, non-negative in the other.
    primal_value, dual_value : float
        c'x and b'y.
    """

    primal_residual: float
    primal_row: int
    x_negativity: float
    dual_violation: float
    dual_column: int
    y_negativity: float
    slack_products: Array
    row_products: Array
    primal_value: float
    dual_value: float

    @property
    def gap(self) -> float:
        """c'x - b'y."""
        return self.primal_value - self.dual_value

    @property
    def slack_sum(self) -> float:
        """Sum of all products: equal to the gap, for every x and y."""
        return float(self.slack_products.sum() + self.row_products.sum())

    def feasible(self, tolerance: float = TOLERANCE) -> bool:
        """Primal and dual feasibility, to an absolute tolerance."""
        worst = max(self.primal_residual, self.x_negativity, self.dual_violation, self.y_negativity)
        return worst <= tolerance

    def optimal(self, tolerance: float = TOLERANCE) -> bool:
        """All conditions together: feasible, and every product zero."""
        products = max(np.abs(self.slack_products).max(), np.abs(self.row_products).max())
        return self.feasible(tolerance) and bool(products <= tolerance)


def kkt(lp: LinearProgram, x: Any, y: Any) -> KKTReport:
    """Report the Karush-Kuhn-Tucker conditions of any pair (x, y).

    x and y are optimal exactly if x is feasible, y is feasible and all products vanish.
    The sum of the products is the gap, because
    c'x - b'y = x'(c - A'y) + y'(A x - b) holds for every x and y.

    Parameters
    ----------
    lp : LinearProgram
    x : array_like, shape [n]
    y : array_like, shape [m]

    Returns
    -------
    KKTReport

    Raises
    ------
    InvalidInput
        A wrong length, NaN or infinity.

    Examples
    --------
    >>> report = kkt(LinearProgram([2, 3], [[1, 1], [1, 3]], [4, 6], "inequality"), [3, 1], [1.5, 0.5])
    >>> report.optimal(), report.gap
    (True, 0.0)
    """
    x, y = _vector("x", x, lp.shape[1]), _vector("y", y, lp.shape[0])
    residual, reduced = lp.A @ x - lp.b, lp.c - lp.A.T @ y
    broken = np.abs(residual) if lp.form == "equality" else -residual
    return KKTReport(
        primal_residual=max(0.0, float(broken.max())),
        primal_row=int(np.argmax(broken)),
        x_negativity=max(0.0, float(-x.min())),
        dual_violation=max(0.0, float(-reduced.min())),
        dual_column=int(np.argmin(reduced)),
        y_negativity=max(0.0, float(-y.min())) if lp.form == "inequality" else 0.0,
        slack_products=readonly(x * reduced),
        row_products=readonly(y * residual),
        primal_value=float(lp.c @ x),
        dual_value=float(lp.b @ y),
    )


def weak_duality(lp: LinearProgram, x: Any, y: Any, *, tolerance: float = TOLERANCE) -> KKTReport:
    """b'y <= c'x for a feasible pair: the report of the pair, once its hypotheses are checked.

    Parameters
    ----------
    lp : LinearProgram
    x : array_like, shape [n]
        Feasible, not necessarily optimal.
    y : array_like, shape [m]
        Feasible for the dual.
    tolerance : float
        How far a constraint may be broken and still count as kept, absolute.

    Returns
    -------
    KKTReport

    Raises
    ------
    CertificateRefused
        x or y is not feasible, so that nothing follows; the message names the constraint.

    Examples
    --------
    >>> lp = LinearProgram([1, 2], [[1, 1]], [1])
    >>> report = weak_duality(lp, [0, 1], [0.5])
    >>> report.dual_value, report.primal_value
    (0.5, 2.0)
    """
    report = kkt(lp, x, y)
    relation = "=" if lp.form == "equality" else ">="
    for amount, claim in (
        (report.primal_residual, f"x must satisfy A x {relation} b; row {report.primal_row} is off by"),
        (report.x_negativity, "x must be non-negative; its smallest entry is minus"),
        (report.dual_violation, f"y must satisfy A'y <= c; column {report.dual_column} exceeds it by"),
        (report.y_negativity, "y must be non-negative; its smallest entry is minus"),
    ):
        if amount > tolerance:
            raise CertificateRefused(f"weak duality needs a feasible pair: {claim} {amount:.3g}")
    return report


def _vector(name: str, value: Any, length: int) -> Array:
    vector = as_float_array(name, value)
    if vector.shape != (length,):
        raise invalid(
            name, f"have shape [{length}]", f"shape {vector.shape}", "The program's matrix A sets the lengths."
        )
    require_finite(name, vector)
    return vector
