"""What the distance of two real samples of one size is: the floor under every distance of generated ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from otdiv.core.validation import Array
from otdiv.transport.solve import emd


@dataclass(frozen=True)
class RealFloor:
    """W1 of real points to real and to generated ones, all samples of one size.

    Attributes
    ----------
    real : float
        Mean over ``splits`` random divisions: W1 of two disjoint parts of the real sample, ``size`` points each.
    generated : float
        Mean over the same: W1 of the first of these parts and ``size`` random generated points.
    real_sd, generated_sd : float
        Standard deviations over the divisions.
    size, splits : int
    gap : float
        The widest proved interval among all these distances.
    """

    real: float
    generated: float
    real_sd: float
    generated_sd: float
    size: int
    splits: int
    gap: float

    @property
    def ratio(self) -> float:
        """generated / real: 1 for a perfect generator, but for noise; inf for real points that all coincide."""
        return self.generated / self.real if self.real > 0 else (1.0 if self.generated == 0 else np.inf)

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def __str__(self) -> str:
        return (
            f"at {self.size} points a side: real to generated {self.generated:.4g} (sd {self.generated_sd:.2g}), "
            f"real to real {self.real:.4g} (sd {self.real_sd:.2g}), means over {self.splits} random divisions"
        )


def real_floor(real: Array, generated: Array, splits: int, rng: np.random.Generator) -> RealFloor:
    """Distances of equal sizes: of two halves of the real sample, and of one of them and as many generated points.

    Parameters
    ----------
    real, generated : ndarray [n, d], [m, d]
    splits : int
        Random divisions of the real sample.
    rng : numpy.random.Generator
    """
    size = min(len(real) // 2, len(generated))
    to_real: list[float] = []
    to_generated: list[float] = []
    gaps: list[float] = []
    for _ in range(splits):
        order, chosen = rng.permutation(len(real)), rng.permutation(len(generated))[:size]
        first, second = real[order[:size]], real[order[size : 2 * size]]
        for found, other in ((to_real, second), (to_generated, generated[chosen])):
            result = emd(first, other)
            found.append(result.value)
            gaps.append(result.gap)
    return RealFloor(
        real=float(np.mean(to_real)),
        generated=float(np.mean(to_generated)),
        real_sd=float(np.std(to_real, ddof=1)) if splits > 1 else 0.0,
        generated_sd=float(np.std(to_generated, ddof=1)) if splits > 1 else 0.0,
        size=size,
        splits=splits,
        gap=float(max(gaps)),
    )
