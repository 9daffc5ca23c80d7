"""Few points against many, on either side: values agree with POT, and the choice does not depend on the side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import ot
import pytest
from scipy.spatial.distance import cdist

from otdiv import DiscreteMeasure, TransportProblem, emd
from otdiv.transport import certified_solve
from otdiv.transport.selection import AS_MANY_FROM, DENSE_UP_TO, FEW_FROM, FEW_UP_TO, MULTISCALE_FROM, select_method

FEW_FROM_IN_PLANE = FEW_FROM[0][1]
AS_MANY, FEWER = round(AS_MANY_FROM**0.5), round((MULTISCALE_FROM[0][1] / 2) ** 0.5)

SHAPES = [(1, 60), (2, 9), (2, 400), (3, 30), (5, 200), (7, 300), (12, 300)]


@pytest.mark.parametrize("kind", ["normal", "lattice", "one point", "some without mass"])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(("n", "m"), SHAPES)
def test_few_against_many_agree_with_pot(n, m, turned, kind):
    rng = np.random.default_rng(n * m)
    x, y = rng.normal(size=(n, 2)), rng.normal(size=(m, 2)) + 2.0
    a, b = rng.random(n) + 0.1, rng.random(m) + 0.1
    if kind == "lattice":
        x, y, a, b = np.round(x), np.round(y), np.ones(n), np.ones(m)
    if kind == "one point":
        y[:] = y[0]
    if kind == "some without mass":
        a[n // 2 :: 3], b[::2] = 0.0 if n > 1 else 1.0, 0.0
    a, b = a / a.sum(), b / b.sum()
    if turned:
        x, y, a, b = y, x, b, a
    for cost in ("euclidean", "sqeuclidean", cdist(x, y, "cityblock")):
        points = (x, y) if isinstance(cost, str) else (None, None)
        result = emd(*points, a, b, cost=cost, method="dense")
        table = ot.dist(x, y, metric=cost) if isinstance(cost, str) else cost
        assert result.value == pytest.approx(ot.emd2(a, b, table), rel=1e-12, abs=1e-14)
        assert result.status.label == "optimal"
        np.testing.assert_allclose(result.plan.toarray().sum(axis=1), a, atol=1e-15)
        np.testing.assert_allclose(result.plan.toarray().sum(axis=0), b, atol=1e-15)


@pytest.mark.parametrize(
    ("few", "many", "method"),
    [
        (1, FEW_FROM_IN_PLANE, "dense"),
        (DENSE_UP_TO, FEW_FROM_IN_PLANE, "dense"),
        (DENSE_UP_TO, 100_000, "dense"),
        (DENSE_UP_TO, 2_000_000, "few"),
        (DENSE_UP_TO + 1, FEW_FROM_IN_PLANE - 1, "dense"),
        (DENSE_UP_TO + 1, FEW_FROM_IN_PLANE, "few"),
        (FEW_UP_TO, FEW_UP_TO**2, "few"),
        (FEW_UP_TO, FEW_UP_TO**2 - 1, "multiscale"),
        (100, 5000, "dense"),
        (AS_MANY - 2, AS_MANY - 2, "dense"),
        (AS_MANY + 2, AS_MANY + 2, "multiscale"),
        (FEWER - 2, 2 * FEWER, "dense"),
        (FEWER + 2, 2 * FEWER, "multiscale"),
        (250, 6250, "dense"),
        (350, 8750, "multiscale"),
    ],
)
def test_the_choice_depends_on_the_shape_and_not_on_the_side(few, many, method):
    rng = np.random.default_rng(0)
    mu, nu = DiscreteMeasure(rng.random((few, 2))), DiscreteMeasure(rng.random((many, 2)))
    assert select_method(TransportProblem(mu, nu)).method == method
    assert select_method(TransportProblem(nu, mu)).method == method


@pytest.mark.parametrize("weighted", [False, True])
def test_three_points_against_many_are_chosen_and_certified(weighted):
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(3, 2)), rng.normal(size=(30_000, 2)) + 1.0
    b = rng.random(30_000) if weighted else np.ones(30_000)
    b /= b.sum()
    one, other = emd(x, y, b=b), emd(y, x, b)
    few = emd(x, y, b=b, method="few")
    for result in (one, other):
        assert result.status.label == "optimal" and result.value == pytest.approx(few.value, rel=1e-11)


@pytest.mark.parametrize(
    ("n", "with_mass", "method"),
    [(1100, 1100, "multiscale"), (1100, 1000, "multiscale"), (1100, 700, "dense"), (1500, 400, "multiscale")],
)
def test_atoms_without_mass_do_not_count(n, with_mass, method):
    rng = np.random.default_rng(2)
    points, weights = rng.random((2, n, 2)), np.zeros((2, n))
    for side in weights:
        side[rng.permutation(n)[:with_mass]] = rng.random(with_mass) + 0.1
        side /= side.sum()
    mu, nu = (DiscreteMeasure(x, a) for x, a in zip(points, weights, strict=True))
    assert select_method(TransportProblem(mu, nu)).method == method
    few = DiscreteMeasure(rng.random((8000, 2)), np.r_[np.ones(10), np.zeros(7990)] / 10)
    many = DiscreteMeasure(rng.random((8000, 2)))
    assert select_method(TransportProblem(few, many)).method == "few"


def test_where_the_multiscale_method_is_not_proved_optimal_the_dense_one_follows(monkeypatch):
    propose = certified_solve._propose

    def worse(problem, method, options, first):
        found = propose(problem, method, options, first)
        return replace(found, f=found.f * (1 - 1e-6), g=None) if method.name == "multiscale" else found

    monkeypatch.setattr(certified_solve, "_propose", worse)
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(900, 2)), rng.normal(size=(950, 2)) + 1.0
    alone, result = emd(x, y, method="multiscale"), emd(x, y)
    assert alone.status.label == "stopped" and alone.gap > 1e-8 * alone.value
    assert result.status.label == "optimal" and result.stats["tried"] == ("multiscale", "dense")
    assert alone.lower <= result.value <= alone.upper
