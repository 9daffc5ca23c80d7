"""Blocks of work in this process, or on the workers of joblib: the only file that knows it.

joblib runs on processes of this machine (loky), or on whatever ``joblib.parallel_config`` names around the call:
dask, ray, spark.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from otdiv.core.validation import Array, invalid
from otdiv.errors import SolverFailed

BREAKS_WITHOUT_PROGRESS = 3
"""How often in a row workers may end without having returned a block before the work is given up."""
_BLOCKS_PER_WORKER = 4
"""Blocks that each worker gets at a time where results come back together: so many are lost by a kill."""
Block = dict[str, Array]


def run_blocks(work: Callable[[int], Block], blocks: Sequence[int], workers: int | None) -> Iterator[tuple[int, Block]]:
    """Each block with its result, in the order in which they are done.

    A worker that is killed takes its block with it; what has not come back is asked for again from new workers.

    Parameters
    ----------
    work : callable
        Of the number of a block; picklable where there are workers.
    blocks : sequence of int
    workers : int or None
        None: this process.

    Raises
    ------
    SolverFailed
        Workers end again and again, and nothing comes back.
    """
    if workers is None:
        for block in blocks:
            yield block, work(block)
        return
    from joblib.externals.loky.process_executor import BrokenProcessPool

    left, breaks = list(blocks), 0
    while left:
        try:
            for block, result in _on_workers(work, left, workers):
                left.remove(block)
                breaks = 0
                yield block, result
        except BrokenProcessPool as problem:
            breaks += 1
            if breaks >= BREAKS_WITHOUT_PROGRESS:
                raise SolverFailed(f"workers have ended {breaks} times without an answer ({problem}).") from None


def require_workers(workers: Any) -> int | None:
    """The number of workers, or None for this process.

    Raises
    ------
    InvalidInput
    """
    whole = isinstance(workers, int | np.integer) and not isinstance(workers, bool)
    if workers is None or (whole and workers >= 1):
        return None if workers is None else int(workers)
    raise invalid("workers", "be a positive integer or None", repr(workers), "None works in this process.")


def _on_workers(work: Callable[[int], Block], blocks: list[int], workers: int) -> Iterator[tuple[int, Block]]:
    from joblib import Parallel, delayed

    tasks = [delayed(_with_number)(work, block) for block in blocks]
    try:
        parallel = Parallel(n_jobs=workers, return_as="generator_unordered", batch_size=1)
    except ValueError:  # a back end that returns whole lists only
        for first in range(0, len(tasks), _BLOCKS_PER_WORKER * workers):
            yield from Parallel(n_jobs=workers, batch_size=1)(tasks[first : first + _BLOCKS_PER_WORKER * workers])
        return
    yield from parallel(tasks)


def _with_number(work: Callable[[int], Block], block: int) -> tuple[int, Block]:
    return block, work(block)
