"""Detection of points on a regular grid, where norms are lengths of shortest paths along the grid.

The 1-norm is the length of the shortest path along the edges of a rectangular grid, whatever
its spacings; the maximum norm that of the shortest path along edges and diagonals, where all
spacings are equal.  Cells without points are added, so that the paths exist.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from otdiv.certificates.grid_potentials import DIMENSIONS, cells_of
from otdiv.core.validation import Array
from otdiv.costs import Chebyshev, Cityblock
from otdiv.problem.transport_problem import TransportProblem

_EQUAL = 1e-12
"""Relative difference up to which spacings count as equal."""


class Grid(NamedTuple):
    """A grid that holds all points.

    Attributes
    ----------
    axes, at_x, at_y
        See :class:`otdiv.pricing.regular_grid.Cells`.
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
    cells = cells_of(problem)
    if cells is None or (diagonals and not _equally_spaced(cells.axes)):
        return None
    return Grid(*cells, diagonals)


def _equally_spaced(axes: tuple[Array, ...]) -> bool:
    gaps = np.concatenate([np.diff(axis) for axis in axes])
    return len(gaps) == 0 or bool(gaps.max() - gaps.min() <= _EQUAL * gaps.max())
