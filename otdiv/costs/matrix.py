"""A cost given by a matrix, and how far a matrix is from a metric."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from otdiv.core.rounding import UNIT
from otdiv.core.validation import Array, as_float_array, invalid, is_sparse, readonly
from otdiv.costs.base import TableCost, as_entries, require_shape
from otdiv.costs.sparse import SparseCost

_ALL_DETOURS = 2 * 10**8
"""Detours n m n up to which all are checked; about a second."""
_DRAWN_DETOURS = 2 * 10**6
"""Detours that are drawn from more than that."""


class MatrixCost(TableCost):
    """A cost given by a matrix; the points are only labels.

    Parameters
    ----------
    entries : array_like or scipy.sparse [n, m]
        +inf forbids an arc.  In a sparse matrix a missing entry forbids the arc and a stored
        zero is a cost of zero.

    Raises
    ------
    InvalidInput
        NaN, -inf, or not two-dimensional.
    """

    name = "matrix"
    shape: tuple[int, int]

    def __init__(self, entries: Any) -> None:
        if is_sparse(entries):
            stored = SparseCost(entries)
            n, m = stored.shape
            self.entries = readonly(stored.matrix(np.empty((n, 1)), np.empty((m, 1))))
        else:
            self.entries = readonly(as_entries(entries))
        self.shape = (self.entries.shape[0], self.entries.shape[1])

    def matrix(self, x: Array, y: Array) -> Array:
        require_shape(self.shape, len(x), len(y))
        return self.entries

    @cached_property
    def is_metric(self) -> bool | None:  # type: ignore[override]
        """Whether a square matrix is a metric on its labels; None if it is not square."""
        return metric_defect(self.entries) == 0 if self.entries.shape[0] == self.entries.shape[1] else None


def metric_defect(table: Array) -> float:
    """How far a square matrix is from a metric; 0 exactly when it is one.

    The largest of: a negative entry, a non-zero diagonal, a zero off the
    diagonal (counted as 1), an asymmetry, a violated triangle
    d(i, k) > d(i, j) + d(j, k).

    Parameters
    ----------
    table : array_like [k, k]
        The costs of all pairs of one set.

    Returns
    -------
    float
        In units of the costs; inf where an entry is not finite.
    """
    table = as_float_array("table", table)
    if table.ndim != 2 or table.shape[0] != table.shape[1] or table.size == 0:
        raise invalid("table", "be a square matrix", f"shape {table.shape}", "Give the costs of all pairs of one set.")
    off = ~np.eye(len(table), dtype=bool)
    if not np.all(np.isfinite(table)):
        return np.inf
    defects = [float(np.abs(np.diag(table)).max()), float(np.abs(table - table.T).max()), float(-min(table.min(), 0.0))]
    defects.append(1.0 if np.any(table[off] == 0) else 0.0)
    with np.errstate(over="ignore"):  # a sum beyond the range is no violation
        excess = max(float((table - (table[:, j, None] + table[None, j, :])).max()) for j in range(len(table)))
    # three computed distances carry three rounding errors, so a triangle may fail by that much
    return max(*defects, excess if excess > 8 * UNIT * float(table.max()) else 0.0)


def quadrangle_defect(table: Array, rng: np.random.Generator | None = None) -> float:
    """How far a matrix [n, m] is from the distances of n points to m others in some metric space.

    It is one exactly where its entries are non-negative and no detour is shorter,

        d(x_i, y_j) <= d(x_i, y_l) + d(x_k, y_l) + d(x_k, y_j)   for all i, j, k, l.

    Parameters
    ----------
    table : array_like [n, m]
    rng : numpy Generator, optional
        For matrices of more than ``_ALL_DETOURS`` detours, of which as many are drawn; seeded by default.

    Returns
    -------
    float
        In units of the costs: the largest of a negative entry and an excess; inf where an entry is not finite, 0 for
        a metric, and for another whose drawn detours show nothing.
    """
    table = as_float_array("table", table)
    if not np.all(np.isfinite(table)):
        return np.inf
    n, m = table.shape
    negative, rounding = float(-min(table.min(), 0.0)), 8 * UNIT * float(np.abs(table).max())
    if n * m * n <= _ALL_DETOURS:
        between = np.full((n, n), np.inf)  # the least d(x_i, y_l) + d(x_k, y_l) over l
        for column in table.T:
            np.minimum(between, column[:, None] + column[None, :], out=between)
        excess = max(
            float((row - (reach[:, None] + table).min(axis=0)).max()) for row, reach in zip(table, between, strict=True)
        )
    else:
        rng = np.random.default_rng(0) if rng is None else rng
        i, k = rng.integers(0, n, (2, _DRAWN_DETOURS))
        j, other = rng.integers(0, m, (2, _DRAWN_DETOURS))
        excess = float((table[i, j] - (table[i, other] + table[k, other] + table[k, j])).max())
    return max(negative, excess if excess > rounding else 0.0)
