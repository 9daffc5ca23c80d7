"""The multiscale method against other methods, known answers and exact integers; stopped at any moment."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from otdiv import DiscreteMeasure, Status, TransportProblem, certify, emd, select_method, wasserstein
from otdiv.core.options import SolverOptions, Tuning
from otdiv.costs import Power, as_cost
from otdiv.errors import InvalidInput, TooLarge
from otdiv.network_flow.graph import ArcList
from otdiv.pricing.pricing import Pricing
from otdiv.transport.methods.multiscale.scales import FEW
from otdiv.transport.methods.multiscale.solve import solve_multiscale
from otdiv.transport.solve import solve_with
from tests.helpers.exact_reference import exact_cost, exact_emd

COSTS = ("euclidean", "sqeuclidean", "cityblock", "chebyshev", "minkowski:3")


def problem_of(x, y, a=None, b=None, cost="euclidean"):
    return TransportProblem(DiscreteMeasure(x, a), DiscreteMeasure(y, b), cost)


def audited(problem, **options):
    proposal = solve_multiscale(problem, SolverOptions(**options))
    return certify(problem, proposal.plan, (proposal.f, proposal.g)), proposal


def weights(rng, n, kind):
    raw = {
        "uniform": np.ones(n),
        "random": rng.random(n),
        "with zeros": rng.integers(0, 3, n) + 1.0 * (np.arange(n) == 0),
        "wild": 10.0 ** rng.uniform(-8, 8, n),
        "one heavy": np.where(np.arange(n) == n // 2, 1e6, 1.0),
    }[kind]
    return raw / raw.sum()


def clouds(kind, rng, n, m):
    x, y = rng.normal(size=(n, 2)), rng.normal(size=(m, 2)) + 0.5
    return {
        "gauss": (x, y),
        "lattice": (rng.integers(0, 12, (n, 2)) * 1.0, rng.integers(0, 12, (m, 2)) * 1.0),
        "duplicates": (x[rng.integers(0, min(n, 7), n)], y[rng.integers(0, min(m, 7), m)]),
        "clusters": (1e3 * rng.integers(0, 3, (n, 2)) + 1e-3 * x, 1e3 * rng.integers(0, 3, (m, 2)) + 1e-3 * y),
        "line in space": (x[:, :1] * [1.0, 2.0, -1.0], y[:, :1] * [1.0, 2.0, -1.0]),
        "ten dimensions": (rng.normal(size=(n, 10)), rng.normal(size=(m, 10)) + 0.1),
        "seventy dimensions": (rng.normal(size=(n, 70)), rng.normal(size=(m, 70))),
        "tiny": (1e-8 * x, 1e-8 * y),
        "huge": (1e8 * x, 1e8 * y),
        "offset": (x + 1e8, y + 1e8),
        "far apart": (x, y + 1e6),
        "needle": (x * [1e8, 1e-8], y * [1e8, 1e-8]),
        "circle": (
            np.c_[np.cos(np.arange(n)), np.sin(np.arange(n))],
            2 * np.c_[np.cos(np.arange(m)), np.sin(np.arange(m))],
        ),
    }[kind]


KINDS = (
    "gauss", "lattice", "duplicates", "clusters", "line in space", "ten dimensions", "seventy dimensions",
    "tiny", "huge", "offset", "far apart", "needle", "circle",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cost", ["euclidean", "sqeuclidean"])
def test_agrees_with_the_dense_simplex(kind, cost):
    """Several scales, other sizes on both sides, weights of every kind."""
    rng = np.random.default_rng(KINDS.index(kind))
    for number, (n, m) in enumerate(((420, 420), (700, 330), (900, 60))):
        x, y = clouds(kind, rng, n, m)
        a = weights(rng, n, ("uniform", "random", "with zeros")[number])
        b = weights(rng, m, ("uniform", "with zeros", "wild")[number])
        problem = problem_of(x, y, a, b, cost)
        proof, proposal = audited(problem)
        assert proof.proves_optimal(1e-9), (n, m, proposal.stats, proof.bounds)
        dense = emd(x, y, a, b, cost=cost, method="pot")
        assert proof.bounds.lower <= dense.upper and dense.lower <= proof.bounds.upper
        assert proof.value <= dense.value * (1 + 1e-9) + dense.certificate.resolution


@pytest.mark.parametrize(
    "cost",
    [*COSTS, Power(as_cost("euclidean"), 1.5), Power(as_cost("cityblock"), 2.0)],
    ids=lambda cost: getattr(cost, "name", cost),
)
def test_every_cost(cost):
    rng = np.random.default_rng(1)
    x, y = clouds("gauss", rng, 500, 450)
    a, b = weights(rng, 500, "random"), weights(rng, 450, "one heavy")
    proof, _ = audited(problem_of(x, y, a, b, cost))
    assert proof.proves_optimal(1e-9)
    assert proof.value == pytest.approx(emd(x, y, a, b, cost=cost, method="pot").value, rel=1e-9)


@given(st.integers(0, 10**6))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_small_problems_against_exact_integers(seed):
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 10, 2)
    x, y = clouds(("gauss", "lattice", "duplicates", "tiny", "offset")[seed % 5], rng, n, m)
    a, b = weights(rng, n, ("uniform", "random", "with zeros")[seed % 3]), weights(rng, m, "with zeros")
    cost = ("euclidean", "sqeuclidean", "cityblock", "chebyshev")[seed % 4]
    problem = problem_of(x, y, a, b, cost)
    proof, _ = audited(problem)
    truth = exact_emd(a, b, exact_cost(x, y, cost))
    assert proof.bounds.lower <= truth <= proof.bounds.upper
    assert proof.proves_optimal(1e-9)


@pytest.mark.parametrize("seed", range(8))
def test_several_scales_against_exact_integers(seed):
    """With coarsening from 256 pairs on, small problems go through two scales."""
    rng = np.random.default_rng(seed)
    n, m = rng.integers(18, 30, 2)
    x, y = clouds(("gauss", "lattice", "duplicates", "circle")[seed % 4], rng, n, m)
    a, b = weights(rng, n, "uniform"), weights(rng, m, ("uniform", "with zeros")[seed % 2])
    cost = ("cityblock", "sqeuclidean", "chebyshev")[seed % 3]
    truth = exact_emd(a, b, exact_cost(x, y, cost))
    proof, _ = audited(problem_of(x, y, a, b, cost), tuning=Tuning(coarsest_pairs=FEW**2))
    assert proof.bounds.lower <= truth <= proof.bounds.upper
    assert proof.proves_optimal(1e-9)


def test_uniform_weights_are_an_assignment():
    rng = np.random.default_rng(2)
    for d, cost in ((2, "euclidean"), (2, "chebyshev"), (5, "sqeuclidean")):
        x, y = rng.normal(size=(600, d)), rng.normal(size=(600, d))
        table = as_cost(cost).matrix(x, y)
        rows, columns = linear_sum_assignment(table)
        proof, _ = audited(problem_of(x, y, cost=cost))
        assert proof.value == pytest.approx(table[rows, columns].mean(), rel=1e-12)
        assert len(proof.plan) == 600 and len(np.unique(proof.plan.columns)) == 600


@pytest.mark.slow
@pytest.mark.parametrize("d", [1, 2, 3, 20])
@pytest.mark.parametrize("cost", ["euclidean", "sqeuclidean", "cityblock"])
def test_paired_then_shuffled_shift(cost, d):
    """Shifting every point by v costs |v| (squared: |v|^2), whatever the points."""
    rng = np.random.default_rng(3)
    x, v = rng.normal(size=(3000, d)), rng.normal(size=d) * 0.3
    known = {"euclidean": np.sqrt(v @ v), "sqeuclidean": v @ v, "cityblock": np.abs(v).sum()}[cost]
    proof, _ = audited(problem_of(x, rng.permutation(x + v), cost=cost))
    assert proof.value == pytest.approx(known, rel=1e-9)
    assert proof.bounds.lower == pytest.approx(known, rel=1e-9)


def test_paired_then_shuffled_dilation():
    """x -> s x is the gradient of a convex function, and moves along rays: mean |x| |s - 1|."""
    rng = np.random.default_rng(4)
    x, a = rng.normal(size=(3000, 3)), weights(rng, 3000, "random")
    order = rng.permutation(3000)
    for cost, known in (
        ("euclidean", a @ np.linalg.norm(x, axis=1) * 0.7),
        ("sqeuclidean", a @ np.linalg.norm(x, axis=1) ** 2 * 0.49),
    ):
        proof, _ = audited(problem_of(x, 1.7 * x[order], a, a[order], cost))
        assert proof.value == pytest.approx(known, rel=1e-9)
        assert proof.bounds.gap <= 1e-9 * known


def test_identical_clouds_are_at_distance_zero():
    rng = np.random.default_rng(5)
    x = rng.normal(size=(2000, 2))
    for cost in ("euclidean", "sqeuclidean"):
        proof, _ = audited(problem_of(x, rng.permutation(x), cost=cost))
        assert proof.value <= 1e-15 and proof.proves_optimal(1e-9)


def test_one_point_against_many_and_all_in_one_place():
    rng = np.random.default_rng(6)
    y = rng.normal(size=(5000, 3))
    proof, _ = audited(problem_of(np.zeros((1, 3)), y))
    assert proof.value == pytest.approx(np.linalg.norm(y, axis=1).mean(), rel=1e-12)
    proof, _ = audited(problem_of(y, np.ones((3, 3))))
    assert proof.value == pytest.approx(np.linalg.norm(y - 1, axis=1).mean(), rel=1e-12)
    proof, _ = audited(problem_of(np.ones((3000, 2)), np.ones((2500, 2))))
    assert proof.value == 0.0 and proof.bounds.gap < 1e-150


@pytest.mark.slow
@pytest.mark.parametrize("n, m", [(20_000, 5), (4, 30_000), (3000, 50)])
def test_few_points_against_many(n, m):
    rng = np.random.default_rng(7)
    x, y = rng.normal(size=(n, 2)), rng.normal(size=(m, 2))
    problem = problem_of(x, y, weights(rng, n, "random"), weights(rng, m, "random"))
    proof, _ = audited(problem)
    assert proof.proves_optimal(1e-9)


def ticking():
    """A clock that moves on by one second whenever it is read."""
    return map(float, itertools.count(1)).__next__


@pytest.mark.slow
@pytest.mark.parametrize("equal", [True, False])
@pytest.mark.parametrize("cost", ["euclidean", "sqeuclidean"])
def test_stopped_at_any_moment_the_interval_holds_the_truth(cost, equal):
    rng = np.random.default_rng(8)
    x, y = rng.normal(size=(1500, 2)), rng.normal(size=(1500 if equal else 1300, 2)) + 0.5
    a = None if equal else weights(rng, 1500, "with zeros")
    problem = problem_of(x, y, a, cost=cost)
    exact, _ = audited(problem)
    gaps, limits = [], itertools.chain(range(32), range(32, 400, 20))
    for limit in limits:
        tuning = Tuning(pivots_per_batch=200, clock=ticking())
        proof, proposal = audited(problem, time_limit=float(limit), tuning=tuning)
        assert proof.bounds.lower <= exact.bounds.upper and exact.bounds.lower <= proof.bounds.upper
        assert proof.plan.mass.sum() == pytest.approx(1.0)
        gaps.append(proof.gap)
        if proposal.status is Status.OPTIMAL:
            break
        assert proposal.status is Status.STOPPED and "time limit" in proposal.stats["message"]
        assert proposal.g is None  # left to the auditor, who finds the best one for f
    assert proposal.status is Status.OPTIMAL and gaps[0] > gaps[len(gaps) // 2] > gaps[-1]
    assert not equal or np.diff(gaps).max() <= 1e-12  # more time never gives a wider interval
    assert gaps[0] < 0.6 * exact.value  # even the coarsest scale says something


def groups_of_other_sizes(n):
    """Twenty groups far apart, which hold different numbers of sources and targets."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(20, 2)) * 5
    x, y = (centres[rng.integers(0, 20, n)] + 0.1 * rng.normal(size=(n, 2)) for _ in range(2))
    return x, y


@pytest.mark.slow
def test_groups_of_other_sizes_are_left_to_the_network_simplex():
    x, y = groups_of_other_sizes(3000)
    problem = problem_of(x, y, cost="sqeuclidean")
    proof, proposal = audited(problem)
    assert proposal.status is Status.OPTIMAL and "network simplex" in proposal.stats["message"]
    rows, columns = linear_sum_assignment(cdist(x, y, "sqeuclidean"))
    truth = ((x[rows] - y[columns]) ** 2).sum(axis=1).mean()
    assert proof.bounds.lower <= truth * (1 + 1e-12) and truth <= proof.bounds.upper * (1 + 1e-12)
    assert proof.gap <= 1e-9 * truth


@pytest.mark.slow
def test_stopped_while_the_second_engine_works_the_better_plan_is_proposed():
    x, y = groups_of_other_sizes(3000)
    problem = problem_of(x, y, cost="sqeuclidean")
    exact, _ = audited(problem)
    gaps = []
    for limit in range(30, 400, 15):
        tuning = Tuning(pivots_per_batch=200, clock=ticking())
        proof, proposal = audited(problem, time_limit=float(limit), tuning=tuning)
        assert proof.bounds.lower <= exact.bounds.upper and exact.bounds.lower <= proof.bounds.upper
        if "network simplex" in proposal.stats["message"]:
            gaps.append(proof.gap)
        if proposal.status is Status.OPTIMAL:
            break
    assert len(gaps) > 3 and np.diff(gaps).max() <= 1e-12  # more time never gives a wider interval


@pytest.mark.parametrize("m", [1500, 1499])
def test_interrupted_by_the_keyboard(m):
    rng = np.random.default_rng(9)
    x, y = rng.normal(size=(1500, 2)), rng.normal(size=(m, 2)) + 0.5
    exact = emd(x, y, method="multiscale")
    for calls in (1, 2, 3, 6, 8):
        left = iter(range(calls))

        def interrupting(left=left):
            if next(left, None) is None:
                raise KeyboardInterrupt
            return 0.0

        result = solve_with(problem_of(x, y), "multiscale", SolverOptions(tuning=Tuning(clock=interrupting)))
        assert result.lower <= exact.upper and exact.lower <= result.upper
        assert result.status is Status.STOPPED and "interrupted" in result.stats["message"]


def test_a_loose_tolerance_stops_at_a_coarse_scale():
    rng = np.random.default_rng(10)
    x, y = rng.normal(size=(20_000, 2)), rng.normal(size=(20_000, 2)) + 1.0
    steps = []
    loose = emd(x, y, method="multiscale", rtol=0.05, progress=steps.append)
    assert loose.status is Status.OPTIMAL and 1e-6 * loose.value < loose.gap <= 0.05 * loose.value
    assert max(step.counts["points"] for step in steps) < 20_000
    assert loose.lower <= 1.42 <= loose.upper


def test_progress_tells_an_interval_that_closes(capsys):
    rng = np.random.default_rng(11)
    x, y = rng.normal(size=(1200, 2)), rng.normal(size=(1200, 2)) + 0.5
    steps = []
    result = emd(x, y, method="multiscale", progress=steps.append)
    finest = [step for step in steps if step.counts["points"] == 1200]
    assert len(finest) >= 2
    assert finest[-1].upper - finest[-1].lower <= 1e-9 * result.value
    assert all(later.upper <= earlier.upper * (1 + 1e-12) for earlier, later in itertools.pairwise(finest))
    emd(x, y, method="multiscale", progress=True)
    assert "1200 points" in capsys.readouterr().err
    emd(x, y, method="multiscale")
    assert capsys.readouterr().err == ""


def test_a_pricing_that_misses_arcs_is_found_out(monkeypatch):
    """Red team: an engine that hides violating arcs, and half of the first ones, gets no proof of optimality."""
    rng = np.random.default_rng(12)
    x, y = rng.normal(size=(1500, 2)), rng.normal(size=(1500, 2)) + 0.5
    true = Pricing.lowest

    def blind(self, g, tops, k):
        if np.isinf(tops).any():
            return true(self, g, tops, min(k, 12))
        return ArcList(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0)), tops

    monkeypatch.setattr(Pricing, "lowest", blind)
    result = emd(x, y, method="multiscale")
    assert result.status is Status.STOPPED and result.gap > 1e-6 * result.value
    monkeypatch.undo()
    exact = emd(x, y, method="multiscale")
    assert result.lower <= exact.upper and exact.lower <= result.upper


def test_same_input_same_answer():
    rng = np.random.default_rng(13)
    x, y = rng.integers(0, 20, (900, 2)) * 1.0, rng.integers(0, 20, (900, 2)) * 1.0
    first, second = emd(x, y, method="multiscale"), emd(x, y, method="multiscale")
    assert first.bounds == second.bounds and np.array_equal(first.f, second.f)
    assert np.array_equal(first.plan.mass, second.plan.mass) and np.array_equal(first.plan.rows, second.plan.rows)


def test_invariances():
    """Exchange, order of points, scale of masses; at several scales."""
    rng = np.random.default_rng(14)
    x, y, a = rng.normal(size=(700, 3)), rng.normal(size=(650, 3)), weights(np.random.default_rng(0), 700, "random")
    b = weights(rng, 650, "random")
    value = emd(x, y, a, b, method="multiscale").value
    order = rng.permutation(700)
    assert emd(y, x, b, a, method="multiscale").value == pytest.approx(value, rel=1e-12)
    assert emd(x[order], y, a[order], b, method="multiscale").value == pytest.approx(value, rel=1e-12)
    assert emd(x, y, 1e9 * a, 1e9 * b, method="multiscale").value == pytest.approx(1e9 * value, rel=1e-12)
    assert wasserstein(x, y, p=2, a=a, b=b, method="multiscale").value >= value


def test_it_is_chosen_for_large_clouds_and_refuses_what_it_cannot():
    rng = np.random.default_rng(15)
    x, y = rng.normal(size=(2000, 2)), rng.normal(size=(2000, 2))
    choice = select_method(problem_of(x, y))
    assert choice.method == "multiscale" and "no cost matrix" in choice.reason
    assert select_method(problem_of(x[:50], y[:50])).method == "dense"
    assert select_method(problem_of(x[:, :1], y[:, :1])).method == "line"
    with pytest.raises(InvalidInput, match="method must fit the problem; got 'multiscale' with cost 'discrete'"):
        emd(x[:5], y[:5], cost="discrete", method="multiscale")
    with pytest.raises(InvalidInput, match="method must fit"):
        emd(cost=np.ones((3, 3)), method="multiscale")
    with pytest.raises(InvalidInput, match="time_limit must be"):
        emd(x, y, time_limit=-1.0)
    with pytest.raises(TooLarge, match="multiscale method for n = 2000"):
        emd(x, y, method="multiscale", memory_limit=1e5)


def test_a_time_limit_is_kept():
    """30 000 points take seconds; with a tenth of one, the method hands over soon after."""
    rng = np.random.default_rng(16)
    x, y = rng.normal(size=(30_000, 3)), rng.normal(size=(30_000, 3)) + 0.2
    problem = problem_of(x, y)
    solve_multiscale(problem_of(x[:1000], y[:1000]))  # kernels are loaded
    start = time.monotonic()
    proposal = solve_multiscale(problem, SolverOptions(time_limit=0.1))
    assert proposal.status is Status.STOPPED
    assert time.monotonic() - start < 5
    proof = certify(problem, proposal.plan, (proposal.f, proposal.g))
    assert 0.2 < proof.bounds.lower < proof.bounds.upper < 1


def test_a_limit_on_pots_pivots_asks_for_pot():
    rng = np.random.default_rng(17)
    result = emd(rng.normal(size=(800, 2)), rng.normal(size=(800, 2)), max_iter=100)
    assert result.method == "pot" and result.status is Status.STOPPED and "max_iter" in result.stats["reason"]
