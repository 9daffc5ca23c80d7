"""Exact transport on a regular grid by a flow along its edges, for the 1-norm and the maximum norm.

Of n m pairs only the 2 d (or 3^d - 1) neighbours of each cell are arcs: mass goes from cell to
cell, and what both measures have in common stays (Ling and Okada, IEEE Trans. PAMI 29, 2007).
From coarse to fine: the potentials of a grid of blocks, interpolated, say which edges will be
tight, and a spanning tree of such edges is where the network simplex starts.  The flow's ways
give the plan between points, its potentials f = u and g = -u.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import minimum_spanning_tree

from otdiv.core.bounds import Status
from otdiv.core.compilation import announce_compilation
from otdiv.core.validation import Array
from otdiv.network_flow.integer_masses import TOTAL, integer_masses
from otdiv.network_flow.undirected_simplex import Graph, Tree, paths_of_flow, pivot_graph, refresh, tree_of_edges
from otdiv.problem.plan import Plan
from otdiv.problem.transport_problem import Proposal, TransportProblem
from otdiv.transport.methods.grid.detect import Lattice, coarser, edges, finer
from otdiv.transport.progress import Progress

announce_compilation()

_BYTES_PER_CELL = 1000
_SMALLEST = 5
_TOLERANCE = 2.0**-46
_CHUNK = 5000
_PIVOTS_PER_CELL = 1000


class _Stopped(Exception):
    """The time is up."""


class _Run:
    """What changes on the way from coarse to fine."""

    def __init__(self, problem: TransportProblem, deadline: float, progress: Callable[[Progress], None] | None) -> None:
        self.mass, self.deadline, self.progress = problem.mu.mass, deadline, progress
        self.started = time.monotonic()
        self.tree: Tree | None = None
        self.stats: dict[str, Any] = {"pivots": 0, "arcs": 0}

    def pause(self, graph: Graph, tree: Tree) -> None:
        """Between two batches of pivots: tell, and stop when the time is up."""
        if self.progress is not None:
            upper = float(tree.flow / TOTAL @ tree.length) * self.mass
            spent = time.monotonic() - self.started
            self.progress(Progress(spent, len(tree.u), len(graph.tails), 0.0, upper))
        if time.monotonic() > self.deadline:
            raise _Stopped


def solve_grid(
    problem: TransportProblem,
    lattice: Lattice,
    time_limit: float | None = None,
    memory_limit: float | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Proposal:
    """Plan and potentials from the flow on the grid, optimal or the best found when stopped.

    Parameters
    ----------
    problem : TransportProblem
    lattice : Lattice
        Its grid, from :func:`otdiv.transport.methods.grid.detect.lattice_of`.
    time_limit, memory_limit, progress
        As for the multiscale method.

    Raises
    ------
    TooLarge
        The estimated need exceeds the limit.
    """
    cells = int(np.prod(lattice.shape))
    problem.require_memory(_BYTES_PER_CELL * cells, memory_limit, "the flow on the grid")
    supply, demand = _masses(problem, lattice, cells)
    run = _Run(problem, np.inf if time_limit is None else time.monotonic() + time_limit, progress)
    status, message = Status.OPTIMAL, "no edge is violated"
    try:
        tree = _solved(run, lattice.axes, supply - demand, lattice.diagonals)
    except (_Stopped, KeyboardInterrupt) as stop:
        status = Status.STOPPED
        message = "the time limit" if isinstance(stop, _Stopped) else "interrupted"
        tree = run.tree if run.tree is not None and len(run.tree.u) == cells else _any_tree(lattice, supply - demand)
    message = f"network simplex on a grid of {' x '.join(map(str, lattice.shape))} cells: {message}"
    plan = _plan(problem, lattice, supply, demand, tree)
    return Proposal(plan, tree.u[lattice.at_x], -tree.u[lattice.at_y], status, {**run.stats, "message": message})


def _masses(problem: TransportProblem, lattice: Lattice, cells: int) -> tuple[Array, Array]:
    """What each cell gives and takes, in quanta."""
    sources, targets = np.flatnonzero(problem.a), np.flatnonzero(problem.b)
    supply, demand = np.zeros(cells, np.int64), np.zeros(cells, np.int64)
    a, b = integer_masses(problem.a[sources], problem.b[targets])
    supply[lattice.at_x[sources]], demand[lattice.at_y[targets]] = a, b
    return supply, demand


def _solved(run: _Run, axes: tuple[Array, ...], excess: Array, diagonals: bool) -> Tree:
    """The optimal tree of a grid, begun from that of the next coarser one."""
    tails, heads, lengths = edges(axes, diagonals)
    slack = lengths
    if max(len(axis) for axis in axes) >= _SMALLEST:
        blocks, sums = coarser(axes, excess)
        u = finer(_solved(run, blocks, sums, diagonals).u, blocks, axes)
        slack = lengths - np.abs(u[tails] - u[heads])
    tree = _tree(tails, heads, lengths, slack, excess)
    run.tree = tree
    run.stats["arcs"] = 2 * len(tails)
    graph = Graph(tails, heads, lengths)
    cursor, optimal, left = 0, False, _PIVOTS_PER_CELL * len(excess)
    while not optimal and left > 0:
        tolerance = _TOLERANCE * max(float(np.abs(tree.u).max()), float(lengths.max(initial=0.0)))
        block = max(16, int(np.sqrt(len(tails))))
        count, cursor, optimal = pivot_graph(graph, tree, cursor, block, tolerance, _CHUNK)
        refresh(tree.links, tree.up, tree.length, tree.u)
        run.stats["pivots"] += int(count)
        left -= max(1, int(count))
        run.pause(graph, tree)
    return tree


def _tree(tails: Array, heads: Array, lengths: Array, slack: Array, excess: Array) -> Tree:
    """The spanning tree of the edges with the least slack, and its flow."""
    n = len(excess)
    if n == 1:
        return Tree(*tree_of_edges(tails, heads, lengths, excess))
    weights = slack - slack.min() + 1e-3 * float(lengths.max())  # a weight of 0 would be no edge
    found = minimum_spanning_tree(sparse.csr_array((weights, (tails, heads)), shape=(n, n))).tocoo()
    kept = np.searchsorted(tails.astype(np.int64) * n + heads, found.coords[0].astype(np.int64) * n + found.coords[1])
    return Tree(*tree_of_edges(tails[kept], heads[kept], lengths[kept], excess))


def _any_tree(lattice: Lattice, excess: Array) -> Tree:
    """Some tree of the finest grid, for a stop on a coarser one."""
    tails, heads, lengths = edges(lattice.axes, lattice.diagonals)
    return _tree(tails, heads, lengths, lengths, excess)


def _plan(problem: TransportProblem, lattice: Lattice, supply: Array, demand: Array, tree: Tree) -> Plan:
    """What stays in its cell, and what goes along the ways of the flow."""
    cells = len(supply)
    source, target = np.zeros(cells, np.intp), np.zeros(cells, np.intp)
    source[lattice.at_x], target[lattice.at_y] = np.arange(problem.n), np.arange(problem.m)
    origins, ends, masses = paths_of_flow(supply - demand, tree)
    stays = np.minimum(supply, demand)
    kept = np.flatnonzero(stays)
    rows, columns = np.concatenate([source[kept], source[origins]]), np.concatenate([target[kept], target[ends]])
    mass = np.concatenate([stays[kept], masses]) * (problem.mu.mass / TOTAL)
    return Plan(rows, columns, mass, (problem.n, problem.m))
