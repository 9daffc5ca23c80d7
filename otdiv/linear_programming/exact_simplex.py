"""Linear programs in exact arithmetic: a simplex that never rounds.

Floats are rational numbers, so every program has an exact answer.  This file finds it for small
programs, as the reference where a solver's tolerance decides otherwise.  Bland's rule keeps it
from cycling, integer pivoting keeps the numbers short.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from otdiv.core.bounds import Status
from otdiv.linear_programming.rational import Matrix, RationalProgram, Vector, dot
from otdiv.linear_programming.surplus_form import surplus_form


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
    n = len(program.c)
    equality = surplus_form(program)
    tableau = _Tableau(equality.c, equality.A, equality.b)
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
