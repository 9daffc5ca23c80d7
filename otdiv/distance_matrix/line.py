r"""Measures on the line: cumulative sums and sorted samples instead of plans.

    W_1 = \int |F(t) - G(t)| dt,      W_p^p = (1/n) sum_k |x_(k) - y_(k)|^p   for n equal masses each

(Santambrogio, Optimal Transport for Applied Mathematicians, section 2.2).  The intervals hold the exact value; they
are as wide as the rounding of the sums.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from otdiv.core.rounding import UNIT
from otdiv.core.validation import Array, ReadOnlyCopies
from otdiv.transport.batches.collection import Collection

_UNDERFLOW = 1e-290
WIDEST = 1e90
"""Largest coordinate in size, for which no power of a difference up to the third leaves the range of float64."""


@dataclass(frozen=True, eq=False)
class CommonSupport(ReadOnlyCopies):
    """Histograms on the same points of the line.

    Attributes
    ----------
    levels_x, levels_y : ndarray [k, n - 1], [l, n - 1]
        Cumulative masses, divided by the whole.
    weights_x, weights_y : ndarray [k, n], [l, n]
    gaps : ndarray [n - 1]
        Between neighbouring points.
    """

    levels_x: Array
    levels_y: Array
    weights_x: Array
    weights_y: Array
    gaps: Array

    def distances(self, pairs: Array, masses: Array) -> tuple[Array, Array, Array]:
        """Lower bounds, values and upper bounds of W_1 for pairs [2, K]; masses [K] of the first ones."""
        ahead = self.levels_x[pairs[0]] - self.levels_y[pairs[1]]
        value = masses * (np.abs(ahead) * self.gaps).sum(axis=1)
        below = [masses * (levels * self.gaps).sum(axis=1)[at] for levels, at in self._levels(pairs)]
        # each level is off by (2 n + 4) u of itself; gap, difference, product, sum and mass by (2 n + 6) u of the value
        error = 1.01 * (2 * len(self.gaps) + 12) * UNIT * (below[0] + below[1] + value) + _UNDERFLOW
        same = ~np.any(ahead, axis=1)
        same[same] = (self.weights_x[pairs[0, same]] == self.weights_y[pairs[1, same]]).all(axis=1)
        return np.where(same, 0.0, np.maximum(value - error, 0.0)), value, np.where(same, 0.0, value + error)

    def _levels(self, pairs: Array) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
        return (self.levels_x, pairs[0]), (self.levels_y, pairs[1])


@dataclass(frozen=True, eq=False)
class SortedSamples(ReadOnlyCopies):
    """As many equal masses in every measure.

    Attributes
    ----------
    x, y : ndarray [k, n], [l, n]
        Sorted.
    p : float
    """

    x: Array
    y: Array
    p: float

    def distances(self, pairs: Array, masses: Array) -> tuple[Array, Array, Array]:
        """Lower bounds, values and upper bounds of W_p^p for pairs [2, K]; masses [K] of the first ones."""
        gap = np.abs(self.x[pairs[0]] - self.y[pairs[1]])
        n = gap.shape[1]
        value = masses / n * (gap if self.p == 1 else gap**self.p).sum(axis=1)
        error = 1.01 * (2 * n + 2 * self.p + 10) * UNIT * value + _UNDERFLOW * gap.any(axis=1)
        return np.maximum(value - error, 0.0), value, value + error


def on_common_support(x: Collection, y: Collection) -> CommonSupport | None:
    """The histograms, where all measures have the same increasing points on the line."""
    n = int(x.sizes[0])
    points = x.points[:n, 0]
    if x.d != 1 or (x.sizes != n).any() or (y.sizes != n).any() or not _in_range(points):
        return None
    if any((side.points[:, 0].reshape(-1, n) != points).any() for side in (x, y)):
        return None
    order = np.argsort(points, kind="stable")
    gaps = np.diff(points[order])

    weights = [side.weights.reshape(-1, n)[:, order] for side in ((x,) if y is x else (x, y))]
    levels = [np.cumsum(w, axis=1)[:, :-1] / side.masses[:, None] for w, side in zip(weights, (x, y), strict=False)]
    return CommonSupport(levels[0], levels[-1], weights[0], weights[-1], gaps)


def of_equal_size(x: Collection, y: Collection, p: float) -> SortedSamples | None:
    """The sorted samples, where all measures have as many equal masses on the line."""
    n = int(x.sizes[0])
    if x.d != 1 or (x.sizes != n).any() or (y.sizes != n).any() or p > 3:
        return None
    for side in (x, y):
        table = side.weights.reshape(-1, n)
        if (table != table[:, :1]).any() or not _in_range(side.points):
            return None
    above = np.sort(x.points[:, 0].reshape(-1, n), axis=1)
    return SortedSamples(above, above if y is x else np.sort(y.points[:, 0].reshape(-1, n), axis=1), p)


def _in_range(points: Array) -> bool:
    return bool(np.abs(points).max() < WIDEST)
