"""Pivots that follow their subtree: the same optimum as by batches, and a feasible tree wherever they stop."""

from __future__ import annotations

import numpy as np
import pytest

from otdiv.network_flow.integer_masses import integer_masses
from otdiv.network_flow.local_pivots import pivot_locally
from otdiv.network_flow.trees.spanning_tree import update_potentials
from tests.network_flow.test_network_simplex import check, northwest, solved, value_of


def problem(seed):
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 40, 2)
    kind = seed % 3
    costs = rng.random((n, m)) if kind == 0 else rng.integers(0, 5, (n, m)) * 1.0 if kind == 1 else np.ones((n, m))
    masses = (np.ones(n), np.ones(m)) if seed % 2 else (rng.pareto(1.0, n) + 1e-6, rng.pareto(1.0, m) + 1e-6)
    return costs, *integer_masses(*masses)


@pytest.mark.parametrize("seed", range(60))
def test_the_optimum_of_the_batches(seed):
    costs, a, b = problem(seed)
    n, m = costs.shape
    basis = northwest(a, b, costs)
    tails, heads = (k.astype(np.int32) for k in np.nonzero(np.ones((n, m), bool)))
    count, scanned = pivot_locally(n, tails, heads, costs.ravel(), basis, 1e-13, 10**6, 10**9)
    check(basis, n, a, b)
    assert scanned >= len(tails) and (count > 0 or value_of(basis) == value_of(northwest(a, b, costs)))
    reduced = costs.ravel() - basis.potential[tails] + basis.potential[n + heads]
    assert reduced.min() >= -1e-12
    assert value_of(basis) == pytest.approx(value_of(solved(a, b, costs)), rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("seed", range(12))
def test_stopped_after_any_number_of_pivots(seed):
    costs, a, b = problem(seed)
    n, m = costs.shape
    tails, heads = (k.astype(np.int32) for k in np.nonzero(np.ones((n, m), bool)))
    before = np.inf
    for most in (0, 1, 2, 5, 20):
        basis = northwest(a, b, costs)
        count, _ = pivot_locally(n, tails, heads, costs.ravel(), basis, 1e-13, most, 10**9)
        assert count <= most
        check(basis, n, a, b)
        kept = basis.potential.copy()
        update_potentials(n, basis)
        assert np.array_equal(kept, basis.potential), "potentials are those of the tree, to the bit"
        assert value_of(basis) <= before * (1 + 1e-12)
        before = value_of(basis)
