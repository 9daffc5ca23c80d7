"""Fast verification: the same inequalities in float64, each with its rounding error added outward.

Written apart from the auditor that made the proof: own costs, own sums, own
error bounds.  O(n m) time, O(n + m) memory.

With u = 2**-53, a computed cost is within (d + 4) u of the true one
(difference form), f_i + g_j within u, and math.fsum rounds once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import fsum, inf

import numpy as np

from otdiv.core.validation import Array
from otdiv.verification.record import Proof

_U = 2.0**-53
"""Unit roundoff of float64."""
_BLOCK = 2**20
"""Entries of the cost matrix that are checked at a time (8 MiB); more are hardly faster."""


@dataclass(frozen=True)
class FloatBounds:
    """What the arrays of a proof prove in float64.

    Attributes
    ----------
    lower, upper : float
        The ends, rounding outward.
    allowance : float
        How much of the width is this verification's own rounding: a claim within it is not refused.
    """

    lower: float
    upper: float
    allowance: float


def float_bounds(proof: Proof) -> FloatBounds:
    """Both bounds of a proof in float64 with outward rounding; see :func:`exact_bounds`."""
    relative = 0.0 if proof.cost in ("matrix", "arcs", "discrete") else (proof.d + 4) * _U
    scale, shift, largest = _worst_pairs(proof, relative)
    mass = fsum(proof.a)
    ratio = mass / fsum(proof.b)
    terms = np.concatenate([proof.a * proof.f, ratio * (proof.b * proof.g)])
    dual = fsum(terms)
    rounding = 8 * _U * float(np.abs(terms).sum()) + 2e-300
    nonnegative = bool(proof.entries.min(initial=0.0) >= 0)
    scaled = dual * scale if dual > 0 and nonnegative else -inf  # pairs of negative cost do not survive a scaling
    lower = max(dual - mass * shift, scaled) - rounding
    if nonnegative:
        lower = max(lower, 0.0)

    costs = _arc_costs(proof)
    paid = proof.mass * costs
    cost = fsum(paid)
    size = float(np.abs(paid).sum())
    off, off_rounding = _marginal_error(proof, ratio)
    forbidden = proof.about != "the weights"
    price = max(float(np.abs(proof.f).max()), float(np.abs(proof.g).max())) if forbidden else largest
    price *= 1 if nonnegative else 2
    upper_rounding = 2 * (relative + 4 * _U) * size + off_rounding * price + 1e-300
    upper = cost + off * price + upper_rounding
    if forbidden and off > 1e-9 * mass:
        upper = inf
    allowance = 4 * (
        rounding + upper_rounding + (relative + 4 * _U) * (abs(dual) + mass * min(largest, abs(dual) / mass))
    )
    return FloatBounds(lower, upper, allowance)


def _worst_pairs(proof: Proof, relative: float) -> tuple[float, float, float]:
    """Smallest c / (f + g) (at most 1), largest f + g - c (at least 0), largest finite cost; all outward."""
    scale, shift, largest = 1.0, 0.0, 0.0
    for sums, costs in _pairs(proof):
        finite = np.isfinite(costs)
        largest = max(largest, float(np.abs(costs[finite]).max(initial=0.0)))
        least = costs * (1 - relative)
        most = sums + np.abs(sums) * 2 * _U
        shift = max(shift, float((most - least).max(initial=0.0)))
        over = most > least
        if over.any():
            ratio = np.divide(least, most, out=np.zeros_like(most), where=over & (most > 0))
            scale = min(scale, float(ratio[over].min()))
    return scale * (1 - 4 * _U), shift * (1 + 4 * _U), largest * (1 + 2 * relative + 4 * _U)


def _pairs(proof: Proof) -> Iterator[tuple[Array, Array]]:
    """f + g and the cost of every pair, block by block; of arcs in a list in one block."""
    if proof.cost == "arcs":
        sources, targets = proof.costs[:, 0].astype(np.int64), proof.costs[:, 1].astype(np.int64)
        yield proof.f[sources] + proof.g[targets], proof.costs[:, 2]
        return
    step = max(1, _BLOCK // proof.m)
    for start in range(0, proof.n, step):
        rows = slice(start, start + step)
        yield proof.f[rows, None] + proof.g, _costs(proof, rows)


def _costs(proof: Proof, rows: slice) -> Array:
    if proof.cost == "matrix":
        return proof.costs[rows]
    x, y = proof.x[rows], proof.y
    total = np.zeros((len(x), len(y)))
    for k in range(proof.d):
        _accumulate(proof.cost, np.subtract.outer(x[:, k], y[:, k]), total)
    return _finished(proof.cost, total)


def _arc_costs(proof: Proof) -> Array:
    if proof.cost == "matrix":
        return proof.costs[proof.rows, proof.columns]
    if proof.cost == "arcs":
        keys = proof.costs[:, 0] * proof.m + proof.costs[:, 1]  # below 2**53: exact
        wanted = (proof.rows * proof.m + proof.columns).astype(np.float64)
        place = np.minimum(np.searchsorted(keys, wanted), max(len(keys) - 1, 0))
        found = keys[place] == wanted if len(keys) else np.zeros(len(wanted), bool)
        return np.where(found, proof.costs[place, 2] if len(keys) else np.inf, np.inf)
    total = np.zeros(len(proof.mass))
    for k in range(proof.d):
        _accumulate(proof.cost, proof.x[proof.rows, k] - proof.y[proof.columns, k], total)
    return _finished(proof.cost, total)


def _accumulate(cost: str, gap: Array, total: Array) -> None:
    if cost in ("euclidean", "sqeuclidean"):
        total += gap * gap
    elif cost == "cityblock":
        total += np.abs(gap)
    else:
        np.maximum(total, np.abs(gap), out=total)


def _finished(cost: str, total: Array) -> Array:
    if cost == "euclidean":
        return np.sqrt(total)
    return (total > 0).astype(np.float64) if cost == "discrete" else total


def _marginal_error(proof: Proof, ratio: float) -> tuple[float, float]:
    """L1 distance of the marginals from the weights, and a bound on its rounding."""
    target = ratio * proof.b
    off = rounding = 0.0
    for index, wanted in ((proof.rows, proof.a), (proof.columns, target)):
        sums = np.bincount(index, weights=proof.mass, minlength=len(wanted))
        terms = np.bincount(index, minlength=len(wanted))
        off += float(np.abs(sums - wanted).sum())
        rounding += float(((terms + 4) * sums).sum() + 4 * wanted.sum()) * _U
    return off * (1 + 1e-9), rounding
