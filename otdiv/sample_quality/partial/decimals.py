"""Decimals of the columns of a table: a value with more of them than a column ever has is recognised as generated."""

from __future__ import annotations

import numpy as np

from otdiv.core.validation import Array
from otdiv.sample_quality.partial.views import ViewShare

MOST_DECIMALS = 4
"""Decimals up to which a column counts as rounded; values with more are taken as continuous."""


def count_decimals(column: Array) -> int | None:
    """The fewest decimals, up to 4, with which every value of a column [n] is written; None where more are needed.

    Examples
    --------
    >>> count_decimals(np.array([1.0, 2.0, 40.0])), count_decimals(np.array([0.25, 1.5]))
    (0, 2)
    >>> count_decimals(np.array([1 / 3, 1.0])) is None
    True
    """
    for decimals in range(MOST_DECIMALS + 1):
        if on_grid(column, decimals).all():
            return decimals
    return None


def on_grid(column: Array, decimals: int) -> Array:
    """Which values [n] have at most so many decimals, up to the rounding of floats."""
    return np.asarray(np.round(column, decimals) == column)


def decimal_shares(points: Array, others: Array, capacity: float = 1.0) -> list[ViewShare]:
    """For every column of ``points`` that is rounded, the share of the values of ``others`` with as few decimals.

    Parameters
    ----------
    points, others : ndarray [n, d], [m, d]
    capacity : float
        How many times its weight each of those values counts.

    Returns
    -------
    list of ViewShare
        None for columns that are not rounded.
    """
    found = []
    for j in range(points.shape[1]):
        decimals = count_decimals(points[:, j])
        if decimals is not None:
            share = min(1.0, capacity * float(np.mean(on_grid(others[:, j], decimals))))
            found.append(ViewShare(f"decimals of column {j}", 0.0, share, 1.0, (share,)))
    return found
