"""The dual function, weak duality, and the optimality conditions (S25 to S28, S38 to S41)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from otdiv.duality.lagrangian import dual_function, kkt, lagrangian, weak_duality
from otdiv.errors import CertificateRefused, InvalidInput
from otdiv.linear_programming.program import LinearProgram
from otdiv.linear_programming.solve import solve_lp

P_G, P_R = np.array([0.2, 0.2, 0.6]), np.array([0.5, 0.3, 0.2])
DISTANCE = np.abs(np.subtract.outer(np.arange(3.0), np.arange(3.0)))
MARGINALS = np.vstack([np.kron(np.eye(3), np.ones(3)), np.kron(np.ones(3), np.eye(3))])
EX = LinearProgram(DISTANCE.ravel(), MARGINALS, np.concatenate([P_G, P_R]))
COVER = LinearProgram([2, 3], [[1, 1], [1, 3]], [4, 6], "inequality")
INDEPENDENT = np.outer(P_G, P_R).ravel()


def conjugate(f):
    """The best g for f: f_i + g_j <= d_ij."""
    return np.concatenate([f, (DISTANCE - f[:, None]).min(axis=0)])


# S25: the dual function


def test_s25_dual_function_values_of_the_three_point_example():
    best = solve_lp(EX.dual()).y
    assert dual_function(EX, best).value == pytest.approx(0.7, abs=1e-9)
    assert dual_function(EX, np.zeros(6)).value == 0.0
    bad = dual_function(EX, [5, 0, 0, 0, 0, 0])  # the lecture's F = (-5, 0, 0; 0, 0, 0)
    assert bad.value == -np.inf and (bad.variable, bad.index) == ("x", 0)
    assert [bad.along(t) for t in (1, 10, 1000)] == pytest.approx([-4, -49, -4999])
    assert "x[0]" in bad.why() and "-5" in bad.why()
    assert "b'y" in dual_function(EX, np.zeros(6)).why()


def test_s25_the_ray_is_the_lagrangian_itself():
    y = np.array([5, 0, 0, 0, 0, 0])
    bad = dual_function(EX, y)
    for t in (0, 1, 10, 1000):
        assert lagrangian(EX, t * np.eye(9)[bad.index], y) == pytest.approx(bad.along(t))


def test_s25_e32_the_lagrangian_may_exceed_the_objective_at_an_infeasible_x():
    """L(x, F) <= f(x) is promised for all x; at x = 0 and F = (-1,0,0; 0,0,0) it is .2 > 0."""
    x, y = np.zeros(9), np.array([1, 0, 0, 0, 0, 0])
    assert lagrangian(EX, x, y) == pytest.approx(0.2) and EX.c @ x == 0
    rng = np.random.default_rng(0)
    for y in rng.normal(size=(50, 6)):  # for a feasible x of the equality form it is f(x), whatever F is
        assert lagrangian(EX, INDEPENDENT, y) == pytest.approx(EX.c @ INDEPENDENT)


def test_s25_e33_the_multiplier_of_x_at_least_0_is_the_reduced_cost():
    """With lambda = c - A'y the term -lambda'x makes the Lagrangian b'y for every x; inf over x >= 0 hides that."""
    y = solve_lp(EX.dual()).y
    q = dual_function(EX, y)
    rng = np.random.default_rng(0)
    for x in rng.normal(size=(20, 9)):
        assert lagrangian(EX, x, y) - q.reduced_cost @ x == pytest.approx(q.value)


def test_s25_e34_one_negative_component_suffices():
    y = np.array([5, 0, 0, 0, 0, 0])
    reduced = dual_function(EX, y).reduced_cost
    assert (reduced < 0).sum() < 9 and (reduced > 0).any(), "c + A'F is not negative as a whole"
    assert dual_function(EX, y).value == -np.inf


def test_s25_e35_x_zero_is_a_minimiser_of_the_inner_problem_and_not_the_plan():
    solution = solve_lp(EX)
    q = dual_function(EX, solution.y).value
    assert lagrangian(EX, np.zeros(9), solution.y) == pytest.approx(q)
    assert lagrangian(EX, solution.x, solution.y) == pytest.approx(q), "the plan attains the same minimum"
    assert solution.x.max() > 0.1 and np.abs(EX.A @ np.zeros(9) - EX.b).max() > 0.1


def test_s25_rounding_is_not_minus_infinity_but_a_real_violation_is():
    y = solve_lp(EX.dual()).y
    assert np.isfinite(dual_function(EX, y + 1e-13).value)
    assert dual_function(EX, y + 1e-6).value == -np.inf
    assert dual_function(EX, y + 1e-13, tolerance=0.0).value == -np.inf


def test_s25_in_the_inequality_form_a_negative_y_frees_the_surplus():
    bad = dual_function(COVER, [-1, 0.5])
    assert bad.value == -np.inf and (bad.variable, bad.index, bad.slope) == ("surplus", 0, -1.0)
    assert dual_function(LinearProgram(COVER.c, COVER.A, COVER.b), [-1, 0.5]).value == -1.0, (
        "in the form A x = b it is allowed"
    )
    assert dual_function(COVER, [1.5, 0.5]).value == 9.0


# S26: weak duality


def test_s26_weak_duality_for_5000_feasible_pairs():
    rng = np.random.default_rng(0)
    for f in rng.uniform(-1, 1, size=(500, 3)):
        report = weak_duality(EX, INDEPENDENT, conjugate(f))
        assert report.dual_value <= 0.7 + 1e-12 and report.gap >= 0
    fs = rng.uniform(-1, 1, size=(4500, 3))
    gs = (DISTANCE[None] - fs[:, :, None]).min(axis=1)
    assert (fs @ P_G + gs @ P_R).max() <= 0.7 + 1e-12


def test_s26_an_infeasible_F_exceeds_the_optimum_and_is_refused():
    wrong = [1, 1, 1, 0, 0, 3]
    assert kkt(EX, INDEPENDENT, wrong).dual_value == pytest.approx(1.6)
    with pytest.raises(CertificateRefused, match=r"A'y <= c; column 8 exceeds it by 4"):
        weak_duality(EX, INDEPENDENT, wrong)


def test_s26_e36_the_constraint_selects_F_it_does_not_hold_for_all_F():
    assert not kkt(EX, INDEPENDENT, [1, 1, 1, 0, 0, 3]).feasible()
    assert kkt(EX, INDEPENDENT, np.zeros(6)).feasible()


def test_s26_e37_x_need_only_be_feasible():
    report = weak_duality(EX, INDEPENDENT, np.zeros(6))
    assert (report.dual_value, report.primal_value) == (0.0, pytest.approx(1.06))
    assert not report.optimal()


@pytest.mark.parametrize(
    "x, y, word",
    [
        (INDEPENDENT * 1.01, np.zeros(6), "A x = b; row"),
        (INDEPENDENT + np.array([-0.1, 0.1, 0, 0.1, -0.1, 0, 0, 0, 0]), np.zeros(6), "x must be non-negative"),
        (INDEPENDENT, np.ones(6), "A'y <= c"),
    ],
)
def test_weak_duality_refuses_a_tampered_pair(x, y, word):
    weak_duality(EX, INDEPENDENT, np.zeros(6))
    with pytest.raises(CertificateRefused, match=word):
        weak_duality(EX, x, y)


def test_weak_duality_refuses_a_negative_y_and_a_missed_row_of_the_inequality_form():
    weak_duality(COVER, [4, 4], [1, 0.5])
    with pytest.raises(CertificateRefused, match="y must be non-negative"):
        weak_duality(COVER, [4, 4], [1, -0.5])
    with pytest.raises(CertificateRefused, match="A x >= b; row 0"):
        weak_duality(COVER, [0, 2], [1, 0.5])


# S27: the conditions


def test_s27_complementary_slackness_at_the_optimum():
    solution = solve_lp(EX)
    report = kkt(EX, solution.x, solution.y)
    assert report.optimal(1e-10) and np.abs(report.slack_products).max() <= 1e-12
    assert report.gap == pytest.approx(0, abs=1e-12)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.integers(0, 10**6))
def test_s27_the_slack_products_sum_to_the_gap_for_every_pair(seed):
    rng = np.random.default_rng(seed)
    m, n = rng.integers(1, 6, size=2)
    form = ("equality", "inequality")[seed % 2]
    lp = LinearProgram(rng.normal(size=n), rng.normal(size=(m, n)), rng.normal(size=m), form)
    report = kkt(lp, rng.normal(size=n), rng.normal(size=m))
    size = 1 + np.abs(report.slack_products).sum() + np.abs(report.row_products).sum()
    assert report.slack_sum == pytest.approx(report.gap, abs=1e-12 * size)


def test_s27_each_condition_is_needed():
    x, y = solve_lp(EX).x, solve_lp(EX).y
    assert kkt(EX, x, y).optimal()
    assert not kkt(EX, x * 1.1, y).optimal()
    assert not kkt(EX, x, y + 0.1).optimal()
    assert not kkt(EX, INDEPENDENT, y).optimal(), "feasible, but some product is not zero"
    assert not kkt(EX, x, np.zeros(6)).optimal()


# S28: primal = dual


def test_s28_primal_equals_dual_on_random_problems():
    rng = np.random.default_rng(0)
    for _ in range(50):
        points = rng.normal(size=(2, 6, 2))
        cost = np.linalg.norm(points[0][:, None] - points[1][None], axis=2)
        a, b = rng.dirichlet(np.ones(6), size=2)
        eye, ones = sparse.eye_array(6), np.ones((1, 6))
        rows = sparse.vstack([sparse.kron(eye, ones), sparse.kron(ones, eye)])
        lp = LinearProgram(cost.ravel(), rows, np.concatenate([a, b]))
        primal, dual = solve_lp(lp), solve_lp(lp.dual())
        assert abs(primal.objective - dual.objective) < 1e-12
        assert kkt(lp, primal.x, dual.y).optimal(1e-9), "the two programs prove each other"


def test_s28_e38_without_a_feasible_primal_there_is_no_equality():
    nothing = LinearProgram([1, 1], [[1, 1]], [-1])
    assert solve_lp(nothing).objective == np.inf and solve_lp(nothing.dual()).objective == np.inf
    both = LinearProgram([-1, 0], [[0, 1]], [-1])
    assert solve_lp(both).objective == np.inf and solve_lp(both.dual()).objective == -np.inf, "an infinite gap"


# S38 to S41


def test_s38_inequality_form_and_its_dual():
    assert solve_lp(COVER).objective == pytest.approx(9) == pytest.approx(solve_lp(COVER.dual()).objective)
    np.testing.assert_allclose(solve_lp(COVER).x, [3, 1], atol=1e-9)
    np.testing.assert_allclose(solve_lp(COVER.dual()).y, [1.5, 0.5], atol=1e-9)


def test_s38_e55_transport_with_at_least_the_marginals_costs_nothing():
    loose = LinearProgram(EX.c, EX.A, EX.b, "inequality")
    diagonal = np.diag(np.maximum(P_G, P_R)).ravel()
    assert (EX.A @ diagonal >= EX.b).all() and EX.c @ diagonal == 0
    assert solve_lp(loose).objective == pytest.approx(0, abs=1e-12)
    assert solve_lp(EX).objective == pytest.approx(0.7)


def test_s39_e31_the_redundant_row_leaves_one_constant_free():
    y = solve_lp(EX.dual()).y
    shifted = y + np.r_[np.full(3, 5.0), np.full(3, -5.0)]
    assert np.linalg.matrix_rank(MARGINALS) == 5
    assert kkt(EX, INDEPENDENT, shifted).dual_value == pytest.approx(0.7) and kkt(EX, INDEPENDENT, shifted).feasible()
    assert solve_lp(LinearProgram(EX.c, MARGINALS[1:], EX.b[1:])).objective == pytest.approx(0.7)


def test_s39_objective_splits_into_two_expectations():
    y = solve_lp(EX.dual()).y
    assert EX.b @ y == pytest.approx(P_G @ y[:3] + P_R @ y[3:]) == pytest.approx(0.7)


def test_s40_row_of_the_transposed_matrix():
    np.testing.assert_array_equal(EX.A.T[5], [0, 1, 0, 0, 0, 1])
    f, g = np.array([1.0, 2, 4]), np.array([8.0, 16, 32])
    np.testing.assert_array_equal((EX.A.T @ np.r_[f, g]).reshape(3, 3), f[:, None] + g[None, :])


def test_s41_two_potentials():
    y = solve_lp(EX.dual(), "cvxpy").y
    assert (y[:3, None] + y[None, 3:] <= DISTANCE + 1e-9).all()
    assert P_G @ y[:3] + P_R @ y[3:] == pytest.approx(0.7, abs=1e-9)


@pytest.mark.parametrize(
    "x, y, word",
    [([1], np.zeros(6), r"x must have shape \[9\]"), (INDEPENDENT, np.full(6, np.nan), "y must be finite")],
)
def test_bad_vectors_are_refused(x, y, word):
    for check in (lagrangian, kkt, weak_duality):
        with pytest.raises(InvalidInput, match=word):
            check(EX, x, y)
