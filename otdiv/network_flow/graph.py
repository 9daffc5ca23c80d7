"""Arcs from sources to targets: as a list, and in compressed rows.

Indices are unsigned in compressed rows: where an index is signed, numba tests in every access whether it
counts from the end, which costs more than the access.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from otdiv.core.compilation import kernel
from otdiv.core.validation import Array

_LINE = 64
"""Bytes that are fetched from memory at once."""
_TO_READ, _INTO_ALL_CACHES, _DATA = 0, 3, 1
"""What LLVM's instruction for it asks for."""


class ArcList(NamedTuple):
    """Arcs k from source ``tails[k]`` to target ``heads[k]`` at ``costs[k]``.

    For an undirected graph the two ends of each edge and its length.
    """

    tails: Array
    heads: Array
    costs: Array


class CompressedRows(NamedTuple):
    """Arcs by one of their ends: those of node i are start[i] ... start[i + 1] - 1 (compressed sparse rows).

    Attributes
    ----------
    start : ndarray of uint32 [nodes + 1]
    ends : ndarray of uint32 [arcs]
        The other end of each arc, ascending within a row.
    costs : ndarray [arcs]
        Empty where only the structure is needed.
    """

    start: Array
    ends: Array
    costs: Array


def compress_rows(n: int, tails: Array, heads: Array, costs: Array) -> CompressedRows:
    """The rows of arcs that are sorted by source, in arrays of their own, so that :func:`insert_arcs` can grow them."""
    return CompressedRows(_row_starts(n, tails), heads.astype(np.uint32), costs.copy())


class TwoWayRows(NamedTuple):
    """Arcs by source, and once more by target.

    Attributes
    ----------
    rows : CompressedRows
        By source; an arc's place in it is its number.
    tails : ndarray of uint32 [arcs]
        The source of each arc.
    columns : CompressedRows
        By target; the ends are sources.
    numbers : ndarray of uint32 [arcs]
        The number of each arc in ``columns``.
    """

    rows: CompressedRows
    tails: Array
    columns: CompressedRows
    numbers: Array


def compress_two_way(n: int, m: int, tails: Array, heads: Array, costs: Array) -> TwoWayRows:
    """Rows and columns of arcs that are sorted by source."""
    rows = CompressedRows(_row_starts(n, tails), heads.astype(np.uint32), costs)
    columns, numbers = _compress_columns(rows, m)
    return TwoWayRows(rows, tails.astype(np.uint32), columns, numbers)


def transpose_rows(rows: CompressedRows, m: int) -> CompressedRows:
    """The same arcs by their other end, one of m nodes."""
    return _compress_columns(rows, m)[0]


def _compress_columns(rows: CompressedRows, m: int) -> tuple[CompressedRows, Array]:
    """The same arcs by their other end, and the number of each in the rows."""
    start = _row_starts(m, rows.ends)
    columns = CompressedRows(start, np.empty_like(rows.ends), np.empty_like(rows.costs))
    numbers = np.empty_like(rows.ends)
    _fill_columns(rows, columns, numbers, start[:-1].copy())
    return columns, numbers


@kernel()
def _fill_columns(rows, columns, numbers, to):
    """Put each arc at the next free place ``to`` of its column."""
    for i in range(len(rows.start) - 1):
        for k in range(rows.start[i], rows.start[i + 1]):
            q = to[rows.ends[k]]
            columns.ends[q], columns.costs[q], numbers[q] = i, rows.costs[k], k
            to[rows.ends[k]] = q + np.uint32(1)


def transpose(graph: TwoWayRows) -> TwoWayRows:
    """The same arcs from targets to sources: arc ``graph.numbers[q]`` is its arc q."""
    rows, _, columns, numbers = graph
    by_source = np.empty_like(numbers)
    by_source[numbers] = np.arange(len(numbers), dtype=np.uint32)
    return TwoWayRows(columns, rows.ends[numbers], rows, by_source)


def _row_starts(rows: int, index: Array) -> Array:
    start = np.zeros(rows + 1, np.uint32)
    np.cumsum(np.bincount(index, minlength=rows), out=start[1:])
    return start


@intrinsic
def _prefetch(typing_context: Any, array: Any, index: Any) -> Any:
    """Have the processor fetch array[index] from memory, for a first reading soon; it changes nothing else."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        at = context.cast(builder, arguments[1], signature.args[1], types.uintp)
        address = builder.bitcast(builder.gep(data, [at]), cgutils.voidptr_t)
        flag = cgutils.int32_t
        kind = ir.FunctionType(ir.VoidType(), [address.type, flag, flag, flag])
        instruction = builder.module.declare_intrinsic("llvm.prefetch", [address.type], kind)
        builder.call(instruction, [address, flag(_TO_READ), flag(_INTO_ALL_CACHES), flag(_DATA)])
        return context.get_dummy_value()

    return types.void(array, index), generate


@kernel(borrows=True)
def prefetch_start(rows, i):
    """Fetch where row i begins, before :func:`prefetch_arcs`."""
    _prefetch(rows.start, np.uint64(i))


@kernel(borrows=True)
def prefetch_arcs(rows, i):
    """Fetch the arcs of row i, which are read soon: in any other order than by rows they lie anywhere in memory."""
    first, end = np.uint64(rows.start[i]), np.uint64(rows.start[i + 1])
    for k in range(first, end, np.uint64(_LINE // rows.ends.itemsize)):
        _prefetch(rows.ends, k)
    for k in range(first, end, np.uint64(_LINE // rows.costs.itemsize)):
        _prefetch(rows.costs, k)


@kernel(borrows=True)
def find_two_lowest(rows, g, i):
    """The lowest and the second lowest c_ik - g_k over the arcs of row i, and the arc of the lowest."""
    start, heads, costs = rows
    best = second = np.inf
    at = start[i]
    for k in range(start[i], start[i + 1]):
        value = costs[k] - g[heads[k]]
        second = min(second, max(value, best))
        if value < best:
            best, at = value, k
    return best, second, at


def insert_arcs(rows: CompressedRows, tails: Array, heads: Array, costs: Array) -> CompressedRows:
    """The graph with more arcs, given by ascending source; those that it has already are left out.

    The old graph is used up: its arrays grow in place, since two of them would not fit beside one another.
    """
    new = _find_missing(rows.start, rows.ends, tails, heads)
    tails, heads, costs = tails[new], heads[new], costs[new]
    for column in (rows.ends, rows.costs):
        column.resize(len(column) + len(tails), refcheck=False)
    _insert(*rows, tails, heads, costs)
    return rows


@kernel()
def _find_missing(start, heads, tails, more_heads):
    """Which of the arcs (tails, more_heads) the graph does not have."""
    new = np.empty(len(tails), np.bool_)
    for k in range(len(tails)):
        first, end = start[tails[k]], start[tails[k] + 1]
        at = first + np.searchsorted(heads[first:end], more_heads[k])
        new[k] = at == end or heads[at] != more_heads[k]
    return new


@kernel()
def _insert(start, heads, costs, tails, more_heads, more_costs):
    """Move the arcs up, the last first, and put the new ones between them."""
    more, to = len(tails), len(heads)
    for i in range(len(start) - 2, -1, -1):
        first = start[i]
        k = start[i + 1]
        start[i + 1] = to
        end = to
        while k > first:
            k -= 1
            to -= 1
            heads[to], costs[to] = heads[k], costs[k]
        while more > 0 and tails[more - 1] == i:
            more -= 1
            to -= 1
            p = to
            while p + 1 < end and heads[p + 1] < more_heads[more]:
                heads[p], costs[p] = heads[p + 1], costs[p + 1]
                p += 1
            heads[p], costs[p] = more_heads[more], more_costs[more]
