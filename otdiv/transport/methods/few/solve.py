r"""Exact transport between few points and many, any cost.

With k sources and m targets, k much smaller than m, the dual is a concave function of the k potentials f of the few,

    max_f  sum_i a_i f_i + sum_j b_j min_i (c_ij - f_i),

whose inner minimum assigns each target to a cell of the sources, a power diagram for the squared distance (Aurenhammer,
Hoffmann and Aronov, Algorithmica 20, 1998).  Where the cells have more or less mass than their sources send, targets
are handed on along shortest paths between cells (:mod:`otdiv.transport.methods.few.augmentation`) until all agree; at
most k - 1 targets are split, but for ties.  The problem is solved for a small random sample of the targets first, then
for larger ones, and for all of them: by the potentials of a sample, the cells of one four times as large have the wrong
mass by about sqrt(k m) targets only.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from otdiv.core.bounds import Status
from otdiv.core.budget import Budget, Stopped
from otdiv.core.memory import row_blocks
from otdiv.core.options import DEFAULTS, SolverOptions, Tuning
from otdiv.core.progress import reporting
from otdiv.core.validation import Array
from otdiv.network_flow.integer_masses import integer_masses
from otdiv.problem.plan import Plan
from otdiv.problem.potentials import extend_potentials
from otdiv.problem.transport_problem import Proposal, TransportProblem
from otdiv.transport.methods.few.augmentation import DONE, FULL, run_augmentations
from otdiv.transport.methods.few.exchange_graph import ExchangeGraph, build_exchange_graph, with_more_room

_BYTES_PER_PAIR = 10
"""Measured peak per pair of points: the costs, and a block of them on its way."""
_BYTES_PER_TARGET = 200
_BYTES_PER_PAIR_OF_SOURCES = 40
_FEWEST_TARGETS = 1024
"""Targets of the smallest sample.  Smaller: one sample more, solved in less than a millisecond."""
_TARGETS_PER_SOURCE = 4
"""Targets per source of the smallest sample, at least."""
_RATIO = 4
"""Ratio of the sizes of two consecutive samples."""
_AUGMENTATIONS_PER_BATCH = 100_000


class _Sides(NamedTuple):
    """The atoms with mass: of the side that has few, and of the other in random order."""

    few: Array
    many: Array
    swapped: bool


def solve_few(problem: TransportProblem, options: SolverOptions = DEFAULTS) -> Proposal:
    """Plan and potentials by shortest augmenting paths between the cells of the few.

    Parameters
    ----------
    problem : TransportProblem
        Any cost without forbidden arcs; either side may be the one with few points.
    options : SolverOptions
        Its limits of time and memory, and its progress.  When stopped, plan and potentials are proposed as they are.

    Returns
    -------
    Proposal

    Raises
    ------
    TooLarge
        The estimated need exceeds the limit.
    """
    sides = _sides(problem)
    k, m = len(sides.few), len(sides.many)
    need = _BYTES_PER_PAIR * k * m + _BYTES_PER_TARGET * m + _BYTES_PER_PAIR_OF_SOURCES * k * k
    problem.require_memory(need, options.memory_limit, "the costs between few points and many")
    a, b = (problem.b, problem.a) if sides.swapped else (problem.a, problem.b)
    a, b = a[sides.few], b[sides.many]
    costs, f, graph, stopped = None, np.zeros(k), None, ""
    with reporting(options.progress) as report:
        budget = options.budget("few", report)
        try:
            with budget.timed("costs"):
                costs = _costs_by_targets(problem, sides, budget)
            for size in _sample_sizes(k, m):
                with budget.timed("cells"):
                    graph = build_exchange_graph(costs[:size], *_whole_masses(a, b[:size]), f)
                f = graph.f
                with budget.timed("paths"):
                    graph = _hand_on(graph, budget, options.tuning)
        except (Stopped, KeyboardInterrupt) as stop:
            stopped = str(stop) or "interrupted"
    if costs is None:
        return Proposal.stopped(f"few: {stopped}")
    if graph is None or len(graph.costs) < m:  # then the cells of the potentials reached, whatever mass they have
        graph = build_exchange_graph(costs, *_whole_masses(a, b), f)
    status, message = (Status.STOPPED, stopped) if stopped else (Status.OPTIMAL, "all cells have their mass")
    return _proposal(problem, sides, graph, b, status, {**budget.stats, "message": f"few against many: {message}"})


def _sides(problem: TransportProblem) -> _Sides:
    sources, targets = np.flatnonzero(problem.a), np.flatnonzero(problem.b)
    swapped = len(sources) > len(targets)
    few, many = (targets, sources) if swapped else (sources, targets)
    # the order decides how long it takes and not the result, so its seed is fixed
    return _Sides(few, np.random.default_rng(0).permutation(many), swapped)


def _costs_by_targets(problem: TransportProblem, sides: _Sides, budget: Budget) -> Array:
    """The costs [m, k] between the atoms with mass, the many in their random order."""
    costs = np.empty((len(sides.many), len(sides.few)))
    x, y = problem.mu.points, problem.nu.points
    given = problem.costs() if problem.keeps_matrix else None
    for rows in row_blocks(*costs.shape):
        many = sides.many[rows]
        pairs = (many, sides.few) if sides.swapped else (sides.few, many)
        block = problem.cost.matrix(x[pairs[0]], y[pairs[1]]) if given is None else given[np.ix_(*pairs)]
        costs[rows] = block if sides.swapped else block.T
        budget.require_time()
    return costs


def _whole_masses(a: Array, b: Array) -> tuple[Array, Array]:
    """Masses as whole numbers: where all of a side are equal, so that targets that need not be split are not.

    Rounded to units, k equal masses would differ from m / k equal ones by a few units, which would be handed on, too.
    """
    k, m = len(a), len(b)
    if a.min() < a.max() or b.min() < b.max():
        return integer_masses(a, b)
    common = math.gcd(k, m)
    return np.full(k, m // common), np.full(m, k // common)


def _sample_sizes(k: int, m: int) -> list[int]:
    """How many targets each sample has, the last one all."""
    sizes = [m]
    while sizes[-1] > _RATIO * max(_FEWEST_TARGETS, _TARGETS_PER_SOURCE * k):
        sizes.append(sizes[-1] // _RATIO)
    return sizes[::-1]


def _hand_on(graph: ExchangeGraph, budget: Budget, tuning: Tuning) -> ExchangeGraph:
    """Augment until no excess is left; the graph's arrays change in place, or are replaced by larger ones."""
    m, k = graph.costs.shape
    while True:
        count, _, code = run_augmentations(graph, _AUGMENTATIONS_PER_BATCH, tuning.scans_per_batch)
        budget.stats["pivots"] += int(count)
        if code == DONE:
            return graph
        if code == FULL:
            graph = with_more_room(graph)
        budget.report(points=m + k, arcs=m * k)
        budget.require_time()


def _proposal(
    problem: TransportProblem, sides: _Sides, graph: ExchangeGraph, b: Array, status: Status, stats: dict[str, Any]
) -> Proposal:
    """Pieces as a plan; a target with a single piece receives its weight itself, without rounding to units."""
    pieces = np.flatnonzero(graph.source >= 0)
    few, many = sides.few[graph.source[pieces]], sides.many[graph.target[pieces]]
    whole = np.bincount(graph.target[pieces], minlength=len(b))[graph.target[pieces]] == 1
    mass = np.where(whole, b[graph.target[pieces]], graph.flow[pieces] * (problem.mu.mass / float(graph.flow.sum())))
    f = graph.f - 0.5 * (float(graph.f.min()) + float(graph.f.max()))
    g = np.concatenate([(graph.costs[rows] - f).min(axis=1) for rows in row_blocks(*graph.costs.shape)])
    stats["arcs"] = len(pieces)
    shape = (problem.n, problem.m)
    if sides.swapped:
        plan = Plan(many, few, mass, shape)
        f, g = extend_potentials(problem, sides.many, sides.few, g, f)
    else:
        plan = Plan(few, many, mass, shape)
        f, g = extend_potentials(problem, sides.few, sides.many, f, g)
    return Proposal(plan, f, g, status, stats)
