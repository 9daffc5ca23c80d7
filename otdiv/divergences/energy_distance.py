"""Distances that see only the difference of two measures: energy distance, Kolmogorov-Smirnov.

Both are finite for samples without common support, and cheaper than transport.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from otdiv.core.memory import BLOCK_ENTRIES, row_blocks
from otdiv.core.validation import Array, invalid
from otdiv.costs import Euclidean
from otdiv.measures.arguments import as_measures
from otdiv.measures.discrete import MASS_TOLERANCE, with_same_columns
from otdiv.measures.support import common_support


def energy_distance(
    x: Any,
    y: Any,
    a: Any = None,
    b: Any = None,
    *,
    normalize: bool = False,
    block_entries: int = BLOCK_ENTRIES,
) -> float:
    """Energy distance sqrt(2 E|X - Y| - E|X - X'| - E|Y - Y'|), with Euclidean distances.

    Parameters
    ----------
    x, y : array_like [n, d] and [m, d] (or [n], [m] on the line), or DiscreteMeasure
        Samples or atoms of the two distributions.
    a, b : array_like [n] and [m], optional
        Their weights, both of the same total within 1e-9 of it; None is uniform, 1/n and 1/m.
    normalize : bool
        Divide each side's weights by their total first.
    block_entries : int
        How many distances are held in memory at a time; only for d > 1.

    Returns
    -------
    float
        A metric, in the square root of the unit of the points; on the line
        sqrt(2 integral (F - G)^2), as scipy.stats.energy_distance.  For weights of total M the
        expectations are sums, and the value is M times that of the normalised weights.

    Raises
    ------
    InvalidInput
        Points of different dimensions, weights of different totals, weights beside a DiscreteMeasure,
        NaN, negative weights.

    Notes
    -----
    Evaluated as -(p - q)' D (p - q) on the common support, so that equal measures are at distance 0
    exactly.  O(n + m) after sorting on the line, O((n + m)^2 d) time and O(n + m) memory elsewhere.

    References
    ----------
    G. J. Szekely and M. L. Rizzo, Energy statistics, J. Stat. Plan. Inference 143, 2013.

    Examples
    --------
    >>> round(energy_distance([0.0], [3.0]) ** 2, 12)
    6.0
    """
    points, w = _difference(x, y, a, b, normalize)
    if points.shape[1] == 1:
        ahead = np.cumsum(w)[:-1]
        return math.sqrt(2 * float(np.diff(points[:, 0]) @ ahead**2))
    distance, square = Euclidean(), 0.0
    for rows in row_blocks(len(points), len(points), block_entries):
        square -= float(w[rows] @ (distance.matrix(points[rows], points) @ w))
    return math.sqrt(max(0.0, square))


def kolmogorov_smirnov(x: Any, y: Any, a: Any = None, b: Any = None, *, normalize: bool = False) -> float:
    """Kolmogorov-Smirnov distance max over t of |F(t) - G(t)| of two distributions on the line.

    Parameters
    ----------
    x, y : array_like [n] and [m] (or [n, 1], [m, 1]), or DiscreteMeasure
        Samples or atoms of the two distributions.
    a, b : array_like [n] and [m], optional
        Their weights, both of the same total within 1e-9 of it; None is uniform, 1/n and 1/m.
    normalize : bool
        Divide each side's weights by their total first.

    Returns
    -------
    float
        A metric, without unit, between 0 and the total of the weights; the statistic of
        scipy.stats.ks_2samp.

    Raises
    ------
    InvalidInput
        Points that do not lie on the line, weights of different totals, weights beside a
        DiscreteMeasure, NaN, negative weights.

    References
    ----------
    N. Smirnov, Table for estimating the goodness of fit of empirical distributions, Ann. Math. Stat. 19, 1948.

    Examples
    --------
    >>> kolmogorov_smirnov([0.0, 1.0], [1.0, 2.0])
    0.5
    """
    points, w = _difference(x, y, a, b, normalize)
    if points.shape[1] != 1:
        d = points.shape[1]
        raise invalid("x and y", "lie on the line", f"d = {d} and d = {d}", "Compare one coordinate at a time.")
    return float(np.abs(np.cumsum(w)[:-1]).max(initial=0.0))


def _difference(x: Any, y: Any, a: Any, b: Any, normalize: bool) -> tuple[Array, Array]:
    """The points of both in lexicographic order, and the difference of the two measures there."""
    mu, nu = as_measures(x, y, a, b, normalize=normalize)
    nu = with_same_columns(mu, nu)
    if abs(mu.mass - nu.mass) > MASS_TOLERANCE * max(mu.mass, nu.mass):
        received = f"{mu.mass:.10g} and {nu.mass:.10g}"
        raise invalid("the weights of x and y", "have the same total", received, "Pass normalize=True.")
    points, p, q = common_support(mu, nu)
    return points, p - q
