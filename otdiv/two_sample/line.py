"""Statistics of all divisions of a pool of points on the line, from one sorting.

With F and G the distribution functions of the two groups, W1 = integral |F - G| and the squared energy distance is
2 integral (F - G)^2.  F - G is constant between neighbouring points, and n m (F - G) is an integer.
"""

from __future__ import annotations

import numpy as np

from otdiv.core.memory import row_blocks
from otdiv.core.validation import Array


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
    n = int(labels[0].sum())
    m = len(values) - n
    result = np.empty(len(labels))
    for rows in row_blocks(*labels.shape):
        steps = np.where(labels[rows][:, order], m, -n)
        ahead = np.abs(np.cumsum(steps, axis=1)[:, :-1])  # whole numbers, exact
        result[rows] = (ahead / (n * m)) ** power @ gaps
    return result
