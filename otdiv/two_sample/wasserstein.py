"""Permutation tests with exact Wasserstein distances: W1, and W1 of distances that are cut off at a cap."""

from __future__ import annotations

from typing import Any

import numpy as np

from otdiv.core.bounds import Bounds
from otdiv.core.threads import count_threads
from otdiv.core.validation import Array, as_rng, invalid
from otdiv.costs import as_cost
from otdiv.costs.base import PointCost
from otdiv.two_sample.arguments import Pool, as_permutations, as_pool, as_positive_list
from otdiv.two_sample.line import line_statistics
from otdiv.two_sample.permutations import Divisions, count_as_large, draw_divisions, least_p_of, p_value
from otdiv.two_sample.pooled.geometry import PooledGeometry, pooled_geometry
from otdiv.two_sample.pooled.solve import division_costs
from otdiv.two_sample.result import TestResult

CAPS = 4
"""Caps by default, evenly spaced in the logarithm.  More: a finer choice, and more time."""
_ROUNDING = 1e-11
"""Difference, as a share of the mean distance in the pool, up to which two optima count as equal."""


def wasserstein_test(
    x: Any,
    y: Any,
    *,
    metric: Any = "euclidean",
    permutations: int = 999,
    threads: int | None = None,
    rng: Any = None,
) -> TestResult:
    """Permutation test with the Wasserstein distance W1, every permuted value an exact optimum.

    Parameters
    ----------
    x, y : array_like [n, d] and [m, d] (or [n], [m] on the line), or data frames with the same columns
        Independent observations; at least two each.
    metric : str or PointCost
        A norm of the difference, "euclidean", "cityblock", "chebyshev", "minkowski:p", or "discrete".
    permutations : int
        B.
    threads : int, optional
        None: all processors; the result does not depend on it.
    rng : int, numpy.random.Generator or None
        Source of the permutations.

    Returns
    -------
    TestResult
        Its statistic is W1 of the samples, in the unit of the points, with a proved interval; ``gap`` is the largest
        difference between primal and dual value among all permuted optima.

    Raises
    ------
    InvalidInput
        NaN or infinity, fewer than two points, different columns or dimensions, weights that differ; a cost that is
        not a metric.
    TooLarge
        If the distances of the pool, about 36 (n + m)^2 bytes for d > 1, do not fit into memory.

    Notes
    -----
    W1 sees differences of the size of its own noise, which large distances decide: where far points are few or the
    sample has several distant groups, :func:`capped_wasserstein_test` finds more.

    References
    ----------
    A. Ramdas, N. Garcia Trillos and M. Cuturi, On Wasserstein two-sample testing, Entropy 19, 2017.

    Examples
    --------
    >>> wasserstein_test([0.0, 1.0, 2.0, 3.0], [8.0, 9.0, 10.0, 11.0], rng=0).statistic
    8.0
    """
    return _test(x, y, "wasserstein", np.array([np.inf]), metric, permutations, threads, rng)


def capped_wasserstein_test(
    x: Any,
    y: Any,
    *,
    caps: Any = None,
    metric: Any = "euclidean",
    permutations: int = 999,
    threads: int | None = None,
    rng: Any = None,
) -> TestResult:
    """Permutation test with W1 for the metrics min(d, h), aggregated over caps h.

    No pair of points can count for more than h, so a test with a small cap compares the samples at the scale h and
    is blind to how far apart distant groups are.  min(d, h) is a metric, and every permuted value an exact optimum.

    Parameters
    ----------
    x, y : array_like [n, d] and [m, d] (or [n], [m] on the line), or data frames with the same columns
        Independent observations; at least two each.
    caps : float or sequence of float, optional
        h, in the unit of the points; inf is W1 itself.  None: four, evenly spaced in the logarithm between the
        distances of neighbours and of arbitrary points of the pool.
    metric : str or PointCost
        A norm of the difference: "euclidean", "cityblock", "chebyshev", "minkowski:p".
    permutations : int
        B, shared by all caps.
    threads : int, optional
        None: all processors; the result does not depend on it.
    rng : int, numpy.random.Generator or None
        Source of the permutations.

    Returns
    -------
    TestResult
        Its statistic is W1 with the cap of the least p-value, with an interval proved for the computed distances;
        its p-value is that of the least p-value among all caps, and valid although one was chosen.

    Raises
    ------
    InvalidInput
        As :func:`wasserstein_test`; caps that are not positive.
    TooLarge
        If the distances of the pool, about 36 (n + m)^2 bytes, do not fit into memory.

    Examples
    --------
    >>> capped_wasserstein_test([0.0, 1.0, 2.0, 3.0], [8.0, 9.0, 10.0, 11.0], caps=[2.0], rng=0).statistic
    2.0
    """
    chosen = None if caps is None else as_positive_list("caps", caps, finite=False)
    return _test(x, y, "capped wasserstein", chosen, metric, permutations, threads, rng)


def _test(
    x: Any, y: Any, method: str, caps: Array | None, metric: Any, permutations: int, threads: int | None, rng: Any
) -> TestResult:
    pool, generator, workers, norm = as_pool(x, y), as_rng(rng), count_threads(threads), _as_metric(metric)
    divisions = draw_divisions(pool.n, pool.m, as_permutations(permutations), generator)
    return run_on_divisions(pool, divisions, method, caps, norm, workers)


def run_on_divisions(
    pool: Pool, divisions: Divisions, method: str, caps: Array | None, norm: PointCost, threads: int = 1
) -> TestResult:
    """The test on divisions that were drawn before; ``caps`` [k] may hold inf, None is a choice from the pool."""
    geometry, on_line = None, pool.d == 1 and norm.line_power == 1
    if not on_line or caps is None or np.isfinite(caps).any():
        geometry = pooled_geometry(pool.points, norm)
    if caps is None:
        assert geometry is not None
        caps = pooled_caps(geometry)
    scale = float(np.ptp(pool.points)) if geometry is None else float(geometry.distance.mean())
    values, gaps = [], []
    for cap in caps:
        if on_line and cap == np.inf:
            values.append(line_statistics(pool.points[:, 0], divisions.labels, power=1))
            continue
        assert geometry is not None
        costs, largest_gap = division_costs(geometry, divisions.labels, float(cap), threads)
        values.append(costs)
        gaps.append(largest_gap)
    counts = np.array([count_as_large(row, _ROUNDING * scale) for row in values])
    p, which = least_p_of(counts) if len(caps) > 1 else (p_value(counts[0]), 0)
    cap = float(caps[which])
    statistic, bounds = _certified(pool, norm, cap, geometry)
    among = f", the cap with the least of {len(caps)} p-values" if len(caps) > 1 else ""
    return TestResult(
        statistic=statistic,
        p_value=p,
        method=method,
        n=pool.n,
        m=pool.m,
        permutations=divisions.count - 1,
        exhaustive=divisions.exhaustive,
        least_p_value=divisions.least_p_value(symmetric=True),
        meaning=f"W1 for {norm.name}" + (f" distances up to {cap:.4g}{among}" if cap < np.inf else " distances"),
        bounds=bounds,
        gap=max(gaps, default=None),
    )


def _as_metric(metric: Any) -> PointCost:
    cost = as_cost(metric)
    if not (isinstance(cost, PointCost) and cost.is_metric):
        raise invalid("metric", "be a metric of points", repr(cost.name), "For example 'euclidean' or 'cityblock'.")
    return cost


def pooled_caps(geometry: PooledGeometry) -> Array:
    """Four caps, from three times the median distance of nearest neighbours to the quarter of smallest distances."""
    nearest = np.median(geometry.sorted_distance[:, 1])
    quarter = np.quantile(geometry.sorted_distance[:, len(geometry.distance) // 4], 0.5)
    if not quarter > 0:  # a quarter of all points coincide
        largest = float(geometry.distance.max())
        return np.array([largest if largest > 0 else 1.0])
    low = min(max(3 * float(nearest), 1e-3 * float(quarter)), 0.5 * float(quarter))
    return np.geomspace(low, quarter, CAPS)


def _certified(pool: Pool, norm: PointCost, cap: float, geometry: PooledGeometry | None) -> tuple[float, Bounds]:
    """W1 of the samples with its proof."""
    from otdiv.transport.solve import emd

    if cap < np.inf:
        assert geometry is not None
        result = emd(cost=np.minimum(geometry.distance[: pool.n, pool.n :], cap))
    else:
        result = emd(pool.points[: pool.n], pool.points[pool.n :], cost=norm)
    return result.value, result.bounds
