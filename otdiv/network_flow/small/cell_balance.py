"""Potentials of few sources against many targets: one coordinate at a time, each at its best.

    D(f) = sum_i a_i f_i + sum_j b_j min_i (c_ij - f_i)

is concave.  As a function of f_i alone it is largest where the cell of source i, the targets with the least c_ij - f_i
at i, has the mass a_i: at the quantile of order a_i of

    s_j = c_ij - min_{h != i} (c_hj - f_h),

each s_j with the mass b_j.  Of two sources one step is the optimum; of more, a few rounds leave little to move.
"""

from __future__ import annotations

import numpy as np

from otdiv.core.compilation import kernel


@kernel()
def balance_cells(costs, supply, demand, rounds, f, g, row_of, stop):
    """Raise and lower each f_i, some rounds, until its cell has the supply but for a target.

    Parameters
    ----------
    costs : ndarray [n, m]
    supply, demand : int64 ndarray [n], [m]
    rounds : int
        Passes over all sources.
    f : ndarray [n]
        Any potentials at first.
    g : ndarray [m]
        Gets min_i (c_ij - f_i).
    row_of : int64 ndarray [m]
        Gets the source of each minimum.
    stop : int64 ndarray [1]
        Set to 1 by another thread where the rounds are to end.
    """
    n, m = costs.shape
    second, beyond = np.empty(m, np.int64), np.empty(m)  # the next source, and c_ij - f_i there
    load, heaviest = np.zeros(n, np.int64), np.int64(0)
    for j in range(m):
        _find_two_least(costs, f, j, g, row_of, beyond, second)
        load[row_of[j]] += demand[j]
        heaviest = max(heaviest, demand[j])
    keys, masses = np.empty(m), np.empty(m, np.int64)
    for _ in range(rounds):
        moved = False
        for i in range(n):
            if stop[0] != 0:
                return
            if abs(load[i] - supply[i]) <= heaviest:
                continue
            for j in range(m):
                keys[j] = costs[i, j] - (beyond[j] if row_of[j] == i else g[j])
                masses[j] = demand[j]
            f[i] = quantile(keys, masses, supply[i])
            _change_potential(costs, demand, i, f, g, row_of, beyond, second, load)
            moved = True
        if not moved:
            return


@kernel(borrows=True)
def _find_two_least(costs, f, j, g, row_of, beyond, second):
    """The least and second least c_ij - f_i of target j, with their sources."""
    least, next_least, at, next_at = np.inf, np.inf, 0, 0
    for i in range(len(f)):
        reduced = costs[i, j] - f[i]
        if reduced < least:
            least, next_least, at, next_at = reduced, least, i, at
        elif reduced < next_least:
            next_least, next_at = reduced, i
    g[j], row_of[j], beyond[j], second[j] = least, at, next_least, next_at


@kernel(borrows=True)
def _change_potential(costs, demand, i, f, g, row_of, beyond, second, load):
    """Bring the two least of each target, and the loads, up to date with f_i."""
    for j in range(len(g)):
        reduced, owner = costs[i, j] - f[i], row_of[j]
        if owner == i:
            if reduced <= beyond[j]:
                g[j] = reduced
            else:
                _find_two_least(costs, f, j, g, row_of, beyond, second)
        elif reduced < g[j]:
            row_of[j], g[j], second[j], beyond[j] = i, reduced, owner, g[j]
        elif second[j] == i and reduced > beyond[j]:
            _find_two_least(costs, f, j, g, row_of, beyond, second)
        elif reduced < beyond[j] or second[j] == i:
            second[j], beyond[j] = i, reduced
        if row_of[j] != owner:
            load[owner] -= demand[j]
            load[row_of[j]] += demand[j]


@kernel(borrows=True)
def quantile(keys, masses, wanted):
    """The least key up to which the masses add up to ``wanted``, or the largest key; reorders both arrays."""
    low, high = 0, len(keys) - 1
    while low < high:
        middle = _median(keys[low], keys[(low + high) // 2], keys[high])
        i, j, left = low, high, np.int64(0)
        while i <= j:
            while keys[i] < middle:
                left += masses[i]
                i += 1
            while keys[j] > middle:
                j -= 1
            if i <= j:
                keys[i], keys[j], masses[i], masses[j] = keys[j], keys[i], masses[j], masses[i]
                left += masses[i]
                i += 1
                j -= 1
        if i - j == 2:  # between the parts a key equal to the middle, counted with the left one
            left -= masses[j + 1]
        if wanted <= left:
            high = j
        elif i - j == 2 and wanted <= left + masses[j + 1]:
            return middle
        else:
            wanted -= left + (masses[j + 1] if i - j == 2 else 0)
            low = i
    return keys[low]


@kernel(borrows=True)
def _median(p, q, r):
    """The middle one of three."""
    return max(min(p, q), min(max(p, q), r))
