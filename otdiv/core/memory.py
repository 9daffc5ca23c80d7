"""Memory is estimated before it is taken: what is free, and a refusal that names the need."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from otdiv.errors import TooLarge

BLOCK_ENTRIES = 2**21
"""Entries of a matrix [n, m] that are computed at a time (16 MiB of float64); larger blocks are hardly faster."""


_ALWAYS_FREE = 2.0**26
"""Bytes (64 MiB) that are not asked about without a limit: to ask takes a millisecond."""


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
    if limit is None:
        if bytes_needed <= _ALWAYS_FREE:
            return
        limit = available_memory()
    if bytes_needed > limit:
        raise TooLarge(
            f"{what} needs about {bytes_needed / 2**30:.3g} GiB; the limit is {limit / 2**30:.3g} GiB. "
            "Raise memory_limit, choose another method, or use fewer points."
        )


def available_memory(root: Path = Path("/")) -> float:
    """Bytes of memory free for use now: of the machine, or of the container if it allows less.

    Infinity where the system does not say: then nothing is known, and nothing is refused.

    Parameters
    ----------
    root : Path
        Where proc/ and sys/ lie.
    """
    machine = np.inf
    for line in _lines(root / "proc/meminfo"):
        if line.startswith("MemAvailable:"):
            machine = float(line.split()[1]) * 1024
    return min([machine, *_left_in_groups(root)])


def _left_in_groups(root: Path) -> Iterator[float]:
    """What each control group above this process still allows (Linux; both versions of the interface).

    Pages of files that were only read can be dropped, and do not count as used.
    """
    for line in _lines(root / "proc/self/cgroup"):
        number, controllers, path = line.strip().split(":", 2)
        if number == "0":
            mount, most, used = root / "sys/fs/cgroup", "memory.max", "memory.current"
            droppable = "inactive_file"
        elif "memory" in controllers.split(","):
            mount, most, used = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"
            droppable = "total_inactive_file"
        else:
            continue
        group = mount / path.lstrip("/")
        for folder in (group, *group.parents):  # inside a container the group's own path may not be there
            limit, taken = (_lines(folder / name) for name in (most, used))
            if limit and taken and limit[0].strip().isdigit():
                statistics = dict(entry.split() for entry in _lines(folder / "memory.stat"))
                yield max(0.0, float(limit[0]) - float(taken[0]) + float(statistics.get(droppable, 0)))
            if folder == mount:
                break


def _lines(path: Path) -> list[str]:
    """The lines of a small file; none where there is no such file."""
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
