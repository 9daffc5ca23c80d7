"""Any critic as one record: values and gradients at points; and the check that it is a function of one point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from otdiv.core.rounding import UNIT
from otdiv.core.validation import Array, invalid
from otdiv.critics.reading.outputs import DOUBLE
from otdiv.errors import InvalidInput
from otdiv.lipschitz import LipschitzBound


@dataclass(frozen=True, eq=False)
class Network:
    """A torch module h behind a critic, f(z) = +-scale h((z - centre) / scale), of which a constant may be proved.

    Attributes
    ----------
    module : torch.nn.Module
    centre : ndarray [d] or float
    scale : float
    """

    module: Any
    centre: Array | float = 0.0
    scale: float = 1.0

    def to_inner(self, points: Array) -> Array:
        """Points in the units of h."""
        if self.scale == 1.0 and not np.any(self.centre):
            return points
        return np.asarray((points - self.centre) / self.scale)

    @property
    def shift_error(self) -> float:
        """Distance by which the rounding of :meth:`to_inner` moves a point, in its units, beyond that of its size."""
        return 4 * UNIT * float(np.linalg.norm(np.atleast_1d(self.centre))) / self.scale


DEPENDENCE = 1e-3
"""Relative difference of two values of one point from which they count as different; kernels of other batch sizes
round otherwise, by far less."""


@dataclass(frozen=True, eq=False)
class Critic:
    """A critic with its parts.

    Attributes
    ----------
    name : str
        What it is.
    values : callable
        [k, d] -> [k], float64.
    gradients : callable or None
        [k, d] -> [k, d], float64; by automatic differentiation, or central differences for a function; None for a
        module whose values have no graph of derivatives.
    constant : LipschitzBound or None
        A proved upper bound of the Lipschitz constant, where the architecture is known.
    resolution : float
        Relative distance of neighbouring numbers in the format that it computes in.
    notes : tuple of str
        What a reader of the report should know of how it was read.
    network : Network or None
        The module, where it is one in this process.
    """

    name: str
    values: Callable[[Array], Array]
    gradients: Callable[[Array], Array] | None
    constant: LipschitzBound | None
    resolution: float = DOUBLE
    notes: tuple[str, ...] = ()
    network: Network | None = None


def require_function(critic: Critic, d: int) -> None:
    """Refuse, before any work, a critic that fails on a few points or whose values depend on the other points.

    Raises
    ------
    InvalidInput
    """
    points = np.linspace(-0.5, 0.5, 4)[:, None] * np.cos(np.arange(d)) + np.array([[0.0], [0.3], [0.1], [0.2]])
    beside = np.zeros((4, d)) + np.array([[0.5], [-1.0], [2.0], [0.0]])
    try:
        values = critic.values(points)
        again = critic.values(np.concatenate([points, beside]))[:4]
    except InvalidInput:
        raise
    except (RuntimeError, ValueError, TypeError, IndexError, AssertionError, AttributeError) as problem:
        raise failed(d, problem) from None
    if not (np.isfinite(values).all() and np.isfinite(again).all()):
        raise invalid("critic", "return finite values", "NaN or infinity", "Check its weights.")
    tolerance = max(DEPENDENCE, 8 * critic.resolution) * max(np.abs(values).max(), np.abs(again).max())
    worst = int(np.argmax(np.abs(values - again)))
    if abs(values[worst] - again[worst]) > tolerance:
        raise invalid(
            "critic",
            "give a point the same value beside any other points",
            f"{values[worst]:.4g} and {again[worst]:.4g}",
            "Leave batch normalisation out, switch dropout off, export in eval mode.",
        )


def failed(d: int, problem: Exception) -> InvalidInput:
    """The error of a critic that cannot be evaluated at points [k, d]."""
    reason = str(problem).strip().splitlines()[0] if str(problem).strip() else type(problem).__name__
    return invalid("critic", f"take points of dimension {d}", f"an error ({reason})", "Check its input size.")
