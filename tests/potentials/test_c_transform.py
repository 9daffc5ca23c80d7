"""Transforms, one Lipschitz function for two potentials, functions off the sample."""

from __future__ import annotations

import numpy as np
import pytest

from otdiv import DiscreteMeasure, TransportProblem, emd
from otdiv.duality.transport_game import balanced_flow
from otdiv.errors import InvalidInput
from otdiv.lipschitz import on_points
from otdiv.potentials.c_transform import c_transform, double_transform, mcshane, to_lipschitz
from tests.helpers.problems import random_problem

METRICS = ("euclidean", "cityblock", "chebyshev", "discrete", "minkowski:3")


def test_c_transform_is_the_largest_feasible_partner():
    rng = np.random.default_rng(0)
    x, y, f = rng.normal(size=(9, 2)), rng.normal(size=(7, 2)), rng.normal(size=9)
    costs = TransportProblem(DiscreteMeasure(x), DiscreteMeasure(y), "sqeuclidean").costs()
    g = c_transform(f, x, y, cost="sqeuclidean")
    np.testing.assert_array_equal(g, (costs - f[:, None]).min(axis=0))
    assert (costs - f[:, None] - g).min() >= -1e-15
    for j in range(7):  # raising any entry breaks a constraint
        raised = g.copy()
        raised[j] += 1e-9
        assert (costs - f[:, None] - raised).min() < -1e-10
    np.testing.assert_array_equal(c_transform(f, cost=costs), g)


def test_double_transform_raises_and_then_rests():
    rng = np.random.default_rng(1)
    x, y, f = rng.normal(size=(9, 2)), rng.normal(size=(7, 2)), rng.normal(size=9)
    f2, g = double_transform(f, x, y)
    assert (f2 >= f - 1e-15).all()
    f3, g3 = double_transform(f2, x, y)
    np.testing.assert_allclose(f3, f2, atol=1e-15)
    np.testing.assert_allclose(g3, g, atol=1e-15)
    costs = np.abs(rng.normal(size=(4, 5)))
    f2, g = double_transform(np.zeros(4), cost=costs)
    assert (costs - f2[:, None] - g).min() >= -1e-15


@pytest.mark.parametrize("cost", METRICS)
def test_one_lipschitz_function_is_worth_as_much_for_a_metric(cost):
    rng = np.random.default_rng(2)
    for _ in range(10):
        x, y, a, b, _ = random_problem(rng, most=15)
        result = emd(x, y, a, b, cost=cost)
        one = to_lipschitz(result.problem, result.f, result.g)
        assert one.value == pytest.approx(result.value, rel=1e-9, abs=1e-12)
        assert one.value >= one.before - 1e-12
        assert one.slope <= 1 + 1e-9
        assert on_points(2 * one.u, one.points, cost=cost).value == pytest.approx(
            2 * one.slope
        )  # it sees a steeper one


def test_poor_potentials_are_improved_not_believed():
    problem = TransportProblem(
        DiscreteMeasure([0.0, 1, 2], [0.2, 0.2, 0.6]), DiscreteMeasure([0.0, 1, 2], [0.5, 0.3, 0.2])
    )
    one = to_lipschitz(problem, np.array([-2.0, -3, -2]), np.array([0.0, 3, 0]))  # feasible, far from optimal
    assert one.value >= one.before and one.value <= 0.7 + 1e-12 and one.slope <= 1


def test_e58_squared_cost_loses_half_with_one_function():
    two = emd([0.0], [2.0], cost="sqeuclidean")
    points = np.array([0.0, 1.0, 2.0])
    squared = (points[:, None] - points) ** 2
    single = balanced_flow(np.array([1.0, 0, 0]), np.array([0.0, 0, 1]), squared)
    assert two.value == pytest.approx(4.0) and single.value == pytest.approx(2.0)
    with pytest.raises(InvalidInput, match="cost must be a metric"):
        to_lipschitz(two.problem, two.f, two.g)


@pytest.mark.parametrize("cost", METRICS)
def test_x2_potentials_are_functions_off_the_sample(cost):
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(20, 2)), rng.normal(size=(20, 2)) + 1
    result = emd(x, y, cost=cost)
    f, g = result.potential_functions()
    np.testing.assert_allclose(f(x), result.f, atol=1e-14)
    np.testing.assert_allclose(g(y), result.g, atol=1e-14)
    anywhere = rng.normal(size=(200, 2)) * 3
    costs = TransportProblem(DiscreteMeasure(anywhere), DiscreteMeasure(y), cost).costs()
    assert (costs - f(anywhere)[:, None] - result.g).min() >= -1e-14
    assert on_points(f(anywhere), anywhere, cost=cost).value <= 1 + 1e-12
    value = f(x).mean() - f(y).mean()
    assert value == pytest.approx(result.value, rel=1e-12)


def test_mcshane_extends_exactly_what_is_1_lipschitz():
    rng = np.random.default_rng(4)
    points = rng.normal(size=(30, 3))
    u = np.sin(points[:, 0])
    extension = mcshane(u, points)
    np.testing.assert_allclose(extension(points), u, atol=1e-15)
    other = rng.normal(size=(100, 3))
    assert (extension(other) >= np.sin(other[:, 0]) - 1e-12).all()  # the largest extension
    assert on_points(extension(other), other).value <= 1 + 1e-12
    steep = mcshane(3 * u, points)
    assert np.abs(steep(points) - 3 * u).max() > 0.1  # what is steeper cannot be met


def test_slopes_at_the_edges():
    assert on_points([1.0], [0.0]).value == 0.0
    assert on_points([0.0, 1.0], [2.0, 2.0]).value == np.inf
    assert on_points([3.0, 3.0], [2.0, 2.0]).value == 0.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: c_transform([0.0], [0.0, 1.0], [0.0]), "f must have one value"),
        (lambda: c_transform([0.0]), "x must be given"),
        (lambda: c_transform([np.nan], [0.0], [0.0]), "f must be finite"),
        (lambda: c_transform([[0.0]], [0.0], [0.0]), "f must be one-dimensional"),
        (lambda: mcshane([0.0], [0.0], cost="sqeuclidean"), "cost must be a metric"),
        (lambda: mcshane([0.0, 1.0], [0.0]), "u must have one value"),
        (lambda: on_points([0.0, 1.0], [0.0]).value, "values must have one value"),
        (lambda: mcshane([0.0], [0.0])([[0.0, 1.0]]), "z must have points of dimension 1"),
        (lambda: to_lipschitz(emd([0.0], [1.0]).problem, [0.0, 0.0], [0.0]), r"f must have shape \[1\]"),
    ],
)
def test_errors(call, message):
    with pytest.raises(InvalidInput, match=message):
        call()
