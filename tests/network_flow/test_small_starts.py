"""From which potentials small dense problems begin: every start is taken somewhere, and none changes the answer."""

from __future__ import annotations

import numpy as np
import ot
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from otdiv.network_flow.small import assignment, flow_start, rows
from otdiv.network_flow.small.assignment import COMPARED_FROM, FEW_FREE, MANY_FREE, MEAN_PREFERRED, assign
from otdiv.network_flow.small.flow_start import ENOUGH_SOURCES, MANY_SOURCES
from otdiv.network_flow.small.solve import solve_small
from otdiv.network_flow.small.workspace import allocate_workspace


def clouds(rng, n, m, d, shift, cost):
    return cdist(rng.normal(size=(n, d)), rng.normal(size=(m, d)) + shift, cost)


TABLES = {
    "high dimension": lambda rng, n, m: clouds(rng, n, m, 64, 0.5, "euclidean"),
    "ten dimensions": lambda rng, n, m: clouds(rng, n, m, 10, 1.0, "sqeuclidean"),
    "plane": lambda rng, n, m: clouds(rng, n, m, 2, 0.0, "euclidean"),
    "plane, squared": lambda rng, n, m: clouds(rng, n, m, 2, 0.0, "sqeuclidean"),
    "apart": lambda rng, n, m: clouds(rng, n, m, 2, 2.0, "euclidean"),
    "apart, squared": lambda rng, n, m: clouds(rng, n, m, 2, 2.0, "sqeuclidean"),
    "random": lambda rng, n, m: rng.random((n, m)),
    "heavy tails": lambda rng, n, m: rng.exponential(size=(n, m)) ** 3,
    "whole": lambda rng, n, m: rng.integers(0, 100, (n, m)).astype(float),
    "few values": lambda rng, n, m: rng.integers(0, 4, (n, m)).astype(float),
    "products": lambda rng, n, m: np.outer(np.arange(1.0, n + 1), np.arange(1.0, m + 1)),
    "one value": lambda rng, n, m: np.ones((n, m)),
}


def workspace(n, m):
    return allocate_workspace(n, m, 0, np.zeros(1, np.int64))


def assignment_start(costs):
    """Which start :func:`assign` takes, by the rows that each leaves free."""
    n, g = len(costs), np.empty(len(costs))
    target, owner, work = np.empty(n, np.int64), np.empty(n, np.int64), workspace(n, n)
    rows.mean_costs(costs, g)
    of_mean = assignment._assign_tight(costs, target, owner, g, work)
    if of_mean <= FEW_FREE * n:
        return "mean at once"
    of_zero = assignment._assign_tight(costs, target, owner, np.zeros(n), work)
    if min(of_mean, of_zero) > MANY_FREE * n:
        return "sample"
    return "mean" if of_mean <= min(MANY_FREE * n, MEAN_PREFERRED * of_zero) else "zero"


def start_of_flow(costs):
    """Which start the network simplex takes, by the different sources of the tight arcs of each."""
    n, m = costs.shape
    row_of = np.empty(m, np.int64)
    different = []
    for g in (costs.mean(axis=0), np.zeros(m)):
        rows.make_feasible(costs, np.empty(n), g, np.empty(m), row_of)
        different.append(len(np.unique(row_of)))
    of_mean, of_zero = different
    if of_zero >= max(of_mean, MANY_SOURCES * min(n, m)):
        return "zero"
    return "mean" if of_mean >= ENOUGH_SOURCES * min(n, m) else "sample"


def test_every_start_is_taken_somewhere():
    rng = np.random.default_rng(0)
    costs = {name: make(rng, 257, 257) for name, make in TABLES.items()}
    assert {assignment_start(one) for one in costs.values()} == {"mean at once", "mean", "zero", "sample"}
    assert {start_of_flow(one) for one in costs.values()} == {"mean", "zero", "sample"}


@pytest.mark.parametrize("n", [COMPARED_FROM - 1, COMPARED_FROM, 101, 130, 257])
@pytest.mark.parametrize("name", TABLES)
def test_assignments_agree_with_scipy(name, n):
    costs = TABLES[name](np.random.default_rng(n), n, n)
    target, owner, g = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n)
    assert assign(costs, target, owner, g, workspace(n, n))
    assert np.array_equal(owner[target], np.arange(n))
    known, room = costs[linear_sum_assignment(costs)].sum(), 1e-13 * n * costs.max()
    assert abs(costs[np.arange(n), target].sum() - known) <= room
    f = (costs - g).min(axis=1)
    assert abs(f.sum() + g.sum() - known) <= room


@pytest.mark.parametrize("n, m", [(64, 64), (70, 130), (130, 70), (128, 128)])
@pytest.mark.parametrize("name", TABLES)
def test_flows_agree_with_pot(name, n, m):
    rng = np.random.default_rng(n + m)
    costs, a, b = TABLES[name](rng, n, m), rng.random(n), rng.random(m) * (rng.random(m) < 0.8)
    a, b = a / a.sum(), b / b.sum()
    lower, value, upper, _, count = solve_small(costs, a, b, 0.0, 0.0, 0.0, workspace(n, m))
    known = ot.emd2(a, b, costs, numItermax=10**6)
    assert count > 0 and lower <= value <= upper
    assert lower - 1e-12 * costs.max() <= known <= upper + 1e-12 * costs.max()
    assert upper - lower <= 1e-12 * costs.max()


@pytest.mark.parametrize("name", ["apart, squared", "products", "one value"])
def test_stopped_before_it_begins_nothing_is_claimed_but_what_holds(name):
    """The sample's assignment is stopped as well; the bounds then still enclose the optimum."""
    rng = np.random.default_rng(5)
    costs, a, b = TABLES[name](rng, 90, 90), rng.random(90), rng.random(90)
    a, b = a / a.sum(), b / b.sum()
    work = allocate_workspace(90, 90, 0, np.ones(1, np.int64))
    lower, _, upper, _, _ = solve_small(costs, a, b, 0.0, 0.0, 0.0, work)
    assert lower <= ot.emd2(a, b, costs) * (1 + 1e-12) and ot.emd2(a, b, costs) <= upper * (1 + 1e-12)
    equal = np.full(90, 1 / 90)
    lower, _, upper, _, count = solve_small(costs, equal, equal, 0.0, 0.0, 0.0, work)
    assert count == -1 and lower <= costs[linear_sum_assignment(costs)].mean() * (1 + 1e-12) and upper == np.inf


@pytest.mark.parametrize("n", [1, 2, 3, 10, 64, 100, 512, 999])
def test_a_sample_of_rows_has_no_pattern(n):
    """Its first half holds from each third of the rows, and of the even ones, its share within 5 standard errors."""
    order = assignment._shuffled(n)
    assert np.array_equal(np.sort(order), np.arange(n)) and np.array_equal(order, assignment._shuffled(n))
    half = order[: n // 2]
    for share, chosen in ((1 / 3, half < n / 3), (1 / 3, half >= 2 * n / 3), (1 / 2, half % 2 == 0)):
        assert abs(chosen.sum() - share * len(half)) <= 5 * np.sqrt(share * (1 - share) * len(half)) + 1


def test_a_sample_by_mass_shares_it_out_evenly():
    rng = np.random.default_rng(6)
    masses = rng.integers(0, 2**50, 200)
    masses[:20], masses[70:90] = 0, 0
    places = flow_start._by_mass(masses, 50)
    assert np.all(masses[places] > 0) and np.all(np.diff(places) >= 0)
    before, step = np.cumsum(masses)[places] - masses[places], masses.sum() / len(places)
    middles = (np.arange(len(places)) + 0.5) * step
    assert np.all(before <= middles) and np.all(middles <= before + masses[places])
    assert flow_start._by_mass(np.array([0, 7, 0]), 4).tolist() == [1, 1, 1, 1]
