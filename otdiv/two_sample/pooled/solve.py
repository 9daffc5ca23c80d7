"""The optimal transport cost of every division of a pool: which kernel solves it, and in how many threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from otdiv.core.compilation import announced_compilation
from otdiv.core.validation import Array
from otdiv.two_sample.pooled.geometry import PooledGeometry

_PARTS_PER_THREAD = 4
"""Parts of the divisions for each thread.  More: threads end more evenly, and each part allocates anew."""
SHORT_CAP = 0.5
"""Up to this share of the median distance in the pool a cap makes searches for paths shorter than a simplex."""


def division_costs(geometry: PooledGeometry, labels: Array, cap: float, threads: int) -> tuple[Array, float]:
    """The optimal cost of every division for the cost min(distance, cap), at mass 1.

    Parameters
    ----------
    geometry : PooledGeometry
    labels : ndarray of bool [R, N]
        True: the point is a source.
    cap : float
        Positive; inf for the distance itself.
    threads : int

    Returns
    -------
    values : ndarray [R]
    gap : float
        The largest difference between the cost of a plan and the value of its potentials.
    """
    values, gaps = np.empty(len(labels)), np.empty(len(labels))
    borders = np.linspace(0, len(labels), threads * _PARTS_PER_THREAD + 1).astype(int)

    def work(first: int, end: int) -> None:
        part = slice(first, end)
        _solve(geometry, labels[part], cap, values[part], gaps[part])

    with announced_compilation():
        _solve(geometry, labels[:1], cap, values[:1], gaps[:1])  # compiles once, before threads begin
        if threads == 1:
            work(0, len(labels))
        else:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(work, borders[:-1], borders[1:]))
    return values, float(np.abs(gaps).max())


def _solve(geometry: PooledGeometry, labels: Array, cap: float, values: Array, gaps: Array) -> None:
    size = labels.shape[1]
    if 2 * int(labels[0].sum()) == size and cap == np.inf:
        from otdiv.network_flow.alternating_forest import allocate_forest
        from otdiv.two_sample.pooled.sparse_assignment import sparse_assignment_costs

        sparse_assignment_costs(geometry, labels, allocate_forest(size // 2), values, gaps)
    elif 2 * int(labels[0].sum()) == size and cap <= SHORT_CAP * float(geometry.sorted_distance[:, size // 2].mean()):
        from otdiv.two_sample.pooled.capped_assignment import capped_assignment_costs

        capped_assignment_costs(geometry, labels, cap, values, gaps)
    else:
        from otdiv.two_sample.pooled.hub_transport import hub_transport_costs

        hub_transport_costs(geometry, labels, cap, values, gaps)
