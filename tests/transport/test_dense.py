"""Small dense problems: stopped, beyond the range, without mass, and against POT and rational arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from otdiv import DiscreteMeasure, Status, TransportProblem, emd
from otdiv.core.options import DEFAULTS
from otdiv.transport.methods.dense import solve as dense
from otdiv.transport.methods.dense.kernels import solve_matrix
from otdiv.transport.solve import solve_with
from tests.helpers.exact_reference import exact_emd

GOING, STOPPED = np.zeros(1, np.int64), np.ones(1, np.int64)


def weights(rng, n):
    a = rng.integers(0, 6, n).astype(float)
    a[0] += a.sum() == 0
    return a / a.sum()


@pytest.mark.parametrize("seed", range(40))
def test_against_pot_in_every_shape(seed):
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 40, 2)
    x, y = rng.normal(size=(n, 3)), rng.normal(size=(m, 3))
    if seed % 3 == 0:  # ties and common points
        x, y = np.rint(x), np.rint(y)
    a, b = (weights(rng, n), weights(rng, m)) if seed % 2 else (None, None)
    cost = ("euclidean", "sqeuclidean", "cityblock", "chebyshev", "minkowski:3", "discrete")[seed % 6]
    found, pot = (emd(x, y, a, b, cost=cost, method=method) for method in ("dense", "pot"))
    assert found.status is Status.OPTIMAL and found.lower <= pot.upper and pot.lower <= found.upper
    plan = found.plan.toarray()
    assert plan.min() >= 0
    assert np.abs(plan.sum(axis=1) - found.problem.a).max() < 1e-15
    assert np.abs(plan.sum(axis=0) - found.problem.b).max() < 1e-15
    assert cost == "minkowski:3" or found.verify().bounds.contains(found.value)


@pytest.mark.parametrize("seed", range(20))
def test_stopped_at_once_it_has_a_plan_whose_interval_holds_the_truth(seed):
    rng = np.random.default_rng(seed)
    costs = rng.random((7, 6))
    a, b = weights(rng, 7), weights(rng, 6)
    (lower, value, upper, _, count), f, g, rows, columns, mass = solve_matrix(0.0, 0.0, costs, 0.0, a, b, STOPPED)
    truth = exact_emd(a, b, costs)
    assert Fraction(lower) <= truth <= Fraction(upper) and lower <= value <= upper
    assert ((f[:7, None] + g[:6]) <= costs).all()
    plan = np.zeros((7, 6))
    plan[rows[:count], columns[:count]] = mass[:count]
    assert np.abs(plan.sum(axis=1) - a).max() < 1e-15 and np.abs(plan.sum(axis=0) - b).max() < 1e-15


def test_stopped_plans_are_not_the_cheapest():
    rng = np.random.default_rng(0)
    costs, a, b = rng.random((30, 30)), weights(rng, 30), weights(rng, 30)
    stopped, whole = (solve_matrix(0.0, 0.0, costs, 0.0, a, b, stop)[0] for stop in (STOPPED, GOING))
    assert stopped[2] > 1.01 * whole[2] and whole[2] - whole[0] < 1e-13


def test_an_assignment_that_was_stopped_proposes_nothing():
    costs, a = np.random.default_rng(0).random((60, 60)), np.full(60, 1 / 60)
    lower, value, upper, _, count = solve_matrix(0.0, 0.0, costs, 0.0, a, a, STOPPED)[0]
    assert count == -1 and np.isnan(value) and upper == np.inf
    assert lower <= emd(a=a, b=a, cost=costs, method="pot").value


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_beyond_its_range_it_is_solved_otherwise(scale):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(9, 2)), rng.normal(size=(9, 2))
    problem = TransportProblem(DiscreteMeasure(x * scale), DiscreteMeasure(y * scale))
    assert dense.prove_dense(problem).proof is None
    found = solve_with(problem, "auto", DEFAULTS)
    assert found.stats["tried"][0] == "dense" and found.lower <= found.value <= found.upper
    if scale > 1:  # differences of 1e-200 have no proof in float64
        assert found.status is Status.OPTIMAL and found.value / scale == pytest.approx(emd(x, y).value, rel=1e-12)


def test_a_wrong_plan_or_wrong_prices_of_the_pass_open_the_interval(monkeypatch):
    """The pass proves by itself; where its claim is not as narrow as asked, the auditor judges what it proposes."""
    rng = np.random.default_rng(1)
    problem = TransportProblem(DiscreteMeasure(rng.normal(size=(20, 2))), DiscreteMeasure(rng.normal(size=(20, 2))))
    right = solve_with(problem, "dense", DEFAULTS)
    solved = dense._solved

    def tampered(*given):
        (lower, value, upper, error, count), f, g, rows, columns, mass = solved(*given)
        return (lower, value, upper + 1.0, error, count), f, g + 0.5, rows, np.roll(columns[:count], 1), mass

    monkeypatch.setattr(dense, "_solved", tampered)
    wrong = solve_with(problem, "dense", DEFAULTS)
    assert wrong.status is Status.STOPPED and wrong.lower <= right.value <= wrong.upper and wrong.gap > 0.1


def test_costs_of_points_are_those_of_the_matrix():
    """To the last bit, where each step is rounded correctly; so f + g <= c holds for both."""
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(30, 5)), rng.normal(size=(25, 5))
    for cost in ("euclidean", "sqeuclidean", "cityblock", "chebyshev"):
        found = emd(x, y, cost=cost)
        by_matrix = emd(a=np.full(30, 1 / 30), b=np.full(25, 1 / 25), cost=cdist(x, y, cost))
        assert found.method == by_matrix.method == "dense"
        assert (found.f == by_matrix.f).all() and (found.g == by_matrix.g).all(), cost
