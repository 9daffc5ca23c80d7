"""W1 on finitely many points: the limit distribution is a linear program over the optimal potentials."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from otdiv.core.validation import Array
from otdiv.costs import Euclidean
from otdiv.errors import SolverFailed
from otdiv.estimators.arguments import Samples
from otdiv.estimators.wasserstein.line import LimitInterval, contact_threshold, interval_of_draws
from otdiv.measures.discrete import distinct_rows

MOST_ATOMS = 40
"""Distinct points up to which the limit distribution is drawn; the time grows with their cube."""
DRAWS = 200
"""Draws of the limit distribution, a linear program each."""


def face_interval(
    samples: Samples, empirical: float, bias: float, confidence: float, rng: np.random.Generator, draws: int = DRAWS
) -> LimitInterval:
    """Interval of W1 of distributions on the distinct points of both samples.

    sqrt(n) (W_n - W) tends to the maximum of G . u over the 1-Lipschitz u that are optimal for (P, Q), G normal with
    the covariance of the two multinomials.  Optimal at (P, Q) counts what is optimal for the samples up to
    :func:`contact_threshold` standard errors.

    Parameters
    ----------
    samples : Samples
    empirical, bias : float
        W1 of the two samples, and what is subtracted from it for the value.
    confidence : float
    rng : numpy.random.Generator
    draws : int

    Raises
    ------
    SolverFailed
        A linear program without an answer.

    References
    ----------
    M. Sommerfeld and A. Munk, Inference for empirical Wasserstein distances on finite spaces, J. R. Stat. Soc. B 80,
    2018.
    """
    n, m = samples.n, samples.m
    points, which = distinct_rows(np.concatenate([samples.x, samples.y]))
    p = np.bincount(which[:n], minlength=len(points)) / n
    q = np.bincount(which[n:], minlength=len(points)) / m
    rows, limits = lipschitz_rows(points)
    best = _largest(q - p, rows, limits)
    spread = np.sqrt(_variance(p, best) / n + _variance(q, best) / m)
    face = sparse.vstack([rows, sparse.csr_array((q - p)[None, :])]).tocsr()
    slack = contact_threshold(n, m) * float(spread)
    limits = np.append(limits, slack - empirical)  # (p - q) . u >= W_n - slack
    smooth, kinked = np.empty(draws), np.empty(draws)
    for k in range(draws):
        moved = rng.multinomial(n, p) / n - p - rng.multinomial(m, q) / m + q
        smooth[k] = moved @ best
        kinked[k] = moved @ _largest(-moved, face, limits)
    return interval_of_draws(empirical, bias, smooth, kinked, confidence)


def lipschitz_rows(points: Array) -> tuple[sparse.csr_array, Array]:
    """The constraints u_i - u_j <= |x_i - x_j| of all ordered pairs, as rows [K (K - 1), K] and limits."""
    first, second = np.nonzero(~np.eye(len(points), dtype=bool))
    index = np.arange(len(first))
    rows = sparse.csr_array(
        (np.repeat([1.0, -1.0], len(first)), (np.tile(index, 2), np.concatenate([first, second]))),
        shape=(len(first), len(points)),
    )
    return rows, Euclidean().matrix(points, points)[first, second]


def _largest(objective: Array, rows: sparse.csr_array, limits: Array) -> Array:
    """The u with u_0 = 0 that minimises ``objective`` . u within the rows."""
    bounds = [(0.0, 0.0)] + [(None, None)] * (len(objective) - 1)
    found = linprog(objective, A_ub=rows, b_ub=limits, bounds=bounds, method="highs")
    if not found.success:
        raise SolverFailed(f"the linear program over the optimal potentials has no answer: {found.message}")
    return np.asarray(found.x)


def _variance(p: Array, u: Array) -> float:
    return float(p @ (u - p @ u) ** 2)
