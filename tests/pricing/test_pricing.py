"""Pricing against all pairs: the same minima to the last bit, by every engine, cost and shape."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otdiv import DiscreteMeasure, TransportProblem, emd
from otdiv.certificates.potential_repair import feasible_potentials
from otdiv.core.threads import run_in_parts
from otdiv.costs import Power, as_cost, minkowski
from otdiv.errors import InvalidInput
from otdiv.pricing.compiled_costs import metric_of, priceable
from otdiv.pricing.kd_tree import build_tree, depth_for, kd_order, ranges
from otdiv.pricing.pricing import Pricing, ordered

COSTS = ("euclidean", "sqeuclidean", "cityblock", "chebyshev", "minkowski:3")


def cost_table(cost, x, y):
    """Every computed cost, one pair after the other, in plain Python."""
    metric = metric_of(cost, x.shape[1])
    table = np.empty((len(x), len(y)))
    for i, u in enumerate(x):
        for j, v in enumerate(y):
            gaps = np.abs(u - v)
            if metric.kind <= 1:
                total = 0.0
                for gap in gaps:
                    total += gap * gap
                total = total if metric.kind == 0 else np.sqrt(total)
            elif metric.kind == 2:
                total = 0.0
                for gap in gaps:
                    total += gap
            else:
                total = gaps.max()
            table[i, j] = total
    return table


def clouds(kind, rng, n=90, m=70, d=3):
    x, y = rng.normal(size=(n, d)), rng.normal(size=(m, d)) + 0.5
    if kind == "lattice":
        x, y = rng.integers(0, 4, (n, d)).astype(float), rng.integers(0, 4, (m, d)).astype(float)
    elif kind == "line in space":
        x, y = x[:, :1] * np.array([1.0, -2.0, 0.5]), y[:, :1] * np.array([1.0, -2.0, 0.5])
    elif kind == "clusters":
        x, y = rng.integers(0, 3, (n, 1)) * 100.0 + 1e-3 * x, rng.integers(0, 3, (m, 1)) * 100.0 + 1e-3 * y
    elif kind == "offset":
        x, y = x + 1e8, y + 1e8
    elif kind == "tiny":
        x, y = 1e-8 * x, 1e-8 * y
    elif kind == "scales":
        x, y = x * np.array([1e-6, 1.0, 1e6]), y * np.array([1e-6, 1.0, 1e6])
    elif kind == "one point":
        x, y = x[:1], y
    elif kind == "duplicates":
        x, y = x[rng.integers(0, 5, n)], x[rng.integers(0, 5, m)]
    return np.ascontiguousarray(x), np.ascontiguousarray(y)


KINDS = ("gauss", "lattice", "line in space", "clusters", "offset", "tiny", "scales", "one point", "duplicates")


def pricing_of(x, y, cost):
    largest = TransportProblem(DiscreteMeasure(x), DiscreteMeasure(y), cost).largest_cost
    return Pricing(x, y, cost, largest)


def potentials_on(rng, x, y, cost):
    """Good ones (a c-transform), noisy ones, steep ones, and ones with a single peak."""
    table = cost.matrix(x, y)
    size = table.max()
    yield (table - rng.normal(size=(len(x), 1)) * size).min(axis=0)
    yield table.min(axis=0) + 1e-3 * size * rng.normal(size=len(y))
    yield 10 * size * rng.normal(size=len(y))
    yield np.where(np.arange(len(y)) == len(y) // 2, 100 * size, 0.0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", COSTS)
def test_minima_are_those_of_all_pairs(name, kind):
    rng = np.random.default_rng(KINDS.index(kind))
    x, y = clouds(kind, rng)
    x, y = x[ordered(x)], y[ordered(y)]
    cost = as_cost(name)
    pricing = pricing_of(x, y, cost)
    exact = not name.startswith("minkowski")
    table = cost_table(cost, x, y) if exact else cost.matrix(x, y)
    for g in potentials_on(rng, x, y, cost):
        values, where = pricing.minima(g, hints=rng.integers(0, len(y), len(x)))
        every = table - g
        if exact:
            assert np.array_equal(values, every.min(axis=1))
            assert np.array_equal(every[np.arange(len(x)), where], values)
        else:
            np.testing.assert_allclose(values, every.min(axis=1), rtol=0, atol=1e-13 * np.abs(every).max())


@pytest.mark.parametrize("kind", ["gauss", "lattice", "clusters", "offset", "duplicates"])
@pytest.mark.parametrize("name", ["euclidean", "sqeuclidean"])
@pytest.mark.parametrize("d", [3, 40])
def test_matrix_products_find_the_same(name, kind, d):
    rng = np.random.default_rng(d)
    x, y = clouds(kind, rng, d=d)
    cost = as_cost(name)
    by_tree, by_products = pricing_of(x, y, cost), pricing_of(x, y, cost)
    by_products.use_products()
    assert by_products.filter is not None
    for g in potentials_on(rng, x, y, cost):
        one, other = by_tree.minima(g), by_products.minima(g)
        assert np.array_equal(one[0], other[0])
        tops = np.median(cost.matrix(x, y) - g, axis=1)
        for k in (1, 5, 200):
            (first, low), (second, also_low) = by_tree.lowest(g, tops, k), by_products.lowest(g, tops, k)
            assert np.array_equal(low, also_low)
            value = [np.sort(arcs.costs - g[arcs.heads]) for arcs in (first, second)]
            assert np.array_equal(*value) and np.array_equal(first.tails, second.tails)


@pytest.mark.parametrize("name", ["euclidean", "sqeuclidean", "cityblock", "chebyshev"])
def test_lowest_arcs_are_the_lowest(name):
    rng = np.random.default_rng(3)
    x, y = clouds("gauss", rng)
    cost = as_cost(name)
    table, pricing = cost_table(cost, x, y), pricing_of(x, y, cost)
    for g in potentials_on(rng, x, y, cost):
        every = table - g
        tops = np.quantile(every, 0.1, axis=1)
        for k in (1, 3, 70):
            arcs, low = pricing.lowest(g, tops, k)
            assert np.array_equal(arcs.costs, table[arcs.tails, arcs.heads])
            assert np.array_equal(low, np.minimum(tops, every.min(axis=1)))
            for i in range(len(x)):
                found = every[i, arcs.heads[arcs.tails == i]]
                assert np.array_equal(found, np.sort(every[i][every[i] < tops[i]])[:k])


def test_powers_and_general_norms():
    rng = np.random.default_rng(4)
    x, y = clouds("gauss", rng)
    for cost in (Power(as_cost("euclidean"), 1.5), Power(as_cost("cityblock"), 3.0), minkowski(1.3)):
        values, _ = pricing_of(x, y, cost).minima(np.zeros(len(y)))
        np.testing.assert_allclose(values, cost.matrix(x, y).min(axis=1), rtol=1e-13)


@given(st.integers(0, 10**6), st.sampled_from(COSTS[:4]), st.integers(1, 5), st.sampled_from([0.0, 1e3, 1e12]))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_random_shapes_offsets_and_potentials(seed, name, d, offset):
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 60, 2)
    x, y = rng.normal(size=(n, d)) + offset, (rng.normal(size=(m, d)) * rng.choice([0.0, 1e-3, 1.0])) + offset
    cost = as_cost(name)
    g = rng.normal(size=m) * rng.choice([0.0, 1e-9, 1.0, 1e6])
    pricing = pricing_of(x, y, cost)
    expected = (cost_table(cost, x, y) - g).min(axis=1)
    assert np.array_equal(pricing.minima(g)[0], expected)
    if name in COSTS[:2]:
        pricing.use_products()
        assert np.array_equal(pricing.minima(g)[0], expected)


def test_large_clouds_in_parts_and_threads():
    """Enough queries for the threads; the blocks of scipy's distances differ in the last bit at most."""
    rng = np.random.default_rng(6)
    for d in (2, 30):
        x, y, g = rng.normal(size=(3000, d)), rng.normal(size=(2500, d)), rng.normal(size=2500) * 0.1
        cost = as_cost("euclidean")
        values, _ = pricing_of(x[ordered(x)], y[ordered(y)], cost).minima(g[ordered(y)])
        np.testing.assert_allclose(np.sort(values), np.sort((cost.matrix(x, y) - g).min(axis=1)), rtol=0, atol=1e-14)


def test_every_part_is_done_once():
    for n in (1, 511, 512, 5000, 100_000):
        for threads in (1, 2, 5):
            done = np.zeros(n, int)

            def count(first, end, done=done):
                done[first:end] += 1

            run_in_parts(count, n, threads)
            assert np.all(done == 1)


@pytest.mark.slow
@pytest.mark.parametrize("d", [2, 40])
def test_the_same_bits_whatever_the_number_of_threads(d):
    rng = np.random.default_rng(10)
    x, y = rng.integers(0, 9, (2600, d)) * 1.0, rng.integers(0, 9, (2500, d)) * 1.0  # with many ties
    answers = [emd(x, y, rtol=1e-9, threads=threads) for threads in (1, 2, 7)]
    assert answers[0].method == "multiscale"
    for other in answers[1:]:
        assert other.bounds == answers[0].bounds
        for name in ("f", "g"):
            assert np.array_equal(getattr(other, name), getattr(answers[0], name))
        assert np.array_equal(other.plan.columns, answers[0].plan.columns)


@pytest.mark.parametrize("threads", [0, -1, 1.5, True, "two"])
def test_a_number_of_threads_that_is_none(threads):
    with pytest.raises(InvalidInput, match="threads must be a positive integer"):
        emd([0.0], [1.0], threads=threads)


def test_order_and_ranges():
    rng = np.random.default_rng(7)
    points = rng.normal(size=(1000, 3))
    assert np.array_equal(np.sort(kd_order(points)), np.arange(1000))
    assert np.array_equal(np.sort(kd_order(np.zeros((77, 2)), leaf=1)), np.arange(77))
    for n in (1, 5, 1000):
        for depth in range(depth_for(n, 1) + 1):
            sizes = np.diff(ranges(n, depth))
            assert sizes.sum() == n and sizes.max() - sizes.min() <= 1
    tree = build_tree(points)
    for node in range(len(tree.start)):
        inside = points[tree.start[node] : tree.stop[node]]
        assert np.array_equal(tree.low[node], inside.min(axis=0))
        assert np.array_equal(tree.high[node], inside.max(axis=0))


def test_what_can_be_priced():
    assert priceable(as_cost("euclidean"), 2, 5.0) and priceable(as_cost("chebyshev"), 2, 0.0)
    assert not priceable(as_cost("discrete"), 2, 1.0)
    assert not priceable(as_cost(np.ones((2, 2))), 2, 1.0)
    assert not priceable(as_cost("euclidean"), 2, 1e200)
    with pytest.raises(InvalidInput, match="cost must be a norm of the difference"):
        Pricing(np.zeros((2, 2)), np.zeros((2, 2)), as_cost("discrete"), 1.0)


@pytest.mark.slow
@pytest.mark.parametrize("name, d", [*((name, 2) for name in COSTS), *((name, 25) for name in COSTS[:4])])
def test_the_auditor_gets_feasible_potentials_from_a_search(name, d):
    """Above the size whose matrix is kept, the audit searches; every pair is checked here."""
    rng = np.random.default_rng(8)
    x, y = rng.normal(size=(1700, d)), rng.normal(size=(1500, d))
    problem = TransportProblem(DiscreteMeasure(x), DiscreteMeasure(y), name)
    assert not problem.keeps_matrix
    table = problem.cost.matrix(x, y)
    for start in (None, rng.normal(size=1700)):
        f, g = feasible_potentials(problem, start, None)
        slack = table - f[:, None] - g
        assert slack.min() >= -4 * problem.cost.relative_error(d) * table.max()
        assert slack.min(axis=1).max() <= 1e-12 * table.max()  # nor lower than need be
    f, g = feasible_potentials(problem, None, table.min(axis=0) * 0.9)
    assert (table - f[:, None] - g).min() >= -4 * problem.cost.relative_error(d) * table.max()


@pytest.mark.parametrize("name", ["euclidean", "sqeuclidean", "cityblock"])
def test_one_search_is_enough_for_a_pair_that_is_feasible(name, monkeypatch):
    """It is taken as it is, f raised at most; a pair that is not, in one place, is repaired by all searches."""
    rng = np.random.default_rng(9)
    x, y = rng.normal(size=(1700, 2)), rng.normal(size=(1500, 2))
    problem = TransportProblem(DiscreteMeasure(x), DiscreteMeasure(y), name)
    table = problem.cost.matrix(x, y)
    g = table.min(axis=0) * rng.random(1500)
    f = (table - g).min(axis=1)
    searches, minima = [], Pricing.minima
    monkeypatch.setattr(Pricing, "minima", lambda *args: searches.append(args[0]) or minima(*args))
    for first in (f, f - 0.1):
        searches.clear()
        found_f, found_g = feasible_potentials(problem, first, g)
        assert len(searches) == 1 and np.array_equal(found_g, g) and found_g is not g
        np.testing.assert_allclose(found_f, f, rtol=1e-14, atol=1e-14)
        assert (table - found_f[:, None] - found_g).min() >= 0
    searches.clear()
    tampered = g.copy()
    tampered[700] += 1.0
    found_f, found_g = feasible_potentials(problem, f, tampered)
    assert len(searches) == 3 and found_g[700] < tampered[700]
    assert (table - found_f[:, None] - found_g).min() >= -4 * problem.cost.relative_error(2) * table.max()
    assert found_f.mean() + found_g.mean() >= f.mean() + g.mean() - 1e-12
