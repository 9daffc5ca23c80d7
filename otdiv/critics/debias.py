"""The bias of a gradient penalty, and three ways to remove it.

With penalty weight lambda the optimal critic is s f* with s = 1 + W / (2 lambda), so the raw value is
R = W + W^2 / (2 lambda) (lecture item S51).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from otdiv.core.validation import invalid


def penalty_bias(w: float, weight: float) -> float:
    """W^2 / (2 lambda), by how much the raw value of a penalised critic exceeds W.

    Examples
    --------
    >>> penalty_bias(0.5, 10.0)
    0.0125
    """
    return w * w / (2 * _positive(weight))


def remove_bias(raw: float, weight: float) -> float:
    """W = lambda (sqrt(1 + 2 R / lambda) - 1), the inverse of R = W + W^2 / (2 lambda).

    Parameters
    ----------
    raw : float
        sum a f - sum b f of the trained critic, without the penalty; not negative.
    weight : float
        lambda, in the unit of the points.

    Raises
    ------
    InvalidInput
        A negative value or a weight that is not positive.

    Examples
    --------
    >>> round(remove_bias(0.5125, 10.0), 12)
    0.5
    """
    if raw < 0:
        raise invalid("raw", "not be negative", repr(raw), "Exchange the laws: W1 is symmetric.")
    ratio = 2 * raw / _positive(weight)
    # lambda (sqrt(1 + t) - 1) without the loss of digits at small t
    return weight * ratio / (sqrt(1 + ratio) + 1)


@dataclass(frozen=True)
class Debiased:
    """Three estimates free of the penalty's bias, and whether the training was converged.

    Attributes
    ----------
    formula : float
        lambda (sqrt(1 + 2 R / lambda) - 1).
    by_penalty : float
        R - 2 lambda E[penalty].
    by_slope : float
        R over the mean slope on the segments of the optimal pairs, where they were at hand.
    identity : float
        R / (2 lambda E[(|grad f| - 1) |grad f|]) on the penalised points: 1 at convergence.
    """

    formula: float
    by_penalty: float
    by_slope: float
    identity: float

    @property
    def spread(self) -> float:
        """Largest less smallest of the three over the formula's: a few per cent where they agree."""
        three = (self.formula, self.by_penalty, self.by_slope)
        return (max(three) - min(three)) / self.formula if self.formula > 0 else 0.0

    @property
    def converged(self) -> bool:
        """Whether the identity holds within 5 %."""
        return abs(self.identity - 1) <= 0.05

    def to_dict(self) -> dict[str, float]:
        """Ready for JSON."""
        return {
            "formula": self.formula,
            "by_penalty": self.by_penalty,
            "by_slope": self.by_slope,
            "identity": self.identity,
            "spread": self.spread,
        }


def _positive(weight: float) -> float:
    if not weight > 0:
        raise invalid("weight", "be positive", repr(weight), "Pass the weight lambda of the penalty.")
    return weight
