"""Two measures on one support: the union of their points, or a grid of bins over them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from otdiv.core.validation import Array, invalid, readonly
from otdiv.measures.discrete import DiscreteMeasure, distinct_rows, with_same_columns

_ROUNDING = 8.0
"""Units in the last place of the largest coordinate within which coordinates count as one by default."""


def common_support(
    mu: DiscreteMeasure, nu: DiscreteMeasure, *, support_atol: float | None = None
) -> tuple[Array, Array, Array]:
    """Both measures on the union of their points.

    Parameters
    ----------
    mu, nu : DiscreteMeasure
        Of one dimension; points that stand twice are merged.
    support_atol : float, optional
        Coordinates that differ by no more count as one, so that the bins 0.1 + 0.1 + 0.1 and 3 * 0.1 are the same;
        by default 8 units in the last place of the largest coordinate.  0 matches exactly.

    Returns
    -------
    points : ndarray [k, d]
        The distinct points of both, in lexicographic order.
    p, q : ndarray [k]
        The masses of ``mu`` and ``nu`` there, zero where a point is absent.

    Raises
    ------
    InvalidInput
        If the dimensions differ, or ``support_atol`` is negative.

    Examples
    --------
    >>> points, p, q = common_support(DiscreteMeasure([0, 1]), DiscreteMeasure([1, 2]))
    >>> p.tolist(), q.tolist()
    ([0.5, 0.5, 0.0], [0.0, 0.5, 0.5])
    """
    nu = with_same_columns(mu, nu)
    if support_atol is not None and not 0 <= support_atol < np.inf:
        raise invalid("support_atol", "be a number >= 0", repr(support_atol), "0 matches exactly.")
    points, which = distinct_rows(without_rounding(np.concatenate([mu.points, nu.points]), support_atol))
    p = np.bincount(which[: mu.n], weights=mu.weights, minlength=len(points))
    q = np.bincount(which[mu.n :], weights=nu.weights, minlength=len(points))
    return readonly(points), readonly(p), readonly(q)


def without_rounding(points: Array, atol: float | None) -> Array:
    """The points with coordinates that differ by at most ``atol`` made equal, to the smallest of them.

    Parameters
    ----------
    points : ndarray [k, d]
    atol : float or None
        None is :data:`_ROUNDING` units in the last place of the largest coordinate of each column.
    """
    if atol == 0.0:
        return points
    columns = []
    for column in points.T:
        values, which = np.unique(column + 0.0, return_inverse=True)
        near = _ROUNDING * float(np.spacing(np.abs(values).max())) if atol is None else atol
        close = np.diff(values) <= near
        if close.any():
            first = values[0]
            for k in range(1, len(values)):
                first = first if values[k] - first <= near else values[k]
                values[k] = first
        columns.append(values[which.reshape(-1)])
    return np.stack(columns, axis=1)


def points_equal_but_for_rounding(mu: DiscreteMeasure, nu: DiscreteMeasure) -> int:
    """How many points of both :func:`common_support` takes for one though they differ in the last digits."""
    exact, _, _ = common_support(mu, nu, support_atol=0.0)
    merged, _, _ = common_support(mu, nu)
    return len(exact) - len(merged)


def binned(
    mu: DiscreteMeasure, nu: DiscreteMeasure, bins: int | Sequence[int]
) -> tuple[DiscreteMeasure, DiscreteMeasure]:
    """Both measures on one grid of bin centres over their joint range.

    Parameters
    ----------
    bins : int, or one int for each dimension
        Number of equal bins along each coordinate.

    Returns
    -------
    two DiscreteMeasure on the same points, the occupied bins; masses are kept.

    Raises
    ------
    InvalidInput
        If the dimensions differ or a number of bins is below 1.
    """
    nu = with_same_columns(mu, nu)
    given = [bins] * mu.d if np.ndim(bins) == 0 else list(bins)  # type: ignore[arg-type]
    whole = all(isinstance(k, int | np.integer) and not isinstance(k, bool) and 1 <= k <= 2**53 for k in given)
    if len(given) != mu.d or not whole:
        raise invalid(
            "bins", f"be a positive integer, or {mu.d} of them", repr(bins), "One number of bins for each coordinate."
        )
    counts = np.array(given, dtype=np.int64)
    pooled = np.concatenate([mu.points, nu.points]) / 2  # halves: their range cannot overflow
    low, high = pooled.min(axis=0), pooled.max(axis=0)
    width = np.where(high > low, (high - low) / counts, 0.5)
    if np.any(width < 4 * np.spacing(np.maximum(np.abs(low), np.abs(high))), where=high > low):
        raise invalid(
            "bins",
            "leave cells wider than the rounding of the coordinates",
            repr(bins),
            "Take fewer bins, or subtract an offset from the points.",
        )
    cell = np.clip(((pooled - low) / width).astype(np.int64), 0, counts - 1)
    centres = 2 * (low + (cell + 0.5) * width)
    a, b = DiscreteMeasure(centres[: mu.n], mu.weights), DiscreteMeasure(centres[mu.n :], nu.weights)
    points, p, q = common_support(a, b, support_atol=0.0)
    return DiscreteMeasure(points, p), DiscreteMeasure(points, q)
