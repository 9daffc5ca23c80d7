"""Minima over a row of costs, several entries at a time: what small dense problems spend their time on.

NaN never occurs here (costs are finite, masks infinite of one sign), and the sign of a zero does not matter; saying
so lets the compiler take entries several at a time.  No operation is reordered or replaced otherwise.
"""

from __future__ import annotations

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.network_flow.small.extremes import greater, lesser

NO_NAN = {"nnan", "nsz"}
"""Flags of the compiler for comparisons: neither changes a sum, a difference or a product."""
_COMPARED = np.uint64(64)
"""Entries compared with a value before it is asked whether one of them was equal; fewer: less of them at a time."""


@kernel(borrows=True, fastmath=NO_NAN)
def least_of(values):
    """The least entry."""
    least = np.inf
    for k in range(np.uint64(len(values))):  # unsigned, so that no index is checked for being negative
        least = lesser(values[k], least)
    return least


@kernel(borrows=True, fastmath=NO_NAN)
def extent_of(values):
    """The least and the largest entry."""
    least, largest = np.inf, -np.inf
    for k in range(np.uint64(len(values))):
        least, largest = lesser(values[k], least), greater(values[k], largest)
    return least, largest


@kernel(borrows=True, fastmath=NO_NAN)
def first_equal(values, value):
    """The first place of a value that occurs; -1 where it does not."""
    n = np.uint64(len(values))
    first = np.uint64(0)
    while first < n:
        end, place = min(first + _COMPARED, n), n
        for k in range(first, end):
            found = k if values[k] == value else n
            place = found if found < place else place
        if place < n:
            return np.int64(place)
        first = end
    return -1


@kernel(borrows=True, fastmath=NO_NAN)
def reduced_row(row, g, reduced):
    """row - g into ``reduced``; returns its least entry."""
    least = np.inf
    for k in range(np.uint64(len(row))):
        difference = row[k] - g[k]
        reduced[k] = difference
        least = lesser(difference, least)
    return least


@kernel(borrows=True)
def copy_to(values, to):
    """Copy entry by entry: an assignment of arrays compiles ten times as long, for its error messages."""
    for k in range(len(values)):
        to[k] = values[k]


@kernel(borrows=True, fastmath=NO_NAN)
def least_reduced(row, g):
    """The least entry of row - g."""
    least = np.inf
    for k in range(np.uint64(len(row))):
        least = lesser(row[k] - g[k], least)
    return least


@kernel(borrows=True, fastmath=NO_NAN)
def first_reduced(row, g, value):
    """The first place of a value that occurs in row - g; -1 where it does not."""
    n = np.uint64(len(row))
    first = np.uint64(0)
    while first < n:
        end, place = min(first + _COMPARED, n), n
        for k in range(first, end):
            found = k if row[k] - g[k] == value else n
            place = found if found < place else place
        if place < n:
            return np.int64(place)
        first = end
    return -1


@kernel(borrows=True)
def gather(costs, rows, columns, part):
    """part[i, j] = costs[rows[i], columns[j]]."""
    for i in range(len(rows)):
        for j in range(len(columns)):
            part[i, j] = costs[rows[i], columns[j]]


@kernel(borrows=True)
def mean_costs(costs, g):
    """The columns' mean costs as a first g.

    The mean cost of a target says how far it is from the sources as a whole; of two clouds apart it is nearly the
    optimal g.
    """
    n = len(costs)
    g[:] = 0.0
    for i in range(n):
        _add_row(costs[i], 1.0 / n, g)


@kernel(borrows=True)
def make_feasible(costs, f, g, reduced, row_of):
    """f_i = min_j (c_ij - g_j), then g_j = min_i (c_ij - f_i), with the row of each minimum; g is any at first."""
    n = len(costs)
    for i in range(n):
        f[i] = reduced_row(costs[i], g, reduced)
    extend_potential(costs, f, g, row_of)


@kernel(borrows=True)
def extend_potential(costs, f, g, row_of):
    """g_j = min_i (c_ij - f_i), with the row of each minimum."""
    g[:] = np.inf
    row_of[:] = 0
    for i in range(len(costs)):
        lower_minima(costs[i], i, f[i], g, row_of)


@kernel(borrows=True, fastmath=NO_NAN)
def _add_row(row, factor, g):
    for j in range(len(row)):
        g[j] += factor * row[j]


@kernel(borrows=True, fastmath=NO_NAN)
def lower_minima(row, i, f, g, row_of):
    """Lower g_j to c_ij - f_i, and name row i, where that is less."""
    for j in range(len(row)):
        reduced = row[j] - f
        nearer = reduced < g[j]
        g[j] = reduced if nearer else g[j]
        row_of[j] = i if nearer else row_of[j]


@kernel(borrows=True, fastmath=NO_NAN)
def relax_row(row, i, masked, shift, distance, source):
    """Lower the distances of columns to those through row i.

    The distance through row i is c_ij - masked_j - shift, infinite where a column that is done is masked by -inf.
    The caller asks :func:`least_of` for the least distance: in one function with it the compiler takes this loop
    entry by entry, which is three times as long.
    """
    for j in range(len(row)):
        through = (row[j] - masked[j]) - shift
        nearer = through < distance[j]
        distance[j] = through if nearer else distance[j]
        source[j] = i if nearer else source[j]
