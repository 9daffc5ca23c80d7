"""Costs given entry by entry: a matrix, a sparse matrix, or a function of all points.

Imports base, listed and below.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse
from scipy.spatial.distance import cdist

from otdiv.costs.base import Cost
from otdiv.costs.listed import SparseCost
from otdiv.errors import Array, as_float_array, frozen, invalid
from otdiv.rounding import UNIT

_BLOCK_ENTRIES = 2**21
"""A function of points is asked for so many entries at a time."""


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
            self.entries = frozen(listed.matrix(np.empty((n, 1)), np.empty((m, 1))))
        else:
            self.entries = frozen(_checked(as_float_array("cost", entries)))
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

    def paired(self, x: Array, y: Array) -> Array:
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


class CallableCost(Cost):
    """A cost computed by a function of points: the slow way, since every pair is asked for and kept.

    Parameters
    ----------
    function : callable
        ``function(x, y)`` takes [k, d] and [m, d] and returns their costs [k, m].
    metric : bool, optional
        Whether it is a metric; None (the default) where you do not know.

    Notes
    -----
    Time and memory grow as n m, where a named cost needs no matrix.  Beyond 2**21 pairs the function is
    called with some rows of x at a time, so that its own scratch memory stays small; the cost of a pair
    must therefore depend on its two points only, which is checked on one row of each block.

    For a function of two single points use :meth:`from_pairs`.

    Examples
    --------
    >>> cost = CallableCost(lambda x, y: abs(x[:, None, 0] - y[None, :, 0]) ** 0.5)
    >>> cost.matrix(np.array([[0.0], [1.0]]), np.array([[4.0]])).round(3).tolist()
    [[2.0], [1.732]]
    """

    by_entries = True

    def __init__(
        self, function: Callable[[Array, Array], Any], *, metric: bool | None = None, name: str = "callable"
    ) -> None:
        self.function, self.is_metric, self.name = function, metric, name

    @classmethod
    def from_pairs(cls, function: Callable[[Array, Array], float], *, metric: bool | None = None) -> CallableCost:
        """A cost from ``function(u, v) -> float`` of two single points [d]; n m slow calls."""
        return cls(lambda x, y: cdist(x, y, function), metric=metric)

    def matrix(self, x: Array, y: Array) -> Array:
        step = max(1, _BLOCK_ENTRIES // len(y))
        if len(x) <= step:
            return frozen(self._rows(x, y, 0))
        table = np.empty((len(x), len(y)))
        for first in range(0, len(x), step):
            block = table[first : first + step]
            block[:] = self._rows(x[first : first + step], y, first)
            self._require_pairwise(block[-1], x[first : first + step], y)
        return table

    def _rows(self, x: Array, y: Array, first: int) -> Array:
        """The costs of some rows of points, checked."""
        found = self.function(x, y)
        table = MatrixCost(found).entries if sparse.issparse(found) else _checked(as_float_array("cost", found), first)
        if table.shape != (len(x), len(y)):
            raise invalid(
                "cost",
                f"return shape [{len(x)}, {len(y)}] for x [n, d] and y [m, d]",
                f"shape {table.shape}",
                "Wrap a function of two single points in CallableCost.from_pairs.",
            )
        return table

    def _require_pairwise(self, row: Array, x: Array, y: Array) -> None:
        """Refuse a function whose costs change with the other points it is given, as a normalised one does."""
        alone = self._rows(x[-1:], y, 0)[0]
        finite = np.isfinite(row)
        largest = float(np.abs(row[finite]).max(initial=0.0))
        if np.array_equal(finite, np.isfinite(alone)) and np.all(np.abs(alone - row)[finite] <= 1e-9 * largest):
            return
        raise invalid(
            "cost",
            "give each pair of points the same cost whatever other points it is called with",
            "another row when called with one point of x than with many",
            "Compute the matrix yourself and pass it as cost, or leave out what looks at all points.",
        )

    def paired(self, x: Array, y: Array) -> Array:
        raise NotImplementedError("a callable cost is read by index, through TransportProblem.arc_costs")

    def relative_error(self, d: int) -> float:
        return 0.0


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
