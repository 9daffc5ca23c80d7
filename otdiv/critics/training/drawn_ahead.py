"""Points of samplers, drawn in a thread of their own before a training needs them, and kept on the device."""

from __future__ import annotations

import math
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

import numpy as np
import torch
from torch import Tensor

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
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="otdiv-draws")
        self._next: Future[list[Array]] | None = None

    def __enter__(self) -> DrawnAhead:
        self._order()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    def grow(self) -> None:
        """Add the next block, waiting for it where it is not there; nothing where all points are there.

        Raises
        ------
        InvalidInput
            As :meth:`SampledDistribution.draw`; what a sampler raises itself is raised here.
        """
        if self._next is None:
            return
        blocks = self._next.result()
        size = len(blocks[0]) if blocks else self.most
        for kept, block in zip(self.points, blocks, strict=True):
            kept[self.count : self.count + size] = _as_tensor(block).to(kept.device)
        self.count += size
        self._order()

    def _order(self) -> None:
        missing = min(self._block, self.most - self.count)
        self._next = self._thread.submit(self._draw, missing) if missing and self._samplers else None

    def _draw(self, count: int) -> list[Array]:
        drawn = [sampler.draw(count, self._rng) for sampler in self._samplers]
        return [self._standardizer.transform(points).astype(np.float32) for points in drawn]


def _as_tensor(points: Array) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(points))
