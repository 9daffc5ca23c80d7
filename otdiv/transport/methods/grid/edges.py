"""The edges of a grid, its coarser version, and potentials brought back from that."""

from __future__ import annotations

from itertools import product
from math import prod

import numpy as np

from otdiv.core.validation import Array

_TILE = 16
"""Cells along the side of a tile.  With 16 in place of rows, 256 x 256 pixels take a sixth to a fifth less time; 8 and
32 gain half of that."""


def list_edges(axes: tuple[Array, ...], diagonals: bool) -> tuple[Array, Array, Array]:
    """The edges of the grid: tails [k], heads [k] and lengths [k], in the order of their tails."""
    shape = tuple(len(axis) for axis in axes)
    cells = np.arange(prod(shape), dtype=np.int32).reshape(shape)
    found = []
    for step in product((-1, 0, 1), repeat=len(axes)):
        if step <= (0,) * len(axes) or (not diagonals and sum(map(abs, step)) != 1):
            continue
        here = tuple(slice(max(0, -s), size - max(0, s)) for s, size in zip(step, shape, strict=True))
        there = tuple(slice(max(0, s), size - max(0, -s)) for s, size in zip(step, shape, strict=True))
        gaps = [
            np.abs(axis[t] - axis[h]) if s else np.zeros(len(axis))
            for axis, s, h, t in zip(axes, step, here, there, strict=True)
        ]
        length = gaps[0]
        for gap in gaps[1:]:
            length = np.maximum.outer(length, gap)  # along one axis all other gaps are 0
        found.append((cells[here].ravel(), cells[there].ravel(), length.ravel()))
    tails, heads, lengths = (np.concatenate(part) for part in zip(*found, strict=True))
    order = np.lexsort((heads, tails))
    return tails[order], heads[order], lengths[order]


def by_tiles(axes: tuple[Array, ...], tails: Array) -> Array:
    """The edges in the order of square tiles, so that those of a block of the simplex lie close together.

    The edges round a part of the grid whose potentials have to move are all violated, and one pivot mends them all: a
    block of rows would send one of each of its rows into the same batch.
    """
    places = np.unravel_index(tails, tuple(len(axis) for axis in axes))
    return np.lexsort(tuple(place // _TILE for place in reversed(places)))


def coarsen(axes: tuple[Array, ...], excess: Array) -> tuple[tuple[Array, ...], Array]:
    """The grid of blocks of two cells along each axis: their middles, and the excess of each block."""
    table = excess.reshape([len(axis) for axis in axes])
    for k, axis in enumerate(axes):
        table = np.add.reduceat(table, np.arange(0, len(axis), 2), axis=k)
    middles = tuple(
        0.5 * (axis[::2] + axis[np.minimum(np.arange(1, len(axis) + 1, 2), len(axis) - 1)]) for axis in axes
    )
    return middles, table.ravel()


def interpolate(u: Array, coarse: tuple[Array, ...], axes: tuple[Array, ...]) -> Array:
    """Potentials of the blocks, interpolated at the cells."""
    table = u.reshape([len(axis) for axis in coarse])
    for k, (blocks, cells) in enumerate(zip(coarse, axes, strict=True)):
        if len(blocks) > 1:
            left = np.clip(np.searchsorted(blocks, cells) - 1, 0, len(blocks) - 2)
            share = np.clip((cells - blocks[left]) / (blocks[left + 1] - blocks[left]), 0.0, 1.0)
            share = share.reshape([-1 if j == k else 1 for j in range(table.ndim)])
            table = (1 - share) * np.take(table, left, axis=k) + share * np.take(table, left + 1, axis=k)
        else:
            table = np.repeat(table, len(cells), axis=k)
    return np.ascontiguousarray(table.ravel())
