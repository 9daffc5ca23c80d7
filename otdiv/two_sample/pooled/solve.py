"""The optimal transport cost of every division of a pool: which kernel solves it, and in how many threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from otdiv.core.validation import Array
from otdiv.two_sample.pooled.geometry import PooledGeometry, is_connected

_PARTS_PER_THREAD = 4
"""Parts of the divisions for each thread.  More: threads end more evenly, and each part allocates anew."""
SHORT_CAP = 0.5
"""Up to this share of the median distance in the pool a cap makes searches for paths shorter than a simplex."""
LINKS = 16
"""Nearest points, itself included, to which a point is linked to find separate groups in a pool.  Between groups that
hold unequal shares of the halves mass must cross, where arcs to neighbours do not lead: pricing would add the arcs it
needs in many rounds, and the simplex with a hub takes a tenth of the time."""
FEWEST_GROUPED = 100
"""Points in either half below which the groups of a pool do not matter: arcs to neighbours are a third of all arcs."""
_Solver = Callable[[Array, Array, Array], None]
"""Sets values [R] and gaps [R] of the divisions with labels [R, N]."""


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
    solve = _solver(geometry, labels, cap)
    borders = np.linspace(0, len(labels), threads * _PARTS_PER_THREAD + 1).astype(int)

    def work(first: int, end: int) -> None:
        part = slice(first, end)
        solve(labels[part], values[part], gaps[part])

    solve(labels[:1], values[:1], gaps[:1])  # compiles once, before threads begin
    if threads == 1:
        work(0, len(labels))
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, borders[:-1], borders[1:]))
    return values, float(np.abs(gaps).max())


def _solver(geometry: PooledGeometry, labels: Array, cap: float) -> _Solver:
    """The kernel for divisions of these sizes with this cap."""
    size = labels.shape[1]
    equal = 2 * int(labels[0].sum()) == size
    if equal and cap == np.inf and (size < 2 * FEWEST_GROUPED or is_connected(geometry, LINKS)):
        from otdiv.network_flow.alternating_forest import allocate_forest
        from otdiv.two_sample.pooled.sparse_assignment import sparse_assignment_costs

        return lambda part, values, gaps: sparse_assignment_costs(
            geometry, part, allocate_forest(size // 2), values, gaps
        )
    if equal and cap <= SHORT_CAP * float(geometry.sorted_distance[:, size // 2].mean()):
        from otdiv.two_sample.pooled.capped_assignment import capped_assignment_costs

        return lambda part, values, gaps: capped_assignment_costs(geometry, part, cap, values, gaps)
    from otdiv.two_sample.pooled.hub_transport import hub_transport_costs

    return lambda part, values, gaps: hub_transport_costs(geometry, part, cap, values, gaps)
