"""Assignment on sparse graphs: bids and augmenting paths against SciPy, with every condition they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from otdiv.network_flow.alternating_forest import allocate_forest, augment, augment_one_by_one
from otdiv.network_flow.assignment_auction import (
    UNASSIGNED,
    empty_assignment,
    restore_slackness,
    run_bids,
    run_reverse_bids,
)
from otdiv.network_flow.graph import compress_rows, insert_arcs, transpose_rows
from otdiv.transport.methods.multiscale.assignment_engine import complete_targets

FORBIDDEN = 1e6


def instance(seed, n, per_source, whole):
    """A sparse graph that contains a perfect assignment, and its dense costs."""
    rng = np.random.default_rng(seed)
    there = np.zeros((n, n), bool)
    there[np.arange(n), rng.permutation(n)] = True
    for i in range(n):
        there[i, rng.choice(n, min(n, per_source), replace=False)] = True
    costs = rng.integers(0, 6, (n, n)).astype(float) if whole else rng.random((n, n))
    tails, heads = np.nonzero(there)
    graph = compress_rows(n, tails.astype(np.int32), heads.astype(np.int32), costs[there])
    return graph, tails, heads, np.where(there, costs, FORBIDDEN)


def started(n):
    return empty_assignment(np.zeros(n), np.zeros(n)), allocate_forest(n)


def augment_all(graph, assignment, forest, overshoot=0.0):
    """Forests until no tree finds a path; returns how many were grown."""
    count = 0
    while len(roots := free(assignment)) and augment(graph, assignment, forest, roots, overshoot):
        count += 1
    return count


def holds(assignment, tails, heads, costs, eps):
    """f + g <= c on every arc, c <= f + g + eps on every matched one, and both ends agree."""
    reduced = costs[tails, heads] - assignment.f[tails] - assignment.g[heads]
    assert reduced.min() >= -1e-12
    i = np.flatnonzero(assignment.target != UNASSIGNED)
    j = assignment.target[i]
    assert (assignment.source[j] == i).all() and (assignment.source != UNASSIGNED).sum() == len(i)
    assert (assignment.cost[i] == costs[i, j]).all()
    assert (costs[i, j] - assignment.f[i] - assignment.g[j] <= eps + 1e-12).all()


def free(assignment):
    return np.flatnonzero(assignment.target == UNASSIGNED).astype(np.int32)


@pytest.mark.slow
@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(1, 8), st.booleans(), st.booleans())
@settings(max_examples=200, deadline=None)
def test_the_cheapest_matching_of_a_sparse_graph(seed, n, per_source, whole, from_nothing):
    graph, tails, heads, costs = instance(seed, n, per_source, whole)
    assignment, forest = started(n)
    for eps in () if from_nothing else (0.3, 0.03):
        restore_slackness(graph, assignment, eps)
        run_bids(graph, assignment, eps, n // 10, 20 * n)
        restore_slackness(graph, assignment, np.inf)
        holds(assignment, tails, heads, costs, eps)
    restore_slackness(graph, assignment, 1e-12)
    if not from_nothing:
        augment_one_by_one(graph, assignment, forest, 0, n, 5)
        holds(assignment, tails, heads, costs, 2e-12)
    augment_all(graph, assignment, forest)
    holds(assignment, tails, heads, costs, 2e-12)
    assert sorted(assignment.target) == list(range(n))
    expected = costs[linear_sum_assignment(costs)].sum()
    assert assignment.cost.sum() == pytest.approx(expected, abs=1e-9)
    assert assignment.f.sum() + assignment.g.sum() == pytest.approx(expected, abs=1e-9)


def test_bids_alone_are_within_eps_of_the_optimum_for_each_source():
    n, eps = 60, 1e-3
    graph, tails, heads, costs = instance(3, n, 60, whole=False)
    assignment, _ = started(n)
    restore_slackness(graph, assignment, eps)
    assert run_bids(graph, assignment, eps, 0, 10**6) > n
    restore_slackness(graph, assignment, np.inf)
    holds(assignment, tails, heads, costs, eps)
    best = costs[linear_sum_assignment(costs)].sum()
    assert len(free(assignment)) == 0 and best <= assignment.cost.sum() <= best + n * eps


@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(1, 8), st.booleans())
@settings(max_examples=100, deadline=None)
def test_sources_and_targets_bid_in_turn(seed, n, per_source, whole):
    graph, tails, heads, costs = instance(seed, n, per_source, whole)
    columns = transpose_rows(graph, n)
    assignment, _ = started(n)
    for eps in (0.3, 0.03, 0.003):
        restore_slackness(graph, assignment, eps)
        forward, before = True, n + 1
        for _ in range(5000):
            if len(free(assignment)) == 0:
                break
            if len(free(assignment)) < before:  # else they might undo one another's bids for ever
                forward, before = not forward, len(free(assignment))
            if forward:
                run_bids(graph, assignment, eps, 0, n)
                restore_slackness(graph, assignment, np.inf)
            else:
                f, g = assignment.f.copy(), assignment.g.copy()
                run_reverse_bids(columns, assignment, eps, 0, n)
                assert (assignment.g >= g - 1e-12).all() and (assignment.f <= f).all()
            holds(assignment, tails, heads, costs, eps)
        assert len(free(assignment)) == 0
    best = costs[linear_sum_assignment(costs)].sum()
    assert best - 1e-9 <= assignment.cost.sum() <= best + n * eps + 1e-9


def test_a_remote_target_raises_its_own_price():
    """Of 200 targets one is dear by 5: where it bids, the prices of the others do not have to fall by as much."""
    n, eps = 200, 1e-3
    graph, tails, heads, costs = instance(8, n, n, whole=False)
    costs[:, 7] += 5.0
    graph = compress_rows(n, tails, heads, costs[tails, heads])
    columns = transpose_rows(graph, n)
    forward, _ = started(n)
    restore_slackness(graph, forward, eps)
    bids = run_bids(graph, forward, eps, 0, 10**9)
    assignment, _ = started(n)
    restore_slackness(graph, assignment, eps)
    in_turn = run_bids(graph, assignment, eps, 0, 2 * n)
    restore_slackness(graph, assignment, np.inf)
    in_turn += run_reverse_bids(columns, assignment, eps, 0, 10**9)
    holds(assignment, tails, heads, costs, eps)
    assert len(free(assignment)) == len(free(forward)) == 0
    assert 10 * in_turn < bids
    assert assignment.g[7] > 4.0 and abs(forward.g[7]) < 0.1


def test_rows_by_their_other_end():
    rng = np.random.default_rng(9)
    there = rng.random((30, 25)) < 0.2
    costs = rng.random((30, 25))
    graph = compress_rows(30, *(v.astype(np.int32) for v in np.nonzero(there)), costs[there])
    columns = transpose_rows(graph, 25)
    targets = np.repeat(np.arange(25), np.diff(columns.start))
    assert (np.stack([targets, columns.ends]) == np.stack(np.nonzero(there.T))).all()
    assert (columns.costs == costs[columns.ends, targets]).all()


def test_potentials_only_move_one_way():
    n = 50
    graph, _, _, _ = instance(4, n, 6, whole=False)
    assignment, forest = started(n)
    restore_slackness(graph, assignment, 0.0)
    while len(roots := free(assignment)):
        f, g = assignment.f.copy(), assignment.g.copy()
        assert 1 <= augment(graph, assignment, forest, roots[:3], 0.0) <= min(3, len(roots))
        assert (assignment.f >= f).all() and (assignment.g <= g).all()
    g = assignment.g.copy()
    assignment.target[:5] = assignment.source[assignment.target[:5]] = UNASSIGNED
    run_bids(graph, assignment, 0.1, 0, 10 * n)
    assert (assignment.g <= g).all()


def test_trees_that_cannot_grow_overshoot():
    """Three sources that know two targets only: one stays free, and its tree rises above all it knows."""
    tails = np.repeat(np.arange(3, dtype=np.int32), 2)
    heads = np.tile(np.arange(2, dtype=np.int32), 3)
    graph = compress_rows(3, tails, heads, np.array([1.0, 2.0, 1.5, 1.0, 1.0, 1.0]))
    assignment, forest = started(3)
    restore_slackness(graph, assignment, 0.0)
    augment_all(graph, assignment, forest)
    left = free(assignment)
    assert len(left) == 1 and (assignment.source[:2] != UNASSIGNED).all()
    before = assignment.f.copy()
    assert augment(graph, assignment, forest, left, 7.0) == 0
    assert assignment.f[left[0]] == before[left[0]] + 7.0
    assert (graph.costs - assignment.f[tails] - assignment.g[heads] >= -1e-12).all()
    assert sorted(complete_targets(assignment)) == [0, 1, 2]


@pytest.mark.slow
def test_a_few_forests_match_all_of_a_large_graph():
    n = 900
    rng = np.random.default_rng(6)
    x, y = rng.random((n, 2)), rng.random((n, 2)) + [0.5, 0.0]
    costs = np.linalg.norm(x[:, None] - y, axis=2)
    tails, heads = (index.astype(np.int32) for index in np.nonzero(np.ones((n, n), bool)))
    graph = compress_rows(n, tails, heads, costs.ravel())
    assignment, forest = started(n)
    restore_slackness(graph, assignment, np.inf)
    assert 5 < augment_all(graph, assignment, forest) < 300
    holds(assignment, tails, heads, costs, 1e-12)
    best = costs[linear_sum_assignment(costs)].sum()
    assert assignment.cost.sum() == pytest.approx(best, rel=1e-12)
    assert (forest.reach[:, 0] == np.inf).all() and (forest.place == -1).all()  # the scratch is as it was


def test_a_graph_takes_more_arcs_in_order_and_none_twice():
    rng = np.random.default_rng(7)
    n, m = 30, 25
    first, more = rng.random((n, m)) < 0.2, rng.random((n, m)) < 0.2
    costs = rng.random((n, m))
    graph = compress_rows(n, *(v.astype(np.int32) for v in np.nonzero(first)), costs[first])
    tails, heads = np.nonzero(more)
    shuffled = rng.permutation(len(tails))
    shuffled = shuffled[np.argsort(tails[shuffled], kind="stable")]  # by source, targets in any order
    tails, heads = tails[shuffled].astype(np.int32), heads[shuffled].astype(np.int32)
    joined = insert_arcs(graph, tails, heads, costs[tails, heads])
    rows = np.repeat(np.arange(n), np.diff(joined.start))
    assert (np.stack([rows, joined.ends]) == np.stack(np.nonzero(first | more))).all()
    assert (joined.costs == costs[rows, joined.ends]).all()


def test_the_check_of_the_conditions_can_fail():
    n = 20
    graph, tails, heads, costs = instance(5, n, 5, whole=False)
    assignment, forest = started(n)
    restore_slackness(graph, assignment, 0.0)
    while len(roots := free(assignment)):
        assert 1 <= augment(graph, assignment, forest, roots[:3], 0.0) <= min(3, len(roots))
    holds(assignment, tails, heads, costs, 1e-12)
    assignment.g[assignment.target[0]] += 1e-6
    with pytest.raises(AssertionError):
        holds(assignment, tails, heads, costs, 1e-12)
