"""What a multiscale solve knows at any moment: its clock, its interval, and the best potentials so far."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import numpy as np

from otdiv.core.validation import Array
from otdiv.network_flow.integer_masses import TOTAL
from otdiv.pricing.pricing import Pricing
from otdiv.problem.transport_problem import TransportProblem
from otdiv.transport.methods.multiscale.scales import Scale
from otdiv.transport.progress import Progress


class Stopped(Exception):
    """The time is up."""


class Run:
    """What changes while solving; ``coarse`` is the last scale that was solved, and g there."""

    def __init__(self, problem: TransportProblem, deadline: float, progress: Callable[[Progress], None] | None) -> None:
        self.problem, self.deadline, self.progress = problem, deadline, progress
        self.started = time.monotonic()
        self.coarse: tuple[int, Array] | None = None
        self.f: Array | None = None
        self.g: Array | None = None
        self.lower, self.upper = -np.inf, np.inf
        self.seconds: dict[str, float] = {}
        self.stats: dict[str, Any] = {"pivots": 0, "bids": 0, "rounds": 0, "arcs": 0, "seconds": self.seconds}

    def look_at_clock(self) -> None:
        """Stop when the time is up; the coarsest scale takes milliseconds and is always solved."""
        if self.coarse is not None and time.monotonic() > self.deadline:
            raise Stopped

    @contextmanager
    def timed(self, part: str) -> Iterator[None]:
        """Add the time that this takes to that part of the work."""
        started = perf_counter()
        try:
            yield
        finally:
            self.seconds[part] = self.seconds.get(part, 0.0) + perf_counter() - started

    def tell(self, points: int, arcs: int) -> None:
        """Report after a round."""
        self.stats["arcs"] = arcs
        if self.progress is not None:
            mass = self.problem.mu.mass
            spent = time.monotonic() - self.started
            self.progress(Progress(spent, points, arcs, self.lower * mass, self.upper * mass))

    def pricing(self, x: Array, y: Array) -> Pricing:
        """Pricing between two sets of points at the problem's cost."""
        return Pricing(x, y, self.problem.cost, self.problem.largest_cost)

    def keep(self, scale: Scale, f: Array, g: Array) -> None:
        """Take f + g <= c at the finest scale as the best potentials, if they are better."""
        lower = dot(scale.a, f) + dot(scale.b, g)
        if lower > self.lower or self.f is None:
            self.f, self.g, self.lower = f, g.copy(), lower

    def extended(self, scales: list[Scale], points: Array | None = None) -> Array:
        """f at the sources, or at other points, from g at the last scale that was solved."""
        assert self.coarse is not None
        level, g = self.coarse
        return self.pricing(scales[0].x if points is None else points, scales[level].y).minima(g)[0]


def dot(masses: Array, potential: Array) -> float:
    """The integral of a potential, masses in quanta."""
    return float(masses / TOTAL @ potential)
