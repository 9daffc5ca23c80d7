"""The cheapest assignment on a dense matrix: reductions, then shortest augmenting paths.

    min { sum_i c[i, s(i)] : s a permutation } = max { sum f + sum g : f_i + g_j <= c_ij }

R. Jonker and A. Volgenant, A shortest augmenting path algorithm for dense and sparse linear assignment problems,
Computing 38, 1987.  Only g is kept: of an assigned row f_i = c[i, s(i)] - g[s(i)].
"""

from __future__ import annotations

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.network_flow.small.rows import (
    copy_to,
    extend_potential,
    first_equal,
    gather,
    least_of,
    lower_minima,
    make_feasible,
    mean_costs,
    reduced_row,
    relax_row,
)

REDUCTIONS_PER_ROW = 2
"""Steps of the row reduction for each row, after which augmenting paths take over.

More: fewer paths.  A bound is needed since ties in floats may pass a column round in a circle.
"""


COMPARED_FROM = 64
"""Rows, or sources and targets, from which several starts are compared; fewer take microseconds from any."""
FEW_FREE, MANY_FREE = 0.125, 0.25
"""Shares of rows that the reductions leave free: up to the first one the start is good enough, above the second the
potential of a sample is the start.  Smaller: more starts are tried where paths are few and short."""

_NONE, _MEAN, _ZERO, _SAMPLE = range(4)
"""Starts of an assignment."""
MEAN_PREFERRED = 1.2
"""Free rows of the mean costs' start for each one of the other, up to which it is taken: its paths are shorter."""


@kernel()
def assign(costs, target, owner, g, work):
    """Fill ``target`` [n], ``owner`` [n] and ``g`` [n] with the cheapest assignment of costs [n, n] and its potential.

    The start is the columns' mean costs, which suit clouds apart; or 0, which suits independent costs; or the potential
    of a sample.  ``work`` is a :class:`otdiv.network_flow.small.workspace.Workspace` of at least this size.  Returns
    whether all rows are assigned: not where ``work.stop`` was set.
    """
    n = len(costs)
    start, of_mean, count = _MEAN, n + 1, n
    while start != _NONE:  # a loop, since each call of a kernel that is written out takes a second to compile
        if start == _MEAN:
            mean_costs(costs, g)
        elif start == _ZERO:
            g[:] = 0.0
        else:
            _sampled_potential(costs, g, work)
        count = _assign_tight(costs, target, owner, g, work)
        if start == _MEAN and of_mean > n and n >= COMPARED_FROM and count > FEW_FREE * n:
            start, of_mean = _ZERO, count
        elif start == _ZERO and min(count, of_mean) > MANY_FREE * n:
            start = _SAMPLE
        elif start == _ZERO and of_mean <= min(MANY_FREE * n, MEAN_PREFERRED * count):
            start = _MEAN
        else:
            start = _NONE
    return _assign_free(costs, count, target, owner, g, work)


@kernel(inline="always")
def _sampled_potential(costs, g, work):
    """g as the potential of half of the rows and columns, extended to all: g_j = min_i (c_ij - f_i) over these rows.

    Their assignment begins with the potential of a quarter of them, and so on.  Where masses move far as a whole, few
    points say where to, and with such a potential most paths are short.
    """
    n = len(costs)
    order = _shuffled(n)
    half = (n + 1) // 2
    room = np.empty(half * half)
    potential, f = np.empty(half), np.empty(half)
    target, owner, row_of = np.empty(half, np.int64), np.empty(half, np.int64), np.empty(n, np.int64)
    size = half
    while size >= COMPARED_FROM:
        size = (size + 1) // 2
    before = 0
    while True:
        part, part_g = room[: size * size].reshape((size, size)), potential[:size]
        gather(costs, order[:size], order[:size], part)
        if before == 0:
            mean_costs(part, part_g)
        else:
            extend_potential(part[:before], f, part_g, row_of)
        count = _assign_tight(part, target[:size], owner[:size], part_g, work)
        if not _assign_free(part, count, target[:size], owner[:size], part_g, work):
            return
        for i in range(size):
            f[i] = part[i, target[i]] - part_g[target[i]]
        if size == half:
            break
        before, size = size, min(half, 2 * size)
    g[:] = np.inf
    for i in range(half):
        lower_minima(costs[order[i]], i, f[i], g, row_of)


@kernel()
def _shuffled(n):
    """The numbers below n in an order without a pattern, the same in every call: steps of a linear congruence."""
    order = np.arange(n)
    state = np.uint64(n)
    for k in range(n - 1):
        state = state * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
        other = k + np.int64((state >> np.uint64(33)) % np.uint64(n - k))
        order[k], order[other] = order[other], order[k]
    return order


@kernel(borrows=True)
def _assign_tight(costs, target, owner, g, work):
    """Make g feasible, assign rows to columns where f + g = c, then by reductions; returns how many are free.

    They are the first of ``work.stack``.
    """
    n = len(costs)
    row_of = work.source[:n]
    make_feasible(costs, work.f[:n], g, work.distance[:n], row_of)
    target[:] = -1
    owner[:] = -1
    for j in range(n - 1, -1, -1):
        i = row_of[j]
        if target[i] < 0:
            target[i], owner[j] = j, i
    return _reduce_rows(costs, target, owner, g, work.stack[:n], work.distance[:n], work.stop)


@kernel()
def _assign_free(costs, count, target, owner, g, work):
    """Assign the free rows by augmenting paths; returns whether all are."""
    free_columns, left = np.empty(count, np.int64), 0
    for j in range(len(costs)):
        if owner[j] < 0:
            free_columns[left] = j
            left += 1
    for k in range(count):
        _augment(costs, work.stack[k], target, owner, g, free_columns[:left], work)
        left -= 1
        if work.stop[0] != 0:
            return left == 0
    return True


@kernel(borrows=True)
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


@kernel(borrows=True)
def _augment(costs, start, target, owner, g, free_columns, work):
    """Assign the free row ``start`` along a shortest path of reduced costs c - f - g (Dijkstra on columns).

    The column at its end is moved to the end of ``free_columns``.
    """
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
        found = False
        for k in range(len(free_columns)):  # of columns as near as each other a free one ends the search
            if distance[free_columns[k]] == least:
                found = True
                j = free_columns[k]
                free_columns[k], free_columns[-1] = free_columns[-1], j
                break
        if found:
            break
        j = first_equal(distance, least)
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
