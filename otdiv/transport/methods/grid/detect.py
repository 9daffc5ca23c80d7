"""Points on a regular grid, recognised: then norms are lengths of shortest ways along the grid.

The 1-norm is the length of the shortest way along the edges of a rectangular grid, whatever
its spacings; the maximum norm that of the shortest way along edges and diagonals, where all
spacings are equal.  Holes are filled, so that the ways are there.
"""

from __future__ import annotations

from itertools import product
from math import prod
from typing import NamedTuple

import numpy as np

from otdiv.core.validation import Array
from otdiv.costs import Chebyshev, Cityblock
from otdiv.problem.transport_problem import TransportProblem

DIMENSIONS = (2, 3)
_CELLS_PER_POINT = 4
"""A grid of more cells than this for each point is mostly holes, and not worth it."""
_PROBE = 1000
_EQUAL = 1e-12


class Lattice(NamedTuple):
    """A grid that holds all points.

    Attributes
    ----------
    axes : tuple of ndarray
        The coordinates along each axis, ascending.
    at_x, at_y : ndarray of int [n], [m]
        The cell of each source and of each target; no two sources share one, nor two targets.
    diagonals : bool
        Whether diagonal steps count (maximum norm), or only steps along one axis (1-norm).
    """

    axes: tuple[Array, ...]
    at_x: Array
    at_y: Array
    diagonals: bool

    @property
    def shape(self) -> tuple[int, ...]:
        """Cells along each axis."""
        return tuple(len(axis) for axis in self.axes)


def lattice_of(problem: TransportProblem) -> Lattice | None:
    """The grid of a problem with the 1-norm or the maximum norm in two or three dimensions; None if there is none."""
    diagonals = isinstance(problem.cost, Chebyshev)
    if problem.d not in DIMENSIONS or not (diagonals or isinstance(problem.cost, Cityblock)):
        return None
    x, y = problem.mu.points, problem.nu.points
    most = _CELLS_PER_POINT * (problem.n + problem.m)
    if prod(len(np.unique(column)) for column in x[:_PROBE].T) > most:
        return None
    axes = tuple(np.unique(np.concatenate([x[:, k], y[:, k]])) for k in range(problem.d))
    if prod(len(axis) for axis in axes) > most or (diagonals and not _equally_spaced(axes)):
        return None
    shape = tuple(len(axis) for axis in axes)
    cells = []
    for points in (x, y):
        steps = tuple(np.searchsorted(axis, column) for axis, column in zip(axes, points.T, strict=True))
        cell = np.ravel_multi_index(steps, shape)
        if np.bincount(cell, minlength=1).max() > 1:
            return None
        cells.append(cell)
    return Lattice(axes, cells[0], cells[1], diagonals)


def _equally_spaced(axes: tuple[Array, ...]) -> bool:
    gaps = np.concatenate([np.diff(axis) for axis in axes])
    return len(gaps) == 0 or bool(gaps.max() - gaps.min() <= _EQUAL * gaps.max())


def edges(axes: tuple[Array, ...], diagonals: bool) -> tuple[Array, Array, Array]:
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


def coarser(axes: tuple[Array, ...], excess: Array) -> tuple[tuple[Array, ...], Array]:
    """The grid of blocks of two cells along each axis, with their middles, and what each block has too much of."""
    table = excess.reshape([len(axis) for axis in axes])
    for k, axis in enumerate(axes):
        table = np.add.reduceat(table, np.arange(0, len(axis), 2), axis=k)
    middles = tuple(
        0.5 * (axis[::2] + axis[np.minimum(np.arange(1, len(axis) + 1, 2), len(axis) - 1)]) for axis in axes
    )
    return middles, table.ravel()


def finer(u: Array, coarse: tuple[Array, ...], axes: tuple[Array, ...]) -> Array:
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
