"""Memory is estimated before it is taken: what is free, and a refusal that names the need."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from otdiv.errors import TooLarge

BLOCK_ENTRIES = 2**21
"""Entries of a matrix [n, m] that are computed at a time (16 MiB of float64); larger blocks are hardly faster."""


def row_blocks(n: int, m: int, entries: int = BLOCK_ENTRIES) -> Iterator[slice]:
    """Consecutive ranges of the n rows of a matrix [n, m], each of about ``entries`` entries, at least one row."""
    step = max(1, entries // max(m, 1))
    for first in range(0, n, step):
        yield slice(first, min(first + step, n))


def require_memory(bytes_needed: float, limit: float | None, what: str) -> None:
    """Refuse before allocating, if ``what`` would take more than ``limit`` bytes (None: what is free).

    Raises
    ------
    TooLarge
        Naming the estimate and the limit.
    """
    limit = available_memory() if limit is None else limit
    if bytes_needed > limit:
        raise TooLarge(
            f"{what} needs about {bytes_needed / 2**30:.3g} GiB; the limit is {limit / 2**30:.3g} GiB. "
            "Raise memory_limit, choose another method, or use fewer points."
        )


def available_memory() -> float:
    """Bytes of memory free for use now; infinity where the system does not say."""
    try:
        with open("/proc/meminfo") as table:
            for line in table:
                if line.startswith("MemAvailable:"):
                    return float(line.split()[1]) * 1024
    except OSError:
        pass  # other systems have no such table: then nothing is known, and nothing is refused
    return np.inf
