"""Farkas' lemma proved, exactly: a cone is closed, and the nearest point of it to b gives the separating F.

A finitely generated cone is the union of the cones of its linearly independent columns, each closed; so the union is,
and it has a point p nearest to any b.  F = b - p then has a'F <= 0 for every column and b'F = |F|^2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import comb
from typing import Any

from otdiv.core.validation import invalid
from otdiv.linear_programming.rational import Matrix, Vector, dot, fractions_of, matrix_of, times, transposed_times

MOST_SETS = 20_000
"""Sets of columns that are searched; more of them take minutes in rational arithmetic."""


@dataclass(frozen=True, slots=True)
class NearestPoint:
    """The point of a cone nearest to b, with what proves that it is the nearest.

    Attributes
    ----------
    point : tuple of Fraction [m]
        p = A w.
    weights : tuple of Fraction [n]
        w >= 0, positive on linearly independent columns only.
    columns : tuple of int
        Those columns.
    F : tuple of Fraction [m]
        b - p.
    walls : tuple of Fraction [n]
        a_i'F for every column, none positive; 0 on ``columns``.
    distance_squared : Fraction
        |F|^2 = b'F: 0 exactly where b lies in the cone.
    """

    point: Vector
    weights: Vector
    columns: tuple[int, ...]
    F: Vector
    walls: Vector
    distance_squared: Fraction

    @property
    def inside(self) -> bool:
        """Whether b lies in the cone."""
        return self.distance_squared == 0


def nearest_in_cone(A: Any, b: Any) -> NearestPoint:
    """The point p = A w, w >= 0, that is nearest to b, in rational arithmetic.

    p is the nearest exactly when F = b - p has A'F <= 0 and p'F = 0: along a column that F does not turn away from one
    could come nearer, and along p itself too.  Then b'F = |F|^2 + p'F = |F|^2: outside the cone F is Farkas' witness.

    Parameters
    ----------
    A : array_like, shape [m, n]
        Columns that generate the cone.
    b : array_like, shape [m]

    Returns
    -------
    NearestPoint

    Raises
    ------
    InvalidInput
        Not a matrix and a vector of as many entries as it has rows; more than 20 000 sets of columns to search.

    Notes
    -----
    A search over linearly independent sets of columns: small systems, for teaching.  :func:`farkas` decides large ones.

    Examples
    --------
    >>> found = nearest_in_cone([[2, 1], [1, 3]], [1, -1])
    >>> [str(value) for value in found.point], [str(value) for value in found.F]
    (['2/5', '1/5'], ['3/5', '-6/5'])
    """
    matrix, target = _system(A, b)
    n = len(matrix[0])
    for chosen, coefficients in _projections(matrix, target):
        if any(value < 0 for value in coefficients):
            continue
        weights = [Fraction(0)] * n
        for k, value in zip(chosen, coefficients, strict=True):
            weights[k] = value
        point = times(matrix, weights)
        F = tuple(t - p for t, p in zip(target, point, strict=True))
        walls = transposed_times(matrix, F)
        if all(value <= 0 for value in walls):
            return NearestPoint(point, tuple(weights), chosen, F, walls, dot(F, F))
    raise AssertionError("a closed cone has a nearest point")


def independent_combinations(A: Any, b: Any) -> list[tuple[int, ...]]:
    """Every set of linearly independent columns whose cone holds b: at least one where the cone of all does.

    Parameters
    ----------
    A : array_like, shape [m, n]
    b : array_like, shape [m]

    Returns
    -------
    list of tuple of int
        Sets of columns with b = sum w_i a_i, every w_i > 0; smallest sets first.

    Raises
    ------
    InvalidInput
        As :func:`nearest_in_cone`.

    Notes
    -----
    Caratheodory's theorem for cones: take any combination; while its columns depend, move along the dependence until a
    weight is 0.

    Examples
    --------
    >>> independent_combinations([[1, 3, 2], [1, 1, 3]], [4, 4])
    [(0,), (1, 2)]
    """
    matrix, target = _system(A, b)
    return [
        chosen
        for chosen, coefficients in _projections(matrix, target)
        if all(value > 0 for value in coefficients)
        and times(tuple(tuple(row[k] for k in chosen) for row in matrix), coefficients) == target
    ]


def _projections(matrix: Matrix, target: Vector) -> Iterator[tuple[tuple[int, ...], Vector]]:
    """Linearly independent sets of columns, and the coefficients of the projection of b on their span."""
    m, n = len(matrix), len(matrix[0])
    for size in range(min(m, n) + 1):
        for chosen in combinations(range(n), size):
            part = [[row[k] for k in chosen] for row in matrix]
            normal = [
                [dot([row[i] for row in part], [row[j] for row in part]) for j in range(size)] for i in range(size)
            ]
            right = [dot([row[i] for row in part], target) for i in range(size)]
            coefficients = _solve(normal, right)
            if coefficients is not None:
                yield chosen, coefficients


def _solve(matrix: list[list[Fraction]], right: list[Fraction]) -> Vector | None:
    """The solution of a square system, None where it is singular; Gauss and Jordan's elimination."""
    size = len(matrix)
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for k in range(size):
        pivot = next((i for i in range(k, size) if rows[i][k] != 0), None)
        if pivot is None:
            return None
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [value / rows[k][k] for value in rows[k]]
        for i in range(size):
            if i != k and rows[i][k] != 0:
                rows[i] = [value - rows[i][k] * top for value, top in zip(rows[i], rows[k], strict=True)]
    return tuple(row[-1] for row in rows)


def _system(A: Any, b: Any) -> tuple[Matrix, Vector]:
    matrix, target = matrix_of("A", A), fractions_of("b", b)
    m, n = len(matrix), len(matrix[0])
    if len(target) != m:
        raise invalid(
            "b", f"have {m} entries, one for each row of A", str(len(target)), "Pass columns of the length of b."
        )
    sets = sum(comb(n, size) for size in range(min(m, n) + 1))
    if sets > MOST_SETS:
        raise invalid("A", f"have at most {MOST_SETS} sets of columns to search", str(sets), "Use farkas(A, b).")
    return matrix, target
