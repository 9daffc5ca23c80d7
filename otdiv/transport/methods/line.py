r"""Closed form on the line: sort, and move mass in order.

    W = \int |F(t) - G(t)| dt   for the cost |x - y|,

and the monotone rearrangement is optimal for every convex cost of x - y
(Santambrogio, Optimal Transport for Applied Mathematicians, section 2.2).
O((n + m) log(n + m)) time.
"""

from __future__ import annotations

import numpy as np

from otdiv.core.bounds import Status
from otdiv.core.options import DEFAULTS, SolverOptions
from otdiv.core.validation import Array, invalid
from otdiv.costs import as_point_cost
from otdiv.problem.line_order import LineOrder
from otdiv.problem.plan import Plan, northwest_corner
from otdiv.problem.transport_problem import Proposal, TransportProblem

_BYTES_PER_POINT = 100
"""Measured peak per point, certificate included."""


def solve_line(problem: TransportProblem, options: SolverOptions = DEFAULTS) -> Proposal:
    """Monotone plan and its potentials, for problems with ``on_line``; of the options only the memory limit applies."""
    require_representable(problem)
    points = problem.n + problem.m
    problem.require_memory(_BYTES_PER_POINT * points, options.memory_limit, "the closed form on the line")
    line = problem.line
    a, b = _reordered(problem.a, line.ix), _reordered(problem.b, line.iy)
    if len(a) == len(b) and a.min() > 0 and np.array_equal(a, b):  # then the k-th source is matched to the k-th target
        plan = Plan(line.ix, line.iy, a, (problem.n, problem.m))
    else:
        ordered = Plan.northwest(a, b)
        plan = Plan(line.ix[ordered.rows], line.iy[ordered.columns], ordered.mass, (problem.n, problem.m))
    if problem.cost.line_power == 1:
        fs, gs = _from_distribution_functions(a, b, line)
    else:
        fs, gs = _potentials_along_corners(a, b, line.xs, line.ys, problem)
    f, g = np.empty(problem.n), np.empty(problem.m)
    f[line.ix], g[line.iy] = fs, gs
    return Proposal(plan, f, g, Status.OPTIMAL, {"iterations": 0})


def require_representable(problem: TransportProblem) -> None:
    """Refuse supports so wide that float64 cannot hold a distance, or sums of such distances.

    Raises
    ------
    InvalidInput
    """
    widest = max(abs(float(problem.line.z[0])), abs(float(problem.line.z[-1])))
    limit = 1e300 ** (1 / max(1.0, problem.cost.line_power or 1.0))
    if widest > limit:
        raise invalid("points", f"lie within {limit:.3g} of 0", f"{widest:.3g}", "Rescale the points.")


def _reordered(weights: Array, order: Array) -> Array:
    return weights if weights.min() == weights.max() else weights[order]


def _from_distribution_functions(a: Array, b: Array, line: LineOrder) -> tuple[Array, Array]:
    """The optimal critic w has the slope -sign(F - G): f = w on the sources, g = -w on the targets."""
    n, m = len(a), len(b)
    if a[0] * n == b[0] * m and a.min() == a.max() and b.min() == b.max():
        ahead = np.where(line.order < n, float(m), -float(n))  # uniform weights: count in whole numbers, exactly
    else:
        ahead = np.concatenate([a, -b])[line.order]
    np.cumsum(ahead, out=ahead)
    w = np.empty_like(ahead)
    w[0] = 0.0
    np.subtract(line.z[:-1], line.z[1:], out=w[1:])
    w[1:] *= np.sign(ahead, out=ahead)[:-1]
    np.cumsum(w, out=w)
    pooled = ahead  # reused: for a million points each new array takes as long as a step of the computation
    pooled[line.order] = w
    return pooled[:n], np.negative(pooled[n:], out=pooled[n:])


def _potentials_along_corners(
    a: Array, b: Array, xs: Array, ys: Array, problem: TransportProblem
) -> tuple[Array, Array]:
    """Make every cell of the northwest-corner path tight: a step down sets the next f, a step right the next g."""
    rows, columns, _ = northwest_corner(a, b)
    costs = as_point_cost(problem.cost).elementwise(xs[rows, None], ys[columns, None])
    down = np.diff(rows) == 1
    rise = np.diff(costs)
    f = np.concatenate([[0.0], np.cumsum(rise[down])])
    g = costs[0] + np.concatenate([[0.0], np.cumsum(rise[~down])])
    return f, g
