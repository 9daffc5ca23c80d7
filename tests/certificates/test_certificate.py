"""The auditor: true intervals from any proposal, refusal of what proves nothing."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otdiv import DiscreteMeasure, TransportProblem, certify, emd
from otdiv.certificates import potential_repair as potentials_room
from otdiv.certificates.line_potentials import monotone_transform
from otdiv.core.bounds import Bounds
from otdiv.core.rounding import dot_bounds, dots_bounds, total
from otdiv.errors import CertificateRefused, OtdivError
from otdiv.problem.plan import Plan
from tests.helpers.exact_reference import exact_cost, exact_emd
from tests.helpers.problems import random_problem


def small_problem(seed: int, most: int = 8, cost: str | None = None) -> tuple[TransportProblem, object]:
    rng = np.random.default_rng(seed)
    while True:
        x, y, a, b, drawn = random_problem(rng, most=most)
        if not drawn.startswith("minkowski"):
            break
    problem = TransportProblem(DiscreteMeasure(x, a), DiscreteMeasure(y, b), cost or drawn)
    truth = exact_emd(problem.mu.weights, problem.nu.weights, exact_cost(x, y, problem.cost.name))
    return problem, truth


@pytest.mark.parametrize("seed", range(60))
def test_any_proposal_gives_a_true_interval(seed):
    """Random plans and random potentials: wide intervals, never wrong ones."""
    problem, truth = small_problem(seed)
    rng = np.random.default_rng(seed)
    proof = certify(
        problem,
        rng.random((problem.n, problem.m)) * rng.integers(0, 2, (problem.n, problem.m)),
        (rng.normal(size=problem.n) * 10.0 ** rng.integers(-3, 4), rng.normal(size=problem.m)),
    )
    assert proof.bounds.lower <= truth <= proof.bounds.upper
    plan = proof.plan.toarray()
    assert plan.min() >= 0
    np.testing.assert_allclose(plan.sum(axis=1), problem.a, atol=1e-14)
    np.testing.assert_allclose(plan.sum(axis=0), problem.b, atol=1e-14)
    # f + g <= c holds for the stored floats in real arithmetic: check with exact differences
    costs = problem.costs()
    for i in range(problem.n):
        for j in range(problem.m):
            assert Fraction(float(proof.f[i])) + Fraction(float(proof.g[j])) <= Fraction(float(costs[i, j]))


def test_nothing_proposed_still_gives_an_interval():
    problem, truth = small_problem(3)
    proof = certify(problem)
    assert proof.bounds.lower <= truth <= proof.bounds.upper


def test_one_potential_is_enough():
    result = emd([0.0, 1, 2], [0.0, 1, 2], [0.2, 0.2, 0.6], [0.5, 0.3, 0.2])
    only_f = certify(result.problem, result.plan, (result.f, None))
    only_g = certify(result.problem, result.plan, (None, result.g))
    assert only_f.gap < 1e-12 and only_g.gap < 1e-12


@given(st.integers(0, 10_000), st.floats(-3, 3), st.booleans())
@settings(max_examples=60, deadline=None)
def test_tampered_optimum_never_moves_the_truth_out(seed, push, on_plan):
    """Change one entry of an optimal proposal: the interval may widen, never lie."""
    problem, truth = small_problem(seed, most=6)
    result = emd(problem.mu, problem.nu, cost=problem.cost)
    plan, f = result.plan.toarray(), result.f.copy()
    rng = np.random.default_rng(seed)
    if on_plan:
        plan[rng.integers(problem.n), rng.integers(problem.m)] += abs(push)
    else:
        f[rng.integers(problem.n)] += push
    proof = certify(problem, plan, (f, None))
    assert proof.bounds.lower <= truth <= proof.bounds.upper


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (np.array([[0.6, -0.1], [0.0, 0.5]]), "non-negative"),
        (np.array([[np.nan, 0.1], [0.0, 0.5]]), "finite"),
        (np.array([[np.inf, 0.1], [0.0, 0.5]]), "finite"),
        (np.ones((3, 2)), r"shape \(2, 2\)"),
        (np.ones(2), r"matrix \[n, m\]"),
        (Plan(np.array([0, 2]), np.array([0, 1]), np.array([0.5, 0.5]), (2, 2)), "indices"),
        (Plan(np.array([0, -1]), np.array([0, 1]), np.array([0.5, 0.5]), (2, 2)), "indices"),
        (Plan(np.array([0, 1]), np.array([-2, 1], np.int32), np.array([0.5, 0.5]), (2, 2)), "indices"),
        (Plan(np.array([0, 1]), np.array([0, 2], np.int32), np.array([0.5, 0.5]), (2, 2)), "indices"),
    ],
)
def test_unusable_plans_are_refused(plan, message):
    problem = TransportProblem(DiscreteMeasure([0.0, 1]), DiscreteMeasure([0.0, 2]))
    with pytest.raises(ValueError, match=message):
        certify(problem, plan)


@pytest.mark.parametrize(
    ("f", "message"), [([np.nan, 0], "finite"), ([np.inf, 0], "finite"), ([0.0], r"shape \[2\]"), ([[0.0, 1]], "shape")]
)
def test_unusable_potentials_are_refused(f, message):
    problem = TransportProblem(DiscreteMeasure([0.0, 1]), DiscreteMeasure([0.0, 2]))
    with pytest.raises(CertificateRefused, match=message):
        certify(problem, potentials=(f, None))


def test_violated_constraint_is_repaired_not_believed():
    """Potentials that claim more than the distance are brought down."""
    problem = TransportProblem(DiscreteMeasure([0.0, 1]), DiscreteMeasure([0.0, 2]))
    proof = certify(problem, potentials=([100.0, 3.0], [50.0, 50.0]))
    assert proof.bounds.lower <= 0.5


def test_marginals_off_are_repaired_not_believed():
    """A plan that moves too little mass would look cheap; the missing mass is routed and paid for."""
    problem = TransportProblem(DiscreteMeasure([0.0, 1]), DiscreteMeasure([0.0, 2]))
    proof = certify(problem, np.array([[0.5, 0.0], [0.0, 0.1]]))
    assert proof.bounds.upper >= 0.5 and proof.value == pytest.approx(0.5)


def test_contradicting_bounds_are_an_error():
    with pytest.raises(OtdivError, match="contradict"):
        Bounds(1.0, 0.5)
    with pytest.raises(OtdivError, match="contradict"):
        Bounds(np.nan, 1.0)
    assert Bounds(0, 2).intersect(Bounds(1, 3)) == Bounds(1, 2)


def test_a_gap_that_is_open_does_not_prove_optimality():
    rng = np.random.default_rng(2)
    result = emd(rng.normal(size=(20, 2)), rng.normal(size=(20, 2)))
    worse_plan = certify(result.problem, None, (result.f, result.g))
    worse_potentials = certify(result.problem, result.plan, (rng.normal(size=20), None))
    assert result.certificate.proves_optimal(1e-9)
    assert not worse_plan.proves_optimal(1e-9) and not worse_potentials.proves_optimal(1e-9)


@pytest.mark.parametrize("cost", ["euclidean", "sqeuclidean"])
def test_sorted_audit_equals_the_full_one(monkeypatch, cost):
    """The audit in sorted order, forced on small problems, proves true intervals as narrow as the full sweep."""
    rng = np.random.default_rng(4)
    for trial in range(40):
        n, m = rng.integers(1, 30, 2)
        x, y = rng.normal(size=n).round(1), rng.normal(size=m).round(1)
        problem = TransportProblem(DiscreteMeasure(x), DiscreteMeasure(y), cost)
        f, g = (rng.normal(size=n), rng.normal(size=m)) if trial % 2 else (emd(x, y, cost=cost).f, None)
        for potentials in ((f, g), (f, None), (None, g) if g is not None else (f, None)):
            full = certify(problem, potentials=potentials)
            with monkeypatch.context() as patch:
                patch.setattr(potentials_room, "LINE_ABOVE", 0)
                line = certify(problem, potentials=potentials)
            costs = problem.costs()
            assert (costs - line.f[:, None] - line.g).min() >= -1e-14
            assert line.bounds.lower <= full.bounds.upper
            if trial % 2 == 0:
                assert line.bounds.lower == pytest.approx(full.bounds.lower, rel=1e-12, abs=1e-12)


def test_monotone_transform_is_the_minimum():
    rng = np.random.default_rng(11)
    for _ in range(50):
        n, m = rng.integers(1, 50, 2)
        xs, ys, f = np.sort(rng.normal(size=n)), np.sort(rng.normal(size=m)), rng.normal(size=n)
        best, error = monotone_transform(xs, ys, f, 2)
        full = (np.abs(xs[:, None] - ys) ** 2 - f[:, None]).min(axis=0)
        assert np.abs(best - full).max() <= error


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=1, max_size=30))
@settings(max_examples=200, deadline=None)
def test_dot_bounds_contain_the_exact_dot(pairs):
    x, y = np.array(pairs).T.copy()
    truth = sum(Fraction(p) * Fraction(q) for p, q in zip(x.tolist(), y.tolist(), strict=True))
    low, high = dot_bounds(x, y)
    assert Fraction(low) <= truth <= Fraction(high)


def exactly(x, y):
    return sum((Fraction(p) * Fraction(q) for p, q in zip(x.tolist(), y.tolist(), strict=True)), Fraction(0))


@pytest.mark.parametrize("sizes", [(3, 4, 5), (3, 4, 0), (1, 1, 5000), (3000, 3000, 6), (2500, 1000, 2000)])
@pytest.mark.parametrize("scale", [1.0, 1e200])
def test_several_sums_at_once_are_what_each_of_them_is(sizes, scale):
    rng = np.random.default_rng(13)
    pairs = [(rng.normal(size=k), scale * rng.normal(size=k)) for k in sizes]
    both, third = dots_bounds(pairs[:2], pairs[2:])
    assert third == dot_bounds(*pairs[2])
    for (low, high), truth in ((both, exactly(*pairs[0]) + exactly(*pairs[1])), (third, exactly(*pairs[2]))):
        assert Fraction(low) <= truth <= Fraction(high)
    if sum(sizes[:2]) < 4096:  # then they are neighbouring floats
        assert both[1] == np.nextafter(np.nextafter(both[0], np.inf), np.inf)


def test_a_huge_sum_does_not_spoil_its_neighbour():
    x, huge = np.array([0.1, 0.2]), np.array([1e290, 1.0])
    assert dots_bounds([(x, x)], [(huge, x)])[0] == dot_bounds(x, x)


def test_long_sums_carry_their_bound():
    rng = np.random.default_rng(12)
    x, y = rng.normal(size=100_000), rng.normal(size=100_000)
    truth = sum(Fraction(p) * Fraction(q) for p, q in zip(x.tolist(), y.tolist(), strict=True))
    low, high = dot_bounds(x, y)
    assert Fraction(low) <= truth <= Fraction(high)
    assert total(np.full(10, 0.1)) == 1.0
