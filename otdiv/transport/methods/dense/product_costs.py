"""Lower bounds of all distances in many dimensions, by one matrix product.

    |x_i - y_j|^2 = |x_i|^2 + |y_j|^2 - 2 x_i . y_j

takes a tenth of the time of summed squared differences, and loses digits where points are near one another compared
with their distance from the middle of all.  How many is bounded: potentials that are feasible for the bounds below are
feasible for the true costs, and what the bounds are low by is added to the cost of the plan.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from otdiv.core.memory import row_blocks
from otdiv.core.rounding import UNIT
from otdiv.core.threads import limited_blas
from otdiv.core.validation import Array
from otdiv.costs import Euclidean, SquaredEuclidean
from otdiv.problem.transport_problem import TransportProblem

FROM_DIMENSION = 256
"""Dimension from which the product is worth its wider interval."""
_FROM_OPERATIONS = 2**20
"""Pairs times dimension; below it all differences take a hundredth of a second."""
_ROWS, _IN_ONE_THREAD = 128, 2**27
"""Rows of a block of the product, and pairs times dimension from which several threads take the blocks."""
_LEAST_REACH = 1e-100
"""Largest distance from the origin, and one over it, between which no square overflows and none vanishes."""
_CENTRED_ABOVE = 2.0**-36
"""Error of the squares, as a share of the least one, above which points are first moved to have their middle at 0."""
_ROOM = 1 + 1e-9
"""For the rounding of the bounds themselves."""


def lowered_costs(problem: TransportProblem, threads: int = 1) -> tuple[Array, float] | None:
    """Costs [n, m] of at most the true ones, and by how much they may be too low.

    With R the largest |x_i| plus the largest |y_j|, from the middle of all points where the origin is too far away, and
    u = 2**-53, the computed square of a distance is off by at most (d + 16) u R^2 (Higham, Accuracy and Stability of
    Numerical Algorithms, 2002, section 3.1: products of any order of summation).

    None for other costs, few dimensions or few points, and where a distance vanishes in its rounding.
    """
    cost, d = problem.cost, problem.d
    if not isinstance(cost, Euclidean | SquaredEuclidean) or d < FROM_DIMENSION:
        return None
    if problem.n * problem.m * d < _FROM_OPERATIONS:
        return None
    x, y = problem.mu.points, problem.nu.points
    found = _product_squares(x, y, threads)
    if found is None or not found[1] < _CENTRED_ABOVE * found[2]:
        middle = 0.5 * (x.mean(axis=0) + y.mean(axis=0))
        found = _product_squares(x - middle, y - middle, threads)
    if found is None:
        return None
    squares, off, least = found
    if not least > 4 * off:
        return None
    squares -= off * _ROOM
    if isinstance(cost, SquaredEuclidean):
        return squares, 2 * off * _ROOM
    return np.sqrt(squares, out=squares), off / np.sqrt(least - 2 * off) * _ROOM


def _product_squares(x: Array, y: Array, threads: int) -> tuple[Array, float, float] | None:
    """All squared distances [n, m], by how much they may be off, and the least of them; None beyond the range."""
    with np.errstate(over="ignore"):
        of_x, of_y = np.einsum("ik,ik->i", x, x), np.einsum("jk,jk->j", y, y)
    reach = float(np.sqrt(of_x.max()) + np.sqrt(of_y.max()))
    if not _LEAST_REACH < reach < 1 / _LEAST_REACH:
        return None
    squares = _product(x, y, threads)
    squares *= -2.0
    squares += of_x[:, None]
    squares += of_y
    return squares, (x.shape[1] + 16) * UNIT * reach**2 * _ROOM, float(squares.min())


def _product(x: Array, y: Array, threads: int) -> Array:
    """x y' [n, m], rows in blocks of one size: its bits depend on the number of threads of one product, not of all."""
    found = np.empty((len(x), len(y)))
    blocks = list(row_blocks(len(x), 1, _ROWS))

    def work(rows: slice) -> None:
        np.matmul(x[rows], y.T, out=found[rows])

    with limited_blas():
        if threads == 1 or x.size * len(y) < _IN_ONE_THREAD:
            for rows in blocks:
                work(rows)
        else:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(work, blocks))
    return found
