"""Known answers x every method x every invariance, and random problems against exact arithmetic."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import linear_sum_assignment, linprog
from scipy.spatial.distance import cdist
from scipy.stats import wasserstein_distance

import otdiv
from otdiv import DiscreteMeasure, Status, TransportProblem, emd, select_method, solve, wasserstein
from otdiv.costs import CallableCost, as_cost
from otdiv.errors import InvalidInput, SolverFailed
from otdiv.linear_programming.solve import LPSolution
from tests.helpers.exact_reference import exact_cost, exact_emd
from tests.helpers.problems import COSTS, KNOWN, METHODS, random_problem

EVERY = ("auto", *METHODS)


def highs_value(x, y, a, b, cost):
    """The primal program written out here, independently of otdiv's own."""
    c = as_cost(cost).matrix(np.asarray(x, float), np.asarray(y, float))
    n, m = c.shape
    a = np.full(n, 1 / n) if a is None else a
    b = np.full(m, 1 / m) if b is None else b
    rows = np.kron(np.eye(n), np.ones(m))
    columns = np.kron(np.ones(n), np.eye(m))
    # the last equation follows from the others; kept, rounding of the weights could make it contradict them
    equations, right = np.vstack([rows, columns])[:-1], np.concatenate([a, b])[:-1]
    tight = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
    answer = linprog(c.ravel(), A_eq=equations, b_eq=right, method="highs", options=tight)
    assert answer.status == 0, answer.message
    return answer.fun


@pytest.mark.parametrize("method", EVERY)
@pytest.mark.parametrize("known", KNOWN, ids=lambda k: k.name)
def test_known_answers_by_every_method(known, method):
    result = emd(known.x, known.y, known.a, known.b, cost=known.cost, method=method)
    # an interior point comes within 1e-12 of zero; a relative gap cannot close there
    assert result.status is Status.OPTIMAL or (method.endswith("cvxpy") and known.value == 0.0)
    assert result.value == pytest.approx(known.value, rel=1e-9, abs=1e-12)
    assert result.lower - 1e-12 <= known.value <= result.upper + 1e-12
    assert result.gap <= 1e-9 * max(1.0, known.value)


@pytest.mark.parametrize("method", EVERY)
@pytest.mark.parametrize("known", [k for k in KNOWN if k.x is not None], ids=lambda k: k.name)
def test_invariances(known, method):
    """Exchange, translation, scale of points and of masses, order of points, splitting an atom."""
    x, y = (np.asarray(p, float).reshape(len(p), -1) for p in (known.x, known.y))
    a = np.full(len(x), 1 / len(x)) if known.a is None else np.asarray(known.a, float)
    b = np.full(len(y), 1 / len(y)) if known.b is None else np.asarray(known.b, float)
    power = {"sqeuclidean": 2, "discrete": 0}.get(known.cost, 1)

    def value(*problem):
        return emd(*problem, cost=known.cost, method=method).value

    same = [
        (y, x, b, a),
        (x + 3.0, y + 3.0, a, b),
        (x[::-1], y, a[::-1], b),
        (np.repeat(x, 2, axis=0), y, np.repeat(a / 2, 2), b),
        (np.vstack([x, x[:1] + 50.0]), y, np.append(a, 0.0), b),
    ]
    for variant in same:
        assert value(*variant) == pytest.approx(known.value, rel=1e-9, abs=1e-11)  # costs reach 60 here
    assert value(10 * x, 10 * y, a, b) == pytest.approx(10**power * known.value, rel=1e-9, abs=1e-11)
    assert value(x, y, 7 * a, 7 * b) == pytest.approx(7 * known.value, rel=1e-9, abs=1e-11)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_every_method_agrees_on_random_problems(seed):
    """Ten problems a seed, two hundred in all; all methods within 1e-9, all intervals about HiGHS's value."""
    rng = np.random.default_rng(seed)
    for _ in range(10):
        x, y, a, b, cost = random_problem(rng)
        reference = highs_value(x, y, a, b, cost)
        scale = max(abs(reference), 1e-3)
        for method in EVERY:
            result = emd(x, y, a, b, cost=cost, method=method)
            assert result.value == pytest.approx(reference, rel=1e-9, abs=1e-12), (method, cost)
            # HiGHS meets its equations to 1e-10 only, so its value may leave the proved interval by that
            assert result.lower - 1e-10 * scale <= reference <= result.upper + 1e-10 * scale, (method, cost)
            assert result.status is Status.OPTIMAL or (method.endswith("cvxpy") and reference < 1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_intervals_contain_the_exact_value(seed):
    """Rational arithmetic decides: no interval of any method ever misses, not by one bit."""
    rng = np.random.default_rng(1000 + seed)
    done = 0
    while done < 12:
        x, y, a, b, cost = random_problem(rng, most=11)
        if cost.startswith("minkowski"):
            continue
        done += 1
        a = np.full(len(x), 1 / len(x)) if a is None else a
        b = np.full(len(y), 1 / len(y)) if b is None else b
        truth = exact_emd(a, b, exact_cost(x, y, cost))
        for method in EVERY:
            result = emd(x, y, a, b, cost=cost, method=method)
            assert result.lower <= truth <= result.upper, (method, cost, float(truth), result)
            assert result.gap <= 1e-9 * max(float(truth), 1.0)


@pytest.mark.parametrize("cost", ["euclidean", "sqeuclidean", "cityblock", "minkowski:1.5"])
def test_line_agrees_with_the_general_methods(cost):
    rng = np.random.default_rng(5)
    for _ in range(20):
        n, m = rng.integers(1, 40, 2)
        x, y = rng.normal(size=n).round(1), rng.normal(size=m).round(1)
        a, b = rng.integers(0, 4, n) + 1e-9 * (n == 1), rng.integers(0, 4, m) + 1e-9 * (m == 1)
        a[0] += 1
        b[0] += 1
        a, b = a / a.sum(), b / b.sum()
        line, general = emd(x, y, a, b, cost=cost, method="line"), emd(x, y, a, b, cost=cost, method="primal")
        assert line.value == pytest.approx(general.value, rel=1e-9, abs=1e-12)
        assert line.status is Status.OPTIMAL


def test_line_agrees_with_scipy():
    rng = np.random.default_rng(6)
    x, y, a, b = rng.normal(size=3000), rng.gamma(2.0, size=2000), rng.random(3000), rng.random(2000)
    a, b = a / a.sum(), b / b.sum()
    assert emd(x, y, a, b).value == pytest.approx(wasserstein_distance(x, y, a, b), rel=1e-10)


def test_uniform_square_problem_is_an_assignment():
    rng = np.random.default_rng(7)
    x, y = rng.normal(size=(300, 4)), rng.normal(size=(300, 4))
    costs = as_cost("euclidean").matrix(x, y)
    rows, columns = linear_sum_assignment(costs)
    result = emd(x, y)
    assert result.value == pytest.approx(costs[rows, columns].mean(), rel=1e-12)
    assert len(result.plan) == 300


def test_plan_and_potentials_are_what_they_claim():
    rng = np.random.default_rng(8)
    x, y, a, b, cost = rng.normal(size=(40, 3)), rng.normal(size=(30, 3)), rng.random(40), rng.random(30), "euclidean"
    a, b = a / a.sum(), b / b.sum()
    for method in EVERY:
        result = emd(x, y, a, b, cost=cost, method=method)
        plan = result.plan.toarray()
        assert plan.min() >= 0
        np.testing.assert_allclose(plan.sum(axis=1), a, rtol=0, atol=1e-15)
        np.testing.assert_allclose(plan.sum(axis=0), b, rtol=0, atol=1e-15)
        costs = as_cost(cost).matrix(x, y)
        assert (costs - result.f[:, None] - result.g).min() >= -1e-15
        assert a @ result.f + b @ result.g == pytest.approx(result.value, rel=1e-9)
        assert result.slackness <= 1e-9 * result.value
        assert not result.f.flags.writeable and not result.plan.mass.flags.writeable


@given(
    st.lists(st.tuples(st.integers(-4, 4), st.integers(-4, 4), st.integers(0, 5)), min_size=1, max_size=6),
    st.lists(st.tuples(st.integers(-4, 4), st.integers(-4, 4), st.integers(0, 5)), min_size=1, max_size=6),
    st.sampled_from(["euclidean", "sqeuclidean", "cityblock", "chebyshev", "discrete"]),
)
@settings(max_examples=150, deadline=None)
def test_lattice_problems_exactly(first, second, cost):
    """Ties, repeated points and zero weights on a small lattice, against exact arithmetic."""
    x, y = np.array(first, float), np.array(second, float)
    a, b = x[:, 2] + (x[:, 2].sum() == 0), y[:, 2] + (y[:, 2].sum() == 0)
    a, b = a * b.sum(), b * a.sum()
    truth = exact_emd(a, b, exact_cost(x[:, :2], y[:, :2], cost))
    result = emd(x[:, :2], y[:, :2], a, b, cost=cost)
    assert result.lower <= truth <= result.upper
    assert result.status is Status.OPTIMAL


def test_cells_of_a_grid_are_multiscale_sooner():
    """28 x 28 cells: multiscale, with the squared distance from 20 x 20 or so on; points on no grid are dense."""
    rng = np.random.default_rng(0)

    def chosen(size, cost, moved=0.0):
        points = np.stack(np.indices((size, size)), -1).reshape(-1, 2) + moved * rng.random((size * size, 2))
        measures = (DiscreteMeasure(points, weights) for weights in rng.dirichlet(np.ones(size * size), 2))
        return select_method(TransportProblem(*measures, cost)).method

    assert [chosen(18, "sqeuclidean"), chosen(24, "sqeuclidean")] == ["dense", "multiscale"]
    assert [chosen(24, "euclidean"), chosen(28, "euclidean")] == ["dense", "multiscale"]
    assert [chosen(28, cost, 0.1) for cost in ("sqeuclidean", "euclidean")] == ["dense", "dense"]


def test_select_method_tells_what_and_why():
    line = TransportProblem(DiscreteMeasure([0.0, 1]), DiscreteMeasure([2.0]))
    plane = TransportProblem(DiscreteMeasure([[0.0, 1]]), DiscreteMeasure([[2.0, 2]]))
    matrix = TransportProblem(DiscreteMeasure([0.0]), DiscreteMeasure([0.0, 1]), [[1.0, np.inf]])
    for problem, method, word in (
        (line, "line", "sorting"),
        (plane, "dense", "few pairs"),
        (matrix, "primal", "forbidden"),
    ):
        choice = select_method(problem)
        assert choice.method == method and word in choice.reason
    assert solve(line).method == "line" and "sorting" in solve(line).stats["reason"]


@pytest.mark.parametrize("cost", COSTS)
def test_exact_zero_for_identical_measures(cost):
    x = np.random.default_rng(9).normal(size=(12, 3))
    result = emd(x, x, cost=cost)
    assert result.value == 0.0 and result.lower == 0.0 and result.status is Status.OPTIMAL


def test_wasserstein_orders_and_bounds():
    rng = np.random.default_rng(10)
    x, y = rng.normal(size=(30, 2)), rng.normal(size=(30, 2)) + 1
    w = [wasserstein(x, y, p=p) for p in (1, 1.5, 2, 3)]
    assert all(low.value <= high.value + 1e-12 for low, high in zip(w, w[1:], strict=False))
    assert all(d.value in d.bounds for d in w)
    assert w[2].value == pytest.approx(emd(x, y, cost="sqeuclidean").value ** 0.5)
    shift = wasserstein(x, x + [3.0, 4.0], p=3)
    assert shift.value == pytest.approx(5.0, rel=1e-12) and 5.0 in shift.bounds
    with pytest.raises(InvalidInput, match="metric must be a metric"):
        wasserstein(x, y, metric="sqeuclidean")
    with pytest.raises(InvalidInput, match="p must be a number >= 1, or infinity"):
        wasserstein(x, y, p=0.5)
    with pytest.raises(InvalidInput, match="sum to 1"):
        wasserstein(x, y, np.ones(30), np.ones(30))


def test_result_to_dict_and_repr():
    result = emd([0.0, 1], [1.0, 2])
    record = result.to_dict()
    for key in ("value", "lower", "upper", "gap", "status", "method", "n", "m", "d"):
        assert key in record
    assert float(result) == result.value and "proved in" in repr(result)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(x=[0.0], y=None), "y must be given"),
        (dict(x=None, y=None), "x and y must be given"),
        (dict(x=[0.0], y=[1.0], method="magic"), "method must be one of"),
        (dict(x=[0.0], y=[1.0], cost="manhattan"), "cost must be one of"),
        (dict(x=[0.0], y=[1.0], cost="minkowski:0.5"), "p as a number >= 1"),
        (dict(x=[[0.0, 1]], y=[[1.0]]), "same dimension"),
        (dict(x=[[0.0, 1]], y=[[1.0, 2]], method="line"), "method must fit the problem"),
        (dict(x=[0.0], y=[1.0], cost=[[1.0, 2.0]]), r"cost must have shape \[1, 1\]"),
        (dict(x=[0.0], y=[1.0], rtol=-1.0), "rtol must be a non-negative"),
        (dict(x=[0.0], y=[1.0], max_iter=0), "max_iter must be a positive"),
        (dict(x=DiscreteMeasure([0.0]), y=[1.0], a=[1.0]), "weights of x must be left out"),
        (dict(x=[0.0, 1], y=[1.0], a=[1.0]), r"weights must have shape \[2\]"),
        (dict(x=[], y=[1.0]), "at least one point"),
        (dict(x=["a"], y=[1.0]), "hold real numbers"),
        (dict(x=[1j], y=[1.0]), "hold real numbers"),
        (dict(x=[[1.0], [1.0, 2.0]], y=[1.0]), "be rectangular"),
    ],
)
def test_errors_name_argument_and_requirement(arguments, message):
    with pytest.raises(ValueError, match=message):
        emd(**arguments)


def test_a_solver_without_an_answer_is_an_error(monkeypatch):
    from otdiv.transport.methods import linear_program as lp

    failed = LPSolution(Status.FAILED, None, None, float("nan"), None, {"message": "no reason"})
    monkeypatch.setattr(lp, "solve_lp", lambda *_, **__: failed)
    rng = np.random.default_rng(0)
    with pytest.raises(SolverFailed, match="method 'primal' gave no answer"):
        emd(rng.normal(size=(80, 2)), rng.normal(size=(80, 2)), method="primal")


def test_public_emd_is_the_top_level_name():
    assert otdiv.emd is emd


@pytest.mark.slow
@pytest.mark.parametrize("method", ["dense", "pot", "primal", "dual", "primal-cvxpy", "dual-cvxpy", "simplex"])
def test_a_limit_stops_every_method_with_a_true_interval(method):
    rng = np.random.default_rng(0)
    n = {"dense": 4000, "pot": 1500, "simplex": 1500}.get(method, 150)
    costs, a = rng.random((n, n)), np.full(n, 1 / n)
    started = time.monotonic()
    stopped = otdiv.emd(a=a, b=a, cost=costs, method=method, time_limit=0.02)
    assert time.monotonic() - started < 5
    rows, columns = linear_sum_assignment(costs)
    assert stopped.lower <= costs[rows, columns].mean() <= stopped.upper
    assert stopped.status.label == "stopped" and "time limit" in stopped.stats["message"]


@pytest.mark.slow
def test_a_method_in_a_process_gives_the_same_answer(monkeypatch):
    rng = np.random.default_rng(0)
    costs, a = rng.random((400, 400)), np.full(400, 1 / 400)
    here = otdiv.emd(a=a, b=a, cost=costs, method="pot")
    monkeypatch.setattr("otdiv.transport.methods.pot._IN_CHILD_FROM", 0)
    monkeypatch.setattr("otdiv.transport.methods.pot._IN_THREAD_FROM", 0)
    there = otdiv.emd(a=a, b=a, cost=costs, method="pot")
    assert there.bounds == here.bounds and there.status.label == "optimal"


@pytest.mark.parametrize("p", [1, 2, 3.5, np.inf])
def test_wasserstein_of_a_metric_by_matrix_or_function(p):
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(12, 2)), rng.normal(size=(9, 2))
    named = wasserstein(x, y, p=p, metric="cityblock")
    by_matrix = wasserstein(x, y, p=p, metric=cdist(x, y, "cityblock"))
    by_function = wasserstein(x, y, p=p, metric=lambda u, v: np.abs(u[:, None] - v[None]).sum(-1))
    for other in (by_matrix, by_function):
        assert other.value == pytest.approx(named.value, rel=1e-9) and other.status is Status.OPTIMAL


def test_wasserstein_refuses_what_is_no_metric():
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(12, 2)), rng.normal(size=(9, 2))
    squares = cdist(x, y, "sqeuclidean")
    for metric, came in (
        (squares, "a matrix with a detour shorter by"),
        (np.where(squares > 1, np.inf, squares), "entries that are not finite"),
        ("sqeuclidean", "'sqeuclidean'"),
        (CallableCost(lambda u, v: cdist(u, v, "sqeuclidean"), metric=False), "'callable'"),
        (sparse.coo_array(squares[:2, :2]), "'sparse matrix'"),
    ):
        with pytest.raises(InvalidInput, match=f"metric must be a metric; got .*{came}.*For another cost use emd"):
            wasserstein(x, y, metric=metric)
