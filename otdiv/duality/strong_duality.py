r"""Strong duality by Farkas' lemma, step by step, with the numbers of each step.

Put one more row under A and b, with z* the primal optimum,

    A^ = [ A ; -c' ],   b^(eps) = [ b ; -z* + eps ],   F^ = [ F ; alpha ].

eps = 0   x* solves A^ x = b^(0): alternative (1), so A^'F^ <= 0 forces b^(0)'F^ <= 0.
eps > 0   nothing costs less than z*: alternative (2), so some F^ has b^(eps)'F^ > 0.
          Hence alpha eps > 0, alpha > 0; F/alpha is dual feasible and b'F/alpha > z* - eps.
eps -> 0  the dual optimum lies in (z* - eps, z*] for every eps, so it is z*.

A solver's tolerance hides a small eps, so below 1e-6 the certificate (F*, 1) is built from
exact solutions and verified in rational arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from otdiv.core.validation import Array, check_choice, invalid, readonly
from otdiv.duality.extended_system import extended_system, require_optimum
from otdiv.duality.farkas import box_certificate, verify_farkas
from otdiv.errors import SolverFailed
from otdiv.linear_programming.exact_simplex import ExactSolution, solve_exact
from otdiv.linear_programming.program import LinearProgram
from otdiv.linear_programming.rational import Matrix, RationalProgram, Vector, dot, times, transposed_times
from otdiv.linear_programming.solve import LPSolution, solve_lp
from otdiv.linear_programming.surplus_form import surplus_form

SOLVER_LIMIT = 1e-6
"""Least eps that is left to a solver, in units of the largest cost; for a smaller one its tolerance may take the
infeasible system for feasible, and a larger limit leaves more steps to exact arithmetic."""
TOLERANCE = 1e-9
"""Violation, relative to z* or 1, that a step by a solver may show; a larger one accepts coarser certificates."""
Number = float | Fraction


@dataclass(frozen=True, slots=True, eq=False)
class StrongDualityStep:
    """The proof for one eps > 0: the numbers of the argument, in its order.

    Attributes
    ----------
    eps : float or Fraction
        Numbers of an exact step are Fractions, those of a solver's step floats.
    z_star : float or Fraction
        The primal optimum.
    first_residual : float or Fraction
        eps = 0: largest |A^ x* - b^(0)|, alternative (1).
    F_hat : ndarray [m + 1]
        eps > 0: the certificate of alternative (2), alpha last.
    gain, gain_at_zero : float or Fraction
        b^(eps)'F^ > 0 and b^(0)'F^ <= 0; their difference is alpha eps.
    alpha : float or Fraction
        Positive: (gain - gain_at_zero) / eps.
    F : ndarray [m]
        F / alpha, feasible for the dual.
    dual_violation : float or Fraction
        Largest excess of A'(F/alpha) over c.
    value : float or Fraction
        b'F/alpha, in (z* - eps, z*].
    certificate : {"solver", "constructed"}
        The strongest F^ of a box, found by HiGHS, or (F*, 1) from exact solutions.
    """

    eps: Number
    z_star: Number
    first_residual: Number
    F_hat: Array
    gain: Number
    gain_at_zero: Number
    alpha: Number
    F: Array
    dual_violation: Number
    value: Number
    certificate: str

    @property
    def exact(self) -> bool:
        """Whether every number of the step is rational and verified without tolerance."""
        return isinstance(self.value, Fraction)

    @property
    def interval(self) -> tuple[Number, Number]:
        """(z* - eps, z*]: where the dual optimum must lie."""
        return self.z_star - self.eps, self.z_star

    @property
    def holds(self) -> bool:
        """Every claim of the step: exactly, or to 1e-9 relative in a solver's step."""
        slack = 0 if self.exact else TOLERANCE * max(1.0, abs(float(self.z_star)))
        return (
            self.first_residual <= slack
            and self.gain > 0
            and self.gain_at_zero <= slack
            and self.alpha > 0
            and self.dual_violation <= slack
            and self.z_star - self.eps < self.value <= self.z_star + slack
        )


@dataclass(frozen=True, slots=True, eq=False)
class StrongDuality:
    """The squeeze: one step for each eps.

    ``lower`` is the best dual value found, ``upper`` is z*; every feasible dual value
    is at most z* and the steps push it above z* - eps.
    """

    z_star: Number
    steps: tuple[StrongDualityStep, ...]

    @property
    def lower(self) -> Number:
        """Largest value of a feasible F/alpha."""
        return max(step.value for step in self.steps)

    @property
    def upper(self) -> Number:
        """z*."""
        return self.z_star

    @property
    def holds(self) -> bool:
        """Whether every step holds."""
        return all(step.holds for step in self.steps)


def strong_duality_step(
    program: LinearProgram | RationalProgram, eps: float | Fraction, *, certificate: str = "auto"
) -> StrongDualityStep:
    """One step of the proof: Farkas at eps = 0 and at eps > 0, alpha > 0, F/alpha feasible and above z* - eps.

    Parameters
    ----------
    program : LinearProgram or RationalProgram
        With an optimum.  A RationalProgram is treated in exact arithmetic throughout.
    eps : float or Fraction
        Positive.
    certificate : {"auto", "solver", "constructed"}
        "auto" takes the solver for a LinearProgram and eps >= 1e-6 times its largest cost (or 1e-6, if
        costs are below 1), otherwise "constructed".

    Returns
    -------
    StrongDualityStep

    Raises
    ------
    InvalidInput
        eps <= 0, or a program without an optimum: then primal and dual need not be equal.
    SolverFailed
        The solver found no certificate, as happens for an eps below its tolerance.

    Notes
    -----
    "constructed" takes the floats of a LinearProgram literally, and masses such as
    (.1, .1, .8) and (.2, .3, .5) are not equal then: pass a RationalProgram.

    Examples
    --------
    >>> step = strong_duality_step(RationalProgram([0, 1, 1, 0], [[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0],
    ...     [0, 1, 0, 1]], ["1/2", "1/2", "1/4", "3/4"]), Fraction(1, 10**30))
    >>> step.holds, str(step.value), step.gain == step.eps, step.alpha
    (True, '1/4', True, Fraction(1, 1))
    """
    return strong_duality(program, [eps], certificate=certificate).steps[0]


def strong_duality(
    program: LinearProgram | RationalProgram, epsilons: Iterable[float | Fraction], *, certificate: str = "auto"
) -> StrongDuality:
    """The whole proof: `strong_duality_step` for each eps, with z* and x* computed once.

    Parameters
    ----------
    program : LinearProgram or RationalProgram
        With an optimum.
    epsilons : iterable of float or Fraction
        Positive, at least one.
    certificate : {"auto", "solver", "constructed"}
        As for :func:`strong_duality_step`.

    Returns
    -------
    StrongDuality
        One step for each eps, in the order given.

    Raises
    ------
    InvalidInput, SolverFailed
        As :func:`strong_duality_step`; no eps.

    Examples
    --------
    >>> lp = LinearProgram([0, 1, 1, 0], [[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0], [0, 1, 0, 1]], [.5, .5, .25, .75])
    >>> proof = strong_duality(lp, [0.1, 1e-3, 1e-12])
    >>> proof.holds, [step.certificate for step in proof.steps]
    (True, ['solver', 'solver', 'constructed'])
    """
    check_choice("certificate", certificate, ("auto", "solver", "constructed"))
    given = list(epsilons)
    for eps in given:
        if not 0 < eps < float("inf"):
            raise invalid("eps", "be positive and finite", eps, "eps = 0 is alternative (1), shown by x* itself.")
    if isinstance(program, RationalProgram) and certificate == "solver":
        raise invalid("program", "be a LinearProgram for the solver", "a RationalProgram", "Pass program.to_float().")

    def by_solver(eps: float | Fraction) -> bool:
        if isinstance(program, RationalProgram) or certificate == "constructed":
            return False
        return certificate == "solver" or eps >= SOLVER_LIMIT * max(1.0, float(np.abs(program.c).max()))

    exact_program = exact = solution = float_program = None
    steps = []
    for eps in given:
        if by_solver(eps):
            assert isinstance(program, LinearProgram)
            float_program = float_program or surplus_form(program)
            solution = solution or require_optimum(solve_lp(float_program))
            steps.append(_solver_step(float_program, solution, float(eps)))
        else:
            if exact_program is None or exact is None:
                literal = RationalProgram.of(program) if isinstance(program, LinearProgram) else program
                exact_program = surplus_form(literal)
                exact = require_optimum(solve_exact(exact_program))
            steps.append(_constructed_step(exact_program, exact, Fraction(eps)))
    if not steps:
        raise invalid("epsilons", "hold at least one number", "none", "Pass for example [0.1, 1e-3, 1e-9].")
    return StrongDuality(steps[-1].z_star, tuple(steps))


def _solver_step(lp: LinearProgram, solution: LPSolution, eps: float) -> StrongDualityStep:
    z = solution.objective
    A_hat, b_zero = extended_system(lp, z, 0.0)
    b_eps = extended_system(lp, z, eps)[1]
    F_hat = box_certificate(A_hat, b_eps)[0]
    gain, alpha = float(b_eps @ F_hat), float(F_hat[-1])
    if not (gain > 0 and alpha > 0):
        message = f"the solver found no certificate for eps = {eps:g}; use certificate='constructed', which is exact."
        raise SolverFailed(message)
    F = F_hat[:-1] / alpha
    return StrongDualityStep(
        eps=eps,
        z_star=z,
        first_residual=float(np.abs(A_hat @ solution.x - b_zero).max()),
        F_hat=F_hat,
        gain=gain,
        gain_at_zero=float(b_zero @ F_hat),
        alpha=alpha,
        F=readonly(F),
        dual_violation=max(0.0, float((lp.A.T @ F - lp.c).max())),
        value=float(lp.b @ F),
        certificate="solver",
    )


def _constructed_step(program: RationalProgram, solution: ExactSolution, eps: Fraction) -> StrongDualityStep:
    """(F*, 1): its gain is b'F* - z* + eps, which is eps because F* attains z*."""
    z, x, F = solution.objective, solution.x, solution.y
    assert z is not None and x is not None and F is not None
    A_hat: Matrix = (*program.A, tuple(-v for v in program.c))
    b_zero: Vector = (*program.b, -z)
    b_eps: Vector = (*program.b, -z + eps)
    F_hat: Vector = (*F, Fraction(1))
    verify_farkas(A_hat, b_eps, F=F_hat, exact=True)
    residual = max(abs(u - v) for u, v in zip(times(A_hat, x), b_zero, strict=True))
    excess = max(u - v for u, v in zip(transposed_times(program.A, F), program.c, strict=True))
    return StrongDualityStep(
        eps=eps,
        z_star=z,
        first_residual=residual,
        F_hat=readonly(np.array([float(v) for v in F_hat])),
        gain=dot(b_eps, F_hat),
        gain_at_zero=dot(b_zero, F_hat),
        alpha=F_hat[-1],
        F=readonly(np.array([float(v) for v in F])),
        dual_violation=max(Fraction(0), excess),
        value=dot(program.b, F),
        certificate="constructed",
    )
