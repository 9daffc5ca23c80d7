r"""Closed form on the line: sort, and move mass in order.

    W = \int |F(t) - G(t)| dt   for the cost |x - y|,

and the monotone rearrangement is optimal for every convex cost of x - y
(Santambrogio, Optimal Transport for Applied Mathematicians, section 2.2).
O((n + m) log(n + m)) time.  Imports problem and below.
"""

from __future__ import annotations

import numpy as np

from otdiv.bounds import Status
from otdiv.errors import Array
from otdiv.plan import Plan, staircase
from otdiv.problem import Proposal, TransportProblem


def solve_line(problem: TransportProblem) -> Proposal:
    """Monotone plan and its potentials; only for problems with ``on_line``."""
    line = problem.line
    a, b = problem.a[line.ix], problem.b[line.iy]
    ordered = Plan.northwest(a, b)
    plan = Plan(line.ix[ordered.rows], line.iy[ordered.columns], ordered.mass, (problem.n, problem.m))
    if problem.cost.line_power == 1:
        fs, gs = _from_distribution_functions(a, b, line.xs, line.ys)
    else:
        fs, gs = _along_staircase(a, b, line.xs, line.ys, problem)
    f, g = np.empty(problem.n), np.empty(problem.m)
    f[line.ix], g[line.iy] = fs, gs
    return Proposal(plan, f, g, Status.OPTIMAL, {"iterations": 0})


def _from_distribution_functions(a: Array, b: Array, xs: Array, ys: Array) -> tuple[Array, Array]:
    """w with slope -sign(F - G) is the critic: f = w on the sources, g = -w on the targets."""
    z = np.concatenate([xs, ys])
    order = np.argsort(z, kind="stable")
    z = z[order]
    if a[0] * len(a) == b[0] * len(b) and a.min() == a.max() and b.min() == b.max():
        steps = np.where(order < len(a), len(b), -len(a))  # uniform weights: count in integers, exactly
    else:
        steps = np.concatenate([a, -b])[order]
    ahead = np.cumsum(steps)
    w = np.empty_like(z)
    w[0] = 0.0
    np.cumsum(np.diff(z) * -np.sign(ahead[:-1]), out=w[1:])
    spread = np.empty_like(w)
    spread[order] = w
    return spread[: len(a)], -spread[len(a) :]


def _along_staircase(a: Array, b: Array, xs: Array, ys: Array, problem: TransportProblem) -> tuple[Array, Array]:
    """Make every cell of the north-west path tight: each step down sets the next f, each step right the next g."""
    rows, columns, _ = staircase(a, b)
    costs = problem.cost.paired(xs[rows, None], ys[columns, None])
    down = np.diff(rows) == 1
    rise = np.diff(costs)
    f = np.concatenate([[0.0], np.cumsum(rise[down])])
    g = costs[0] + np.concatenate([[0.0], np.cumsum(rise[~down])])
    return f, g
