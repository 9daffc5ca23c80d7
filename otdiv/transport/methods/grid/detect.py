"""Detection of points on a regular grid, where norms are lengths of shortest paths along the grid.

The 1-norm is the length of the shortest path along the edges of a rectangular grid, whatever
its spacings; the maximum norm that of the shortest path along edges and diagonals, where all
spacings are equal.  Cells without points are added, so that the paths exist.
"""

from __future__ import annotations

from math import prod
from typing import NamedTuple

import numpy as np

from otdiv.core.validation import Array
from otdiv.costs import Chebyshev, Cityblock
from otdiv.problem.transport_problem import TransportProblem

DIMENSIONS = (2, 3)
_CELLS_PER_POINT = 4
"""Most cells of a grid per point; a grid with more is mostly empty, and other methods are faster."""
_PROBE = 1000
"""Points examined first: most clouds that lie on no grid are recognised by them."""
_EQUAL = 1e-12
"""Relative difference up to which spacings count as equal."""


class Grid(NamedTuple):
    """A grid that holds all points.

    Attributes
    ----------
    axes : tuple of ndarray
        The coordinates along each axis, ascending.
    at_x, at_y : ndarray of int [n], [m]
        The cell of each source and of each target; no two sources share one, nor two targets.
    diagonals : bool
        Whether diagonal steps count (maximum norm), or only steps along one axis (1-norm).
    """

    axes: tuple[Array, ...]
    at_x: Array
    at_y: Array
    diagonals: bool

    @property
    def shape(self) -> tuple[int, ...]:
        """Cells along each axis."""
        return tuple(len(axis) for axis in self.axes)


def detect_grid(problem: TransportProblem) -> Grid | None:
    """The grid of a problem with the 1-norm or the maximum norm in two or three dimensions; None if there is none.

    It is detected once for each problem.
    """
    if "grid" not in problem.findings:
        problem.findings["grid"] = _detect(problem)
    found: Grid | None = problem.findings["grid"]
    return found


def _detect(problem: TransportProblem) -> Grid | None:
    diagonals = isinstance(problem.cost, Chebyshev)
    if problem.d not in DIMENSIONS or not (diagonals or isinstance(problem.cost, Cityblock)):
        return None
    x, y = problem.mu.points, problem.nu.points
    most = _CELLS_PER_POINT * (problem.n + problem.m)
    if prod(len(np.unique(column)) for column in x[:_PROBE].T) > most:
        return None
    axes = tuple(np.unique(np.concatenate([x[:, k], y[:, k]])) for k in range(problem.d))
    if prod(len(axis) for axis in axes) > most or (diagonals and not _equally_spaced(axes)):
        return None
    shape = tuple(len(axis) for axis in axes)
    cells = []
    for points in (x, y):
        steps = tuple(np.searchsorted(axis, column) for axis, column in zip(axes, points.T, strict=True))
        cell = np.ravel_multi_index(steps, shape)
        if np.bincount(cell, minlength=1).max() > 1:
            return None
        cells.append(cell)
    return Grid(axes, cells[0], cells[1], diagonals)


def _equally_spaced(axes: tuple[Array, ...]) -> bool:
    gaps = np.concatenate([np.diff(axis) for axis in axes])
    return len(gaps) == 0 or bool(gaps.max() - gaps.min() <= _EQUAL * gaps.max())
