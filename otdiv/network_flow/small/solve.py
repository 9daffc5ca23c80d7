"""One small dense problem: assignment or flow, then both bounds."""

from __future__ import annotations

import math

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.core.rounding import UNIT
from otdiv.network_flow.small.assignment import assign
from otdiv.network_flow.small.bounds import feasible_f, prove, sum_of
from otdiv.network_flow.small.flow_on_support import flow_on_support
from otdiv.network_flow.small.rows import extent_of

SMALLEST, LARGEST = 1e-120, 1e120
"""Range of the largest cost and of the mass in which products neither overflow nor lose what matters."""
_WEIGHTS_ERROR = 7 * UNIT
"""Relative error of target weights that are scaled to the mass of the sources: two sums, a quotient, a product."""


@kernel()
def solve_small(costs, a, b, relative, absolute, ceiling, work):
    """Solve the problem and prove its interval.

    Parameters
    ----------
    costs : ndarray [n, m]
        Computed costs, C-ordered.
    a, b : ndarray [n], [m]
        Non-negative weights with positive totals that agree but for rounding.
    relative, absolute : float
        Error of a computed cost.
    ceiling : float
        The price of mass by which the marginals are off, if above all costs: what a checker of the certificate
        takes for the largest cost, without computing all of them.
    work : Workspace
        Gets f and g in its first n and m entries, and the arcs of the plan.

    Returns
    -------
    (float, float, float, float, int)
        lower, value, upper, about moving a onto b sum(a) / sum(b); bound on |row sums - a|_1 + |column sums - b|_1,
        which upper includes; and the number of arcs, -1 where the problem is outside the range or has no plan yet:
        the bounds are then those that hold in any case, or infinite.
    """
    n, m = costs.shape
    least, largest = extent_of(costs.ravel())
    extreme = max(abs(least), abs(largest))
    total, other = sum_of(a), sum_of(b)
    if not (extreme == 0.0 or SMALLEST < extreme < LARGEST) or not SMALLEST < min(total, other) < LARGEST:
        return -np.inf, np.nan, np.inf, np.inf, -1
    f, g, scaled = work.f[:n], work.g[:m], work.b[:m]
    rows, columns, mass, price = work.rows, work.columns, work.mass, work.price
    marginal_error, weights_error = 0.0, 0.0
    if n == m and _all_equal(a) and _all_equal(b):
        for j in range(m):
            scaled[j] = a[0]  # exactly: m of these are the mass of a
        count = n if assign(costs, work.target[:n], work.owner[:n], g, work) else -1
        for i in range(count):
            j = work.target[i]
            rows[i], columns[i], mass[i], price[i] = i, j, a[0], costs[i, j]
    else:
        for j in range(m):
            scaled[j] = b[j] * (total / other)
        weights_error = _WEIGHTS_ERROR
        unit, off = _whole_units(a, scaled, total, work.supply[:n], work.demand[:m])
        count = flow_on_support(costs, work.supply[:n], work.demand[:m], unit, extreme, f, g, work)
        marginal_error = off * unit + (weights_error + 2 * UNIT) * total * (1 + 8 * UNIT)
    feasible_f(costs, g, f, work.distance[:m])
    lower, value, upper = prove(
        a,
        scaled,
        f,
        g,
        mass[: max(count, 0)],
        price[: max(count, 0)],
        marginal_error,
        weights_error,
        relative,
        absolute,
        least,
        max(largest, ceiling),
    )
    return (lower, value, upper, marginal_error, count) if count >= 0 else (lower, np.nan, np.inf, np.inf, -1)


@kernel(borrows=True)
def _all_equal(weights):
    equal = True
    for i in range(1, len(weights)):
        equal &= weights[i] == weights[0]
    return equal


@kernel(borrows=True)
def _whole_units(a, b, total, supply, demand):
    """Weights as whole numbers of 2**-60 of the mass (rounded up to a power of two), equal in total.

    Returns the size of a unit, and a bound on the number of units by which all weights together are off.
    """
    exponent = math.frexp(total)[1]
    missing, heaviest = np.int64(0), 0
    for i in range(len(a)):
        supply[i] = np.int64(np.rint(math.ldexp(a[i], 60 - exponent)))
        missing += supply[i]
    for j in range(len(b)):
        demand[j] = np.int64(np.rint(math.ldexp(b[j], 60 - exponent)))
        missing -= demand[j]
        if demand[j] > demand[heaviest]:
            heaviest = j
    demand[heaviest] += missing
    return math.ldexp(1.0, exponent - 60), len(a) + len(b) + float(abs(missing))
