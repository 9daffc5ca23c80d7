"""A transport plan: how much mass goes from which source to which target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from otdiv.core.validation import Array, ReadOnlyCopies, invalid, is_sparse

if TYPE_CHECKING:
    from scipy import sparse


@dataclass(frozen=True, eq=False)
class Plan(ReadOnlyCopies):
    """Sparse plan: ``mass[k]`` goes from source ``rows[k]`` to target ``columns[k]``.

    Attributes
    ----------
    rows, columns : ndarray of int [k]
    mass : ndarray [k]
    shape : (n, m)
    """

    rows: Array
    columns: Array
    mass: Array
    shape: tuple[int, int]

    def __post_init__(self) -> None:
        for array in (self.rows, self.columns, self.mass):
            array.flags.writeable = False

    @classmethod
    def from_dense(cls, matrix: Array) -> Plan:
        """The non-zero entries of a plan matrix [n, m]."""
        rows, columns = matrix.nonzero()
        return cls(rows, columns, matrix[rows, columns], (matrix.shape[0], matrix.shape[1]))

    @classmethod
    def from_any(cls, value: Any) -> Plan:
        """From a Plan, a dense matrix [n, m], or a scipy sparse matrix."""
        if isinstance(value, Plan):
            return value
        if is_sparse(value):
            from scipy import sparse

            coo = sparse.coo_array(value)
            return cls(
                coo.coords[0].astype(np.intp), coo.coords[1].astype(np.intp), coo.data.astype(np.float64), coo.shape
            )
        matrix = np.asarray(value, dtype=np.float64)
        if matrix.ndim != 2:
            raise invalid(
                "plan",
                "be a matrix [n, m]",
                f"shape {matrix.shape}",
                "Give one row for each x and one column for each y.",
            )
        return cls.from_dense(matrix)

    @classmethod
    def northwest(cls, a: Array, b: Array) -> Plan:
        """The plan that fills in order: first source to first target until one is used up, and so on.

        On sorted points of the line this is the monotone rearrangement, optimal for every convex
        cost of x - y.  Cumulative sums are taken in extended precision where the machine has it.
        """
        shape = (len(a), len(b))
        if shape[0] == shape[1] and np.array_equal(a, b):
            every = np.flatnonzero(a) if a.min() == 0 else np.arange(shape[0])
            return cls(every, every.copy(), a[every], shape)
        rows, columns, mass = northwest_corner(a, b)
        keep = mass > 0
        return cls(rows[keep], columns[keep], mass[keep], shape)

    @property
    def row_sums(self) -> Array:
        """First marginal [n]."""
        return np.bincount(self.rows, weights=self.mass, minlength=self.shape[0])

    @property
    def column_sums(self) -> Array:
        """Second marginal [m]."""
        return np.bincount(self.columns, weights=self.mass, minlength=self.shape[1])

    def toarray(self) -> Array:
        """Dense plan [n, m]."""
        dense = np.zeros(self.shape)
        np.add.at(dense, (self.rows, self.columns), self.mass)
        return dense

    def tocoo(self) -> sparse.coo_array:
        """As a scipy sparse array."""
        from scipy import sparse

        return sparse.coo_array((self.mass, (self.rows, self.columns)), shape=self.shape)

    def tocsr(self) -> sparse.csr_array:
        """As a scipy sparse array by rows; arcs that stand twice are added up."""
        return self.tocoo().tocsr()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return self.toarray() if dtype is None else self.toarray().astype(dtype)

    def __len__(self) -> int:
        return len(self.mass)

    def __repr__(self) -> str:
        return f"Plan({len(self)} arcs, shape={self.shape})"


def northwest_corner(a: Array, b: Array) -> tuple[Array, Array, Array]:
    """The n + m - 1 cells of the north-west path from (0, 0) to (n - 1, m - 1), with their masses.

    Cells of mass zero are included, so that each step moves one row down or one column right.
    """
    high_a, low_a = _cumulative(a)
    high_b, low_b = _cumulative(b)
    # a level is an unevaluated sum high + low; two sorted runs, so the stable sort is a merge
    high = np.concatenate([high_a[:-1], high_b[:-1]])
    order = np.argsort(high, kind="stable")
    low = np.concatenate([low_a[:-1], low_b[:-1]])[order]
    high = high[order]
    down = np.empty(len(order) + 1, dtype=bool)
    down[0] = False
    np.less(order, len(a) - 1, out=down[1:])
    rows = np.cumsum(down)
    columns = np.arange(len(rows)) - rows
    end = min((high_a[-1], low_a[-1]), (high_b[-1], low_b[-1]))
    mass = np.diff(high, prepend=0.0, append=end[0]) + np.diff(low, prepend=0.0, append=end[1])
    # levels equal up to rounding may stand in the wrong order, past the end, or inside an empty atom
    mass[mass < 0] = 0.0
    if a.min() == 0 or b.min() == 0:
        mass[(a[rows] == 0) | (b[columns] == 0)] = 0.0
    return rows, columns, mass


def _cumulative(weights: Array) -> tuple[Array, Array]:
    """Cumulative sums as high + low, in extended precision where the machine has it."""
    sums = np.cumsum(weights, dtype=np.longdouble)
    high = sums.astype(np.float64)
    return high, (sums - high).astype(np.float64)
