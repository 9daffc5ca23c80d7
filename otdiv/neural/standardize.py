"""Units of the training: points centred and scaled to a coordinate variance of about 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from otdiv.core.validation import Array


@dataclass(frozen=True, eq=False)
class Standardizer:
    """Units of the training: z -> (z - mean) / scale, so that a coordinate has variance about 1.

    Attributes
    ----------
    mean : ndarray [d]
    scale : float
        One number for all coordinates, so that distances are scaled alike.
    """

    mean: Array
    scale: float

    @classmethod
    def of(cls, *clouds: Array) -> Standardizer:
        """Mean and mean coordinate deviation of the pooled points; scale 1 where all points agree."""
        pooled = np.concatenate(clouds)
        mean = pooled.mean(axis=0)
        scale = float(np.sqrt(np.mean((pooled - mean) ** 2)))
        return cls(mean, scale if scale > 0 else 1.0)

    def transform(self, points: Array) -> Array:
        """Points [n, d] in units of the training."""
        return (points - self.mean) / self.scale
