"""Statistics of all divisions of a pool of points on the line, from one sorting.

With F and G the distribution functions of the two groups, W1 = integral |F - G| and the squared energy distance is
2 integral (F - G)^2.  F - G is constant between neighbouring points, and n m (F - G) is an integer.
"""

from __future__ import annotations

import numpy as np

from otdiv.core.memory import row_blocks
from otdiv.core.validation import Array

_BLOCK_ENTRIES = 2**16
"""Labels that are summed at a time.  More: the partial sums leave the processor's cache."""


def line_statistics(values: Array, labels: Array, power: int) -> Array:
    """integral |F - G|^power of every division.

    Parameters
    ----------
    values : ndarray [N]
        The pool.
    labels : ndarray of bool [R, N]
        True: the point belongs to the first group.
    power : int
        1 gives W1, 2 half of the squared energy distance.

    Returns
    -------
    ndarray [R]
    """
    order = np.argsort(values, kind="stable")
    gaps = np.diff(values[order])
    size, n = len(values), int(labels[0].sum())
    ahead = n * np.arange(1, size, dtype=np.int64)
    result = np.empty(len(labels))
    for rows in row_blocks(len(labels), labels.shape[1], _BLOCK_ENTRIES):
        # of k points counted from the left c are of the first group: n m (F - G) = m c - n (k - c) = (n + m) c - n k
        difference = np.cumsum(labels[rows][:, order[:-1]], axis=1, dtype=np.int64)
        difference *= size
        difference -= ahead
        share = np.abs(difference, out=difference) / (n * (size - n))
        result[rows] = (share if power == 1 else share**power) @ gaps
    return result
