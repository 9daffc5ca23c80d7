"""Lower bounds of tree nodes: below every pair's cost less g, and close enough that few nodes are opened."""

from __future__ import annotations

import numpy as np
import pytest

from otdiv.costs import as_cost
from otdiv.pricing.compiled_costs import metric_of
from otdiv.pricing.compiled_distances import count_below
from otdiv.pricing.kd_tree import build_tree, kd_order
from otdiv.pricing.node_bounds import GROUP, node_bounds, node_rows
from otdiv.pricing.pricing import Pricing, ordered

LEAST = 1e-13
"""Share of the largest cost by which a true bound and a computed minimum may differ."""


def clouds(kind, d):
    rng = np.random.default_rng(d)
    x, y = rng.normal(size=(GROUP, d)), rng.normal(size=(600, d))
    if kind == "far away":
        x, y = x + 1e7, y + 1e7
    elif kind == "flat":
        x, y = x * np.array([1.0, 1e-6, *np.ones(d)][:d]), y * np.array([1.0, 1e-6, *np.ones(d)][:d])
    elif kind == "few places":
        x, y = np.round(x), np.round(y)
    elif kind == "among the queries":
        y[: len(x)] = x
    elif kind == "minute":
        x, y = 1e-110 * x, 1e-110 * y
    return x, y[kd_order(y)]


def potentials(cost, x, y):
    """Zero, the projection on a direction, a c-transform, noise."""
    rng = np.random.default_rng(1)
    direction = np.full(y.shape[1], y.shape[1] ** -0.5)
    table = cost.matrix(x, y)
    yield np.zeros(len(y))
    yield y @ direction
    yield (table - rng.normal(size=(len(x), 1)) * table.max()).min(axis=0)
    yield table.max() * rng.normal(size=len(y))


def bounds_of(metric, x, y, g, largest):
    """The bound of every node for every query, and the least cost - g in it."""
    tree = build_tree(y)
    rows, affine = node_rows(metric, tree, g, largest)
    assert affine
    queries, scratch = np.ascontiguousarray(x.T), np.empty((x.shape[1] + 1, GROUP))
    bounds, least = np.empty((len(rows), len(x))), np.empty((len(rows), len(x)))
    gaps = x[:, None] - y
    squares = (gaps**2).sum(axis=2)
    table = (np.sqrt(squares) if metric.kind else squares) - g
    for node in range(len(rows)):
        node_bounds(metric, queries, rows[node], affine, bounds[node], scratch)
        least[node] = table[:, tree.start[node] : tree.stop[node]].min(axis=1)
    return bounds, least


KINDS = ("normal", "far away", "flat", "few places", "among the queries")


@pytest.mark.parametrize(
    "name, kind", [*((name, kind) for name in ("euclidean", "sqeuclidean") for kind in KINDS), ("euclidean", "minute")]
)
@pytest.mark.parametrize("d", [2, 3, 5, 9])
def test_bounds_are_below_every_pair(name, kind, d):
    cost = as_cost(name)
    x, y = clouds(kind, d)
    largest = float(cost.matrix(x, y).max()) * (1 + 1e-12)
    for g in potentials(cost, x, y):
        bounds, least = bounds_of(metric_of(cost, d), x, y, g, largest)
        assert (bounds <= least).all()
        spread = np.abs(least).max() + largest
        assert not (bounds + 0.5 * spread <= least).all()  # the check can fail


@pytest.mark.parametrize("d", [2, 3])
def test_nodes_beside_a_ray_are_left_out(d):
    """g is the projection on a direction: only what the ray from the query meets can have the least cost - g."""
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(GROUP, d)) - 1.0, rng.normal(size=(4000, d))
    y = y[kd_order(y)]
    direction = np.full(d, d**-0.5)
    cost = as_cost("euclidean")
    bounds, _ = bounds_of(metric_of(cost, d), x, y, y @ direction, float(cost.matrix(x, y).max()) * 1.1)
    tree = build_tree(y)
    centre, half = (tree.high + tree.low) / 2, (tree.high - tree.low) / 2
    gaps = centre[:, None] - x
    across = gaps - (gaps @ direction)[:, :, None] * direction
    beside = np.linalg.norm(across, axis=2) > 1.5 * np.linalg.norm(half, axis=1)[:, None]
    opened = bounds < -(x @ direction) - 1e-9
    assert beside.sum() > 1000 and not (opened & beside).any()


@pytest.mark.parametrize("scale", [1.0, 1e-100, 1e100])
def test_no_point_below_is_missed(scale):
    rng = np.random.default_rng(3)
    for d in (2, 3):
        metric = metric_of(as_cost("euclidean"), d)
        columns, queries = scale * rng.normal(size=(d, 40)), scale * rng.normal(size=(d, GROUP))
        columns[:, :5] = queries[:, :5]
        g = scale * rng.normal(size=40) * rng.choice([0.0, 1.0], 40)
        table = np.sqrt(((queries.T[:, None] - columns.T) ** 2).sum(axis=2)) - g
        for best in (np.median(table, axis=1), np.sort(table, axis=1)[:, 7], table.min(axis=1), np.zeros(GROUP)):
            for up in (False, True):
                top = np.nextafter(best, np.inf) if up else best
                counts = np.empty(GROUP, np.int64)
                count_below(metric, queries, columns, 0, 40, g, np.full(GROUP, -np.inf), top, counts)
                below = (table < top[:, None]).sum(axis=1)
                assert (counts >= below).all() and (counts <= (table < top[:, None] + 1e-12 * scale).sum(axis=1)).all()


@pytest.mark.parametrize("kind", ["normal", "few places", "flat", "far away"])
@pytest.mark.parametrize("name", ["euclidean", "sqeuclidean", "cityblock", "chebyshev"])
def test_the_lowest_in_the_plane(name, kind):
    """Each group begins below the list of the query before; that changes no value, with ties and g = -inf too."""
    rng = np.random.default_rng(4)
    _, y = clouds(kind, 2)
    x = y[rng.integers(0, len(y), 300)] + 1e-3 * rng.normal(size=(300, 2)) * (kind != "few places")
    x = x[ordered(x)]
    cost = as_cost(name)
    table = np.array([[cost.matrix(p[None], q[None])[0, 0] for q in y] for p in x])
    pricing = Pricing(x, y, cost, float(table.max()) * 1.1)
    g = rng.normal(size=len(y)) * 1e-2
    without = np.where(rng.random(len(y)) < 0.99, -np.inf, g)  # few have mass
    for potential in (np.zeros(len(y)), g, without):
        every = table - potential
        for k in (1, 8, 24):
            arcs, low = pricing.lowest(potential, np.full(len(x), np.inf), k)
            np.testing.assert_allclose(low, every.min(axis=1), rtol=0, atol=LEAST * table.max())
            for i in range(len(x)):
                found = arcs.costs[arcs.tails == i] - potential[arcs.heads[arcs.tails == i]]
                wanted = np.sort(every[i][every[i] < np.inf])[:k]
                np.testing.assert_allclose(found, wanted, rtol=0, atol=LEAST * table.max())
