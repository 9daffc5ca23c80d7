"""Ground costs d(x, y): what it costs to move one unit of mass from x to y.

Point costs are evaluated by differences, never by |x|^2 + |y|^2 - 2 x.y, so
that a far offset of the coordinates costs no digits; each states a bound on
its relative rounding error.  Imports errors and rounding only.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse
from scipy.spatial.distance import cdist

from otdiv.errors import Array, as_float_array, frozen, invalid
from otdiv.rounding import UNIT

POINT_COSTS = ("euclidean", "sqeuclidean", "cityblock", "chebyshev", "discrete")


class Cost(ABC):
    """A ground cost; entries are float64, and +inf forbids an arc."""

    name: str
    is_metric: bool | None
    """True or False where known; None where only the user can know."""

    @abstractmethod
    def matrix(self, x: Array, y: Array) -> Array:
        """All costs [n, m] between the points x [n, d] and y [m, d]."""

    @abstractmethod
    def paired(self, x: Array, y: Array) -> Array:
        """The costs [k] of the pairs (x[k], y[k]), both [k, d]."""

    def relative_error(self, d: int) -> float:
        """Bound on |computed - true| / true for each entry, in dimension d."""
        return (d + 4) * UNIT

    def absolute_error(self, d: int) -> float:
        """What underflow may add to that."""
        return 0.0

    line_power: float | None = None
    """On the line the cost is |x - y| ** line_power; None where it is no such power."""


class Euclidean(Cost):
    """d(x, y) = |x - y|_2, in the unit of the coordinates."""

    name, is_metric, line_power = "euclidean", True, 1

    def matrix(self, x: Array, y: Array) -> Array:
        return _guarded(lambda s, t: cdist(s, t, "euclidean"), x, y, power=1)

    def paired(self, x: Array, y: Array) -> Array:
        if x.shape[1] == 1:
            return np.abs(x[:, 0] - y[:, 0])
        return _guarded(lambda s, t: np.sqrt(np.sum((s - t) ** 2, axis=1)), x, y, power=1)

    def absolute_error(self, d: int) -> float:
        return d * 1e-160


class SquaredEuclidean(Cost):
    """d(x, y) = |x - y|_2^2, in the squared unit of the coordinates; not a metric."""

    name, is_metric, line_power = "sqeuclidean", False, 2

    def matrix(self, x: Array, y: Array) -> Array:
        return _guarded(lambda s, t: cdist(s, t, "sqeuclidean"), x, y, power=2)

    def paired(self, x: Array, y: Array) -> Array:
        return _guarded(lambda s, t: np.sum((s - t) ** 2, axis=1), x, y, power=2)

    def absolute_error(self, d: int) -> float:
        return d * 1e-300


class Cityblock(Cost):
    """d(x, y) = sum_k |x_k - y_k|, the 1-norm."""

    name, is_metric, line_power = "cityblock", True, 1

    def matrix(self, x: Array, y: Array) -> Array:
        return _guarded(lambda s, t: cdist(s, t, "cityblock"), x, y, power=1)

    def paired(self, x: Array, y: Array) -> Array:
        return np.sum(np.abs(x - y), axis=1)


class Chebyshev(Cost):
    """d(x, y) = max_k |x_k - y_k|, the maximum norm."""

    name, is_metric, line_power = "chebyshev", True, 1

    def matrix(self, x: Array, y: Array) -> Array:
        return _guarded(lambda s, t: cdist(s, t, "chebyshev"), x, y, power=1)

    def paired(self, x: Array, y: Array) -> Array:
        return np.max(np.abs(x - y), axis=1)

    def relative_error(self, d: int) -> float:
        return 2 * UNIT


@dataclass(frozen=True)
class Minkowski(Cost):
    """d(x, y) = (sum_k |x_k - y_k|^p)^(1/p), the p-norm, p >= 1.

    Evaluated as M (sum (|x_k - y_k| / M)^p)^(1/p) with M the largest
    difference, so that no power overflows or underflows.
    """

    p: float

    def __post_init__(self) -> None:
        if not 1 <= self.p < np.inf:
            raise invalid("p", "be at least 1 and finite", repr(self.p), "Use cost='chebyshev' for p = inf.")

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"minkowski:{self.p:g}"

    is_metric, line_power = True, 1

    def matrix(self, x: Array, y: Array) -> Array:
        top = Chebyshev().matrix(x, y)
        safe = np.where(top > 0, top, 1.0)
        powers = np.zeros_like(top)
        for k in range(x.shape[1]):
            powers += (np.abs(x[:, k, None] - y[None, :, k]) / safe) ** self.p
        return top * powers ** (1 / self.p)

    def paired(self, x: Array, y: Array) -> Array:
        gaps = np.abs(x - y)
        top = gaps.max(axis=1)
        safe = np.where(top > 0, top, 1.0)
        return top * np.sum((gaps / safe[:, None]) ** self.p, axis=1) ** (1 / self.p)

    def relative_error(self, d: int) -> float:
        return (d + 20) * UNIT


@dataclass(frozen=True)
class Power(Cost):
    """d(x, y) ** p of another point cost, p > 1: what W_p transports with; not a metric."""

    base: Cost
    p: float

    def __post_init__(self) -> None:
        if not 1 < self.p < np.inf:
            raise invalid("p", "be a finite number above 1", repr(self.p), "For p = 1 use the cost itself.")
        if isinstance(self.base, MatrixCost | CallableCost):
            raise invalid("base", "be a cost of points", self.base.name, "Raise the entries to the power p yourself.")

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"{self.base.name}**{self.p:g}"

    is_metric = False

    @property
    def line_power(self) -> float | None:  # type: ignore[override]
        return None if self.base.line_power is None else self.p * self.base.line_power

    def matrix(self, x: Array, y: Array) -> Array:
        return self.base.matrix(x, y) ** self.p

    def paired(self, x: Array, y: Array) -> Array:
        return self.base.paired(x, y) ** self.p

    def relative_error(self, d: int) -> float:
        return 1.01 * self.p * self.base.relative_error(d) + 8 * UNIT

    def absolute_error(self, d: int) -> float:
        return 1e-160


class Discrete(Cost):
    """d(x, y) = 0 if x = y, else 1: optimal transport is then the total variation."""

    name, is_metric = "discrete", True

    def matrix(self, x: Array, y: Array) -> Array:
        return (cdist(x, y, "hamming") > 0).astype(np.float64)

    def paired(self, x: Array, y: Array) -> Array:
        return np.any(x != y, axis=1).astype(np.float64)

    def relative_error(self, d: int) -> float:
        return 0.0


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

    def __init__(self, entries: Any) -> None:
        if sparse.issparse(entries):
            listed = sparse.coo_array(entries)
            listed.sum_duplicates()
            table = np.full(listed.shape, np.inf)
            table[listed.coords] = as_float_array("cost", listed.data)
        else:
            table = as_float_array("cost", entries)
        if table.ndim != 2 or 0 in table.shape:
            raise invalid("cost", "be a matrix [n, m]", f"shape {table.shape}", "Give one row for each x and one column for each y.")
        lowest = table.min()
        if not lowest > -np.inf:  # true for NaN and for -inf
            bad = np.isnan(table) | (table == -np.inf)
            where = tuple(int(k) for k in np.argwhere(bad)[0])
            raise invalid("cost", "hold numbers, or +inf to forbid an arc", f"{table[where]} at index {where}", "Repair that entry.")
        self.entries = frozen(table)

    def matrix(self, x: Array, y: Array) -> Array:
        if self.entries.shape != (len(x), len(y)):
            raise invalid("cost", f"have shape [{len(x)}, {len(y)}], sources by targets", f"shape {self.entries.shape}", "Give one row for each x and one column for each y.")
        return self.entries

    def paired(self, x: Array, y: Array) -> Array:
        raise NotImplementedError("a cost matrix is read by index, through TransportProblem.arc_costs")

    def relative_error(self, d: int) -> float:
        return 0.0

    @cached_property
    def is_metric(self) -> bool | None:  # type: ignore[override]
        """Whether a square matrix is a metric on its labels; None if it is not square."""
        return metric_defect(self.entries) == 0 if self.entries.shape[0] == self.entries.shape[1] else None


class CallableCost(Cost):
    """A cost computed by a function of all points at once.

    Parameters
    ----------
    function : callable
        ``function(x, y)`` takes [n, d] and [m, d] and returns all costs [n, m].
    metric : bool, optional
        Whether it is a metric; None (the default) where you do not know.

    Notes
    -----
    For a function of two single points use :meth:`from_pairs`.
    """

    def __init__(self, function: Callable[[Array, Array], Any], *, metric: bool | None = None, name: str = "callable") -> None:
        self.function, self.is_metric, self.name = function, metric, name

    @classmethod
    def from_pairs(cls, function: Callable[[Array, Array], float], *, metric: bool | None = None) -> CallableCost:
        """A cost from ``function(u, v) -> float`` of two single points [d]; n m slow calls."""
        return cls(lambda x, y: cdist(x, y, function), metric=metric)

    def matrix(self, x: Array, y: Array) -> Array:
        table = MatrixCost(self.function(x, y)).entries
        if table.shape != (len(x), len(y)):
            raise invalid("cost", f"return shape [{len(x)}, {len(y)}] for x [n, d] and y [m, d]", f"shape {table.shape}", "Wrap a function of two single points in CallableCost.from_pairs.")
        return table

    def paired(self, x: Array, y: Array) -> Array:
        raise NotImplementedError("a callable cost is read by index, through TransportProblem.arc_costs")

    def relative_error(self, d: int) -> float:
        return 0.0


_NAMED: dict[str, Cost] = {c.name: c for c in (Euclidean(), SquaredEuclidean(), Cityblock(), Chebyshev(), Discrete())}


def minkowski(p: float) -> Cost:
    """The cost of the p-norm: cityblock for 1, euclidean for 2, chebyshev for inf."""
    special = {1.0: "cityblock", 2.0: "euclidean", np.inf: "chebyshev"}
    return _NAMED[special[p]] if p in special else Minkowski(p)


def as_cost(cost: Any) -> Cost:
    """A Cost from its name, a matrix (dense or sparse), a callable, or a Cost.

    Names are euclidean, sqeuclidean, cityblock, chebyshev, discrete, and
    ``"minkowski:p"`` with a number p >= 1.

    Raises
    ------
    InvalidInput
        For an unknown name or an unusable matrix.
    """
    if isinstance(cost, Cost):
        return cost
    if isinstance(cost, str):
        if cost in _NAMED:
            return _NAMED[cost]
        head, _, tail = cost.partition(":")
        if head == "minkowski":
            try:
                return minkowski(float(tail))
            except ValueError as problem:
                raise invalid("cost", "give p as a number >= 1 in 'minkowski:p'", repr(cost), "For example 'minkowski:3'.") from problem
        raise invalid("cost", f"be one of {', '.join(_NAMED)}, 'minkowski:p', a matrix or a callable", repr(cost), "Check the spelling.")
    if callable(cost):
        return CallableCost(cost)
    return MatrixCost(cost)


def metric_defect(table: Array) -> float:
    """How far a square matrix is from a metric; 0 exactly when it is one.

    The largest of: a negative entry, a non-zero diagonal, a zero off the
    diagonal (counted as 1), an asymmetry, a violated triangle
    d(i, k) > d(i, j) + d(j, k).
    """
    off = ~np.eye(len(table), dtype=bool)
    if not np.all(np.isfinite(table)):
        return np.inf
    defects = [float(np.abs(np.diag(table)).max()), float(np.abs(table - table.T).max()), float(-min(table.min(), 0.0))]
    defects.append(1.0 if np.any(table[off] == 0) else 0.0)
    excess = max(float((table - (table[:, j, None] + table[None, j, :])).max()) for j in range(len(table)))
    # three computed distances carry three rounding errors, so a triangle may fail by that much
    return max(*defects, excess if excess > 8 * UNIT * float(table.max()) else 0.0)


def _guarded(distance: Callable[[Array, Array], Array], x: Array, y: Array, power: int) -> Array:
    """Apply ``distance``; where its squares leave the range of float64, rescale by a power of two first."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        result = distance(x, y)
        largest = float(result.max())
        if 1e-140 < largest < 1e290 or largest == 0.0 and not np.any(x[:1] != y):
            return result
        spread = float(max(np.abs(x).max(), np.abs(y).max()))
        if spread == 0.0:
            return result
        exponent = int(np.frexp(spread)[1])
        if abs(exponent) < 400 and np.isfinite(largest):
            return result
        result = np.ldexp(distance(np.ldexp(x, -exponent), np.ldexp(y, -exponent)), power * exponent)
    if not np.all(np.isfinite(result)):
        raise invalid("points", "lie close enough for float64 to hold their distances", f"coordinates up to {spread:.3g}", "Rescale the points.")
    return result
