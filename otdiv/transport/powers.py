"""W_p for p > 1: the p-th root of a transport cost, its distances scaled before the power where that is needed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from otdiv.core.bounds import Bounds, Status
from otdiv.core.options import SolverOptions
from otdiv.core.rounding import UNIT
from otdiv.costs import Cost, MatrixCost, as_cost, power_of
from otdiv.errors import InvalidInput
from otdiv.measures.discrete import DiscreteMeasure
from otdiv.problem.transport_problem import TransportProblem
from otdiv.transport.bottleneck import solve_bottleneck
from otdiv.transport.local_scale import MOST_PAIRS
from otdiv.transport.result import TransportResult
from otdiv.transport.solve import solve_with

_CAP, _ROOM = 1e250, 4.0
"""Scaled costs are cut off at this multiple of what the best plan may use, and at what float64 holds."""
_UNDERFLOW = 1e-300
"""What powers below float64's range may add to a transport cost of total mass 1."""


def solve_power(
    mu: DiscreteMeasure, nu: DiscreteMeasure, metric: Cost, p: float, method: str, options: SolverOptions
) -> tuple[float, Bounds, TransportResult, Status, float]:
    """Value, interval, transport, status and scale of W_p.

    Parameters
    ----------
    mu, nu : DiscreteMeasure
    metric : Cost
    p : float
        1 < p < inf.
    method : str
    options : SolverOptions

    Raises
    ------
    InvalidInput
        Distances whose p-th powers float64 does not hold, of more pairs than are scaled.
    """
    inner = replace(options, atol=0.0)  # it is in the unit of W_p, the transport's cost is in another
    squared = p == 2 and metric.name == "euclidean"
    try:
        cost = as_cost("sqeuclidean") if squared else power_of(metric, p)
        plain = _root(solve_with(TransportProblem(mu, nu, cost), method, inner), p, 1.0, metric, options)
    except InvalidInput:
        if mu.n * nu.n > MOST_PAIRS:
            raise
        plain = None
    if plain is not None and (plain[3].certified or mu.n * nu.n > MOST_PAIRS):
        return plain
    scaled = _scaled(mu, nu, metric, p, options)
    if plain is None or (scaled is not None and scaled[1].gap < plain[1].gap):
        assert scaled is not None
        return scaled
    return plain


def _scaled(
    mu: DiscreteMeasure, nu: DiscreteMeasure, metric: Cost, p: float, options: SolverOptions
) -> tuple[float, Bounds, TransportResult, Status, float] | None:
    """The same with distances divided by W_inf.

    A plan exists whose powers are at most 1, so no pair of the best plan has a power above one over the smallest
    weight; what is larger is cut off.
    """
    problem = TransportProblem(mu, nu, metric)
    scale, *_ = solve_bottleneck(problem, "auto", replace(options, atol=0.0))
    if not scale > 0:
        return None
    weights = np.concatenate([problem.a, problem.b])
    most = min(_CAP, _ROOM / float(weights[weights > 0].min()))
    with np.errstate(over="ignore", under="ignore"):
        costs = np.minimum((problem.costs() / scale) ** p, most)
    return _root(
        solve_with(TransportProblem(mu, nu, MatrixCost(costs)), "auto", replace(options, atol=0.0)),
        p,
        scale,
        metric,
        options,
    )


def _root(
    result: TransportResult, p: float, scale: float, metric: Cost, options: SolverOptions
) -> tuple[float, Bounds, TransportResult, Status, float]:
    """scale times the p-th root of the transport cost, and of its ends, rounded outward."""
    relative = 16 * UNIT + (0.0 if scale == 1.0 else 2 * metric.relative_error(result.d))
    absolute = 0.0 if scale == 1.0 else metric.absolute_error(result.d)  # a change of all distances moves W_p as much
    slack = 0.0 if scale == 1.0 else _UNDERFLOW
    low, high = max(0.0, result.lower - slack), result.upper + slack
    bounds = Bounds(
        max(0.0, scale * low ** (1 / p) * (1 - relative) - absolute),
        scale * high ** (1 / p) * (1 + relative) + absolute,
    )
    value = min(max(scale * result.value ** (1 / p), bounds.lower), bounds.upper)
    narrow = bounds.gap <= max(options.rtol * value, options.atol)
    at_points = not result.problem.cost.by_entries  # of entries 0 may be a power below float64's range
    if narrow:
        status = result.certificate.met
    elif at_points and result.certificate.moves_roundings_only:
        status = Status.OPTIMAL_NEARBY  # the optimum is 0 without roundings of the weights, and so is its root
    else:
        status = Status.STOPPED if result.status.certified else result.status
    return value, bounds, result, status, scale
