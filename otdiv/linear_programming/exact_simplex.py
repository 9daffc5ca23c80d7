"""Linear programs in exact arithmetic: a simplex that never rounds.

Floats are rational numbers, so every program has an exact answer; this file finds
it for the sizes of a lecture, as the referee where a solver's tolerance decides
otherwise.  Bland's rule keeps it from cycling, integer pivoting keeps the numbers
short.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Any

import numpy as np
from scipy import sparse

from otdiv.core.bounds import Status
from otdiv.core.validation import check_choice, invalid
from otdiv.linear_programming.program import Form, LinearProgram

Vector = tuple[Fraction, ...]
Matrix = tuple[Vector, ...]


def fractions_of(name: str, values: Any) -> Vector:
    """Exact values of a vector of integers, Fractions, floats, or texts such as "1/3".

    Parameters
    ----------
    name : str
        What an error message calls the vector.
    values : iterable of numbers or texts

    Raises
    ------
    InvalidInput
        An entry that is not a finite number.

    Examples
    --------
    >>> fractions_of("b", ["1/3", 0.5, 2])
    (Fraction(1, 3), Fraction(1, 2), Fraction(2, 1))
    """
    return tuple(_fraction(name, value) for value in values)


def matrix_of(name: str, rows: Any) -> Matrix:
    """Exact values of a matrix, row by row; a scipy.sparse one is written out.

    Parameters
    ----------
    name : str
        What an error message calls the matrix.
    rows : iterable of rows, or scipy.sparse matrix

    Raises
    ------
    InvalidInput
        Not a matrix, rows of different lengths, or an entry that is not a finite number.

    Examples
    --------
    >>> matrix_of("A", [["1/2", 1]])
    ((Fraction(1, 2), Fraction(1, 1)),)
    """
    if sparse.issparse(rows):
        rows = rows.toarray()
    try:
        matrix = tuple(fractions_of(name, row) for row in rows)
    except TypeError:
        raise invalid(name, "be a matrix, rows of numbers", repr(rows)[:60], "Pass a list of rows.") from None
    if not matrix or not matrix[0] or len({len(row) for row in matrix}) != 1:
        lengths = sorted({len(row) for row in matrix})
        requirement = "have shape [m, n] with at least one row and one column"
        raise invalid(name, requirement, f"{len(matrix)} rows of lengths {lengths}", "Give every row the same length.")
    return matrix


def dot(u: Sequence[Fraction], v: Sequence[Fraction]) -> Fraction:
    """u'v without rounding.

    Parameters
    ----------
    u, v : sequences of Fraction of the same length

    Examples
    --------
    >>> dot(fractions_of("u", ["1/3", 2]), fractions_of("v", [3, "1/2"]))
    Fraction(2, 1)
    """
    return sum((p * q for p, q in zip(u, v, strict=True) if p and q), Fraction(0))


def times(A: Matrix, x: Sequence[Fraction]) -> Vector:
    """A x without rounding.

    Parameters
    ----------
    A : rows of Fraction, [m, n]
    x : sequence of Fraction, [n]

    Examples
    --------
    >>> times(matrix_of("A", [[1, 2]]), fractions_of("x", ["1/3", "1/3"]))
    (Fraction(1, 1),)
    """
    return tuple(dot(row, x) for row in A)


def transposed_times(A: Matrix, y: Sequence[Fraction]) -> Vector:
    """A'y without rounding.

    Parameters
    ----------
    A : rows of Fraction, [m, n]
    y : sequence of Fraction, [m]

    Examples
    --------
    >>> transposed_times(matrix_of("A", [[1, 2]]), fractions_of("y", ["1/2"]))
    (Fraction(1, 2), Fraction(1, 1))
    """
    return tuple(dot(column, y) for column in zip(*A, strict=True))


@dataclass(frozen=True, slots=True)
class RationalProgram:
    """min c'x subject to A x = b (or A x >= b), x >= 0, in exact numbers.

    Parameters
    ----------
    c : sequence of length n
        Costs: integers, Fractions, floats (taken literally), or texts such as "1/3".
    A : rows of length n, or scipy.sparse matrix
        Constraints [m, n].
    b : sequence of length m
        Right-hand side.
    form : {"equality", "inequality"}

    Notes
    -----
    The float 0.1 is not 1/10.  Masses (.1, .1, .8) and (.2, .3, .5) taken literally
    differ by 2**-54, and then no plan exists at all; write "1/10" where 1/10 is meant.
    """

    c: Vector
    A: Matrix
    b: Vector
    form: Form = "equality"

    def __post_init__(self) -> None:
        check_choice("form", self.form, ("equality", "inequality"))
        A, c, b = matrix_of("A", self.A), fractions_of("c", self.c), fractions_of("b", self.b)
        for name, vector, length, what in (("c", c, len(A[0]), "column"), ("b", b, len(A), "row")):
            if len(vector) != length:
                requirement = f"have shape [{length}], one entry for each {what} of A"
                raise invalid(name, requirement, f"shape [{len(vector)}]", f"A has shape [{len(A)}, {len(A[0])}].")
        for name, value in (("A", A), ("c", c), ("b", b)):
            object.__setattr__(self, name, value)

    @classmethod
    def of(cls, lp: LinearProgram) -> RationalProgram:
        """The program whose numbers are exactly the floats of ``lp``."""
        return cls(lp.c, lp.A, lp.b, lp.form)  # type: ignore[arg-type]

    def to_float(self) -> LinearProgram:
        """The nearest program in float64."""
        c, A, b = (np.array(part, dtype=np.float64) for part in (self.c, self.A, self.b))
        return LinearProgram(c, A, b, self.form)


@dataclass(frozen=True, slots=True)
class ExactSolution:
    """An exact answer: x and y with c'x = b'y, or the ray that shows there is none.

    Attributes
    ----------
    status : Status
        OPTIMAL, INFEASIBLE or UNBOUNDED; nothing else can happen.
    x, y : tuple of Fraction, or None
        Primal solution (feasible point, if unbounded) and dual solution.
    objective : Fraction or None
    ray : tuple of Fraction, or None
        Infeasible: y with A'y <= 0, b'y > 0.  Unbounded: d >= 0 with A d = 0, c'd < 0.
    """

    status: Status
    x: Vector | None
    y: Vector | None
    objective: Fraction | None
    ray: Vector | None


def solve_exact(program: RationalProgram) -> ExactSolution:
    """Solve a program in exact arithmetic by the two-phase simplex with Bland's rule.

    Phase one minimises the sum of artificial variables; its multipliers are the Farkas
    certificate if that sum stays positive.  Otherwise phase two uses only columns whose
    phase-one reduced cost is zero, since every other variable is zero at every feasible point.

    Parameters
    ----------
    program : RationalProgram

    Returns
    -------
    ExactSolution
        Always one of OPTIMAL, INFEASIBLE, UNBOUNDED; pivots may be many for large programs.

    Examples
    --------
    >>> answer = solve_exact(RationalProgram([2, 3], [[1, 1], [1, 3]], [4, 6], "inequality"))
    >>> [str(v) for v in answer.x], [str(v) for v in answer.y], str(answer.objective)
    (['3', '1'], ['3/2', '1/2'], '9')

    References
    ----------
    R. G. Bland, New finite pivoting rules for the simplex method, 1977; J. Edmonds,
    Systems of distinct representatives and linear algebra, 1967 (integer pivoting).
    """
    A, c, n = program.A, program.c, len(program.c)
    if program.form == "inequality":  # A x - s = b with a surplus s >= 0
        A = tuple(row + tuple(Fraction(-(i == k)) for k in range(len(A))) for i, row in enumerate(A))
        c = c + (Fraction(0),) * len(A)
    tableau = _Tableau(c, A, program.b)
    tableau.run(phase=1)
    if tableau.last(1) != 0:
        return ExactSolution(Status.INFEASIBLE, None, None, None, tableau.multipliers(1))
    endless = tableau.run(phase=2)
    x = tableau.point()[:n]
    if endless is not None:
        return ExactSolution(Status.UNBOUNDED, x, None, None, tableau.direction(endless)[:n])
    return ExactSolution(Status.OPTIMAL, x, tableau.optimal_multipliers(), dot(program.c, x), None)


class _Tableau:
    """[A | I | b] in integers over one common denominator, with the two reduced-cost rows beneath."""

    def __init__(self, c: Vector, A: Matrix, b: Vector) -> None:
        self.m, self.n = len(A), len(c)
        # Each row becomes integers with a right-hand side >= 0; `unit` remembers the factor for the multipliers.
        self.unit = [
            lcm(*(v.denominator for v in row), right.denominator) * (-1 if right < 0 else 1)
            for row, right in zip(A, b, strict=True)
        ]
        self.rows = [
            [int(v * u) for v in row] + [int(i == k) for k in range(self.m)] + [int(right * u)]
            for i, (row, right, u) in enumerate(zip(A, b, self.unit, strict=True))
        ]
        self.c_unit = lcm(*(v.denominator for v in c))
        # Phase one: cost 1 on each artificial variable, priced out against the starting basis.
        first = [-sum(column) for column in zip(*self.rows, strict=True)]
        first[self.n : self.n + self.m] = [0] * self.m
        second = [int(v * self.c_unit) for v in c] + [0] * (self.m + 1)
        self.rows += [first, second]
        self.basis = [self.n + i for i in range(self.m)]
        self.denominator = 1

    def last(self, phase: int) -> int:
        """Minus the objective of a phase, times the denominator."""
        return self.rows[self.m + phase - 1][-1]

    def run(self, phase: int) -> int | None:
        """Pivot to the optimum of a phase; the column along which it falls without end, if there is one."""
        while True:
            first, costs = self.rows[self.m], self.rows[self.m + phase - 1]
            enter = next((j for j in range(self.n) if costs[j] < 0 and (phase == 1 or first[j] == 0)), None)
            if enter is None:
                return None
            # Ratio test by cross-multiplication; among ties the variable of smallest index leaves (Bland).
            leave = None
            for i in range(self.m):
                row = self.rows[i]
                if row[enter] <= 0:
                    continue
                if leave is None:
                    leave = i
                    continue
                best = self.rows[leave]
                left, right = row[-1] * best[enter], best[-1] * row[enter]
                if left < right or (left == right and self.basis[i] < self.basis[leave]):
                    leave = i
            if leave is None:
                return enter
            self.pivot(leave, enter)

    def pivot(self, leave: int, enter: int) -> None:
        """Integer pivoting: every division below is exact."""
        chosen = self.rows[leave]
        p, d = chosen[enter], self.denominator
        for i, row in enumerate(self.rows):
            if i != leave:
                q = row[enter]
                self.rows[i] = [(p * u - q * v) // d for u, v in zip(row, chosen, strict=True)]
        self.denominator, self.basis[leave] = p, enter

    def point(self) -> Vector:
        """The current basic solution."""
        x = [Fraction(0)] * (self.n + self.m)
        for i, j in enumerate(self.basis):
            x[j] = Fraction(self.rows[i][-1], self.denominator)
        return tuple(x[: self.n])

    def direction(self, enter: int) -> Vector:
        """How the basic solution moves when the entering variable grows by one."""
        d = [Fraction(0)] * (self.n + self.m)
        d[enter] = Fraction(1)
        for i, j in enumerate(self.basis):
            d[j] = Fraction(-self.rows[i][enter], self.denominator)
        return tuple(d[: self.n])

    def multipliers(self, phase: int) -> Vector:
        """y of a phase: the cost of an artificial variable minus its reduced cost, back in the rows' own units."""
        costs = self.rows[self.m + phase - 1][self.n : self.n + self.m]
        if phase == 1:
            return tuple((1 - Fraction(v, self.denominator)) * u for v, u in zip(costs, self.unit, strict=True))
        unit = self.denominator * self.c_unit
        return tuple(Fraction(-v, unit) * u for v, u in zip(costs, self.unit, strict=True))

    def optimal_multipliers(self) -> Vector:
        """y with A'y <= c for all columns, also for those that phase two left out.

        Adding t times the phase-one multipliers leaves b'y as it is (their value is 0) and
        raises the reduced cost of a left-out column, whose phase-one reduced cost is positive.
        """
        first, second = self.rows[self.m], self.rows[self.m + 1]
        needed = [Fraction(-second[j], first[j] * self.c_unit) for j in range(self.n) if first[j] > 0 and second[j] < 0]
        t = max(needed, default=Fraction(0))
        return tuple(p + t * q for p, q in zip(self.multipliers(2), self.multipliers(1), strict=True))


def _fraction(name: str, value: Any) -> Fraction:
    try:
        if isinstance(value, np.integer):
            return Fraction(int(value))
        if isinstance(value, float | int | str | Fraction):  # np.float64 is a float
            return Fraction(value)
        return Fraction(float(value))
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):
        raise invalid(
            name, "hold finite numbers", repr(value), 'Write integers, Fractions, floats, or "p/q".'
        ) from None
