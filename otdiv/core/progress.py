"""How far a long computation has come, and a line on standard error that shows it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from otdiv.core.text_tables import number


@dataclass(frozen=True, slots=True)
class ProgressEvent:
    """One report of a long computation; every ``progress=`` callback of otdiv is given these.

    Attributes
    ----------
    stage : str
        What is going on: the name of a method, or "training".
    seconds : float
        Since the start.
    lower, upper : float
        The interval as the method sees it now, not yet proved; +-inf where nothing is known.
    share : float
        Part of the work that is done, 0 to 1; NaN where its amount is unknown.
    counts : mapping
        Numbers that belong to the stage: points and arcs of a transport solve; step, value and penalty of a
        training.
    """

    stage: str
    seconds: float
    lower: float = float("-inf")
    upper: float = float("inf")
    share: float = float("nan")
    counts: Mapping[str, float] = field(default_factory=dict)

    @property
    def line(self) -> str:
        """The event as one line of text."""
        counts = ", ".join(f"{number(value, 6)} {name}" for name, value in self.counts.items())
        done = "" if self.share != self.share else f", {100 * self.share:.0f} %"
        known = self.lower > float("-inf") or self.upper < float("inf")
        interval = f", in [{number(self.lower, 8)}, {number(self.upper, 8)}]" if known else ""
        return f"{self.stage}: {self.seconds:.1f} s{done}{', ' if counts else ''}{counts}{interval}"


Progress = bool | Callable[[ProgressEvent], None]
"""True shows a line on standard error, a callable is given each event, False is silent."""


@contextmanager
def reporting(progress: Progress) -> Iterator[Callable[[ProgressEvent], None] | None]:
    """The function to call with each event: the callable itself, one that writes a line, or None."""
    if callable(progress):
        yield progress
    elif not progress:
        yield None
    else:
        try:
            yield _write_line
        finally:
            print(file=sys.stderr)


def _write_line(event: ProgressEvent) -> None:
    print(f"\r{'otdiv ' + event.line:<100}", end="", file=sys.stderr, flush=True)
