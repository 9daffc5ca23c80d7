"""The pairs of a matrix in blocks, and the work of one block."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from otdiv.core.bounds import Status
from otdiv.core.options import SolverOptions
from otdiv.core.rounding import UNIT
from otdiv.core.validation import Array
from otdiv.distance_matrix.line import CommonSupport, SortedSamples
from otdiv.distance_matrix.measured_by import Measured
from otdiv.transport.batches.collection import Collection
from otdiv.transport.batches.parallel import efforts_of
from otdiv.transport.batches.solve import solve_pairs

BLOCK_EFFORT = 1e9
"""Steps of a block, about half a second: what a killed worker loses, and how often the store is written."""
_MOST_PAIRS = 2**14
_PAIRS_OF_FUNCTIONS = 256
"""Pairs of a block where each one is a call of a function."""
STATUSES = (Status.OPTIMAL, Status.OPTIMAL_NEARBY, Status.STOPPED)


@dataclass(frozen=True)
class Layout:
    """Which pairs there are, numbered; rows against columns, or i < j where there is one set and symmetry.

    Attributes
    ----------
    rows, columns : int
    triangle : bool
    block : int
        Pairs of a block.
    """

    rows: int
    columns: int
    triangle: bool
    block: int

    @property
    def count(self) -> int:
        """Number of pairs."""
        return self.rows * (self.rows - 1) // 2 if self.triangle else self.rows * self.columns

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        return -(-self.count // self.block)

    def span(self, block: int) -> slice:
        """The numbers of a block's pairs."""
        return slice(block * self.block, min(self.count, (block + 1) * self.block))

    def pairs(self, span: slice) -> Array:
        """The pairs [2, K] with these numbers."""
        numbers = np.arange(span.start, span.stop, dtype=np.int64)
        if not self.triangle:
            return np.stack(np.divmod(numbers, self.columns))
        i = np.arange(self.rows, dtype=np.int64)
        first = i * (self.rows - 1) - i * (i - 1) // 2  # the number of the pair (i, i + 1)
        row = np.searchsorted(first, numbers, "right") - 1
        row = np.minimum(row, self.rows - 2)
        return np.stack([row, numbers - first[row] + row + 1])


def layout_of(x: Collection, y: Collection, measured: Measured) -> Layout:
    """The pairs of x and y; of one set if y is x."""
    triangle = y is x and measured.symmetric
    if measured.function is not None:
        block = _PAIRS_OF_FUNCTIONS
    else:
        effort = float(efforts_of(x.sizes.mean(), y.sizes.mean()))
        block = int(min(_MOST_PAIRS, max(1.0, BLOCK_EFFORT / effort)))
    return Layout(len(x), len(y), triangle, block)


@dataclass(frozen=True, eq=False)
class BlockWork:
    """Computes the distances of one block; whatever computes it, the bits are the same.

    Attributes
    ----------
    x, y : Collection
    measured : Measured
    layout : Layout
    options : SolverOptions
    line : CommonSupport, SortedSamples or None
        Where there is a closed form.
    """

    x: Collection
    y: Collection
    measured: Measured
    layout: Layout
    options: SolverOptions
    line: CommonSupport | SortedSamples | None

    def __call__(self, block: int) -> dict[str, Array]:
        """``value``, and for transport ``lower``, ``upper`` and ``status`` (its place in STATUSES)."""
        pairs = self.layout.pairs(self.layout.span(block))
        if self.measured.function is not None:
            return {"value": self._called(pairs)}
        (lower, value, upper), nearby = self._transported(pairs)
        lower, value, upper = _roots(lower, value, upper, self.measured.p)
        status = np.where(self._narrow(lower, value, upper), 0, 2).astype(np.int8)
        status[nearby] = 1
        return {"lower": lower, "value": value, "upper": upper, "status": status}

    def _transported(self, pairs: Array) -> tuple[tuple[Array, Array, Array], Array]:
        """Lower bounds, values and upper bounds of W_p^p, and whether they are about weights nearby.

        What a closed form leaves wide, since the histograms are nearly equal, goes to the solvers.
        """
        bounds, nearby = np.empty((3, pairs.shape[1])), np.zeros(pairs.shape[1], bool)
        wide = np.ones(pairs.shape[1], bool)
        if self.line is not None:
            bounds[:] = self.line.distances(pairs, self.x.masses[pairs[0]])
            wide = ~self._narrow(*bounds)
        if wide.any():
            assert self.measured.cost is not None
            found = solve_pairs(self.x, self.y, pairs[:, wide], self.measured.cost, self.options)
            bounds[:, wide] = found.lower, found.value, found.upper
            nearby[wide] = [one is Status.OPTIMAL_NEARBY for one in found.status]
        return (bounds[0], bounds[1], bounds[2]), nearby

    def _narrow(self, lower: Array, value: Array, upper: Array) -> Array:
        return np.asarray(upper - lower <= np.maximum(self.options.rtol * value, self.options.atol))

    def _called(self, pairs: Array) -> Array:
        function = self.measured.function
        assert function is not None
        values = np.empty(pairs.shape[1])
        for k, (i, j) in enumerate(pairs.T.tolist()):
            try:
                values[k] = float(function(self.x.measure(i), self.y.measure(j)))
            except Exception as problem:
                problem.add_note(f"otdiv: the distance of measures {i} and {j} was computed.")
                raise
        return values


def _roots(lower: Array, value: Array, upper: Array, p: float) -> tuple[Array, Array, Array]:
    """The p-th roots, rounded outward: a power is off by less than 2 units in the last place."""
    if p == 1:
        return lower, value, upper
    down, at, up = (np.maximum(one, 0.0) ** (1 / p) for one in (lower, value, upper))
    # 1 / p is rounded: the exponent's relative error u multiplies |log value|
    slack = np.where(at > 0, 8 * UNIT + 2 * UNIT * np.abs(np.log(np.where(up > 0, up, 1.0))), 0.0)
    low = np.where(down > 0, np.abs(np.log(np.where(down > 0, down, 1.0))) * 2 * UNIT + 8 * UNIT, 0.0)
    return down * (1 - low), at, up * (1 + np.maximum(slack, 8 * UNIT))
