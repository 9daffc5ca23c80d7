"""The mark of an answer: full where the interval that it proves has no width."""

from __future__ import annotations

from dataclasses import dataclass

from otdiv.core.bounds import Bounds

CLOSED = 1e-9
"""Width of an interval, relative to its larger end or to 1, up to which rounding explains it."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What an answer is worth.

    Attributes
    ----------
    full : bool
        Whether it is right: nothing is violated and the interval is closed.
    reason : str
        Why; where something is violated, what, where and by how much.
    proved : Bounds or None
        The interval that the answer proves for the value asked for; None where it proves none.
    """

    full: bool
    reason: str
    proved: Bounds | None = None

    def __str__(self) -> str:
        ends = () if self.proved is None else (self.proved.lower, self.proved.upper)
        low_high = ", ".join(f"{0.0 if abs(end) < CLOSED else end:.6g}" for end in ends)
        interval = f" Proved: [{low_high}]." if ends else ""
        return f"{'Full marks.' if self.full else 'Not yet.'} {self.reason}{interval}"


def by_interval(lower: float, upper: float, closed: str, opened: str) -> Mark:
    """Full marks where the interval is closed."""
    full = upper - lower <= CLOSED * max(1.0, abs(lower), abs(upper))
    return Mark(full, closed if full else opened, Bounds(min(lower, upper), upper))
