"""Squared distance on grids: against HiGHS and exact integers, its symmetries, tampered answers and stops."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import linprog

from otdiv import DiscreteMeasure, Status, TransportProblem, emd_images
from otdiv.certificates import grid_potentials
from otdiv.certificates.certificate import certify
from otdiv.core.options import SolverOptions, Tuning
from otdiv.transport.images import _measure
from otdiv.transport.methods.multiscale import simplex_engine
from otdiv.transport.methods.multiscale.solve import solve_multiscale
from tests.helpers.exact_reference import exact_cost, exact_emd

SHAPES = [(1, 9), (8, 1), (2, 2), (3, 5), (6, 6), (5, 7), (4, 9), (3, 3, 4), (2, 5, 3), (1, 4, 6)]
KINDS = ["noise", "sparse", "whole", "single", "equal", "constant", "ties", "steep"]


@pytest.fixture(autouse=True)
def small_problems_too(monkeypatch):
    """Small grids are found, scaled down and solved with auctions as large ones are."""
    monkeypatch.setattr(grid_potentials, "GRID_ABOVE", 0)
    monkeypatch.setattr(simplex_engine, "AUCTIONS_FROM", 0)


def images(rng, shape, kind):
    """Two images of the same total."""
    if kind == "noise":
        first, second = rng.random(shape), rng.random(shape)
    elif kind == "sparse":
        first, second = (rng.random(shape) * (rng.random(shape) < 0.3) for _ in range(2))
    elif kind == "whole":
        first, second = (rng.integers(0, 5, shape) * 1.0 for _ in range(2))
    elif kind == "single":
        first, second = np.zeros(shape), rng.random(shape)
    elif kind == "equal":
        first = rng.random(shape)
        second = first.copy()
    elif kind == "constant":
        first, second = np.ones(shape), np.ones(shape) * (rng.random(shape) < 0.5)
    elif kind == "ties":
        first, second = (np.indices(shape).sum(axis=0) % 2 * 1.0, 1 - np.indices(shape).sum(axis=0) % 2 * 1.0)
    else:
        least = -9 if kind == "steep" else -30
        first, second = 10.0 ** rng.uniform(least, 0, shape), 10.0 ** rng.uniform(least, 0, shape)
    for image in (first, second):
        if kind != "equal":
            image.flat[rng.integers(image.size)] += 1.0
    return first / first.sum(), second / second.sum()


def problem_of(first, second, spacing=1.0):
    steps = np.broadcast_to(spacing, (first.ndim,))
    return TransportProblem(_measure(first, steps), _measure(second, steps), "sqeuclidean")


def solved(problem, **limits):
    """The certificate of the multiscale method with many scales, and what it proposed."""
    options = SolverOptions(threads=1, tuning=Tuning(coarsest_pairs=16), **limits)
    proposal = solve_multiscale(problem, options)
    return certify(problem, proposal.plan, (proposal.f, proposal.g), options=options), proposal


def highs(problem):
    """The optimal value by a linear program on the atoms with mass."""
    rows, columns = np.flatnonzero(problem.a), np.flatnonzero(problem.b)
    costs = ((problem.mu.points[rows][:, None] - problem.nu.points[columns]) ** 2).sum(axis=2)
    n, m = costs.shape
    sums = np.concatenate([np.kron(np.eye(n), np.ones(m)), np.kron(np.ones(n), np.eye(m))])
    millions = 1e6 * np.concatenate([problem.a[rows], problem.b[columns]])  # HiGHS leaves 1e-7 of any constraint open
    return 1e-6 * linprog(costs.ravel(), A_eq=sums[:-1], b_eq=millions[:-1], method="highs").fun


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_against_a_linear_program(shape, kind):
    for seed in range(4):
        problem = problem_of(*images(np.random.default_rng([seed, sum(shape)]), shape, kind))
        assert grid_potentials.find_squared_grid(problem) is not None
        proof, _ = solved(problem)
        value = highs(problem)
        assert proof.proves_optimal(1e-9, 1e-12), proof.bounds
        assert proof.value == pytest.approx(value, rel=1e-7, abs=1e-7), "1e-7 is what HiGHS may leave of a reduced cost"


@pytest.mark.parametrize("seed", range(27))
def test_against_exact_integers(seed):
    rng = np.random.default_rng(seed)
    problem = problem_of(*images(rng, tuple(rng.integers(1, 4, 2)), [*KINDS, "steepest"][seed % 9]))
    proof, _ = solved(problem)
    x = problem.mu.points
    assert proof.bounds.lower <= exact_emd(problem.a, problem.b, exact_cost(x, x, "sqeuclidean")) <= proof.bounds.upper


@pytest.mark.parametrize("kind", ["noise", "whole", "sparse"])
def test_symmetries(kind):
    first, second = images(np.random.default_rng(3), (11, 17), kind)
    value = solved(problem_of(first, second))[0].value
    turned = (image[::-1].T for image in (first, second))
    assert solved(problem_of(*turned))[0].value == pytest.approx(value, rel=1e-11)
    assert solved(problem_of(second, first))[0].value == pytest.approx(value, rel=1e-11)
    assert solved(problem_of(first, second, 2.0))[0].value == pytest.approx(4 * value, rel=1e-11)
    tenths = problem_of(first, second, 0.1)
    assert grid_potentials.find_squared_grid(tenths) is not None, "squares of tenths are rounded, and allowed for"
    assert solved(tenths)[0].value == pytest.approx(0.01 * value, rel=1e-9)
    stretched = problem_of(first, second, [1.0, 3.0])
    proof, _ = solved(stretched)
    assert proof.proves_optimal(1e-9) and proof.value == pytest.approx(highs(stretched), rel=1e-6)


def test_cells_moved_and_in_any_order():
    rng = np.random.default_rng(5)
    first, second = images(rng, (8, 13), "noise")
    problem = problem_of(first, second)
    x, y = rng.permutation(first.size), rng.permutation(second.size)[: second.size // 2]
    b = problem.b[y] / problem.b[y].sum()
    shift = np.array([1e6, -3.0])
    moved = TransportProblem(
        DiscreteMeasure(problem.mu.points[x] + shift, problem.a[x]),
        DiscreteMeasure(problem.nu.points[y] + shift, b),
        "sqeuclidean",
    )
    assert grid_potentials.find_squared_grid(moved) is not None
    proof, _ = solved(moved)
    assert proof.proves_optimal(1e-9) and proof.value == pytest.approx(highs(moved), rel=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_a_tampered_answer_opens_the_interval(seed):
    rng = np.random.default_rng(seed)
    problem = problem_of(*images(rng, (9, 11), "noise"))
    proof, proposal = solved(problem)
    noisy = certify(problem, proposal.plan, (proof.f + rng.normal(size=len(proof.f)), None))
    moved = replace(proposal.plan, columns=np.roll(proposal.plan.columns, 1))
    elsewhere = certify(problem, moved, (proof.f, proof.g))
    for tampered in (noisy, elsewhere):
        assert tampered.bounds.lower <= proof.bounds.upper and proof.bounds.lower <= tampered.bounds.upper
        assert tampered.gap > 1e-3 * proof.value
    raised = certify(problem, proposal.plan, (proof.f + 1.0, proof.g + 1.0))
    costs = ((problem.mu.points[:, None] - problem.nu.points) ** 2).sum(axis=2)
    assert (raised.f[:, None] + raised.g <= costs).all(), "potentials that are too high are lowered"


@pytest.mark.parametrize("limit", [0, 2, 4, 6])
def test_stopped_at_any_moment(limit):
    problem = problem_of(*images(np.random.default_rng(1), (14, 15), "noise"))
    ticks = iter(range(10**9))
    tuning = Tuning(coarsest_pairs=16, pivots_per_batch=20, clock=lambda: float(next(ticks)))
    proposal = solve_multiscale(problem, SolverOptions(threads=1, time_limit=float(limit), tuning=tuning))
    assert proposal.status is Status.STOPPED and "time limit" in proposal.stats["message"]
    proof = certify(problem, proposal.plan, (proposal.f, proposal.g))
    assert proof.bounds.lower <= solved(problem)[0].value <= proof.bounds.upper


def test_chosen_for_images():
    first, second = images(np.random.default_rng(2), (32, 32), "whole")
    result = emd_images(first, second, cost="sqeuclidean")
    assert result.method == "multiscale" and result.status is Status.OPTIMAL
    assert result.problem.findings["grid transform"] is not None
