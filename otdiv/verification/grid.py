"""The data of a proof as integers on one grid: value = integer / 2**shift, nothing rounded.

A float is an integer times a power of two.  Squared distances, sums and
differences are then exact; a Euclidean distance is compared through its
square, and where its value is needed it is bracketed by an integer square root.
"""

from __future__ import annotations

from fractions import Fraction
from math import inf, isqrt
from typing import Any

import numpy as np

from otdiv.core.validation import Array
from otdiv.verification.record import Proof

_ROOT_BITS = 64
"""Bits after the last one of the grid to which square roots are bracketed; more make the brackets narrower."""


class Grid:
    """All data of a proof as integers: value = integer / one."""

    def __init__(self, proof: Proof) -> None:
        self.cost = proof.cost
        groups = [proof.x.ravel(), proof.y.ravel(), proof.entries, proof.a, proof.b, proof.mass, proof.f, proof.g]
        self.shift = max(0, max(_fraction_bits(group) for group in groups))
        self.one = 1 << self.shift
        self.x, self.y = self._integers(proof.x), self._integers(proof.y)
        self.a, self.b, self.mass = (self._integers(v) for v in (proof.a, proof.b, proof.mass))
        self.f, self.g = self._integers(proof.f), self._integers(proof.g)
        self.entries = proof.costs
        self.starts, self.targets = np.zeros(0, np.int64), np.zeros(0, np.int64)
        if self.cost == "arcs":
            self.starts = np.searchsorted(proof.costs[:, 0], np.arange(proof.n + 1))
            self.targets = proof.costs[:, 1].astype(np.int64)

    def _integers(self, values: Array) -> Array:
        """values * 2**shift as Python integers in an object array."""
        mantissa, exponent = np.frexp(values)
        whole = np.ldexp(mantissa, 53).astype(np.int64)
        result = np.empty(values.shape, dtype=object)
        moves = exponent.astype(np.int64) - 53 + self.shift
        flat = result.reshape(-1)
        for k, (w, s) in enumerate(zip(whole.ravel().tolist(), moves.ravel().tolist(), strict=True)):
            flat[k] = w << s if s >= 0 else w >> -s  # the bits shifted out are zero by the choice of shift
        return result

    def row(self, i: int, chosen: Array | None = None) -> tuple[Any, Array]:
        """Targets of row i that are not forbidden, and their costs, or the squares of Euclidean ones; in grid units.

        ``chosen`` restricts the row: targets, or for a list of arcs places in the row's part of the list.
        """
        if self.cost == "matrix":
            targets = np.flatnonzero(np.isfinite(self.entries[i])) if chosen is None else chosen
            targets = targets[np.isfinite(self.entries[i, targets])]
            return targets, self._integers(self.entries[i, targets])
        if self.cost == "arcs":
            places = np.arange(self.starts[i], self.starts[i + 1])
            places = places if chosen is None else places[chosen]
            return self.targets[places], self._integers(self.entries[places, 2])
        picked: Any = slice(None) if chosen is None else chosen
        return picked, self._distance([self.x[i, k] - self.y[picked, k] for k in range(self.y.shape[1])])

    def measure_arc(self, i: int, j: int) -> int | None:
        """The same for one arc; None if it is forbidden."""
        if self.cost == "arcs":
            first, end = self.starts[i], self.starts[i + 1]
            k = first + int(np.searchsorted(self.targets[first:end], j))
            there = k < end and self.targets[k] == j
            return int(self._integers(self.entries[k : k + 1, 2])[0]) if there else None
        if self.cost == "matrix":
            entry = self.entries[i, j]
            return int(self._integers(np.array([entry]))[0]) if np.isfinite(entry) else None
        return self._distance([self.x[i, k] - self.y[j, k] for k in range(self.y.shape[1])])

    def _distance(self, gaps: list[Any]) -> Any:
        if self.cost in ("euclidean", "sqeuclidean"):
            return sum(gap * gap for gap in gaps)
        if self.cost == "cityblock":
            return sum(abs(gap) for gap in gaps)
        if self.cost == "discrete":
            differs = sum(gap * gap for gap in gaps) != 0
            return (
                np.asarray(differs, dtype=object) * self.one if isinstance(differs, np.ndarray) else differs * self.one
            )
        largest = abs(gaps[0])
        for gap in gaps[1:]:
            largest = np.maximum(largest, abs(gap)) if isinstance(largest, np.ndarray) else max(largest, abs(gap))
        return largest

    def exceeds(self, sums: Array, measures: Array) -> Array:
        """f_i + g_j > c_ij, decided exactly."""
        if self.cost == "euclidean":
            return np.asarray((sums > 0) & (sums * sums > measures), dtype=bool)
        if self.cost == "sqeuclidean":
            return np.asarray(sums * self.one > measures, dtype=bool)
        return np.asarray(sums > measures, dtype=bool)

    def lower_root(self, measure: int) -> Fraction:
        """A number at most the cost, in grid units; exact but for the Euclidean one."""
        if self.cost == "euclidean":
            return Fraction(isqrt(int(measure) << (2 * _ROOT_BITS)), 1 << _ROOT_BITS)
        return Fraction(int(measure), self.one if self.cost == "sqeuclidean" else 1)

    def upper_root(self, measure: int) -> Fraction:
        """A number at least the cost, in grid units; exact but for the Euclidean one."""
        if self.cost != "euclidean":
            return self.lower_root(measure)
        shifted = int(measure) << (2 * _ROOT_BITS)
        root = isqrt(shifted)
        return Fraction(root if root * root == shifted else root + 1, 1 << _ROOT_BITS)


def _fraction_bits(values: Array) -> int:
    """How many binary digits after the point the values need."""
    present = values[values != 0]
    if present.size == 0:
        return 0
    mantissa, exponent = np.frexp(present)
    whole = np.ldexp(mantissa, 53).astype(np.int64)
    trailing = np.log2((whole & -whole).astype(np.float64)).astype(np.int64)  # exact: a power of two
    return int((53 - exponent.astype(np.int64) - trailing).max())


def nearest_float(value: Fraction) -> float:
    """The float next to a rational number; infinite beyond the largest."""
    try:
        return float(value)
    except OverflowError:
        return inf if value > 0 else -inf
