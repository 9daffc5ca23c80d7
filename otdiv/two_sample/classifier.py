"""A classifier learns to separate the samples, and is judged on observations that it has not seen."""

from __future__ import annotations

from typing import Any

import numpy as np

from otdiv.core.validation import Array, as_rng, check_choice, invalid
from otdiv.two_sample.arguments import as_permutations, as_pool
from otdiv.two_sample.permutations import count_as_large, draw_divisions, p_value
from otdiv.two_sample.result import TestResult

CLASSIFIERS = ("auto", "logistic", "boosting")
BOOSTING_FROM = 300
"""Observations to learn from at which "auto" takes boosted trees; fewer make trees of a few leaves."""
_ROUNDING = 1e-12
"""Difference up to which two areas count as equal."""


def classifier_test(
    x: Any,
    y: Any,
    *,
    classifier: Any = "auto",
    train_fraction: float = 0.5,
    permutations: int = 999,
    rng: Any = None,
) -> TestResult:
    """Permutation test with a classifier that is trained on one part of both samples and judged on the other.

    Parameters
    ----------
    x, y : array_like [n, d] and [m, d] (or [n], [m] on the line), or data frames with the same columns
        Independent observations; at least four each.
    classifier : {"auto", "logistic", "boosting"} or scikit-learn classifier
        "logistic": logistic regression on standardised columns, their squares and products; "boosting": boosted
        trees; "auto": boosting from 300 observations to learn from, else logistic.  Any object with
        ``fit(points, labels)`` and ``predict_proba(points)`` may be given; it is cloned.
    train_fraction : float
        Share of each sample that is learned from, between 0 and 1.
    permutations : int
        B, of the labels of the observations that were not learned from: given the classifier, they are exchangeable.
    rng : int, numpy.random.Generator or None
        Source of the split and of the permutations.

    Returns
    -------
    TestResult
        Its statistic is the area under the ROC curve on the held-out part: the probability that an observation of y
        scores higher than one of x, 1/2 where nothing was learned.

    Raises
    ------
    InvalidInput
        As :func:`otdiv.two_sample.energy_test`; fewer than two observations of a sample on either side of the split.

    References
    ----------
    D. Lopez-Paz and M. Oquab, Revisiting classifier two-sample tests, ICLR 2017.

    Examples
    --------
    >>> x, y = np.linspace(0, 1, 30), np.linspace(5, 6, 30)
    >>> classifier_test(x, y, rng=0).statistic
    1.0
    """
    pool, generator = as_pool(x, y), as_rng(rng)
    learned = _split("x", pool.n, train_fraction, generator), _split("y", pool.m, train_fraction, generator)
    train = np.concatenate(learned)
    labels = np.arange(pool.size) >= pool.n
    model, name = _as_classifier(classifier, int(train.sum()), int(generator.integers(2**31)))
    model.fit(pool.points[train], labels[train].astype(int))
    scores = np.asarray(model.predict_proba(pool.points[~train]))[:, 1]
    n, m = (int(np.count_nonzero(~part)) for part in learned)
    divisions = draw_divisions(n, m, as_permutations(permutations), generator)
    areas = _areas(scores, ~divisions.labels)
    return TestResult(
        statistic=float(areas[0]),
        p_value=p_value(count_as_large(areas, _ROUNDING)),
        method="classifier",
        n=pool.n,
        m=pool.m,
        permutations=divisions.count - 1,
        exhaustive=divisions.exhaustive,
        least_p_value=divisions.least_p_value(symmetric=False),
        meaning=f"area under the ROC curve of {name} on {n + m} held-out observations",
    )


def _split(name: str, count: int, share: float, generator: np.random.Generator) -> Array:
    """Which of ``count`` observations are learned from."""
    if not (isinstance(share, float) and 0 < share < 1):
        raise invalid("train_fraction", "lie between 0 and 1, both excluded", repr(share), "For example 0.5.")
    learned = round(share * count)
    if min(learned, count - learned) < 2:
        received = f"{learned} and {count - learned} of {count}"
        raise invalid(name, "leave two observations to learn from and two to judge", received, "Use another test.")
    return generator.permutation(count) < learned


def _as_classifier(classifier: Any, size: int, seed: int) -> tuple[Any, str]:
    """The model, not yet fitted, and its name."""
    if not isinstance(classifier, str):
        if not (hasattr(classifier, "fit") and hasattr(classifier, "predict_proba")):
            received = type(classifier).__name__
            raise invalid("classifier", "have fit and predict_proba", received, "Pass a scikit-learn classifier.")
        from sklearn.base import clone

        return clone(classifier), type(classifier).__name__
    check_choice("classifier", classifier, CLASSIFIERS)
    if classifier == "boosting" or (classifier == "auto" and size >= BOOSTING_FROM):
        from sklearn.ensemble import HistGradientBoostingClassifier

        return HistGradientBoostingClassifier(max_iter=60, early_stopping=False, random_state=seed), "boosted trees"
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    model = make_pipeline(StandardScaler(), PolynomialFeatures(2, include_bias=False), StandardScaler())
    model.steps.append(("classify", LogisticRegression(max_iter=1000)))
    return model, "logistic regression"


def _areas(scores: Array, second: Array) -> Array:
    """Area under the ROC curve for every division, from the rank sums of the second group (Mann and Whitney 1947)."""
    from scipy.stats import rankdata

    ranks = rankdata(scores)
    m = int(second[0].sum())
    n = len(scores) - m
    return (second @ ranks - m * (m + 1) / 2) / (n * m)
