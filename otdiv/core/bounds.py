"""What can be said about a number: an interval, and how the work ended."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from otdiv.errors import OtdivError

MEETS = 1e-9
"""Relative gap up to which it is said that the bounds meet."""


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

    def sentence(self, bounds: Bounds, rtol: float, atol: float, rounding_decides: bool = False) -> str:
        """The status as a sentence that fits an interval which is only as narrow as was asked for.

        Parameters
        ----------
        bounds : Bounds
        rtol, atol : float
            The relative gap (of the smaller end) and the absolute one that were asked for.
        rounding_decides : bool
            Whether rounding alone keeps the ends apart.
        """
        size = min(abs(bounds.lower), abs(bounds.upper))
        if self is Status.STOPPED and rounding_decides and 0 < bounds.gap < size:
            share = bounds.gap / size
            met = 10.0 ** math.ceil(math.log10(share))
            return f"Stopped where rounding decides: the bounds differ by {100 * share:.2g} %; rtol={met:.0e} is met."
        if not self.certified or bounds.gap <= MEETS * size:
            return self.message
        weights = " for weights within marginal_error of those given" if self is Status.OPTIMAL_NEARBY else ""
        if size > 0 and bounds.gap <= 2 * rtol * size:  # rtol refers to the value, which is at least the smaller end
            differ = f"the bounds differ by {100 * bounds.gap / size:.2g} %"
            return f"Certified within the {100 * rtol:.3g} % asked for{weights}: {differ}."
        if self is Status.OPTIMAL_NEARBY and bounds.gap > atol:
            most = f"for those given at most {bounds.upper:.2g}"
            return f"Certified optimal, 0, for weights within rounding of those given; {most}."
        return f"Certified within the gap of {atol:.3g} asked for{weights}: the bounds differ by {bounds.gap:.2g}."


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
