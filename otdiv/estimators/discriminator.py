"""Cross-fitted discriminators: the odds of a probabilistic classifier as the ratio of densities.

A classifier is trained on some folds and evaluated on the others, so that E_P f'(r) - E_Q (r f'(r) - f(r)) of its
ratio r is at most D_f(P || Q) in expectation, whatever the classifier is, and off by the square of its error only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from otdiv.core.validation import Array
from otdiv.estimators.arguments import TIED_SHARE, Samples
from otdiv.estimators.logistic import (
    INDEX_BUMPS,
    MAX_LOGIT,
    Learner,
    Standardization,
    additive_features,
    index_learner,
    kernel_features,
    linear_features,
    log_loss,
    quadratic_features,
    ridge_learner,
)
from otdiv.estimators.network import DECAYS, network_learner
from otdiv.measures.discrete import distinct_rows

FOLDS = 10
"""Parts of the data, each scored by a classifier that was trained on the others; more of them train on more."""
TRIAL_FOLDS = 3
"""The same, while candidates are compared; more of them take longer."""
MOST_FEATURES = 0.25
"""Features over points, up to which a logistic model is tried; more features fit more noise."""
BOOSTED_POINTS = 400
"""Points of both samples from which gradient boosting is tried."""
NEIGHBOUR_DIMENSION = 4
"""Largest dimension in which nearest neighbours are tried; above it they never win and take long."""
_NEIGHBOURS = (10, 40)
_TREES, _LEAVES, _RATE = 80, 8, 0.1


@dataclass(frozen=True, eq=False)
class Candidate:
    """A classifier that may be taken.

    Attributes
    ----------
    name : str
    learner : callable
    memorises : bool
        Whether its fit to its own training points says nothing.
    """

    name: str
    learner: Learner
    memorises: bool = False


@dataclass(frozen=True, eq=False)
class CrossFit:
    """Log ratios log(p / q) of the chosen discriminator at all points.

    Attributes
    ----------
    name : str
        Of the candidate.
    held_out : tuple of ndarray [n] and [m]
        By discriminators that were trained without the point.
    fitted : tuple of ndarray [n] and [m]
        By the one that was trained on all points; where that says nothing, see ``is_halved``.
    is_halved : bool
        Whether ``fitted`` is instead held out by discriminators trained on half of the data.
    loss : float
        Held-out log loss, in nats.
    """

    name: str
    held_out: tuple[Array, Array]
    fitted: tuple[Array, Array]
    is_halved: bool
    loss: float


def boosted_learner(seed: int) -> Learner:
    """Gradient boosting of small trees, scikit-learn's by histograms."""

    def learn(points: Array, labels: Array) -> Callable[[Array], Array]:
        from sklearn.ensemble import HistGradientBoostingClassifier

        model = HistGradientBoostingClassifier(
            max_iter=_TREES, max_leaf_nodes=_LEAVES, learning_rate=_RATE, early_stopping=False, random_state=seed
        ).fit(points, labels)
        return lambda z: np.asarray(model.decision_function(z))

    return learn


def neighbour_learner(k: int) -> Learner:
    """The two labels among the k nearest training points, half a point added to both: any density, with much noise."""

    def learn(points: Array, labels: Array) -> Callable[[Array], Array]:
        tree = cKDTree(points)

        def logits(z: Array) -> Array:
            ones = labels[tree.query(z, k=k)[1]].sum(axis=1)
            return np.asarray(np.log((ones + 0.5) / (k - ones + 0.5)))

        return logits

    return learn


def candidates(pooled: Array, rng: np.random.Generator, network: bool = False) -> list[Candidate]:
    """The classifiers that so many points [N, d] (standardised) can train; a neural network among them if asked for."""
    size, d = pooled.shape
    found = [Candidate("logistic, linear", ridge_learner(linear_features, 0.1))]
    if 1 + 4 * d <= MOST_FEATURES * size:
        found += [
            Candidate(f"logistic, additive, ridge {ridge:g}", ridge_learner(additive_features, ridge))
            for ridge in (0.3, 3.0)
        ]
    if d > 1 and 1 + d + INDEX_BUMPS <= MOST_FEATURES * size:
        found.append(Candidate("logistic, along one direction", index_learner(1.0)))
    quadratic = 1 + d + d * (d + 1) // 2
    if quadratic <= MOST_FEATURES * size:
        found += [
            Candidate(f"logistic, quadratic, ridge {ridge:g}", ridge_learner(quadratic_features, ridge))
            for ridge in (0.1, 5.0)
        ]
        bumps = kernel_features(pooled, rng)
        found += [
            Candidate(f"logistic, quadratic and kernels, ridge {ridge:g}", ridge_learner(bumps, ridge))
            for ridge in (0.1, 1.0, 10.0)
        ]
    tied = size - len(distinct_rows(pooled)[0])
    if d <= NEIGHBOUR_DIMENSION and tied <= TIED_SHARE * size:  # a copy in another fold would be the nearest neighbour
        found += [
            Candidate(f"{k} nearest neighbours", neighbour_learner(k), memorises=True)
            for k in _NEIGHBOURS
            if 5 * k <= size
        ]
    if size >= BOOSTED_POINTS:
        found.append(Candidate("gradient boosting", boosted_learner(int(rng.integers(2**31))), memorises=True))
    if network:
        seed = int(rng.integers(2**31))
        found += [
            Candidate(f"neural network, decay {decay:g}", network_learner(seed, decay), memorises=True)
            for decay in DECAYS
        ]
    return found


def split_folds(labels: Array, folds: int, rng: np.random.Generator) -> Array:
    """A fold 0 .. folds - 1 for each point, both labels spread evenly."""
    fold = np.empty(len(labels), dtype=np.int64)
    for label in (0, 1):
        rows = np.flatnonzero(labels == label)
        fold[rng.permutation(rows)] = np.arange(len(rows)) % folds
    return fold


def held_out_logits(learner: Learner, points: Array, labels: Array, fold: Array) -> Array:
    """Logits [N], each from a classifier trained on the other folds, less the prior log odds of its training."""
    logits = np.empty(len(points))
    for k in range(int(fold.max()) + 1):
        train = fold != k
        prior = np.log(labels[train].sum() / (1 - labels[train]).sum())
        logits[~train] = learner(points[train], labels[train])(points[~train]) - prior
    return np.clip(logits, -MAX_LOGIT, MAX_LOGIT)


def choose_candidate(
    points: Array, labels: Array, rng: np.random.Generator, network: bool = False
) -> tuple[Candidate, Array, float]:
    """The candidate of least held-out log loss, its held-out log ratios [N], and that loss.

    Both samples count alike in the loss whatever their sizes.
    """
    fold = split_folds(labels, TRIAL_FOLDS, rng)
    best: tuple[Candidate, Array, float] | None = None
    for candidate in candidates(points, rng, network):
        logits = held_out_logits(candidate.learner, points, labels, fold)
        loss = balanced_loss(logits, labels)
        if best is None or loss < best[2]:
            best = candidate, logits, loss
    assert best is not None
    return best


def balanced_loss(logits: Array, labels: Array) -> float:
    """Mean of the log losses of both samples, at log ratios as logits."""
    return 0.5 * (log_loss(logits[labels == 1], np.ones(1)) + log_loss(logits[labels == 0], np.zeros(1)))


def cross_fit(samples: Samples, rng: np.random.Generator, network: bool = False) -> CrossFit:
    """Choose a discriminator and evaluate its log ratio at all points, held out and in sample.

    Parameters
    ----------
    samples : Samples
    rng : numpy.random.Generator
        For folds, centres of kernels, boosting and networks.
    network : bool
        Whether a neural network is among the candidates.

    Raises
    ------
    MissingPackage
        If a network is asked for, and torch is not installed.
    """
    pooled = np.concatenate([samples.x, samples.y])
    points = Standardization.of(pooled)(pooled)
    labels = np.repeat([1.0, 0.0], [samples.n, samples.m])
    candidate = choose_candidate(points, labels, rng, network)[0]
    logits = held_out_logits(candidate.learner, points, labels, split_folds(labels, FOLDS, rng))
    if candidate.memorises:
        fitted = held_out_logits(candidate.learner, points, labels, split_folds(labels, 2, rng))
    else:
        prior = np.log(samples.n / samples.m)
        fitted = np.clip(candidate.learner(points, labels)(points) - prior, -MAX_LOGIT, MAX_LOGIT)
    n, loss = samples.n, balanced_loss(logits, labels)
    return CrossFit(candidate.name, (logits[:n], logits[n:]), (fitted[:n], fitted[n:]), candidate.memorises, loss)
