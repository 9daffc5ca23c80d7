"""Potentials on the line, audited in sorted order instead of over all pairs.

For the cost |x - y| a single function w with f = w on the sources and g = -w on
the targets is feasible when it is 1-Lipschitz along the pooled points, which
two running extrema decide.  For a convex cost of x - y the matrix c_ij - f_i is
Monge, so the minimising row of each column is monotone
(divide and conquer over columns).
"""

from __future__ import annotations

import numpy as np

from otdiv.core.rounding import UNIT, below
from otdiv.core.validation import Array
from otdiv.problem.transport_problem import TransportProblem

NEARLY = 2.0**-40
"""Potentials that are 1-Lipschitz up to this share of their size are shifted; others are transformed.  A larger
share shifts more of them, and makes the lower bound less tight."""


def line_potentials(problem: TransportProblem, f: Array | None, g: Array | None) -> tuple[Array, Array]:
    """Feasible potentials for a problem on the line; see :func:`feasible_potentials`."""
    if problem.cost.line_power == 1:
        return _lipschitz(problem, f, g)
    line = problem.line
    fs = np.zeros(problem.n) if f is None and g is None else f[line.ix] if f is not None else None
    if fs is None:
        fs = monotone_transform(line.ys, line.xs, g[line.iy], problem.cost.line_power)[0]  # type: ignore[index]
    fs = fs - 0.5 * (fs.max() + fs.min())
    gs, _ = monotone_transform(line.xs, line.ys, fs, problem.cost.line_power)
    fs, error = monotone_transform(line.ys, line.xs, gs, problem.cost.line_power)
    return _unsorted(below(fs - error), line.ix), _unsorted(gs, line.iy)


def _lipschitz(problem: TransportProblem, f: Array | None, g: Array | None) -> tuple[Array, Array]:
    line, n = problem.line, problem.n
    if f is not None and g is not None:
        pooled = np.empty(len(line.z))
        np.take(f, line.ix, out=pooled[:n], mode="clip")
        np.take(g, line.iy, out=pooled[n:], mode="clip")
        np.negative(pooled[n:], out=pooled[n:])
        w = pooled[line.order]
        violation = _lipschitz_violation(w, line.z)
        if violation <= NEARLY * max(abs(line.z[0]), abs(line.z[-1]), abs(float(w.max())), abs(float(w.min()))):
            lowered = f - violation
            return np.nextafter(lowered, -np.inf, out=lowered), g
    # f alone: w = -g with g_j = min_i |x_i - y_j| - f_i; g, or both: w = f with f_i = min_j |x_i - y_j| - g_j
    from_sources = g is None
    values = np.full(len(line.z), -np.inf)
    if from_sources:
        values[line.order < n] = 0.0 if f is None else f[line.ix]
    else:
        values[line.order >= n] = g[line.iy]  # type: ignore[index]
    w = _distance_transform(line.z, values) * (-1.0 if from_sources else 1.0)
    w -= 0.5 * (w.max() + w.min())
    violation = _lipschitz_violation(w, line.z)
    pooled = np.empty(len(line.z))
    pooled[line.order] = w
    return _unsorted(below(pooled[:n] - violation), line.ix), _unsorted(-pooled[n:], line.iy)


def _distance_transform(z: Array, values: Array) -> Array:
    """min_k |z - z_k| - values_k at every sorted z, by one pass in each direction."""
    from_left = z + np.minimum.accumulate(-z - values)
    from_right = np.minimum.accumulate((z - values)[::-1])[::-1] - z
    return np.minimum(from_left, from_right)


def _lipschitz_violation(w: Array, z: Array) -> float:
    """Bound on max over k < l of |w_l - w_k| - (z_l - z_k), rounding included; 0 or more."""
    largest, excess = 0.0, 0.0
    run, side = np.empty_like(w), np.empty_like(w)
    for sign in (1.0, -1.0):  # sign * w - z has to fall, for both signs
        np.multiply(w, sign, out=side)
        side -= z
        largest = max(largest, abs(float(side.max())), abs(float(side.min())))
        np.minimum.accumulate(side, out=run)
        excess = max(excess, float(np.subtract(side, run, out=run).max()))
    return excess * (1 + 4 * UNIT) + 4 * UNIT * largest


def monotone_transform(rows: Array, columns: Array, f: Array, power: float | None) -> tuple[Array, float]:
    """min_i |rows_i - columns_j|**power - f_i for sorted rows and columns, and a bound on its error.

    Returns
    -------
    minima : ndarray [m]
    error : float
        The true minimum lies within ``error`` below the one returned: each level of the recursion may
        mistake a minimiser for one that is worse by a rounding error, and passes it on.
    """
    assert power is not None
    n, m = len(rows), len(columns)
    best = np.empty(m)
    where = np.empty(m, dtype=np.intp)
    stride = 1 << max(m - 1, 1).bit_length()
    levels = 1
    while stride >= 1:
        levels += 1
        j = np.arange(stride - 1, m, 2 * stride)
        if len(j):
            left, right = j - stride, j + stride
            low = np.where(left >= 0, where[left], 0)
            high = np.where(right < m, where[np.minimum(right, m - 1)], n - 1)
            best[j], where[j] = _column_minima(rows, columns, f, power, j, low, high)
        stride //= 2
    size = float(max(np.abs(rows[[0, -1]][:, None] - columns[[0, -1]]).max() ** power, np.abs(f).max()))
    return best, 16 * levels * UNIT * size


def _column_minima(
    rows: Array, columns: Array, f: Array, power: float, j: Array, low: Array, high: Array
) -> tuple[Array, Array]:
    """The least |rows_i - columns_j|**power - f_i over low_j <= i <= high_j, and its row."""
    lengths = high - low + 1
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    i = np.arange(lengths.sum()) + np.repeat(low - starts, lengths)
    values = np.abs(rows[i] - np.repeat(columns[j], lengths)) ** power - f[i]
    minima = np.minimum.reduceat(values, starts)
    hits = np.flatnonzero(values == np.repeat(minima, lengths))
    return minima, i[hits[np.searchsorted(hits, starts)]]


def _unsorted(values: Array, order: Array) -> Array:
    result = np.empty_like(values)
    result[order] = values
    return result
