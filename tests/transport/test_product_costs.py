"""Distances in many dimensions by a matrix product: the bounds hold in rational numbers, and so do the certificates."""

from fractions import Fraction

import numpy as np
import pytest

from otdiv import DiscreteMeasure, Status, TransportProblem, emd, verify
from otdiv.transport.methods.dense import product_costs
from otdiv.transport.methods.dense.product_costs import lowered_costs

CLOUDS = {
    "normal": lambda rng, n, d: rng.normal(size=(n, d)),
    "far from the origin": lambda rng, n, d: 1e8 + rng.normal(size=(n, d)),
    "one outlier": lambda rng, n, d: np.vstack([rng.normal(size=(n - 1, d)), np.full((1, d), 1e3 * rng.uniform(1, 2))]),
    "images": lambda rng, n, d: rng.integers(0, 256, (n, d)).astype(float),
    "sparse": lambda rng, n, d: rng.random((n, d)) * (rng.random((n, d)) < 0.02),
}


def problem_of(x, y, cost):
    return TransportProblem(DiscreteMeasure(x), DiscreteMeasure(y), cost)


@pytest.mark.parametrize("kind", CLOUDS)
def test_the_bounds_hold_in_rational_numbers(kind, monkeypatch):
    monkeypatch.setattr(product_costs, "_FROM_OPERATIONS", 0)
    rng = np.random.default_rng(0)
    x, y = CLOUDS[kind](rng, 7, 300), CLOUDS[kind](rng, 5, 300)
    squares, off = lowered_costs(problem_of(x, y, "sqeuclidean"))
    roots, off_root = lowered_costs(problem_of(x, y, "euclidean"))
    for i, j in np.ndindex(7, 5):
        true = sum(
            ((Fraction(s) - Fraction(t)) ** 2 for s, t in zip(x[i].tolist(), y[j].tolist(), strict=True)), Fraction(0)
        )
        low, root = Fraction(float(squares[i, j])), Fraction(float(roots[i, j]))
        assert low <= true <= low + Fraction(off)
        # the root is rounded, by one part in 2**53
        assert root**2 * (1 - Fraction(1, 2**51)) <= true <= (root + Fraction(off_root)) ** 2 * (1 + Fraction(1, 2**51))
    assert off <= 1e-9 * squares.mean() or kind == "one outlier"


def test_where_digits_are_missing_all_differences_are_taken(monkeypatch):
    monkeypatch.setattr(product_costs, "_FROM_OPERATIONS", 0)
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 6, 300))
    near = x + 1e-9
    assert lowered_costs(problem_of(x, near, "euclidean")) is None
    assert lowered_costs(problem_of(x, x, "sqeuclidean")) is None
    assert lowered_costs(problem_of(x, y, "cityblock")) is None
    assert lowered_costs(problem_of(x * 1e200, y * 1e200, "euclidean")) is None
    assert lowered_costs(problem_of(x * 1e-130, y * 1e-130, "euclidean")) is None
    assert lowered_costs(problem_of(x[:, :100], y[:, :100], "euclidean")) is None


@pytest.mark.parametrize("cost", ["euclidean", "sqeuclidean"])
@pytest.mark.parametrize("kind", CLOUDS)
def test_distances_in_many_dimensions_are_those_of_pot_and_verify_exactly(cost, kind):
    rng = np.random.default_rng(2)
    x, y = CLOUDS[kind](rng, 260, 512), CLOUDS[kind](rng, 270, 512) * 1.1
    a = rng.dirichlet(np.ones(260))
    assert lowered_costs(problem_of(x, y, cost)) is not None
    found, other = emd(x, y, a, cost=cost, method="dense"), emd(x, y, a, cost=cost, method="pot")
    assert found.status is Status.OPTIMAL and max(found.lower, other.lower) <= min(found.upper, other.upper)
    assert found.value == pytest.approx(other.value, rel=1e-9)
    some = emd(x[:8], y[:9], cost=cost, method="dense")
    checked = verify(some, level="exact")
    assert checked.bounds.lower <= some.upper and some.lower <= checked.bounds.upper


def test_costs_that_are_not_low_enough_are_found_out(monkeypatch):
    """With bounds that lie above the costs the interval excludes the true value: these tests would see it."""
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(2, 260, 512))
    honest = emd(x, y, method="pot")
    from otdiv.transport.methods.dense import solve

    true = solve.lowered_costs
    monkeypatch.setattr(solve, "lowered_costs", lambda *given: (true(*given)[0] * 1.001, true(*given)[1]))
    assert emd(x, y, method="dense").lower > honest.upper


@pytest.mark.parametrize("kind", ["normal", "far from the origin"])
def test_the_bits_do_not_depend_on_the_threads(kind, monkeypatch):
    monkeypatch.setattr(product_costs, "_IN_ONE_THREAD", 0)
    rng = np.random.default_rng(4)
    problem = problem_of(CLOUDS[kind](rng, 300, 300), CLOUDS[kind](rng, 290, 300), "euclidean")
    (one, off), (three, again) = lowered_costs(problem, 1), lowered_costs(problem, 3)
    assert np.array_equal(one, three) and off == again


def test_points_are_moved_only_where_the_origin_is_far(monkeypatch):
    """The bound on the error is that of the product that was taken: far from the origin it is that near it, moved."""
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(2, 60, 512))
    _, near = lowered_costs(problem_of(x, y, "sqeuclidean"))
    _, moved = lowered_costs(problem_of(x + 1e6, y + 1e6, "sqeuclidean"))
    assert moved == pytest.approx(near, rel=0.05)
    monkeypatch.setattr(product_costs, "_CENTRED_ABOVE", np.inf)
    left = lowered_costs(problem_of(x + 1e4, y + 1e4, "sqeuclidean"))
    assert left is None or left[1] > 1e6 * near
