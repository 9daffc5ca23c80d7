"""What a ground cost is: entries, whether it is a metric, how exactly it is computed."""

from __future__ import annotations

from abc import ABC, abstractmethod

from otdiv.core.rounding import UNIT
from otdiv.core.validation import Array, invalid


class Cost(ABC):
    """A ground cost; entries are float64, and +inf forbids an arc."""

    name: str
    is_metric: bool | None
    """True or False where known; None where only the user can know."""

    @abstractmethod
    def matrix(self, x: Array, y: Array) -> Array:
        """All costs [n, m] between the points x [n, d] and y [m, d]."""

    @abstractmethod
    def elementwise(self, x: Array, y: Array) -> Array:
        """The costs [k] of the pairs (x[k], y[k]), both [k, d]."""

    def gradient(self, x: Array, y: Array) -> Array:
        """Gradients [k, d] of the costs of the pairs (x[k], y[k]) in x[k]; in y[k] it is the negative.

        A subgradient where the cost has a kink: 0 at x = y for norms.

        Raises
        ------
        InvalidInput
            For a cost that has no gradient.
        """
        raise invalid("cost", "have a gradient", repr(self.name), "Use a norm of the difference, or its square.")

    def relative_error(self, d: int) -> float:
        """Bound on |computed - true| / true for each entry, in dimension d."""
        return (d + 4) * UNIT

    def absolute_error(self, d: int) -> float:
        """What underflow may add to that."""
        return 0.0

    by_entries: bool = False
    """Whether the cost is known entry by entry only, not as a function of two points."""
    shape: tuple[int, int] | None = None
    """[n, m] where the costs are listed, so that the points are only labels; None where they are computed."""
    line_power: float | None = None
    """On the line the cost is |x - y| ** line_power; None where it is no such power."""
