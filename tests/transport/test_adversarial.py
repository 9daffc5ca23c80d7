"""A thousand random and adversarial instances: the proved interval holds the truth, and the status is optimal.

Truth is the exact integer referee on the smallest instances and HiGHS, on costs scaled to 1, on the others.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import linprog

from otdiv import DiscreteMeasure, Status, TransportProblem, emd
from otdiv.core.options import SolverOptions, Tuning
from otdiv.costs import as_cost
from otdiv.transport.methods.linear_program import marginal_matrix
from otdiv.transport.solve import solve_with
from tests.helpers.exact_reference import exact_cost, exact_emd

COSTS = ("euclidean", "sqeuclidean", "cityblock", "chebyshev", "minkowski:3", "minkowski:1.5")
EXACT = COSTS[:4]
SHAPES = ("gauss", "lattice", "duplicates", "clusters", "line", "mixed", "far", "one place", "same", "grid")
WEIGHTS = ("uniform", "random", "zeros", "wild", "whole")
METHODS = ("multiscale", "simplex", "auto")
BATCH, BATCHES = 50, 20


def points(shape, rng, n, m, d):
    x, y = rng.normal(size=(n, d)), rng.normal(size=(m, d))
    if shape == "lattice":
        x, y = (rng.integers(0, 3, p.shape) * 1.0 for p in (x, y))
    elif shape == "duplicates":
        x, y = x[rng.integers(0, 1 + n // 3, n)], np.concatenate([x, y])[rng.integers(0, n + m, m)]
    elif shape == "clusters":
        x, y = (1e-7 * p + rng.integers(0, 3, (len(p), 1)) for p in (x, y))
    elif shape == "line":
        way = rng.normal(size=d)
        x, y = x[:, :1] * way, y[:, :1] * way + way
    elif shape == "mixed":
        x, y = (p * np.exp(12 * rng.normal(size=(len(p), 1))) for p in (x, y))
    elif shape == "far":
        x, y = x + 1e9, y + 1e9
    elif shape == "one place":
        x, y = np.repeat(x[:1], n, axis=0), np.repeat(y[:1], m, axis=0)
    elif shape == "same":
        y = x[rng.permutation(n)[np.arange(m) % n]]
    elif shape == "grid":
        x, y = (np.stack([np.arange(len(p)) // 4, *(np.arange(len(p)) % 4,) * (d - 1)], axis=1) * 1.0 for p in (x, y))
    return x, y


def weights(kind, rng, n):
    if kind == "uniform":
        return None
    if kind == "random":
        w = rng.random(n)
    elif kind == "zeros":
        w = rng.random(n) * (rng.random(n) < 0.5)
    elif kind == "wild":
        w = np.exp(8 * rng.normal(size=n))
    else:
        w = rng.integers(0, 4, n) * 1.0
    w[rng.integers(n)] += w.sum() == 0
    return w / w.sum()


def instance(seed):
    """Points, weights, cost and method of one instance; every seventh is of an extreme overall scale."""
    rng = np.random.default_rng(seed)
    cost, shape = COSTS[rng.integers(len(COSTS))], SHAPES[rng.integers(len(SHAPES))]
    most = 6 if cost in EXACT and seed % 3 == 0 else 24
    n, m = (int(k) for k in rng.integers(1, most + 1, 2))
    if seed % 10 == 0:
        n, m = ((1, m), (n, 1))[seed % 20 == 0]
    d = int(rng.choice([1, 1, 2, 2, 3, 5, 20, 100, 1000], p=None))
    x, y = points(shape, rng, n, m, d)
    if seed % 7 == 0:
        scale = 10.0 ** rng.integers(-150, 151)
        x, y = (p * (np.sqrt(scale) if cost == "sqeuclidean" else scale) for p in (x, y))
    a, b = (weights(WEIGHTS[rng.integers(len(WEIGHTS))], rng, k) for k in (n, m))
    return x, y, a, b, cost, METHODS[seed % 3 if most == 24 else seed // 3 % 3]


def truth(x, y, a, b, cost):
    """The optimum, and by how much that is known: exactly, or to HiGHS's tolerances."""
    a, b = (np.full(len(p), 1 / len(p)) if w is None else w for p, w in ((x, a), (y, b)))
    if cost in EXACT and len(x) * len(y) <= 36:
        digits = -int(np.frexp(max(np.abs(x).max(), np.abs(y).max()))[1])  # the referee's roots have 120 binary digits
        value = exact_emd(a, b, exact_cost(np.ldexp(x, digits), np.ldexp(y, digits), cost))
        return value / Fraction(2) ** (digits * (2 if cost == "sqeuclidean" else 1)), 0
    table = as_cost(cost).matrix(x, y)
    top = float(table.max())
    if top == 0:
        return 0.0, 0.0
    rows, columns = (index.ravel() for index in np.indices(table.shape))
    b = b * (a.sum() / b.sum())
    # its presolve takes weights of very different sizes for a contradiction
    tight = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10, "presolve": False}
    found = linprog(
        table.ravel() / top,
        A_eq=marginal_matrix(len(x), len(y), rows, columns)[:-1],  # the last row follows from the others
        b_eq=np.concatenate([a, b])[:-1],
        method="highs",
        options=tight,
    )
    assert found.status == 0
    return found.fun * top, 1e-8 * top


def applies(method, x, y, cost):
    """The multiscale method leaves costs beyond its range, and coincident clouds, to the others."""
    largest = float(as_cost(cost).matrix(x, y).max())
    return method != "multiscale" or largest == 0 or 1e-118 < largest < 1e118


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(BATCHES))
def test_the_interval_holds_the_truth(batch):
    # with coarsening from 256 pairs on small problems go through two scales
    tuning = Tuning(coarsest_pairs=256) if batch % 2 else Tuning()
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        x, y, a, b, cost, method = instance(seed)
        if not applies(method, x, y, cost):
            method = "auto"
        problem = TransportProblem(DiscreteMeasure(x, a), DiscreteMeasure(y, b), cost)
        result = solve_with(problem, method, SolverOptions(tuning=tuning))
        known, slack = truth(x, y, a, b, cost)
        told = (seed, len(x), len(y), x.shape[1], cost, method, result)
        assert result.lower - slack <= known <= result.upper + slack, told
        assert result.status is Status.OPTIMAL, told
        plan = result.plan.toarray()
        mass = np.full(len(x), 1 / len(x)) if a is None else a
        assert plan.min() >= 0 and np.abs(plan.sum(axis=1) - mass).max() <= 1e-13, told
        excess = result.f[:, None] + result.g - as_cost(cost).matrix(x, y)
        assert excess.max() <= 4e-16 * max(np.abs(result.f).max(), np.abs(result.g).max()), told


def test_heavy_atoms_far_away_leave_the_solver_no_digits():
    """Costs of 1e-1 to 1e17: POT's potentials are too rough, those of the dense simplex are not."""
    x, y, a, b, cost, _ = instance(6008)
    result = emd(x, y, a, b, cost=cost)
    assert result.status is Status.OPTIMAL and result.stats["tried"] == ("dense",)


SMALL = Tuning(coarsest_pairs=256)


def several_scales(seed):
    """A problem of 700 points, which goes through four scales with a small coarsest one."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(700, 2)), rng.normal(size=(650, 2)) + 0.5
    a, b = weights("random", rng, 700), weights("zeros", rng, 650)
    return TransportProblem(DiscreteMeasure(x, a), DiscreteMeasure(y, b), COSTS[seed % 4])


@pytest.mark.parametrize("seed", range(4))
def test_interrupted_at_any_moment(seed):
    """Ctrl-C at the k-th report, for every k: an interval that holds the truth, narrower and narrower."""
    problem = several_scales(seed)
    whole = solve_with(problem, "multiscale", SolverOptions(tuning=SMALL))
    assert whole.status is Status.OPTIMAL
    gaps = []
    for k in range(1, 100):
        calls = iter(range(1, k + 1))

        def press(event, calls=calls, k=k):
            if next(calls) == k:
                raise KeyboardInterrupt

        result = solve_with(problem, "multiscale", SolverOptions(tuning=SMALL, progress=press))
        assert result.lower <= whole.upper and whole.lower <= result.upper
        gaps.append(result.gap)
        if "interrupted" not in result.stats["message"]:
            break
    assert 4 < len(gaps) < 99, "each scale reports"
    assert gaps[0] > 0.01 * whole.value and gaps[-1] <= 1e-9 * whole.value


@pytest.mark.slow
@pytest.mark.parametrize("limit", [0.0, 1e-6, 1e-4, 1e-3, 3e-3, 1e-2])
def test_any_time_limit(limit):
    for seed in range(4):
        problem = several_scales(seed)
        whole = solve_with(problem, "multiscale", SolverOptions(tuning=SMALL))
        result = solve_with(problem, "multiscale", SolverOptions(tuning=SMALL, time_limit=limit))
        assert result.lower <= whole.upper and whole.lower <= result.upper
        assert result.lower > 0 and np.isfinite(result.upper)
        assert result.status is (Status.OPTIMAL if result.gap <= 1e-9 * result.value else Status.STOPPED)
