"""Small dense problems: solution and interval against SciPy, and exact rational arithmetic; tampering is seen."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from otdiv.network_flow.small import bounds, rows
from otdiv.network_flow.small.solve import solve_small
from otdiv.network_flow.small.workspace import allocate_workspace
from tests.helpers.exact_reference import exact_emd

KINDS = ("random", "whole", "ties", "wide", "zeros", "signed", "far")


def table(rng, n, m, kind):
    costs = rng.random((n, m))
    if kind == "whole":
        return rng.integers(0, 5, (n, m)).astype(float)
    if kind == "ties":
        return np.ones((n, m))
    if kind == "wide":
        return 10.0 ** rng.uniform(-8, 8, (n, m))
    if kind == "zeros":
        return costs * (rng.random((n, m)) < 0.5)
    if kind == "signed":
        return costs - 0.5
    return 1e9 + costs if kind == "far" else costs


def masses(rng, n, kind):
    if kind == 0:
        return np.full(n, 1 / n)
    a = rng.random(n) if kind == 1 else rng.integers(0, 4, n).astype(float)
    if a.sum() == 0:
        a[0] = 1.0
    return a / a.sum()


def solved(costs, a, b):
    work = allocate_workspace(*costs.shape, 0, np.zeros(1, np.int64))
    lower, value, upper, _, count = solve_small(np.ascontiguousarray(costs), a, b, 0.0, 0.0, 0.0, work)
    return lower, value, upper, count, work


def exact_dual(a, b, f, g):
    """sum a f + (sum a / sum b) sum b g in fractions."""
    a, b, f, g = ([Fraction(float(v)) for v in one] for one in (a, b, f, g))
    ratio = sum(a) / sum(b)
    return sum(p * q for p, q in zip(a, f, strict=True)) + ratio * sum(p * q for p, q in zip(b, g, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_the_interval_holds_the_exact_value(kind):
    rng = np.random.default_rng(KINDS.index(kind))
    for k in range(24):
        n, m = rng.integers(1, 8, 2)
        if k % 3 == 0:
            m = n
        costs, a, b = table(rng, n, m, kind), masses(rng, n, k % 3), masses(rng, m, k % 3)
        lower, value, upper, count, work = solved(costs, a, b)
        truth = exact_emd(a, b, costs)
        assert Fraction(lower) <= truth <= Fraction(upper)
        assert lower <= value <= upper and count > 0
        assert upper - lower <= 1e-12 * np.abs(costs).max()
        f, g = work.f[:n], work.g[:m]
        for i in range(n):
            for j in range(m):  # feasible in real arithmetic, so that the lower bound is one
                assert Fraction(f[i]) + Fraction(g[j]) <= Fraction(costs[i, j])
        assert Fraction(lower) <= max(exact_dual(a, b, f, g), 0 if costs.min() >= 0 else -np.inf)
        plan = np.zeros((n, m))
        np.add.at(plan, (work.rows[:count], work.columns[:count]), work.mass[:count])
        np.testing.assert_allclose(plan.sum(axis=1), a, atol=1e-14)
        np.testing.assert_allclose(plan.sum(axis=0), b, atol=1e-14)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [1, 2, 7, 8, 9, 33, 64])
def test_equal_masses_agree_with_the_assignment_of_scipy(kind, n):
    rng = np.random.default_rng(n)
    costs = table(rng, n, n, kind)
    lower, value, upper, count, _ = solved(costs, np.ones(n), np.ones(n))
    known = costs[linear_sum_assignment(costs)].sum()
    room = 1e-14 * n * np.abs(costs).max()
    assert abs(value - known) <= room and lower - room <= known <= upper + room and count == n


def test_masses_that_differ_by_rounding_are_scaled():
    rng = np.random.default_rng(3)
    for _ in range(20):
        costs, a, b = rng.random((4, 5)), rng.random(4), rng.random(5)
        b *= a.sum() / b.sum() * (1 + 9e-10)
        lower, _, upper, _, _ = solved(costs, a, b)
        assert Fraction(lower) <= exact_emd(a, b, costs) <= Fraction(upper)


@pytest.mark.parametrize("scale", [1e-110, 1e-30, 1e30, 1e110])
def test_any_scale_within_the_range(scale):
    rng = np.random.default_rng(4)
    costs = rng.random((5, 6))
    a, b = masses(rng, 5, 1), masses(rng, 6, 1)
    for table_scale, mass_scale in ((scale, 1.0), (1.0, scale)):
        lower, _, upper, count, _ = solved(costs * table_scale, a * mass_scale, b * mass_scale)
        assert count > 0
        assert Fraction(lower) <= exact_emd(a * mass_scale, b * mass_scale, costs * table_scale) <= Fraction(upper)
        assert upper - lower <= 1e-12 * table_scale * mass_scale


@pytest.mark.parametrize("costs", [[[1e130, 1.0]], [[1e-130, 0.0]], [[np.inf, 1.0]]])
def test_outside_the_range_nothing_is_claimed(costs):
    lower, _, upper, count, _ = solved(np.array(costs), np.ones(1), np.full(2, 0.5))
    assert (lower, upper, count) == (-np.inf, np.inf, -1)


def proof(costs, a, f, g, mass, price, error=0.0):
    return bounds.prove(a, a, np.asarray(f), np.asarray(g), mass, price, error, 0.0, 0.0, 0.0, costs.min(), costs.max())


def test_a_worse_plan_or_potential_makes_the_interval_wide():
    rng = np.random.default_rng(5)
    n = 6
    costs, a = rng.random((n, n)), np.full(n, 1 / n)
    lower, value, upper, count, work = solved(costs, a, a)
    rolled = np.roll(work.target[:n], 1)
    price = costs[np.arange(n), rolled]
    mass = work.mass[:count].copy()
    worse = proof(costs, a, work.f[:n], work.g[:n], mass, price)
    assert worse[2] - worse[0] > 1e-3 and worse[2] >= upper
    g = work.g[:n] - rng.random(n)
    f = np.empty(n)
    bounds.feasible_f(costs, g, f, np.empty(n))
    assert proof(costs, a, f, g, mass, work.price[:count])[0] < lower - 1e-3
    missing = proof(costs, a, work.f[:n], work.g[:n], mass[1:], work.price[1:count], error=2 / n)
    assert missing[2] >= value


def test_potentials_of_any_g_are_feasible():
    rng = np.random.default_rng(6)
    costs, g = 10.0 ** rng.uniform(-3, 3, (5, 7)), rng.normal(size=7) * 10.0 ** rng.uniform(-3, 3, 7)
    f = np.empty(5)
    bounds.feasible_f(costs, g, f, np.empty(7))
    slack = [[Fraction(costs[i, j]) - Fraction(f[i]) - Fraction(g[j]) for j in range(7)] for i in range(5)]
    assert all(min(row) >= 0 for row in slack)
    assert any(min(row) < Fraction(1e-12) for row in slack)  # and no lower than needed
    f[2] += 1e-3
    assert min(Fraction(costs[2, j]) - Fraction(f[2]) - Fraction(g[j]) for j in range(7)) < 0  # which would be seen


def test_sums_of_products_hold_the_exact_sum():
    rng = np.random.default_rng(7)
    for k in range(60):
        x, y = (rng.normal(size=k) * 10.0 ** rng.uniform(-20, 20, k) for _ in range(2))
        x, y = np.append(x, -x) if k % 2 else x, np.append(y, y) if k % 2 else y  # half of them cancel
        low, high = bounds.bounds_of_sum(bounds.add_products(x, y, (0.0, 0.0, 0.0, 0)))
        truth = sum((Fraction(p) * Fraction(q) for p, q in zip(x, y, strict=True)), Fraction(0))
        assert Fraction(low) <= truth <= Fraction(high)
        assert high - low <= 1e-15 * abs(float(truth)) + 1e-26 * float(np.abs(x) @ np.abs(y)) + 1e-290
    assert bounds.bounds_of_sum(bounds.add_products(np.zeros(2), np.ones(2), (0.0, 0.0, 0.0, 0))) == (0.0, 0.0)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 9, 50])
def test_minima_over_rows(n):
    rng = np.random.default_rng(n)
    for _ in range(20):
        row, masked, distance = rng.random((3, n))
        masked[rng.random(n) < 0.3] = -np.inf
        distance[rng.random(n) < 0.3] = np.inf
        through, before, source = row - masked - 0.25, distance.copy(), np.zeros(n, np.int64)
        rows.relax_row(row, 7, masked, 0.25, distance, source)
        assert (distance == np.minimum(through, before)).all() and rows.least_of(distance) == distance.min()
        assert ((source == 7) == (through < before)).all()
        assert rows.least_of(row) == row.min() and rows.extent_of(row) == (row.min(), row.max())
        costs, f, g, at = rng.random((n, n)), np.empty(n), np.empty(n), np.empty(n, np.int64)
        rows.mean_costs(costs, g)
        np.testing.assert_allclose(g, costs.mean(axis=0), atol=1e-15)
        rows.make_feasible(costs, f, g, np.empty(n), at)
        np.testing.assert_allclose(f, (costs - costs.mean(axis=0)).min(axis=1), atol=1e-15)
        assert (g == (costs - f[:, None]).min(axis=0)).all() and (at == (costs - f[:, None]).argmin(axis=0)).all()
