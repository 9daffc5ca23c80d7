"""Points of samplers, drawn in a thread of their own before a training needs them, and kept on the device."""

from __future__ import annotations

import math
from types import TracebackType

import numpy as np
import torch
from torch import Tensor

from otdiv.core.threads import CalledAhead
from otdiv.core.validation import Array
from otdiv.neural.samples import SampledDistribution
from otdiv.neural.standardize import Standardizer

POOL_ENTRIES = 2**25
"""Most coordinates of the points that are drawn from one sampler (128 MiB); where a training needs more points, each
serves again.  More of them leave less to memorise and take memory of the device."""


class DrawnAhead:
    """Growing sets of points of one or two samplers: while a training uses what is there, a thread draws more.

    How many points there are after a call of :meth:`grow` depends on the number of calls alone, so that a seed
    repeats a training.  Use it as a context, which ends the thread.

    Parameters
    ----------
    samplers : list of SampledDistribution
        Drawn one after the other, never at the same time.
    standardizer : Standardizer
        Units in which the points are kept, as float32.
    block : int
        Points by which a set grows.
    most : int
        Points of each sampler, at least a block.
    seed : int
    device : str
    """

    def __init__(
        self,
        samplers: list[SampledDistribution],
        standardizer: Standardizer,
        *,
        block: int,
        most: int,
        seed: int,
        device: str,
    ) -> None:
        self._samplers, self._standardizer = samplers, standardizer
        d = len(standardizer.mean)
        self.most = most
        self._block = math.ceil(most / max(1, most // block))
        self.count = 0
        self.points = [torch.empty((self.most, d), device=device) for _ in samplers]
        self._rng = np.random.default_rng([seed, 1])
        self._ordered = 0
        self._blocks = CalledAhead(self._draw, math.ceil(most / self._block) if samplers else 0)

    def __enter__(self) -> DrawnAhead:
        self._blocks.__enter__()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._blocks.__exit__(kind, error, trace)

    def grow(self) -> None:
        """Add the next block, waiting for it where it is not there; nothing where all points are there.

        Raises
        ------
        InvalidInput
            As :meth:`SampledDistribution.draw`; what a sampler raises itself is raised here.
        """
        if not self._blocks.waiting:
            return
        blocks = self._blocks.next()
        size = len(blocks[0])
        for kept, block in zip(self.points, blocks, strict=True):
            kept[self.count : self.count + size] = _as_tensor(block).to(kept.device)
        self.count += size

    def _draw(self) -> list[Array]:
        count = min(self._block, self.most - self._ordered)
        self._ordered += count
        drawn = [sampler.draw(count, self._rng) for sampler in self._samplers]
        return [self._standardizer.transform(points).astype(np.float32) for points in drawn]


def _as_tensor(points: Array) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(points))
