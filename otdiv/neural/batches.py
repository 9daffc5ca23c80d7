"""The points and weights of one training step."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from otdiv.core.threads import CalledAhead, count_threads, limited_blas
from otdiv.core.validation import Array
from otdiv.neural.samples import Pair
from otdiv.neural.standardize import Standardizer

STEPS_PER_CALL = 10
"""Steps for which a sampler is called once: more of them take memory, fewer take more calls."""
_ENTRIES_PER_CALL = 2**22
"""Most coordinates of the points of one call (16 MiB), and those of one step at least."""


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


class _Block(NamedTuple):
    """The points of one call of each sampler, and the states of the generator before and after."""

    state: Mapping[str, Any]
    state_after: Mapping[str, Any]
    points: list[Tensor]


class Batches:
    """Draws the points z = (x, y) and signed weights w = (a, -b) of one step: V(h) = sum w h(z).

    Points are float32, weights float64, both on the device.  Clouds of at most ``batch`` points are used
    whole, with their weights; larger ones are drawn by weight, with replacement; samplers draw new points, those of
    some steps at a time.  The state of both random generators can be saved.

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
        self._standardizer = standardizer
        self.batch, self._device = batch, device
        self._rng = np.random.default_rng([seed, 1])
        self.torch_rng = torch.Generator().manual_seed(seed)
        self._samplers = [one for one in distributions if one.measure is None]
        self._clouds: list[tuple[Tensor, Tensor, Tensor] | None] = []
        for distribution in distributions:
            if distribution.measure is None:
                self._clouds.append(None)
                continue
            weights = torch.from_numpy(distribution.measure.weights / distribution.measure.mass)
            points = self._as_tensor(distribution.measure.points).to(device)
            self._clouds.append((points, weights, weights.cumsum(0)))
        self.steps_per_call = max(1, min(STEPS_PER_CALL, _ENTRIES_PER_CALL // (batch * len(standardizer.mean))))
        self._block, self._used = _Block({}, {}, []), self.steps_per_call
        self._ahead: CalledAhead[_Block] | None = None
        self._whole = self._join() if all(c is not None and len(c[0]) <= batch for c in self._clouds) else None

    def __call__(self) -> SignedSample:
        return self._join() if self._whole is None else self._whole

    @contextmanager
    def drawn_ahead(self, steps: int) -> Iterator[None]:
        """Inside the block of code samplers are called in a thread, while the training uses the points before.

        The points are the same.  A sampler is called for so many steps; those of a training that ends sooner are lost.
        """
        if not self._samplers:
            yield
            return
        calls = math.ceil((steps - self.steps_per_call + self._used) / self.steps_per_call)
        beside_torch = max(1, count_threads(None) - torch.get_num_threads())  # two sets of threads wait for each other
        try:
            with limited_blas(beside_torch), CalledAhead(self._draw_block, calls) as self._ahead:
                yield
        finally:
            self._ahead = None

    @property
    def rng_state(self) -> Mapping[str, Any]:
        """The state of the samplers' generator from which :meth:`resume` draws the points of the next step."""
        if self._used < self.steps_per_call:
            return self._block.state
        return self._block.state_after or self._rng.bit_generator.state

    def resume(self, rng_state: Mapping[str, Any], torch_rng_state: Tensor, step: int) -> None:
        """Go on as after so many steps, with the states of both generators at that time."""
        self._rng.bit_generator.state = rng_state
        self.torch_rng.set_state(torch_rng_state)
        self._used = step % self.steps_per_call
        if self._used and self._samplers:
            self._block = self._draw_block()
        else:
            self._used = self.steps_per_call

    def _join(self) -> SignedSample:
        drawn = iter(self._next_of_samplers())
        sides = [self._weighted(next(drawn)) if cloud is None else self._of_cloud(cloud) for cloud in self._clouds]
        return signed_sample(*sides[0], *sides[1])

    def _next_of_samplers(self) -> list[Tensor]:
        """The points of one step from each sampler."""
        if not self._samplers:
            return []
        if self._used == self.steps_per_call:
            ahead = self._ahead
            self._block = self._draw_block() if ahead is None or not ahead.waiting else ahead.next()
            self._used = 0
        rows = slice(self._used * self.batch, (self._used + 1) * self.batch)
        self._used += 1
        return [points[rows] for points in self._block.points]

    def _draw_block(self) -> _Block:
        before, size = self._rng.bit_generator.state, self.steps_per_call * self.batch
        points = [self._as_tensor(one.draw(size, self._rng)) for one in self._samplers]
        return _Block(before, self._rng.bit_generator.state, points)

    def _of_cloud(self, cloud: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        points, weights, running = cloud
        if len(points) <= self.batch:
            return points, weights.to(self._device)
        return self._weighted(points[rows_by_weight(running, self.batch, self.torch_rng).to(self._device)])

    def _weighted(self, points: Tensor) -> tuple[Tensor, Tensor]:
        points = points.to(self._device)
        return points, torch.full((len(points),), 1 / len(points), dtype=torch.float64, device=self._device)

    def _as_tensor(self, points: Array) -> Tensor:
        return torch.from_numpy(self._standardizer.transform(points)).float()
