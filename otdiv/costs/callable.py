"""A cost computed by a function of all points."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from otdiv.core.memory import BLOCK_ENTRIES, row_blocks
from otdiv.core.validation import Array, invalid, is_sparse, readonly
from otdiv.costs.base import TableCost, as_entries
from otdiv.costs.matrix import MatrixCost


class CallableCost(TableCost):
    """A cost computed by a function of points, for every pair; the slowest of the costs.

    Parameters
    ----------
    function : callable
        ``function(x, y)`` takes [k, d] and [m, d] and returns their costs [k, m].
    metric : bool, optional
        Whether it is a metric; None (the default) where you do not know.
    name : str
        For messages.
    block_entries : int
        Beyond this many pairs the function is called with some rows of x at a time.  A smaller number saves
        memory inside the function and costs more calls.

    Notes
    -----
    Time and memory grow as n m, where a named cost needs no matrix.  The cost of a pair must depend on its
    two points only, which is checked on one row of each block.

    For a function of two single points use :meth:`from_pairs`.

    Examples
    --------
    >>> cost = CallableCost(lambda x, y: abs(x[:, None, 0] - y[None, :, 0]) ** 0.5)
    >>> cost.matrix(np.array([[0.0], [1.0]]), np.array([[4.0]])).round(3).tolist()
    [[2.0], [1.732]]
    """

    def __init__(
        self,
        function: Callable[[Array, Array], Any],
        *,
        metric: bool | None = None,
        name: str = "callable",
        block_entries: int = BLOCK_ENTRIES,
    ) -> None:
        self.function, self.is_metric, self.name, self.block_entries = function, metric, name, block_entries

    @classmethod
    def from_pairs(cls, function: Callable[[Array, Array], float], *, metric: bool | None = None) -> CallableCost:
        """A cost from ``function(u, v) -> float`` of two single points [d]; n m slow calls."""
        from scipy.spatial.distance import cdist

        return cls(lambda x, y: cdist(x, y, function), metric=metric)

    def matrix(self, x: Array, y: Array) -> Array:
        blocks = list(row_blocks(len(x), len(y), self.block_entries))
        if len(blocks) == 1:
            return readonly(self._rows(x, y, 0))
        table = np.empty((len(x), len(y)))
        for rows in blocks:
            table[rows] = self._rows(x[rows], y, rows.start)
            self._require_pairwise(table[rows.stop - 1], x[rows], y)
        return table

    def _rows(self, x: Array, y: Array, first: int) -> Array:
        """The costs of some rows of points, checked."""
        found = self.function(x, y)
        shape = np.shape(found)
        if shape == (len(x), len(y)):
            return MatrixCost(found).entries if is_sparse(found) else as_entries(found, first)
        raise invalid(
            "cost",
            f"return shape [{len(x)}, {len(y)}] for blocks of points x [{len(x)}, {x.shape[1]}] and "
            f"y [{len(y)}, {y.shape[1]}]",
            f"shape {shape}" if shape else f"a {type(found).__name__}",
            "Wrap a function of two single points: otdiv.costs.CallableCost.from_pairs(function).",
        )

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
            "Compute the matrix yourself and pass it as cost, or leave out what depends on all points.",
        )
