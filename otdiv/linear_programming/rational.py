"""Linear programs whose numbers are exact: vectors and matrices of fractions, and the few operations on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from scipy import sparse

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
