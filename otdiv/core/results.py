"""What every answer with an interval offers, whatever computed it."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from otdiv.core.bounds import Bounds, Status


@runtime_checkable
class Result(Protocol):
    """A value with its interval; where there are any, also ``potentials`` (f, g) and ``plan``.

    Attributes
    ----------
    value : float
    lower, upper, gap : float
        lower <= true value <= upper; gap = upper - lower.
    status : Status
    message : str
        The status, and what the method said, for a reader.
    nit : int
        Iterations: pivots, bids, training steps; 0 where nothing iterates.
    seconds : float
        Time of the computation; NaN for a record that was put together by hand.
    """

    @property
    def value(self) -> float: ...
    @property
    def lower(self) -> float: ...
    @property
    def upper(self) -> float: ...
    @property
    def gap(self) -> float: ...
    @property
    def status(self) -> Status: ...
    @property
    def message(self) -> str: ...
    @property
    def nit(self) -> int: ...
    @property
    def seconds(self) -> float: ...


class HasBounds:
    """The ends of ``bounds`` as attributes, and the status as a sentence; mixed into the answers."""

    __slots__ = ()
    bounds: Bounds
    status: Status

    @property
    def lower(self) -> float:
        """Proved lower bound."""
        return self.bounds.lower

    @property
    def upper(self) -> float:
        """Proved upper bound."""
        return self.bounds.upper

    @property
    def gap(self) -> float:
        """upper - lower."""
        return self.bounds.gap

    @property
    def message(self) -> str:
        """The status as a sentence."""
        return self.status.message
