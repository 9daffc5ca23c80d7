"""The c-transform of the squared distance on a grid, one axis after the other.

    min_j |x_i - x_j|^2 - g_j = min_{j1} (x_i1 - x_j1)^2 + min_{j2} ((x_i2 - x_j2)^2 - g_(j1, j2))

(Felzenszwalb and Huttenlocher, Distance transforms of sampled functions, Theory of Computing 8, 2012), in time
N (k1 + ... + kd) for N = k1 ... kd cells instead of N^2.  Along one axis all pairs are compared: the inner loop is
one addition and one minimum for several cells at a time, which up to some thousand cells is faster than an envelope
of parabolas, and leaves no rounding of its intersections.
"""

from __future__ import annotations

from copy import copy

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.core.rounding import below
from otdiv.core.validation import Array
from otdiv.pricing.regular_grid import Cells

_STEPS = 2.0**24
"""Largest extent of a grid, in units of which all coordinates are multiples: sums of three squares are then exact."""
LONGEST_AXIS = 4096
"""Cells along an axis up to which comparing all pairs along it is faster than a search."""


def squares_are_exact(axes: tuple[Array, ...]) -> bool:
    """Whether float64 holds the squared distance of any two cells exactly, so that the computed one is the true one."""
    extent = max(float(axis[-1] - axis[0]) for axis in axes)
    if len(axes) > 3 or not extent < 2.0**500 or (extent > 0 and extent < 2.0**-400):
        return False
    unit = 2.0 ** np.ceil(np.log2(extent)) / _STEPS if extent > 0 else 1.0
    # offsets of the whole grid do not matter, since differences of multiples of the unit are exact
    with np.errstate(over="ignore"):  # one value alone may be far out
        return all(bool(np.all(axis / unit == np.rint(axis / unit))) for axis in axes)


class GridTransform:
    """Both c-transforms between the sources and the targets of a grid.

    Parameters
    ----------
    cells : Cells
        With coordinates of which the squared distances are exact (:func:`squares_are_exact`).
    """

    def __init__(self, cells: Cells) -> None:
        self.cells = cells
        self.squares = tuple((axis[:, None] - axis) ** 2 for axis in cells.axes)

    def over_targets(self, g: Array) -> Array:
        """Lower bounds f_i of min_j |x_i - y_j|^2 - g_j within some units in the last place: f_i + g_j <= c_ij exactly.

        A g_j of -inf leaves the target j out.
        """
        return self._lowest(spread(g, self.cells.at_y, self.cells.shape))[self.cells.at_x]

    def over_sources(self, f: Array) -> Array:
        """Lower bounds g_j of min_i |x_i - y_j|^2 - f_i, as :meth:`over_targets`."""
        return self._lowest(spread(f, self.cells.at_x, self.cells.shape))[self.cells.at_y]

    def restrict(self, sources: Array, targets: Array) -> GridTransform:
        """The transform between some of the sources and some of the targets."""
        part = copy(self)
        part.cells = Cells(self.cells.axes, self.cells.at_x[sources], self.cells.at_y[targets])
        return part

    def turn_round(self) -> GridTransform:
        """The transform with sources and targets exchanged."""
        other = copy(self)
        other.cells = Cells(self.cells.axes, self.cells.at_y, self.cells.at_x)
        return other

    def nearest(self, values: Array) -> tuple[Array, Array]:
        """Lower bounds of min_c |. - c|^2 + values_c at every cell, and the cell c where it is found [cells]."""
        lowest, where = values, np.arange(values.size).reshape(values.shape)
        for squares in self.squares:
            rows = _first_axis(lowest)
            lowest, steps = np.empty_like(rows), np.empty(rows.shape, np.int32)
            nearest_along(squares, rows, lowest, steps)
            where = _turned(np.take_along_axis(_first_axis(where), steps, axis=0), values.shape)
            lowest = _turned(below(lowest), values.shape)
            values = lowest
        return lowest.reshape(-1), where.reshape(-1)

    def _lowest(self, values: Array) -> Array:
        for squares in self.squares:
            rows = _first_axis(values)
            lowest = np.empty_like(rows)
            lowest_along(squares, rows, lowest)
            # a rounded sum is at most one float above the true one, so the next float below is at most that
            values = _turned(below(lowest), values.shape)
        return values.reshape(-1)


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
def lowest_along(squares, values, lowest):
    """lowest[i, r] = min_j squares[i, j] + values[j, r]."""
    for i in range(len(squares)):
        row = lowest[i]
        row[:] = np.inf
        for j in range(len(squares)):
            step, other = squares[i, j], values[j]
            for r in range(len(row)):
                value = step + other[r]
                row[r] = value if value < row[r] else row[r]


@kernel()
def nearest_along(squares, values, lowest, where):
    """As :func:`lowest_along`, with the j of each minimum."""
    for i in range(len(squares)):
        row, at = lowest[i], where[i]
        row[:], at[:] = np.inf, 0
        for j in range(len(squares)):
            step, other = squares[i, j], values[j]
            for r in range(len(row)):
                value = step + other[r]
                less = value < row[r]
                row[r] = value if less else row[r]
                at[r] = j if less else at[r]
