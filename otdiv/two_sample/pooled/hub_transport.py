"""Exact transport between two groups of a pool, of any sizes, for the cost min(distance, cap), by network simplex.

A pair further apart than the cap is served through a hub at the cost cap: cap / 2 from the source to the hub, cap / 2
from the hub to the target.  So only arcs shorter than the cap are needed; the network simplex begins with those to
nearest neighbours (:mod:`otdiv.network_flow.simplex_pivots`), and pricing over all pairs adds the arcs that violate
f_i + g_j <= c_ij, until none does.  Without a cap, the largest distance in the pool is one.
"""

from __future__ import annotations

import math

import numpy as np

from otdiv.core.options import DEFAULTS
from otdiv.core.validation import Array
from otdiv.network_flow.graph import ArcList
from otdiv.network_flow.integer_masses import SLACK_TOLERANCE
from otdiv.network_flow.simplex_pivots import PIVOTS_PER_NODE, pivot_to_optimum
from otdiv.network_flow.trees.spanning_tree import Basis, build_basis, least_cost_basis
from otdiv.two_sample.pooled.geometry import PooledGeometry
from otdiv.two_sample.pooled.neighbours import link_nearest

NEIGHBOURS = 24
"""Arcs to the nearest points of the other group, of every point.  More: longer scans, fewer rounds of pricing."""


def hub_transport_costs(geometry: PooledGeometry, labels: Array, cap: float, values: Array, gaps: Array) -> None:
    """The optimal transport cost of every division, each group of mass 1.

    Parameters
    ----------
    geometry : PooledGeometry
    labels : ndarray of bool [B, N]
        True: the point is a source.
    cap : float
        The cost of a pair is min(distance, cap).
    values, gaps : ndarray [B]
        Set to the optimal costs, and to the excess of the cost of the flow over the value of the potentials.
    """
    ceiling = min(cap, float(geometry.sorted_distance[:, -1].max()))
    for b, is_source in enumerate(labels):
        values[b], gaps[b] = _solve(geometry, is_source, ceiling)


def _solve(geometry: PooledGeometry, is_source: Array, cap: float) -> tuple[float, float]:
    sources, targets = np.flatnonzero(is_source), np.flatnonzero(~is_source)
    n, m = len(sources), len(targets)
    divisor = math.gcd(n, m)
    a, b = np.full(n, m // divisor), np.full(m, n // divisor)
    costs = np.minimum(geometry.distance[np.ix_(sources, targets)], cap)
    if cap == 0:
        return 0.0, 0.0
    linked = np.zeros((n, m), dtype=bool)
    link_nearest(geometry.neighbour, is_source, NEIGHBOURS, linked)
    linked &= costs < cap
    arcs = _with_hub(costs, linked, cap)
    basis = _initial_basis(arcs, a, b, cap)
    while True:
        pivot_to_optimum(
            n + 1, arcs, basis, SLACK_TOLERANCE, cap, PIVOTS_PER_NODE * (n + m), DEFAULTS.tuning, lambda _: None
        )
        f, g = basis.potential[:n], -basis.potential[n + 1 : -1]
        tolerance = SLACK_TOLERANCE * max(cap, float(np.abs(basis.potential).max()))
        least = (costs - g).min(axis=1)
        rows = np.flatnonzero(least < f - tolerance)
        violating = (costs[rows] - g < (f[rows] - tolerance)[:, None]) & ~linked[rows] & (costs[rows] < cap)
        if not violating.any():
            mass = n * (m // divisor)
            above = float(basis.flow @ basis.cost) / mass
            return above, above - float(least.mean() + g.mean())
        linked[rows] |= violating
        arcs = _with_hub(costs, linked, cap)


def _with_hub(costs: Array, linked: Array, cap: float) -> ArcList:
    """The linked arcs; then those from the sources to the hub, from the hub to the targets, and through it for none."""
    n, m = costs.shape
    tails, heads = (index.astype(np.int32) for index in np.nonzero(linked))
    each, hub = np.arange(n, dtype=np.int32), np.int32(n)
    return ArcList(
        np.concatenate([tails, each, np.full(m + 1, hub)]),
        np.concatenate([heads, np.full(n, m, np.int32), np.arange(m + 1, dtype=np.int32)]),
        np.concatenate([costs[linked], np.full(n + m, 0.5 * cap), [0.0]]),
    )


def _initial_basis(arcs: ArcList, a: Array, b: Array, cap: float) -> Basis:
    """By the least-cost rule on the arcs between points; what is left goes through the hub."""
    n, m = len(a), len(b)
    count = len(arcs.tails) - (n + m + 1)
    order = np.argsort(arcs.costs[:count], kind="stable")
    tails, heads, flows, costs = least_cost_basis(*(column[:count] for column in arcs), a, b, order)
    costs[(tails == n) ^ (heads == m)] = 0.5 * cap
    return build_basis(n + 1, m + 1, tails, heads, flows, costs)
