"""The linear programs and their solvers: values, signs, rays, refusals."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from otdiv.core.bounds import Status
from otdiv.errors import InvalidInput
from otdiv.linear_programming import (
    DualProgram,
    LinearProgram,
    RationalProgram,
    solve_exact,
    solve_lp,
    surplus_form,
)
from otdiv.linear_programming import backends as lp_backends

OT2 = LinearProgram([0, 1, 1, 0], [[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0], [0, 1, 0, 1]], [0.5, 0.5, 0.25, 0.75])
COVER = LinearProgram([2, 3], [[1, 1], [1, 3]], [4, 6], "inequality")
NOTHING = LinearProgram([1, 1], [[1, 1]], [-1])
ENDLESS = LinearProgram([-1, 0], [[1, -1]], [2])
BACKENDS = ["highs", "cvxpy"]


def transport(n, seed):
    """A transport program with sparse constraints, n sources and n targets in the plane."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, 1, 2)), rng.normal(size=(1, n, 2))
    cost = np.linalg.norm(x - y, axis=2).ravel()
    rows = sparse.kron(sparse.eye_array(n), np.ones((1, n)))
    columns = sparse.kron(np.ones((1, n)), sparse.eye_array(n))
    b = np.concatenate([rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(n))])
    return LinearProgram(cost, sparse.vstack([rows, columns]), b)


def assert_optimal_pair(lp, solution, tolerance=1e-8):
    """x and y prove each other optimal, in the one sign convention."""
    x, y = solution.x, solution.y
    residual = lp.A @ x - lp.b
    assert x.min() >= 0
    assert np.abs(residual).max() <= tolerance if lp.form == "equality" else residual.min() >= -tolerance
    assert (lp.A.T @ y - lp.c).max() <= tolerance
    assert lp.form == "equality" or y.min() >= 0
    assert lp.c @ x == pytest.approx(lp.b @ y, abs=tolerance)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("lp, value", [(OT2, 0.25), (COVER, 9.0)], ids=["equality", "inequality"])
def test_primal_and_dual_are_solved_as_two_programs(lp, value, backend):
    for program in (lp, lp.dual()):
        solution = solve_lp(program, backend)
        assert solution.status is Status.OPTIMAL
        assert solution.objective == pytest.approx(value, abs=1e-9)
        assert_optimal_pair(lp, solution)
        assert solution.ray is None and not solution.x.flags.writeable and not solution.y.flags.writeable


def test_the_dual_program_hands_the_solver_its_own_rows(monkeypatch):
    from otdiv.linear_programming import solve as linear_program

    asked = []
    monkeypatch.setattr(
        linear_program, "by_highs", lambda rows, *rest: asked.append(rows) or lp_backends.by_highs(rows, *rest)
    )
    at_least = LinearProgram(OT2.c, OT2.A, OT2.b, "inequality")
    solve_lp(at_least.dual())
    (rows,) = asked
    assert rows.sense == "<=" and rows.rhs.size == 4 and rows.lower == 0.0
    np.testing.assert_array_equal(rows.matrix, OT2.A.T)


def test_the_dual_of_the_dual_is_the_primal():
    dual = OT2.dual()
    assert isinstance(dual, DualProgram) and dual.dual() is OT2
    assert dual.shape == (4, 4) and dual.form == "equality"
    np.testing.assert_array_equal(dual.c, OT2.c)
    np.testing.assert_array_equal(dual.b, OT2.b)


@pytest.mark.parametrize("backend", BACKENDS)
def test_without_the_sign_of_y_the_inequality_dual_would_be_another_program(backend):
    """min x with x >= 1 and x >= 2 is 2; the dual with y free has no maximum."""
    lp = LinearProgram([1], [[1], [1]], [1, 2], "inequality")
    assert solve_lp(lp, backend).objective == pytest.approx(2, abs=1e-9)
    assert solve_lp(lp.dual(), backend).objective == pytest.approx(2, abs=1e-9)
    free = LinearProgram([1], [[1], [1]], [1, 2])
    assert solve_lp(free.dual(), backend).status is Status.UNBOUNDED


@pytest.mark.parametrize("backend", BACKENDS)
def test_infeasible_primal_and_unbounded_dual_share_the_farkas_ray(backend):
    for program, status, objective in (
        (NOTHING, Status.INFEASIBLE, np.inf),
        (NOTHING.dual(), Status.UNBOUNDED, np.inf),
    ):
        solution = solve_lp(program, backend)
        assert solution.status is status and solution.objective == objective
        assert (NOTHING.A.T @ solution.ray).max() <= 1e-9 and NOTHING.b @ solution.ray > 0.5
        assert solution.stats["ray_gain"] == pytest.approx(NOTHING.b @ solution.ray)


@pytest.mark.parametrize("backend", BACKENDS)
def test_unbounded_primal_and_infeasible_dual_share_the_primal_ray(backend):
    for program, status in ((ENDLESS, Status.UNBOUNDED), (ENDLESS.dual(), Status.INFEASIBLE)):
        solution = solve_lp(program, backend)
        assert solution.status is status and solution.objective == -np.inf
        assert solution.ray.min() >= 0
        assert np.abs(ENDLESS.A @ solution.ray).max() <= 1e-9 and ENDLESS.c @ solution.ray < -0.5
    point = solve_lp(ENDLESS, backend).x
    assert np.abs(ENDLESS.A @ point - ENDLESS.b).max() <= 1e-8, "an unbounded program also shows where the ray starts"


@pytest.mark.parametrize("backend", BACKENDS)
def test_rays_of_the_inequality_form(backend):
    infeasible = LinearProgram([1, 1], [[-1, -1]], [1], "inequality")  # -x1 - x2 >= 1
    ray = solve_lp(infeasible, backend).ray
    assert ray.min() >= 0 and (infeasible.A.T @ ray).max() <= 0 and infeasible.b @ ray > 0
    unbounded = LinearProgram([-1, 0], [[1, 1]], [1], "inequality")
    ray = solve_lp(unbounded, backend).ray
    assert ray.min() >= 0 and (unbounded.A @ ray).min() >= 0 and unbounded.c @ ray < 0


@pytest.mark.parametrize("backend", BACKENDS)
def test_when_primal_and_dual_are_both_infeasible_each_says_so(backend):
    lp = LinearProgram([-1, 0], [[0, 1]], [-1])  # x2 = -1 is impossible, and nothing bounds x1
    primal, dual = solve_lp(lp, backend), solve_lp(lp.dual(), backend)
    assert primal.status is Status.INFEASIBLE and primal.objective == np.inf
    assert dual.status is Status.INFEASIBLE and dual.objective == -np.inf
    assert lp.b @ primal.ray > 0 and (lp.A.T @ primal.ray).max() <= 0
    assert lp.c @ dual.ray < 0 and np.abs(lp.A @ dual.ray).max() <= 1e-9


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_solver_that_calls_an_unbounded_program_infeasible_is_corrected(backend):
    """HiGHS's presolve says infeasible of the first dual, cvxpy unbounded of the second primal; both are wrong."""
    A = [[0, -2, 2, 0], [-2, -2, 0, 1], [0, 2, -2, 0], [0, 2, -1, 2]]
    lp = LinearProgram([-1, -1, 1, 2], A, [-2, -1, 1, 0])
    dual = solve_lp(lp.dual(), backend)
    assert dual.status is Status.UNBOUNDED
    assert (lp.A.T @ dual.y <= lp.c + 1e-9).all() and (lp.A.T @ dual.ray).max() <= 1e-9 and lp.b @ dual.ray > 0.1
    assert solve_lp(lp, backend).status is Status.INFEASIBLE
    rng = np.random.default_rng(441)
    m, n = rng.integers(1, 5, size=2)
    both = LinearProgram(*(rng.integers(-2, 3, size=size) for size in (n, (m, n), m)), "inequality")
    assert solve_lp(both, backend).status is Status.INFEASIBLE


@pytest.mark.parametrize("scale_b, scale_c", [(1e8, 1.0), (1e-12, 1.0), (1.0, 1e12), (1e-9, 1e-9)])
def test_the_answer_scales_with_the_data(scale_b, scale_c):
    lp = LinearProgram(OT2.c * scale_c, OT2.A, OT2.b * scale_b)
    for program in (lp, lp.dual()):
        solution = solve_lp(program)
        assert solution.status is Status.OPTIMAL
        assert solution.objective == pytest.approx(0.25 * scale_b * scale_c, rel=1e-9)
    unbalanced = LinearProgram(OT2.c, OT2.A, scale_b * np.array([0.5, 0.5, 0.25, 1.25]))
    assert solve_lp(unbalanced).status is Status.INFEASIBLE


@pytest.mark.parametrize("as_given", [np.asarray, sparse.csr_array])
def test_rows_of_very_different_size(as_given):
    """Found by chance: with rows of 1e6 against a right-hand side of 1 no ray passed its check."""
    A = 1e6 * np.array([[0.0, -2, -2, 1], [1, -1, -1, 1], [1, 1, -2, -1], [-1, -1, 1, 2]])
    lp = LinearProgram(np.zeros(4), as_given(A), [1, -1, 0, -2])
    for program in (lp, lp.dual()):
        ray = solve_lp(program).ray
        assert lp.b @ ray > 1e-3 and (lp.A.T @ ray).max() <= 1e-9 * 1e6
    mixed = as_given(OT2.A * np.array([[1e6], [1.0], [3e-7], [5.0]]))
    feasible = LinearProgram(OT2.c, mixed, OT2.b * [1e6, 1.0, 3e-7, 5.0])
    for program in (feasible, feasible.dual()):
        solution = solve_lp(program)
        assert solution.objective == pytest.approx(0.25, abs=1e-9)
        assert feasible.b @ solution.y == pytest.approx(0.25, abs=1e-9)
        assert (feasible.A.T @ solution.y <= feasible.c + 1e-9).all()


def test_a_large_sparse_transport_program_stays_sparse():
    lp = transport(100, seed=1)
    assert sparse.issparse(lp.A) and lp.A.nnz == 2 * 100 * 100
    primal, dual = solve_lp(lp), solve_lp(lp.dual())
    assert_optimal_pair(lp, primal)
    assert_optimal_pair(lp, dual)
    assert primal.objective == pytest.approx(dual.objective, rel=1e-10)


def test_two_solvers_that_share_no_code_agree():
    for seed in range(5):
        lp = transport(6, seed)
        answers = [solve_lp(program, backend) for program in (lp, lp.dual()) for backend in BACKENDS]
        assert {answer.stats["solver"] for answer in answers} == {"HiGHS", "Clarabel"}
        assert np.ptp([answer.objective for answer in answers]) <= 1e-9


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 10**6))
def test_every_status_carries_its_proof(seed):
    rng = np.random.default_rng(seed)
    m, n = rng.integers(1, 5, size=2)
    form = ("equality", "inequality")[seed % 2]
    lp = LinearProgram(*(rng.integers(-2, 3, size=size).astype(float) for size in (n, (m, n), m)), form)
    primal, dual = solve_lp(lp), solve_lp(lp.dual())
    if primal.status is Status.OPTIMAL:
        assert dual.status is Status.OPTIMAL and primal.objective == pytest.approx(dual.objective, abs=1e-9)
        assert_optimal_pair(lp, primal)
    elif primal.status is Status.INFEASIBLE:
        assert dual.status in (Status.INFEASIBLE, Status.UNBOUNDED)
        assert (lp.A.T @ primal.ray).max() <= 1e-9 and lp.b @ primal.ray > 1e-9
    else:
        assert primal.status is Status.UNBOUNDED and dual.status is Status.INFEASIBLE
        assert lp.c @ primal.ray < -1e-9 and primal.ray.min() >= 0


def answering(status, point=None, multipliers=None):
    return lambda rows, *rest: lp_backends.Answer(status, point, multipliers, "a wrong solver", "solved.", 0.0, 0)


@pytest.mark.parametrize(
    "answer",
    [
        answering("optimal", np.array([0.5, 0, 0, 0.5]), np.array([0.0, 0, 0, 0])),  # infeasible point
        answering("optimal", np.array([0.0, 0.5, 0.25, 0.25]), np.array([0.0, -1, 0, 1])),  # not optimal
        answering(
            "optimal", np.array([0.25, 0.25, 0, 0.5]), np.array([0.0, 1, 0, -1])
        ),  # multipliers of the wrong sign
        answering("optimal", np.full(4, np.nan), np.zeros(4)),
        answering("optimal", np.array([0.25, 0.25, 0, 0.5]), np.array([0, -1, 0, np.nan])),
        answering("optimal", np.array([0.25, 0.25, 0, np.inf]), np.array([0.0, -1, 0, 1])),
        answering("infeasible"),
        answering("unbounded"),
        answering("failed"),
        answering("unclear"),
    ],
)
def test_a_wrong_answer_of_a_solver_is_refused(monkeypatch, answer):
    from otdiv.linear_programming import solve as linear_program

    monkeypatch.setattr(linear_program, "by_highs", answer)
    solution = solve_lp(OT2)
    assert solution.status is Status.FAILED
    assert solution.x is None and solution.y is None and solution.ray is None and np.isnan(solution.objective)
    assert "solved." in solution.stats["message"]


def test_a_value_beyond_float64_is_not_called_optimal():
    lp = LinearProgram([1e200], [[1.0]], [1e200])
    assert solve_lp(lp).status is Status.FAILED
    assert solve_lp(LinearProgram([1e150], [[1.0]], [1e150])).objective == pytest.approx(1e300)


def test_a_time_limit_stops_with_a_status():
    solution = solve_lp(transport(100, seed=2), time_limit=1e-9)
    assert solution.status is Status.STOPPED
    assert "time" in solution.stats["message"].lower()


@pytest.mark.parametrize(
    "arguments, word",
    [
        (([1, 2], [[1, 1]], [1, 2]), r"b must have shape \[1\]"),
        (([1, 2, 3], [[1, 1]], [1]), r"c must have shape \[2\]"),
        (([1, np.nan], [[1, 1]], [1]), "c must be finite"),
        (([1, 1], [[1, np.nan]], [1]), "A must be finite"),
        (([1, np.inf], [[1, 1]], [1]), "c must be finite"),
        (([1, 1], sparse.csr_array([[1, np.inf]]), [1]), "A must be finite"),
        (([1, 1], sparse.csr_array([[1, np.nan]]), [1]), "A must be finite"),
        (([1, 1], [[1, 1]], [np.nan]), "b must be finite"),
        (([1, 1], [1, 1], [1]), "A must have shape"),
        (([], np.zeros((1, 0)), [1]), "A must have shape"),
        (([1], [["a"]], [1]), "A must"),
        (([1], sparse.csr_array([[1j]]), [1]), "A must hold real numbers"),
        (([1], [[1]], [1], "<="), "form must be one of equality, inequality"),
    ],
)
def test_bad_input_is_refused_by_name(arguments, word):
    with pytest.raises(InvalidInput, match=word):
        LinearProgram(*arguments)


def test_bad_options_are_refused():
    for bad in ({"backend": "glpk"}, {"method": "simplex"}, {"time_limit": 0}, {"time_limit": float("nan")}):
        with pytest.raises(InvalidInput):
            solve_lp(OT2, **bad)
    with pytest.raises(InvalidInput, match="program must be a LinearProgram"):
        solve_lp("min x")


def test_the_record_keeps_its_own_copies():
    c, A, b = np.array([1.0, 1]), np.array([[1.0, 1]]), np.array([1.0])
    lp = LinearProgram(c, A, b)
    c[0] = A[0, 0] = b[0] = 7
    assert lp.c[0] == lp.A[0, 0] == lp.b[0] == 1
    with pytest.raises(ValueError, match="read-only"):
        lp.A[0, 0] = 2


def test_surplus_form_is_the_same_in_floats_sparse_and_exact_numbers():
    lp = LinearProgram([2, 3], [[1, 1], [1, 3]], [4, 6], "inequality")
    wide = surplus_form(lp)
    assert wide.form == "equality" and wide.A.tolist() == [[1, 1, -1, 0], [1, 3, 0, -1]]
    thin = surplus_form(LinearProgram(lp.c, sparse.csr_array(lp.A), lp.b, "inequality"))
    assert sparse.issparse(thin.A) and thin.A.toarray().tolist() == wide.A.tolist()
    exact = surplus_form(RationalProgram.of(lp))
    assert exact == RationalProgram.of(wide)
    assert surplus_form(wide) is wide and surplus_form(exact) is exact
    assert solve_lp(wide).objective == pytest.approx(9) and solve_exact(exact).objective == 9


def test_an_objective_that_cancels_is_not_called_optimal_unless_a_gap_is_allowed():
    """min x1 - x2 with 3 x1 = 1e9 + 1e-3, 7 x2 = 7e9 / 3: the digits of x1 and x2 do not settle it."""
    lp = LinearProgram([1.0, -1.0], [[3.0, 0.0], [0.0, 7.0]], [1e9 + 1e-3, 7e9 / 3])
    found = solve_lp(lp)
    assert found.status is Status.STOPPED and found.x is not None
    assert 1e-9 * abs(found.objective) < found.stats["uncertainty"] < 1e-3
    assert solve_lp(lp, atol=1e-3).status is Status.OPTIMAL
    with pytest.raises(InvalidInput, match="rtol must be a non-negative number"):
        solve_lp(lp, rtol=-1.0)


def test_multipliers_that_are_slightly_off_are_not_called_optimal(monkeypatch):
    from otdiv.linear_programming import solve as linear_program

    honest = solve_lp(OT2)
    rows = linear_program.ScaledProgram(OT2.c, OT2.A, OT2.b, OT2.form).primal_rows()
    answer = lp_backends.by_highs(rows, None)

    def off(*_):
        return dataclasses.replace(answer, multipliers=answer.multipliers * (1 - 2e-8))

    monkeypatch.setattr(linear_program, "by_highs", off)
    assert honest.status is Status.OPTIMAL
    assert solve_lp(OT2).status is Status.STOPPED


def test_integers_whose_sum_cancels_are_optimal_exactly():
    found = solve_lp(LinearProgram([1.0, -1.0], [[1.0, 0.0], [0.0, 1.0]], [3.0, 3.0]))
    assert found.status is Status.OPTIMAL and found.objective == 0.0 and found.stats["uncertainty"] == 0.0
