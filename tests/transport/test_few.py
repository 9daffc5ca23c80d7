"""Few points against many, held against exact arithmetic, HiGHS, POT and sorting."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest

from otdiv import DiscreteMeasure, Status, TransportProblem, emd, select_method
from otdiv.certificates.certificate import certify
from otdiv.core.budget import StopRequest
from otdiv.core.options import SolverOptions, Tuning
from otdiv.costs import as_cost
from otdiv.errors import InvalidInput, TooLarge
from otdiv.problem.plan import Plan
from otdiv.transport.methods.few.solve import solve_few
from tests.helpers.exact_reference import exact_cost, exact_emd
from tests.transport.test_adversarial import EXACT, SHAPES, WEIGHTS, points, truth, weights


def sorted_value(x, y):
    """Two points of weight 1/2 against m equal ones, m even: the m/2 least differences of the two costs."""
    near, far = (np.linalg.norm(y - p, axis=1) for p in x)
    order = np.argsort(near - far)
    half = len(y) // 2
    return (near[order[:half]].sum() + far[order[half:]].sum()) / len(y)


def closed(result):
    """Optimal; or a value of about 0, where the last bits of the weights leave every method the same gap."""
    return result.status is Status.OPTIMAL or result.gap <= 2.0**-50 * result.problem.largest_cost


def cloud(n, m, d=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), rng.normal(size=(m, d)) + 0.5


@pytest.mark.parametrize("swapped", [False, True])
def test_two_points_are_sorted_differences(swapped):
    x, y = cloud(2, 20_000, 2)
    result = emd(y, x, method="few") if swapped else emd(x, y, method="few")
    assert result.status is Status.OPTIMAL and result.value == pytest.approx(sorted_value(x, y), rel=1e-12)
    assert len(result.plan) == 20_000  # 20 000 / 2 is whole, so that no target is split


def test_one_source_serves_all():
    x, y = cloud(1, 3000)
    result = emd(x, y, method="few")
    assert result.value == pytest.approx(np.linalg.norm(y - x, axis=1).mean(), rel=1e-13)
    assert result.status is Status.OPTIMAL and len(result.plan) == 3000


@pytest.mark.parametrize("cost", ["euclidean", "sqeuclidean", "cityblock", "minkowski:3"])
def test_agrees_with_pot_and_is_a_basic_solution(cost):
    """Several samples, random weights: at most k - 1 targets are split, where no sums of costs are equal."""
    x, y = cloud(12, 6000)
    rng = np.random.default_rng(1)
    a, b = rng.random(12) + 0.01, rng.random(6000) + 0.01
    a, b = a / a.sum(), b / b.sum()
    few, pot = (emd(x, y, a, b, cost=cost, method=method) for method in ("few", "pot"))
    assert few.status is Status.OPTIMAL and few.value == pytest.approx(pot.value, rel=1e-11)
    assert cost == "cityblock" or len(few.plan) <= 6000 + 12 - 1
    other = emd(y, x, b, a, cost=cost, method="few")
    assert other.value == pytest.approx(few.value, rel=1e-12)


@pytest.mark.parametrize("batch", range(4))
def test_the_interval_holds_the_exact_value(batch):
    """Rational arithmetic on 160 random and adversarial problems of up to 4 against 12 points, either side the few."""
    for seed in range(40 * batch, 40 * (batch + 1)):
        rng = np.random.default_rng(seed)
        cost = EXACT[rng.integers(len(EXACT))]
        n, m, d = int(rng.integers(1, 5)), int(rng.integers(1, 13)), int(rng.integers(1, 4))
        x, y = points(SHAPES[rng.integers(len(SHAPES))], rng, n, m, d)
        kinds = rng.integers(len(WEIGHTS), size=2)
        a, b = (weights(WEIGHTS[kind], rng, k) for kind, k in zip(kinds, (n, m), strict=True))
        a, b = (np.full(k, 1 / k) if w is None else w for k, w in ((n, a), (m, b)))
        for problem in ((x, y, a, b), (y, x, b, a)):
            exact = exact_emd(*problem[2:], exact_cost(*problem[:2], cost))  # the total of the first side is the mass
            result = emd(*problem, cost=cost, method="few")
            told = seed, cost, float(exact), result
            assert result.lower <= exact <= result.upper and closed(result), told


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(60))
def test_agrees_with_highs_on_adversarial_problems(seed):
    """Ten problems a seed: ties, duplicates, empty atoms, wild weights, extreme scales; HiGHS is the truth."""
    rng = np.random.default_rng(5000 + seed)
    for _ in range(10):
        cost = ("euclidean", "sqeuclidean", "cityblock", "chebyshev", "minkowski:3")[rng.integers(5)]
        n, m, d = int(rng.integers(1, 9)), int(rng.integers(8, 80)), int(rng.integers(1, 6))
        x, y = points(SHAPES[rng.integers(len(SHAPES))], rng, n, m, d)
        scale = 10.0 ** rng.integers(-100, 101) if rng.random() < 0.2 else 1.0
        x, y = (p * (np.sqrt(scale) if cost == "sqeuclidean" else scale) for p in (x, y))
        a, b = (weights(WEIGHTS[rng.integers(len(WEIGHTS))], rng, k) for k in (n, m))
        known, slack = truth(x, y, a, b, cost)
        result = emd(x, y, a, b, cost=cost, method="few")
        assert result.lower - slack <= known <= result.upper + slack, (seed, cost, known, result)
        assert closed(result), (seed, cost, known, result)


@pytest.mark.parametrize("cost", ["discrete", "cityblock", "sqeuclidean"])
def test_ties_of_whole_numbers(cost):
    """Lattice points in many copies: every step is one of a few numbers."""
    rng = np.random.default_rng(2)
    x, y = rng.integers(0, 4, (10, 3)) * 1.0, rng.integers(0, 4, (5000, 3)) * 1.0
    few, pot = (emd(x, y, cost=cost, method=method) for method in ("few", "pot"))
    assert few.status is Status.OPTIMAL and few.value == pytest.approx(pot.value, rel=1e-12)
    assert len(few.plan) == 5000  # each source receives 500 whole targets


def test_all_points_at_one_place():
    x, y = np.ones((5, 2)), np.tile([4.0, 5.0], (2000, 1))
    result = emd(x, y, method="few")
    assert result.value == pytest.approx(5.0, rel=1e-14) and result.status is Status.OPTIMAL
    assert emd(x, np.ones((2000, 2)), method="few").value == 0.0


def test_matrices_and_functions_with_negative_costs():
    rng = np.random.default_rng(3)
    entries, a = rng.normal(size=(6, 900)), rng.random(6)
    a /= a.sum()
    few, pot = (emd(a=a, cost=entries, method=method) for method in ("few", "pot"))
    assert few.status is Status.OPTIMAL and few.value == pytest.approx(pot.value, abs=1e-12)
    turned = emd(b=a, cost=entries.T, method="few")
    assert turned.value == pytest.approx(few.value, abs=1e-13) and turned.plan.shape == (900, 6)
    x, y = cloud(4, 800)

    def skewed(p, q):
        return ((p[:, None] - 2 * q) ** 2).sum(axis=2)

    value = emd(x, y, cost=skewed, method="pot").value
    assert emd(x, y, cost=skewed, method="few").value == pytest.approx(value, rel=1e-12)


@pytest.mark.slow
def test_arrays_grow_where_pieces_are_many():
    """Far clouds and weights of very different sizes: lists are moved and made longer."""
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(40, 2)), rng.normal(size=(5000, 2)) + 30
    a, b = np.exp(3 * rng.normal(size=40)), np.exp(3 * rng.normal(size=5000))
    a, b = a / a.sum(), b / b.sum()
    few, pot = (emd(x, y, a, b, method=method) for method in ("few", "pot"))
    assert few.status is Status.OPTIMAL and few.value == pytest.approx(pot.value, rel=1e-11)


def test_forbidden_arcs_and_sparse_costs_are_refused():
    entries = np.ones((2, 30))
    entries[0, 3] = np.inf
    with pytest.raises(InvalidInput, match="without forbidden arcs"):
        emd(cost=entries, method="few")


def test_memory_is_estimated_before_it_is_taken():
    x, y = cloud(50, 20_000)
    with pytest.raises(TooLarge, match="few points and many"):
        emd(x, y, method="few", memory_limit=1e6)


@pytest.mark.parametrize("ticks", [1, 2, 4, 6, 10])
def test_stopped_at_any_time_it_proposes_what_there_is(ticks):
    """A clock that jumps past the limit after some readings: the interval is proved, and holds the value."""
    x, y = cloud(60, 40_000)
    reads = iter(range(10**9))
    tuning = Tuning(scans_per_batch=20_000, clock=lambda: 0.0 if next(reads) < ticks else 100.0)
    problem = TransportProblem(DiscreteMeasure(x), DiscreteMeasure(y))
    proposal = solve_few(problem, SolverOptions(time_limit=1.0, tuning=tuning))
    assert proposal.status is Status.STOPPED
    proof = certify(problem, proposal.plan, (proposal.f, proposal.g))
    assert proof.bounds.contains(stopped_truth(problem))


_TRUTH: dict[int, float] = {}


def stopped_truth(problem):
    return _TRUTH.setdefault(problem.m, certify(problem, *_pair(solve_few(problem))).value)


def _pair(proposal):
    return proposal.plan, (proposal.f, proposal.g)


def test_an_interrupt_is_heard():
    x, y = cloud(20, 5000)
    interrupted = StopRequest()
    interrupted.set()
    problem = TransportProblem(DiscreteMeasure(x), DiscreteMeasure(y))
    proposal = solve_few(problem, replace(SolverOptions(), interrupted=interrupted))
    assert proposal.status is Status.STOPPED and "interrupted" in proposal.stats["message"]


def test_tampering_opens_the_interval():
    x, y = cloud(5, 4000)
    problem = TransportProblem(DiscreteMeasure(x), DiscreteMeasure(y))
    found = solve_few(problem)
    assert certify(problem, *_pair(found)).proves_optimal(1e-9)
    rows = (found.plan.rows + 1) % 5
    moved = certify(problem, Plan(rows, found.plan.columns, found.plan.mass, found.plan.shape), (found.f, found.g))
    wrong_f = certify(problem, found.plan, (found.f + np.arange(5), None))
    for proof in (moved, wrong_f):
        assert not proof.proves_optimal(1e-3) and proof.bounds.contains(certify(problem, *_pair(found)).value)


def test_auto_takes_it_where_one_side_is_small():
    for shape in ((6, 60_000), (60_000, 6), (20, 20_000), (100, 50_000)):
        assert select_method(TransportProblem(*map(DiscreteMeasure, cloud(*shape)))).method == "few"
    for shape in ((2, 3), (30, 30), (700, 800)):
        assert select_method(TransportProblem(*map(DiscreteMeasure, cloud(*shape)))).method != "few"


def test_the_same_answer_each_time():
    x, y = cloud(7, 8000)
    first, second = emd(x, y, method="few"), emd(x, y, method="few")
    assert np.array_equal(first.plan.mass, second.plan.mass) and np.array_equal(first.f, second.f)


def test_no_warning_at_extreme_scales():
    x, y = cloud(3, 500)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for scale in (1e-150, 1e150):
            result = emd(scale * x, scale * y, method="few")
            assert result.value == pytest.approx(scale * emd(x, y, method="few").value, rel=1e-12)
    assert as_cost("euclidean").matrix(x, y).shape == (3, 500)
