"""Potentials by the parts of a contracted tree: those that the costs along the tree add up to, after any pivots."""

from __future__ import annotations

import numpy as np
import pytest

from otdiv.network_flow.integer_masses import integer_masses
from otdiv.network_flow.pivot import pivot_recorded
from otdiv.network_flow.simplex_pivots import run_pivots
from otdiv.network_flow.trees.contracted_tree import bring_up_to_date, contract
from otdiv.network_flow.trees.spanning_tree import update_potentials
from tests.network_flow.test_network_simplex import check, northwest, solved, value_of


def problem(seed):
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 40, 2)
    kind = seed % 3
    costs = rng.random((n, m)) if kind == 0 else rng.integers(0, 5, (n, m)) * 1.0 if kind == 1 else np.ones((n, m))
    masses = (np.ones(n), np.ones(m)) if seed % 2 else (rng.pareto(1.0, n) + 1e-6, rng.pareto(1.0, m) + 1e-6)
    return costs, *integer_masses(*masses)


@pytest.mark.parametrize("seed", range(12))
def test_arcs_that_come_and_go(seed):
    """Any arcs enter, some of them old ones that had left; contracted again whenever there are many new ones."""
    rng = np.random.default_rng(seed)
    n, m = rng.integers(2 if seed else 12, 20, 2)
    costs = rng.integers(0, 9, (n, m)) * 1.0
    a, b = integer_masses(rng.integers(1, 3, n).astype(float), rng.integers(1, 3, m).astype(float))
    basis = northwest(a, b, costs)
    contraction, contracted = contract(basis), 0
    for _ in range(150):
        entered = 0
        for _ in range(rng.integers(1, 5)):
            i, j = rng.integers(n), rng.integers(m)
            if basis.parent[i] != n + j and basis.parent[n + j] != i:
                entered += pivot_recorded(i, n + j, costs[i, j], -np.inf, basis, contraction)
        before = contraction
        contraction = bring_up_to_date(n, basis, contraction)
        contracted += entered > 0 and not np.shares_memory(contraction.order, before.order)
        new = set(contraction.tops[: contraction.new_arcs[0]].tolist())
        assert new == set(np.flatnonzero(contraction.place >= 0).tolist())
        kept = basis.potential.copy()
        update_potentials(n, basis)
        assert np.array_equal(kept, basis.potential), "whole costs: exact"
        check(basis, n, a, b)
    assert contracted > 0 or n + m < 25


@pytest.mark.parametrize("seed", range(12))
def test_stopped_after_any_number_of_pivots(seed):
    costs, a, b = problem(seed)
    n, m = costs.shape
    tails, heads = (k.astype(np.int32) for k in np.nonzero(np.ones((n, m), bool)))
    first = value_of(northwest(a, b, costs))
    for most in (0, 1, 2, 5, 20, 10**6):
        basis = northwest(a, b, costs)
        count, _, _, optimal = run_pivots(n, tails, heads, costs.ravel(), basis, 0, 16, 1e-13, most, 10**9)
        assert count <= most
        check(basis, n, a, b)
        assert value_of(basis) <= first * (1 + 1e-12)
    assert optimal
    assert value_of(basis) == pytest.approx(value_of(solved(a, b, costs)), rel=1e-12, abs=1e-15)
