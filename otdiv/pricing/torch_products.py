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

from copy import copy
from typing import Any

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.core.memory import BLOCK_ENTRIES, row_blocks
from otdiv.core.validation import Array, optional_import
from otdiv.pricing.compiled_costs import EUCLIDEAN, Metric
from otdiv.pricing.compiled_distances import pair_costs
from otdiv.pricing.matrix_products import squares_slack

_SINGLE = 2.0**-24
_BLOCKS_ON_DEVICE = 64
"""Blocks of a CPU in one of another device (512 MiB of float32), where launching a computation costs more."""
_HITS_PER_ROW = 64
"""Pairs below the tops, in the mean of the rows, up to which all of them are computed exactly; where there are more,
the k lowest are searched for first."""
_GROUPS = 32
"""Groups of targets for each of the k lowest that are wanted; only the lowest of a group is a candidate.
More: a closer bound and fewer pairs to compute exactly, from more numbers to select from."""


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
        Pairs of a block on the CPU.
    threads : int
        For the exact costs.
    """

    def __init__(
        self,
        metric: Metric,
        x: Array,
        y: Array,
        device: str,
        block_entries: int = BLOCK_ENTRIES,
        threads: int = 1,
    ) -> None:
        self.torch = optional_import("torch", f"device={device!r}", "torch")
        self.metric, self.x, self.y, self.device, self.threads = metric, x, y, device, threads
        self.block_entries = block_entries * (1 if device == "cpu" else _BLOCKS_ON_DEVICE)
        points, scale = self._scaled(x, y)
        norms = [(part * part).sum(1) for part in points]
        x_norms, y_norms = (part.cpu().numpy() for part in norms)
        slack = squares_slack(x.shape[1], x_norms, y_norms) + 16 * _SINGLE * (x_norms + float(y_norms.max()))
        self.points, self.norms = [part.float() for part in points], [part.float() for part in norms]
        self.slack = self._moved(slack * (1 + 2 * _SINGLE))
        self.factor = scale if metric.kind == EUCLIDEAN else scale**2

    def _scaled(self, x: Array, y: Array) -> tuple[list[Any], float]:
        """Both sets in double precision on the device, centred and scaled by a power of two to norms of at most 1."""
        points = [self.torch.from_numpy(np.ascontiguousarray(part)).to(self.device) for part in (x, y)]
        centre = points[1].mean(0)
        points = [part - centre for part in points]
        largest = max(*(float(part.abs().max()) for part in points), 1e-300)
        scale = float(np.ldexp(1.0, -int(np.frexp(largest * np.sqrt(x.shape[1]))[1])))
        return [part.mul_(scale) for part in points], scale

    def _moved(self, array: Array) -> Any:
        return self.torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32)).to(self.device)

    def of_rows(self, rows: Array) -> TorchProducts:
        """Some of the points x against all of y; what is known of y stays where it is."""
        part = copy(self)
        chosen = self.torch.from_numpy(rows).to(self.device)
        part.x = self.x[rows]
        part.points, part.norms = [self.points[0][chosen], self.points[1]], [self.norms[0][chosen], self.norms[1]]
        part.slack = self.slack[chosen]
        return part

    def minima(self, g: Array) -> tuple[Array, Array]:
        """As :meth:`otdiv.pricing.pricing.Pricing.minima`."""
        _, where, values = self._lowest(g, np.full(len(self.x), np.inf), 1)
        return values, where.astype(np.int64)

    def lowest(self, g: Array, tops: Array, k: int) -> tuple[Array, Array, Array]:
        """Tails and heads of the arcs that :meth:`otdiv.pricing.pricing.Pricing.lowest` returns, and its minima."""
        tails, heads, values = self._lowest(g, tops, k)
        least = tops.copy()
        begins = np.concatenate([[True], np.diff(tails) > 0]) if len(tails) else np.zeros(0, bool)
        least[tails[begins]] = values[begins]
        return tails, heads, least

    def _lowest(self, g: Array, tops: Array, k: int) -> tuple[Array, Array, Array]:
        """Tails, heads and c - g of the at most k lowest arcs of each row below its top, in ascending order."""
        parts = []
        for rows in row_blocks(len(self.x), len(self.y), self.block_entries):
            below = self._below(rows, g)
            i, j = self._pairs(below, rows.start, tops[rows], g, k)
            values = self._values(i, j, g)
            kept = lowest_of_rows(i, values, tops, k)
            parts.append((i[kept], j[kept], values[kept]))
        tails, heads, values = (np.concatenate(part) for part in zip(*parts, strict=True))
        return tails, heads, values

    def _below(self, rows: slice, g: Array) -> Any:
        """Numbers below the c - g of these rows, scaled."""
        moved = self._moved(np.clip((g - _middle(g)) * self.factor, -1e30, 1e30))
        below = self._squares(rows).sub_(self.slack[rows, None]).clamp_min_(0.0)
        if self.metric.kind == EUCLIDEAN:
            below.sqrt_()
        return below.sub_(moved)

    def _squares(self, rows: slice) -> Any:
        """|x|^2 + |y|^2 - 2 x.y in full single precision, whatever shorter format is set in torch."""
        precision = self.torch.get_float32_matmul_precision()
        sums = self.norms[0][rows, None] + self.norms[1]
        try:
            self.torch.set_float32_matmul_precision("highest")
            return sums.addmm_(self.points[0][rows], self.points[1].T, alpha=-2)
        finally:
            self.torch.set_float32_matmul_precision(precision)

    def _pairs(self, below: Any, first: int, tops: Array, g: Array, k: int) -> tuple[Array, Array]:
        """Pairs i, j, by rows: all that may lie below ``tops`` and among the k lowest of their row."""
        if np.isfinite(tops).all():
            mask = below <= self._limit(tops, g)
            if int(mask.sum()) <= _HITS_PER_ROW * len(tops):
                return _of_mask(mask, first)
        near = _low_columns(below, k)
        i = np.repeat(np.arange(first, first + len(tops), dtype=np.int32), k)
        worst = self._values(i, near.flatten().int().cpu().numpy(), g).reshape(len(tops), k).max(axis=1)
        return _of_mask(below <= self._limit(np.minimum(worst, tops), g), first)

    def _limit(self, tops: Array, g: Array) -> Any:
        """What the numbers of a row are at most where c - g may lie below its top."""
        largest = 4.0 + float(np.abs(g - _middle(g)).max()) * self.factor
        with np.errstate(over="ignore"):
            limit = (tops + _middle(g)) * self.factor + 16 * _SINGLE * largest
            limit = np.nextafter(limit.astype(np.float32), np.float32(np.inf))
        if not largest < 1e30:  # beyond single precision: every pair is evaluated
            limit[:] = np.inf
        return self.torch.from_numpy(limit).to(self.device)[:, None]

    def _values(self, i: Array, j: Array, g: Array) -> Array:
        return pair_costs(self.metric, self.x, self.y, i, j, self.threads) - g[j]


def _low_columns(numbers: Any, k: int) -> Any:
    """k different columns [rows, k] of low numbers in each row, mostly the lowest.

    They are the lowest of the lowest of groups, since to select from whole rows takes longer than a matrix product.
    """
    if k == 1:
        return numbers.argmin(1, keepdim=True)
    m = numbers.shape[1]
    groups = min(m, _GROUPS * k)
    rows = m // groups  # of a table with a column for each group; what is left over only makes the bound less close
    lowest, at = numbers[:, : rows * groups].unflatten(1, (rows, groups)).min(1)
    chosen = lowest.topk(k, dim=1, largest=False, sorted=False)[1]
    return at.gather(1, chosen) * groups + chosen


def _of_mask(mask: Any, first: int) -> tuple[Array, Array]:
    """Rows, counted from ``first``, and columns where the mask holds, by rows."""
    hits = mask.nonzero().int().cpu().numpy()
    return hits[:, 0] + np.int32(first), np.ascontiguousarray(hits[:, 1])


@kernel()
def lowest_of_rows(i, values, tops, k):
    """Positions of the at most k lowest values of each i below tops[i], ascending, ties in order; i is sorted."""
    kept = np.empty(len(i), np.int64)
    count = 0
    begin = 0
    for p in range(len(i)):
        if p > 0 and i[p] != i[p - 1]:
            begin = count
        value = values[p]
        if not value < tops[i[p]]:
            continue
        if count - begin < k:
            at = count
            count += 1
        elif value < values[kept[count - 1]]:
            at = count - 1
        else:
            continue
        while at > begin and values[kept[at - 1]] > value:
            kept[at] = kept[at - 1]
            at -= 1
        kept[at] = p
    return kept[:count]


def _middle(g: Array) -> float:
    return 0.5 * (float(g.min()) + float(g.max()))
