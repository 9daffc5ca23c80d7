"""Mass common to both measures stays, for a metric: the same value and interval from a smaller problem."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from otdiv import DiscreteMeasure, Status, TransportProblem, certify, emd
from otdiv.core.options import DEFAULTS
from otdiv.problem.transport_problem import Proposal
from otdiv.transport import common_mass
from otdiv.transport.common_mass import without_common_mass
from otdiv.transport.solve import solve_with
from tests.helpers.exact_reference import exact_emd


def problem(seed, n=90, shared=60, cost="euclidean", d=2, weighted=True):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d))
    y = np.concatenate([x[rng.permutation(n)[:shared]], rng.normal(size=(n - shared, d))])
    a, b = (rng.integers(1, 50, n).astype(float) if weighted else np.full(n, 2.0) for _ in range(2))
    a[0] += max(0.0, b.sum() - a.sum())
    b[0] += a.sum() - b.sum()
    return TransportProblem(DiscreteMeasure(x, a), DiscreteMeasure(y, b), cost)


@pytest.mark.parametrize("cost", ["euclidean", "cityblock", "chebyshev", "minkowski:3", "discrete"])
@pytest.mark.parametrize("weighted", [True, False])
def test_the_value_is_that_of_the_whole_problem(cost, weighted):
    whole = problem(1, cost=cost, weighted=weighted)
    smaller = without_common_mass(whole)
    assert smaller is not None and smaller.moving.n * smaller.moving.m < 0.8 * whole.n * whole.m
    by_all = solve_with(whole, "pot", DEFAULTS)
    answer = solve_with(whole, "auto", DEFAULTS)
    assert "common" in answer.stats["reason"] and "common" not in by_all.stats["reason"]
    assert answer.status is Status.OPTIMAL and by_all.status is Status.OPTIMAL
    assert answer.value == pytest.approx(by_all.value, rel=1e-12)


def test_the_plan_leaves_what_is_common_and_is_proved_for_the_weights_as_given():
    whole = problem(2)
    answer = solve_with(whole, "auto", DEFAULTS)
    matrix = answer.plan.toarray()
    assert np.allclose(matrix.sum(axis=1), whole.a, rtol=1e-13) and np.allclose(matrix.sum(axis=0), whole.b, rtol=1e-13)
    for i, j in zip(*np.nonzero((whole.mu.points[:, None] == whole.nu.points[None]).all(-1)), strict=True):
        assert matrix[i, j] == pytest.approx(min(whole.a[i], whole.b[j]), rel=1e-13)
    assert answer.verify().bounds.contains(answer.value)


@pytest.mark.parametrize("seed", range(5))
def test_against_the_exact_value(seed):
    rng = np.random.default_rng(seed)
    points = rng.permutation(np.stack(np.meshgrid(range(9), range(9)), -1).reshape(-1, 2).astype(float))
    x, y = points[:64], points[10:74]
    a, b = rng.integers(1, 9, 64).astype(float), rng.integers(1, 9, 64).astype(float)
    b[0] += max(0, a.sum() - b.sum())
    a[0] += b.sum() - a.sum()
    found = emd(x, y, a, b, cost="cityblock", method="auto")
    truth = exact_emd(a, b, np.abs(x[:, None] - y[None]).sum(-1))
    assert Fraction(found.lower) <= truth <= Fraction(found.upper)


def test_other_problems_are_left_as_they_are():
    assert without_common_mass(problem(3, cost="sqeuclidean")) is None
    assert without_common_mass(problem(3, shared=2)) is None
    assert without_common_mass(problem(3, n=30, shared=20)) is None, "too small to be worth it"
    twice = np.repeat(np.random.default_rng(0).normal(size=(40, 2)), 2, axis=0)
    assert without_common_mass(TransportProblem(DiscreteMeasure(twice), DiscreteMeasure(twice[::-1]))) is None
    same = DiscreteMeasure(np.random.default_rng(0).normal(size=(80, 2)))
    assert without_common_mass(TransportProblem(same, same)) is None and emd(same, same).value == 0.0


def test_a_wrong_answer_for_the_mass_that_moves_opens_the_interval():
    whole = problem(4)
    smaller = without_common_mass(whole)
    found = solve_with(smaller.moving, "auto", DEFAULTS)
    wrong = smaller.lift(Proposal(found.plan, found.f, np.zeros_like(found.g), found.status, {}))
    proof = certify(whole, wrong.plan, (wrong.f, wrong.g))
    assert not proof.proves_optimal(1e-9)
    assert proof.bounds.lower <= found.value <= proof.bounds.upper


def test_small_differences_under_large_common_masses():
    """Weights 1 with differences of 2**-40: the value has the digits of the differences."""
    rng = np.random.default_rng(6)
    points = rng.integers(0, 1000, size=(100, 2)).astype(float)
    points = np.unique(points, axis=0)
    a, b = np.ones(len(points)), np.ones(len(points))
    a[0] += 2.0**-40
    b[1] += 2.0**-40
    found = emd(points, points, a, b)
    value = Fraction(2) ** -40 * Fraction(float(np.linalg.norm(points[0] - points[1])))
    assert found.status is Status.OPTIMAL
    assert found.value == pytest.approx(float(value), rel=1e-12)


@pytest.mark.parametrize("constant_factors", [False, True])
def test_equal_points_get_equal_numbers_also_where_hashes_collide(constant_factors, monkeypatch):
    points = np.random.default_rng(3).integers(-2, 3, (500, 3)) + 0.0  # permuted coordinates have one hash
    if constant_factors:
        rng = np.random.default_rng(0)
        monkeypatch.setattr(common_mass.np.random, "default_rng", lambda seed: Zeros(rng))
    numbers = common_mass._numbers_of_points(points)
    known = np.unique(points, axis=0, return_inverse=True)[1].ravel()
    pairs = {(int(one), int(other)) for one, other in zip(numbers, known, strict=True)}
    assert len(pairs) == len(set(numbers.tolist())) == len(set(known.tolist())) and numbers.max() < 500


class Zeros:
    def __init__(self, rng):
        self.rng = rng

    def integers(self, high, size, dtype):
        return np.zeros(size, dtype)
