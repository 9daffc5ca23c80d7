"""One dense problem from its points or its cost matrix: costs, solution, both bounds."""

from __future__ import annotations

from otdiv.core.compilation import kernel
from otdiv.network_flow.small.equal_weights import has_exact_masses
from otdiv.network_flow.small.rows import copy_to
from otdiv.network_flow.small.solve import solve_small
from otdiv.network_flow.small.workspace import allocate_workspace
from otdiv.pricing.compiled_distances import distance, distance_table


@kernel()
def solve_points(metric, relative, absolute, x, y, a, b, stop):
    """Solve the problem of points x [n, d] and y [m, d] with weights a [n] and b [m].

    Parameters
    ----------
    metric : Metric
    relative, absolute : float
        Error of a computed cost.
    x, y : ndarray [n, d], [m, d]
    a, b : ndarray [n], [m]
    stop : int64 ndarray [1]
        Set to 1 by another thread where the search is to end.

    Returns
    -------
    answer : (float, float, float, float, int)
        lower, value, upper, marginal error, number of arcs; see :func:`solve_small`.
    f, g : ndarray, of which the first n and m entries are the potentials
    rows, columns, mass : ndarray, of which the first entries are the arcs of the plan
    """
    n, m = len(x), len(y)
    work = allocate_workspace(n, m, n * m, stop)
    costs = work.costs.reshape(n, m)
    distance_table(metric, x, y, costs)
    lower, value, upper, error, count = solve_small(costs, a, b, relative, absolute, widest(metric, x, y), work)
    in_place = value == 0.0 and upper > 0.0 and joins_equal_points(x, y, work.rows, work.columns, count)
    if in_place and has_exact_masses(a, b, error, count, work):
        upper = error = 0.0
    return (lower, value, upper, error, count), work.f, work.g, work.rows, work.columns, work.mass


@kernel()
def solve_matrix(relative, absolute, given, ceiling, a, b, stop):
    """As :func:`solve_points`, with the computed costs given as a matrix [n, m], and a number above them all."""
    n, m = given.shape
    work = allocate_workspace(n, m, n * m, stop)
    costs = work.costs.reshape(n, m)
    for i in range(n):
        copy_to(given[i], costs[i])
    lower, value, upper, error, count = solve_small(costs, a, b, relative, absolute, ceiling, work)
    return (lower, value, upper, error, count), work.f, work.g, work.rows, work.columns, work.mass


@kernel()
def widest(metric, x, y):
    """The cost between opposite corners of a box around all points: at least every cost."""
    low, high = x[:1].copy(), x[0].copy()
    for points in (x, y):
        for i in range(len(points)):
            for k in range(len(high)):
                low[0, k], high[k] = min(low[0, k], points[i, k]), max(high[k], points[i, k])
    return distance(metric, high, low, 0)


@kernel(borrows=True)
def joins_equal_points(x, y, rows, columns, count):
    """Whether each of the first arcs of a plan joins two equal points."""
    for arc in range(count):
        for k in range(x.shape[1]):
            if x[rows[arc], k] != y[columns[arc], k]:
                return False
    return count > 0
