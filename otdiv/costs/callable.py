"""A cost computed by a function of all points."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse
from scipy.spatial.distance import cdist

from otdiv.core.validation import Array, as_float_array, invalid, readonly
from otdiv.costs.base import Cost
from otdiv.costs.matrix import MatrixCost, _checked

_BLOCK_ENTRIES = 2**21
"""A function of points is asked for so many entries at a time."""


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
            return readonly(self._rows(x, y, 0))
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

    def elementwise(self, x: Array, y: Array) -> Array:
        raise NotImplementedError("a callable cost is read by index, through TransportProblem.arc_costs")

    def relative_error(self, d: int) -> float:
        return 0.0
