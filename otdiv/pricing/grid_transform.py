"""c-transforms on a grid: the least cost less potential, at all cells at once.

The squared distance and the 1-norm are sums over the axes, and take one axis after the other,

    min_j c(x_i, x_j) - g_j = min_{j1} c1(x_i1, x_j1) + min_{j2} (c2(x_i2, x_j2) - g_(j1, j2))

(Felzenszwalb and Huttenlocher, Distance transforms of sampled functions, Theory of Computing 8, 2012), in time
N (k1 + ... + kd) for N = k1 ... kd cells instead of N^2.  Along one axis all pairs are compared: the inner loop is
one addition and one minimum for several cells at a time, which up to some thousand cells is faster than an envelope
of parabolas, and leaves no rounding of its intersections.

The maximum norm between cells at equal steps h is the number of steps r of a square around one of them that reaches the
other: min_r r h + min_{j in the square of r steps} (-g_j), and each square grows by one step from the one before.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from copy import copy
from typing import Self

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.core.rounding import below
from otdiv.core.validation import Array
from otdiv.pricing.regular_grid import Cells

_STEPS = 2.0**24
"""Largest extent of a grid, in units of which all coordinates are multiples: sums of three squares are then exact."""
LONGEST_AXIS = 4096
"""Cells along an axis up to which comparing all pairs along it is faster than a search."""


def costs_are_exact(axes: tuple[Array, ...]) -> bool:
    """Whether float64 holds the distance of any two cells exactly, squared or in the 1-norm or the maximum norm."""
    extent = max(float(axis[-1] - axis[0]) for axis in axes)
    if len(axes) > 3 or not extent < 2.0**500 or (extent > 0 and extent < 2.0**-400):
        return False
    unit = 2.0 ** np.ceil(np.log2(extent)) / _STEPS if extent > 0 else 1.0
    # offsets of the whole grid do not matter, since differences of multiples of the unit are exact
    with np.errstate(over="ignore"):  # one value alone may be far out
        return all(bool(np.all(axis / unit == np.rint(axis / unit))) for axis in axes)


class GridTransform(ABC):
    """Both c-transforms between the sources and the targets of a grid."""

    def __init__(self, cells: Cells) -> None:
        self.cells = cells

    @abstractmethod
    def lowest(self, values: Array) -> Array:
        """Lower bounds of min_c cost(., c) + values_c at every cell, within some units in the last place."""

    def over_targets(self, g: Array) -> Array:
        """Lower bounds f_i of min_j c_ij - g_j within some units in the last place: f_i + g_j <= c_ij exactly.

        A g_j of -inf leaves the target j out.
        """
        return self.lowest(spread(g, self.cells.at_y, self.cells.shape)).reshape(-1)[self.cells.at_x]

    def over_sources(self, f: Array) -> Array:
        """Lower bounds g_j of min_i c_ij - f_i, as :meth:`over_targets`."""
        return self.lowest(spread(f, self.cells.at_x, self.cells.shape)).reshape(-1)[self.cells.at_y]

    def restrict(self, sources: Array, targets: Array) -> Self:
        """The transform between some of the sources and some of the targets."""
        part = copy(self)
        part.cells = Cells(self.cells.axes, self.cells.at_x[sources], self.cells.at_y[targets])
        return part

    def turn_round(self) -> Self:
        """The transform with sources and targets exchanged."""
        other = copy(self)
        other.cells = Cells(self.cells.axes, self.cells.at_y, self.cells.at_x)
        return other


class SeparableTransform(GridTransform):
    """For the squared distance (``power`` 2) or the 1-norm (1).

    A computed cost of d terms is at least (1 - u)**(d - 1) times their sum, u = 2**-53.  Where it is not exact, the
    terms are taken d - 1 floats lower: their sums are then at most the computed costs.
    """

    def __init__(self, cells: Cells, power: int = 2, *, exact: bool = True) -> None:
        super().__init__(cells)
        steps = [np.abs(axis[:, None] - axis) ** power for axis in cells.axes]
        for _ in range(0 if exact else len(steps) - 1):
            steps = [np.where(step > 0, below(step), 0.0) for step in steps]
        self.steps = tuple(steps)

    def lowest(self, values: Array) -> Array:
        for steps in self.steps:
            rows = _first_axis(values)
            lowest = np.empty_like(rows)
            lowest_along(steps, rows, lowest)
            # a rounded sum is at most one float above the true one, so the next float below is at most that
            values = _turned(below(lowest), values.shape)
        return values

    def nearest(self, values: Array) -> tuple[Array, Array]:
        """Lower bounds of min_c cost(., c) + values_c at every cell, and the cell c where it is found [cells]."""
        lowest, where = values, np.arange(values.size).reshape(values.shape)
        for steps in self.steps:
            rows = _first_axis(lowest)
            lowest, places = np.empty_like(rows), np.empty(rows.shape, np.int32)
            nearest_along(steps, rows, lowest, places)
            where = _turned(np.take_along_axis(_first_axis(where), places, axis=0), values.shape)
            lowest = _turned(below(lowest), values.shape)
            values = lowest
        return lowest.reshape(-1), where.reshape(-1)


class ChebyshevTransform(GridTransform):
    """For the maximum norm, on a grid of which all steps are equal and exact."""

    def lowest(self, values: Array) -> Array:
        step = max((float(axis[1] - axis[0]) for axis in self.cells.axes if len(axis) > 1), default=0.0)
        least, found = float(values.min()), values
        for r in range(1, max(values.shape)):
            if math.nextafter(r * step + least, -math.inf) >= found.max():  # what is further away is no lower
                break
            for axis in range(values.ndim):
                values = _with_neighbours(values, axis)
            found = np.minimum(found, r * step + values)
        return below(found)


def _with_neighbours(values: Array, axis: int) -> Array:
    """The least of each cell and those beside it along an axis."""
    rows = np.moveaxis(values, axis, 0)
    least = rows.copy()
    np.minimum(least[1:], rows[:-1], out=least[1:])
    np.minimum(least[:-1], rows[1:], out=least[:-1])
    return np.moveaxis(least, 0, axis)


def spread(potential: Array, at: Array, shape: tuple[int, ...]) -> Array:
    """-potential in the cells that have one, inf in the others [shape]."""
    values = np.full(shape, np.inf)
    values.reshape(-1)[at] = -potential
    return values


def _first_axis(values: Array) -> Array:
    """As [first axis, all others]."""
    return np.ascontiguousarray(values.reshape(len(values), -1))


def _turned(rows: Array, shape: tuple[int, ...]) -> Array:
    """The first axis put last: after as many turns as there are axes they are in order again."""
    return np.ascontiguousarray(rows.T).reshape(*shape[1:], shape[0])


@kernel()
def lowest_along(steps, values, lowest):
    """lowest[i, r] = min_j steps[i, j] + values[j, r]."""
    for i in range(len(steps)):
        row = lowest[i]
        row[:] = np.inf
        for j in range(len(steps)):
            step, other = steps[i, j], values[j]
            for r in range(len(row)):
                value = step + other[r]
                row[r] = value if value < row[r] else row[r]


@kernel()
def nearest_along(steps, values, lowest, where):
    """As :func:`lowest_along`, with the j of each minimum."""
    for i in range(len(steps)):
        row, at = lowest[i], where[i]
        row[:], at[:] = np.inf, 0
        for j in range(len(steps)):
            step, other = steps[i, j], values[j]
            for r in range(len(row)):
                value = step + other[r]
                less = value < row[r]
                row[r] = value if less else row[r]
                at[r] = j if less else at[r]
