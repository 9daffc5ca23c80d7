"""All pairs by torch, on a graphics card or the CPU: filters in single and in double precision, then exact differences.

Three steps, of which the first two are the device's.  A matrix product in single precision passes over the pairs that
are proved to be no candidates; what it lets through, some hundred pairs of a row, is computed in double precision;
and the few that may still be among the lowest come back, to be computed by differences as everywhere else.  So the
answer is that of computing every pair by differences, whatever the device.

The test in single precision.  Points are centred and scaled so that norms are at most 1, and g is shifted to the middle
of its range.  Whether |x - y| - g_j <= t_i, where t_i + g_j >= 0, is the sign of

    (|x|^2 - t_i^2) + (|y|^2 - g_j^2) - 2 (x.y + t_i g_j),

one product of rows with d + 3 entries; for squared distances that of (|x|^2 - t_i) + (|y|^2 - g_j) - 2 x.y.  In units
v = 2**-24 a sum of d + 3 products is off by at most d + 3 times the sum of their sizes, in any order, and rounding the
entries adds less than 16 times it; the sum is at most 2 (|x|^2 + t_i^2 + |y|^2 + g_j^2).  Torch is kept from
multiplying in a shorter format meanwhile.  Where t_i + g_j < 0 a pair may pass that is no candidate; where too many
do, distances themselves are compared.  Torch is imported inside functions.
"""

from __future__ import annotations

from copy import copy
from typing import Any, NamedTuple

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.core.memory import BLOCK_ENTRIES, row_blocks
from otdiv.core.validation import Array, optional_import
from otdiv.network_flow.graph import ArcList
from otdiv.pricing.compiled_costs import EUCLIDEAN, Metric
from otdiv.pricing.compiled_distances import pair_costs

_SINGLE, _DOUBLE = 2.0**-24, 2.0**-53
_BLOCKS_ON_DEVICE = 64
"""Blocks of a CPU in one of another device (512 MiB of float32), where launching a computation costs more."""
_HITS_PER_ROW = 512
"""Pairs that pass the product, in the mean of the rows, above which distances are compared."""
_EVERY = 8
"""One in so many targets gives a first bound on the k lowest.  More: a quicker and less close bound."""
_GROUPS = 32
"""Groups of those targets for each of the k lowest that are wanted; only the lowest of a group is a candidate.
More: a closer bound, from more numbers to select from."""
_LARGEST = 1e15
"""Scaled potentials above which squares in single precision say nothing, and distances are compared."""


class _Potential(NamedTuple):
    """g as the device has it: shifted to the middle of its range and scaled.

    Attributes
    ----------
    g : tensor of float64 [m]
    columns : tensor of float32 [m, d + 2 or d + 3]
        The rows of the targets in the product.
    reach : float
        The largest of |y|^2 + g^2, or of |y|^2 + |g| for squared distances.
    middle, largest : float
        What was subtracted from g, unscaled; and the largest |g| as given, scaled.
    """

    g: Any
    columns: Any
    reach: float
    middle: float
    largest: float


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
        self.euclidean = metric.kind == EUCLIDEAN
        self.block_entries = block_entries * (1 if device == "cpu" else _BLOCKS_ON_DEVICE)
        self.points, scale = self._scaled(x, y)
        self.norms = [(part * part).sum(1) for part in self.points]
        self.single = [part.float() for part in self.points]
        self.unit = _SINGLE
        self.factor = scale if self.euclidean else scale**2

    def _scaled(self, x: Array, y: Array) -> tuple[list[Any], float]:
        """Both sets in double precision on the device, centred and scaled by a power of two to norms of at most 1."""
        points = [self.torch.from_numpy(np.ascontiguousarray(part)).to(self.device) for part in (x, y)]
        centre = points[1].mean(0)
        points = [part - centre for part in points]
        largest = max(*(float(part.abs().max()) for part in points), 1e-300)
        scale = float(np.ldexp(1.0, -int(np.frexp(largest * np.sqrt(x.shape[1]))[1])))
        return [part.mul_(scale) for part in points], scale

    def of_rows(self, rows: Array) -> TorchProducts:
        """Some of the points x against all of y; what is known of y stays where it is."""
        part = copy(self)
        chosen = self.torch.from_numpy(rows).to(self.device)
        part.x = self.x[rows]
        part.points, part.norms, part.single = (
            [both[0][chosen], both[1]] for both in (self.points, self.norms, self.single)
        )
        return part

    def minima(self, g: Array) -> tuple[Array, Array]:
        """As :meth:`otdiv.pricing.pricing.Pricing.minima`."""
        arcs, values = self._lowest(g, np.full(len(self.x), np.inf), 1)
        return values, arcs.heads.astype(np.int64)

    def lowest(self, g: Array, tops: Array, k: int) -> tuple[ArcList, Array]:
        """As :meth:`otdiv.pricing.pricing.Pricing.lowest`."""
        arcs, values = self._lowest(g, tops, k)
        least = tops.copy()
        begins = np.concatenate([[True], np.diff(arcs.tails) > 0]) if len(values) else np.zeros(0, bool)
        least[arcs.tails[begins]] = values[begins]
        return arcs, least

    def _lowest(self, g: Array, tops: Array, k: int) -> tuple[ArcList, Array]:
        """The at most k arcs of each row below its top with the lowest c - g, ascending; and their c - g."""
        known, parts = self._potential(g), []
        with np.errstate(over="ignore"):
            limits = self._moved((tops + known.middle) * self.factor)
            doubt = self._moved(self._doubt(known, np.where(np.isfinite(tops), np.abs(tops), 0.0) * self.factor))
        for rows in row_blocks(len(self.x), len(self.y), self.block_entries):
            limit, error = limits[rows] + doubt[rows], doubt[rows]
            if not np.isfinite(tops[rows]).all():
                limit = self.torch.minimum(limit, self._bound(rows, known, k) + 2 * error)
            i, j = self._passed(rows, known, limit)
            parts.append(self._narrowed(rows, i, j, known, limit, error, k))
        tails, heads = (self.torch.cat(part).int().cpu().numpy() for part in zip(*parts, strict=True))
        costs = pair_costs(self.metric, self.x, self.y, tails, heads, self.threads)
        values = costs - g[heads]
        kept = lowest_of_rows(tails, values, tops, k)
        return ArcList(tails[kept], heads[kept], costs[kept]), values[kept]

    def _moved(self, array: Array) -> Any:
        return self.torch.from_numpy(np.ascontiguousarray(array)).to(self.device)

    def _potential(self, g: Array) -> _Potential:
        middle = 0.5 * (float(g.min()) + float(g.max()))
        largest = float(np.abs(g).max()) * self.factor
        moved = self._moved(np.clip((g - middle) * self.factor, -1e300, 1e300))
        norms, points = self.norms[1], self.single[1]
        squares = moved * moved if self.euclidean else moved.abs()
        last = norms - (squares if self.euclidean else moved)
        single = [column.float()[:, None] for column in (self.torch.ones_like(last), last)]
        if self.euclidean:
            single = [moved.float()[:, None], *single]
        return _Potential(moved, self.torch.cat([points, *single], 1), float((norms + squares).max()), middle, largest)

    def _doubt(self, known: _Potential, tops: Array) -> Array:
        """How far a number in double precision, its limit and the computed c - g may lie apart, scaled."""
        d = self.x.shape[1]
        return np.asarray(_DOUBLE * (16.0 * (d + 16) + 16.0 * (known.largest + tops)))

    def _bound(self, rows: slice, known: _Potential, k: int) -> Any:
        """The largest of k different numbers c - g of each row, mostly low ones."""
        step = max(1, min(_EVERY, len(self.y) // k))
        near = _low_columns(self._numbers(rows, known, step), k) * step
        i = self.torch.arange(len(near), device=self.device).repeat_interleave(k)
        return self._values(rows, i, near.flatten(), known).view(-1, k).amax(1)

    def _passed(self, rows: slice, known: _Potential, limit: Any) -> tuple[Any, Any]:
        """Pairs i, j, by rows counted from the first: all of those with c - g at most ``limit`` [rows], and more."""
        norms, points, d = self.norms[0][rows], self.single[0][rows], self.x.shape[1]
        squares = limit * limit if self.euclidean else limit.abs()
        largest = max(float(limit.abs().max()), float(known.g.abs().max()))
        if largest < _LARGEST:
            slack = 1.02 * (2 * (d + 3) + 32) * self.unit * (norms + squares + known.reach) + d * 1e-35
            first = (norms - (squares if self.euclidean else limit) - slack).float()[:, None]
            columns = [-2 * points, first, self.torch.ones_like(first)]
            if self.euclidean:
                columns.insert(1, -2 * limit.float()[:, None])
            mask = self._product(self.torch.cat(columns, 1), known.columns) <= 0
            if int(mask.sum()) <= _HITS_PER_ROW * len(points):
                return mask.nonzero(as_tuple=True)
        # the square's error is at most twice that of the product x.y and of the norms
        slack = 1.02 * (2 * (d + 3) + 32) * self.unit * (norms + float(self.norms[1].max())) + d * 1e-35
        below = self._numbers(rows, known, 1, slack)
        return (below <= (limit + 32 * self.unit * (largest + 4)).float()[:, None]).nonzero(as_tuple=True)

    def _numbers(self, rows: slice, known: _Potential, step: int, slack: Any = 0.0) -> Any:
        """c - g in single precision, for each ``step``-th target; squared distances are lowered by ``slack`` first."""
        squares = self._product(-2 * self.single[0][rows], self.single[1][::step])
        squares.add_((self.norms[0][rows] - slack).float()[:, None]).add_(self.norms[1][::step].float())
        squares.clamp_min_(0.0)
        if self.euclidean:
            squares.sqrt_()
        return squares.sub_(known.g[::step].float())

    def _product(self, rows: Any, columns: Any) -> Any:
        """rows @ columns.T in full single precision, whatever shorter format is set in torch."""
        precision = self.torch.get_float32_matmul_precision()
        try:
            self.torch.set_float32_matmul_precision("highest")
            return rows @ columns.T
        finally:
            self.torch.set_float32_matmul_precision(precision)

    def _values(self, rows: slice, i: Any, j: Any, known: _Potential) -> Any:
        """c - g of pairs in double precision, i counted from the first of the rows."""
        x, y = self.points[0][rows], self.points[1]
        values = self.torch.empty(len(i), dtype=self.torch.float64, device=self.device)
        for part in row_blocks(len(i), x.shape[1], self.block_entries // 8):
            squares = (x[i[part]] - y[j[part]]).square_().sum(1)
            values[part] = (squares.sqrt_() if self.euclidean else squares) - known.g[j[part]]
        return values

    def _narrowed(
        self, rows: slice, i: Any, j: Any, known: _Potential, limit: Any, doubt: Any, k: int
    ) -> tuple[Any, Any]:
        """Those of the pairs that may be below the limit and among the k lowest of their row; i counted from 0."""
        torch, count = self.torch, len(limit)
        values = self._values(rows, i, j, known)
        kept = values <= limit[i]
        i, j, values = i[kept], j[kept], values[kept]
        starts = torch.searchsorted(i, torch.arange(count + 1, device=self.device))
        widest = int(starts.diff().max()) if len(i) else 0
        if k < widest and count * widest <= self.block_entries + len(i):
            table = torch.full((count, widest), torch.inf, dtype=torch.float64, device=self.device)
            table[i, torch.arange(len(i), device=self.device) - starts[i]] = values
            kept = values <= (table.topk(k, dim=1, largest=False)[0].amax(1) + 2 * doubt)[i]
            i, j = i[kept], j[kept]
        return i + rows.start, j


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
