"""Costs given entry by entry: a matrix, a sparse matrix, or a function of all points."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from otdiv.core.rounding import UNIT
from otdiv.core.validation import Array, as_float_array, invalid, readonly
from otdiv.costs.base import Cost
from otdiv.costs.sparse import SparseCost


class MatrixCost(Cost):
    """A cost given entry by entry; the points are only labels.

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
    by_entries = True
    shape: tuple[int, int]

    def __init__(self, entries: Any) -> None:
        if sparse.issparse(entries):
            listed = SparseCost(entries)
            n, m = listed.shape
            self.entries = readonly(listed.matrix(np.empty((n, 1)), np.empty((m, 1))))
        else:
            self.entries = readonly(_checked(as_float_array("cost", entries)))
        self.shape = (self.entries.shape[0], self.entries.shape[1])

    def matrix(self, x: Array, y: Array) -> Array:
        if self.entries.shape != (len(x), len(y)):
            raise invalid(
                "cost",
                f"have shape [{len(x)}, {len(y)}], sources by targets",
                f"shape {self.entries.shape}",
                "Give one row for each x and one column for each y.",
            )
        return self.entries

    def elementwise(self, x: Array, y: Array) -> Array:
        raise NotImplementedError("a cost matrix is read by index, through TransportProblem.arc_costs")

    def relative_error(self, d: int) -> float:
        return 0.0

    @cached_property
    def is_metric(self) -> bool | None:  # type: ignore[override]
        """Whether a square matrix is a metric on its labels; None if it is not square."""
        return metric_defect(self.entries) == 0 if self.entries.shape[0] == self.entries.shape[1] else None


def _checked(table: Array, first: int = 0) -> Array:
    """The entries of a matrix, or of its rows from ``first`` on, if they are costs."""
    if table.ndim != 2 or 0 in table.shape:
        raise invalid(
            "cost",
            "be a matrix [n, m]",
            f"shape {table.shape}",
            "Give one row for each x and one column for each y.",
        )
    lowest = table.min()
    if not lowest > -np.inf:  # true for NaN and for -inf
        i, j = (int(k) for k in np.argwhere(np.isnan(table) | (table == -np.inf))[0])
        raise invalid(
            "cost",
            "hold numbers, or +inf to forbid an arc",
            f"{table[i, j]} at index {(first + i, j)}",
            "Repair that entry.",
        )
    return table


def metric_defect(table: Array) -> float:
    """How far a square matrix is from a metric; 0 exactly when it is one.

    The largest of: a negative entry, a non-zero diagonal, a zero off the
    diagonal (counted as 1), an asymmetry, a violated triangle
    d(i, k) > d(i, j) + d(j, k).
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
