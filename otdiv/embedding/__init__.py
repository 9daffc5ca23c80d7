"""Distributions for the estimators of scikit-learn: a metric of rows, a matrix, distances to landmarks as coordinates.

A row of a table is a histogram, the masses of a measure on a support that all rows share, or a sample.  scikit-learn
is imported with the first name that needs it.
"""

import typing as _typing

from otdiv.embedding.histogram_metric import HistogramMetric
from otdiv.embedding.precomputed import precomputed_distances

if _typing.TYPE_CHECKING:
    from otdiv.embedding.landmarks import HistogramLandmarks, SampleLandmarks

__all__ = ["HistogramLandmarks", "HistogramMetric", "SampleLandmarks", "precomputed_distances"]


def __getattr__(name: str) -> _typing.Any:
    if name in ("HistogramLandmarks", "SampleLandmarks"):
        from otdiv.embedding import landmarks

        globals()[name] = found = getattr(landmarks, name)
        return found
    raise AttributeError(f"module 'otdiv.embedding' has no attribute {name!r}")
