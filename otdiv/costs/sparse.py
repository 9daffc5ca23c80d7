"""A cost of some arcs only: a sparse matrix whose missing entries forbid.

Only :meth:`SparseCost.matrix` writes out the full matrix.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from otdiv.core.memory import require_memory
from otdiv.core.validation import Array, as_float_array, invalid, readonly
from otdiv.costs.base import TableCost, refused_entry, require_matrix, require_shape


class SparseCost(TableCost):
    """A cost given on some arcs; all others are forbidden, and the points are only labels.

    Parameters
    ----------
    entries : scipy.sparse array or matrix [n, m]
        A stored zero is a cost of zero, a missing entry forbids the arc, and so does a stored +inf.
        Entries stored twice add up, as everywhere in scipy.

    Attributes
    ----------
    rows, columns : ndarray of int32 [k]
        The arcs, by rows, then by columns.
    values : ndarray [k]
        Their costs, finite.

    Raises
    ------
    InvalidInput
        NaN or -inf; no rows or no columns; a DIA or BSR array that holds zeros, since those formats do
        not distinguish a stored zero from a missing entry.

    Examples
    --------
    >>> from scipy import sparse
    >>> cost = SparseCost(sparse.coo_array(([2.0, 0.0], ([0, 1], [1, 1])), shape=(2, 2)))
    >>> cost.rows.tolist(), cost.columns.tolist(), cost.values.tolist()
    ([0, 1], [1, 1], [2.0, 0.0])
    """

    name = "sparse matrix"
    shape: tuple[int, int]

    def __init__(self, entries: Any) -> None:
        from scipy import sparse

        require_matrix(entries.shape)
        if entries.format in ("dia", "bsr") and not np.all(entries.data):
            raise invalid(
                "cost",
                "distinguish a stored zero from a missing entry",
                f"format {entries.format!r} with zeros inside",
                "Build it as a COO or CSR array: stored zeros cost nothing, missing entries are forbidden.",
            )
        if hasattr(entries, "check_format"):
            try:
                entries.check_format(full_check=True)  # a file may hold indices that lead anywhere
            except ValueError as problem:
                raise invalid("cost", "be a sound sparse matrix", f"one where {problem}", "Build it anew.") from None
        stored = sparse.coo_array(entries, copy=True)
        as_float_array("cost", stored.data)
        stored = stored.tocsr()  # adds up what is stored twice
        stored.sort_indices()
        values = as_float_array("cost", stored.data)
        rows = np.repeat(np.arange(stored.shape[0], dtype=np.int32), np.diff(stored.indptr))
        bad = np.isnan(values) | (values == -np.inf)
        if bad.any():
            k = int(np.argmax(bad))
            raise refused_entry(values[k], rows[k], stored.indices[k])
        allowed = values < np.inf
        self.shape = (int(stored.shape[0]), int(stored.shape[1]))
        self.rows, self.columns = rows[allowed], stored.indices[allowed].astype(np.int32)
        self._forbidden = rows[~allowed].astype(np.int64) * stored.shape[1] + stored.indices[~allowed]
        self.values = readonly(values[allowed])
        self.rows.flags.writeable = self.columns.flags.writeable = False

    def require_shape(self, n: int, m: int) -> None:
        """Refuse points of other numbers than the matrix has rows and columns."""
        require_shape(self.shape, n, m)

    def require_arcs_of_equal_points(self, x: Array, y: Array) -> None:
        """Refuse points [n, d], [m, d] of which two coincide though nothing is stored for their pair.

        Zeros vanish from sparse matrices easily, and a missing entry forbids; mass would have to leave where it may
        stay at no cost.

        Raises
        ------
        InvalidInput
        """
        from scipy import sparse

        _, of = np.unique(np.concatenate([x, y]), axis=0, return_inverse=True)
        of = of.ravel()
        n, m = self.shape
        there = sparse.csr_array((np.ones(m), (of[n:], np.arange(m))), shape=(int(of.max()) + 1, m))
        pairs = sparse.coo_array(there[of[:n]])
        keys = pairs.row.astype(np.int64) * m + pairs.col
        lost = keys[~np.isin(keys, np.concatenate([self._keys, self._forbidden]))]
        if lost.size:
            i, j = divmod(int(lost[0]), m)
            many = f"{lost.size} such pairs, first" if lost.size > 1 else "the pair"
            raise invalid(
                "cost",
                "store an entry for each pair of points that coincide, since a missing one forbids",
                f"nothing for {many} x[{i}] = y[{j}]",
                "Store 0 there (scipy.sparse keeps stored zeros until eliminate_zeros), or inf to forbid it; "
                "points that are mere labels: number x and y apart.",
            )

    def matrix(self, x: Array, y: Array) -> Array:
        """The full matrix [n, m], +inf where there is no arc; refused where memory does not hold it."""
        self.require_shape(len(x), len(y))
        n, m = self.shape
        require_memory(24.0 * n * m, None, f"a sparse cost of shape {self.shape}, written out in full,")
        table = np.full(self.shape, np.inf)
        table[self.rows, self.columns] = self.values
        return table

    @cached_property
    def is_metric(self) -> bool | None:  # type: ignore[override]
        """False where arcs are missing or the matrix is not square; else unknown."""
        return None if self.complete and self.shape[0] == self.shape[1] else False

    @property
    def complete(self) -> bool:
        """Whether no arc is missing."""
        return len(self.values) == self.shape[0] * self.shape[1]

    def block(self, rows: slice) -> Array:
        """Some rows of the full matrix."""
        first, end = np.searchsorted(self.rows, [rows.start, rows.stop])
        table = np.full((rows.stop - rows.start, self.shape[1]), np.inf)
        table[self.rows[first:end] - rows.start, self.columns[first:end]] = self.values[first:end]
        return table

    def at(self, rows: Array, columns: Array) -> Array:
        """The costs [k] at (rows[k], columns[k]); +inf where there is no arc."""
        wanted = rows.astype(np.int64) * self.shape[1] + columns
        place = np.minimum(np.searchsorted(self._keys, wanted), max(len(self._keys) - 1, 0))
        found = np.full(len(wanted), np.inf)
        if len(self._keys):
            hit = self._keys[place] == wanted
            found[hit] = self.values[place[hit]]
        return found

    @cached_property
    def _keys(self) -> Array:
        return self.rows.astype(np.int64) * self.shape[1] + self.columns

    @cached_property
    def _by_columns(self) -> tuple[Array, Array]:
        """The arcs sorted by column, and where each column begins."""
        order = np.argsort(self.columns, kind="stable")
        return order, np.searchsorted(self.columns[order], np.arange(self.shape[1] + 1))

    @cached_property
    def _row_starts(self) -> Array:
        return np.searchsorted(self.rows, np.arange(self.shape[0] + 1))

    def minima_of_rows(self, values: Array) -> Array:
        """The least of ``values`` [k] among the arcs of each row; +inf where a row has none."""
        return _minima(values, self._row_starts)

    def minima_of_columns(self, values: Array) -> Array:
        """The least of ``values`` [k] among the arcs of each column; +inf where a column has none."""
        order, starts = self._by_columns
        return _minima(values[order], starts)


def _minima(values: Array, starts: Array) -> Array:
    result = np.full(len(starts) - 1, np.inf)
    there = starts[1:] > starts[:-1]
    if there.any():
        result[there] = np.minimum.reduceat(values, starts[:-1][there])
    return result
