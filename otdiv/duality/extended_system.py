r"""The system A^ x = b^(eps) of the proof of strong duality, and why its certificates have alpha > 0.

A^ = [ A ; -c' ],   b^(eps) = [ b ; -z* + eps ],   F^ = [ F ; alpha ].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from otdiv.core.bounds import Status
from otdiv.core.validation import Array, invalid
from otdiv.duality.farkas import box_certificate
from otdiv.errors import SolverFailed
from otdiv.linear_programming.program import LinearProgram
from otdiv.linear_programming.solve import solve_lp
from otdiv.linear_programming.surplus_form import surplus_form


def extended_system(lp: LinearProgram, z: float, eps: float) -> tuple[Any, Array]:
    """A^ = [A; -c'] and b^(eps) = [b; -z + eps] of an equality program.

    Parameters
    ----------
    lp : LinearProgram
        In the form A x = b; `surplus_form` makes one of the other form.
    z : float
        The primal optimum z*.
    eps : float
        Any number: <= 0 asks for a solution of cost z - eps, > 0 for one that cannot exist.

    Returns
    -------
    A_hat : ndarray or scipy.sparse matrix [m + 1, n]
    b_hat : ndarray [m + 1]

    Raises
    ------
    InvalidInput
        A program in the inequality form.

    Examples
    --------
    >>> A_hat, b_hat = extended_system(LinearProgram([1, 2], [[1, 1]], [1]), z=1, eps=0.5)
    >>> A_hat.tolist(), b_hat.tolist()
    ([[1.0, 1.0], [-1.0, -2.0]], [1.0, -0.5])
    """
    if lp.form != "equality":
        raise invalid("lp", "have the form A x = b", "the inequality form", "Pass surplus_form(lp).")
    last = -lp.c[None, :]
    A_hat = sparse.vstack([lp.A, sparse.csc_array(last)]) if sparse.issparse(lp.A) else np.vstack([lp.A, last])
    return A_hat, np.append(lp.b, eps - z)


@dataclass(frozen=True, slots=True)
class AlphaConditions:
    """Three optima over {F^ : A^'F^ <= 0} that say why alpha must be positive.

    Attributes
    ----------
    gain_at_zero : float
        Largest b^(0)'F^ in the box [-1, 1]^(m+1): 0, since alternative (1) holds at eps = 0.
    gain_without_alpha : float
        Largest b^(eps)'F^ in the box with alpha <= 0: 0, no certificate.
    least_alpha : float
        Smallest alpha of a certificate scaled to b^(eps)'F^ = 1: at least 1/eps.
    """

    gain_at_zero: float
    gain_without_alpha: float
    least_alpha: float


def alpha_conditions(lp: LinearProgram, eps: float) -> AlphaConditions:
    """Compute the three optima of `AlphaConditions` for one eps > 0.

    Parameters
    ----------
    lp : LinearProgram
        With an optimum.
    eps : float
        Positive, and well above the solver's tolerance.

    Returns
    -------
    AlphaConditions

    Raises
    ------
    InvalidInput
        A program without an optimum, or eps <= 0.

    Examples
    --------
    >>> lp = LinearProgram([1, 2], [[1, 1]], [1])
    >>> round(alpha_conditions(lp, 0.5).least_alpha, 9)
    2.0
    """
    if not 0 < eps < float("inf"):
        raise invalid("eps", "be positive and finite", eps, "At eps = 0 every alpha is allowed, and gains nothing.")
    lp = surplus_form(lp)
    z = require_optimum(solve_lp(lp)).objective
    A_hat, b_zero = extended_system(lp, z, 0.0)
    b_eps = extended_system(lp, z, eps)[1]
    A_hat = A_hat.toarray() if sparse.issparse(A_hat) else A_hat
    last = np.zeros(b_eps.size)
    last[-1] = 1.0
    # alpha <= 0 is one more column, the last unit vector; b^'F^ >= 1 is one more row with right-hand side -1.
    without = box_certificate(np.column_stack([A_hat, last]), b_eps)[1]
    scaled = LinearProgram(np.append(np.zeros(lp.c.size), -1.0), np.column_stack([A_hat, -b_eps]), -last)
    return AlphaConditions(box_certificate(A_hat, b_zero)[1], without, -solve_lp(scaled.dual()).objective)


def require_optimum(solution: Any) -> Any:
    """Strong duality is claimed for a program with an optimum, and for no other."""
    if solution.x is not None and solution.y is not None:
        return solution
    if solution.status in (Status.INFEASIBLE, Status.UNBOUNDED):
        remedy = "Without an optimum primal and dual need not be equal; floats taken literally may miss equal masses."
        raise invalid("program", "have an optimum", f"one that is {solution.status.label}", remedy)
    raise SolverFailed(f"the primal could not be solved: {solution.stats['message']}")
