"""The points and weights of one training step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from otdiv.core.validation import Array
from otdiv.neural.samples import Law
from otdiv.neural.standardize import Frame


@dataclass(frozen=True, eq=False)
class Signed:
    """The difference of two measures: points z = (x, y) [n + m, d] and weights w = (a, -b).

    Attributes
    ----------
    z, w : Tensor
    x, y, a, b : Tensor
        The two measures themselves.
    """

    z: Tensor
    w: Tensor
    x: Tensor
    y: Tensor
    a: Tensor
    b: Tensor


def signed(x: Tensor, a: Tensor, y: Tensor, b: Tensor) -> Signed:
    """x with weights a, less y with weights b."""
    return Signed(torch.cat([x, y]), torch.cat([a, -b]), x, y, a, b)


class Batches:
    """Draws the points z = (x, y) and signed weights w = (a, -b) of one step: V(h) = sum w h(z).

    Points are float32, weights float64, both on the device.

    Clouds of at most ``batch`` points are used whole, with their weights; larger ones are drawn by weight,
    with replacement; samplers are asked anew.  The state of both random generators can be saved.
    """

    def __init__(self, laws: tuple[Law, Law], frame: Frame, batch: int, seed: int, device: str) -> None:
        self._laws, self._frame, self.batch, self._device = laws, frame, batch, device
        self.rng = np.random.default_rng([seed, 1])
        self.torch_rng = torch.Generator().manual_seed(seed)
        self._clouds: list[tuple[Tensor, Tensor, Tensor] | None] = []
        for law in laws:
            if law.measure is None:
                self._clouds.append(None)
                continue
            weights = torch.from_numpy(law.measure.weights / law.measure.mass)
            self._clouds.append((self._tensor(law.measure.points), weights, weights.cumsum(0)))

        self._whole = self._join() if all(c is not None and len(c[0]) <= batch for c in self._clouds) else None

    def __call__(self) -> Signed:
        return self._join() if self._whole is None else self._whole

    def _join(self) -> Signed:
        return signed(*self._one(0), *self._one(1))

    def _one(self, k: int) -> tuple[Tensor, Tensor]:
        cloud = self._clouds[k]
        if cloud is None:
            points = self._tensor(self._laws[k].draw(self.batch, self.rng))
        elif len(cloud[0]) <= self.batch:
            return cloud[0], cloud[1].to(self._device)
        else:
            # inverse of the distribution function: a number below the running total of the weights
            uniform = torch.rand(self.batch, generator=self.torch_rng, dtype=torch.float64) * cloud[2][-1]
            chosen = torch.searchsorted(cloud[2], uniform, right=True).clamp_max(len(cloud[0]) - 1)
            points = cloud[0][chosen.to(self._device)]
        return points, torch.full((len(points),), 1 / len(points), dtype=torch.float64, device=self._device)

    def _tensor(self, points: Array) -> Tensor:
        return torch.from_numpy(self._frame.apply(points)).float().to(self._device)
