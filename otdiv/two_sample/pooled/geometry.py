"""What depends on a pool of points alone, computed once for all of its divisions into two groups."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from otdiv.core.memory import require_memory
from otdiv.core.validation import Array
from otdiv.costs.base import PointCost

_BYTES_PER_PAIR = 36.0
"""Distances, their order as 64 and as 32 bits, and the sorted distances, while they are made."""


class PooledGeometry(NamedTuple):
    """Distances of N points and the neighbours of each.

    Attributes
    ----------
    distance : ndarray [N, N]
    neighbour : ndarray of int32 [N, N]
        Row i: all points in order of their distance from point i.
    sorted_distance : ndarray [N, N]
        Row i: those distances.
    """

    distance: Array
    neighbour: Array
    sorted_distance: Array


def pooled_geometry(points: Array, metric: PointCost, memory_limit: float | None = None) -> PooledGeometry:
    """Distances and neighbours of a pool of points [N, d].

    Raises
    ------
    TooLarge
        If the matrices [N, N] do not fit into memory.
    """
    size = len(points)
    require_memory(_BYTES_PER_PAIR * size * size, memory_limit, f"The distances of all pairs of {size} points")
    distance = metric.matrix(points, points)
    neighbour = np.argsort(distance, axis=1, kind="stable").astype(np.int32)
    return PooledGeometry(distance, neighbour, np.take_along_axis(distance, neighbour, axis=1))


def is_connected(geometry: PooledGeometry, neighbours: int) -> bool:
    """Whether links from every point to that many nearest ones, itself included, join the whole pool."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    size = len(geometry.distance)
    ends = geometry.neighbour[:, :neighbours]
    starts = np.repeat(np.arange(size), ends.shape[1])
    links = csr_array((np.ones(ends.size, dtype=np.int8), (starts, ends.ravel())), shape=(size, size))
    return bool(connected_components(links, directed=False)[0] == 1)
