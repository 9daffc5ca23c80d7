"""Points on curves, along which mass passes hundreds of points: they are recognized and get more arcs."""

from __future__ import annotations

import numpy as np
import pytest

from otdiv import emd
from otdiv.errors import TooLarge
from otdiv.network_flow.integer_masses import integer_masses
from otdiv.pricing.pricing import ordered
from otdiv.transport.methods.multiscale.scales import build_scales, lies_on_curve

N = 3000


def spiral(seed, turn=0.0):
    angle = 15 * np.random.default_rng(seed).random(N) ** 0.5
    return angle[:, None] * np.c_[np.cos(angle + turn), np.sin(angle + turn)]


def circle_in_space(seed):
    angle = 7 * np.random.default_rng(seed).random(N)
    return np.c_[np.cos(angle), np.sin(angle), 0.3 * np.cos(2 * angle)]


def plane(seed):
    return np.random.default_rng(seed).normal(size=(N, 2))


@pytest.mark.parametrize(
    ("draw", "expected"),
    [
        (spiral, True),
        (circle_in_space, True),
        (plane, False),
        (lambda seed: np.round(4 * plane(seed)), False),
        (lambda seed: plane(seed) * [1.0, 0.01], False),
        (lambda seed: np.random.default_rng(seed).random((N, 10)), False),
        (lambda seed: np.zeros((N, 2)), False),
    ],
)
def test_which_clouds_lie_on_a_curve(draw, expected):
    x, y = (points[ordered(points)] for points in (draw(0), draw(1)))
    masses = integer_masses(np.full(N, 1 / N), np.full(N, 1 / N))
    scales = build_scales(x, y, *masses, 4096)
    assert lies_on_curve(scales) == expected
    assert not lies_on_curve(scales[:1])


def test_one_side_on_a_curve_is_not_enough():
    x, y = spiral(0), plane(1)
    masses = integer_masses(np.full(N, 1 / N), np.full(N, 1 / N))
    assert not lies_on_curve(build_scales(x[ordered(x)], y[ordered(y)], *masses, 4096))


@pytest.mark.slow
@pytest.mark.parametrize("cost", ["euclidean", "sqeuclidean"])
def test_an_assignment_along_a_spiral_needs_no_pivots(cost):
    x, y = spiral(0), spiral(1, turn=0.3)
    answer = emd(x, y, cost=cost, method="multiscale")
    assert answer.status.name == "OPTIMAL" and answer.stats["pivots"] == 0
    assert answer.value == pytest.approx(emd(x, y, cost=cost, method="dense").value, rel=1e-9)


def test_memory_of_the_arcs_on_a_curve_counts():
    """6000 points take 8.2 MB with the arcs of the plane; 48 arcs of each source take 4.7 MB more."""
    between = 10e6
    assert emd(plane(0), plane(1), method="multiscale", memory_limit=between).status.name == "OPTIMAL"
    with pytest.raises(TooLarge, match="multiscale"):
        emd(spiral(0), spiral(1), method="multiscale", memory_limit=between)
    assert emd(spiral(0), spiral(1), method="multiscale", memory_limit=13e6).status.name == "OPTIMAL"
