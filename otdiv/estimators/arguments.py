"""Two samples as arrays, and what kind of data they are: continuous, rounded, or values that repeat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from otdiv.core.validation import Array, invalid
from otdiv.measures.arguments import as_measures
from otdiv.measures.discrete import DiscreteMeasure, distinct_rows, with_same_columns

DISCRETE_SHARE = 0.1
"""Distinct points over points, up to which samples count as draws from finitely many values; a larger share sends
more samples to the histogram."""
TIED_SHARE = 0.01
"""Share of points that coincide with another one, from which samples count as tied; a larger share tolerates more
ties before they are dithered."""


@dataclass(frozen=True, eq=False)
class Samples:
    """Samples x [n, d] of P and y [m, d] of Q, columns in one order.

    Attributes
    ----------
    x, y : ndarray [n, d], [m, d]
    distinct : int
        Number of different points in both together.
    """

    x: Array
    y: Array
    distinct: int

    @property
    def n(self) -> int:
        """Points of x."""
        return len(self.x)

    @property
    def m(self) -> int:
        """Points of y."""
        return len(self.y)

    @property
    def d(self) -> int:
        """Dimension."""
        return self.x.shape[1]

    @property
    def is_discrete(self) -> bool:
        """Whether each value comes about ten times or more."""
        return self.distinct <= DISCRETE_SHARE * (self.n + self.m)

    @property
    def tied_share(self) -> float:
        """Share of the points that repeat another one."""
        return 1.0 - self.distinct / (self.n + self.m)

    def swapped(self) -> Samples:
        """The samples in the other order."""
        return Samples(self.y, self.x, self.distinct)

    def take(self, rows: Array, columns: Array) -> Samples:
        """The points x[rows] and y[columns]."""
        return Samples(self.x[rows], self.y[columns], self.distinct)


def as_samples(x: Any, y: Any, least: int) -> Samples:
    """Both samples, each of at least ``least`` points.

    Parameters
    ----------
    x, y : array_like [n, d], [m, d] (or [n], [m]), data frame, or DiscreteMeasure of equal weights
    least : int
        Fewest points of either.

    Raises
    ------
    InvalidInput
        Too few points, NaN or infinity, numbers beyond 1e100, different columns, weights that are not equal.
    """
    mu, nu = as_measures(x, y)
    nu = with_same_columns(mu, nu)
    for name, measure in (("x", mu), ("y", nu)):
        _require_equal_weights(name, measure)
        if measure.n < least:
            raise invalid(name, f"hold at least {least} points", f"{measure.n}", "Draw more.")
    points = np.concatenate([mu.points, nu.points])
    _require_range(points)
    return Samples(mu.points, nu.points, len(distinct_rows(points)[0]))


def _require_range(points: Array) -> None:
    spread = points.max(axis=0) / 2 - points.min(axis=0) / 2
    wrong = (np.abs(points).max(axis=0) > 1e100) | ((spread > 0) & (spread < 1e-100))
    if wrong.any():
        column = int(np.flatnonzero(wrong)[0])
        raise invalid(
            "the points of x and y",
            "differ by 1e-100 to 1e100, so that their squares are floats",
            f"column {column} with a spread of {2 * float(spread[column]):.3g}",
            "Change the unit of that column.",
        )


def _require_equal_weights(name: str, measure: DiscreteMeasure) -> None:
    spread = float(np.ptp(measure.weights))
    if spread > 1e-12 * float(measure.weights.max()):
        raise invalid(
            f"the weights of {name}",
            "be equal: samples are independent draws",
            f"weights from {measure.weights.min():.6g} to {measure.weights.max():.6g}",
            "For distributions that are known use otdiv.divergences or otdiv.wasserstein; else draw points.",
        )


def require_density(samples: Samples) -> None:
    """Refuse columns that are constant in either sample: no density, or nothing to compare.

    Raises
    ------
    InvalidInput
    """
    for name, points in (("x", samples.x), ("y", samples.y)):
        constant = np.flatnonzero(np.ptp(points, axis=0) == 0)
        if constant.size:
            raise invalid(
                f"column {int(constant[0])} of {name}",
                "vary, for a ratio of densities",
                f"the constant {points[0, constant[0]]:.6g}",
                "Leave the column out, or use method='histogram' for values that repeat.",
            )


def rounding_steps(points: Array) -> Array:
    """The step [d] to which each column was rounded: the smallest gap of distinct values, 0 without repeats."""
    steps = np.zeros(points.shape[1])
    for k, column in enumerate(points.T):
        values = np.unique(column)
        if 1 < len(values) < len(column):
            gaps = np.diff(values)
            steps[k] = float(gaps[gaps > 1e-9 * np.ptp(values)].min(initial=np.inf))
    return np.where(np.isfinite(steps), steps, 0.0)


def dithered(samples: Samples, rng: np.random.Generator) -> Samples:
    """The samples with uniform noise of one rounding step: rounded densities become densities again.

    Noise of the same distribution on both sides can only lower a divergence (data processing).
    """
    points = np.concatenate([samples.x, samples.y])
    moved = points + rng.uniform(-0.5, 0.5, size=points.shape) * rounding_steps(points)
    return Samples(moved[: samples.n], moved[samples.n :], len(distinct_rows(moved)[0]))
