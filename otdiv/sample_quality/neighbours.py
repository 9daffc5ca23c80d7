"""Precision, recall, density and coverage: measures from nearest neighbours, for comparison with published ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist

from otdiv.core.memory import row_blocks
from otdiv.core.validation import Array, invalid
from otdiv.sample_quality.samples import as_pair

PRECISION_K = 3
"""Neighbours of precision and recall, as published.  More: larger balls, both measures grow."""
COVERAGE = 0.95
"""Mean coverage that a perfect generator is to reach; it sets the neighbours of density and coverage."""
_MOST_K = 20
"""Neighbours up to which that is tried."""


@dataclass(frozen=True)
class NeighbourMeasures:
    """Shares of points in balls that reach to the k-th nearest neighbour.

    Attributes
    ----------
    precision : float
        Share of generated points in a ball about a real point.
    recall : float
        Share of real points in a ball about a generated point.
    density : float
        Mean number of balls about real points that hold a generated point, over k; not bounded by 1.
    coverage : float
        Share of balls about real points that hold a generated point.
    k_precision, k_density : int
        Neighbours of the first two and of the last two.
    duplicates : int
        Real points that coincide with at least k others, whose balls have radius 0.
    """

    precision: float
    recall: float
    density: float
    coverage: float
    k_precision: int
    k_density: int
    duplicates: int

    def to_dict(self) -> dict[str, float | int]:
        """Ready for JSON."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def __str__(self) -> str:
        return (
            f"precision {self.precision:.3f}, recall {self.recall:.3f} (k = {self.k_precision}); "
            f"density {self.density:.3f}, coverage {self.coverage:.3f} (k = {self.k_density})"
        )


def neighbour_measures(
    real: Any, generated: Any, *, k_precision: int = PRECISION_K, k_density: int | None = None
) -> NeighbourMeasures:
    """Precision and recall, density and coverage of a generated sample.

    With r_k(z) the distance of z to its k-th nearest neighbour in its own sample, z itself not counted, and x real,
    y generated:

        precision = P_y( exists x: |x - y| <= r_k(x) ),   recall = P_x( exists y: |x - y| <= r_k(y) ),
        density = E_y #{ x: |x - y| <= r_k(x) } / k,   coverage = P_x( exists y: |x - y| <= r_k(x) )

    Parameters
    ----------
    real, generated : array_like [n, d], [m, d]
    k_precision : int
        k of precision and recall.
    k_density : int, optional
        k of density and coverage; None: the least for which a perfect generator covers 95 % on average.

    Returns
    -------
    NeighbourMeasures

    Raises
    ------
    InvalidInput
        Different dimensions, NaN, k not less than the number of points.

    Notes
    -----
    Distances are compared with <=, so that points that coincide, or columns that are constant, do not make every
    measure 0.  They come from differences: a product of matrices gives a point a distance to itself that is not 0.

    References
    ----------
    T. Kynkaanniemi et al., Improved precision and recall metric for assessing generative models, NeurIPS 2019;
    M. F. Naeem et al., Reliable fidelity and diversity metrics for generative models, ICML 2020.

    Examples
    --------
    >>> line = np.arange(10.0)
    >>> found = neighbour_measures(line, line + 20, k_density=3)
    >>> found.precision, found.coverage
    (0.0, 0.0)
    """
    x, y = as_pair(real, generated)
    k_fixed = usual_k(len(x), len(y)) if k_density is None else _as_k("k_density", k_density, len(x))
    k_both = _as_k("k_precision", k_precision, min(len(x), len(y)))
    radius, radius_density = kth_distances(x, k_both), kth_distances(x, k_fixed)
    radius_generated = kth_distances(y, k_both)
    in_real, in_generated = np.zeros(len(y), dtype=bool), np.empty(len(x), dtype=bool)
    balls, covered = np.zeros(len(y), dtype=np.int64), np.empty(len(x), dtype=bool)
    for block in row_blocks(len(x), len(y)):
        apart = cdist(x[block], y)
        in_real |= (apart <= radius[block, None]).any(axis=0)
        in_generated[block] = (apart <= radius_generated).any(axis=1)
        inside = apart <= radius_density[block, None]
        balls += np.count_nonzero(inside, axis=0)
        covered[block] = inside.any(axis=1)
    return NeighbourMeasures(
        precision=float(in_real.mean()),
        recall=float(in_generated.mean()),
        density=float(balls.mean() / k_fixed),
        coverage=float(covered.mean()),
        k_precision=k_both,
        k_density=k_fixed,
        duplicates=int(np.count_nonzero(radius_density == 0)),
    )


def kth_distances(points: Array, k: int) -> Array:
    """Distance [n] of every point to its k-th nearest other point, k < n; 0 where it coincides with k others."""
    distances = np.empty(len(points))
    for block in row_blocks(len(points), len(points)):
        distances[block] = np.partition(cdist(points[block], points), k, axis=1)[:, k]  # itself comes first
    return distances


def expected_coverage(n: int, m: int, k: int) -> float:
    """Mean coverage of m generated points that come from the distribution of the n real ones.

    1 - prod_{i = 1 ... k} (n - i) / (n + m - i): that the k nearest of n + m - 1 others are all real.
    """
    i = np.arange(1, k + 1)
    return float(1.0 - np.prod((n - i) / (n + m - i)))


def usual_k(n: int, m: int) -> int:
    """The least k, up to 20 and below n, for which a perfect generator covers more than 95 % on average."""
    most = min(_MOST_K, n - 1)
    if most < 1:
        raise invalid("real", "hold at least 2 points", str(n), "Draw more.")
    return next((k for k in range(1, most + 1) if expected_coverage(n, m, k) > COVERAGE), most)


def _as_k(name: str, k: Any, n: int) -> int:
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or not 1 <= k < n:
        raise invalid(name, f"be a whole number from 1 to {n - 1}", repr(k), "There is no such neighbour otherwise.")
    return int(k)
