"""The compiled loop over many small problems: costs, solution, both bounds."""

from __future__ import annotations

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.network_flow.small.equal_weights import has_exact_masses
from otdiv.network_flow.small.rows import copy_to
from otdiv.network_flow.small.solve import solve_small
from otdiv.network_flow.small.workspace import allocate_workspace
from otdiv.pricing.compiled_distances import distances


@kernel()
def solve_pairs_of_points(metric, errors, x, y, pairs, first, end, answers, wanted):
    """Problems first ... end - 1 of measures given by points.

    Parameters
    ----------
    metric : Metric
    errors : (float, float)
        Relative and absolute error of a computed cost.
    x, y : (ndarray [N, d] or [d, M], ndarray [N], int64 ndarray [k + 1])
        Points, weights and starts of the measures; the points of y by coordinates.
    pairs : int64 ndarray [2, K]
        The measures of each problem.
    answers : (ndarray [K], ndarray [K], ndarray [K], int64 ndarray [K])
        Get lower, value, upper, and the number of arcs or -1.
    wanted : (bool, ndarray, ndarray, int64 ndarray [K], int64 ndarray [K], bool, ndarray, int64 ndarray [K])
        Whether potentials are wanted, f and g of all problems and where each begins; the same for plans by rows.
    """
    points_x, weights_x, start_x = x
    columns_y, weights_y, start_y = y
    most_x, most_y = 1, 1
    for k in range(first, end):
        i, j = pairs[0, k], pairs[1, k]
        most_x, most_y = max(most_x, start_x[i + 1] - start_x[i]), max(most_y, start_y[j + 1] - start_y[j])
    work = allocate_workspace(most_x, most_y, most_x * most_y, np.zeros(1, np.int64))
    for k in range(first, end):
        i, j = pairs[0, k], pairs[1, k]
        at_x, at_y = start_x[i], start_y[j]
        n, m = start_x[i + 1] - at_x, start_y[j + 1] - at_y
        costs = work.costs[: n * m].reshape(n, m)
        for r in range(n):
            distances(metric, points_x[at_x + r], columns_y, at_y, at_y + m, costs[r])
        a, b = weights_x[at_x : at_x + n], weights_y[at_y : at_y + m]
        lower, value, upper, error, count = solve_small(costs, a, b, errors[0], errors[1], 0.0, work)
        in_place = value == 0.0 and upper > 0.0 and _joins_equal_points(points_x, columns_y, at_x, at_y, work, count)
        if in_place and has_exact_masses(a, b, error, count, work):
            upper = 0.0
        _keep(k, n, m, (lower, value, upper, count), work, answers, wanted)


@kernel()
def solve_tables(errors, costs, x, y, first, end, answers, wanted):
    """As :func:`solve_pairs_of_points`, problem k with the costs at costs[0][costs[1][k] : ] by rows."""
    entries, start = costs
    weights_x, start_x = x
    weights_y, start_y = y
    most_x, most_y = 1, 1
    for k in range(first, end):
        most_x, most_y = max(most_x, start_x[k + 1] - start_x[k]), max(most_y, start_y[k + 1] - start_y[k])
    work = allocate_workspace(most_x, most_y, 0, np.zeros(1, np.int64))
    for k in range(first, end):
        n, m = start_x[k + 1] - start_x[k], start_y[k + 1] - start_y[k]
        table = entries[start[k] : start[k] + n * m].reshape(n, m)
        a, b = weights_x[start_x[k] : start_x[k + 1]], weights_y[start_y[k] : start_y[k + 1]]
        lower, value, upper, _, count = solve_small(table, a, b, errors[0], errors[1], 0.0, work)
        _keep(k, n, m, (lower, value, upper, count), work, answers, wanted)


@kernel()
def _keep(k, n, m, answer, work, answers, wanted):
    answers[0][k], answers[1][k], answers[2][k], answers[3][k] = answer
    potentials, f, g, start_f, start_g, plans, masses, start_plan = wanted
    if potentials:
        copy_to(work.f[:n], f[start_f[k] : start_f[k] + n])
        copy_to(work.g[:m], g[start_g[k] : start_g[k] + m])
    if plans:
        for arc in range(answer[3]):
            masses[start_plan[k] + work.rows[arc] * m + work.columns[arc]] = work.mass[arc]


@kernel()
def _joins_equal_points(points_x, columns_y, at_x, at_y, work, count):
    """Whether every arc of the plan joins two equal points."""
    for arc in range(count):
        for c in range(points_x.shape[1]):
            if points_x[at_x + work.rows[arc], c] != columns_y[c, at_y + work.columns[arc]]:
                return False
    return count > 0
