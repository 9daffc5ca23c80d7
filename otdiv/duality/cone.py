"""The geometry of Farkas' lemma: membership in cones and hulls, angles, walls, the separating hyperplane."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from otdiv.core.validation import Array, as_float_array, invalid, readonly, require_finite
from otdiv.duality.farkas import farkas
from otdiv.linear_programming.rational import Matrix, fractions_of, matrix_of


@dataclass(frozen=True, slots=True, eq=False)
class Membership:
    """Whether b belongs to a cone or a convex hull, with the witness.

    Attributes
    ----------
    inside : bool
    weights : ndarray [n] or None
        Inside: b = sum weights_i a_i, weights >= 0 (summing to 1 for the hull).
    functional : ndarray [d] or None
        Outside: functional . a_i <= offset for every i, and functional . b > offset.
    offset : float
        0 for a cone.
    margin : float
        Outside: functional . b - offset > 0.  Inside: 0.
    """

    inside: bool
    weights: Array | None
    functional: Array | None
    offset: float
    margin: float


def in_cone(A: Any, b: Any, *, exact: bool = False) -> Membership:
    """Is b a conic combination of the columns of A: b = A w with w >= 0?

    Parameters
    ----------
    A : array_like, shape [d, n]
        Generators a_1 ... a_n as columns.
    b : array_like, shape [d]
    exact : bool
        Decide in rational arithmetic.

    Returns
    -------
    Membership

    Raises
    ------
    InvalidInput, SolverFailed
        As `otdiv.duality.farkas.farkas`.

    Examples
    --------
    >>> A = [[1, 3, 2], [1, 1, 3]]
    >>> in_cone(A, [4, 4]).inside, in_cone(A, [-1, 1]).inside
    (True, False)
    """
    answer = farkas(A, b, exact=exact)
    return Membership(answer.inside, answer.x, answer.F, 0.0, answer.gain)


def in_convex_hull(A: Any, b: Any, *, exact: bool = False) -> Membership:
    """Is b a convex combination of the columns of A: b = A w with w >= 0 and sum w = 1?

    One more row of ones turns the hull into a cone, one dimension up; the last entry of
    Farkas' F is then minus the offset of the separating hyperplane.

    Parameters
    ----------
    A : array_like, shape [d, n]
    b : array_like, shape [d]
    exact : bool

    Returns
    -------
    Membership

    Examples
    --------
    >>> A = [[1, 3, 2], [1, 1, 3]]
    >>> in_convex_hull(A, [2, 1.5]).weights.round(9).tolist()
    [0.375, 0.375, 0.25]
    >>> outside = in_convex_hull(A, [4, 4])
    >>> bool(outside.functional @ [4, 4] > outside.offset)
    True
    """
    if exact:
        rows: Any = [*matrix_of("A", A), (Fraction(1),) * len(matrix_of("A", A)[0])]
        lifted: Any = [*fractions_of("b", b), Fraction(1)]
    else:
        points = as_float_array("A", A)
        if points.ndim != 2:
            raise invalid("A", "have shape [d, n], points as columns", f"shape {points.shape}", "Pass points.T.")
        rows = np.vstack([points, np.ones(points.shape[1])])
        lifted = np.append(as_float_array("b", b), 1.0)
    answer = farkas(rows, lifted, exact=exact)
    if answer.F is None:
        return Membership(True, answer.x, None, 0.0, 0.0)
    return Membership(False, None, readonly(answer.F[:-1]), -float(answer.F[-1]), answer.gain)


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """How F stands to the walls and to b, in degrees.

    Attributes
    ----------
    wall_angles : ndarray [n]
        Angle between F and each column of A: at least 90.  NaN for a zero column.
    b_angle : float
        Angle between F and b: below 90.
    h : ndarray [m, m - 1]
        Orthonormal columns that span the separating hyperplane, the vectors orthogonal to F.
    """

    wall_angles: Array
    b_angle: float
    h: Array


def separation(A: Any, b: Any, F: Any) -> Geometry:
    """Angles of F with the walls of the cone and with b, and the hyperplane h orthogonal to F.

    Parameters
    ----------
    A : array_like, shape [m, n]
    b, F : array_like, shape [m]

    Returns
    -------
    Geometry

    Raises
    ------
    InvalidInput
        Shapes that do not fit, NaN or infinity, or F = 0, which separates nothing.

    Examples
    --------
    >>> geometry = separation([[2, 1], [1, 3]], [1, -1], [1, -2])
    >>> geometry.wall_angles.round(6).tolist(), round(geometry.b_angle, 6)
    ([90.0, 135.0], 18.434949)
    """
    A, b, F = as_float_array("A", A), as_float_array("b", b), as_float_array("F", F)
    if A.ndim != 2 or b.shape != (A.shape[0],) or F.shape != b.shape:
        shapes = f"shapes {A.shape}, {b.shape}, {F.shape}"
        raise invalid("A, b, F", "have shapes [m, n], [m], [m]", shapes, "The walls are the columns of A.")
    for name, array in (("A", A), ("b", b), ("F", F)):
        require_finite(name, array)
    if not F.any():
        raise invalid("F", "be different from 0", "the zero vector", "F = 0 satisfies A'F <= 0 but separates nothing.")
    # The last m - 1 right singular vectors of the row F are an orthonormal basis of its complement.
    h = np.linalg.svd(F[None, :])[2][1:].T
    return Geometry(readonly(np.array([_angle(F, a) for a in A.T])), _angle(F, b), readonly(h))


@dataclass(frozen=True, slots=True)
class ConeShape:
    """Dimension of the cone's span, and of the largest subspace inside it.

    ``name`` is one of zero, ray, line, wedge, half-plane, plane; in more dimensions
    pointed cone, subspace, or cone with lineality.
    """

    span: int
    lineality: int
    name: str


def cone_shape(A: Any) -> ConeShape:
    """What the columns of A span with non-negative weights, decided exactly.

    A column belongs to the largest subspace inside the cone exactly if its negative is in
    the cone, so the answer is two ranks.

    Parameters
    ----------
    A : array_like, shape [m, n]
        Generators as columns, few of them: one exact system is solved for each.

    Returns
    -------
    ConeShape

    Examples
    --------
    >>> cone_shape([[1, -1], [0, 0]]).name
    'line'
    >>> cone_shape([[1, -1, 0], [0, 0, 1]]).name
    'half-plane'
    """
    rows = matrix_of("A", A)
    columns = list(zip(*rows, strict=True))
    reversible = [a for a in columns if any(a) and farkas(rows, [-v for v in a], exact=True).inside]
    span, lineality = _rank(tuple(columns)), _rank(tuple(reversible))
    flat = {(0, 0): "zero", (1, 0): "ray", (1, 1): "line", (2, 0): "wedge", (2, 1): "half-plane", (2, 2): "plane"}
    general = "pointed cone" if lineality == 0 else "subspace" if lineality == span else "cone with lineality"
    return ConeShape(span, lineality, flat.get((span, lineality), general))


def _angle(u: Array, v: Array) -> float:
    """Angle in degrees, from the half-angle formula, which is exact at 90 and accurate at 0 and 180."""
    if not v.any():
        return float("nan")
    u, v = u / np.linalg.norm(u), v / np.linalg.norm(v)
    return float(np.degrees(2 * np.arctan2(np.linalg.norm(u - v), np.linalg.norm(u + v))))


def _rank(vectors: Matrix) -> int:
    """Rank by exact elimination."""
    rows, rank = [list(v) for v in vectors], 0
    for j in range(len(rows[0]) if rows else 0):
        pivot = next((i for i in range(rank, len(rows)) if rows[i][j]), None)
        if pivot is None:
            continue
        rows[rank], rows[pivot] = rows[pivot], rows[rank]
        top = rows[rank]
        for i in range(rank + 1, len(rows)):
            if factor := rows[i][j] / top[j]:
                rows[i] = [v - factor * t for v, t in zip(rows[i], top, strict=True)]
        rank += 1
    return rank
