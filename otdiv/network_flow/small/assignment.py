"""The cheapest assignment on a dense matrix: reductions, then shortest augmenting paths.

    min { sum_i c[i, s(i)] : s a permutation } = max { sum f + sum g : f_i + g_j <= c_ij }

R. Jonker and A. Volgenant, A shortest augmenting path algorithm for dense and sparse linear assignment problems,
Computing 38, 1987.  Only g is kept: of an assigned row f_i = c[i, s(i)] - g[s(i)].
"""

from __future__ import annotations

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.network_flow.small.rows import copy_to, first_equal, first_potentials, least_of, reduced_row, relax_row

REDUCTIONS_PER_ROW = 2
"""Steps of the row reduction for each row, after which augmenting paths take over.

More: fewer paths.  A bound is needed since ties in floats may pass a column round in a circle.
"""


@kernel()
def assign(costs, target, owner, g, work):
    """Fill ``target`` [n], ``owner`` [n] and ``g`` [n] with the cheapest assignment of costs [n, n] and its potential.

    ``work`` is a :class:`otdiv.network_flow.small.workspace.Workspace` of at least this size.  Returns whether all
    rows are assigned: not where ``work.stop`` was set.
    """
    n = len(costs)
    row_of = work.source[:n]
    first_potentials(costs, work.f[:n], g, work.distance[:n], row_of)
    target[:] = -1
    owner[:] = -1
    for j in range(n - 1, -1, -1):
        i = row_of[j]
        if target[i] < 0:
            target[i], owner[j] = j, i
    free = work.stack[:n]
    count = _reduce_rows(costs, target, owner, g, free, work.distance[:n], work.stop)
    for k in range(count):
        _augment(costs, free[k], target, owner, g, work)
        if work.stop[0] != 0:
            return k + 1 == count
    return True


@kernel()
def _reduce_rows(costs, target, owner, g, free, reduced, stop):
    """Give each free row its cheapest column and lower that column's g until the second cheapest is as good.

    A row that loses its column takes its turn at once.  Returns the number of rows still free, the first of ``free``.
    """
    n = len(costs)
    left = REDUCTIONS_PER_ROW * n if n > 1 else 0
    for first in range(n):
        if target[first] >= 0 or stop[0] != 0:
            continue
        i = first
        while left > 0:
            left -= 1
            least = reduced_row(costs[i], g, reduced)
            j = first_equal(reduced, least)
            reduced[j] = np.inf
            second = least_of(reduced)
            if least == second and owner[j] >= 0:
                j = first_equal(reduced, second)
            g[j] -= second - least
            loser = owner[j]
            if loser >= 0 and least == second:  # the tie could go on in a circle
                break
            target[i], owner[j] = j, i
            if loser < 0:
                break
            target[loser] = -1
            i = loser
    count = 0
    for i in range(n):
        if target[i] < 0:
            free[count] = i
            count += 1
    return count


@kernel()
def _augment(costs, start, target, owner, g, work):
    """Assign the free row ``start`` along a shortest path of reduced costs c - f - g (Dijkstra on columns)."""
    n = len(costs)
    distance, source, masked = work.distance[:n], work.source[:n], work.masked[:n]
    done, at = work.done, work.at
    distance[:] = np.inf
    copy_to(g, masked)
    count = 0
    i, shift = start, 0.0
    while True:
        relax_row(costs[i], i, masked, shift, distance, source)
        least = least_of(distance)
        j = first_equal(distance, least)
        if owner[j] < 0:
            break
        done[count], at[count] = j, least
        count += 1
        masked[j], distance[j] = -np.inf, np.inf
        i = owner[j]
        shift = (costs[i, j] - g[j]) - least
    for k in range(count):
        g[done[k]] += at[k] - least
    while True:
        i = source[j]
        owner[j] = i
        before = target[i]
        target[i] = j
        if i == start:
            break
        j = before
