"""Powers of other costs, which W_p transports with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from otdiv.core.rounding import UNIT
from otdiv.core.validation import Array, invalid
from otdiv.costs.base import Cost, PointCost, TableCost, as_point_cost
from otdiv.costs.norms import too_far_apart


@dataclass(frozen=True)
class Power(PointCost):
    """d(x, y) ** p of another point cost, p > 1: what W_p transports with; not a metric.

    For a table of entries see :class:`TablePower`; :func:`power_of` takes either.
    """

    base: PointCost
    p: float

    def __post_init__(self) -> None:
        as_point_cost(self.base)
        _require_power(self.p)

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"{self.base.name}**{self.p:g}"

    is_metric = False

    @property
    def line_power(self) -> float | None:  # type: ignore[override]
        return None if self.base.line_power is None else self.p * self.base.line_power

    def matrix(self, x: Array, y: Array) -> Array:
        return _power(self.base.matrix(x, y), self.p, x, y)

    def gradient(self, x: Array, y: Array) -> Array:
        return self.p * self.base.elementwise(x, y)[:, None] ** (self.p - 1) * self.base.gradient(x, y)

    def elementwise(self, x: Array, y: Array) -> Array:
        return _power(self.base.elementwise(x, y), self.p, x, y)

    def relative_error(self, d: int) -> float:
        return 1.01 * self.p * self.base.relative_error(d) + 8 * UNIT

    def absolute_error(self, d: int) -> float:
        return 1e-160


@dataclass(frozen=True)
class TablePower(TableCost):
    """Every entry of another table to the power p > 1; not a metric."""

    base: TableCost
    p: float

    def __post_init__(self) -> None:
        _require_power(self.p)

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"{self.base.name}**{self.p:g}"

    is_metric = False

    def matrix(self, x: Array, y: Array) -> Array:
        return _power(self.base.matrix(x, y), self.p, x, y)

    def relative_error(self, d: int) -> float:
        return 8 * UNIT

    def absolute_error(self, d: int) -> float:
        return 1e-160


def power_of(cost: Cost, p: float) -> Cost:
    """``cost`` ** p for a finite p > 1, a function of points or a table like ``cost`` itself.

    Parameters
    ----------
    cost : Cost
    p : float
        1 < p < inf.

    Returns
    -------
    Power or TablePower

    Raises
    ------
    InvalidInput
        Another p.

    Examples
    --------
    >>> from otdiv.costs import Euclidean
    >>> power_of(Euclidean(), 3).name
    'euclidean**3'
    """
    if isinstance(cost, TableCost):
        return TablePower(cost, p)
    return Power(as_point_cost(cost), p)


def _require_power(p: float) -> None:
    if not 1 < p < np.inf:
        raise invalid("p", "be a finite number above 1", repr(p), "For p = 1 use the cost itself.")


def _power(distances: Array, p: float, x: Array, y: Array) -> Array:
    with np.errstate(over="ignore", under="ignore"):  # the one is refused below, the other is in absolute_error
        powers = distances**p
    if np.any(np.isinf(powers) & np.isfinite(distances)):  # an infinite distance forbids an arc, and so its power
        raise too_far_apart(x, y)
    return powers
