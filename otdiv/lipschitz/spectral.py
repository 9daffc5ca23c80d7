"""The spectral norm: power iteration, and a proved two-sided bound.

Power iteration approaches the norm from below, so by itself it certifies
nothing as a Lipschitz bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nan, nextafter, sqrt
from time import perf_counter
from typing import Any

import numpy as np

from otdiv.core.bounds import Bounds, Status
from otdiv.core.results import HasBounds
from otdiv.core.rounding import UNIT
from otdiv.core.validation import Array, as_rng, invalid
from otdiv.lipschitz.norms import as_matrix


@dataclass(frozen=True, eq=False)
class PowerIteration:
    """The run of a power iteration.

    Attributes
    ----------
    estimates : ndarray [steps]
        |A|_2 as estimated after each step; never above it but for rounding.
    u, v : ndarray [m], [n]
        Last left and right vectors: estimate = u'A v.
    rate : float
        (sigma_2 / sigma_1)^4, the factor by which the error of the squared estimate shrinks in a step;
        0 where there is no second singular value.
    stalled : bool
        Whether the start is orthogonal to the leading direction: the run then converges to a smaller
        singular value, or was at zero from the start.
    """

    estimates: Array
    u: Array
    v: Array
    rate: float
    stalled: bool

    @property
    def value(self) -> float:
        """The last estimate."""
        return float(self.estimates[-1])


def power_iteration(
    A: Any, *, steps: int = 100, start: Any = None, rng: int | np.random.Generator | None = 0
) -> PowerIteration:
    """Estimate |A|_2 by v <- A'u / |A'u|, u <- A v / |A v|; the estimate is u'A v.

    Parameters
    ----------
    A : array_like [m, n]
    steps : int
    start : array_like [m], optional
        First u, not zero; by default a random direction.
    rng : int, numpy.random.Generator or None
        For the random start; the default repeats, None is fresh entropy.

    Returns
    -------
    PowerIteration

    Raises
    ------
    InvalidInput
        A not a finite matrix, steps < 1, a start of another length or zero.

    Notes
    -----
    The error of the squared estimate shrinks by (sigma_2 / sigma_1)^4 a step; a start orthogonal to the
    leading left vector never finds it.

    Examples
    --------
    >>> round(power_iteration([[1.0, -2.0], [3.0, 4.0]]).value, 12)
    5.116672736017
    >>> power_iteration([[2.0, 0.0], [0.0, 1.0]], start=[0.0, 1.0]).stalled
    True
    """
    A = as_matrix("A", A)
    if steps < 1:
        raise invalid("steps", "be at least 1", repr(steps), "100 is plenty for most matrices.")
    u = _start(A.shape[0], start, rng)
    left, singular, _ = np.linalg.svd(A)
    leading = singular >= singular[0] * (1 - 1e-12)
    stalled = bool(np.abs(left[:, : leading.size][:, leading].T @ u).max() <= 1e-14 * np.linalg.norm(u))
    estimates = np.zeros(steps)
    v = np.zeros(A.shape[1])
    for k in range(steps):
        pulled = A.T @ u
        size = np.linalg.norm(pulled)
        if size == 0:
            break
        v = pulled / size
        pushed = A @ v
        estimates[k] = np.linalg.norm(pushed)
        u = pushed / estimates[k]
    rest = singular[~leading]
    rate = float((rest[0] / singular[0]) ** 4) if rest.size and singular[0] > 0 else 0.0
    return PowerIteration(estimates, u, v, rate, stalled)


def gram_iteration(A: Any, *, steps: int = 100, start: Any = None, rng: int | np.random.Generator | None = 0) -> Array:
    """Power iteration of A'A: u <- A'A u / |A'A u|; returns u'A'A u, which tends to |A|_2 squared.

    Parameters
    ----------
    A : array_like [m, n]
    steps : int
    start : array_like [n], optional
        First u, not zero; by default a random direction.
    rng : int, numpy.random.Generator or None
        For the random start; the default repeats, None is fresh entropy.

    Returns
    -------
    ndarray [steps]
        u'A'A u after each step; never above the square of the norm but for rounding.

    Raises
    ------
    InvalidInput
        As :func:`power_iteration`.

    Examples
    --------
    >>> round(float(gram_iteration([[1.0, -2.0], [3.0, 4.0]])[-1]), 12)
    26.180339887499
    """
    A = as_matrix("A", A)
    if steps < 1:
        raise invalid("steps", "be at least 1", repr(steps), "100 is plenty for most matrices.")
    u = _start(A.shape[1], start, rng)
    u = u / np.linalg.norm(u)
    squares = np.zeros(steps)
    for k in range(steps):
        w = A.T @ (A @ u)
        size = np.linalg.norm(w)
        if size == 0:
            break
        u = w / size
        squares[k] = float(np.sum((A @ u) ** 2))
    return squares


@dataclass(frozen=True, eq=False)
class SpectralNorm(HasBounds):
    """|A|_2 with its proof.

    Attributes
    ----------
    value : float
        The largest singular value as computed.
    bounds : Bounds
        Proved: the lower end by a vector, the upper end by a Cholesky factorisation.
    u, v : ndarray [m], [n]
        Leading singular vectors.
    seconds : float
        Time of the computation.
    """

    value: float
    bounds: Bounds
    u: Array
    v: Array
    seconds: float = nan
    nit = 0

    @property
    def status(self) -> Status:  # type: ignore[override]
        """OPTIMAL where the ends agree to 1e-9, else STOPPED."""
        return Status.OPTIMAL if self.gap <= 1e-9 * self.upper else Status.STOPPED

    def __float__(self) -> float:
        return self.value


def spectral_norm(A: Any) -> SpectralNorm:
    """|A|_2 = sqrt(lambda_max(A'A)) as a proved two-sided bound.

    lower = |A v| / |v| for the computed singular vector; upper = sqrt(t) for a t such that the
    floating-point Cholesky factorisation of t I - A'A, less the bound on its own rounding, succeeds,
    which proves t I - A'A positive semidefinite (Rump, Verification of positive definiteness, 2006).

    Parameters
    ----------
    A : array_like [m, n]

    Returns
    -------
    SpectralNorm

    Raises
    ------
    InvalidInput
        A not a finite matrix.

    Examples
    --------
    >>> norm = spectral_norm([[1.0, -2.0], [3.0, 4.0]])
    >>> round(norm.value, 12), norm.gap < 1e-12
    (5.116672736017, True)
    """
    started, A = perf_counter(), as_matrix("A", A)
    left, singular, right = np.linalg.svd(A, full_matrices=False)
    value, u, v = float(singular[0]), left[:, 0], right[0]
    if value == 0.0:
        return SpectralNorm(0.0, Bounds(0.0, 0.0), u, v, perf_counter() - started)
    scale = float(np.ldexp(1.0, int(np.frexp(value)[1])))  # a power of two: dividing by it is exact
    B = A / scale if A.shape[0] >= A.shape[1] else A.T / scale
    vector = v if A.shape[0] >= A.shape[1] else u
    lower = _stretch(B, vector) * scale
    upper = sqrt(_proved_square(B, (value / scale) ** 2)) * scale
    ends = Bounds(lower, nextafter(nextafter(upper, inf), inf))
    return SpectralNorm(value, ends, u, v, perf_counter() - started)


def _stretch(B: Array, v: Array) -> float:
    """A number at most |B v| / |v|: rounding of k-term sums is at most k u relative to the sum of sizes."""
    rows, columns = B.shape
    product = B @ v
    off = 2 * columns * UNIT * (np.abs(B) @ np.abs(v))
    least = np.maximum(np.abs(product) - off, 0.0)
    return float(np.linalg.norm(least) / np.linalg.norm(v)) * (1 - 4 * (rows + columns + 4) * UNIT)


def _proved_square(B: Array, guess: float) -> float:
    """A t with t I - B'B proved positive semidefinite, close above ``guess``.

    If the floating-point Cholesky factorisation of H = s I - fl(B'B) runs to its end, H is positive
    semidefinite up to 2 (n + 3) u trace(H); fl(B'B) and the diagonal of H add their own rounding.
    """
    rows, n = B.shape
    gram = B.T @ B
    size = np.abs(B)
    rounding = 2 * rows * UNIT * float(np.linalg.norm(size.T @ size))
    excess = 4 * (n + 4) * UNIT
    while True:
        s = guess * (1 + excess)
        H = s * np.eye(n) - gram
        try:
            np.linalg.cholesky(H)
        except np.linalg.LinAlgError:
            excess *= 2
            continue
        margin = 2 * (n + 3) * UNIT * float(np.trace(H)) + 4 * UNIT * (s + float(gram.max())) + rounding
        return (s + margin) * (1 + 4 * UNIT)


def _start(size: int, start: Any, rng: Any) -> Array:
    if start is None:
        return as_rng(rng).normal(size=size)
    u = np.asarray(start, dtype=np.float64)
    if u.shape != (size,) or not np.all(np.isfinite(u)) or not u.any():
        raise invalid("start", f"be a non-zero vector [{size}]", f"shape {u.shape}", "Leave it out for a random start.")
    return u
