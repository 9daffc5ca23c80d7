"""Matching on sparse graphs: bids and growing forests against SciPy, with every condition they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from otdiv.network_flow.alternating_forest import Incoming, forest_space, grow, grow_each, incoming
from otdiv.network_flow.assignment_auction import FREE, bid, graph_of, release, unmatched, with_arcs
from otdiv.transport.methods.multiscale.assignment_engine import completed

ANY = 2**62
FORBIDDEN = 1e6


def instance(seed, n, per_source, whole):
    """A sparse graph that contains a perfect matching, and its dense costs."""
    rng = np.random.default_rng(seed)
    there = np.zeros((n, n), bool)
    there[np.arange(n), rng.permutation(n)] = True
    for i in range(n):
        there[i, rng.choice(n, min(n, per_source), replace=False)] = True
    costs = rng.integers(0, 6, (n, n)).astype(float) if whole else rng.random((n, n))
    tails, heads = np.nonzero(there)
    graph = graph_of(n, tails.astype(np.int32), heads.astype(np.int32), costs[there])
    return graph, tails, heads, np.where(there, costs, FORBIDDEN)


def started(n):
    return unmatched(np.zeros(n), np.zeros(n)), forest_space(n)


def by_target(graph):
    return Incoming(*incoming(graph, len(graph.start) - 1))


def holds(matching, tails, heads, costs, eps):
    """f + g <= c on every arc, c <= f + g + eps on every matched one, and both ends agree."""
    reduced = costs[tails, heads] - matching.f[tails] - matching.g[heads]
    assert reduced.min() >= -1e-12
    i = np.flatnonzero(matching.target != FREE)
    j = matching.target[i]
    assert (matching.source[j] == i).all() and (matching.source != FREE).sum() == len(i)
    assert (matching.cost[i] == costs[i, j]).all()
    assert (costs[i, j] - matching.f[i] - matching.g[j] <= eps + 1e-12).all()


def free(matching):
    return np.flatnonzero(matching.target == FREE).astype(np.int32)


@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(1, 8), st.booleans(), st.booleans())
@settings(max_examples=200, deadline=None)
def test_the_cheapest_matching_of_a_sparse_graph(seed, n, per_source, whole, from_nothing):
    graph, tails, heads, costs = instance(seed, n, per_source, whole)
    matching, forest = started(n)
    for eps in () if from_nothing else (0.3, 0.03):
        release(graph, matching, eps)
        bid(graph, matching, eps, n // 10, 20 * n)
        release(graph, matching, np.inf)
        holds(matching, tails, heads, costs, eps)
    release(graph, matching, 1e-12)
    if not from_nothing:
        grow_each(graph, by_target(graph), matching, forest, 0, n, 5)
        holds(matching, tails, heads, costs, 2e-12)
    assert grow(graph, by_target(graph), matching, forest, roots := free(matching), ANY, 0.0) == len(roots)
    holds(matching, tails, heads, costs, 2e-12)
    assert sorted(matching.target) == list(range(n))
    expected = costs[linear_sum_assignment(costs)].sum()
    assert matching.cost.sum() == pytest.approx(expected, abs=1e-9)
    assert matching.f.sum() + matching.g.sum() == pytest.approx(expected, abs=1e-9)


def test_bids_alone_are_within_eps_of_the_optimum_for_each_source():
    n, eps = 60, 1e-3
    graph, tails, heads, costs = instance(3, n, 60, whole=False)
    matching, _ = started(n)
    release(graph, matching, eps)
    assert bid(graph, matching, eps, 0, 10**6) > n
    release(graph, matching, np.inf)
    holds(matching, tails, heads, costs, eps)
    best = costs[linear_sum_assignment(costs)].sum()
    assert len(free(matching)) == 0 and best <= matching.cost.sum() <= best + n * eps


def test_potentials_only_move_one_way():
    n = 50
    graph, _, _, _ = instance(4, n, 6, whole=False)
    matching, forest = started(n)
    release(graph, matching, 0.0)
    while len(roots := free(matching)):
        f, g = matching.f.copy(), matching.g.copy()
        grow(graph, by_target(graph), matching, forest, roots[:3], 2 * n, 0.0)
        assert (matching.f >= f).all() and (matching.g <= g).all()
    g = matching.g.copy()
    matching.target[:5] = matching.source[matching.target[:5]] = FREE
    bid(graph, matching, 0.1, 0, 10 * n)
    assert (matching.g <= g).all()


def test_trees_that_cannot_grow_reach_into_the_void():
    """Three sources that know two targets only: one stays free, and its tree rises above all it knows."""
    tails = np.repeat(np.arange(3, dtype=np.int32), 2)
    heads = np.tile(np.arange(2, dtype=np.int32), 3)
    graph = graph_of(3, tails, heads, np.array([1.0, 2.0, 1.5, 1.0, 1.0, 1.0]))
    matching, forest = started(3)
    release(graph, matching, 0.0)
    while grow(graph, by_target(graph), matching, forest, free(matching), ANY, 0.0):
        pass
    left = free(matching)
    assert len(left) == 1 and (matching.source[:2] != FREE).all()
    before = matching.f.copy()
    assert grow(graph, by_target(graph), matching, forest, left, ANY, 7.0) == 0
    assert matching.f[left[0]] == before[left[0]] + 7.0
    assert (graph.costs - matching.f[tails] - matching.g[heads] >= -1e-12).all()
    assert sorted(completed(matching)) == [0, 1, 2]


def test_one_forest_matches_all_of_a_large_graph():
    """Trees are let go and their nodes taken over thousands of times in one call."""
    n = 1500
    rng = np.random.default_rng(6)
    x, y = rng.random((n, 2)), rng.random((n, 2)) + [0.5, 0.0]
    costs = np.linalg.norm(x[:, None] - y, axis=2)
    tails, heads = (index.astype(np.int32) for index in np.nonzero(np.ones((n, n), bool)))
    graph = graph_of(n, tails, heads, costs.ravel())
    matching, forest = started(n)
    release(graph, matching, np.inf)
    assert grow(graph, by_target(graph), matching, forest, free(matching), ANY, 0.0) == n
    holds(matching, tails, heads, costs, 1e-12)
    best = costs[linear_sum_assignment(costs)].sum()
    assert matching.cost.sum() == pytest.approx(best, rel=1e-12)
    assert (forest.root == FREE).all() and (forest.place == -1).all()  # the scratch is as it was


def test_a_graph_takes_more_arcs_in_order_and_none_twice():
    rng = np.random.default_rng(7)
    n, m = 30, 25
    first, more = rng.random((n, m)) < 0.2, rng.random((n, m)) < 0.2
    costs = rng.random((n, m))
    graph = graph_of(n, *(v.astype(np.int32) for v in np.nonzero(first)), costs[first])
    tails, heads = np.nonzero(more)
    shuffled = rng.permutation(len(tails))
    shuffled = shuffled[np.argsort(tails[shuffled], kind="stable")]  # by source, targets in any order
    tails, heads = tails[shuffled].astype(np.int32), heads[shuffled].astype(np.int32)
    joined = with_arcs(graph, tails, heads, costs[tails, heads])
    rows = np.repeat(np.arange(n), np.diff(joined.start))
    assert (np.stack([rows, joined.heads]) == np.stack(np.nonzero(first | more))).all()
    assert (joined.costs == costs[rows, joined.heads]).all()


def test_the_check_of_the_conditions_can_fail():
    n = 20
    graph, tails, heads, costs = instance(5, n, 5, whole=False)
    matching, forest = started(n)
    release(graph, matching, 0.0)
    while len(roots := free(matching)):
        grow(graph, by_target(graph), matching, forest, roots[:3], 2 * n, 0.0)
    holds(matching, tails, heads, costs, 1e-12)
    matching.g[matching.target[0]] += 1e-6
    with pytest.raises(AssertionError):
        holds(matching, tails, heads, costs, 1e-12)
