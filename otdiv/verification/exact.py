"""What the arrays of a proof prove, in rational arithmetic: every inequality decided exactly, nothing rounded.

The same bounds at both levels of verification.  The exact level decides every
pair in integers; the float level lets float64 pass the pairs that are clear
whatever the rounding (:mod:`otdiv.verification.clear_pairs`) and decides the
others in integers.

O(n m) time, O(n + m) memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from otdiv.errors import CertificateRefused
from otdiv.verification.clear_pairs import FloatFilter
from otdiv.verification.grid import Grid, nearest_float
from otdiv.verification.record import Proof

_NEARBY_SHARE = 10**9
"""A statement about nearby weights is made where the plan's marginals are off by at most mass / this number."""
_MOST_VIOLATED = 200_000
"""Violated pairs that are paid for one by one (about a second); rounding alone violates few."""


@dataclass(frozen=True)
class ExactBounds:
    """What the arrays of a proof prove, as exact rational numbers.

    Attributes
    ----------
    lower, upper : Fraction
        upper is None where the plan uses a forbidden arc, or, where arcs are forbidden or costs are
        sentinels, misses the marginals by more than 1e-9 of the mass: then no finite price covers it.
    violated : int
        Pairs with f_i + g_j > c_ij; they are paid for in ``lower``.
    marginal_error : Fraction
        |row sums - a|_1 + |column sums - b|_1.
    """

    lower: Fraction
    upper: Fraction | None
    violated: int
    marginal_error: Fraction


def exact_bounds(proof: Proof, *, prefilter: bool = False) -> ExactBounds:
    """Both bounds of a proof in rational arithmetic.

    lower: if f + g <= c on all pairs, sum a f + sum b g.  Otherwise the better of two repairs, each
    feasible: (f, g) scaled by the smallest c / (f + g) (where no cost is negative), or f shifted down by
    the largest violation.
    upper: cost of the plan, plus the mass its marginals are off times the largest cost.
    Where ``proof.nearby``, both are about the plan's own marginals in place of a and b: nothing is off then.

    Parameters
    ----------
    proof : Proof
    prefilter : bool
        Let float64 pass the pairs that are clear whatever the rounding.

    Raises
    ------
    CertificateRefused
        The claimed lower end does not follow; with ``prefilter`` also if more pairs are too close to call
        than integers can decide in a minute.
    """
    grid = Grid(proof)
    unit = Fraction(1, grid.one)
    rows, columns = _marginals(grid, proof)
    a: Any = grid.a
    b: Any = grid.b
    ratio = Fraction(sum(a), sum(b))
    off = sum(abs(r - w) for r, w in zip(rows, a, strict=True)) + sum(
        abs(c - w * ratio) for c, w in zip(columns, b, strict=True)
    )
    error = off * unit
    cost = _plan_cost(grid, proof)
    if proof.nearby:
        if cost is None or off * _NEARBY_SHARE > sum(a):
            cost = None
        else:
            a, b, ratio = rows, columns, Fraction(1)

    pairs = FloatFilter(proof) if prefilter else None
    nonnegative = bool((proof.entries >= 0).all())
    dual = (_dot(a, grid.f) + ratio * _dot(b, grid.g)) * unit * unit
    repair = _Repair(dual, sum(a) * unit * unit, nonnegative)
    claimed = Fraction(proof.claimed.lower)
    for found in _violations(grid, proof, pairs):
        repair.pay(found)
        hopeless = repair.violated > _MOST_VIOLATED
        if nonnegative and (repair.lower <= 0 or (hopeless and claimed <= 0)):
            repair.give_up()
            break  # nothing is left to prove: the optimum is at least 0
        if hopeless:
            raise CertificateRefused(
                f"more than {_MOST_VIOLATED} pairs violate f + g <= c: the lower bound is not proved in useful time."
            )
        if repair.lower < claimed:
            raise CertificateRefused(
                f"the lower bound is not proved: {proof.claimed.lower:.17g} is claimed, "
                f"at most {nearest_float(repair.lower):.17g} follows from the potentials."
            )
    lower = max(repair.lower, Fraction(0)) if nonnegative else repair.lower
    if cost is not None and not proof.nearby and off:
        cost += error * _largest_cost(grid, proof) * (1 if nonnegative else 2)
    return ExactBounds(lower, cost, repair.violated, error)


class _Repair:
    """The value of the potentials after the better repair of the violations seen so far; it only ever falls."""

    def __init__(self, dual: Fraction, mass: Fraction, nonnegative: bool) -> None:
        self._dual, self._mass, self._nonnegative = dual, mass, nonnegative
        self._shift, self._scale = Fraction(0), Fraction(1)
        self.violated = 0

    def pay(self, violations: list[tuple[Fraction, Fraction]]) -> None:
        """Take in pairs (f + g, c) with f + g > c, in grid units."""
        self.violated += len(violations)
        self._shift = max([self._shift, *(total - cost for total, cost in violations)])
        if self._nonnegative:  # then f + g > c >= 0
            self._scale = min([self._scale, *(cost / total for total, cost in violations)])

    def give_up(self) -> None:
        """Leave nothing of the potentials but f = g = 0."""
        self._dual = self._scale = Fraction(0)

    @property
    def lower(self) -> Fraction:
        """What the repaired potentials prove."""
        if not self.violated:
            return self._dual
        shifted = self._dual - self._shift * self._mass
        # where costs are negative, a pair with f + g <= c < 0 would not survive the scaling
        return max(shifted, self._scale * self._dual) if self._nonnegative else shifted


def _violations(grid: Grid, proof: Proof, pairs: FloatFilter | None) -> Iterator[list[tuple[Fraction, Fraction]]]:
    """The pairs (f + g, c) with f + g > c, in grid units, row by row where there are any."""
    rows: Iterator[tuple[int, Any]] = pairs.close() if pairs else ((i, None) for i in range(proof.n))
    for i, chosen in rows:
        targets, measures = grid.row(i, chosen)
        sums = grid.f[i] + grid.g[targets]
        over = np.flatnonzero(grid.exceeds(sums, measures))
        if len(over):
            yield [(Fraction(sums[k]), grid.lower_root(measures[k])) for k in over]


def _largest_cost(grid: Grid, proof: Proof) -> Fraction:
    """At least every finite cost: the largest entry, or the cost between corners of a box around all points."""
    if proof.cost in ("matrix", "arcs"):
        return Fraction(float(np.abs(proof.entries).max(initial=0.0)))
    spans = [max(max(grid.x[:, k]) - min(grid.y[:, k]), max(grid.y[:, k]) - min(grid.x[:, k])) for k in range(proof.d)]
    if proof.cost == "discrete":
        return Fraction(any(spans))
    if proof.cost == "chebyshev":
        return Fraction(max(spans), grid.one)
    return grid.upper_root(sum(s if proof.cost == "cityblock" else s * s for s in spans)) / grid.one


def _marginals(grid: Grid, proof: Proof) -> tuple[list[int], list[int]]:
    """Row and column sums of the plan, in grid units."""
    rows, columns = [0] * proof.n, [0] * proof.m
    for i, j, mass in _arcs(grid, proof):
        rows[i] += mass
        columns[j] += mass
    return rows, columns


def _plan_cost(grid: Grid, proof: Proof) -> Fraction | None:
    """An upper bound of sum mass c, exact but for square roots; None on a forbidden arc."""
    cost = Fraction(0)
    for i, j, mass in _arcs(grid, proof):
        if mass:
            measure = grid.measure_arc(i, j)
            if measure is None:
                return None
            cost += mass * grid.upper_root(measure)
    return cost / grid.one / grid.one


def _arcs(grid: Grid, proof: Proof) -> Iterator[tuple[int, int, int]]:
    return zip(proof.rows.tolist(), proof.columns.tolist(), grid.mass.tolist(), strict=True)


def _dot(weights: Any, values: Any) -> int:
    return sum(w * v for w, v in zip(weights, values, strict=True))
