"""What can be said about a number: an interval, and how the work ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from otdiv.errors import OtdivError


class Status(Enum):
    """How a computation ended; the value is a sentence a user can read."""

    OPTIMAL = "Certified optimal: the lower and the upper bound meet."
    OPTIMAL_NEARBY = "Certified optimal for weights within marginal_error of those given."
    STOPPED = "Stopped early: the interval holds, but its ends have not met."
    INFEASIBLE = "Infeasible: no point satisfies the constraints."
    UNBOUNDED = "Unbounded: the objective improves without end along a ray."
    FAILED = "Failed: the method gave no usable answer."

    @property
    def label(self) -> str:
        """The status as one lower-case word, for tables and JSON."""
        return self.name.lower()

    @property
    def certified(self) -> bool:
        """Whether the bounds meet: OPTIMAL about the weights as given, OPTIMAL_NEARBY about weights nearby."""
        return self in (Status.OPTIMAL, Status.OPTIMAL_NEARBY)

    @property
    def message(self) -> str:
        """The status as a sentence."""
        return self.value


@dataclass(frozen=True, slots=True)
class Bounds:
    """A proved interval: lower <= true value <= upper.

    Parameters
    ----------
    lower, upper : float
        The ends; +-inf where nothing is known.

    Raises
    ------
    OtdivError
        If lower > upper or an end is NaN: the proof contradicts itself.
    """

    lower: float
    upper: float

    def __post_init__(self) -> None:
        if not self.lower <= self.upper:
            raise OtdivError(f"the bounds contradict each other: lower {self.lower!r} > upper {self.upper!r}")

    @property
    def gap(self) -> float:
        """Width of the interval, upper - lower >= 0."""
        return self.upper - self.lower

    def contains(self, value: float) -> bool:
        """Whether ``value`` lies in the closed interval."""
        return self.lower <= value <= self.upper

    def __contains__(self, value: float) -> bool:
        return self.contains(value)

    def intersect(self, other: Bounds) -> Bounds:
        """Both proofs at once: the tighter end of each."""
        return Bounds(max(self.lower, other.lower), min(self.upper, other.upper))
