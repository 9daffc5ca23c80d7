"""Points with a known distance, and the exact potential: on the line, in the plane, in 8 dimensions, and images."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from otdiv.datasets import identical, radial, shift


class Domain(NamedTuple):
    """Points x and y, W1 between them, and an optimal f with sum f(x) - sum f(y) = n W1."""

    x: np.ndarray
    y: np.ndarray
    w1: float
    potential: Callable[[Any], Any]


def _first_entry(z):
    return -z.reshape(len(z), -1)[:, 0]


@cache
def domain(name: str) -> Domain:
    """One of line, plane, eight, images."""
    rng = np.random.default_rng(11)
    if name == "line":
        x = rng.normal(size=(60, 1))
        return Domain(x, x + 2.0, 2.0, _first_entry)
    if name == "plane":
        sample = radial(2).sample(60, rng)
        return Domain(sample.x, sample.y, sample.w1, radial(2).potential)
    if name == "eight":
        x = rng.normal(size=(60, 8))
        return Domain(x, x + 2 * np.eye(8)[0], 2.0, _first_entry)
    x = rng.uniform(size=(40, 1, 4, 4))
    y = x.copy()
    y[:, 0, 0, 0] += 2.0
    return Domain(x, y, 2.0, _first_entry)


@cache
def same() -> tuple[Any, Any]:
    """Two pairs of samples of one distribution in 8 dimensions."""
    rng = np.random.default_rng(1)
    return identical(8).sample(80, rng), identical(8).sample(300, rng)


@cache
def far() -> Any:
    """Independent samples in 32 dimensions, of distributions at distance 1."""
    return shift(32, 1.0).independent(100, np.random.default_rng(2))
