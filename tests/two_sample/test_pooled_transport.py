"""Optimal costs of many divisions of one pool, against SciPy's assignment, linear programs and otdiv.emd."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

import otdiv
from otdiv.costs import Euclidean
from otdiv.errors import TooLarge
from otdiv.network_flow.alternating_forest import allocate_forest
from otdiv.two_sample.pooled.capped_assignment import capped_assignment_costs
from otdiv.two_sample.pooled.geometry import is_connected, pooled_geometry
from otdiv.two_sample.pooled.hub_transport import hub_transport_costs
from otdiv.two_sample.pooled.solve import division_costs
from otdiv.two_sample.pooled.sparse_assignment import sparse_assignment_costs

RNG = np.random.default_rng(7)
POOLS = {
    "plane": RNG.normal(size=(80, 2)),
    "line": RNG.normal(size=(60, 1)),
    "ten dimensions": RNG.normal(size=(60, 10)),
    "heavy tails": RNG.standard_t(1, size=(60, 2)),
    "whole numbers": RNG.integers(0, 4, size=(80, 2)).astype(float),
    "one point": np.ones((12, 2)),
    "two far groups": np.concatenate([RNG.normal(size=(30, 2)), RNG.normal(size=(30, 2)) + 1e6]),
    "four points": RNG.normal(size=(4, 3)),
}
CAPS = (np.inf, 2.0, 0.7, 0.1, 1e-3)


def divisions(size, n, count=5):
    rng = np.random.default_rng(size + n)
    return np.array([rng.permutation(size) < n for _ in range(count)])


def reference(distance, labels, cap):
    """By SciPy's assignment; unequal sizes with every point as often as the other group has points."""
    values = []
    for row in labels:
        cost = np.minimum(distance[row][:, ~row], cap)
        n, m = cost.shape
        if n != m:
            cost = np.repeat(np.repeat(cost, m, axis=0), n, axis=1)
        values.append(cost[linear_sum_assignment(cost)].mean())
    return np.array(values)


def solved_by(kernel, geometry, labels, cap):
    values, gaps = np.empty(len(labels)), np.empty(len(labels))
    if kernel is sparse_assignment_costs:
        kernel(geometry, labels, allocate_forest(labels.shape[1] // 2), values, gaps)
    else:
        kernel(geometry, labels, cap, values, gaps)
    return values, gaps


@pytest.mark.parametrize("name", POOLS)
@pytest.mark.parametrize("kernel", [capped_assignment_costs, sparse_assignment_costs, hub_transport_costs])
def test_equal_halves(name, kernel):
    points = POOLS[name]
    geometry = pooled_geometry(points, Euclidean())
    labels = divisions(len(points), len(points) // 2)
    scale = geometry.distance.max()
    for cap in CAPS if kernel is not sparse_assignment_costs else CAPS[:1]:
        values, gaps = solved_by(kernel, geometry, labels, cap)
        np.testing.assert_allclose(values, reference(geometry.distance, labels, cap), rtol=0, atol=1e-13 * scale)
        assert np.abs(gaps).max() <= 1e-12 * scale


@pytest.mark.parametrize(("n", "size"), [(3, 10), (4, 10), (1, 9), (8, 9), (6, 21)])
def test_unequal_groups(n, size):
    for points in (np.random.default_rng(n).normal(size=(size, 2)), np.arange(size)[:, None] % 3.0):
        geometry = pooled_geometry(points, Euclidean())
        labels = divisions(size, n)
        for cap in CAPS:
            values, gap = division_costs(geometry, labels, cap, 1)
            np.testing.assert_allclose(values, reference(geometry.distance, labels, cap), rtol=0, atol=1e-13)
            assert gap <= 1e-13


@pytest.mark.parametrize(("n", "m"), [(60, 60), (60, 45), (41, 40)])
def test_emd_finds_the_same(n, m):
    points = np.random.default_rng(n + m).normal(size=(n + m, 2))
    geometry = pooled_geometry(points, Euclidean())
    labels = divisions(n + m, n, 3)
    values, _ = division_costs(geometry, labels, np.inf, 1)
    for row, value in zip(labels, values, strict=True):
        result = otdiv.emd(points[row], points[~row])
        assert result.lower - 1e-12 <= value <= result.upper + 1e-12
    values, _ = division_costs(geometry, labels, 0.5, 1)
    for row, value in zip(labels, values, strict=True):
        result = otdiv.emd(cost=np.minimum(geometry.distance[row][:, ~row], 0.5))
        assert result.lower - 1e-12 <= value <= result.upper + 1e-12


def test_threads_change_nothing():
    points = np.random.default_rng(3).normal(size=(60, 2))
    geometry, labels = pooled_geometry(points, Euclidean()), divisions(60, 30, 40)
    for cap in (np.inf, 0.5):
        one, two = (division_costs(geometry, labels, cap, threads)[0] for threads in (1, 2))
        np.testing.assert_array_equal(one, two)


def test_the_gap_shows_a_wrong_neighbour_list():
    """Neighbours in the wrong order break the searches; the check reads distances alone and notices."""
    points = np.random.default_rng(5).normal(size=(60, 2))
    geometry = pooled_geometry(points, Euclidean())
    wrong = geometry._replace(sorted_distance=geometry.sorted_distance * 0.5)
    labels = divisions(60, 30)
    values, gaps = solved_by(capped_assignment_costs, wrong, labels, 0.8)
    assert gaps.max() > 1e-3
    assert np.all(np.abs(values - reference(geometry.distance, labels, 0.8)) <= gaps + 1e-12)  # no further off


def test_far_arcs_are_found_by_pricing():
    """Two groups of points far from one another, each of one label, of both, or one of both: arcs must cross."""
    rng = np.random.default_rng(8)
    points = np.concatenate([rng.normal(size=(60, 2)), rng.normal(size=(60, 2)) + 40])
    geometry = pooled_geometry(points, Euclidean())
    for row in (np.arange(120) < 60, np.arange(120) % 60 < 30, np.arange(120) < 100):
        values, gap = division_costs(geometry, row[None], np.inf, 1)
        expected = otdiv.emd(points[row], points[~row]).value
        assert values[0] == pytest.approx(expected, rel=1e-12) and gap < 1e-11


def test_a_pool_that_does_not_fit_is_refused():
    with pytest.raises(TooLarge, match="The distances of all pairs of 100 points needs about"):
        pooled_geometry(np.zeros((100, 2)), Euclidean(), memory_limit=1e5)


@pytest.mark.parametrize(("groups", "distance"), [(1, 0.0), (2, 30.0), (5, 30.0), (5, 1e6)])
def test_pools_of_separate_groups(groups, distance):
    """Their mass must cross between groups; the other kernel comes to the same values."""
    rng = np.random.default_rng(groups)
    centres = distance * np.arange(groups)
    pool = rng.normal(size=(220, 2)) + centres[rng.integers(groups, size=220), None]
    geometry, labels = pooled_geometry(pool, Euclidean()), divisions(220, 110)
    assert is_connected(geometry, 16) == (groups == 1)
    values, gap = division_costs(geometry, labels, np.inf, 1)
    scale = geometry.distance.mean()
    assert values == pytest.approx(reference(geometry.distance, labels, np.inf), abs=1e-12 * scale)
    assert gap <= 1e-12 * scale
    kernel = hub_transport_costs if groups == 1 else sparse_assignment_costs
    other, _ = solved_by(kernel, geometry, labels, np.inf)
    assert values == pytest.approx(other, abs=1e-12 * scale)
