"""Ground costs d(x, y): what it costs to move one unit of mass from x to y."""

from otdiv.costs.base import Cost, PointCost, TableCost, as_point_cost
from otdiv.costs.callable import CallableCost
from otdiv.costs.matrix import MatrixCost, metric_defect, quadrangle_defect
from otdiv.costs.names import POINT_COSTS, as_cost, minkowski
from otdiv.costs.norms import (
    Chebyshev,
    Cityblock,
    Discrete,
    Euclidean,
    Minkowski,
    SquaredEuclidean,
)
from otdiv.costs.powers import Power, TablePower, power_of
from otdiv.costs.sparse import SparseCost

__all__ = [
    "POINT_COSTS",
    "CallableCost",
    "Chebyshev",
    "Cityblock",
    "Cost",
    "Discrete",
    "Euclidean",
    "MatrixCost",
    "Minkowski",
    "PointCost",
    "Power",
    "SparseCost",
    "SquaredEuclidean",
    "TableCost",
    "TablePower",
    "as_cost",
    "as_point_cost",
    "metric_defect",
    "minkowski",
    "power_of",
    "quadrangle_defect",
]
