"""Derivatives of the optimal cost, by the envelope theorem: through the plan and the potentials.

Imports problem and below.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from otdiv.errors import Array, frozen
from otdiv.plan import Plan
from otdiv.problem import TransportProblem


@dataclass(frozen=True, eq=False)
class Gradients:
    """What the optimal cost does when the problem moves a little.

    Attributes
    ----------
    x, y : ndarray [n, d], [m, d]
        d value / d x_i = sum_j plan_ij grad_x c(x_i, y_j), and the same in y.
    a, b : ndarray [n], [m]
        d value / d a_i = f_i and d value / d b_j = g_j along changes that keep both masses equal.  The
        potentials are centred, sum a_i f_i = sum b_j g_j, since (f + t, g - t) serve as well.

    Notes
    -----
    The value is differentiable in the points where the optimal plan is unique and no mass sits on a kink
    of the cost, and in the weights where the potentials are unique up to (f + t, g - t); elsewhere these
    are one-sided derivatives of one choice (see ``result.uniqueness``).  Lecture item S22.
    """

    x: Array
    y: Array
    a: Array
    b: Array


def gradients(problem: TransportProblem, plan: Plan, f: Array, g: Array) -> Gradients:
    """Gradients of the optimal cost from an optimal plan and optimal potentials.

    Raises
    ------
    InvalidInput
        A cost without a gradient.

    Examples
    --------
    >>> from otdiv import emd
    >>> emd([[0.0, 0.0]], [[3.0, 4.0]]).gradients.x.tolist()
    [[-0.6, -0.8]]
    """
    pull = problem.cost.gradient(problem.mu.points[plan.rows], problem.nu.points[plan.columns]) * plan.mass[:, None]
    arcs = np.arange(len(plan))
    ones = np.ones(len(plan))
    to_sources = sparse.csr_array((ones, (plan.rows, arcs)), shape=(problem.n, len(plan)))
    to_targets = sparse.csr_array((ones, (plan.columns, arcs)), shape=(problem.m, len(plan)))
    shift = 0.5 * float(problem.b @ g - problem.a @ f) / problem.mu.mass
    return Gradients(frozen(to_sources @ pull), frozen(-(to_targets @ pull)), frozen(f + shift), frozen(g - shift))
