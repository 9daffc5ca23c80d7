"""The state of a multiscale solve: its interval, and the best potentials so far."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from otdiv.core.budget import Budget
from otdiv.core.options import SolverOptions
from otdiv.core.validation import Array
from otdiv.network_flow.integer_masses import integrate
from otdiv.pricing.grid_pricing import GridPricing
from otdiv.pricing.grid_transform import SeparableTransform
from otdiv.pricing.pricing import Pricing
from otdiv.problem.transport_problem import Proposal, TransportProblem
from otdiv.transport.methods.multiscale.earlier_solve import EarlierSolve
from otdiv.transport.methods.multiscale.scales import Scale


class SolverState:
    """What changes while solving, shared by both engines.

    Attributes
    ----------
    coarse : (int, ndarray) or None
        The last scale that was solved, and the potential g there.
    f, g : ndarray or None
        The best potentials at the points so far.
    lower, upper : float
        The interval, for masses of total 1, as the engine sees it.
    grid : tuple (x, y, SeparableTransform) or None
        The points of the finest scale, where they are cells of a grid and the cost is the squared distance.
    earlier : EarlierSolve or None
        From which the engines go on.
    propose : callable or None
        The proposal of what has been found so far, for ``options.keeper``.
    """

    def __init__(self, problem: TransportProblem, options: SolverOptions, budget: Budget) -> None:
        self.problem, self.options, self.budget = problem, options, budget
        budget.stats |= {"bids": 0, "rounds": 0, "device": "cpu"}
        self.stats, self.timed, self.tuning = budget.stats, budget.timed, options.tuning
        self.coarse: tuple[int, Array] | None = None
        self.f: Array | None = None
        self.g: Array | None = None
        self.lower, self.upper = -np.inf, np.inf
        self.grid: tuple[Array, Array, SeparableTransform] | None = None
        self.earlier: EarlierSolve | None = None
        self.propose: Callable[[], Proposal] | None = None

    def require_time(self) -> None:
        """Stop when the time is up; the coarsest scale takes milliseconds and is always solved."""
        if self.coarse is not None:
            self.budget.require_time()

    def offer(self) -> None:
        """Have what was found so far kept, if it is time."""
        keeper = self.options.keeper
        if keeper is not None and self.propose is not None and keeper.due():
            with self.timed("checkpoints"):
                keeper.keep(self.propose())

    def report(self, points: int, arcs: int) -> None:
        """Report after a round."""
        self.stats["arcs"] = arcs
        mass = self.problem.mu.mass
        self.budget.report(self.lower * mass, self.upper * mass, points=points, arcs=arcs)

    def pricing(self, x: Array, y: Array) -> Pricing:
        """Pricing between two sets of points at the problem's cost."""
        given = x, y, self.problem.cost, self.problem.largest_cost, self.options
        if self.grid is not None:
            sources, targets, grid = self.grid
            if x is sources and y is targets:
                return GridPricing(*given, grid=grid)
            if x is targets and y is sources:
                return GridPricing(*given, grid=grid.turn_round())
        pricing = Pricing(*given)
        if pricing.by_torch is not None:
            self.stats["device"] = pricing.by_torch.device
        return pricing

    def keep_potentials(self, scale: Scale, f: Array, g: Array) -> None:
        """Take f + g <= c at the finest scale as the best potentials, if they are better."""
        lower = integrate(scale.a, f) + integrate(scale.b, g)
        if lower > self.lower or self.f is None:
            self.f, self.g, self.lower = f, g.copy(), lower

    def extend_coarse(self, scales: list[Scale], points: Array | None = None) -> Array:
        """f at the sources, or at other points, from g at the last scale that was solved."""
        assert self.coarse is not None
        level, g = self.coarse
        return self.pricing(scales[0].x if points is None else points, scales[level].y).minima(g)[0]
