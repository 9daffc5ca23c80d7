"""Items X1 and X2 on critics, which the lecture leaves open: what a critic proves, and the exact one."""

from __future__ import annotations

from functools import cache

import numpy as np

from otdiv.core.validation import Array
from otdiv.lecture.record import Items, LectureRow, Rows
from otdiv.lipschitz import network_constant, on_points
from otdiv.potentials.c_transform import mcshane, to_lipschitz
from otdiv.transport.result import TransportResult
from otdiv.transport.solve import emd

W1 = 1.082120408207
"""Exact distance of the two clouds of 20 points."""
SIZES = (2, 16, 16, 1)
"""Widths of the random networks, input first."""


@cache
def _clouds() -> tuple[Array, Array, TransportResult]:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(20, 2)), rng.normal(size=(20, 2)) + np.array([1.0, 0.5])
    return x, y, emd(x, y)


def _network(weights: list[Array], z: Array) -> Array:
    *hidden, last = weights
    for W in hidden:
        z = np.maximum(z @ W.T, 0.0)
    return (z @ last.T)[:, 0]


def x1() -> Rows:
    """|E f(x) - E f(y)| <= Lip(f) W1, and Lip(f) is at most the product of the layers' norms."""
    x, y, exact = _clouds()
    rng = np.random.default_rng(0)
    violations = 0
    for _ in range(500):
        weights = [rng.normal(size=(n_out, n_in)) for n_in, n_out in zip(SIZES, SIZES[1:], strict=False)]
        value = float(_network(weights, x).mean() - _network(weights, y).mean())
        violations += abs(value) > network_constant(weights).value * exact.value
    yield LectureRow("X1", "W1 of two clouds of 20 points", exact.value, W1)
    yield LectureRow("X1", "500 random networks above Lip(f) W1", violations, 0, 0)


def x2() -> Rows:
    """The McShane extension of the exact potential is an exact critic on the whole plane."""
    x, y, exact = _clouds()
    one = to_lipschitz(exact.problem, exact.f, exact.g)
    f = mcshane(one.u, one.points)
    yield LectureRow("X2", "value of the extended potential", float(f(x).mean() - f(y).mean()), W1)
    z = np.concatenate([x, y, np.random.default_rng(0).normal(size=(60, 2))])
    yield LectureRow("X2", "its steepest slope, also off the points", on_points(f(z), z).value, 1.0)


ITEMS: Items = {"X1": x1, "X2": x2}
