"""Exact transport on a regular grid by a flow along its edges, for the 1-norm and the maximum norm.

Of n m pairs only the 2 d (or 3^d - 1) neighbours of each cell are arcs: mass goes from cell to
cell, and what both measures have in common stays (Ling and Okada, IEEE Trans. PAMI 29, 2007).
From coarse to fine: the potentials of a grid of blocks, interpolated, indicate which edges will be
tight, and the network simplex starts from a spanning tree of such edges.  The flow is decomposed
into paths, which give the plan between points; the potentials are f = u and g = -u.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree

from otdiv.core.bounds import Status
from otdiv.core.budget import Budget, Stopped
from otdiv.core.options import DEFAULTS, SolverOptions, Tuning
from otdiv.core.progress import reporting
from otdiv.core.validation import Array
from otdiv.network_flow.flow_decomposition import decompose_flow
from otdiv.network_flow.graph import ArcList
from otdiv.network_flow.integer_masses import MASS_UNITS, SLACK_TOLERANCE, integer_masses, integrate
from otdiv.network_flow.simplex_pivots import PIVOTS_PER_NODE
from otdiv.network_flow.trees.spanning_tree import Basis
from otdiv.network_flow.undirected_simplex import basis_of_tree, level_out
from otdiv.problem.plan import Plan
from otdiv.problem.transport_problem import Proposal, TransportProblem
from otdiv.transport.methods.grid.detect import Grid, detect_grid
from otdiv.transport.methods.grid.edges import by_tiles, coarsen, interpolate, list_edges

_BYTES_PER_CELL = 1000
"""Measured peak per cell of the grid."""
_SMALLEST = 5
"""Cells along the longest axis from which a coarser grid is solved first."""


class GridState:
    """The finest tree so far, for a stop before the finest grid is solved."""

    def __init__(self, mass: float, budget: Budget, tuning: Tuning) -> None:
        self.mass, self.budget, self.tuning = mass, budget, tuning
        self.tree: Basis | None = None

    def after_batch(self, count: int, edges: ArcList, tree: Basis) -> None:
        """Count and report a batch of pivots, and stop where the time is up."""
        self.budget.stats["pivots"] += count
        upper = integrate(tree.flow, np.abs(tree.cost)) * self.mass
        self.budget.report(0.0, upper, points=len(tree.potential), arcs=len(edges.tails))
        self.budget.require_time()


def solve_grid(problem: TransportProblem, options: SolverOptions = DEFAULTS) -> Proposal:
    """Plan and potentials from the flow on the grid, optimal or the best found when stopped.

    Parameters
    ----------
    problem : TransportProblem
        One with a grid, see :func:`otdiv.transport.methods.grid.detect.detect_grid`.
    options : SolverOptions
        Its limits of time and memory, and its progress.

    Raises
    ------
    TooLarge
        The estimated need exceeds the limit.
    """
    grid = detect_grid(problem)
    assert grid is not None
    cells = int(np.prod(grid.shape))
    problem.require_memory(_BYTES_PER_CELL * cells, options.memory_limit, "the flow on the grid")
    supply, demand = _masses(problem, grid, cells)
    status, message = Status.OPTIMAL, "no edge is violated"
    with reporting(options.progress) as report:
        budget = options.budget("grid", report)
        state = GridState(problem.mu.mass, budget, options.tuning)
        try:
            tree = solve_tree(state, grid.axes, supply - demand, grid.diagonals)
        except (Stopped, KeyboardInterrupt) as stop:
            status, message = Status.STOPPED, str(stop) or "interrupted"
            known = state.tree is not None and len(state.tree.potential) == cells
            tree = state.tree if known and state.tree is not None else _any_tree(grid, supply - demand)
    message = f"network simplex on a grid of {' x '.join(map(str, grid.shape))} cells: {message}"
    plan = _plan(problem, grid, supply, demand, tree)
    return Proposal(
        plan, tree.potential[grid.at_x], -tree.potential[grid.at_y], status, {**state.budget.stats, "message": message}
    )


def _masses(problem: TransportProblem, grid: Grid, cells: int) -> tuple[Array, Array]:
    """Supply and demand of each cell, in mass units."""
    sources, targets = np.flatnonzero(problem.a), np.flatnonzero(problem.b)
    supply, demand = np.zeros(cells, np.int64), np.zeros(cells, np.int64)
    a, b = integer_masses(problem.a[sources], problem.b[targets])
    supply[grid.at_x[sources]], demand[grid.at_y[targets]] = a, b
    return supply, demand


def solve_tree(state: GridState, axes: tuple[Array, ...], excess: Array, diagonals: bool) -> Basis:
    """The optimal tree of a grid, started from that of the next coarser one."""
    tails, heads, lengths = list_edges(axes, diagonals)
    slack = lengths
    if max(len(axis) for axis in axes) >= _SMALLEST:
        blocks, sums = coarsen(axes, excess)
        u = interpolate(solve_tree(state, blocks, sums, diagonals).potential, blocks, axes)
        slack = lengths - np.abs(u[tails] - u[heads])
    tree = _tightest_tree(tails, heads, lengths, slack, excess)
    state.tree = tree
    state.budget.stats["arcs"] = 2 * len(tails)
    order = by_tiles(axes, tails)
    edges = ArcList(tails[order], heads[order], lengths[order])
    most = PIVOTS_PER_NODE * len(excess)
    level_out(edges, tree, SLACK_TOLERANCE, most, state.tuning, lambda count: state.after_batch(count, edges, tree))
    return tree


def _tightest_tree(tails: Array, heads: Array, lengths: Array, slack: Array, excess: Array) -> Basis:
    """The spanning tree of the edges with the least slack, and its flow."""
    n = len(excess)
    if n == 1:
        return basis_of_tree(np.zeros(1, np.int32), np.full(1, -1, np.int32), np.zeros(1), excess)
    weights = slack - slack.min() + 1e-3 * float(lengths.max())  # a weight of 0 would be no edge
    found = minimum_spanning_tree(sparse.csr_array((weights, (tails, heads)), shape=(n, n)))
    order, parent = breadth_first_order(found, n - 1, directed=False)
    parent[n - 1] = -1
    node, above = np.arange(n - 1), parent[:-1]
    edge = np.searchsorted(tails.astype(np.int64) * n + heads, np.minimum(node, above) * n + np.maximum(node, above))
    return basis_of_tree(order, parent, np.append(lengths[edge], 0.0), excess)


def _any_tree(grid: Grid, excess: Array) -> Basis:
    """Some tree of the finest grid, for a stop on a coarser one."""
    tails, heads, lengths = list_edges(grid.axes, grid.diagonals)
    return _tightest_tree(tails, heads, lengths, lengths, excess)


def _plan(problem: TransportProblem, grid: Grid, supply: Array, demand: Array, tree: Basis) -> Plan:
    """The mass that stays in its cell, and the paths of the flow."""
    cells = len(supply)
    source, target = np.zeros(cells, np.intp), np.zeros(cells, np.intp)
    source[grid.at_x], target[grid.at_y] = np.arange(problem.n), np.arange(problem.m)
    origins, ends, masses = decompose_flow(supply - demand, tree)
    stays = np.minimum(supply, demand)
    kept = np.flatnonzero(stays)
    rows, columns = np.concatenate([source[kept], source[origins]]), np.concatenate([target[kept], target[ends]])
    mass = np.concatenate([stays[kept], masses]) * (problem.mu.mass / MASS_UNITS)
    return Plan(rows, columns, mass, (problem.n, problem.m))
