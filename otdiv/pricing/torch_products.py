"""All pairs by torch, on a graphics card or the CPU: a filter in single precision, then exact differences.

As in :mod:`otdiv.pricing.matrix_products`, with the comparison done on the device: for each pair a
number below its true c - g, and only the pairs where that number is low enough come back,
to be computed by differences in double precision.  So the answer is that of computing
every pair by differences, whatever the device.

The bound.  Points are scaled so that norms are at most 1.  In units v = 2**-24, a squared
distance |x|^2 + |y|^2 - 2 x.y is off by the product, (d + 3) |x| |y| each, by the rounding of
both norms, and by two sums of numbers up to 2 (|x|^2 + |y|^2); the root, g in single precision
and the last difference by less than 16 (largest cost + largest |g|).  Torch is kept from
multiplying in a shorter format meanwhile.  Torch is imported inside functions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from otdiv.core.memory import BLOCK_ENTRIES, row_blocks
from otdiv.core.validation import Array, optional_import
from otdiv.pricing.compiled_costs import EUCLIDEAN, Metric
from otdiv.pricing.compiled_distances import elementwise_costs
from otdiv.pricing.matrix_products import make_filter

_SINGLE = 2.0**-24
_BLOCKS_ON_DEVICE = 16
"""Blocks of a CPU in one of another device, where launching a computation costs more."""


class TorchProducts:
    """All pairs of x [n, d] and y [m, d] for Euclidean distances or their squares.

    Parameters
    ----------
    metric : Metric
        One that :func:`otdiv.pricing.matrix_products.products_apply` accepts.
    x, y : ndarray [n, d], [m, d]
    device : str
        A torch device.
    block_entries : int
        Pairs of a block on the CPU; three blocks are held at a time.
    """

    def __init__(self, metric: Metric, x: Array, y: Array, device: str, block_entries: int = BLOCK_ENTRIES) -> None:
        self.torch = optional_import("torch", f"device={device!r}", "torch")
        self.metric, self.x, self.y, self.device = metric, x, y, device
        self.block_entries = block_entries * (1 if device == "cpu" else _BLOCKS_ON_DEVICE)
        known = make_filter(x, y)
        slack = known.slack + 16 * _SINGLE * (known.x_norms + float(known.y_norms.max()))
        self.points = [self._moved(p) for p in (known.x, known.y)]
        self.norms = [self._moved(p) for p in (known.x_norms, known.y_norms)]
        self.slack = self._moved(slack * (1 + 2 * _SINGLE))
        self.factor = known.scale if metric.kind == EUCLIDEAN else known.scale**2

    def _moved(self, array: Array) -> Any:
        return self.torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32)).to(self.device)

    def minima(self, g: Array) -> tuple[Array, Array]:
        """As :meth:`otdiv.pricing.pricing.Pricing.minima`."""
        values, where = np.empty(len(self.x)), np.empty(len(self.x), np.int64)
        for first, below, near in self._blocks(g, 1):
            i, j, found = self._exact(first, below, near, g, np.full(len(near), np.inf))
            order = np.lexsort((found, i))
            lead = order[np.concatenate([[True], np.diff(i[order]) > 0])]
            values[i[lead]], where[i[lead]] = found[lead], j[lead]
        return values, where

    def lowest(self, g: Array, tops: Array, k: int) -> tuple[Array, Array, Array]:
        """Tails and heads of the arcs that :meth:`otdiv.pricing.pricing.Pricing.lowest` returns, and its minima."""
        parts = []
        least = tops.copy()
        for first, below, near in self._blocks(g, k):
            i, j, found = self._exact(first, below, near, g, tops[first : first + len(near)])
            kept = found < tops[i]
            i, j, found = i[kept], j[kept], found[kept]
            order = np.lexsort((found, i))
            i, j, found = i[order], j[order], found[order]
            begins = np.concatenate([[True], np.diff(i) > 0]) if len(i) else np.zeros(0, bool)
            least[i[begins]] = found[begins]
            rank = np.arange(len(i)) - np.maximum.accumulate(np.where(begins, np.arange(len(i)), 0))
            parts.append((i[rank < k], j[rank < k]))
        tails, heads = (np.concatenate(part).astype(np.int32) for part in zip(*parts, strict=True))
        return tails, heads, least

    def _blocks(self, g: Array, k: int) -> Iterator[tuple[int, Any, Array]]:
        """Rows from ``first`` on, numbers below their c - g (scaled), and the k targets [rows, k] that seem lowest."""
        n, m = len(self.x), len(self.y)
        moved = self._moved(np.clip((g - _middle(g)) * self.factor, -1e30, 1e30))
        for rows in row_blocks(n, m, self.block_entries):
            squares = (self.norms[0][rows, None] + self.norms[1]) - 2.0 * self._products(rows)
            below = (squares - self.slack[rows, None]).clamp_min_(0.0)
            near = squares.clamp_min_(0.0)
            if self.metric.kind == EUCLIDEAN:
                below, near = below.sqrt_(), near.sqrt_()
            below -= moved
            near -= moved
            lowest = near.argmin(1, keepdim=True) if k == 1 else near.topk(k, dim=1, largest=False, sorted=False)[1]
            yield rows.start, below, lowest.cpu().numpy()

    def _products(self, rows: slice) -> Any:
        """x.y in full single precision, whatever shorter format is set in torch."""
        precision = self.torch.get_float32_matmul_precision()
        try:
            self.torch.set_float32_matmul_precision("highest")
            return self.points[0][rows] @ self.points[1].T
        finally:
            self.torch.set_float32_matmul_precision(precision)

    def _exact(self, first: int, below: Any, near: Array, g: Array, tops: Array) -> tuple[Array, Array, Array]:
        """Pairs i, j and their c - g: all that may lie below ``tops`` and among the lowest of their row, by rows."""
        rows, k = near.shape
        i = np.repeat(np.arange(first, first + rows), k)
        worst = self._values(i, near.ravel(), g).reshape(rows, k).max(axis=1)
        largest = 4.0 + float(np.abs(g - _middle(g)).max()) * self.factor
        with np.errstate(over="ignore"):
            limit = (np.minimum(worst, tops) + _middle(g)) * self.factor + 16 * _SINGLE * largest
            limit = np.nextafter(limit.astype(np.float32), np.float32(np.inf))
        if not largest < 1e30:  # beyond single precision: every pair is evaluated
            limit[:] = np.inf
        hits = (below <= self.torch.from_numpy(limit).to(self.device)[:, None]).nonzero().cpu().numpy()
        i, j = hits[:, 0] + first, hits[:, 1]
        return i, j, self._values(i, j, g)

    def _values(self, i: Array, j: Array, g: Array) -> Array:
        return np.asarray(elementwise_costs(self.metric, self.x, self.y, i.astype(np.int32), j.astype(np.int32)) - g[j])


def _middle(g: Array) -> float:
    return 0.5 * (float(g.min()) + float(g.max()))
