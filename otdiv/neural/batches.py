"""The points and weights of one training step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from otdiv.core.validation import Array
from otdiv.neural.samples import Pair
from otdiv.neural.standardize import Standardizer


@dataclass(frozen=True, eq=False)
class SignedSample:
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


def signed_sample(x: Tensor, a: Tensor, y: Tensor, b: Tensor) -> SignedSample:
    """x with weights a, less y with weights b."""
    return SignedSample(torch.cat([x, y], dim=-2), torch.cat([a, -b], dim=-1), x, y, a, b)


def rows_by_weight(running: Tensor, size: int | tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Row numbers drawn by weight, with replacement, by the inverse of the distribution function.

    Parameters
    ----------
    running : Tensor [n]
        Running total of the weights, on the generator's device.
    size : int or tuple of int
    generator : torch.Generator
    """
    uniform = torch.rand(size, generator=generator, dtype=torch.float64, device=running.device) * running[-1]
    return torch.searchsorted(running, uniform, right=True).clamp_max(len(running) - 1)


class Batches:
    """Draws the points z = (x, y) and signed weights w = (a, -b) of one step: V(h) = sum w h(z).

    Points are float32, weights float64, both on the device.  Clouds of at most ``batch`` points are used
    whole, with their weights; larger ones are drawn by weight, with replacement; samplers draw new points.
    The state of both random generators can be saved.

    Parameters
    ----------
    distributions : (SampledDistribution, SampledDistribution)
    standardizer : Standardizer
    batch : int
        Most points of each distribution in a step.
    seed : int
    device : str
    """

    def __init__(
        self,
        distributions: Pair,
        standardizer: Standardizer,
        batch: int,
        seed: int,
        device: str,
    ) -> None:
        self._distributions, self._standardizer = distributions, standardizer
        self.batch, self._device = batch, device
        self.rng = np.random.default_rng([seed, 1])
        self.torch_rng = torch.Generator().manual_seed(seed)
        self._clouds: list[tuple[Tensor, Tensor, Tensor] | None] = []
        for distribution in distributions:
            if distribution.measure is None:
                self._clouds.append(None)
                continue
            weights = torch.from_numpy(distribution.measure.weights / distribution.measure.mass)
            self._clouds.append((self._tensor(distribution.measure.points), weights, weights.cumsum(0)))

        self._whole = self._join() if all(c is not None and len(c[0]) <= batch for c in self._clouds) else None

    def __call__(self) -> SignedSample:
        return self._join() if self._whole is None else self._whole

    def _join(self) -> SignedSample:
        return signed_sample(*self._draw(0), *self._draw(1))

    def _draw(self, k: int) -> tuple[Tensor, Tensor]:
        cloud = self._clouds[k]
        if cloud is None:
            points = self._tensor(self._distributions[k].draw(self.batch, self.rng))
        elif len(cloud[0]) <= self.batch:
            return cloud[0], cloud[1].to(self._device)
        else:
            points = cloud[0][rows_by_weight(cloud[2], self.batch, self.torch_rng).to(self._device)]
        return points, torch.full((len(points),), 1 / len(points), dtype=torch.float64, device=self._device)

    def _tensor(self, points: Array) -> Tensor:
        return torch.from_numpy(self._standardizer.transform(points)).float().to(self._device)
