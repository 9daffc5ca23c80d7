"""Units of the training: points centred and scaled to a coordinate variance of about 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from otdiv.core.validation import Array


@dataclass(frozen=True, eq=False)
class Frame:
    """Units of the training: z -> (z - centre) / spread, so that a coordinate has variance about 1.

    Attributes
    ----------
    centre : ndarray [d]
    spread : float
    """

    centre: Array
    spread: float

    @classmethod
    def around(cls, *clouds: Array) -> Frame:
        """Mean and mean coordinate deviation of the pooled points; spread 1 where all points agree."""
        pooled = np.concatenate(clouds)
        centre = pooled.mean(axis=0)
        spread = float(np.sqrt(np.mean((pooled - centre) ** 2)))
        return cls(centre, spread if spread > 0 else 1.0)

    def apply(self, points: Array) -> Array:
        """Points [n, d] in units of the training."""
        return (points - self.centre) / self.spread
