"""Exact verification: every inequality checked in integer arithmetic, nothing rounded.

A float is an integer times a power of two, so all data become integers on one
grid 2**-shift.  Squared distances, sums and differences are then exact; a
Euclidean distance is compared through its square, and where its value is needed
it is bracketed by an integer square root with 64 further bits.

O(n m) time, O(n + m) memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt
from typing import Any

import numpy as np

from otdiv.core.validation import Array
from otdiv.verification.record import Proof

_ROOT_BITS = 64
"""Bits after the last one of the grid to which square roots are bracketed; more make the brackets narrower."""


@dataclass(frozen=True)
class ExactBounds:
    """What the arrays of a proof prove, as exact rational numbers.

    Attributes
    ----------
    lower, upper : Fraction
        upper is None where the plan uses a forbidden arc, or, where arcs are forbidden, misses the
        marginals by more than 1e-9 of the mass: then no finite price covers what is missing.
    violated : int
        Pairs with f_i + g_j > c_ij; they are paid for in ``lower``.
    marginal_error : Fraction
        |row sums - a|_1 + |column sums - b|_1; paid for in ``upper`` at the largest cost.
    """

    lower: Fraction
    upper: Fraction | None
    violated: int
    marginal_error: Fraction


def exact_bounds(proof: Proof) -> ExactBounds:
    """Both bounds of a proof in rational arithmetic.

    lower: if f + g <= c on all pairs, sum a f + sum b g.  Otherwise the better of two repairs, each
    feasible: (f, g) scaled by the smallest c / (f + g) (where no cost is negative), or f shifted down by
    the largest violation.
    upper: cost of the plan, plus the mass its marginals are off times the largest cost.
    """
    grid = _Grid(proof)
    violations, largest = [], 0
    for i in range(proof.n):
        allowed, squares_or_costs = grid.row(i)
        sums = grid.f[i] + grid.g[allowed]
        largest = max(largest, max(squares_or_costs, default=0))
        for k in np.flatnonzero(grid.exceeds(sums, squares_or_costs)):
            violations.append((Fraction(sums[k]), grid.lower_root(squares_or_costs[k])))
    unit = Fraction(1, grid.one)
    mass_a, mass_b = sum(grid.a), sum(grid.b)
    ratio = Fraction(mass_a, mass_b)
    dual = (sum(w * v for w, v in zip(grid.a, grid.f, strict=True)) * unit * unit) + ratio * (
        sum(w * v for w, v in zip(grid.b, grid.g, strict=True)) * unit * unit
    )
    nonnegative = bool((proof.entries >= 0).all())
    lower = dual
    if violations:
        shift = max(s - c for s, c in violations) * unit
        lower = dual - shift * mass_a * unit
        if nonnegative:  # else a pair with f + g <= c < 0 would not survive the scaling
            scale = min(c / s for s, c in violations if s > 0) if all(s > 0 for s, _ in violations) else Fraction(0)
            lower = max(lower, scale * dual)
    if nonnegative:
        lower = max(lower, Fraction(0))
    error = _marginal_error(grid, proof, ratio)
    cost = _plan_cost(grid, proof)
    nearby = proof.about != "the weights"
    if cost is None or (nearby and error > Fraction(mass_a, grid.one * 10**9)):
        return ExactBounds(lower, None, len(violations), error)
    if not nearby:
        price = grid.upper_root(largest) * unit * (1 if nonnegative else 2)
        if not nonnegative:
            price = max(price, 2 * max(abs(Fraction(float(c))) for c in proof.entries))
    else:
        price = max(Fraction(max(abs(v) for v in grid.f)), Fraction(max(abs(v) for v in grid.g))) * unit
    return ExactBounds(lower, cost + error * price, len(violations), error)


class _Grid:
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

    def row(self, i: int) -> tuple[Any, Array]:
        """Which arcs of row i are not forbidden, and their costs, or the squares of Euclidean ones; in grid units."""
        if self.cost == "matrix":
            finite = np.isfinite(self.entries[i])
            return finite, self._integers(self.entries[i][finite])
        if self.cost == "arcs":
            mine = slice(self.starts[i], self.starts[i + 1])
            return self.targets[mine], self._integers(self.entries[mine, 2])
        return slice(None), self._distance([self.x[i, k] - self.y[:, k] for k in range(self.y.shape[1])])

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


def _marginal_error(grid: _Grid, proof: Proof, ratio: Fraction) -> Fraction:
    rows, columns = [0] * proof.n, [0] * proof.m
    for i, j, mass in _arcs(grid, proof):
        rows[i] += mass
        columns[j] += mass
    off_rows = sum(abs(r - w) for r, w in zip(rows, grid.a, strict=True))
    off_columns = sum(abs(c * ratio.denominator - w * ratio.numerator) for c, w in zip(columns, grid.b, strict=True))
    return (Fraction(off_rows) + Fraction(off_columns, ratio.denominator)) / grid.one


def _plan_cost(grid: _Grid, proof: Proof) -> Fraction | None:
    """An upper bound of sum mass c, exact but for square roots; None on a forbidden arc."""
    cost = Fraction(0)
    for i, j, mass in _arcs(grid, proof):
        if mass:
            measure = grid.measure_arc(i, j)
            if measure is None:
                return None
            cost += mass * grid.upper_root(measure)
    return cost / grid.one / grid.one


def _arcs(grid: _Grid, proof: Proof) -> Iterator[tuple[int, int, int]]:
    return zip(proof.rows.tolist(), proof.columns.tolist(), grid.mass.tolist(), strict=True)
