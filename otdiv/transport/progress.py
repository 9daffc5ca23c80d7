"""How far a long solve has come, and a line on standard error that shows it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from otdiv.core.text_tables import number


class Progress(NamedTuple):
    """Seconds so far, points of the larger side at this scale, arcs, and the interval (as the method sees it)."""

    seconds: float
    points: int
    arcs: int
    lower: float
    upper: float


@contextmanager
def showing(progress: bool | Callable[[Progress], None]) -> Iterator[Callable[[Progress], None] | None]:
    """What to call with each :class:`Progress`: the callable itself, a line on standard error, or None."""
    if callable(progress):
        yield progress
    elif not progress:
        yield None
    else:
        try:
            yield _show
        finally:
            print(file=sys.stderr)


def _show(state: Progress) -> None:
    interval = "" if state.upper == float("inf") else f", in [{number(state.lower, 8)}, {number(state.upper, 8)}]"
    line = f"otdiv: {state.seconds:.1f} s, {state.points} points, {state.arcs} arcs{interval}"
    print(f"\r{line:<100}", end="", file=sys.stderr, flush=True)
