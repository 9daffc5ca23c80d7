"""Transport problems with known answers, and random ones of every kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

COSTS = ("euclidean", "sqeuclidean", "cityblock", "chebyshev", "discrete", "minkowski:3")
METHODS = ("few", "dense", "pot", "simplex", "primal", "dual", "primal-cvxpy", "dual-cvxpy")


@dataclass(frozen=True)
class Known:
    """A problem and its value, by hand."""

    name: str
    x: Any
    y: Any
    a: Any
    b: Any
    cost: Any
    value: float


KNOWN = (
    Known("three points", [0.0, 1, 2], [0.0, 1, 2], [0.2, 0.2, 0.6], [0.5, 0.3, 0.2], "euclidean", 0.7),
    Known("three points squared", [0.0, 1, 2], [0.0, 1, 2], [0.2, 0.2, 0.6], [0.5, 0.3, 0.2], "sqeuclidean", 0.9),
    Known(
        "plane",
        [[0, 0], [1, 0], [0, 1]],
        [[1, 1], [2, 0]],
        [0.5, 0.3, 0.2],
        [0.6, 0.4],
        "euclidean",
        0.7 + 0.4 * 2**0.5,
    ),
    Known("single", [[1.0, 2.0]], [[4.0, 6.0]], None, None, "euclidean", 5.0),
    Known("one against many", [[0.0, 0.0]], [[3.0, 4.0], [0.0, 1.0], [0.0, 0.0]], None, None, "euclidean", 2.0),
    Known("line, uniform", [0.0, 1, 3], [0.5, 2, 2.5], None, None, "euclidean", 2 / 3),
    Known(
        "shift in 5-D",
        np.arange(30.0).reshape(6, 5),
        np.arange(30.0).reshape(6, 5) + 2.0,
        None,
        None,
        "cityblock",
        10.0,
    ),
    Known("total variation", [[0, 0], [1, 1]], [[1, 1], [5, 5]], [0.3, 0.7], [0.4, 0.6], "discrete", 0.6),
    Known("zero weights", [[0.0], [9.0], [1.0]], [[1.0], [0.0], [7.0]], [0.5, 0, 0.5], [0.5, 0.5, 0], "euclidean", 0.0),
    Known("repeated points", [[0.0, 0], [0, 0], [2, 0]], [[1.0, 0], [1, 0]], None, None, "euclidean", 1.0),
    Known("given matrix", None, None, [1.0, 2.0], [2.0, 1.0], [[4.0, 1.0], [2.0, 6.0]], 5.0),
    Known("mass 10", [0.0, 1, 2, 3], [0.0, 1, 2, 3], [3.0, 2, 1, 4], [1.0, 2, 4, 3], "euclidean", 5.0),
)


def random_problem(rng: np.random.Generator, most: int = 60, dimensions: int = 5) -> tuple[Any, Any, Any, Any, str]:
    """Points with ties, weights with zeros and repeats, any named cost."""
    n, m, d = rng.integers(1, most + 1), rng.integers(1, most + 1), rng.integers(1, dimensions + 1)
    cost = COSTS[rng.integers(len(COSTS))]
    if rng.random() < 0.5:  # a coarse lattice: many ties and repeated points
        x, y = rng.integers(0, 4, (n, d)).astype(float), rng.integers(0, 4, (m, d)).astype(float)
    else:
        x, y = rng.normal(size=(n, d)), rng.normal(size=(m, d)) + rng.normal()
    return x, y, random_weights(rng, n), random_weights(rng, m), cost


def random_weights(rng: np.random.Generator, n: int) -> Any:
    """Uniform, integer with zeros, or continuous; total 1."""
    kind = rng.integers(3)
    if kind == 0:
        return None
    raw = rng.integers(0, 5, n).astype(float) if kind == 1 else rng.random(n) ** 3
    if raw.sum() == 0:
        raw[rng.integers(n)] = 1.0
    return raw / raw.sum()
