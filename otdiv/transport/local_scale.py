"""A second solve at the scale of the distances that a plan really uses.

One far outlier in both measures stays where it is, yet its distance to the
others, squared perhaps, is so large that a solver's float64 has no digits left
for the rest.  With costs cut off at a few times the largest cost that the first
plan uses, potentials feasible for the smaller costs are feasible for the true
ones, and a plan that avoids what was cut off costs the same.
"""

from __future__ import annotations

import math

import numpy as np

from otdiv.core.options import SolverOptions
from otdiv.costs import MatrixCost
from otdiv.problem.plan import Plan
from otdiv.problem.transport_problem import Proposal, TransportProblem
from otdiv.transport.methods.pot import solve_pot

MOST_PAIRS = 2**24
"""Largest cost matrix that is cut off and solved again (128 MiB)."""
_WIDE = 16.0
"""Ratio of the largest cost to the largest that a plan uses from which cutting off can help."""
_ROOM = 4.0
"""Costs are cut off at this multiple of the largest that a plan uses."""


def solve_at_local_scale(problem: TransportProblem, plan: Plan, options: SolverOptions) -> Proposal | None:
    """What POT's network simplex proposes for costs that are cut off and scaled to about 1.

    Parameters
    ----------
    problem : TransportProblem
    plan : Plan
        Any plan; the costs of its arcs say which scale matters.
    options : SolverOptions

    Returns
    -------
    Proposal or None
        For the problem itself; None where costs are negative, forbidden or of one scale, or the matrix is too large.
    """
    pairs = problem.n * problem.m
    if problem.forbids or problem.signed or problem.sparse is not None or pairs > MOST_PAIRS or not len(plan):
        return None
    used = float(problem.arc_costs(plan.rows, plan.columns).max())
    if not 0 < used * _WIDE < problem.largest_cost:
        return None
    power = -math.frexp(_ROOM * used)[1]
    costs = np.ldexp(np.minimum(problem.costs(), _ROOM * used), power)
    found = solve_pot(TransportProblem(problem.mu, problem.nu, MatrixCost(costs)), options)
    if found.plan is None or found.f is None or found.g is None:
        return None
    return Proposal(found.plan, np.ldexp(found.f, -power), np.ldexp(found.g, -power), found.status, found.stats)
