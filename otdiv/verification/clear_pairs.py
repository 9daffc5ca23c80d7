"""The pairs whose inequality f + g <= c float64 decides beyond doubt; the others are left to integers.

With u = 2**-53, a distance computed from differences is within (d + 4) u of the
true one unless a square over- or underflows; a pair counts as clear only
outside all of that.  A rounded sum has the sign of the exact one, and
rounding keeps order: fl(f + g) < c for a float c means f + g < c.

O(n m d) time, O(n + m) memory.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from otdiv.core.validation import Array
from otdiv.errors import CertificateRefused
from otdiv.verification.record import Proof

_U = 2.0**-53
"""Unit roundoff of float64."""
_BLOCK = 2**20
"""Pairs that are evaluated together (8 MiB a temporary array); more are hardly faster."""
_TINY = 1e-280
"""Sums of squares below this may have lost digits to underflow: never clear, unless f + g <= 0."""
_MOST_CLOSE = 100_000_000
"""Pairs that are left to integers before the float level gives up: about half a minute in the plane."""


class FloatFilter:
    """One pass over all pairs of a proof.

    Parameters
    ----------
    proof : Proof
    """

    def __init__(self, proof: Proof) -> None:
        self._proof = proof
        self._margin = (proof.d + 8) * _U

    def close(self) -> Iterator[tuple[int, Array]]:
        """Row i and those of its targets (or places among its arcs) that are too close to call, row by row.

        Raises
        ------
        CertificateRefused
            After 100 million such pairs.
        """
        count = 0
        for i, chosen in self._close_arcs() if self._proof.cost == "arcs" else self._close_pairs():
            count += len(chosen)
            if count > _MOST_CLOSE:
                raise CertificateRefused(
                    f"more than {_MOST_CLOSE} pairs are too close to call in float64: it cannot say. "
                    "Verify it at level='exact'."
                )
            yield i, chosen

    def _close_pairs(self) -> Iterator[tuple[int, Array]]:
        proof = self._proof
        step = max(1, _BLOCK // proof.m)
        for start in range(0, proof.n, step):
            rows = slice(start, start + step)
            with np.errstate(over="ignore", under="ignore"):
                sums = proof.f[rows, None] + proof.g
                clear = self._clear(sums, proof.costs[rows]) if proof.cost == "matrix" else self._far(rows, sums)
            for k in np.flatnonzero(~clear.all(axis=1)):
                yield start + int(k), np.flatnonzero(~clear[k])

    def _close_arcs(self) -> Iterator[tuple[int, Array]]:
        proof = self._proof
        sources, targets = proof.costs[:, 0].astype(np.int64), proof.costs[:, 1].astype(np.int64)
        with np.errstate(over="ignore"):
            clear = self._clear(proof.f[sources] + proof.g[targets], proof.costs[:, 2])
        starts = np.searchsorted(sources, np.arange(proof.n))
        open_arcs = np.flatnonzero(~clear)
        rows, first = np.unique(sources[open_arcs], return_index=True)
        for i, places in zip(rows.tolist(), np.split(open_arcs, first[1:]), strict=True):
            yield i, places - starts[i]

    @staticmethod
    def _clear(sums: Array, costs: Array) -> Array:
        """Costs given as floats: a rounded sum below one is below it before rounding, too."""
        return (sums < costs) | (costs == np.inf)

    def _far(self, rows: slice, sums: Array) -> Array:
        """Distances of points, which are never negative."""
        total = self._totals(rows)
        if self._proof.cost == "euclidean":
            costs = np.sqrt(total)
        elif self._proof.cost == "discrete":
            costs = (total > 0).astype(np.float64)
        else:
            costs = total
        seen = (total > _TINY) & np.isfinite(costs)
        return (sums <= 0) | (seen & (sums * (1 + 4 * _U) <= costs * (1 - self._margin)))

    def _totals(self, rows: slice) -> Array:
        """Sum of squares, sum or maximum of the coordinate differences, [rows, m]."""
        x, y, cost = self._proof.x[rows], self._proof.y, self._proof.cost
        total = np.zeros((len(x), len(y)))
        for k in range(self._proof.d):
            gap = np.subtract.outer(x[:, k], y[:, k])
            if cost in ("euclidean", "sqeuclidean"):
                total += gap * gap
            elif cost == "cityblock":
                total += np.abs(gap)
            else:
                np.maximum(total, np.abs(gap), out=total)
        return total
