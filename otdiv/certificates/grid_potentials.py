"""Potentials on a grid, audited by a c-transform along each axis instead of over all pairs of points."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otdiv.costs import SquaredEuclidean
from otdiv.pricing.regular_grid import find_cells
from otdiv.problem.transport_problem import TransportProblem

if TYPE_CHECKING:
    from otdiv.pricing.grid_transform import GridTransform

GRID_ABOVE = 2**16
"""Pairs above which the points are examined for a grid; below it all pairs take less than a millisecond."""
DIMENSIONS = (2, 3)


def find_squared_grid(problem: TransportProblem) -> GridTransform | None:
    """The c-transforms of a problem with the squared distance between cells of a grid; None if it is none.

    Coordinates must be such that float64 holds the squares: whole numbers and offsets are, steps of 0.1 are not.
    It is detected once for each problem.
    """
    if "squared grid" not in problem.findings:
        problem.findings["squared grid"] = _find(problem)
    found: GridTransform | None = problem.findings["squared grid"]
    return found


def _find(problem: TransportProblem) -> GridTransform | None:
    squared = isinstance(problem.cost, SquaredEuclidean) and problem.d in DIMENSIONS
    if not squared or problem.n * problem.m <= GRID_ABOVE:
        return None
    from otdiv.pricing.grid_transform import (  # loads a compiler, which other problems do without
        LONGEST_AXIS,
        GridTransform,
        squares_are_exact,
    )

    cells = find_cells(problem.mu.points, problem.nu.points)
    if cells is None or max(cells.shape) > LONGEST_AXIS or not squares_are_exact(cells.axes):
        return None
    return GridTransform(cells)
