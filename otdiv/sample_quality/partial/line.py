"""The greatest matching on the line, in linear time: points within a distance of x form an interval.

Both ends of the interval grow with x, so that it is optimal to serve the sources in ascending order, each from the
smallest target that still takes some (Glover, Maximum matching in a convex bipartite graph, 1967).
"""

from __future__ import annotations

import math

import numpy as np

from otdiv.core.compilation import kernel
from otdiv.core.validation import Array

_HALVINGS = 60
"""Of the interval that holds the least distance; more reach beyond the last bit."""
_PART_OF_A_UNIT = 1e-6
"""Units of mass that the rounding of share times total may add; a larger part would lower what is asked."""


@kernel()
def _matched_units(x, y, supply, takes, distance):
    """Units of mass that ascending x [n] can give to ascending y [m] within a distance."""
    j, room, total = 0, takes, 0
    for i in range(len(x)):
        left = supply
        while left > 0:
            while j < len(y) and (room == 0 or y[j] < x[i] - distance):
                j += 1
                room = takes
            if j == len(y):
                return total
            if y[j] > x[i] + distance:
                break
            moved = min(left, room)
            left -= moved
            room -= moved
            total += moved
    return total


@kernel()
def _least_distance(xs, ys, supply, takes, needed, halvings):
    """The least distance, to the last bit, at which pairs of rows match ``needed`` units together; inf if none does."""
    low, high = 0.0, 0.0
    for p in range(len(xs)):
        high = max(high, abs(ys[p, -1] - xs[p, 0]), abs(xs[p, -1] - ys[p, 0]))
    for distance in (0.0, high * (1 + 1e-15)):
        total = 0
        for p in range(len(xs)):
            total += _matched_units(xs[p], ys[p], supply, takes, distance)
        if total >= needed:
            high = distance
            break
    if total < needed:
        return np.inf
    if high == 0.0:
        return 0.0
    for _ in range(halvings):
        middle = 0.5 * (low + high) if low > 0.0 else high / 4
        if middle <= low or middle >= high or high < 1e-300:
            break
        total = 0
        for p in range(len(xs)):
            total += _matched_units(xs[p], ys[p], supply, takes, middle)
        if total >= needed:
            high = middle
        else:
            low = middle
    return high


def line_share(x: Array, y: Array, units: tuple[int, int], distance: float) -> float:
    """The share of x that can be matched to y within a distance, as :func:`greatest_matching` finds it.

    Parameters
    ----------
    x, y : ndarray [n], [m]
        Ascending.
    units : (int, int)
        Of :func:`mass_units`.
    distance : float

    Returns
    -------
    float
    """
    return float(_matched_units(x, y, *units, distance)) / (units[0] * len(x))


def least_line_distance(xs: Array, ys: Array, units: tuple[int, int], share: float) -> float:
    """The least distance at which the rows of xs can be matched to those of ys up to a mean share.

    Parameters
    ----------
    xs, ys : ndarray [p, n], [p, m]
        Each row ascending; row p of xs is matched to row p of ys.
    units : (int, int)
        Of :func:`mass_units`.
    share : float

    Returns
    -------
    float
        To within the last bits; inf if the targets take too little for the share.
    """
    needed = math.ceil(share * units[0] * xs.size - _PART_OF_A_UNIT)
    return float(_least_distance(xs, ys, *units, needed, _HALVINGS))
