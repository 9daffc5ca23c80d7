"""The cheapest flow on a dense matrix for any masses: a greedy start, then shortest augmenting paths.

    min { sum c_ij flow_ij : row sums = supply, column sums = demand }

in whole units, so that ties between masses are exact.  Potentials satisfy f_i + g_j <= c_ij, with equality where
flow is (successive shortest paths; Ahuja, Magnanti and Orlin, Network Flows, 1993, section 9.7).
"""

from __future__ import annotations

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.network_flow.small.rows import first_equal, first_potentials, least_of, reduced_row, relax_row

PATHS_PER_NODE = 30
"""Augmenting paths for each source and target, after which the problem is given up; one or two are usual."""


@kernel()
def send_flow(costs, supply, demand, flow, f, g, work):
    """Fill ``flow`` [m, n] (targets by sources), f [n] and g [m]; supply [n] and demand [m] are used up.

    Returns whether everything was sent; the potentials are feasible but for rounding in any case.
    """
    n, m = costs.shape
    flow[:] = 0
    row_of = work.source[:m]
    senders, counts = work.rows[: n * m].reshape(m, n), work.stack[:m]
    counts[:] = 0
    first_potentials(costs, f, g, work.distance[:m], row_of)
    for j in range(m):
        _send(row_of[j], j, supply, demand, flow, senders, counts)
    reduced = work.distance[:m]
    for i in range(n):
        f[i] = reduced_row(costs[i], g, reduced)
        if supply[i] > 0:
            _send(i, first_equal(reduced, f[i]), supply, demand, flow, senders, counts)
    left = PATHS_PER_NODE * (n + m)
    for i in range(n):
        while supply[i] > 0:
            if left == 0:
                return False
            left -= 1
            _augment(costs, i, supply, demand, flow, senders, counts, f, g, work)
    return True


@kernel()
def _send(i, j, supply, demand, flow, senders, counts):
    """Send directly from i to j what both have left."""
    amount = min(supply[i], demand[j])
    if amount > 0:
        supply[i] -= amount
        demand[j] -= amount
        _add(i, j, amount, flow, senders, counts)


@kernel()
def _add(i, j, amount, flow, senders, counts):
    """Add a positive amount to the flow, and i to the list of those that send to j."""
    if flow[j, i] == 0:
        senders[j, counts[j]] = i
        counts[j] += 1
    flow[j, i] += amount


@kernel()
def _take(i, j, amount, flow, senders, counts):
    """Take a positive amount from the flow, and i from the list if that was all."""
    flow[j, i] -= amount
    if flow[j, i] == 0:
        k = first_equal(senders[j], i)
        counts[j] -= 1
        senders[j, k] = senders[j, counts[j]]


@kernel()
def _augment(costs, start, supply, demand, flow, senders, counts, f, g, work):
    """Send units of the source ``start`` along a shortest path of reduced costs c - f - g to a target with demand.

    Sources are reached again through targets that they send to; such arcs have reduced cost 0.
    """
    n, m = costs.shape
    distance, source, masked = work.distance[:m], work.source[:m], work.masked[:m]
    reached, through = work.reached[:n], work.through[:n]
    done, at = work.done, work.at
    distance[:] = np.inf
    masked[:] = g
    reached[:] = np.inf
    reached[start], through[start] = 0.0, -1
    relax_row(costs[start], start, masked, f[start], distance, source)
    count = 0
    while True:
        least = least_of(distance)
        j = first_equal(distance, least)
        if demand[j] > 0:
            break
        done[count], at[count] = j, least
        count += 1
        masked[j], distance[j] = -np.inf, np.inf
        for k in range(counts[j]):
            i = senders[j, k]
            if reached[i] == np.inf:
                reached[i], through[i] = least, j
                relax_row(costs[i], i, masked, f[i] - least, distance, source)
    for k in range(count):
        g[done[k]] += at[k] - least
    for i in range(n):
        if reached[i] < np.inf:
            f[i] += least - reached[i]
    amount, column = min(supply[start], demand[j]), j
    while True:
        i = source[column]
        if i == start:
            break
        column = through[i]
        amount = min(amount, flow[column, i])
    column = j
    while True:
        i = source[column]
        _add(i, column, amount, flow, senders, counts)
        if i == start:
            break
        column = through[i]
        _take(i, column, amount, flow, senders, counts)
    supply[start] -= amount
    demand[j] -= amount
