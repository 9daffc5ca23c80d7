"""The potentials from which a flow on a dense matrix begins.

Of few sources against many targets those that give each source a cell of about its mass
(:mod:`otdiv.network_flow.small.cell_balance`); else the best of three, by how many sources they bring in.
"""

from __future__ import annotations

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.network_flow.small.assignment import COMPARED_FROM, assign
from otdiv.network_flow.small.cell_balance import balance_cells
from otdiv.network_flow.small.rows import gather, lower_minima, make_feasible, mean_costs

BALANCED_FROM = 4
"""Targets for each source from which cells are balanced, where there are also half as many for each as sources.

With fewer for each source most of the flow is left to pivots all the same.
"""
TARGETS_PER_ROUND, FEWEST_ROUNDS, MOST_ROUNDS = 50, 2, 8
"""Targets for each source that are worth one more round of it, and how many rounds it takes.

More rounds: fewer pivots, of which each takes longer the more targets there are.
"""
HALF_UP_TO = 128
"""Atoms up to which a sample is a half of those of the smaller side; a larger one is a quarter, since the assignment of
a half would take longer than its better potential saves."""
MANY_SOURCES, ENOUGH_SOURCES = 0.6, 0.57
"""Shares of different sources among the tight arcs of a start, one for each target: from the first the start 0 is
taken, from the second that of mean costs, below both the potential of a sample.

Where the arcs come from few sources, thousands of pivots follow.
"""


@kernel(inline="always")
def first_potentials(costs, supply, demand, f, g, row_of, work):
    """Fill f and g with feasible potentials, and ``row_of`` with a source for each target where f + g = c.

    From the mean costs, which suit clouds apart; or from 0, which suits independent costs; or from a sample.
    """
    n, m = costs.shape
    size, reduced = min(n, m), work.distance[:m]
    if n > 1 and m >= max(n // 2, BALANCED_FROM) * n:
        mean_costs(costs, g)
        make_feasible(costs, f, g, reduced, row_of)
        rounds = min(max(m // (TARGETS_PER_ROUND * n), FEWEST_ROUNDS), MOST_ROUNDS)
        balance_cells(costs, supply, demand, rounds, f, g, row_of, work.stop)
        return
    different = np.zeros(2)
    for start in range(3):  # mean costs, 0, and one of the first and a sample
        if start == 1:
            g[:] = 0.0
        else:
            mean_costs(costs, g)
        if start == 2 and different[0] < ENOUGH_SOURCES * size:
            _sampled_potential(costs, supply, demand, g, work)
        make_feasible(costs, f, g, reduced, row_of)
        if start == 2 or size < COMPARED_FROM:
            return
        different[start] = _count_different(row_of, len(f))
        if start == 1 and different[1] >= max(different[0], MANY_SOURCES * size):
            return


@kernel()
def _count_different(numbers, n):
    """How many different ones there are of some numbers below n."""
    seen, count = np.zeros(n, np.bool_), 0
    for k in range(len(numbers)):
        count += not seen[numbers[k]]
        seen[numbers[k]] = True
    return count


@kernel(inline="always")
def _sampled_potential(costs, supply, demand, g, work):
    """g as the potential of an assignment between samples by mass, extended to all targets; stopped, it stays."""
    n, m = costs.shape
    size = max(min(min(n, m) // 2, HALF_UP_TO), min(n, m) // 4)
    rows, columns = _by_mass(supply, size), _by_mass(demand, size)
    part = np.empty((size, size))
    gather(costs, rows, columns, part)
    target, owner, part_g = np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size)
    if not assign(part, target, owner, part_g, work):
        return
    g[:] = np.inf
    for i in range(size):
        lower_minima(costs[rows[i]], i, part[i, target[i]] - part_g[target[i]], g, work.source[:m])


@kernel()
def _by_mass(masses, size):
    """Places that share the mass out evenly: those at which the running total passes the middle of each part of it."""
    step = masses.sum() / size
    places = np.empty(size, np.int64)
    at, total = 0, np.int64(masses[0])
    for k in range(size):
        while total < (k + 0.5) * step and at + 1 < len(masses):
            at += 1
            total += masses[at]
        places[k] = at
    return places
