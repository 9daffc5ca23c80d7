"""The matrix of distances that ``metric="precomputed"`` asks for."""

from __future__ import annotations

from typing import Any

import numpy as np

from otdiv.core.options import RTOL
from otdiv.core.validation import Array
from otdiv.distance_matrix import PairwiseDistances, pairwise
from otdiv.errors import SolverFailed


def precomputed_distances(measures: Any, others: Any = None, **options: Any) -> Array:
    """Distances of all pairs of measures as a plain matrix, for ``metric="precomputed"`` of scikit-learn.

    D_ij = W_p(mu_i, nu_j)

    Parameters
    ----------
    measures, others : see :func:`otdiv.pairwise`
        Clouds of any sizes, DiscreteMeasure, or an array [k, n, d].
    **options
        Of :func:`otdiv.pairwise`: metric, p, weights, store, workers, scheduler and so on.

    Returns
    -------
    ndarray [k, l]
        In the unit of the metric; with ``others=None`` symmetric with zeros on the diagonal.

    Raises
    ------
    InvalidInput
        As :func:`otdiv.pairwise`.
    SolverFailed
        A distance whose interval is wider than ``rtol`` times it and times the largest one.

    Examples
    --------
    >>> from sklearn.cluster import DBSCAN
    >>> clouds = [[0.0, 1.0], [0.1, 1.2, 0.4], [9.0, 8.0], [9.5]]
    >>> DBSCAN(eps=1.0, min_samples=2, metric="precomputed").fit_predict(precomputed_distances(clouds)).tolist()
    [0, 0, 1, 1]
    """
    return np.array(certified_pairs(measures, others, **options).values)


def certified_pairs(measures: Any, others: Any = None, *, scale: float = 0.0, **options: Any) -> PairwiseDistances:
    """Distances of all pairs, each proved to ``rtol`` times the largest of itself, all others and ``scale``.

    Raises
    ------
    SolverFailed
    """
    found = pairwise(measures, others, **options)
    if found.certified is None or found.lower is None or found.upper is None:
        return found
    room = options.get("rtol", RTOL) * max(scale, float(found.values.max()))
    wide = ~found.certified & (found.upper - found.lower > room)
    if wide.any():
        i, j = np.argwhere(wide)[0].tolist()
        received = f"[{found.lower[i, j]:.17g}, {found.upper[i, j]:.17g}] of {i} and {j}"
        raise SolverFailed(f"{np.count_nonzero(wide)} intervals are wider than asked for, first {received}.")
    return found
