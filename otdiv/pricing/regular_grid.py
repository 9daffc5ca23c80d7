"""Points that are cells of a rectangular grid: recognised from their coordinates."""

from __future__ import annotations

from math import prod
from typing import NamedTuple

import numpy as np

from otdiv.core.validation import Array

_CELLS_PER_POINT = 4
"""Most cells of a grid per point; a grid with more is mostly empty, and other methods are faster."""
_PROBE = 1000
"""Points examined first: most clouds that lie on no grid are recognised by them."""


class Cells(NamedTuple):
    """A grid that holds all points.

    Attributes
    ----------
    axes : tuple of ndarray
        The coordinates along each axis, ascending.
    at_x, at_y : ndarray of int [n], [m]
        The cell of each source and of each target; no two sources share one, nor two targets.
    """

    axes: tuple[Array, ...]
    at_x: Array
    at_y: Array

    @property
    def shape(self) -> tuple[int, ...]:
        """Cells along each axis."""
        return tuple(len(axis) for axis in self.axes)


def find_cells(x: Array, y: Array) -> Cells | None:
    """The grid of the points x [n, d] and y [m, d]; None where it would be mostly empty, or where points coincide."""
    most = _CELLS_PER_POINT * (len(x) + len(y))
    if prod(len(np.unique(column)) for column in x[:_PROBE].T) > most:
        return None
    axes = tuple(_values(np.concatenate([x[:, k], y[:, k]])) for k in range(x.shape[1]))
    shape = tuple(len(axis) for axis in axes)
    if prod(shape) > most:
        return None
    cells = []
    for points in (x, y):
        steps = tuple(np.searchsorted(axis, column) for axis, column in zip(axes, points.T, strict=True))
        cell = np.ravel_multi_index(steps, shape)
        if np.bincount(cell, minlength=1).max() > 1:
            return None
        cells.append(cell)
    return Cells(axes, *cells)


def _values(column: Array) -> Array:
    """The different values, ascending; runs of one value are joined before they are sorted."""
    changes = np.append(True, column[1:] != column[:-1])
    return np.unique(column[changes])
