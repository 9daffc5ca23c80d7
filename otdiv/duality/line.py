"""Potentials on the line, audited in sorted order instead of over all pairs.

For the cost |x - y| a single function w with f = w on the sources and g = -w on
the targets is feasible when it is 1-Lipschitz along the pooled points, which
two running extrema decide.  For a convex cost of x - y the matrix c_ij - f_i is
Monge, so the minimising row of each column moves one way only
(divide and conquer over columns).  Imports problem and below.
"""

from __future__ import annotations

import numpy as np

from otdiv.errors import Array
from otdiv.problem import TransportProblem
from otdiv.rounding import UNIT, below


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
    line = problem.line
    pooled = np.concatenate([line.xs, line.ys])
    order = np.argsort(pooled, kind="stable")
    z = pooled[order]
    source = order < problem.n
    if f is not None and g is not None:
        w = np.concatenate([f[line.ix], -g[line.iy]])[order]
        violation = _lipschitz_violation(w, z)
        if violation <= 64 * UNIT * max(z[-1] - z[0], np.abs(w).max(), np.abs(z).max()):
            return below(f - violation), g
    if g is None:
        known = np.zeros(problem.n) if f is None else f[line.ix]
        values = np.full(len(z), -np.inf)
        values[source] = known
        w = -_distance_transform(z, values)  # -g of the sources' f
    else:
        values = np.full(len(z), -np.inf)
        values[~source] = g[line.iy]
        w = _distance_transform(z, values)  # f of the targets' g
    w -= 0.5 * (w.max() + w.min())
    violation = _lipschitz_violation(w, z)
    spread = np.empty(len(z))
    spread[order] = w
    return _unsorted(below(spread[: problem.n] - violation), line.ix), _unsorted(-spread[problem.n :], line.iy)


def _distance_transform(z: Array, values: Array) -> Array:
    """min_k |z - z_k| - values_k at every sorted z, by one sweep each way."""
    from_left = z + np.minimum.accumulate(-z - values)
    from_right = np.minimum.accumulate((z - values)[::-1])[::-1] - z
    return np.minimum(from_left, from_right)


def _lipschitz_violation(w: Array, z: Array) -> float:
    """Bound on max over k < l of |w_l - w_k| - (z_l - z_k), rounding included; 0 or more."""
    falling, rising = w - z, w + z
    excess = max(
        float((falling - np.minimum.accumulate(falling)).max()),
        float((np.maximum.accumulate(rising) - rising).max()),
    )
    size = max(abs(float(falling.max())), abs(float(falling.min())), abs(float(rising.max())), abs(float(rising.min())))
    return max(excess, 0.0) * (1 + 4 * UNIT) + 4 * UNIT * size


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
