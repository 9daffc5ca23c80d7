"""The two laws as the training sees them: weighted points or a sampler, in units of their own spread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from otdiv.core.validation import Array, as_points, invalid
from otdiv.errors import InvalidInput
from otdiv.measures.discrete import DiscreteMeasure, require_same_dimension

Sampler = Callable[[int, np.random.Generator], Any]
"""sampler(n, rng) -> points [n, d]."""


@dataclass(frozen=True, eq=False)
class Law:
    """One law: a discrete measure of mass 1, or a function that draws points.

    Attributes
    ----------
    name : str
        "x" or "y", for messages.
    measure : DiscreteMeasure or None
    sampler : callable or None
    """

    name: str
    measure: DiscreteMeasure | None
    sampler: Sampler | None

    def draw(self, n: int, rng: np.random.Generator) -> Array:
        """n independent points [n, d]; of a discrete measure with replacement, by weight.

        Raises
        ------
        InvalidInput
            A sampler that does not return n finite points.
        """
        if self.sampler is None:
            assert self.measure is not None
            return self.measure.points[rng.choice(self.measure.n, n, p=self.measure.weights / self.measure.mass)]
        try:
            points = as_points(f"the points of sampler {self.name}", self.sampler(n, rng))
        except TypeError as problem:
            raise invalid(
                f"sampler {self.name}",
                "be a function of (n, rng)",
                f"an error ({problem})",
                "For example lambda n, rng: rng.normal(size=(n, 2)).",
            ) from None
        if len(points) != n:
            raise invalid(
                f"sampler {self.name}", f"return {n} points", f"{len(points)}", "Return an array [n, d] for every n."
            )
        return points

    def split(self, share: float, rng: np.random.Generator) -> tuple[Law, Law]:
        """Two independent parts, the second with about ``share`` of the points; a sampler is its own twin."""
        if self.measure is None:
            return self, self
        n = self.measure.n
        order = rng.permutation(n)
        cut = min(n - 1, max(1, round((1 - share) * n)))
        parts = (np.sort(order[:cut]), np.sort(order[cut:]))
        first, second = (
            DiscreteMeasure(self.measure.points[k], self.measure.weights[k] * (1 / self.measure.weights[k].sum()))
            for k in parts
        )
        return Law(self.name, first, None), Law(self.name, second, None)

    def blocks(self, count: int, most: int, rng: np.random.Generator) -> list[DiscreteMeasure]:
        """``count`` independent samples of at most ``most`` points: disjoint parts of the points, or new draws."""
        if self.measure is None:
            return [DiscreteMeasure(self.draw(most, rng)) for _ in range(count)]
        size = min(most, self.measure.n // count)
        order = rng.permutation(self.measure.n)[: size * count].reshape(count, size)
        weights = self.measure.weights
        parts = [np.sort(rows) for rows in order]
        return [DiscreteMeasure(self.measure.points[k], weights[k] / weights[k].sum()) for k in parts]


def laws_of(x: Any, y: Any, a: Any = None, b: Any = None) -> tuple[Law, Law]:
    """Both laws, checked: one dimension, mass 1.

    Raises
    ------
    InvalidInput
        Points that are none, dimensions or masses that differ, weights beside a sampler.
    """
    laws = tuple(_law(name, points, weights) for name, points, weights in (("x", x, a), ("y", y, b)))
    first, second = (law.measure or DiscreteMeasure(law.draw(2, np.random.default_rng(0))) for law in laws)
    require_same_dimension(first, second)
    return laws[0], laws[1]


def _law(name: str, points: Any, weights: Any) -> Law:
    if callable(points) and not isinstance(points, DiscreteMeasure):
        if weights is not None:
            raise invalid(f"the weights of {name}", "be left out for a sampler", "weights", "Draw by weight instead.")
        return Law(name, None, points)
    if points is None:
        raise invalid(name, "be points [n, d], a DiscreteMeasure or a sampler", "None", "Pass both laws.")
    if isinstance(points, DiscreteMeasure) and weights is not None:
        raise invalid(f"the weights of {name}", "be left out for a DiscreteMeasure", "weights", "It brings its own.")
    try:
        measure = points if isinstance(points, DiscreteMeasure) else DiscreteMeasure(points, weights)
    except InvalidInput as problem:
        raise InvalidInput(f"of {name}: {problem}") from None
    if abs(measure.mass - 1) > 1e-9:
        raise invalid(
            f"the weights of {name}",
            "sum to 1",
            f"{measure.mass:.10g}",
            "Divide them by their sum: W1 compares shapes.",
        )
    return Law(name, measure, None)
