"""Energy distance and maximum mean discrepancy: quadratic forms in the difference of the two empirical measures.

With w = 1 / n on the first group and -1 / m on the second, MMD^2 = w' K w for a kernel matrix K of the pool, and the
squared energy distance is -w' D w for the distances D.  For all divisions at once this is one matrix product.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from otdiv.core.memory import BLOCK_ENTRIES, row_blocks
from otdiv.core.validation import Array, as_rng, check_choice
from otdiv.costs import Euclidean
from otdiv.two_sample.arguments import Pool, as_permutations, as_pool, as_positive_list
from otdiv.two_sample.line import line_statistics
from otdiv.two_sample.permutations import Divisions, count_as_large, draw_divisions, least_p_of, p_value, rank_by_least
from otdiv.two_sample.result import TestResult

KERNELS = ("gaussian", "laplace")
BANDWIDTHS = 10
"""Bandwidths by default, evenly spaced in the logarithm.  More: a finer choice, and more time."""
_SAMPLED = 1000
"""Points whose distances give the range of bandwidths."""
_LEAST_NORM = 1e-3
"""Norm of a kernel matrix off its diagonal below which the kernel sees no two points together, and has no vote in the
maximum of the normalised discrepancies; it keeps its p-value."""
_ROUNDING = 1e-13
"""Difference, as a share of the largest entry of the matrix, up to which two quadratic forms count as equal."""


class _Kernel(NamedTuple):
    """exp(-(d / bandwidth)^2 / 2) or exp(-d / bandwidth)."""

    name: str
    bandwidth: float

    def matrix(self, distance: Array) -> Array:
        scaled = distance / self.bandwidth
        return np.exp(-0.5 * scaled * scaled if self.name == "gaussian" else -scaled)


def energy_test(x: Any, y: Any, *, permutations: int = 999, rng: Any = None) -> TestResult:
    """Permutation test with the energy distance.

    Parameters
    ----------
    x, y : array_like [n, d] and [m, d] (or [n], [m] on the line), or data frames with the same columns
        Independent observations; at least two each.
    permutations : int
        B.
    rng : int, numpy.random.Generator or None
        Source of the permutations.

    Returns
    -------
    TestResult
        Its statistic is sqrt(2 E|X - Y| - E|X - X'| - E|Y - Y'|), in the square root of the unit of the points.

    Raises
    ------
    InvalidInput
        NaN or infinity, fewer than two points, different columns or dimensions, weights that differ.

    References
    ----------
    G. J. Szekely and M. L. Rizzo, Testing for equal distributions in high dimension, InterStat 5, 2004.

    Examples
    --------
    >>> energy_test([0.0, 1.0, 2.0, 3.0], [8.0, 9.0, 10.0, 11.0], rng=0).p_value <= 0.05
    True
    """
    pool, generator = as_pool(x, y), as_rng(rng)
    divisions = draw_divisions(pool.n, pool.m, as_permutations(permutations), generator)
    if pool.d == 1:
        squares = 2 * line_statistics(pool.points[:, 0], divisions.labels, power=2)
        largest = float(np.ptp(pool.points))
    else:
        squares, largest = np.zeros(divisions.count), 0.0
        signed, metric = divisions.signed(), Euclidean()
        for rows in row_blocks(pool.size, pool.size, BLOCK_ENTRIES):
            distance = metric.matrix(pool.points[rows], pool.points)
            largest = max(largest, float(distance.max()))
            squares -= _forms(signed[rows], distance, signed)
    counts = count_as_large(squares, _ROUNDING * largest)
    return TestResult(
        statistic=float(np.sqrt(max(squares[0], 0.0))),
        p_value=p_value(counts),
        method="energy",
        n=pool.n,
        m=pool.m,
        permutations=divisions.count - 1,
        exhaustive=divisions.exhaustive,
        least_p_value=divisions.least_p_value(symmetric=True),
        meaning="energy distance, in the square root of the unit of the points",
    )


def mmd_test(
    x: Any,
    y: Any,
    *,
    kernels: str | tuple[str, ...] = KERNELS,
    bandwidths: Any = None,
    permutations: int = 999,
    rng: Any = None,
) -> TestResult:
    """Permutation test with the maximum mean discrepancy, aggregated over kernels and bandwidths.

    Parameters
    ----------
    x, y : array_like [n, d] and [m, d] (or [n], [m] on the line), or data frames with the same columns
        Independent observations; at least two each.
    kernels : str or tuple of str
        "gaussian", exp(-|x - y|^2 / (2 h^2)), "laplace", exp(-|x - y| / h), or both.
    bandwidths : float or sequence of float, optional
        h, in the unit of the points; None: ten, evenly spaced in the logarithm over the distances of the pool.
    permutations : int
        B, shared by all kernels and bandwidths.
    rng : int, numpy.random.Generator or None
        Source of the permutations.

    Returns
    -------
    TestResult
        Its statistic is the MMD of the kernel and bandwidth with the least p-value, without unit.  Its p-value is
        that of the smaller p-value of two aggregations over all of them, and valid although one was chosen.

    Raises
    ------
    InvalidInput
        As :func:`energy_test`; an unknown kernel, or a bandwidth that is not positive and finite.

    Notes
    -----
    Two aggregations share the level: the least p-value of all kernels, and the largest of their
    (MMD^2 - E MMD^2) / norm of the kernel matrix off its diagonal, with the mean over divisions (MMD-FUSE with a hard
    maximum).  The norm exceeds the standard deviation the more, the closer the kernel is to a constant, so the maximum
    favours small bandwidths: it sees more of fine structure, and less of a shift, where the least p-value sees more.

    The bandwidths are a function of the pool without its labels, so every division is treated alike.

    References
    ----------
    A. Schrab et al., MMD aggregated two-sample test, J. Mach. Learn. Res. 24, 2023.
    F. Biggs, A. Schrab and A. Gretton, MMD-FUSE, NeurIPS 2023.

    Examples
    --------
    >>> mmd_test([0.0, 1.0, 2.0, 3.0], [8.0, 9.0, 10.0, 11.0], rng=0).p_value <= 0.05
    True
    """
    pool, generator = as_pool(x, y), as_rng(rng)
    names = (kernels,) if isinstance(kernels, str) else tuple(kernels)
    for name in names or ("",):
        check_choice("kernels", name, KERNELS)
    chosen = pooled_bandwidths(pool) if bandwidths is None else as_positive_list("bandwidths", bandwidths, finite=True)
    collection = [_Kernel(name, float(h)) for name in names for h in chosen]
    divisions = draw_divisions(pool.n, pool.m, as_permutations(permutations), generator)
    squares, normalised, rounding = _squared_discrepancies(pool, divisions, collection)
    counts = np.array([count_as_large(row, _ROUNDING) for row in squares])
    which = int(counts[:, 0].argmin())
    best = collection[which]
    p, _ = least_p_of(np.stack([rank_by_least(counts), count_as_large(normalised.max(axis=0), rounding)]))
    return TestResult(
        statistic=float(np.sqrt(max(squares[which, 0], 0.0))),
        p_value=p,
        method="mmd",
        n=pool.n,
        m=pool.m,
        permutations=divisions.count - 1,
        exhaustive=divisions.exhaustive,
        least_p_value=divisions.least_p_value(symmetric=True),
        meaning=f"MMD, {best.name} kernel of bandwidth {best.bandwidth:.4g}, the least p of {len(collection)} kernels",
    )


def pooled_bandwidths(pool: Pool) -> Array:
    """Ten bandwidths, from half of the 5 % quantile of the distances in the pool to twice the 95 % quantile."""
    step = -(-pool.size // _SAMPLED)
    order = np.lexsort(pool.points.T[::-1])  # a function of the points alone, not of their labels
    some = pool.points[order[::step]]
    distance = Euclidean().matrix(some, some)
    positive = distance[distance > 0]
    if len(positive) == 0:
        return np.ones(1)  # all points are one: every kernel is constant
    low, high = np.quantile(positive, [0.05, 0.95])
    return np.geomspace(0.5 * low, 2 * high, BANDWIDTHS)


def _squared_discrepancies(pool: Pool, divisions: Divisions, collection: list[_Kernel]) -> tuple[Array, Array, float]:
    """MMD^2 of every kernel and division [K, R]; less its mean and over the norm of the kernel; rounding of the latter.

    For i != j the mean of w_i w_j over all divisions is -(1 / n + 1 / m) / (N (N - 1)), and the diagonal of K is 1, so
    E w' K w = (1 / n + 1 / m) (1 - mean of K off its diagonal).
    """
    signed, metric, size = divisions.signed(), Euclidean(), pool.size
    squares = np.zeros((len(collection), divisions.count))
    sums, sums_of_squares = np.full((2, len(collection)), -float(size))  # without the diagonal
    for rows in row_blocks(size, size, BLOCK_ENTRIES):
        distance = metric.matrix(pool.points[rows], pool.points)
        for k, kernel in enumerate(collection):
            matrix = kernel.matrix(distance)
            squares[k] += _forms(signed[rows], matrix, signed)
            sums[k] += matrix.sum()
            sums_of_squares[k] += np.vdot(matrix, matrix)
    means = (1 / pool.n + 1 / pool.m) * (1 - sums / (size * (size - 1)))
    norms = np.sqrt(np.maximum(sums_of_squares, 0.0))
    voting = norms > _LEAST_NORM
    if not voting.any():
        return squares, np.zeros((1, divisions.count)), 0.0
    normalised = (squares[voting] - means[voting, None]) / norms[voting, None]
    return squares, normalised, _ROUNDING / float(norms[voting].min())


def _forms(left: Array, block: Array, right: Array) -> Array:
    """left' block right for every column [R]."""
    return np.einsum("ir,ir->r", left, block @ right)
