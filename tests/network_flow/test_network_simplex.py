"""Our network simplex against SciPy's assignment, HiGHS and exact integers; and the tree it keeps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment, linprog
from scipy.spatial.distance import cdist
from scipy.stats import wasserstein_distance

from otdiv import Status, emd
from otdiv.errors import OtdivError
from otdiv.network_flow.integer_masses import MASS_UNITS, integer_masses
from otdiv.network_flow.pivot import pivot
from otdiv.network_flow.simplex_pivots import run_pivots
from otdiv.network_flow.trees.spanning_tree import build_basis, preorder, update_potentials
from otdiv.pricing.kd_tree import ranges
from otdiv.transport.methods.multiscale.scales import build_scales, cluster_sums, refine_basis


def northwest(a, b, costs):
    """The basis of the north-west rule: the refinement of a single arc."""
    none = np.zeros(1, np.int32)
    single = build_basis(1, 1, none, none, none.astype(np.int64), np.zeros(1))
    tails, heads, flows = refine_basis(single, a, b, np.array([0, len(a)]), np.array([0, len(b)]))
    return build_basis(len(a), len(b), tails, heads, flows, costs[tails, heads])


def check(basis, n, a, b):
    """Spanning tree, flow conservation, strong feasibility, zero reduced cost on the tree."""
    nodes = len(basis.flow)
    order = preorder(basis)
    assert np.array_equal(np.sort(order), np.arange(nodes)) and order[0] == nodes - 1
    place = np.argsort(order)
    net = np.concatenate([a, -b])
    for v in order[1:]:
        u = basis.parent[v]
        assert (v < n) != (u < n) and place[u] < place[v]
        flow = basis.flow[v]
        assert flow >= 0 and (flow > 0 or v < n), "an arc without flow must point to the root"
        net[v] += -flow if v < n else flow
        net[u] += flow if v < n else -flow
        source, target = (v, u) if v < n else (u, v)
        reduced = basis.cost[v] - basis.potential[source] + basis.potential[target]
        assert abs(reduced) <= 1e-11 * max(1.0, np.abs(basis.potential).max())
    assert not net.any()


def solved(a, b, costs, *, allowed=None, checked_every=None, tolerance=None):
    """Pivot to the optimum on the allowed arcs."""
    n, m = costs.shape
    basis = northwest(a, b, costs)
    here = np.ones((n, m), bool) if allowed is None else allowed
    tails, heads = (k.astype(np.int32) for k in np.nonzero(here))
    tolerance = 1e-13 * max(1.0, np.abs(costs).max()) if tolerance is None else tolerance
    cursor, optimal, pivots = 0, False, 0
    while not optimal:
        count, _, cursor, optimal = run_pivots(
            n, tails, heads, costs[tails, heads], basis, cursor, 16, tolerance, checked_every or 10_000, 10**9
        )
        pivots += count
        assert pivots < 1_000_000, "it cycles or stalls"
        if checked_every:
            check(basis, n, a, b)
        update_potentials(n, basis)
    check(basis, n, a, b)
    return basis


def value_of(basis):
    return float(sum(int(flow) * cost for flow, cost in zip(basis.flow, basis.cost, strict=True)) / MASS_UNITS)


@pytest.mark.parametrize("n", [1, 2, 7, 60, 250])
@pytest.mark.parametrize("kind", ["random", "integers", "lattice", "constant"])
def test_assignments(n, kind):
    """Uniform weights: every basis is degenerate."""
    rng = np.random.default_rng(n)
    costs = {
        "random": rng.random((n, n)),
        "integers": rng.integers(0, 4, (n, n)).astype(float),
        "lattice": cdist(rng.integers(0, 5, (n, 2)), rng.integers(0, 5, (n, 2))),
        "constant": np.ones((n, n)),
    }[kind]
    a, b = integer_masses(np.full(n, 1 / n), np.full(n, 1 / n))
    basis = solved(a, b, costs, checked_every=1 if n <= 7 else 500)
    rows, columns = linear_sum_assignment(costs)
    assert value_of(basis) == pytest.approx(costs[rows, columns].mean(), rel=1e-12, abs=1e-15)
    assert (costs - basis.potential[:n, None] + basis.potential[n:]).min() >= -1e-12 * n


@pytest.mark.parametrize("seed", range(30))
def test_against_highs_with_weights_of_every_kind(seed):
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 25, 2)
    a = [rng.random(n), rng.integers(1, 4, n).astype(float), 10.0 ** rng.uniform(-12, 3, n)][seed % 3]
    b = [rng.random(m), rng.integers(1, 4, m).astype(float), 10.0 ** rng.uniform(-12, 3, m)][(seed // 3) % 3]
    a, b = a / a.sum(), b / b.sum()
    costs = rng.normal(size=(n, m))
    whole_a, whole_b = integer_masses(a, b)
    basis = solved(whole_a, whole_b, costs, checked_every=3)
    equations = np.vstack([np.kron(np.eye(n), np.ones(m)), np.kron(np.ones(n), np.eye(m))])[:-1]
    right, tight = np.concatenate([a, b])[:-1], {"primal_feasibility_tolerance": 1e-10}
    answer = linprog(costs.ravel(), A_eq=equations, b_eq=right, method="highs", options=tight)
    assert value_of(basis) == pytest.approx(answer.fun, rel=1e-9, abs=1e-9)  # HiGHS keeps masses to 1e-10


def test_only_the_listed_arcs_are_used_beside_the_first_tree():
    rng = np.random.default_rng(1)
    n = 40
    costs = rng.random((n, n))
    a, b = integer_masses(np.full(n, 1 / n), np.full(n, 1 / n))
    allowed = rng.random((n, n)) < 0.2
    first = northwest(a, b, costs)
    nodes = np.flatnonzero(first.parent >= 0)
    above = first.parent[nodes]
    allowed[np.where(nodes < n, nodes, above), np.where(nodes < n, above, nodes) - n] = True
    basis = solved(a, b, costs, allowed=allowed)
    rows, columns = linear_sum_assignment(np.where(allowed, costs, 1e3))
    assert value_of(basis) == pytest.approx(costs[rows, columns].mean(), rel=1e-12)


def test_the_basis_survives_added_arcs():
    """Solving in two stages ends at the optimum of all arcs, from where the first stage stopped."""
    rng = np.random.default_rng(2)
    n = 120
    costs = rng.random((n, n))
    a, b = integer_masses(rng.random(n), rng.random(n))
    basis = northwest(a, b, costs)
    pivots = []
    for share in (0.1, 0.3, 1.0, 1.0):
        tails, heads = (k.astype(np.int32) for k in np.nonzero(rng.random((n, n)) < share))
        count, _, _, optimal = run_pivots(n, tails, heads, costs[tails, heads], basis, 0, 50, 1e-13, 10**6, 10**9)
        assert optimal
        pivots.append(count)
    check(basis, n, a, b)
    assert pivots[-1] == 0 and pivots[2] > 0
    again = solved(a, b, costs)
    assert value_of(basis) == pytest.approx(value_of(again), rel=1e-12)


def test_deterministic():
    rng = np.random.default_rng(3)
    costs = rng.integers(0, 5, (50, 50)).astype(float)
    a, b = integer_masses(np.full(50, 0.02), np.full(50, 0.02))
    first, second = solved(a, b, costs), solved(a, b, costs)
    assert all(np.array_equal(p, q) for p, q in zip(first, second, strict=True))


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=7), st.lists(st.integers(1, 9), min_size=1, max_size=7), st.data()
)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_small_integer_problems_exactly(supply, demand, data):
    """Integer costs and masses: pivots in exact arithmetic, compared with exact shortest paths."""
    from tests.helpers.exact_reference import exact_emd

    a, b = np.array(supply) * sum(demand), np.array(demand) * sum(supply)
    costs = np.array(data.draw(st.lists(st.integers(-3, 3), min_size=len(a) * len(b), max_size=len(a) * len(b))))
    costs = costs.reshape(len(a), len(b)).astype(float)
    basis = solved(a, b, costs, checked_every=1, tolerance=0.5)
    value = sum(int(f) * int(c) for f, c in zip(basis.flow, basis.cost, strict=True))
    assert value == exact_emd(a, b, costs)


def test_any_exchange_keeps_the_tree():
    """Arcs entering at random, improving or not, leave a strongly feasible spanning tree with the same masses."""
    rng = np.random.default_rng(4)
    n, m = 14, 11
    costs = rng.random((n, m))
    a, b = integer_masses(rng.integers(1, 3, n).astype(float), rng.integers(1, 3, m).astype(float))
    basis = northwest(a, b, costs)
    for _ in range(400):
        i, j = rng.integers(n), rng.integers(m)
        if basis.parent[i] != n + j and basis.parent[n + j] != i:
            assert pivot(i, n + j, costs[i, j], -np.inf, basis)
            update_potentials(n, basis)
            check(basis, n, a, b)


def test_an_arc_that_does_not_violate_stays_out():
    """Whatever the potentials say: they may be old, the costs round the cycle are not."""
    rng = np.random.default_rng(5)
    costs = rng.random((9, 8))
    a, b = integer_masses(rng.random(9), rng.random(8))
    basis = northwest(a, b, costs)
    entered = 0
    for i, j in np.ndindex(9, 8):
        if basis.parent[i] != 9 + j and basis.parent[9 + j] != i:
            update_potentials(9, basis)
            reduced = costs[i, j] - basis.potential[i] + basis.potential[9 + j]
            basis.potential[:] = rng.random(17)
            before = [column.copy() for column in (basis.parent, basis.flow, basis.cost)]
            assert pivot(i, 9 + j, costs[i, j], 1e-13, basis) == (reduced < -1e-13)
            entered += reduced < -1e-13
            kept = all(
                np.array_equal(*pair) for pair in zip(before, (basis.parent, basis.flow, basis.cost), strict=True)
            )
            assert kept == (reduced >= -1e-13)
    assert 0 < entered < 50


@pytest.mark.parametrize("seed", range(6))
def test_refined_trees_carry_the_coarse_flow(seed):
    """Through all scales the tree stays strongly feasible, and clusters exchange the mass they did before."""
    rng = np.random.default_rng(seed)
    n, m = rng.integers(300, 1500, 2)
    x, y = np.sort(rng.normal(size=(n, 1)), axis=0), np.sort(rng.normal(size=(m, 1)), axis=0)
    weights = [np.ones(n), rng.random(n), rng.integers(1, 4, n).astype(float)][seed % 3]
    a, b = integer_masses(weights / weights.sum(), np.full(m, 1 / m))
    scales = build_scales(x, y, a, b, 2**16)
    none = np.zeros(1, np.int32)
    basis = build_basis(1, 1, none, none, none.astype(np.int64), np.zeros(1))
    for scale in scales[::-1]:
        tails, heads, flows = refine_basis(basis, scale.a, scale.b, scale.borders_x, scale.borders_y)
        assert len(tails) == len(scale.x) + len(scale.y) - 1
        costs = cdist(scale.x, scale.y)[tails, heads]
        basis = build_basis(len(scale.x), len(scale.y), tails, heads, flows, costs)
        check(basis, len(scale.x), scale.a, scale.b)
        assert scale.a.sum() == scale.b.sum() == a.sum()
    # on the line the order of the points is kept, and that is optimal
    assert value_of(basis) == pytest.approx(wasserstein_distance(x[:, 0], y[:, 0], weights), rel=1e-9)


def test_masses_become_whole_units():
    rng = np.random.default_rng(5)
    for a, b in (
        (np.full(3, 1 / 3), np.full(7, 1 / 7)),
        (rng.random(1000), rng.random(10) * 1e-8),
        (10.0 ** rng.uniform(-300, 0, 50), np.ones(1)),
        (np.full(10, 1e100), np.full(10, 1e100)),
    ):
        whole_a, whole_b = integer_masses(a, b)
        assert whole_a.sum() == whole_b.sum() and min(whole_a.min(), whole_b.min()) >= 1
        np.testing.assert_allclose(whole_a / MASS_UNITS, a / a.sum(), rtol=0, atol=1e-15)
        np.testing.assert_allclose(whole_b / MASS_UNITS, b / b.sum(), rtol=0, atol=1e-15)
    assert np.array_equal(cluster_sums(np.arange(10), ranges(10, 1)), [10, 35])


def test_arcs_that_are_no_tree_are_refused():
    with pytest.raises(OtdivError, match="no spanning tree"):
        build_basis(
            2, 2, np.array([0, 0, 1], np.int32), np.array([0, 0, 0], np.int32), np.ones(3, np.int64), np.ones(3)
        )


@pytest.mark.parametrize("seed", [21, 45])
def test_arcs_that_violate_by_rounding_only_do_not_keep_it_going(seed):
    """Costs of the 1-norm tie along many paths: arcs that violate by the potentials, but not round their cycles."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(120, 2)), rng.normal(size=(80, 2)) + 0.5
    a, b = rng.integers(1, 4, 120) * 1.0, rng.integers(1, 4, 80) * 1.0
    a, b = a / a.sum(), b / b.sum()
    found = emd(x, y, a, b, cost="cityblock", method="simplex", time_limit=30)
    assert found.status is Status.OPTIMAL and "limit" not in found.stats["message"]
    assert found.value == pytest.approx(emd(x, y, a, b, cost="cityblock", method="pot").value, rel=1e-9)
