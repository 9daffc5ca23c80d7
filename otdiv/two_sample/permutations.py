"""Divisions of a pool into two groups, and the p-values that they give.

Under the hypothesis that both samples come from one distribution, every division of the pool into n and m points is
as likely as the observed one.  So the rank of a statistic among divisions has a known distribution, whatever the
statistic, and so has the rank of anything that treats all divisions alike, such as the least of several p-values
computed from the same divisions (Westfall and Young, Resampling-based multiple testing, 1993).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from otdiv.core.memory import require_memory
from otdiv.core.validation import Array


@dataclass(frozen=True, eq=False)
class Divisions:
    """The observed division and others.

    Attributes
    ----------
    labels : ndarray of bool [R, N]
        True where a point belongs to the first group, n in every row; row 0 is the observed division.
    exhaustive : bool
        Whether these are all divisions there are, each once.
    """

    labels: Array
    exhaustive: bool

    @property
    def count(self) -> int:
        """R: the observed division and all others."""
        return len(self.labels)

    def signed(self) -> Array:
        """The difference of the two empirical measures, 1 / n in the first group and -1 / m in the second [N, R]."""
        n = int(self.labels[0].sum())
        return np.where(np.ascontiguousarray(self.labels.T), 1.0 / n, -1.0 / (self.labels.shape[1] - n))

    def least_p_value(self, symmetric: bool) -> float:
        """The smallest p-value that these divisions can give.

        Parameters
        ----------
        symmetric : bool
            Whether the statistic stays the same when the groups change places; where they have one size, every
            division then has a twin.
        """
        size, n = self.labels.shape[1], int(self.labels[0].sum())
        twins = 2 if symmetric and 2 * n == size else 1
        return max(1 / self.count, twins / count_divisions(n, size - n))


def count_divisions(n: int, m: int) -> float:
    """Divisions of n + m points into n and m; inf where there are more than 2^64."""
    return math.comb(n + m, n) if min(n, m) < 64 and math.log2(n + m) * min(n, m) < 1000 else math.inf


def draw_divisions(n: int, m: int, permutations: int, rng: np.random.Generator) -> Divisions:
    """The observed division, x first, and ``permutations`` random ones; all divisions where there are no more.

    Parameters
    ----------
    n, m : int
        Sizes of the groups.
    permutations : int
        B, number of random divisions.
    rng : numpy.random.Generator

    Raises
    ------
    TooLarge
        If the labels, one byte for each point and division, do not fit into memory.
    """
    observed = np.arange(n + m) < n
    if count_divisions(n, m) <= permutations + 1:
        chosen = np.array(list(itertools.combinations(range(n + m), n)))  # the observed one comes first
        labels = np.zeros((len(chosen), n + m), dtype=bool)
        np.put_along_axis(labels, chosen, True, axis=1)
        return Divisions(labels, True)
    require_memory(1.0 * (permutations + 1) * (n + m), None, f"{permutations} permutations of {n + m} points")
    labels = np.tile(observed, (permutations + 1, 1))
    labels[1:] = rng.permuted(labels[1:], axis=1)
    return Divisions(labels, False)


def count_as_large(statistics: Array, rounding: float = 0.0) -> Array:
    """For every division, how many have a statistic as large as its own, itself included.

    Parameters
    ----------
    statistics : ndarray [R]
        Large values speak against one common distribution.
    rounding : float
        Statistics that differ by no more than this count as equal, and equal ones as large.

    Returns
    -------
    ndarray of int [R]
    """
    ascending = np.sort(statistics)
    return len(ascending) - np.searchsorted(ascending, statistics - rounding, side="left")


def p_value(counts: Array) -> float:
    """(1 + #{as large, among the others}) / R of the observed division, from :func:`count_as_large`."""
    return float(counts[0] / len(counts))


def rank_by_least(counts: Array) -> Array:
    """For every division, how many have K statistics of which the least p-value is as small, itself included.

    The least of K counts takes few values: with B = 99 and K = 7 it is 1 for up to 7 of 100 divisions, and none of
    them could be rejected at 0.05.  So equal least counts are ordered by the next-least ones: divisions stand in the
    order of a dictionary of their K counts, each ascending.

    Parameters
    ----------
    counts : ndarray of int [K, R]
        Of each statistic on the same divisions.

    Returns
    -------
    ndarray of int [R]
        A count as those of :func:`count_as_large`, small where some statistic is large.
    """
    ascending = np.sort(counts, axis=0)
    order = np.lexsort(ascending[::-1])
    new = (ascending[:, order[1:]] != ascending[:, order[:-1]]).any(axis=0)
    last = np.append(np.flatnonzero(new), len(order) - 1) + 1  # places up to the end of each group of equal ones
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.repeat(last, np.diff(last, prepend=0))
    return ranks


def least_p_of(counts: Array) -> tuple[float, int]:
    """The p-value of the least p-value of K statistics, by :func:`rank_by_least`, and which statistic attains it.

    Parameters
    ----------
    counts : ndarray of int [K, R]
        Of each statistic on the same divisions.

    Returns
    -------
    p : float
        The share of divisions whose K counts, in ascending order, come no later in the order of a dictionary than
        those of the observed one.
    which : int
    """
    return p_value(rank_by_least(counts)), int(counts[:, 0].argmin())
