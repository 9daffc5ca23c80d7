"""Exact transport between large point clouds: coarse to fine, few arcs, pricing by search.

At each scale (:mod:`otdiv.transport.coarsen`): the coarser tree is refined into a
feasible one, candidate arcs are those of lowest reduced cost under the coarser
potentials and the pairs of children of arcs in use; the network simplex solves on
these; pricing over all pairs adds the arcs that violate f + g <= c, until at the
finest scale none does.  The tree survives from round to round.

It may be stopped at any moment: the tree of any scale refines to a plan, and the
potentials of any scale extend to all points.  Imports pricing, problem and below,
coarsen and network_simplex.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from otdiv.bounds import Status
from otdiv.errors import Array
from otdiv.plan import Plan
from otdiv.pricing.sweep import Arcs, Pricing, ordered
from otdiv.problem import Proposal, TransportProblem
from otdiv.transport.coarsen import TOTAL, Scale, integer_masses, refine, scales_of
from otdiv.transport.network_simplex import PARENT, Basis, basis_of, pivot, refresh_potentials
from otdiv.transport.progress import Progress

TOLERANCE = 2.0**-46
"""An arc violates when its reduced cost is below this share of the largest potential or cost."""
_NEIGHBOURS = 8
"""Candidate arcs at each point, in both directions."""
_ADDED = 12
"""Arcs added at each source in one round."""
_ROUNDS_WHEN_COARSE = 2
_CHUNK = 5000
_SCANNED_IN_CHUNK = 20_000_000
"""Pivots, and arcs looked at, between two looks at the clock."""
_PIVOTS_PER_NODE = 1000
"""Beyond so many only rounding still pivots; what is left open then shows in the proved interval."""
_LOOSE = 1e-4
"""From this tolerance on coarse scales are asked whether they suffice."""


class _Stopped(Exception):
    """The time is up."""


class _Run:
    """What changes while solving: the scale, its basis, the best potentials of the finest scale."""

    def __init__(self, problem: TransportProblem, deadline: float, progress: Callable[[Progress], None] | None) -> None:
        self.problem, self.deadline, self.progress = problem, deadline, progress
        self.started = time.monotonic()
        self.level, self.basis = 0, _single_arc()  # the level of the basis; at first above all scales
        self.coarse: tuple[int, Array] | None = None  # the last scale that was solved, and g there
        self.f: Array | None = None
        self.g: Array | None = None
        self.lower, self.upper = -np.inf, np.inf
        self.stats: dict[str, Any] = {"pivots": 0, "rounds": 0, "arcs": 0}

    def look_at_clock(self) -> None:
        """Stop when the time is up; the coarsest scale takes milliseconds and is always solved."""
        if self.coarse is not None and time.monotonic() > self.deadline:
            raise _Stopped

    def tell(self, points: int, arcs: int) -> None:
        self.stats["arcs"] = arcs
        if self.progress is not None:
            mass = self.problem.mu.mass
            spent = time.monotonic() - self.started
            self.progress(Progress(spent, points, arcs, self.lower * mass, self.upper * mass))


def solve_multiscale(
    problem: TransportProblem,
    rtol: float = 1e-9,
    time_limit: float | None = None,
    memory_limit: float | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Proposal:
    """Plan and potentials, optimal or the best found when stopped.

    Parameters
    ----------
    problem : TransportProblem
        With a cost of points: a norm of the difference or a power of one.
    rtol : float
        Relative gap at which to stop.
    time_limit : float, optional
        Seconds, after which the best plan and potentials so far are handed over (the audit comes on top).
        Ctrl-C does the same.
    memory_limit : float, optional
        Bytes.
    progress : callable, optional
        Called with a :class:`otdiv.transport.progress.Progress` after each round.

    Raises
    ------
    TooLarge
        The estimated need exceeds the limit.
    """
    problem.require_memory(memory_needed(problem), memory_limit, "the multiscale method")
    run = _Run(problem, np.inf if time_limit is None else time.monotonic() + time_limit, progress)
    # points without mass take no part; the auditor's c-transform finds their potentials
    sources, targets = np.flatnonzero(problem.a), np.flatnonzero(problem.b)
    sources = sources[ordered(problem.mu.points[sources])]
    targets = targets[ordered(problem.nu.points[targets])]
    a, b = integer_masses(problem.a[sources], problem.b[targets])
    scales = scales_of(problem.mu.points[sources], problem.nu.points[targets], a, b)
    status, message = Status.OPTIMAL, "no pair violates f + g <= c"
    run.level = len(scales)
    try:
        _solve_scales(run, scales, rtol)
        if run.upper - run.lower > rtol * run.upper:
            message = "rounding hides what still violates"
    except _Stopped:
        status, message = Status.STOPPED, "the time limit"
    except KeyboardInterrupt:
        status, message = Status.STOPPED, "interrupted"
    plan = _plan(run, scales, sources, targets)
    f, g = _potentials(run, scales, sources, targets)
    return Proposal(plan, f, g, status, {**run.stats, "message": f"multiscale network simplex: {message}"})


def memory_needed(problem: TransportProblem) -> float:
    """Bytes: points and boxes at all scales, tree, candidate arcs, and what one round of pricing returns."""
    return (problem.n + problem.m) * (1200.0 + 80.0 * problem.d)


def _single_arc() -> Basis:
    none = np.zeros(1, np.int64)
    return basis_of(1, 1, none.astype(np.int32), none.astype(np.int32), none, np.zeros(1))


def _solve_scales(run: _Run, scales: list[Scale], rtol: float) -> None:
    for level in range(len(scales) - 1, -1, -1):
        scale, coarse = scales[level], run.basis
        pricing = Pricing(scale.x, scale.y, run.problem.cost, run.problem.largest_cost)
        backward = Pricing(scale.y, scale.x, run.problem.cost, run.problem.largest_cost)
        basis = _refined(coarse, scale, pricing)
        if level == len(scales) - 1:
            arcs = _all_pairs(scale, pricing)
        else:
            f, g, near = _neighbours(run, scale, scales[level + 1], pricing, backward)
            arcs = _merged(pricing, near, _children(coarse, scale), _tree_arcs(basis, len(scale.x)))
            if level == 0:
                run.f, run.g, run.lower = f, g, _dot(scale.a, f) + _dot(scale.b, g)
        run.level, run.basis = level, basis
        run.look_at_clock()
        _settle(run, scale, pricing, arcs, rtol, finest=level == 0)
        run.coarse = level, -run.basis.potential[len(scale.x) :]
        if level > 0 and rtol >= _LOOSE and _suffices(run, scales, rtol):
            return


def _settle(run: _Run, scale: Scale, pricing: Pricing, arcs: Arcs, rtol: float, finest: bool) -> None:
    """Pivot and price in turn, until no pair violates; at coarse scales twice."""
    n = len(scale.x)
    rounds = 0
    while True:
        tolerance = TOLERANCE * max(float(np.abs(run.basis.potential).max()), float(arcs.costs.max()))
        _pivot_to_optimum(run, n, arcs, tolerance)
        f, g = run.basis.potential[:n], -run.basis.potential[n:]
        rounds += 1
        if not finest and rounds == _ROUNDS_WHEN_COARSE:
            return
        violating, lowest = pricing.lowest(g, f - tolerance, _ADDED)
        if finest:
            lower = _dot(scale.a, lowest) + _dot(scale.b, g)
            if lower > run.lower:
                run.f, run.g, run.lower = lowest, g.copy(), lower
            run.upper = float(run.basis.flow / TOTAL @ run.basis.cost)
        run.stats["rounds"] += 1
        run.tell(n, len(arcs.tails))
        if finest and run.upper - run.lower <= rtol * run.upper:
            return
        more = _merged(pricing, arcs, violating)
        if len(more.tails) == len(arcs.tails):  # none violates, or none that is new: the rest is rounding
            return
        arcs = more


def _pivot_to_optimum(run: _Run, n: int, arcs: Arcs, tolerance: float) -> None:
    block = max(16, int(np.sqrt(len(arcs.tails))))
    cursor, optimal, left = 0, False, _PIVOTS_PER_NODE * len(run.basis.flow)
    while not optimal and left > 0:
        count, _, cursor, optimal = pivot(n, *arcs, run.basis, cursor, block, tolerance, _CHUNK, _SCANNED_IN_CHUNK)
        run.stats["pivots"] += count
        left -= count
        refresh_potentials(n, run.basis)
        run.look_at_clock()


def _refined(coarse: Basis, scale: Scale, pricing: Pricing | None) -> Basis:
    """The coarser tree brought to this scale; without pricing its costs are left at 0."""
    tails, heads, flows = refine(coarse, scale.a, scale.b, scale.borders_x, scale.borders_y)
    costs = np.zeros(len(tails)) if pricing is None else pricing.costs(tails, heads)
    return basis_of(len(scale.x), len(scale.y), tails, heads, flows, costs)


def _all_pairs(scale: Scale, pricing: Pricing) -> Arcs:
    n, m = len(scale.x), len(scale.y)
    tails = np.repeat(np.arange(n, dtype=np.int32), m)
    heads = np.tile(np.arange(m, dtype=np.int32), n)
    return Arcs(tails, heads, pricing.costs(tails, heads))


def _neighbours(
    run: _Run, scale: Scale, coarser: Scale, forward: Pricing, backward: Pricing
) -> tuple[Array, Array, list[Arcs]]:
    """Coarse potentials extended to this scale, f_i + g_j <= c_ij, and the arcs where they are nearly tight."""
    assert run.coarse is not None
    cost, largest = run.problem.cost, run.problem.largest_cost
    f, _ = Pricing(scale.x, coarser.y, cost, largest).minima(run.coarse[1])
    arcs, g = backward.lowest(f, np.full(len(scale.y), np.inf), _NEIGHBOURS)
    more, f = forward.lowest(g, np.full(len(scale.x), np.inf), _NEIGHBOURS)
    return f, g, [Arcs(arcs.heads, arcs.tails, arcs.costs), more]


def _children(coarse: Basis, scale: Scale) -> Arcs:
    """All pairs of points in the two clusters of each coarse arc that carries flow."""
    clusters = len(scale.borders_x) - 1
    nodes = np.flatnonzero((coarse.links[:, PARENT] >= 0) & (coarse.flow > 0))
    above = coarse.links[nodes, PARENT]
    i, j = np.where(nodes < clusters, nodes, above), np.where(nodes < clusters, above, nodes) - clusters
    if len(scale.borders_x) == len(scale.x) + 1 or len(scale.borders_y) == len(scale.y) + 1:
        i, j = i[:0], j[:0]  # a side whose points stay apart has many children on the other: left to pricing
    tails, heads = [np.empty(0, np.int32)], [np.empty(0, np.int32)]
    for p in range(int(np.diff(scale.borders_x).max())):
        for q in range(int(np.diff(scale.borders_y).max())):
            s, t = scale.borders_x[i] + p, scale.borders_y[j] + q
            there = (s < scale.borders_x[i + 1]) & (t < scale.borders_y[j + 1])
            tails.append(s[there].astype(np.int32))
            heads.append(t[there].astype(np.int32))
    return Arcs(np.concatenate(tails), np.concatenate(heads), np.empty(0))


def _tree_arcs(basis: Basis, n: int) -> Arcs:
    nodes = np.flatnonzero(basis.links[:, PARENT] >= 0)
    above = basis.links[nodes, PARENT]
    return Arcs(np.where(nodes < n, nodes, above), np.where(nodes < n, above, nodes) - n, basis.cost[nodes])


def _merged(pricing: Pricing, *lists: Arcs | list[Arcs]) -> Arcs:
    """The union, sorted by source and target, so that a scan over a range of arcs stays among near points."""
    m = len(pricing.y)
    every = [arcs for entry in lists for arcs in (entry if isinstance(entry, list) else [entry])]
    keys = np.concatenate([arcs.tails.astype(np.int64) * m + arcs.heads for arcs in every])
    keys.sort()
    keys = keys[np.concatenate([[True], keys[1:] != keys[:-1]])]
    tails, heads = np.divmod(keys, m)
    tails, heads = tails.astype(np.int32), heads.astype(np.int32)
    return Arcs(tails, heads, pricing.costs(tails, heads))


def _dot(masses: Array, potential: Array) -> float:
    return float(masses / TOTAL @ potential)


def _suffices(run: _Run, scales: list[Scale], rtol: float) -> bool:
    """Whether plan and potentials of this scale, brought to the points, are close enough; if so they are kept."""
    finest = scales[0]
    forward = Pricing(finest.x, finest.y, run.problem.cost, run.problem.largest_cost)
    backward = Pricing(finest.y, finest.x, run.problem.cost, run.problem.largest_cost)
    g, _ = backward.minima(_extended(run, scales))
    f, _ = forward.minima(g)
    level, basis = run.level, run.basis
    while level > 0:
        level -= 1
        basis = _refined(basis, scales[level], forward if level == 0 else None)
    run.f, run.g, run.lower = f, g, _dot(finest.a, f) + _dot(finest.b, g)
    run.upper = float(basis.flow / TOTAL @ basis.cost)
    run.tell(len(scales[run.level].x), run.stats["arcs"])
    if run.upper - run.lower > rtol * run.upper:
        return False
    run.level, run.basis = 0, basis
    return True


def _extended(run: _Run, scales: list[Scale]) -> Array:
    """f at the points from g at the last scale that was solved."""
    assert run.coarse is not None
    level, g = run.coarse
    return Pricing(scales[0].x, scales[level].y, run.problem.cost, run.problem.largest_cost).minima(g)[0]


def _plan(run: _Run, scales: list[Scale], sources: Array, targets: Array) -> Plan:
    """The flow of the tree, refined down to the points."""
    level, basis = run.level, run.basis
    while level > 0:
        level -= 1
        basis = _refined(basis, scales[level], None)
    n = len(sources)
    nodes = np.flatnonzero((basis.links[:, PARENT] >= 0) & (basis.flow > 0))
    above = basis.links[nodes, PARENT]
    i, j = np.where(nodes < n, nodes, above), np.where(nodes < n, above, nodes) - n
    mass = basis.flow[nodes] * (run.problem.mu.mass / TOTAL)
    return Plan(sources[i], targets[j], mass, (run.problem.n, run.problem.m))


def _potentials(
    run: _Run, scales: list[Scale], sources: Array, targets: Array
) -> tuple[Array, Array] | tuple[None, None]:
    """The best f and g, those of points without mass by the c-transform of the others."""
    if run.f is None or run.g is None:
        if run.coarse is None:
            return None, None
        run.f = _extended(run, scales)
        run.g = _price(run, scales[0].y, scales[0].x, run.f)
    mu, nu = run.problem.mu.points, run.problem.nu.points
    f, g = np.empty(len(mu)), np.empty(len(nu))
    f[sources], g[targets] = run.f, run.g
    idle = np.setdiff1d(np.arange(len(mu)), sources)
    f[idle] = _price(run, mu[idle], scales[0].y, run.g)
    idle = np.setdiff1d(np.arange(len(nu)), targets)
    g[idle] = _price(run, nu[idle], scales[0].x, run.f)
    return f, g


def _price(run: _Run, x: Array, y: Array, g: Array) -> Array:
    return Pricing(x, y, run.problem.cost, run.problem.largest_cost).minima(g)[0] if len(x) else np.empty(0)
