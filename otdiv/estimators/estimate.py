"""An estimate of a distance between the distributions behind two samples, with what its interval rests on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import NormalDist
from types import MappingProxyType
from typing import Any

from otdiv.core.text_tables import json_number
from otdiv.core.validation import ReadOnlyCopies, invalid


@dataclass(frozen=True)
class LowerBound:
    """A one-sided bound that needs no assumption but independent draws.

    Attributes
    ----------
    value : float
        At most the true value, in at least the share ``confidence`` of all samples, for all distributions.
    confidence : float
    method : str
        How it was found, as a sentence.
    """

    value: float
    confidence: float
    method: str

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        return f"at least {self.value:.4g} ({self.confidence:.0%}, no assumption): {self.method}"

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {"value": self.value, "confidence": self.confidence, "method": self.method}


@dataclass(frozen=True)
class Estimate(ReadOnlyCopies):
    """What two samples say about the distance of the distributions that they were drawn from.

    Attributes
    ----------
    name : str
        What is estimated, such as "KL(P || Q)".
    value : float
        The estimate, in nats for divergences, in the unit of the points for W_p.
    standard_error : float
        Of the value, its bias left aside.
    lower, upper : float
        Two-sided interval; an end that the data cannot give is open: 0 or the largest possible value.
    confidence : float
        Nominal coverage of the interval, such as 0.95.
    method, reason : str
        The estimator, and why it was taken.
    assumption : str
        What the interval rests on, as a sentence.
    n, m : int
        Points in the samples of P and Q.
    ceiling : float
        The most that this estimator can return at this n and m.
    lower_bound : LowerBound or None
        A one-sided bound without assumption; None where there is none.
    flags : tuple of str
        Why the interval should not be relied upon; empty where nothing speaks against it.
    details : mapping of str to float
        Further numbers of the method, such as a p-value or a null floor.
    """

    name: str
    value: float
    standard_error: float
    lower: float
    upper: float
    confidence: float
    method: str
    reason: str
    assumption: str
    n: int
    m: int
    ceiling: float = math.inf
    lower_bound: LowerBound | None = None
    flags: tuple[str, ...] = ()
    details: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "details", MappingProxyType(dict(self.details)))

    @property
    def reliable(self) -> bool:
        """Whether nothing that the method can see speaks against the interval."""
        return not self.flags

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        lines = [
            f"{self.name} = {self.value:.4g}, {self.confidence:.0%} interval [{self.lower:.4g}, {self.upper:.4g}]",
            f"  method      {self.method}: {self.reason}",
            f"  assumption  {self.assumption}",
        ]
        if self.lower_bound is not None:
            lines.append(f"  lower bound {self.lower_bound}")
        if self.ceiling < math.inf:
            lines.append(f"  ceiling     {self.ceiling:.4g} at n = {self.n}, m = {self.m}")
        lines += [f"  caution     {flag}" for flag in self.flags]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON; inf is the string "inf"."""
        plain = {name: _plain(getattr(self, name)) for name in self.__dataclass_fields__}
        bound = self.lower_bound
        return plain | {
            "flags": list(self.flags),
            "details": {name: _plain(value) for name, value in self.details.items()},
            "lower_bound": None if bound is None else bound.to_dict(),
        }


def _plain(value: Any) -> Any:
    return json_number(value) if isinstance(value, float) else value


def check_confidence(confidence: float) -> float:
    """``confidence`` if it lies strictly between 0 and 1.

    Raises
    ------
    InvalidInput
    """
    if isinstance(confidence, bool) or not isinstance(confidence, int | float) or not 0 < confidence < 1:
        raise invalid("confidence", "be a number between 0 and 1", repr(confidence), "For example confidence=0.95.")
    return float(confidence)


def normal_quantile(confidence: float) -> float:
    """z with P(\\|Z\\| <= z) = ``confidence`` for a standard normal Z: 1.96 for 0.95."""
    return NormalDist().inv_cdf(0.5 + confidence / 2)


def bracket_quantile(width: float, standard_error: float, confidence: float) -> float:
    """Standard errors to add on both sides of a bracket [low, high] of estimates around the true value.

    The solution z of Phi(z + width / se) - Phi(-z) = confidence: 1.96 for a bracket of width 0, 1.645 for a wide
    one, of which the true value can be near one end only.

    Parameters
    ----------
    width : float
        high - low, not negative.
    standard_error : float
        Of either end.
    confidence : float

    Returns
    -------
    float

    References
    ----------
    G. W. Imbens and C. F. Manski, Confidence intervals for partially identified parameters, Econometrica 72, 2004.
    """
    phi, ratio = NormalDist().cdf, width / standard_error if standard_error > 0 else math.inf
    low, high = NormalDist().inv_cdf(confidence), normal_quantile(confidence)
    for _ in range(60):
        z = (low + high) / 2
        if phi(z + ratio) - phi(-z) < confidence:
            low = z
        else:
            high = z
    return high
