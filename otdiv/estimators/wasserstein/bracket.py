"""W_p in any dimension, between a held-out lower end and the empirical distance.

E W_p^p(P_n, Q_m) >= W_p^p(P, Q) by convexity, and E f(X) + E g(Y) <= W_p^p(P, Q) for potentials learnt from other
points: both ends are means over independent points, so that normal quantiles apply; how far apart they are is what
the dimension costs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from otdiv.core.validation import Array
from otdiv.estimators.arguments import Samples
from otdiv.estimators.estimate import bracket_quantile, normal_quantile
from otdiv.estimators.wasserstein.potentials import LEARNERS

FOLDS = 5
"""Parts of the samples, each scored by potentials that were learnt from the others; more of them learn from more."""


@dataclass(frozen=True)
class Ends:
    """Both ends of the bracket, in units of the p-th power of the distance.

    Attributes
    ----------
    low, low_error : float
        Held-out mean of the learnt potentials, and its standard error.
    high, high_error : float
        W_p^p of the samples, and the standard error that its potentials give.
    learner : str
        What was taken most often.
    """

    low: float
    low_error: float
    high: float
    high_error: float
    learner: str

    def interval(self, confidence: float, p: int) -> tuple[float, float]:
        """Interval of W_p^p.

        For p = 2 the upper end is that of an interval of the root, (high^(1/2) + z error / (2 high^(1/2)))^2: a mean of
        squares that is too small comes with an error that is too small, and its root is more nearly normal.
        """
        error = max(self.low_error, self.high_error)
        z = bracket_quantile(max(self.high - self.low, 0.0), error, confidence)
        upper = self.high + z * self.high_error
        if p == 2 and self.high > 0:
            upper += (z * self.high_error) ** 2 / (4 * self.high)
        # for P = Q what one fold learns from another one, it learns back: the variance of the mean doubles
        if self.low <= math.sqrt(2) * normal_quantile(confidence) * self.low_error:
            return 0.0, upper
        return max(self.low - z * self.low_error, 0.0), upper


def held_out_mean(samples: Samples, p: int, rng: np.random.Generator) -> tuple[float, float, str]:
    """Cross-fitted mean of f(x) + g(y), its standard error, and the learner taken most often.

    For each fold the learner with the largest mean on the other folds is taken.

    Parameters
    ----------
    samples : Samples
    p : int
        1 or 2.
    rng : numpy.random.Generator
    """
    fold_x = rng.permutation(samples.n) % FOLDS
    fold_y = rng.permutation(samples.m) % FOLDS
    names = list(LEARNERS[p])
    f, g = np.empty((len(names), samples.n)), np.empty((len(names), samples.m))
    for k in range(FOLDS):
        in_x, in_y = fold_x == k, fold_y == k
        for row, name in enumerate(names):
            first, second = LEARNERS[p][name](samples.x[~in_x], samples.y[~in_y])
            f[row, in_x], g[row, in_y] = first(samples.x[in_x]), second(samples.y[in_y])
    taken = np.empty(FOLDS, dtype=np.int64)
    for k in range(FOLDS):
        means = f[:, fold_x != k].mean(axis=1) + g[:, fold_y != k].mean(axis=1)
        taken[k] = int(np.argmax(means))
    f_taken, g_taken = f[taken[fold_x], np.arange(samples.n)], g[taken[fold_y], np.arange(samples.m)]
    value = float(np.mean([f_taken[fold_x == k].mean() + g_taken[fold_y == k].mean() for k in range(FOLDS)]))
    # potentials of different folds differ by constants that cancel within a fold
    error = _error(_centred(f_taken, fold_x), _centred(g_taken, fold_y))
    return value, error, names[int(np.bincount(taken).argmax())]


def _centred(values: Array, fold: Array) -> Array:
    return values - np.array([values[fold == k].mean() for k in range(FOLDS)])[fold]


def _error(f: Array, g: Array) -> float:
    return math.sqrt(float(f.var(ddof=1)) / len(f) + float(g.var(ddof=1)) / len(g))


def bracket(samples: Samples, p: int, empirical: float, f: Array, g: Array, rng: np.random.Generator) -> Ends:
    """Both ends; ``empirical`` is W_p^p of the samples and f [n], g [m] are its potentials."""
    low, low_error, learner = held_out_mean(samples, p, rng)
    return Ends(low, low_error, empirical, _error(f, g), learner)
