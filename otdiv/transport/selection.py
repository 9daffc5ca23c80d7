"""Which method answers which problem, and why: decided from measurements, and open to be asked."""

from __future__ import annotations

from typing import NamedTuple

from otdiv.pricing.compiled_costs import priceable
from otdiv.problem.transport_problem import TransportProblem
from otdiv.transport.methods.grid.detect import lattice_of

METHODS = ("auto", "line", "grid", "multiscale", "pot", "simplex", "primal", "dual", "primal-cvxpy", "dual-cvxpy")
MULTISCALE_ABOVE = 2**19
"""From so many pairs on, measured on two cores with the certificate, the multiscale method is the faster one."""
GRID_ABOVE = 2**16
"""From so many pairs on a grid is looked for."""
SIMPLEX_ABOVE = 40_000
"""Forbidden arcs: up to so many pairs the linear program, beyond it our network simplex on the allowed arcs."""
LP_ARCS = 250_000
"""Up to this many arcs a second method is tried where the first is not proved optimal."""


class Choice(NamedTuple):
    """A method and the reason it was chosen."""

    method: str
    reason: str


def select_method(problem: TransportProblem) -> Choice:
    """Which method ``method="auto"`` takes, and why.

    Parameters
    ----------
    problem : TransportProblem

    Returns
    -------
    Choice
        ``method``, one of :data:`METHODS`, and ``reason``, a sentence.

    Examples
    --------
    >>> from otdiv import DiscreteMeasure, TransportProblem
    >>> select_method(TransportProblem(DiscreteMeasure([0.0, 1.0]), DiscreteMeasure([2.0]))).method
    'line'
    """
    if problem.on_line:
        return Choice("line", f"the points lie on the line and {problem.cost.name} is convex there: sorting is exact")
    if problem.sparse is not None:
        return Choice("simplex", "the cost is sparse: the network simplex works on its arcs, all others are forbidden")
    if problem.forbids and problem.n * problem.m > SIMPLEX_ABOVE:
        return Choice("simplex", "some arcs are forbidden (cost inf): the network simplex works on the others")
    if problem.forbids:
        return Choice("primal", "some arcs are forbidden (cost inf): the linear program leaves them out")
    if problem.n * problem.m >= GRID_ABOVE and lattice_of(problem) is not None:
        return Choice("grid", f"the points lie on a grid and {problem.cost.name} is the length of ways along it")
    if problem.n * problem.m >= MULTISCALE_ABOVE and multiscale_applies(problem):
        return Choice("multiscale", "many points: coarse to fine, and no cost matrix is needed")
    if problem.cost.by_entries and problem.cost.shape is None:
        return Choice("pot", "the cost is a function: all its values are computed and kept")
    return Choice("pot", "dense costs: the network simplex is the fastest exact method here")


def multiscale_applies(problem: TransportProblem) -> bool:
    """Whether the multiscale method knows this cost: a norm of the difference or a power of one, in range."""
    return not problem.cost.by_entries and priceable(problem.cost, problem.d, problem.largest_cost)


def fallbacks(problem: TransportProblem, first: str) -> tuple[str, ...]:
    """What "auto" tries after ``first`` where the interval is not as narrow as asked."""
    if first == "grid":
        return ("multiscale",)
    if first not in ("pot", "primal", "simplex"):
        return ()
    others = ("simplex", "primal", "dual") if problem.n * problem.m <= LP_ARCS else ("simplex",)
    return tuple(other for other in others if other != first)
