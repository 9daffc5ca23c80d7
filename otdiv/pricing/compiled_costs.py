"""The costs that compiled code evaluates, and their description for it."""

from __future__ import annotations

import math
from typing import NamedTuple

from otdiv.costs import Chebyshev, Cityblock, Cost, Euclidean, Minkowski, Power, SquaredEuclidean

SQUARED, EUCLIDEAN, CITYBLOCK, CHEBYSHEV, MINKOWSKI = range(5)
_KINDS: dict[type[Cost], int] = {
    SquaredEuclidean: SQUARED,
    Euclidean: EUCLIDEAN,
    Cityblock: CITYBLOCK,
    Chebyshev: CHEBYSHEV,
}
SMALLEST, LARGEST = 1e-120, 1e120
"""Range of costs that neither overflow nor underflow when differences are squared."""


class Metric(NamedTuple):
    """A norm of the difference: its kind, its exponent p, and the power it is raised to.

    ``safe`` is the share of a box's cost that is certainly below every computed cost to a point in the
    box: 1 where each step is a correctly rounded, hence monotone operation, less where ``pow`` is used.
    """

    kind: int
    p: float
    power: float
    safe: float


_PLAIN = tuple(Metric(kind, 1.0, 1.0, 1.0) for kind in range(MINKOWSKI))


def metric_of(cost: Cost, d: int) -> Metric | None:
    """The cost for compiled code; None where it is no norm of the difference, nor a power of one."""
    kind = _KINDS.get(type(cost))
    if kind is not None:
        return _PLAIN[kind]
    power = 1.0
    norm = cost
    while isinstance(norm, Power):
        power *= norm.p
        norm = norm.base
    safe = 1.0 if power == 1.0 else 1 - 1e-12 * power
    if isinstance(norm, Minkowski):
        return Metric(MINKOWSKI, float(norm.p), power, min(safe, 1 - 8 * power * norm.relative_error(d)))
    kind = _KINDS.get(type(norm))
    return None if kind is None else Metric(kind, 1.0, power, safe)


def norm_exponent(cost: Cost, d: int) -> float | None:
    """The p of the p-norm of which the cost is a power; None where it is none."""
    metric = metric_of(cost, d)
    if metric is None:
        return None
    return {SQUARED: 2.0, EUCLIDEAN: 2.0, CITYBLOCK: 1.0, CHEBYSHEV: math.inf}.get(metric.kind, metric.p)


def priceable(cost: Cost, d: int, largest_cost: float) -> bool:
    """Whether costs of this kind and size can be priced without evaluating all pairs."""
    return metric_of(cost, d) is not None and (largest_cost == 0 or SMALLEST < largest_cost < LARGEST)
