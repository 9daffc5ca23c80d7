"""Points on a grid: recognised where they are, solved by a flow along its edges, the same as by other methods."""

from __future__ import annotations

import numpy as np
import pytest

from otdiv import DiscreteMeasure, Status, TransportProblem, emd, emd_images, select_method
from otdiv.core.budget import Budget
from otdiv.core.options import Tuning
from otdiv.errors import InvalidInput, TooLarge
from otdiv.network_flow.flow_decomposition import decompose_flow
from otdiv.network_flow.integer_masses import MASS_UNITS
from otdiv.transport.methods.grid.detect import detect_grid
from otdiv.transport.methods.grid.edges import by_tiles, coarsen, interpolate, list_edges
from otdiv.transport.methods.grid.solve import GridState, solve_tree
from tests.helpers.exact_reference import exact_cost, exact_emd

COSTS = ("cityblock", "chebyshev")


def image(rng, shape, kind):
    if kind == "noise":
        return rng.random(shape)
    if kind == "sparse":
        picture = rng.random(shape) * (rng.random(shape) < 0.2)
    elif kind == "whole":
        picture = rng.integers(0, 4, shape) * 1.0
    else:
        places = np.indices(shape) - np.reshape([rng.uniform(0, s) for s in shape], (-1, *[1] * len(shape)))
        picture = np.exp(-(places**2).sum(axis=0) / (2 * (0.2 * max(shape)) ** 2))
    picture.flat[rng.integers(picture.size)] += 1.0
    return picture


@pytest.mark.parametrize("kind", ["noise", "sparse", "whole", "blob"])
@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("shape", [(1, 9), (2, 2), (5, 7), (17, 12), (33, 20), (6, 5, 4), (9, 1, 8)])
def test_the_same_as_the_dense_simplex(shape, cost, kind):
    rng = np.random.default_rng(sum(shape))
    first, second = image(rng, shape, kind), image(rng, shape, kind)
    found = emd_images(first, second, cost=cost, normalize=True, method="grid")
    dense = emd_images(first, second, cost=cost, normalize=True, method="pot")
    assert found.status is Status.OPTIMAL and found.method == "grid"
    assert found.lower <= dense.upper and dense.lower <= found.upper
    assert found.value == pytest.approx(dense.value, rel=1e-9, abs=1e-12)
    assert found.certificate.marginal_error < 1e-13, "the paths of the flow make a plan without repair"


@pytest.mark.parametrize("seed", range(12))
def test_against_exact_integers(seed):
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 4, 2))
    first, second = (image(rng, shape, ("whole", "noise")[seed % 2]) for _ in range(2))
    cost = COSTS[seed // 2 % 2]
    problem = emd_images(first, second, cost=cost, normalize=True, method="grid")
    x, a, b = problem.problem.mu.points, problem.problem.mu.weights, problem.problem.nu.weights
    assert problem.lower <= exact_emd(a, b, exact_cost(x, x, cost)) <= problem.upper


def test_spacings_holes_and_two_supports():
    """The 1-norm allows any spacings and missing cells; the measures may lie on different parts of the grid."""
    rng = np.random.default_rng(1)
    axes = np.cumsum(rng.random(20)), np.cumsum(rng.random(15))
    cells = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    x, y = cells[rng.permutation(300)[:120]], cells[rng.permutation(300)[:90]]
    a, b = rng.random(120), rng.random(90) * (rng.random(90) < 0.7)
    a, b = a / a.sum(), b / b.sum()
    found, dense = emd(x, y, a, b, cost="cityblock", method="grid"), emd(x, y, a, b, cost="cityblock", method="pot")
    assert found.status is Status.OPTIMAL and found.value == pytest.approx(dense.value, rel=1e-10)
    with pytest.raises(InvalidInput, match="'grid' with cost 'chebyshev'"):
        emd(x, y, a, b, cost="chebyshev", method="grid")
    stretched = emd_images(np.eye(4), np.eye(4)[::-1], cost="cityblock", spacing=(1.0, 0.5), normalize=True)
    assert stretched.value == pytest.approx(emd_images(np.eye(4), np.eye(4)[::-1], normalize=True).value / 2)


def test_what_is_recognised():
    rng = np.random.default_rng(2)
    places = np.indices((20, 20)).reshape(2, -1).T * 1.0

    def reason(x, y, cost):
        return select_method(TransportProblem(DiscreteMeasure(x), DiscreteMeasure(y), cost))

    for cost in COSTS:
        for points in (places, 0.1 * places + 5.0, rng.permutation(places), places[places[:, 0] > 3]):
            choice = reason(points, places[:300] if points is places else points, cost)
            assert choice.method == "grid" and "lie on a grid" in choice.reason
    assert emd_images(rng.random((20, 20)), rng.random((20, 20)), cost="cityblock", normalize=True).method == "grid"
    for x in (
        rng.normal(size=(400, 2)),
        np.concatenate([places, places[:1]]),
        np.concatenate([places[1:], [[0.5, 0.25]]]) * [1.0, 3.0],
        places @ [[3.0, 4.0], [-4.0, 3.0]],
    ):
        assert reason(x, x, "chebyshev").method != "grid"
    assert reason(places, places, "euclidean").method != "grid"
    plane = TransportProblem(DiscreteMeasure(places), DiscreteMeasure(places), "cityblock")
    assert detect_grid(plane).shape == (20, 20) and not detect_grid(plane).diagonals
    assert detect_grid(plane) is detect_grid(plane), "detected once"


def test_the_tree_is_optimal_and_its_paths_add_up():
    rng = np.random.default_rng(3)
    axes = tuple(np.cumsum(rng.random(k)) for k in (9, 7))
    excess = rng.integers(-1000, 1000, 63) * 2**40
    excess[0] -= excess.sum()
    tree = solve_tree(GridState(1.0, Budget("grid"), Tuning()), axes, excess, False)
    tails, heads, lengths = list_edges(axes, diagonals=False)
    assert np.all(np.abs(tree.potential[tails] - tree.potential[heads]) <= lengths * (1 + 1e-12))
    origins, ends, masses = decompose_flow(excess, tree)
    assert masses.min() > 0 and len(masses) <= 3 * 63
    moved = np.zeros(63, np.int64)
    np.add.at(moved, origins, masses)
    np.subtract.at(moved, ends, masses)
    assert np.array_equal(moved, excess), "to the last unit"
    places = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    assert np.abs(places[origins] - places[ends]).sum(axis=1) @ (masses / MASS_UNITS) == pytest.approx(
        tree.flow / MASS_UNITS @ np.abs(tree.cost)
    )
    broken = tree._replace(flow=np.zeros_like(tree.flow))
    assert len(decompose_flow(np.zeros(63, np.int64), broken)[0]) == 0


def test_coarser_and_finer():
    axes = np.arange(5.0), np.array([0.0, 1.0, 4.0])
    blocks, sums = coarsen(axes, np.arange(15))
    assert [block.tolist() for block in blocks] == [[0.5, 2.5, 4.0], [0.5, 4.0]]
    assert sums.tolist() == [0 + 1 + 3 + 4, 2 + 5, 6 + 7 + 9 + 10, 8 + 11, 12 + 13, 14]
    linear = (2.0 * blocks[0][:, None] + blocks[1]).ravel()
    inside = interpolate(linear, blocks, axes).reshape(5, 3)
    assert inside[1:, 1:] == pytest.approx((2.0 * axes[0][:, None] + axes[1])[1:, 1:])


@pytest.mark.parametrize("shape", [(40, 33), (1, 50), (20, 17, 9)])
def test_edges_by_tiles(shape):
    """Every edge once, and those of a tile one after the other."""
    axes = tuple(np.arange(float(k)) for k in shape)
    tails, _, _ = list_edges(axes, diagonals=False)
    order = by_tiles(axes, tails)
    assert np.array_equal(np.sort(order), np.arange(len(tails)))
    tile = np.stack(np.unravel_index(tails[order], shape)) // 16
    changes = 1 + np.count_nonzero(np.any(np.diff(tile, axis=1), axis=0))
    assert changes == len(np.unique(tile, axis=1).T)


@pytest.mark.parametrize("limit", [0.0, 1e-3, 4e-3])
def test_stopped_early(limit):
    rng = np.random.default_rng(4)
    first, second = rng.random((60, 50)), rng.random((60, 50))
    whole = emd_images(first, second, cost="cityblock", normalize=True)
    result = emd_images(first, second, cost="cityblock", normalize=True, method="grid", time_limit=limit)
    assert result.lower <= whole.upper and whole.lower <= result.upper
    calls = []

    def press(event):
        calls.append(event)
        if len(calls) == 1 + round(1000 * limit):
            raise KeyboardInterrupt

    result = emd_images(first, second, cost="cityblock", normalize=True, method="grid", progress=press)
    assert "interrupted" in result.stats["message"]
    assert result.lower <= whole.upper and whole.lower <= result.upper


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(first=1.0, second=[1.0]), "first must be an image"),
        (dict(first=np.ones((2, 2, 3)), second=np.ones((2, 2))), "have as many axes as each other"),
        (dict(first=[[1.0]], second=[[-1.0]]), "non-negative"),
        (dict(first=[[1.0]], second=[[2.0]]), "normalize=True"),
        (dict(first=[[1.0]], second=[[1.0]], spacing=0.0), "spacing must be a positive number"),
        (dict(first=[[1.0]], second=[[1.0]], spacing=[1.0, 2.0, 3.0]), "spacing must be a positive number, or 2"),
        (dict(first=[[1.0]], second=[[1.0]], method="grid"), "method must fit the problem"),
    ],
)
def test_refused(arguments, message):
    with pytest.raises(InvalidInput, match=message):
        emd_images(**arguments)


def test_memory_is_asked_for_first():
    with pytest.raises(TooLarge, match="the flow on the grid"):
        emd_images(np.ones((30, 30)), np.ones((30, 30)), cost="cityblock", memory_limit=1e5)
