"""Cells of few sources: quantiles, and the coordinate ascent of the dual."""

from __future__ import annotations

import numpy as np
import ot
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from otdiv.network_flow.small.cell_balance import balance_cells, quantile

GO_ON = np.zeros(1, np.int64)


@settings(deadline=None)  # the first call compiles
@given(
    st.lists(st.tuples(st.integers(-5, 5), st.integers(0, 4)), min_size=1, max_size=40),
    st.integers(0, 60),
)
def test_quantiles(pairs, wanted):
    keys, masses = np.array([float(k) for k, _ in pairs]), np.array([w for _, w in pairs])
    order = np.argsort(keys, kind="stable")
    reached = np.flatnonzero(np.cumsum(masses[order]) >= wanted)
    expected = keys[order][reached[0]] if len(reached) else keys.max()
    assert quantile(keys.copy(), masses.copy(), wanted) == expected


def balanced(costs, supply, demand, rounds, stop=GO_ON):
    n, m = costs.shape
    f, g, row_of = np.zeros(n), np.empty(m), np.empty(m, np.int64)
    balance_cells(costs, supply, demand, rounds, f, g, row_of, stop)
    return f, g, row_of


def problem(seed, n, m, shift=1.0, weighted=True):
    rng = np.random.default_rng(seed)
    costs = cdist(rng.normal(size=(n, 2)), rng.normal(size=(m, 2)) + shift)
    demand = rng.integers(1, 9, m) if weighted else np.full(m, n)
    supply = rng.multinomial(demand.sum() - n, np.full(n, 1 / n)) + 1 if weighted else np.full(n, m)
    return costs, supply, demand


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_two_sources_are_optimal_after_one_step(seed, weighted):
    costs, supply, demand = problem(seed, 2, 300, weighted=weighted)
    f, g, _ = balanced(costs, supply, demand, 1)
    best = ot.emd2(supply.astype(float), demand.astype(float), costs)
    heaviest = demand.max()  # a cell that is off by a target is left as it is
    assert best - heaviest * np.ptp(costs) < f @ supply + g @ demand <= best + 1e-9 * best
    if abs(np.bincount(np.argmin(costs, axis=0), demand, 2)[0] - supply[0]) > heaviest:
        assert f @ supply + g @ demand == pytest.approx(best, rel=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_each_round_raises_the_dual_and_the_cells_get_their_mass(seed):
    costs, supply, demand = problem(seed, 5, 500, shift=3.0)
    values = []
    for rounds in range(20):
        f, g, row_of = balanced(costs, supply, demand, rounds)
        np.testing.assert_array_equal(g, (costs - f[:, None]).min(axis=0))
        np.testing.assert_array_equal((costs - f[:, None])[row_of, np.arange(500)], g)
        values.append(f @ supply + g @ demand)
    assert np.all(np.diff(values) >= -1e-9 * abs(values[-1]))
    best = ot.emd2(supply.astype(float), demand.astype(float), costs)
    assert values[0] < 0.9 * best and values[-1] == pytest.approx(best, rel=1e-3)
    assert np.abs(np.bincount(row_of, demand, 5) - supply).max() <= 2 * demand.max()


def test_a_request_to_stop_is_heard():
    costs, supply, demand = problem(0, 5, 500, shift=3.0)
    f, g, _ = balanced(costs, supply, demand, 5, np.ones(1, np.int64))
    assert np.all(f == 0.0) and np.array_equal(g, costs.min(axis=0))
