"""The sorted order of a problem whose points lie on the line."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from otdiv.core.validation import Array

_PARALLEL_ABOVE = 4096
"""Points in all; above it two threads sort the two sides, below it starting them costs more than it saves."""


class LineOrder(NamedTuple):
    """The sorting of a problem on the line.

    ``xs = x[ix]`` and ``ys = y[iy]`` ascend, and so does ``z = concatenate([xs, ys])[order]``.
    """

    ix: Array
    iy: Array
    xs: Array
    ys: Array
    order: Array
    z: Array


def sort_line(x: Array, y: Array) -> LineOrder:
    """Sort the coordinates x [n] and y [m], and both together."""
    if len(x) + len(y) > _PARALLEL_ABOVE:
        with ThreadPoolExecutor(2) as pool:  # sorting releases the interpreter lock
            (ix, xs), (iy, ys) = pool.map(_sort, (x, y))
    else:
        (ix, xs), (iy, ys) = _sort(x), _sort(y)
    both = np.concatenate([xs, ys])
    order = np.argsort(both, kind="stable")  # merges two sorted runs in linear time
    return LineOrder(ix, iy, xs, ys, order, both[order])


def _sort(values: Array) -> tuple[Array, Array]:
    order = np.argsort(values)
    return order, values[order]
