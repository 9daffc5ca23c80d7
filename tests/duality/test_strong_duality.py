"""Strong duality by Farkas' lemma, step by step (S29, S33 to S37)."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from otdiv.core.bounds import Status
from otdiv.duality import (
    StrongDualityStep,
    alpha_conditions,
    box_certificate,
    extended_system,
    farkas,
    strong_duality,
    strong_duality_step,
    verify_farkas,
)
from otdiv.errors import CertificateRefused, InvalidInput, SolverFailed
from otdiv.linear_programming import LinearProgram, RationalProgram, solve_exact, solve_lp, surplus_form

OT2 = LinearProgram([0, 1, 1, 0], [[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0], [0, 1, 0, 1]], [0.5, 0.5, 0.25, 0.75])
CERTIFICATE = np.array([0.0, -1, 0, 1, 1])
MARGINALS = np.vstack([np.kron(np.eye(3), np.ones(3)), np.kron(np.ones(3), np.eye(3))])
EX = LinearProgram([0, 1, 2, 1, 0, 1, 2, 1, 0], MARGINALS, [0.2, 0.2, 0.6, 0.5, 0.3, 0.2])
EX_EXACT = RationalProgram(EX.c, MARGINALS, ["1/5", "1/5", "3/5", "1/2", "3/10", "1/5"])
COVER = LinearProgram([2, 3], [[1, 1], [1, 3]], [4, 6], "inequality")


# S29: the pipeline


@pytest.mark.parametrize("eps", [1, 0.1, 0.01, 1e-3, 1e-6])
def test_s29_the_pipeline_with_a_solver(eps):
    step = strong_duality_step(OT2, eps)
    assert step.certificate == "solver" and not step.exact and step.holds
    assert step.gain == pytest.approx(eps, rel=1e-6) and step.alpha == pytest.approx(1)
    assert step.value == pytest.approx(0.25, abs=1e-9)
    assert np.abs(step.F_hat).max() <= 1 + 1e-9


@pytest.mark.parametrize("eps", [1, 0.1, 1e-3])
def test_s29_the_pipeline_on_three_points(eps):
    step = strong_duality_step(EX, eps)
    assert step.holds and step.value == pytest.approx(0.7, abs=1e-9)
    # How much the box allows is another matter: there F is at most 1, and eps alpha with alpha = 1 is attained.
    assert step.gain == pytest.approx(eps, rel=1e-6)


@pytest.mark.parametrize("eps", [1e-7, 1e-8, 1e-9, 1e-12, 1e-15, Fraction(1, 10**40)])
def test_s29_below_the_tolerance_of_solvers_the_certificate_is_constructed_and_exact(eps):
    for program, z in ((OT2, Fraction(1, 4)), (EX_EXACT, Fraction(7, 10))):
        step = strong_duality_step(program, eps)
        assert step.certificate == "constructed" and step.exact and step.holds
        assert step.gain == Fraction(eps) and step.alpha == 1 and step.gain_at_zero == 0 and step.first_residual == 0
        assert step.value == z and step.dual_violation == 0
        low, high = step.interval
        assert low < step.value <= high and high - low == Fraction(eps)


def test_s29_the_default_tolerance_of_a_solver_takes_the_infeasible_system_for_feasible():
    """Why the construction is needed: at eps = 1e-8 HiGHS finds a 'solution' of a system that has none."""
    A_hat, b_eps = extended_system(OT2, 0.25, 1e-8)
    assert linprog(np.zeros(4), A_eq=A_hat, b_eq=b_eps).status == 0
    assert farkas(A_hat, b_eps, exact=True).alternative == 2
    assert verify_farkas(A_hat, b_eps, F=CERTIFICATE, exact=True).gain == pytest.approx(1e-8)


def test_s29_how_small_is_small_depends_on_the_costs():
    large = LinearProgram(1e6 * OT2.c, OT2.A, OT2.b)
    proof = strong_duality(large, [1e6, 1, 0.1, 1e-6])
    assert proof.holds and [step.certificate for step in proof.steps] == ["solver"] * 2 + ["constructed"] * 2
    assert [float(step.value) for step in proof.steps[1:]] == pytest.approx([250000] * 3)


def test_s29_a_solver_asked_beyond_its_tolerance_says_so():
    with pytest.raises(SolverFailed, match="constructed"):
        strong_duality_step(OT2, 1e-13, certificate="solver")


def test_s29_e39_the_interval_is_closed_at_z_star():
    step = strong_duality_step(OT2, Fraction(1, 10))
    assert step.value == step.z_star == Fraction(1, 4), (
        "the dual value equals z*, so the printed open interval misses it"
    )
    assert not step.value < step.interval[1]


# S33: eps = 0


def test_s33_x_star_solves_the_extended_system_and_no_functional_gains():
    A_hat, b_zero = extended_system(OT2, 0.25, 0.0)
    x = solve_lp(OT2).x
    assert np.abs(A_hat @ x - b_zero).max() <= 1e-12
    assert farkas(A_hat, b_zero, exact=True).alternative == 1
    assert box_certificate(A_hat, b_zero)[1] == pytest.approx(0, abs=1e-9)


def test_s33_e47_the_inequalities_are_weak():
    A_hat, b_zero = extended_system(OT2, 0.25, 0.0)
    np.testing.assert_array_equal(A_hat.T @ CERTIFICATE, [0, 0, -2, 0])
    assert b_zero @ CERTIFICATE == 0, "A^'F^ <= 0 with zeros, b^'F^ = 0: strict signs do not describe this F^"


def test_s33_e48_x_star_has_zeros():
    x = solve_lp(OT2).x
    assert x.min() == 0 and not (x > 0).all(), "x >= 0; no plan of least cost is positive everywhere here"
    assert solve_lp(OT2).objective == pytest.approx(0.25)


# S34: eps > 0


@pytest.mark.parametrize("eps", [0.01, 0.1, 1])
def test_s34_no_solution_and_the_printed_certificate(eps):
    A_hat, b_eps = extended_system(OT2, 0.25, eps)
    assert farkas(A_hat, b_eps).alternative == farkas(A_hat, b_eps, exact=True).alternative == 2
    assert verify_farkas(A_hat, b_eps, F=CERTIFICATE).gain == pytest.approx(eps)


@pytest.mark.parametrize("eps, alternative", [(-0.5, 1), (-0.25, 1), (0, 1), (-0.5001, 2), (0.001, 2)])
def test_s34_solvable_exactly_for_the_costs_that_plans_have(eps, alternative):
    A_hat, b_eps = extended_system(OT2, 0.25, eps)
    assert farkas(A_hat, b_eps).alternative == alternative


def test_s34_e49_an_x_that_breaks_the_marginals_may_satisfy_the_cost_row():
    A_hat, b_eps = extended_system(OT2, 0.25, 0.1)
    x = np.array([0, 0.15, 0, 0])
    assert (A_hat @ x)[-1] == pytest.approx(b_eps[-1]), "the red row holds"
    assert np.abs((A_hat @ x - b_eps)[:-1]).max() > 0.1, "the blue rows do not"


def test_s34_e50_some_certificate_gains_not_every_functional_of_the_cone():
    A_hat, b_eps = extended_system(OT2, 0.25, 0.1)
    for F, gain in ((np.zeros(5), 0.0), (np.array([0, 0, 0, 0, 1.0]), -0.15)):
        assert (A_hat.T @ F <= 0).all() and b_eps @ F == pytest.approx(gain)
        with pytest.raises(CertificateRefused, match="must be positive"):
            verify_farkas(A_hat, b_eps, F=F)


# S35: alpha


@pytest.mark.parametrize("eps", [0.1, 1])
def test_s35_alpha_is_positive(eps):
    conditions = alpha_conditions(OT2, eps)
    assert conditions.gain_at_zero == pytest.approx(0, abs=1e-9)
    assert conditions.gain_without_alpha == pytest.approx(0, abs=1e-9)
    assert conditions.least_alpha == pytest.approx(1 / eps)


def test_s35_gain_is_gain_at_zero_plus_alpha_eps():
    for eps in (0.1, 1e-3):
        step = strong_duality_step(EX, eps)
        assert step.gain == pytest.approx(step.gain_at_zero + step.alpha * eps, abs=1e-12)


def test_s35_e51_every_alpha_occurs_but_not_every_pair():
    A_hat, b_eps = extended_system(OT2, 0.25, 0.1)
    for alpha in (0.01, 1, 100):
        assert verify_farkas(A_hat, b_eps, F=alpha * CERTIFICATE).gain == pytest.approx(0.1 * alpha)
    half = np.array([0, -0.5, 0, 0.5, 1])
    assert (A_hat.T @ half <= 0).all() and b_eps @ half == pytest.approx(-0.025)
    with pytest.raises(CertificateRefused):
        verify_farkas(A_hat, b_eps, F=half)
    assert verify_farkas(*extended_system(OT2, 0.25, 0.2), F=half).gain == pytest.approx(0.075)


# S36, S37: F / alpha, and the squeeze


@pytest.mark.parametrize("eps", [0.01, 0.1, 1])
def test_s36_F_over_alpha_is_feasible_and_beats_z_minus_eps(eps):
    step = strong_duality_step(OT2, eps)
    assert (OT2.A.T @ step.F - OT2.c).max() <= 1e-9
    assert OT2.b @ step.F == pytest.approx(step.value) and step.value > 0.25 - eps


def test_s36_e53_dividing_by_a_negative_alpha_would_turn_the_inequality():
    F_hat = -CERTIFICATE
    A_hat, _ = extended_system(OT2, 0.25, 0.1)
    assert not (A_hat.T @ F_hat <= 0).all(), "the cone holds no such F^, and F/alpha is the same as before"
    np.testing.assert_array_equal(F_hat[:-1] / F_hat[-1], CERTIFICATE[:-1])


def test_s37_the_squeeze():
    proof = strong_duality(OT2, [0.1, 1e-3, 1e-6, 1e-12])
    assert proof.holds and len(proof.steps) == 4
    assert [float(step.interval[0]) for step in proof.steps[:3]] == pytest.approx([0.15, 0.249, 0.249999])
    assert float(proof.upper - proof.lower) == pytest.approx(0, abs=1e-9)


def test_s37_e54_the_dual_optimum_does_not_depend_on_eps():
    proof = strong_duality(EX_EXACT, [Fraction(1, 10**k) for k in range(1, 20, 3)])
    assert {step.value for step in proof.steps} == {Fraction(7, 10)}
    assert proof.lower == proof.upper == Fraction(7, 10)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 10**6))
def test_s37_strong_duality_of_random_programs_exactly(seed):
    rng = np.random.default_rng(seed)
    m, n = rng.integers(1, 4, size=2)
    form = ("equality", "inequality")[seed % 2]
    c, A, b = rng.integers(-3, 4, size=n), rng.integers(-2, 3, size=(m, n)), rng.integers(-3, 4, size=m)
    program = RationalProgram(c, A, b, form)
    answer = solve_exact(program)
    if answer.status is not Status.OPTIMAL:
        with pytest.raises(InvalidInput, match="have an optimum"):
            strong_duality(program, [Fraction(1, 7)])
        return
    proof = strong_duality(program, [Fraction(1, 7), Fraction(1, 10**25)])
    assert proof.holds and proof.lower == proof.upper == answer.objective


def test_s38_the_inequality_form_is_proved_through_its_surplus():
    wide = surplus_form(COVER)
    assert wide.form == "equality" and wide.shape == (2, 4)
    assert solve_lp(wide).objective == pytest.approx(9)
    y = solve_lp(wide.dual()).y
    assert y.min() >= 0 and (COVER.A.T @ y <= COVER.c + 1e-9).all()
    proof = strong_duality(COVER, [0.5, 1e-9])
    assert proof.holds and float(proof.lower) == pytest.approx(9)


# what the steps refuse


def test_a_tampered_step_does_not_hold():
    good = strong_duality_step(OT2, Fraction(1, 10), certificate="constructed")
    fields = {name: getattr(good, name) for name in StrongDualityStep.__dataclass_fields__}
    assert StrongDualityStep(**fields).holds
    for name, value in (
        ("first_residual", Fraction(1, 10**20)),
        ("gain", Fraction(0)),
        ("gain_at_zero", Fraction(1, 10**20)),
        ("alpha", Fraction(-1)),
        ("dual_violation", Fraction(1, 10**20)),
        ("value", good.z_star - good.eps),
        ("value", good.z_star + Fraction(1, 10**20)),
    ):
        assert not StrongDualityStep(**{**fields, name: value}).holds, name


@pytest.mark.parametrize("eps", [0, -0.1, float("inf"), float("nan")])
def test_eps_must_be_positive(eps):
    with pytest.raises(InvalidInput, match="eps must be positive"):
        strong_duality_step(OT2, eps)
    with pytest.raises(InvalidInput, match="eps must be positive"):
        alpha_conditions(OT2, eps)


def test_programs_without_an_optimum_are_refused():
    for lp in (LinearProgram([1, 1], [[1, 1]], [-1]), LinearProgram([-1, 0], [[1, -1]], [2])):
        for eps in (0.1, 1e-9):
            with pytest.raises(InvalidInput, match="have an optimum"):
                strong_duality_step(lp, eps)
    with pytest.raises(InvalidInput, match="inequality form"):
        extended_system(COVER, 9, 0.1)
    with pytest.raises(InvalidInput, match="LinearProgram for the solver"):
        strong_duality_step(EX_EXACT, 0.1, certificate="solver")
    with pytest.raises(InvalidInput, match="at least one number"):
        strong_duality(OT2, [])


def test_masses_that_differ_by_one_rounding_are_infeasible_when_taken_literally():
    lp = LinearProgram(EX.c, MARGINALS, [0.1, 0.1, 0.8, 0.2, 0.3, 0.5])
    assert strong_duality_step(lp, 0.1).holds
    with pytest.raises(InvalidInput, match="equal masses"):
        strong_duality_step(lp, 1e-9)
    exact = RationalProgram(EX.c, MARGINALS, ["1/10", "1/10", "8/10", "2/10", "3/10", "5/10"])
    assert strong_duality_step(exact, 1e-9).holds
