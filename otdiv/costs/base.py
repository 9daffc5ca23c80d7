"""What a ground cost is: a function of two points, or a table of entries; whether it is a metric, how exact it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from otdiv.core.rounding import UNIT
from otdiv.core.validation import Array, ReadOnlyCopies, as_float_array, invalid
from otdiv.errors import InvalidInput


class Cost(ReadOnlyCopies, ABC):
    """A ground cost; entries are float64, and +inf forbids an arc.  Each is a PointCost or a TableCost.

    Attributes
    ----------
    name : str
    is_metric : bool or None
        True or False where known; None where only the user can know.
    by_entries : bool
        Whether the cost is a TableCost.
    shape : (int, int) or None
        [n, m] of a matrix, whose points are only labels; None where costs are computed from points.
    line_power : float or None
        On the line the cost is |x - y| ** line_power; None where it is no such power.
    """

    name: str
    is_metric: bool | None
    by_entries: bool
    shape: tuple[int, int] | None = None
    line_power: float | None = None

    @abstractmethod
    def matrix(self, x: Array, y: Array) -> Array:
        """All costs [n, m] between the points x [n, d] and y [m, d]."""

    @abstractmethod
    def relative_error(self, d: int) -> float:
        """Bound on |computed - true| / true for each entry, in dimension d."""

    def absolute_error(self, d: int) -> float:
        """Bound on what underflow may add to the relative error."""
        return 0.0

    def gradient(self, x: Array, y: Array) -> Array:
        """Gradients [k, d] of the costs of the pairs (x[k], y[k]) in x[k]; in y[k] it is the negative.

        A subgradient where the cost has a kink: 0 at x = y for norms.

        Raises
        ------
        InvalidInput
            For a cost that has no gradient.
        """
        raise invalid("cost", "have a gradient", repr(self.name), "Use a norm of the difference, or its square.")


class PointCost(Cost):
    """A cost that is a function of two points."""

    by_entries = False

    @abstractmethod
    def elementwise(self, x: Array, y: Array) -> Array:
        """The costs [k] of the pairs (x[k], y[k]), both [k, d]."""

    def relative_error(self, d: int) -> float:
        return (d + 4) * UNIT


class TableCost(Cost):
    """A cost known entry by entry: exactly the numbers that a matrix or a function of the user gives."""

    by_entries = True

    def relative_error(self, d: int) -> float:
        return 0.0


def as_point_cost(cost: Cost) -> PointCost:
    """The cost as a function of two points.

    Parameters
    ----------
    cost : Cost

    Returns
    -------
    PointCost
        ``cost`` itself.

    Raises
    ------
    InvalidInput
        For a table of entries.
    """
    if isinstance(cost, PointCost):
        return cost
    raise invalid("cost", "be a function of two points", repr(cost.name), "Read its entries by index instead.")


def require_shape(shape: tuple[int, ...], n: int, m: int) -> None:
    """Refuse a matrix that has not one row for each of n sources and one column for each of m targets.

    Raises
    ------
    InvalidInput
    """
    if shape != (n, m):
        raise invalid(
            "cost",
            f"have shape [{n}, {m}], sources by targets",
            f"shape {shape}",
            "Give one row for each x and one column for each y.",
        )


def require_matrix(shape: tuple[int, ...]) -> None:
    """Refuse what has not two dimensions, or no rows or no columns.

    Raises
    ------
    InvalidInput
    """
    if len(shape) != 2 or 0 in shape:
        raise invalid(
            "cost",
            "be a matrix [n, m]",
            f"shape {tuple(shape)}",
            "Give one row for each x and one column for each y.",
        )


def as_entries(table: Any, first: int = 0) -> Array:
    """The entries of a dense matrix, or of its rows from ``first`` on, if they are costs.

    Raises
    ------
    InvalidInput
        Not two-dimensional, NaN or -inf; the index in the message counts from row ``first``.
    """
    entries = as_float_array("cost", table)
    require_matrix(entries.shape)
    if not entries.min() > -np.inf:  # true for NaN and for -inf
        i, j = np.argwhere(np.isnan(entries) | (entries == -np.inf))[0]
        raise refused_entry(entries[i, j], first + i, j)
    return entries


def refused_entry(value: float, i: int, j: int) -> InvalidInput:
    """The error for an entry that is NaN or -inf."""
    return invalid(
        "cost", "hold numbers, or +inf to forbid an arc", f"{value} at index {(int(i), int(j))}", "Repair that entry."
    )
