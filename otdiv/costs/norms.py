"""Costs of points: norms of their difference.

Evaluated by differences, never by |x|^2 + |y|^2 - 2 x.y, so that a far offset
of the coordinates costs no digits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from otdiv.core.rounding import UNIT
from otdiv.core.validation import Array, invalid
from otdiv.costs.base import PointCost
from otdiv.errors import InvalidInput


class Euclidean(PointCost):
    """d(x, y) = |x - y|_2, in the unit of the coordinates."""

    name, is_metric, line_power = "euclidean", True, 1

    def matrix(self, x: Array, y: Array) -> Array:
        return _guarded(lambda s, t: _pairs(s, t, "euclidean"), x, y, power=1)

    def gradient(self, x: Array, y: Array) -> Array:
        gap, length = x - y, self.elementwise(x, y)[:, None]
        return np.divide(gap, length, out=np.zeros_like(gap), where=length > 0)

    def elementwise(self, x: Array, y: Array) -> Array:
        if x.shape[1] == 1:
            return _guarded(lambda s, t: np.abs(s[:, 0] - t[:, 0]), x, y, power=1)
        return _guarded(lambda s, t: np.sqrt(np.sum((s - t) ** 2, axis=1)), x, y, power=1)

    def absolute_error(self, d: int) -> float:
        return d * 1e-160


class SquaredEuclidean(PointCost):
    """d(x, y) = |x - y|_2^2, in the squared unit of the coordinates; not a metric."""

    name, is_metric, line_power = "sqeuclidean", False, 2

    def matrix(self, x: Array, y: Array) -> Array:
        return _guarded(lambda s, t: _pairs(s, t, "sqeuclidean"), x, y, power=2)

    def gradient(self, x: Array, y: Array) -> Array:
        return 2 * (x - y)

    def elementwise(self, x: Array, y: Array) -> Array:
        return _guarded(lambda s, t: np.sum((s - t) ** 2, axis=1), x, y, power=2)

    def absolute_error(self, d: int) -> float:
        return d * 1e-300


class Cityblock(PointCost):
    """d(x, y) = sum_k |x_k - y_k|, the 1-norm."""

    name, is_metric, line_power = "cityblock", True, 1

    def matrix(self, x: Array, y: Array) -> Array:
        return _guarded(lambda s, t: _pairs(s, t, "cityblock"), x, y, power=1)

    def gradient(self, x: Array, y: Array) -> Array:
        return np.sign(x - y)

    def elementwise(self, x: Array, y: Array) -> Array:
        return _guarded(lambda s, t: np.sum(np.abs(s - t), axis=1), x, y, power=1)


class Chebyshev(PointCost):
    """d(x, y) = max_k |x_k - y_k|, the maximum norm."""

    name, is_metric, line_power = "chebyshev", True, 1

    def matrix(self, x: Array, y: Array) -> Array:
        return _guarded(lambda s, t: _pairs(s, t, "chebyshev"), x, y, power=1)

    def gradient(self, x: Array, y: Array) -> Array:
        gap = x - y
        rows, widest = np.arange(len(gap)), np.abs(gap).argmax(axis=1)
        result = np.zeros_like(gap)
        result[rows, widest] = np.sign(gap[rows, widest])
        return result

    def elementwise(self, x: Array, y: Array) -> Array:
        return _guarded(lambda s, t: np.max(np.abs(s - t), axis=1), x, y, power=1)

    def relative_error(self, d: int) -> float:
        return 2 * UNIT


@dataclass(frozen=True)
class Minkowski(PointCost):
    """d(x, y) = (sum_k |x_k - y_k|^p)^(1/p), the p-norm, p >= 1.

    Evaluated as M (sum (|x_k - y_k| / M)^p)^(1/p) with M the largest
    difference, so that no power overflows or underflows.
    """

    p: float

    def __post_init__(self) -> None:
        if not 1 <= self.p < np.inf:
            raise invalid("p", "be at least 1 and finite", repr(self.p), "Use cost='chebyshev' for p = inf.")

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"minkowski:{self.p:g}"

    is_metric, line_power = True, 1

    def matrix(self, x: Array, y: Array) -> Array:
        top = Chebyshev().matrix(x, y)
        safe = np.where(top > 0, top, 1.0)
        powers = np.zeros_like(top)
        for k in range(x.shape[1]):
            powers += (np.abs(x[:, k, None] - y[None, :, k]) / safe) ** self.p
        return self._norm(top, powers, x, y)

    def gradient(self, x: Array, y: Array) -> Array:
        gap, length = x - y, self.elementwise(x, y)[:, None]
        share = np.divide(np.abs(gap), length, out=np.zeros_like(gap), where=length > 0)
        return np.sign(gap) * share ** (self.p - 1)

    def elementwise(self, x: Array, y: Array) -> Array:
        top = Chebyshev().elementwise(x, y)
        safe = np.where(top > 0, top, 1.0)
        return self._norm(top, np.sum((np.abs(x - y) / safe[:, None]) ** self.p, axis=1), x, y)

    def _norm(self, top: Array, powers: Array, x: Array, y: Array) -> Array:
        with np.errstate(over="ignore"):
            norm = top * powers ** (1 / self.p)
        if not np.all(np.isfinite(norm)):
            raise too_far_apart(x, y)
        return norm

    def relative_error(self, d: int) -> float:
        return (d + 20) * UNIT


class Discrete(PointCost):
    """d(x, y) = 0 if x = y, else 1: optimal transport is then the total variation."""

    name, is_metric = "discrete", True

    def matrix(self, x: Array, y: Array) -> Array:
        return (_pairs(x, y, "hamming") > 0).astype(np.float64)

    def elementwise(self, x: Array, y: Array) -> Array:
        return np.any(x != y, axis=1).astype(np.float64)

    def relative_error(self, d: int) -> float:
        return 0.0


def _pairs(x: Array, y: Array, name: str) -> Array:
    """All distances [n, m] of that name, by SciPy, which takes long to import."""
    from scipy.spatial.distance import cdist

    return cdist(x, y, name)


def _guarded(distance: Callable[[Array, Array], Array], x: Array, y: Array, power: int) -> Array:
    """Apply ``distance``; where its squares leave the range of float64, rescale by a power of two first."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        result = distance(x, y)
        largest = float(result.max())
        if 1e-140 < largest < 1e290 or (largest == 0.0 and not np.any(x[:1] != y)):
            return result
        spread = float(max(np.abs(x).max(), np.abs(y).max()))
        if spread == 0.0:
            return result
        exponent = int(np.frexp(spread)[1])
        if abs(exponent) < 400 and np.isfinite(largest):
            return result
        scaled = np.ldexp(distance(np.ldexp(x, -exponent), np.ldexp(y, -exponent)), power * exponent)
        # where nothing overflowed or vanished the first answer is right; the second may have lost small digits
        result = np.where((result > 1e-140) & np.isfinite(result), result, scaled)
    if not np.all(np.isfinite(result)):
        raise too_far_apart(x, y)
    return result


def too_far_apart(x: Array, y: Array) -> InvalidInput:
    """The error for distances that float64 cannot hold."""
    return invalid(
        "points",
        "lie close enough for float64 to hold their distances",
        f"coordinates up to {max(np.abs(x).max(), np.abs(y).max()):.3g}",
        "Rescale the points.",
    )
