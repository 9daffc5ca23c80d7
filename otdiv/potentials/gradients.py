"""Derivatives of the optimal cost, by the envelope theorem: through the plan and the potentials."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from otdiv.core.validation import Array, ReadOnlyCopies, readonly
from otdiv.problem.plan import Plan
from otdiv.problem.transport_problem import TransportProblem


@dataclass(frozen=True, eq=False)
class Gradients(ReadOnlyCopies):
    """What the optimal cost does when the problem moves a little.

    Attributes
    ----------
    problem : TransportProblem
    plan : Plan
        The optimal plan; it is also d value / d c_ij, for a cost given as a matrix.
    a, b : ndarray [n], [m]
        d value / d a_i = f_i and d value / d b_j = g_j along changes that keep both masses equal.  The
        potentials are centred, sum a_i f_i = sum b_j g_j, since (f + t, g - t) serve as well.

    Notes
    -----
    The value is differentiable in the points where the optimal plan is unique and no mass sits on a kink
    of the cost, and in the weights where the potentials are unique up to (f + t, g - t); elsewhere these
    are one-sided derivatives of one choice (see ``result.uniqueness``).
    """

    problem: TransportProblem
    plan: Plan
    a: Array
    b: Array

    @cached_property
    def x(self) -> Array:
        """d value / d x_i = sum_j plan_ij grad_x c(x_i, y_j), shape [n, d].

        Raises
        ------
        InvalidInput
            For a cost that has no gradient in the points: a matrix, a function, the discrete one.
        """
        return readonly(_summed(self._pull, self.plan.rows, self.problem.n))

    @cached_property
    def y(self) -> Array:
        """The same in the targets [m, d]."""
        return readonly(-_summed(self._pull, self.plan.columns, self.problem.m))

    @cached_property
    def _pull(self) -> Array:
        x, y = self.problem.mu.points[self.plan.rows], self.problem.nu.points[self.plan.columns]
        return self.problem.cost.gradient(x, y) * self.plan.mass[:, None]


def gradients(problem: TransportProblem, plan: Plan, f: Array, g: Array) -> Gradients:
    """Gradients of the optimal cost from an optimal plan and optimal potentials.

    Parameters
    ----------
    problem : TransportProblem
    plan : Plan
        Optimal.
    f, g : ndarray [n] and [m]
        Optimal potentials.

    Returns
    -------
    Gradients

    Examples
    --------
    >>> from otdiv import emd
    >>> emd([[0.0, 0.0]], [[3.0, 4.0]]).gradients.x.tolist()
    [[-0.6, -0.8]]
    """
    shift = 0.5 * float(problem.b @ g - problem.a @ f) / problem.mu.mass
    return Gradients(problem, plan, readonly(f + shift), readonly(g - shift))


def _summed(rows: Array, index: Array, size: int) -> Array:
    """Rows that belong to one atom, added up."""
    from scipy import sparse

    k = len(index)
    return np.asarray(sparse.csr_array((np.ones(k), (index, np.arange(k))), shape=(size, k)) @ rows)
