"""W1 as a zero-sum game between a flow gamma and one function f,

    inf_gamma sup_f  E_gamma[d(u, v) - (f(u) - f(v))] + E_p f - E_q f.

One function only fixes the *difference* of gamma's marginals, which is enough for a
metric d and not for other costs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from otdiv.core.validation import Array, as_float_array, as_weights, invalid, readonly, require_finite
from otdiv.errors import SolverFailed
from otdiv.linear_programming.program import LinearProgram
from otdiv.linear_programming.solve import solve_lp


@dataclass(frozen=True, slots=True, eq=False)
class BalancedFlow:
    """The optimal flow of the game, and the optimal function.

    Attributes
    ----------
    value : float
        Least cost of gamma >= 0 on pairs (u, v) whose marginals differ by p - q.
    gamma : ndarray [k, k]
        The flow, its marginals need not be p and q.
    f : ndarray [k]
        Multiplier: f(u) - f(v) + level <= cost(u, v), value = sum (p - q) f + level mass.
    level : float
        Multiplier of the total mass; 0 when the mass is free.
    """

    value: float
    gamma: Array
    f: Array
    level: float


def balanced_flow(p: Any, q: Any, cost: Any, *, mass: float | None = None) -> BalancedFlow:
    """min sum cost gamma subject to gamma >= 0 and (row sums) - (column sums) = p - q.

    This is inf over gamma of the minimax formula: sup over one function f is +inf unless the
    marginals of gamma differ by p - q.  For a metric the value is W1(p, q); for other costs it
    may be smaller, since the flow may pass through points in between.

    Parameters
    ----------
    p, q : array_like, shape [k]
        Weights of equal mass on the same k points.
    cost : array_like, shape [k, k]
        Cost of moving from point u to point v, non-negative.
    mass : float, optional
        Total mass of gamma; None leaves it free.

    Returns
    -------
    BalancedFlow

    Raises
    ------
    InvalidInput
        Shapes that do not fit, unequal masses, or a negative cost.
    SolverFailed
        The program has no optimum, for example a mass that no such flow has.

    Examples
    --------
    >>> flow = balanced_flow([0, 0, 1], [1, 0, 0], [[0, 1, 4], [1, 0, 1], [4, 1, 0]])
    >>> round(flow.value, 9)                  # two steps of squared length 1 instead of one of 4
    2.0
    """
    p, q, cost = _common_points(p, q, cost)
    if cost.min() < 0:
        raise invalid("cost", "be non-negative", f"an entry {cost.min()}", "A negative cycle would be free gain.")
    k = p.size
    eye, ones = sparse.eye_array(k), np.ones((1, k))
    rows: Any = sparse.kron(eye, ones) - sparse.kron(ones, eye)
    b = p - q
    if mass is not None:
        rows, b = sparse.vstack([rows, np.ones((1, k * k))]), np.append(b, mass)
    answer = solve_lp(LinearProgram(cost.ravel(), rows, b))
    if answer.x is None or answer.y is None:
        raise SolverFailed(f"the balanced flow has no optimum ({answer.status.label}): {answer.stats['message']}")
    level = float(answer.y[k]) if mass is not None else 0.0
    return BalancedFlow(answer.objective, readonly(answer.x.reshape(k, k)), readonly(answer.y[:k]), level)


def critic_payoff(f: Any, p: Any, q: Any, cost: Any) -> float:
    """inf over probability gamma of E_gamma[cost - (f(u) - f(v))] + E_p f - E_q f.

    The infimum over gamma sits on one pair, so it is the smallest cost(u, v) - (f(u) - f(v)); for
    a 1-Lipschitz f that is 0, on the diagonal.  For any f the payoff is at most the transport cost.

    Parameters
    ----------
    f : array_like, shape [k]
    p, q : array_like, shape [k]
        Weights of equal mass on the same points.
    cost : array_like, shape [k, k]

    Returns
    -------
    float
        In units of the cost.

    Examples
    --------
    >>> d = [[0, 1, 2], [1, 0, 1], [2, 1, 0]]
    >>> round(critic_payoff([0, 2, 4], [.5, .3, .2], [.2, .2, .6], d), 9)
    -3.4
    """
    p, q, cost = _common_points(p, q, cost)
    f = as_float_array("f", f)
    if f.shape != p.shape:
        raise invalid("f", f"have shape [{p.size}]", f"shape {f.shape}", "Give one value per point.")
    require_finite("f", f)
    return float((cost - (f[:, None] - f[None, :])).min() + (p - q) @ f)


def _common_points(p: Any, q: Any, cost: Any) -> tuple[Array, Array, Array]:
    p, cost = as_weights("p", p, np.size(p)), as_float_array("cost", cost)
    q = as_weights("q", q, p.size)
    if cost.shape != (p.size, p.size):
        raise invalid(
            "cost", f"have shape [{p.size}, {p.size}]", f"shape {cost.shape}", "p and q live on one point list."
        )
    require_finite("cost", cost)
    if abs(p.sum() - q.sum()) > 1e-9 * p.sum():
        raise invalid("p and q", "have equal mass", f"{p.sum()} and {q.sum()}", "Normalise them first.")
    return p, q, cost
