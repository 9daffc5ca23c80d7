"""Vector norms with their duals, matrix norms with the vectors that attain them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from otdiv.core.validation import Array, as_float_array, invalid, require_finite


@dataclass(frozen=True, eq=False)
class Attained:
    """A supremum and where it is attained; converts to float.

    Attributes
    ----------
    value : float
    at : ndarray
        The maximising vector, of norm 1 in the norm over which the supremum is taken.
    """

    value: float
    at: Array

    def __float__(self) -> float:
        return self.value


def vector_norm(x: Any, p: float = 2.0) -> float:
    """The p-norm (sum |x_i|^p)^(1/p), 1 <= p <= inf; max |x_i| for p = inf.

    Parameters
    ----------
    x : array_like [k]
    p : float
        1 <= p <= inf.

    Returns
    -------
    float
        In the unit of x.

    Raises
    ------
    InvalidInput
        p < 1, or x not a finite vector.

    Examples
    --------
    >>> vector_norm([3.0, -4.0]), vector_norm([3.0, -4.0], 1), vector_norm([3.0, -4.0], np.inf)
    (5.0, 7.0, 4.0)
    """
    x, p = _vector("x", x), _order(p)
    top = float(np.abs(x).max())
    if top == 0.0 or np.isinf(p):
        return top
    # dividing by the largest entry keeps the powers inside float64
    return top * float(np.sum((np.abs(x) / top) ** p) ** (1 / p))


def dual_norm(z: Any, p: float = 2.0) -> Attained:
    """Dual norm sup { z'x : |x|_p <= 1 } = |z|_q with 1/p + 1/q = 1, and an x that attains it.

    Parameters
    ----------
    z : array_like [k]
    p : float
        Order of the norm that bounds x, 1 <= p <= inf.

    Returns
    -------
    Attained
        For p = 1 the x is a signed unit vector, for p = inf the signs of z, for p = 2 it is z / |z|.

    Raises
    ------
    InvalidInput
        p < 1, or z not a finite vector.

    Notes
    -----
    The dual of the maximum norm is the 1-norm.

    Examples
    --------
    >>> dual_norm([-5.0, 5.0], np.inf).value, dual_norm([-5.0, 5.0], np.inf).at.tolist()
    (10.0, [-1.0, 1.0])
    """
    z, p = _vector("z", z), _order(p)
    signs = np.where(z < 0, -1.0, 1.0)
    if p == 1:
        at = np.zeros_like(z)
        largest = int(np.argmax(np.abs(z)))
        at[largest] = signs[largest]
        return Attained(float(np.abs(z[largest])), at)
    if np.isinf(p):
        return Attained(float(np.abs(z).sum()), signs)
    q = p / (p - 1)
    value = vector_norm(z, q)
    if value == 0.0:
        at = np.zeros_like(z)
        at[0] = 1.0
        return Attained(0.0, at)
    return Attained(value, signs * (np.abs(z) / value) ** (q - 1))


def matrix_norm(A: Any, p: float | str = 2) -> Attained:
    """Operator norm max { |Ax|_p : |x|_p = 1 } for p = 1, 2, inf, or the Frobenius norm ("fro").

    p = 1: the largest column sum of |A|; p = inf: the largest row sum; p = 2: the square root of the
    largest eigenvalue of A'A; "fro": sqrt(sum A_ij^2) = sqrt(tr A'A), at A / |A|_F as a matrix.

    Parameters
    ----------
    A : array_like [m, n]
    p : 1, 2, inf or "fro"

    Returns
    -------
    Attained
        With the unit vector [n] that is stretched most.

    Raises
    ------
    InvalidInput
        Another p, or A not a finite matrix.

    Notes
    -----
    For p = 2 see :func:`otdiv.lipschitz.spectral_norm` for a proved bound.

    Examples
    --------
    >>> A = [[1.0, -2.0], [3.0, 4.0]]
    >>> matrix_norm(A, 1).value, matrix_norm(A, np.inf).value, round(matrix_norm(A, "fro").value, 12)
    (6.0, 7.0, 5.477225575052)
    """
    A = as_matrix("A", A)
    if p == "fro":
        size = vector_norm(A.ravel(), 2.0)
        return Attained(size, A / size if size > 0 else A)
    if p == 1:
        sums = np.abs(A).sum(axis=0)
        at = np.zeros(A.shape[1])
        at[int(np.argmax(sums))] = 1.0
        return Attained(float(sums.max()), at)
    if p == np.inf:
        sums = np.abs(A).sum(axis=1)
        row = A[int(np.argmax(sums))]
        return Attained(float(sums.max()), np.where(row < 0, -1.0, 1.0))
    if p == 2:
        _, singular, right = np.linalg.svd(A)
        return Attained(float(singular[0]), right[0])
    raise invalid("p", "be 1, 2, inf or 'fro'", repr(p), "Other operator norms have no closed form.")


def as_matrix(name: str, value: Any) -> Array:
    """A finite float64 matrix [m, n] of at least one entry."""
    array = as_float_array(name, value)
    if array.ndim != 2 or array.size == 0:
        raise invalid(name, "be a matrix [m, n] with entries", f"shape {array.shape}", "Pass rows of numbers.")
    require_finite(name, array)
    return array


def _vector(name: str, value: Any) -> Array:
    array = as_float_array(name, value)
    if array.ndim != 1 or array.size == 0:
        raise invalid(name, "be a vector [k] with entries", f"shape {array.shape}", "Pass a list of numbers.")
    require_finite(name, array)
    return array


def _order(p: float) -> float:
    if not (isinstance(p, int | float | np.number) and p >= 1):
        raise invalid("p", "be a number from 1 to inf", repr(p), "Below 1 it is no norm.")
    return float(p)
