"""Consecutive problems in chunks of similar work, on threads; no result depends on their number."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed

import numpy as np

from otdiv.core.validation import Array

CHUNK_EFFORT = 2.0e8
"""Steps of a chunk, about 0.1 s: within it neither Ctrl-C nor a progress report is heard."""
_CHUNKS_PER_THREAD = 8
_LEAST_PROBLEMS = 16
"""Problems of a chunk, unless one of them is already a chunk's work."""


def efforts_of(n: Array, m: Array) -> Array:
    """Estimated steps of each problem with n sources and m targets."""
    return n * m * (20.0 + np.sqrt(n * 1.0 * m))


def run_in_chunks(
    work: Callable[[int, int], object],
    efforts: Array,
    threads: int,
    report: Callable[[float], None] | None = None,
) -> None:
    """Call ``work(first, end)`` on chunks of the problems; ``report`` gets the share that is done.

    Parameters
    ----------
    work : callable
        Compiled code that releases the interpreter lock, and writes only what belongs to its problems.
    efforts : ndarray [k]
        Estimated steps of each problem.
    threads : int
    report : callable, optional
    """
    done = np.cumsum(efforts)
    chunks = max(1, min(int(np.ceil(done[-1] / CHUNK_EFFORT)), len(efforts)))
    if threads > 1:
        chunks = max(chunks, min(_CHUNKS_PER_THREAD * threads, -(-len(efforts) // _LEAST_PROBLEMS)))
    inner = np.searchsorted(done, done[-1] * np.arange(1, chunks) / chunks)
    borders = np.unique(np.concatenate([[0], inner, [len(efforts)]]))
    spans = list(zip(borders[:-1].tolist(), borders[1:].tolist(), strict=True))
    if threads == 1 or len(spans) == 1:
        for first, end in spans:
            work(first, end)
            if report is not None:
                report(float(done[end - 1] / done[-1]))
        return
    finished = 0.0
    with ThreadPoolExecutor(threads) as pool:
        running = {pool.submit(work, first, end): float(efforts[first:end].sum()) for first, end in spans}
        try:
            for future in as_completed(running):
                future.result()
                finished += running[future]
                if report is not None:
                    report(min(1.0, finished / float(done[-1])))
        except BaseException:  # Ctrl-C too: chunks that have not begun are dropped
            pool.shutdown(wait=False, cancel_futures=True)
            raise
