"""Distances to landmarks as coordinates, for the pipelines of scikit-learn.

    phi_l(a) = W_p(a, a_l),    or    exp(-W_p(a, a_l) / bandwidth)

Landmarks are rows of the training data, the farthest from all earlier ones each time (Gonzalez, Clustering to minimize
the maximum intercluster distance, Theoretical Computer Science 38, 1985): every training row has a landmark within
``radius_``, which is at most twice the least radius that as many rows can have.
"""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from otdiv.core.validation import Array, invalid
from otdiv.embedding.histogram_metric import HistogramMetric
from otdiv.embedding.precomputed import certified_pairs


class _Landmarks(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """What both transformers share; a subclass says what its rows are and how far they are apart."""

    n_landmarks: int
    bandwidth: float | None

    def _rows(self, rows: Array) -> Array:
        """The rows [n, d], checked."""
        raise NotImplementedError

    def _distances(self, rows: Array, landmarks: Array) -> Array:
        """W_p [n, L] of checked rows."""
        raise NotImplementedError

    def fit(self, X: Any, y: Any = None) -> Self:
        """Choose the landmarks.

        Parameters
        ----------
        X : array_like [n, d]
        y : ignored

        Raises
        ------
        InvalidInput
        """
        self._require_parameters()
        rows = self._rows(validate_data(self, X, dtype=np.float64))
        chosen, nearest = [0], self._distances(rows, rows[:1])[:, 0]
        while len(chosen) < self.n_landmarks and nearest.max() > 0:
            chosen.append(int(nearest.argmax()))
            nearest = np.minimum(nearest, self._distances(rows, rows[chosen[-1:]])[:, 0])
            nearest[chosen] = 0.0
        self.landmarks_ = rows[chosen]
        self.radius_ = float(nearest.max())
        return self

    def transform(self, X: Any) -> Array:
        """Coordinates [n, L] of rows [n, d].

        Parameters
        ----------
        X : array_like [n, d]

        Raises
        ------
        InvalidInput
        """
        check_is_fitted(self)
        rows = self._rows(validate_data(self, X, dtype=np.float64, reset=False))
        found = self._distances(rows, self.landmarks_)
        return found if self.bandwidth is None else np.exp(-found / self.bandwidth)

    @property
    def _n_features_out(self) -> int:
        return len(self.landmarks_)

    def _require_parameters(self) -> None:
        if not isinstance(self.n_landmarks, Integral) or isinstance(self.n_landmarks, bool) or self.n_landmarks < 1:
            raise invalid("n_landmarks", "be a positive integer", repr(self.n_landmarks), "For example 20.")
        positive = isinstance(self.bandwidth, Real) and 0 < self.bandwidth < np.inf
        if self.bandwidth is not None and not positive:
            remedy = "Use None for the distances themselves."
            raise invalid("bandwidth", "be positive and finite, or None", repr(self.bandwidth), remedy)


class HistogramLandmarks(_Landmarks):
    """Rows of masses on one support -> their W_p to landmark rows, or a kernel of it.

    phi_l(a) = W_p(a, a_l),    or    exp(-W_p(a, a_l) / bandwidth)

    Parameters
    ----------
    n_landmarks : int
        Number of landmarks; fewer where fewer training rows differ.
    bandwidth : float, optional
        In the unit of the metric: the kernel; None: the distances themselves.
    support : array_like [d] or [d, k], optional
        Points of the columns; None: 0, 1, ..., d - 1 on the line.
    metric : str or PointCost
        Of the points of the support.
    p : float
        Order, 1 <= p < inf.
    normalize : bool
        Divide each row by its total first, as for counts.  With False a total other than 1 is an error.
    threads : int, optional
        None: all processors; no result depends on it.

    Attributes
    ----------
    landmarks_ : ndarray [L, d]
        Rows of total 1.
    radius_ : float
        The largest distance of a training row to its nearest landmark, in the unit of the metric.
    n_features_in_ : int
    feature_names_in_ : ndarray of str [d]
        Where the training data have names.

    Raises
    ------
    InvalidInput
        In ``fit`` and ``transform``: parameters and rows that do not fit.

    Notes
    -----
    Of scikit-learn's checks it passes, with ``normalize=True``, all but check_estimators_dtypes, whose data hold a row
    without mass: that is no distribution and is refused.

    Examples
    --------
    >>> rows = [[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]
    >>> found = HistogramLandmarks(n_landmarks=2).fit(rows)
    >>> found.transform([[0.0, 1.0, 0.0]]).tolist(), found.radius_
    ([[1.0, 1.0]], 0.5)
    """

    def __init__(
        self,
        n_landmarks: int = 20,
        *,
        bandwidth: float | None = None,
        support: Any = None,
        metric: Any = "euclidean",
        p: float = 1.0,
        normalize: bool = False,
        threads: int | None = None,
    ) -> None:
        self.n_landmarks = n_landmarks
        self.bandwidth = bandwidth
        self.support = support
        self.metric = metric
        self.p = p
        self.normalize = normalize
        self.threads = threads

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = True
        return tags

    def _rows(self, rows: Array) -> Array:
        return HistogramMetric(self.support, self.metric, self.p, self.normalize).rows("X", rows)

    def _distances(self, rows: Array, landmarks: Array) -> Array:
        metric = HistogramMetric(self.support, self.metric, self.p)  # the rows have total 1 already
        return metric.matrix(rows, landmarks, threads=self.threads)


class SampleLandmarks(_Landmarks):
    """Rows of d observations each -> W_p of their empirical distributions to landmark rows, or a kernel of it.

    phi_l(a) = ((1/d) sum_k |a_(k) - a_l(k)|^p)^(1/p),    or    exp(-phi_l(a) / bandwidth)

    with a_(k) the k-th smallest entry of a row: the order of the columns has no meaning.

    Parameters
    ----------
    n_landmarks, bandwidth, p
        As of :class:`HistogramLandmarks`, in the unit of the entries.

    Attributes
    ----------
    landmarks_, radius_, n_features_in_, feature_names_in_
        As of :class:`HistogramLandmarks`, with sorted rows as landmarks.

    Raises
    ------
    InvalidInput
        As :class:`HistogramLandmarks`.

    Notes
    -----
    ``sklearn.utils.estimator_checks.check_estimator(SampleLandmarks())`` passes.

    Examples
    --------
    >>> found = SampleLandmarks(n_landmarks=2).fit([[0.0, 2.0], [2.0, 0.0], [5.0, 7.0]])
    >>> found.transform([[1.0, 1.0]]).tolist(), found.radius_
    ([[1.0, 5.0]], 0.0)
    """

    def __init__(self, n_landmarks: int = 20, *, bandwidth: float | None = None, p: float = 1.0) -> None:
        self.n_landmarks = n_landmarks
        self.bandwidth = bandwidth
        self.p = p

    def _rows(self, rows: Array) -> Array:
        return np.sort(rows, axis=1)

    def _distances(self, rows: Array, landmarks: Array) -> Array:
        return certified_pairs(rows[:, :, None], landmarks[:, :, None], p=self.p).values
