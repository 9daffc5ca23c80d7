"""Potentials on a grid, audited by the c-transform of its cells instead of over all pairs of points."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from otdiv.costs import Chebyshev, Cityblock, SquaredEuclidean
from otdiv.pricing.compiled_costs import priceable
from otdiv.pricing.regular_grid import Cells, find_cells
from otdiv.problem.transport_problem import TransportProblem

if TYPE_CHECKING:
    from otdiv.pricing.grid_transform import GridTransform, SeparableTransform

GRID_ABOVE = 2**16
"""Pairs above which the points are examined for a grid; below it all pairs take less than a millisecond."""
DIMENSIONS = (2, 3)


def cells_of(problem: TransportProblem) -> Cells | None:
    """The grid of the points of a problem; None if there is none.

    It is detected once for each problem.
    """
    if "cells" not in problem.findings:
        problem.findings["cells"] = find_cells(problem.mu.points, problem.nu.points)
    found: Cells | None = problem.findings["cells"]
    return found


def find_squared_grid(problem: TransportProblem) -> SeparableTransform | None:
    """The c-transforms of a problem with the squared distance between cells of a grid; None if it is none."""
    return cast("SeparableTransform | None", find_grid_transform(problem)) if _is_squared(problem) else None


def _is_squared(problem: TransportProblem) -> bool:
    return isinstance(problem.cost, SquaredEuclidean)


def find_grid_transform(problem: TransportProblem) -> GridTransform | None:
    """The c-transforms of a problem on a grid with the squared distance, the 1-norm or the maximum norm; None if none.

    They are found once for each problem.
    """
    if "grid transform" not in problem.findings:
        problem.findings["grid transform"] = _find(problem)
    found: GridTransform | None = problem.findings["grid transform"]
    return found


def _find(problem: TransportProblem) -> GridTransform | None:
    known = isinstance(problem.cost, SquaredEuclidean | Cityblock | Chebyshev) and problem.d in DIMENSIONS
    if not known or problem.n * problem.m <= GRID_ABOVE:
        return None
    from otdiv.pricing.grid_transform import (  # loads a compiler, which other problems do without
        LONGEST_AXIS,
        ChebyshevTransform,
        SeparableTransform,
        costs_are_exact,
    )

    cells = cells_of(problem)
    if cells is None or max(cells.shape) > LONGEST_AXIS:
        return None
    exact = costs_are_exact(cells.axes)
    if isinstance(problem.cost, Chebyshev):
        gaps = np.concatenate([np.diff(axis) for axis in cells.axes])
        return ChebyshevTransform(cells) if exact and (gaps == gaps[:1]).all() else None
    if not priceable(problem.cost, problem.d, problem.largest_cost):
        return None
    return SeparableTransform(cells, 2 if _is_squared(problem) else 1, exact=exact)
