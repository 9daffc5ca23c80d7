"""The data of a training: a pool of points in units of the training, and a reference to judge by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from otdiv.core.validation import Array, as_points, invalid
from otdiv.datasets.modal_data import ModalData, modal_data
from otdiv.measures.discrete import DiscreteMeasure

POOL = 50_000
"""Points drawn once of data with a sampler; batches are drawn from them."""
HELD_OUT = 0.2
"""Share of a user's points that are not trained on and serve as the reference."""
FEWEST = 20
"""Points below which there is nothing to train on."""


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Points to train on, and how they were brought into units of the training.

    Attributes
    ----------
    name : str
    points : ndarray [n, d]
        To train on, in their own units.
    mean, scale : ndarray [d]
        Units of the training are (x - mean) / scale.
    shape : tuple of int or None
        (channels, height, width) of images.
    modal : ModalData or None
        Data of known modes.
    held_out : ndarray [m, d] or None
        A user's points that are not trained on.
    """

    name: str
    points: Array
    mean: Array
    scale: Array
    shape: tuple[int, int, int] | None
    modal: ModalData | None
    held_out: Array | None

    @property
    def d(self) -> int:
        """Dimension."""
        return self.points.shape[1]

    @property
    def size(self) -> int:
        """Number of points behind the batches: those of a user, or the pool."""
        return len(self.points)

    @property
    def unit(self) -> Array:
        """What one unit of the reported W1 is, in each column: 1 for known data, a user's column's sd else."""
        return np.ones(self.d) if self.modal is not None else self.scale

    @property
    def training_unit(self) -> float:
        """One unit of the training in the unit of the reported W1."""
        return float(self.scale[0] / self.unit[0])

    def to_training(self, points: Array) -> Array:
        """Own units -> units of the training."""
        return np.asarray((points - self.mean) / self.scale)

    def from_training(self, points: Array) -> Array:
        """Units of the training -> own units."""
        return np.asarray(points * self.scale + self.mean)

    def pool(self, device: str) -> Tensor:
        """The points as float32 on a device, in units of the training."""
        return torch.from_numpy(self.to_training(self.points)).float().to(device)

    def reference(self, n: int, rng: np.random.Generator) -> Array:
        """Points to judge by: n balanced over known modes, or at most n of those held out."""
        if self.modal is not None:
            return self.modal.draw_balanced(n, rng)
        assert self.held_out is not None
        return self.held_out[rng.permutation(len(self.held_out))[:n]]

    def fresh(self, n: int, rng: np.random.Generator) -> Array:
        """n independent real points: what a perfect generator would give."""
        if self.modal is not None:
            return self.modal.draw(n, rng)
        return self.points[rng.permutation(len(self.points))[:n]]


def as_training_data(data: Any, seed: int, shape: tuple[int, int, int] | None = None) -> TrainingData:
    """Data by name, data of known modes, or a user's points.

    Parameters
    ----------
    data : str, ModalData, array_like [n, d] or DiscreteMeasure of equal weights
    seed : int
    shape : tuple of int, optional
        (channels, height, width) where the points are images with levels in [-1, 1].

    Raises
    ------
    InvalidInput
        An unknown name, weights that differ, fewer than 20 points, images of another size or range.
    """
    rng = np.random.default_rng([seed, 11])
    if isinstance(data, str):
        data = modal_data(data)
    if isinstance(data, ModalData):
        points = data.draw(POOL, rng)
        if data.shape is not None:
            mean, scale = np.zeros(data.d), np.ones(data.d)
        else:  # one scale for all coordinates, so that distances are scaled alike
            mean = points.mean(axis=0)
            scale = np.full(data.d, np.sqrt(np.mean((points - mean) ** 2)))
        return TrainingData(data.name, points, mean, scale, data.shape, data, None)
    if isinstance(data, DiscreteMeasure):
        if np.ptp(data.weights) > 1e-12 * data.weights.max():
            raise invalid("data", "have equal weights", "weights that differ", "Draw points by weight first.")
        data = data.points
    points = as_points("data", data)
    if len(points) < FEWEST:
        raise invalid(
            "data", f"have at least {FEWEST} points", str(len(points)), "A generator needs more to learn from."
        )
    order = rng.permutation(len(points))
    cut = round((1 - HELD_OUT) * len(points))
    kept, held_out = points[order[:cut]], points[order[cut:]]
    if shape is not None:
        if int(np.prod(shape)) != points.shape[1]:
            raise invalid("shape", f"multiply to {points.shape[1]}", str(shape), "Give (channels, height, width).")
        if np.abs(points).max() > 1:
            raise invalid("data", "have levels in [-1, 1] as images", f"up to {np.abs(points).max():g}", "Scale them.")
        return TrainingData("images", kept, np.zeros(points.shape[1]), np.ones(points.shape[1]), shape, None, held_out)
    scale = kept.std(axis=0)
    return TrainingData("points", kept, kept.mean(axis=0), np.where(scale > 0, scale, 1.0), None, None, held_out)
