"""Logistic regression with a ridge, by Newton's method, and the features that it is fitted on.

log(p(z) / q(z)) = beta . phi(z) - log(n / m): the regression of "drawn from P" on z estimates the ratio of densities.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit

from otdiv.core.validation import Array

Features = Callable[[Array], Array]
Learner = Callable[[Array, Array], Callable[[Array], Array]]
"""Training points [N, d] and labels [N] -> logits of points [k, d]."""
MAX_LOGIT = 30.0
"""Largest absolute log odds that are kept; larger ones are beyond what any sample can show."""
KERNELS = 40
"""Gaussian bumps of the kernel features; more of them follow a ratio more finely and fit more noise."""
INDEX_BUMPS = 8
"""Gaussian bumps along the direction of a linear fit; more of them follow a ratio more finely and fit more noise."""
_NEWTON_STEPS, _HALVINGS, _SETTLED = 50, 20, 1e-8


def linear_features(z: Array) -> Array:
    """(1, z): exact for two normal distributions of one covariance."""
    return np.column_stack([np.ones(len(z)), z])


def quadratic_features(z: Array) -> Array:
    """(1, z, all z_i z_j): exact for any two normal distributions."""
    rows, columns = np.triu_indices(z.shape[1])
    return np.column_stack([np.ones(len(z)), z, z[:, rows] * z[:, columns]])


def additive_features(z: Array) -> Array:
    """(1, z) and for each coordinate three bounded or slowly growing curves: ratios of products of densities."""
    return np.column_stack([np.ones(len(z)), z, np.tanh(z), np.tanh(2 * z), np.log1p(z * z)])


def kernel_features(pooled: Array, rng: np.random.Generator) -> Features:
    """Quadratic features and Gaussian bumps at points of the pooled sample, half as wide as the median distance.

    Parameters
    ----------
    pooled : ndarray [N, d]
        Points of both samples, standardised.
    rng : numpy.random.Generator
    """
    centres = pooled[rng.choice(len(pooled), size=min(KERNELS, len(pooled)), replace=False)]
    squares = _squares(centres, centres)
    width = 0.5 * float(np.median(squares[np.triu_indices(len(centres), 1)])) ** 0.5 or 1.0

    def features(z: Array) -> Array:
        return np.column_stack([quadratic_features(z), np.exp(-_squares(z, centres) / (2 * width**2))])

    return features


def _squares(x: Array, y: Array) -> Array:
    return np.maximum((x * x).sum(1)[:, None] + (y * y).sum(1) - 2 * x @ y.T, 0.0)


def index_learner(ridge: float) -> Learner:
    """Logistic regression on z and on bumps along the direction of a first, linear fit: ratios along one direction."""

    def learn(points: Array, labels: Array) -> Callable[[Array], Array]:
        direction = fit_logistic(linear_features(points), labels, 1.0)[1:]
        index = points @ direction
        knots = np.quantile(index, np.linspace(0.05, 0.95, INDEX_BUMPS))
        width = float(np.diff(knots).mean()) or 1.0

        def features(z: Array) -> Array:
            bumps = np.exp(-(((z @ direction)[:, None] - knots) ** 2) / (2 * width**2))
            return np.column_stack([np.ones(len(z)), z, bumps])

        return ridge_learner(features, ridge)(points, labels)

    return learn


def ridge_learner(features: Features, ridge: float) -> Learner:
    """Logistic regression on features of standardised points."""

    def learn(points: Array, labels: Array) -> Callable[[Array], Array]:
        beta = fit_logistic(features(points), labels, ridge)
        return lambda z: features(z) @ beta

    return learn


@dataclass(frozen=True, eq=False)
class Standardization:
    """z -> (z - centre) / scale by the pooled mean and spread."""

    centre: Array
    scale: Array

    @classmethod
    def of(cls, points: Array) -> Standardization:
        """From the pooled points [N, d]."""
        scale = points.std(axis=0)
        return cls(points.mean(axis=0), np.where(scale > 0, scale, 1.0))

    def __call__(self, points: Array) -> Array:
        return (points - self.centre) / self.scale


def fit_logistic(phi: Array, labels: Array, ridge: float, start: Array | None = None) -> Array:
    """Coefficients that minimise sum log(1 + exp(-s beta . phi)) + ridge / 2 |beta|^2, s = 2 label - 1.

    Parameters
    ----------
    phi : ndarray [N, k]
        Features; the first is the intercept, which is not penalised.
    labels : ndarray [N]
        1 for draws of P, 0 for draws of Q.
    ridge : float
        Positive: a separable sample has no maximum without it.
    start : ndarray [k], optional

    Returns
    -------
    ndarray [k]
    """
    penalty = np.full(phi.shape[1], ridge)
    penalty[0] = 1e-6
    beta = np.zeros(phi.shape[1]) if start is None else start.copy()
    loss = _penalised_loss(phi @ beta, labels, beta, penalty)
    for _ in range(_NEWTON_STEPS):
        mean = expit(phi @ beta)
        weight = np.maximum(mean * (1 - mean), 1e-10)
        gradient = phi.T @ (mean - labels) + penalty * beta
        hessian = (phi * weight[:, None]).T @ phi
        hessian[np.diag_indices_from(hessian)] += penalty
        step = cho_solve(cho_factor(hessian), gradient)
        size = 1.0
        for _ in range(_HALVINGS):
            trial = beta - size * step
            reached = _penalised_loss(phi @ trial, labels, trial, penalty)
            if reached <= loss:
                break
            size /= 2
        else:
            break
        beta, gained, loss = trial, loss - reached, reached
        if gained <= _SETTLED * (1 + abs(loss)):
            break
    return beta


def _penalised_loss(logits: Array, labels: Array, beta: Array, penalty: Array) -> float:
    return log_loss(logits, labels) * len(labels) + 0.5 * float(penalty @ beta**2)


def log_loss(logits: Array, labels: Array) -> float:
    """Mean of log(1 + exp(-s logit)), s = 2 label - 1, in nats."""
    return float(np.logaddexp(0.0, np.where(labels > 0, -logits, logits)).mean())
