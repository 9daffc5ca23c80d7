"""Measures that are equal but for roundings of their weights: the optimum is 0 for weights nearby, and it is said."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

import otdiv
from otdiv import Status
from otdiv.network_flow.small.equal_weights import has_exact_masses
from otdiv.network_flow.small.workspace import allocate_workspace
from tests.helpers.exact_reference import exact_cost, exact_emd

_UNIT = 2.0**-53


def _split(n: int, d: int, seed: int):
    """A measure, and the same with half of its atoms in two parts each: sums of weights differ in last bits."""
    rng = np.random.default_rng(seed)
    x, a = rng.normal(size=(n, d)), rng.random(n)
    a /= a.sum()
    order, half = rng.permutation(n), n // 2
    part = a[:half] * rng.random(half)
    b = np.concatenate([(a - np.concatenate([part, np.zeros(n - half)]))[order], part])
    return x, a, np.concatenate([x[order], x[:half]]), b / b.sum()


@pytest.mark.parametrize("cost", ["euclidean", "sqeuclidean", "cityblock"])
@pytest.mark.parametrize(("n", "d"), [(6, 2), (20, 3), (60, 1), (150, 2)])
def test_one_method_is_enough_and_the_answer_is_certified(n, d, cost):
    x, a, y, b = _split(n, d, seed=n)
    found = otdiv.emd(x, y, a=a, b=b, cost=cost)
    assert found.status.certified and len(found.stats["tried"]) == 1
    assert found.upper < 1e-13
    if found.status is Status.OPTIMAL_NEARBY:
        assert "Certified optimal, 0, for weights within rounding of those given" in found.message


def test_the_interval_is_about_the_weights_as_given():
    x, a, y, b = _split(40, 1, seed=3)
    found = otdiv.emd(x, y, a=a, b=b)
    exact = exact_emd(a, b, exact_cost(x, y, "cityblock"))
    assert found.status is Status.OPTIMAL_NEARBY
    assert exact > 0 and Fraction(found.lower) <= exact <= Fraction(found.upper)


def test_an_order_above_one_a_batch_and_a_matrix_of_distances_say_the_same():
    x, a, y, b = _split(20, 2, seed=20)
    assert otdiv.wasserstein(x, y, a=a, b=b, p=2).status is Status.OPTIMAL_NEARBY
    many = otdiv.emd_many([x, x], [y, x], [a, a], [b, a])
    assert many.status.tolist() == ["optimal_nearby", "optimal"]
    table = otdiv.pairwise([otdiv.DiscreteMeasure(x, a), otdiv.DiscreteMeasure(y, b)])
    assert table.status[0, 1] == "optimal_nearby" and table.status[0, 0] == "optimal"


def test_a_saved_answer_has_the_same_status(tmp_path):
    x, a, y, b = _split(20, 2, seed=20)
    found = otdiv.emd(x, y, a=a, b=b)
    found.save(tmp_path / "equal.npz")
    again = otdiv.load(tmp_path / "equal.npz")
    assert again.status is found.status is Status.OPTIMAL_NEARBY
    assert again.upper < 1e-13


@pytest.mark.parametrize("roundings", [0.5, 8.0, 64.0, 4096.0])
def test_mass_above_rounding_counts(roundings):
    """Of two atoms at distance 1 this share is moved: up to 32 roundings of the mass are none's, more is a distance."""
    share = roundings * _UNIT
    problem = otdiv.TransportProblem(
        otdiv.DiscreteMeasure([0.0, 1.0], [1.0, 1.0]),
        otdiv.DiscreteMeasure([0.0, 1.0], [1.0 - 2 * share, 1.0 + 2 * share]),
    )
    plan = np.array([[1.0 - 2 * share, 2 * share], [0.0, 1.0]])
    proof = otdiv.certify(problem, plan, potentials=([0.0, 0.0], None))
    assert proof.bounds.lower == 0.0 and proof.moved == pytest.approx(share, rel=1e-9)
    assert proof.status(1e-9) is (Status.OPTIMAL_NEARBY if roundings <= 32 else Status.STOPPED)


def test_negative_costs_have_no_such_zero():
    """With a cost of -1 elsewhere, a plan that moves next to nothing at a positive cost may still be undercut."""
    problem = otdiv.TransportProblem(
        otdiv.DiscreteMeasure([0.0, 1.0]),
        otdiv.DiscreteMeasure([0.0, 1.0]),
        np.array([[0.0, -1.0], [-1.0, 0.0]]),
    )
    proof = otdiv.certify(problem, np.eye(2) / 2, potentials=([-1.0, -1.0], None))
    assert proof.status(1e-9) is Status.STOPPED


@pytest.mark.parametrize("tiny", [1e-300, 1e-20, 1e-17, 1e-16, 1e-10])
def test_a_tiny_atom_that_moves_is_not_free(tiny):
    """All else stays where it is, and the atom weighs less than a unit of the flow: the distance is not 0."""
    rng = np.random.default_rng(30)
    points, weights = rng.normal(size=(30, 2)), np.append(rng.random(30), tiny)
    x, y = (np.vstack([points, np.full((1, 2), at)]) for at in (4.0, 5.0))
    found, many = otdiv.emd(x, y, weights, weights), otdiv.emd_many([x], [y], [weights], [weights])
    exact = tiny * math.sqrt(2)
    for lower, upper in ((found.lower, found.upper), (many.lower[0], many.upper[0])):
        assert lower <= exact * (1 + 1e-9) and exact * (1 - 1e-9) <= upper
    assert found.status.certified and found.verify(level="exact").bounds.contains(exact)


def test_masses_are_the_weights_only_where_each_atom_has_its_equal():
    weights, swapped = np.array([0.25, 0.5, 0.25]), np.array([0.25, 0.25, 0.5])
    work = allocate_workspace(3, 3, 9, np.zeros(1, np.int64))
    for target, columns, count, exact in (
        (weights, [0, 1, 2], 3, True),
        (weights, [2, 1, 0], 3, True),
        (swapped, [0, 1, 2], 3, False),  # other weights
        (weights, [0, 1, 1], 3, False),  # one atom twice
        (weights, [0, 1, 2], 2, False),  # one atom left out
    ):
        work.rows[:3], work.columns[:3], work.mass[:3] = [0, 1, 2], columns, 0.1
        assert has_exact_masses(weights, target, 1e-17, count, work) is exact
        assert (work.mass[:3].tolist() == weights.tolist()) is exact
    assert has_exact_masses(weights, swapped, 0.0, 3, work)  # an assignment, which is exact in any case


def test_nearly_equal_histograms_on_the_line_go_on_to_the_solvers():
    rng = np.random.default_rng(5)
    points, a = np.arange(40.0)[:, None], rng.random(40)
    a /= a.sum()
    cumulated = np.diff(np.concatenate([[0.0], np.cumsum(a)]))
    b = cumulated / cumulated.sum()
    table = otdiv.pairwise([otdiv.DiscreteMeasure(points, w) for w in (a, b)])
    exact = exact_emd(a, b, exact_cost(points, points, "cityblock"))
    assert 0 < exact < 1e-14 and table.status[0, 1] == "optimal_nearby"
    assert Fraction(table.lower[0, 1]) <= exact <= Fraction(table.upper[0, 1]) < Fraction(1e-13)


def test_where_rounding_decides_it_is_said_and_the_tolerance_that_is_met_is_named():
    """Of a mass of 1 a billionth moves: rounding of the rest is 1e-7 of the distance."""
    rng = np.random.default_rng(1)
    x, a = rng.normal(size=(40, 2)), rng.random(40)
    a /= a.sum()
    b = a.copy()
    b[:3] += 1e-11 * rng.random(3)
    found = otdiv.emd(x, x, a, b / b.sum())
    assert found.status is Status.STOPPED and "primal" not in found.stats["tried"]
    assert found.message.startswith("Stopped where rounding decides: the bounds differ by ")
    rtol = float(found.status_sentence.rsplit("rtol=", 1)[1].removesuffix(" is met."))
    assert otdiv.emd(x, x, a, b / b.sum(), rtol=rtol).status is Status.OPTIMAL
    assert otdiv.emd(x, x, a, b / b.sum(), rtol=rtol / 10).status is Status.STOPPED


def test_a_solver_that_stops_for_want_of_time_does_not_blame_rounding():
    rng = np.random.default_rng(2)
    found = otdiv.emd(rng.normal(size=(3000, 2)), rng.normal(size=(3000, 2)), time_limit=0.0)
    assert found.status is Status.STOPPED and "rounding" not in found.message
