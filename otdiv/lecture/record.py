"""One checkable number of the lecture: what otdiv computes beside what is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

EXACT = 1e-9
"""Tolerance of identities and linear programs, whose numbers are known to 12 digits."""


@dataclass(frozen=True)
class LectureRow:
    """A number of the lecture, computed and expected.

    Attributes
    ----------
    item : str
        The lecture item, "S1" and on; "X1", "X2" of critics; "R1" to "R3" for the pages the lecture cites.
    name : str
        What the number is.
    computed : float
        What otdiv says now.
    expected : float
        What is known; inf is a legal value.
    tolerance : float
        Largest absolute difference allowed.
    """

    item: str
    name: str
    computed: float
    expected: float
    tolerance: float = EXACT

    def __post_init__(self) -> None:
        for name in ("computed", "expected", "tolerance"):  # plain floats, whatever kind of number came
            object.__setattr__(self, name, float(getattr(self, name)))

    @property
    def ok(self) -> bool:
        """Whether computed and expected agree; inf agrees with inf, NaN with nothing."""
        return self.computed == self.expected or abs(self.computed - self.expected) <= self.tolerance


Rows = Iterator[LectureRow]
Items = dict[str, Callable[[], Rows]]
"""What a chapter of the lecture contributes: for each item, the function that computes its rows."""
