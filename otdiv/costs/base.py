"""What a ground cost is: entries, whether it is a metric, how exactly it is computed.

Imports errors and rounding only.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from otdiv.errors import Array
from otdiv.rounding import UNIT


class Cost(ABC):
    """A ground cost; entries are float64, and +inf forbids an arc."""

    name: str
    is_metric: bool | None
    """True or False where known; None where only the user can know."""

    @abstractmethod
    def matrix(self, x: Array, y: Array) -> Array:
        """All costs [n, m] between the points x [n, d] and y [m, d]."""

    @abstractmethod
    def paired(self, x: Array, y: Array) -> Array:
        """The costs [k] of the pairs (x[k], y[k]), both [k, d]."""

    def relative_error(self, d: int) -> float:
        """Bound on |computed - true| / true for each entry, in dimension d."""
        return (d + 4) * UNIT

    def absolute_error(self, d: int) -> float:
        """What underflow may add to that."""
        return 0.0

    by_entries: bool = False
    """Whether the cost is known entry by entry only, not as a function of two points."""
    line_power: float | None = None
    """On the line the cost is |x - y| ** line_power; None where it is no such power."""
