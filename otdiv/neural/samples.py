"""The two distributions as a training needs them: weighted points, or a function that draws points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from otdiv.core.validation import Array, as_points, invalid
from otdiv.measures.arguments import as_measure, require_probability
from otdiv.measures.discrete import DiscreteMeasure, with_same_columns

Sampler = Callable[[int, np.random.Generator], Any]
"""sampler(n, rng) -> points [n, d]."""


@dataclass(frozen=True, eq=False)
class SampledDistribution:
    """One distribution: a discrete measure of mass 1, or a function that draws points.

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

    def at_most(self, k: int, rng: np.random.Generator) -> DiscreteMeasure:
        """The measure itself where it has at most k points, else k points drawn from it, of equal weight."""
        if self.measure is not None and self.measure.n <= k:
            return self.measure
        return DiscreteMeasure(self.draw(k, rng))

    def split(self, share: float, rng: np.random.Generator) -> tuple[SampledDistribution, SampledDistribution]:
        """Two independent parts, the second with about ``share`` of the points; a sampler is both parts itself."""
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
        return SampledDistribution(self.name, first, None), SampledDistribution(self.name, second, None)

    def blocks(self, count: int, most: int, rng: np.random.Generator) -> list[DiscreteMeasure]:
        """``count`` independent samples of at most ``most`` points: disjoint parts of the points, or new draws."""
        if self.measure is None:
            return [DiscreteMeasure(self.draw(most, rng)) for _ in range(count)]
        size = min(most, self.measure.n // count)
        order = rng.permutation(self.measure.n)[: size * count].reshape(count, size)
        weights = self.measure.weights
        parts = [np.sort(rows) for rows in order]
        return [DiscreteMeasure(self.measure.points[k], weights[k] / weights[k].sum()) for k in parts]


Pair = tuple[SampledDistribution, SampledDistribution]


def as_distributions(x: Any, y: Any, a: Any = None, b: Any = None) -> Pair:
    """Both distributions, checked: one dimension, mass 1.

    Parameters
    ----------
    x, y : array_like [n, d], [m, d]; DiscreteMeasure; or samplers
    a, b : array_like, optional
        Weights of total 1; None is uniform.

    Raises
    ------
    InvalidInput
        Points that are none, dimensions that differ, masses other than 1, weights beside a sampler.
    """
    both = tuple(_as_distribution(name, points, weights) for name, points, weights in (("x", x, a), ("y", y, b)))
    first, second = (one.measure or DiscreteMeasure(one.draw(2, np.random.default_rng(0))) for one in both)
    matched = with_same_columns(first, second)
    return both[0], both[1] if matched is second else _as_distribution("y", matched, None)


def _as_distribution(name: str, points: Any, weights: Any) -> SampledDistribution:
    if callable(points) and not isinstance(points, DiscreteMeasure):
        if weights is not None:
            raise invalid(f"the weights of {name}", "be left out for a sampler", "weights", "Draw by weight instead.")
        return SampledDistribution(name, None, points)
    if points is None:
        raise invalid(name, "be points [n, d], a DiscreteMeasure or a sampler", "None", "Pass both distributions.")
    measure = as_measure(name, points, weights)
    require_probability(
        measure, f"the weights of {name}", "Divide them by their sum: W1 is a distance of probability distributions."
    )
    return SampledDistribution(name, measure, None)
