"""Exact assignment between two equal halves of a pool of points, by nearest neighbours and pricing, compiled.

The arcs to the nearest points of the other half carry an auction with falling tolerances and then augmenting paths
(:mod:`otdiv.network_flow.assignment_auction`, :mod:`otdiv.network_flow.alternating_forest`).  Pricing over all pairs
finds the arcs that violate f_i + g_j <= c_ij; they are added, until none violates.
"""

from __future__ import annotations

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.network_flow.alternating_forest import augment, augment_one_by_one
from otdiv.network_flow.assignment_auction import UNASSIGNED, Assignment, restore_slackness, run_bids
from otdiv.network_flow.graph import CompressedRows
from otdiv.network_flow.integer_masses import SLACK_TOLERANCE
from otdiv.two_sample.pooled.neighbours import link_nearest

NEIGHBOURS = 32
"""Arcs to the nearest points of the other half, of every point.  More: longer scans, fewer rounds of pricing."""
_SHARES = (1.0, 0.1, 1e-2, 1e-3)
"""Tolerances of the bids, as shares of the first one."""
_FIRST = 10.0
"""The first tolerance, in units of the mean difference between the second best and the best arc of a source."""
_MOST_BIDS = 20
"""Bids per source at one tolerance, after which the rest is left to the search for paths."""
_LEFT_TO_PATHS = 2e-3
"""Share of the sources that bids may leave unassigned."""
_TREE_SIZE = 300
"""Sources in the tree of a single source, at which it is given up and left to the forest."""


@kernel()
def sparse_assignment_costs(geometry, labels, forest, values, gaps):
    """The optimal mean distance of the assignment of every division into equal halves.

    Parameters
    ----------
    geometry : PooledGeometry
    labels : ndarray of bool [B, N]
        True: the point is a source; N / 2 in every row.
    forest : Forest
        Scratch arrays for N / 2 sources.
    values, gaps : ndarray [B]
        The optimal costs, and by how much the cost of the assignment exceeds the value of the potentials.
    """
    n = labels.shape[1] // 2
    costs = np.empty((n, n))
    linked = np.empty((n, n), np.bool_)
    for b in range(len(labels)):
        _halves(geometry, labels[b], costs, linked)
        assignment = _solve(costs, linked, forest)
        values[b], gaps[b] = _check(costs, assignment)


@kernel()
def _halves(geometry, is_source, costs, linked):
    """The costs [n, n] from sources to targets, and which pairs begin as arcs."""
    sources, targets = np.flatnonzero(is_source), np.flatnonzero(~is_source)
    for i in range(len(sources)):
        for j in range(len(targets)):
            costs[i, j] = geometry.distance[sources[i], targets[j]]
    linked[:] = False
    link_nearest(geometry.neighbour, is_source, NEIGHBOURS, linked)


@kernel()
def _compress(costs, linked):
    """The rows of the linked pairs."""
    n, m = costs.shape
    arcs = np.sum(linked)
    start, ends, arc_costs = np.zeros(n + 1, np.uint32), np.empty(arcs, np.uint32), np.empty(arcs)
    at = 0
    for i in range(n):
        for j in range(m):
            if linked[i, j]:
                ends[at], arc_costs[at] = j, costs[i, j]
                at += 1
        start[i + 1] = at
    return CompressedRows(start, ends, arc_costs)


@kernel()
def _solve(costs, linked, forest):
    n = len(costs)
    graph = _compress(costs, linked)
    short = np.int32
    assignment = Assignment(
        np.zeros(n), np.zeros(n), np.full(n, UNASSIGNED, short), np.zeros(n), np.full(n, UNASSIGNED, short)
    )
    first = _FIRST * restore_slackness(graph, assignment, np.inf)
    largest = np.max(costs)
    if first > SLACK_TOLERANCE * largest:  # else all arcs tie, and bids would raise prices by nothing
        for share in _SHARES:
            restore_slackness(graph, assignment, first * share)
            run_bids(graph, assignment, first * share, int(_LEFT_TO_PATHS * n), _MOST_BIDS * n)
    overshoot = max(first, 1e-3 * largest)
    while True:
        tolerance = SLACK_TOLERANCE * max(np.max(np.abs(assignment.g)), largest)
        restore_slackness(graph, assignment, tolerance)
        augment_one_by_one(graph, assignment, forest, 0, n, _TREE_SIZE)
        while True:
            roots = np.flatnonzero(assignment.target == UNASSIGNED).astype(np.int32)
            if len(roots) == 0 or augment(graph, assignment, forest, roots, overshoot) == 0:
                break
        if _link_violating(costs, linked, assignment, tolerance) == 0 and len(roots) == 0:
            return assignment
        graph = _compress(costs, linked)
        overshoot *= 2.0


@kernel()
def _link_violating(costs, linked, assignment, tolerance):
    """Link the pairs with c - f - g < -tolerance; returns how many are new."""
    f, g = assignment.f, assignment.g
    new = 0
    for i in range(len(f)):
        for j in range(len(g)):
            if costs[i, j] - g[j] < f[i] - tolerance and not linked[i, j]:
                linked[i, j] = True
                new += 1
    return new


@kernel()
def _check(costs, assignment):
    """Mean cost of the assignment, and its excess over the value of the potentials, from the costs alone."""
    _, g, target, _, _ = assignment
    n = len(target)
    above, below = 0.0, np.sum(g)
    for i in range(n):
        above += costs[i, target[i]]
        least = np.inf
        for j in range(n):
            least = min(least, costs[i, j] - g[j])
        below += least
    return above / n, (above - below) / n
