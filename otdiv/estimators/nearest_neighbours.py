"""Ratios of densities from nearest neighbours, and their bias removed on a pair of normal twins."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular
from scipy.spatial import cKDTree
from scipy.special import digamma

from otdiv.core.validation import Array
from otdiv.divergences import ConvexGenerator
from otdiv.estimators.arguments import Samples
from otdiv.estimators.logistic import MAX_LOGIT, Standardization
from otdiv.estimators.one_step import variational_mean

TWINS = 10
"""Pairs of normal samples on which the bias is measured; more of them lower its Monte-Carlo error."""
_REFERENCE_POINTS = 20_000
"""Draws for the divergence of the two normal distributions themselves."""


def neighbour_log_ratios(samples: Samples, k: int) -> tuple[Array, Array]:
    """Estimates of log(p / q) at the points of x [n] and of y [m], bias-reduced.

    The ball around each point takes the larger of the distances to the k-th neighbour in either sample; with l
    further points of P in it, the farthest at distance rho, and j of Q, the farthest at nu, the estimate is
    d log(nu / rho) + digamma(l) - digamma(j) + log(m / (n - 1)).

    Parameters
    ----------
    samples : Samples
        Without ties.
    k : int
        Neighbours, 1 or more.

    References
    ----------
    Q. Wang, S. R. Kulkarni and S. Verdu, Divergence estimation for multidimensional densities via k-nearest-neighbor
    distances, IEEE Trans. Inf. Theory 55, 2009.
    """
    scale = Standardization.of(np.concatenate([samples.x, samples.y]))
    x, y = scale(samples.x), scale(samples.y)
    trees = cKDTree(x), cKDTree(y)
    at_x = _balls(x, trees[0], trees[1], k)
    at_y = _balls(y, trees[1], trees[0], k)
    n, m, d = samples.n, samples.m, samples.d
    return _log_ratios(at_x, d) + math.log(m / (n - 1)), -_log_ratios(at_y, d) + math.log((m - 1) / n)


Ball = tuple[Array, Array]
"""Number of points of one sample in the ball of each point [N], and the distance of the farthest of them [N]."""


def _log_ratios(balls: tuple[Ball, Ball], d: int) -> Array:
    """log of the density of the own sample over that of the other one, sizes left aside."""
    (own, rho), (other, nu) = balls
    return np.asarray(d * np.log(nu / rho) + digamma(own) - digamma(other))


def _balls(points: Array, own: cKDTree, other: cKDTree, k: int) -> tuple[Ball, Ball]:
    """The ball of each point in its own sample, the point itself left out, and in the other one."""
    nearest = own.query(points, k=[k + 1])[0][:, 0], other.query(points, k=[k])[0][:, 0]
    radius = np.maximum(*nearest) * (1 + 1e-12)
    inside, reach = _farthest(points, own, radius)
    return (inside - 1, reach), _farthest(points, other, radius)


def _farthest(points: Array, tree: cKDTree, radius: Array) -> Ball:
    lists = tree.query_ball_point(points, radius)
    counts = np.array([len(found) for found in lists])
    flat = np.concatenate([np.asarray(found, dtype=np.int64) for found in lists])
    gaps = np.linalg.norm(tree.data[flat] - np.repeat(points, counts, axis=0), axis=1)
    farthest = np.maximum.reduceat(gaps, np.concatenate([[0], np.cumsum(counts)[:-1]]))
    return counts, np.maximum(farthest, 1e-300)


def neighbour_value(generator: ConvexGenerator, samples: Samples, k: int) -> tuple[float, float]:
    """D_f(P || Q) from nearest neighbours, and its standard error.

    The mean of the log ratio for KL and its reverse, whose bias is the smallest, else the variational mean.
    """
    logs_x, logs_y = (np.clip(logs, -MAX_LOGIT, MAX_LOGIT) for logs in neighbour_log_ratios(samples, k))
    value, error = variational_mean(generator, logs_x, logs_y)
    if generator.name == "kl":
        value = float(logs_x.mean())
    elif generator.name == "kl_reverse":
        value = -float(logs_y.mean())
    return value, error


@dataclass(frozen=True, eq=False)
class Normal:
    """A normal distribution fitted to a sample: mean and lower Cholesky factor of the covariance."""

    mean: Array
    factor: Array

    @classmethod
    def of(cls, points: Array) -> Normal:
        """By mean and covariance; a covariance without inverse gets a ridge of 1e-9 of its largest entry."""
        covariance = np.atleast_2d(np.cov(points.T))
        covariance[np.diag_indices_from(covariance)] += 1e-9 * float(np.diag(covariance).max())
        return cls(points.mean(axis=0), np.linalg.cholesky(covariance))

    def draw(self, size: int, rng: np.random.Generator) -> Array:
        """Points [size, d]."""
        return self.mean + rng.normal(size=(size, len(self.mean))) @ self.factor.T

    def log_density(self, z: Array) -> Array:
        """log p(z) [k], without the constant of the dimension."""
        white = solve_triangular(self.factor, (z - self.mean).T, lower=True)
        return -0.5 * (white**2).sum(axis=0) - float(np.log(np.diag(self.factor)).sum())


@dataclass(frozen=True)
class TwinValue:
    """A nearest-neighbour value less its bias on normal twins.

    Attributes
    ----------
    value, standard_error : float
    raw : float
        The nearest-neighbour value.
    normal : float
        The divergence of the two normal distributions.
    bias : float
        What was subtracted: the mean error on twins.
    """

    value: float
    standard_error: float
    raw: float
    normal: float
    bias: float


def gaussian_value(generator: ConvexGenerator, samples: Samples, k: int, rng: np.random.Generator) -> TwinValue:
    """Normal plug-in with nearest-neighbour correction: normal + (raw - mean over twins of raw).

    The twins are samples of the same sizes from the normal distributions fitted to both samples; for normal data
    the nearest-neighbour terms cancel in the mean, for other data their difference is what is not normal.

    Parameters
    ----------
    generator : ConvexGenerator
    samples : Samples
    k : int
    rng : numpy.random.Generator
    """
    p, q = Normal.of(samples.x), Normal.of(samples.y)
    far_x, far_y = p.draw(_REFERENCE_POINTS, rng), q.draw(_REFERENCE_POINTS, rng)
    logs = [np.clip(p.log_density(z) - q.log_density(z), -MAX_LOGIT, MAX_LOGIT) for z in (far_x, far_y)]
    normal = float(logs[0].mean()) if generator.name == "kl" else variational_mean(generator, logs[0], logs[1])[0]
    raw = neighbour_value(generator, samples, k)[0]
    on_twins = []
    for _ in range(TWINS):
        twin = Samples(p.draw(samples.n, rng), q.draw(samples.m, rng), samples.n + samples.m)
        on_twins.append(neighbour_value(generator, twin, k)[0])
    bias = float(np.mean(on_twins)) - normal
    error = float(np.std(on_twins, ddof=1)) * math.sqrt(1 + 1 / TWINS)
    return TwinValue(raw - bias, error, raw, normal, bias)
