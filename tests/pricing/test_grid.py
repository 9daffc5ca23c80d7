"""Cells of a grid, and the c-transform along their axes: against all pairs, in exact fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from otdiv import DiscreteMeasure, TransportProblem
from otdiv.certificates.grid_potentials import find_grid_transform
from otdiv.costs import as_cost
from otdiv.pricing.grid_pricing import GridPricing
from otdiv.pricing.grid_transform import ChebyshevTransform, SeparableTransform, costs_are_exact
from otdiv.pricing.pricing import Pricing
from otdiv.pricing.regular_grid import find_cells

SHAPES = [(1, 9), (7, 1), (2, 2), (5, 8), (13, 4), (3, 4, 5), (1, 6, 2)]


def cells_of(rng, shape, spacing=1.0, offset=0.0, share=0.7):
    """Sources and targets in some of the cells of a grid, in any order."""
    places = np.indices(shape).reshape(len(shape), -1).T * spacing + offset
    return [places[rng.permutation(len(places))[: max(2, int(part * len(places)))]] for part in (share, 0.7)]


def share_of(cost):
    """A cell in every row, where steps must be equal."""
    return 1.0 if cost == "maximum norm" else 0.7


def squares(x, y):
    return ((x[:, None] - y) ** 2).sum(axis=2)


COSTS = {
    "squared": squares,
    "1-norm": lambda x, y: np.abs(x[:, None] - y).sum(axis=2),
    "maximum norm": lambda x, y: np.abs(x[:, None] - y).max(axis=2),
}


def transform_of(cells, cost):
    if cost == "maximum norm":
        return ChebyshevTransform(cells)
    return SeparableTransform(cells, 2 if cost == "squared" else 1)


@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("spacing", "offset"), [(1.0, 0.0), (0.25, 1e6), (3.0, -7.0)])
def test_minima_over_all_pairs(shape, spacing, offset, cost):
    rng = np.random.default_rng(sum(shape))
    x, y = cells_of(rng, shape, spacing, offset, share_of(cost))
    cells = find_cells(x, y)
    assert costs_are_exact(cells.axes)
    for k, axis in enumerate(cells.axes):
        assert np.array_equal(axis[np.unravel_index(cells.at_x, cells.shape)[k]], x[:, k])
    grid = transform_of(cells, cost)
    g = rng.normal(size=len(y)) * 3
    costs = COSTS[cost](x, y)
    f = grid.over_targets(g)
    size = costs.max() + np.abs(g).max()
    assert np.abs(f - (costs - g).min(axis=1)).max() <= 8 * 2.0**-52 * size
    assert np.abs(grid.over_sources(f) - (costs.T - f).min(axis=1)).max() <= 8 * 2.0**-52 * size
    assert np.array_equal(grid.turn_round().over_sources(g), f)
    rows, columns = np.arange(len(x) // 2), np.arange(1, len(y))
    part = grid.restrict(rows, columns).over_targets(g[1:])
    assert np.abs(part - (costs - g)[: len(rows), 1:].min(axis=1)).max() <= 8 * 2.0**-52 * size


@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("seed", range(10))
def test_feasible_in_real_arithmetic(seed, cost):
    rng = np.random.default_rng(seed)
    x, y = cells_of(rng, SHAPES[seed % len(SHAPES)], 0.5, share=share_of(cost))
    grid = transform_of(find_cells(x, y), cost)
    g = rng.normal(size=len(y)) * 10.0 ** rng.integers(-12, 12, len(y))
    f = grid.over_targets(g)
    costs = COSTS[cost](x, y)  # halves of whole numbers: exact

    def violated(f):
        return any(
            Fraction(f[i]) + Fraction(g[j]) > Fraction(costs[i, j]) for i in range(len(x)) for j in range(len(y))
        )

    assert not violated(f)
    assert violated(f + 1e-13 * (1 + np.abs(f))), "the check sees potentials a little too high"


@pytest.mark.parametrize("cost", ["sqeuclidean", "cityblock"])
@pytest.mark.parametrize("shape", [(19, 21), (7, 9, 6)])
@pytest.mark.parametrize("seed", range(2))
def test_rounded_costs(shape, seed, cost):
    """Steps of a tenth are rounded, and so are computed costs: the potentials stay below them, by a few last bits."""
    rng = np.random.default_rng(seed)
    x, y = cells_of(rng, shape, 0.1)
    problem = TransportProblem(DiscreteMeasure(x), DiscreteMeasure(y), cost)
    grid = find_grid_transform(problem)
    costs = problem.cost.matrix(problem.mu.points, problem.nu.points)
    exact_costs = np.array([[Fraction(c) for c in row] for row in costs])
    power = 2 if cost == "sqeuclidean" else 1
    seen = False
    for g in (rng.normal(size=len(y)), 1e-14 * rng.random(len(y)), -costs[0] + 1e-17 * rng.random(len(y))):
        least = (exact_costs - np.array([Fraction(value) for value in g])).min(axis=1)
        f = grid.over_targets(g)
        assert all(Fraction(low) <= true for low, true in zip(f, least, strict=True))
        assert np.abs(f - least.astype(float)).max() < 16 * 2.0**-53 * costs.max()
        higher = SeparableTransform(grid.cells, power)
        higher.steps = tuple(step * (1 + 2.0**-50) for step in higher.steps)
        seen |= any(Fraction(low) > true for low, true in zip(higher.over_targets(g), least, strict=True))
    assert seen, "the check sees terms a few last bits too high"


def test_grids_without_a_transform():
    """Other norms, and steps that differ or are rounded in the maximum norm: left to the search."""

    def found(axes, cost):
        points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
        return find_grid_transform(TransportProblem(DiscreteMeasure(points), DiscreteMeasure(points), cost)) is not None

    even, tenths = np.arange(20.0), np.arange(20.0) / 10
    assert [found((even, even), cost) for cost in ("sqeuclidean", "cityblock", "chebyshev", "euclidean")] == [
        1,
        1,
        1,
        0,
    ]
    for axes in ((even, 2 * even), (even, tenths), (tenths, tenths), (even, np.append(tenths, 1e6))):
        assert [found(axes, cost) for cost in ("sqeuclidean", "cityblock", "chebyshev")] == [1, 1, 0]
    assert not found((1e80 * even, even), "sqeuclidean")


def test_points_that_are_no_grid():
    rng = np.random.default_rng(0)
    x = np.indices((9, 9)).reshape(2, -1).T * 1.0
    assert find_cells(rng.normal(size=(90, 2)), x) is None, "mostly empty"
    assert find_cells(np.concatenate([x, x[:1]]), x) is None, "two sources in a cell"
    assert find_cells(x, x[:5]).shape == (9, 9)


@pytest.mark.parametrize(
    ("axes", "exact"),
    [
        ((np.arange(5.0), np.arange(3.0)), True),
        ((np.arange(5.0) * 0.1, np.arange(3.0)), False),
        ((np.arange(5.0) * 0.125 + 2.0**20, np.array([0.0])), True),
        ((np.array([0.0, 1.0, 1e9]), np.arange(3.0)), False),
        ((np.array([0.0, 2.0**-1000]), np.array([1e300])), False),
        ((np.array([0.0, 2.0**-390]), np.array([1e300])), True),
        ((np.array([0.0, 1e300]), np.arange(2.0)), False),
    ],
)
def test_where_costs_are_exact(axes, exact):
    assert costs_are_exact(axes) is exact


@pytest.mark.parametrize("shape", [(9, 14), (5, 6, 4), (1, 40)])
def test_the_same_arcs_as_by_search(shape):
    rng = np.random.default_rng(1)
    x, y = cells_of(rng, shape)
    cost = as_cost("sqeuclidean")
    largest = float(squares(x, y).max())
    found = GridPricing(x, y, cost, largest, grid=SeparableTransform(find_cells(x, y)))
    searched = Pricing(x, y, cost, largest)
    g = rng.normal(size=len(y))
    values, where = found.minima(g)
    assert values == pytest.approx(searched.minima(g)[0], rel=1e-13, abs=1e-13)
    assert squares(x, y)[np.arange(len(x)), where] - g[where] == pytest.approx(values, rel=1e-13, abs=1e-13)
    tops = values + rng.uniform(-0.5, 2.0, len(x))
    for k in (1, 5):
        (arcs, least), (others, low) = (pricing.lowest(g, tops, k) for pricing in (found, searched))
        assert [list(column) for column in arcs] == [list(column) for column in others]
        assert least == pytest.approx(low, rel=1e-13, abs=1e-13)
    known = np.full(len(x), -np.inf)
    arcs = found.violating(tops, g, known, 1e-9, 3)
    others = searched.violating(tops, g, np.full(len(x), -np.inf), 1e-9, 3)
    assert [list(column) for column in arcs] == [list(column) for column in others]
    assert known == pytest.approx(values, rel=1e-13, abs=1e-13)
    near, least = found.lowest(g, np.full(len(x), np.inf), 8)
    assert least == pytest.approx(values, rel=1e-13, abs=1e-13)
    best = np.full(len(x), np.inf)
    np.minimum.at(best, near.tails, near.costs - g[near.heads])
    assert best == pytest.approx(values, rel=1e-13, abs=1e-13), "the minimum itself is among the candidates"
    assert near.costs == pytest.approx(squares(x, y)[near.tails, near.heads])
