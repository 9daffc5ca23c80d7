"""How many threads may work at once.  No result depends on their number."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np

from otdiv.core.validation import invalid

_SERIAL_BELOW = 512
"""Rows; below it starting threads costs more than it saves."""
_PARTS = 64
"""Most parts that rows are cut into: a matter of the rows alone, so that results have the same bits on any machine."""
_ROWS_PER_PART = 256
"""Fewest rows of a part."""
_FILTERS = threading.RLock()
"""Held while the warning filters are changed."""


def count_threads(threads: int | None) -> int:
    """The number asked for; None is every processor that this process may use.

    Raises
    ------
    InvalidInput
        Not a positive integer.
    """
    if threads is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not (isinstance(threads, int | np.integer) and not isinstance(threads, bool) and threads >= 1):
        raise invalid("threads", "be a positive integer", repr(threads), "Leave it out to use all processors.")
    return int(threads)


@contextmanager
def without_warnings() -> Iterator[None]:
    """Ignore warnings inside the block, one thread at a time: Python's filters are of the whole process.

    Two threads that change and restore them in overlapping blocks would leave them changed.
    """
    with _FILTERS, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def run_in_parts(work: Callable[[int, int], object], n: int, threads: int) -> None:
    """Call ``work(first, end)`` over consecutive parts of [0, n); compiled kernels release the interpreter lock."""
    parts = min(_PARTS, max(16, n // _ROWS_PER_PART))
    borders = np.linspace(0, n, parts + 1).astype(int)
    if n < _SERIAL_BELOW:
        work(0, n)
    elif threads == 1:
        for first, end in zip(borders[:-1], borders[1:], strict=True):
            work(first, end)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, borders[:-1], borders[1:]))
