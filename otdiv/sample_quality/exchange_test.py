"""Permutation tests whose statistics are exact distances of equal samples: between two groups, or from a third."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist

from otdiv.core.bounds import Bounds
from otdiv.core.validation import Array
from otdiv.transport.batches.emd_many import emd_many
from otdiv.two_sample.permutations import Divisions, count_as_large, draw_divisions, p_value
from otdiv.two_sample.result import TestResult

MOST_POINTS = 300
"""Points of each sample in a permutation test, each permutation of which solves assignments of that size."""
ROUNDING = 1e-11
"""Difference, as a share of the mean distance, up to which two statistics count as equal."""
_AT_ONCE = 20
"""Divisions whose matrices of distances are held at a time (29 MB at 300 points); more are hardly faster."""


def distances_of_divisions(blocks: list[tuple[Array, Array, Array]]) -> tuple[Array, Array, Array]:
    """W1 with its bounds [k] of matrices apart[rows][:, columns], given as (apart, rows, columns)."""
    found = []
    for k in range(0, len(blocks), _AT_ONCE):
        batch = emd_many(cost=[apart[np.ix_(rows, columns)] for apart, rows, columns in blocks[k : k + _AT_ONCE]])
        found.append((batch.values, batch.lower, batch.upper))
    values, lower, upper = (np.concatenate(part) for part in zip(*found, strict=True))
    return values, lower, upper


def w1_test(x: Array, y: Array, permutations: int, rng: np.random.Generator) -> TestResult:
    """Permutation test with W1 of random parts of both samples, of one size, every value an exact optimum.

    Parameters
    ----------
    x, y : ndarray [n, d], [m, d]
    permutations : int
    rng : numpy.random.Generator
    """
    size = min(len(x), len(y), MOST_POINTS)
    pool = np.concatenate([points[rng.permutation(len(points))[:size]] for points in (x, y)])
    apart = cdist(pool, pool)
    divisions = draw_divisions(size, size, permutations, rng)
    groups = [(apart, np.flatnonzero(labels), np.flatnonzero(~labels)) for labels in divisions.labels]
    values, lower, upper = distances_of_divisions(groups)
    return TestResult(
        statistic=float(values[0]),
        p_value=p_value(count_as_large(values, ROUNDING * float(apart.mean()))),
        method="wasserstein",
        n=size,
        m=size,
        permutations=divisions.count - 1,
        exhaustive=divisions.exhaustive,
        least_p_value=divisions.least_p_value(symmetric=True),
        meaning="W1 for euclidean distances",
        bounds=Bounds(float(lower[0]), float(upper[0])),
        gap=float((upper - lower).max()),
    )


def distances_from(points: Array, pool: Array, divisions: Divisions) -> tuple[Array, Array, Array, Array]:
    """W1 of the points to both groups of every division of a pool.

    Parameters
    ----------
    points : ndarray [s, d]
    pool : ndarray [2 s, d]
    divisions : Divisions
        Of the pool into two groups of s.

    Returns
    -------
    apart : ndarray [s, 2 s]
        All distances.
    values, lower, upper : ndarray [R, 2]
        To the first and to the second group.
    """
    apart, every = cdist(points, pool), np.arange(len(points))
    sides = [(apart, every, np.flatnonzero(side)) for labels in divisions.labels for side in (labels, ~labels)]
    values, lower, upper = (found.reshape(-1, 2) for found in distances_of_divisions(sides))
    return apart, values, lower, upper
