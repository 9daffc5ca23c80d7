"""The convex functions f behind the f-divergences, each with all that is known about it.

A generator is convex on (0, inf) with f(1) = 0.  Beside f it carries f', the
conjugate f*(s) = sup_t (s t - f(t)) and the two limits that decide where the
divergence is infinite.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from scipy.special import wrightomega, xlogy

from otdiv.core.validation import Array, invalid

Map = Callable[[Any], Any]


@dataclass(frozen=True)
class ConvexGenerator:
    """A convex f with f(1) = 0, for D_f(P || Q) = sum q f(p / q).

    Attributes
    ----------
    name : str
        What to call it.
    f : callable
        f(t) for arrays of t > 0.
    at_zero : float or None
        f(0) = lim f(t) for t -> 0, the price of mass of Q where P has none; None if not known.
    slope_at_infinity : float or None
        f'(inf) = lim f(t) / t, the price of mass of P where Q has none; None if not known.
    derivative : callable or None
        f'(t), or any subgradient; the optimal critic is f'(p / q).
    conjugate : callable or None
        f*(s), inf outside its domain.

    Raises
    ------
    InvalidInput
        If f(1) is not 0.
    """

    name: str
    f: Map
    at_zero: float | None = None
    slope_at_infinity: float | None = None
    derivative: Map | None = None
    conjugate: Map | None = None

    def __post_init__(self) -> None:
        at_one = float(np.asarray(self.f(np.ones(1))).ravel()[0])
        if not abs(at_one) <= 1e-12:
            raise invalid(
                "generator", "satisfy f(1) = 0", f"f(1) = {at_one:g}", "Subtract f(1), so that D_f(P || P) = 0."
            )

    @property
    def slope_at_one(self) -> float:
        """f'(1), or 0 where no derivative is given: f(t) - f'(1) (t - 1) is the non-negative form."""
        return 0.0 if self.derivative is None else float(np.asarray(self.derivative(np.ones(1))).ravel()[0])


def _where_below(edge: float, inside: Map) -> Map:
    """The conjugate ``inside`` on s < edge, inf from there on."""

    def conjugate(s: Any) -> Array:
        s = np.asarray(s, dtype=np.float64)
        return np.where(s < edge, inside(np.where(s < edge, s, edge - 1.0)), np.inf)

    return conjugate


_KL = ConvexGenerator(
    "kl",
    f=lambda t: xlogy(t, t),
    at_zero=0.0,
    slope_at_infinity=math.inf,
    derivative=lambda t: 1.0 + np.log(t),
    conjugate=lambda s: np.exp(np.asarray(s, dtype=np.float64) - 1.0),
)
_KL_REVERSE = ConvexGenerator(
    "kl_reverse",
    f=lambda t: -np.log(t),
    at_zero=math.inf,
    slope_at_infinity=0.0,
    derivative=lambda t: -1.0 / t,
    conjugate=_where_below(0.0, lambda s: -1.0 - np.log(-s)),
)
_JEFFREYS = ConvexGenerator(
    "jeffreys",
    f=lambda t: (t - 1.0) * np.log(t),
    at_zero=math.inf,
    slope_at_infinity=math.inf,
    derivative=lambda t: np.log(t) + 1.0 - 1.0 / t,
    # the maximiser is t = 1 / w with w + log w = 1 - s, Wright's omega function
    conjugate=lambda s: 1.0 / (w := wrightomega(1.0 - np.asarray(s, dtype=np.float64))) - np.log(w) - 1.0,
)
_JS = ConvexGenerator(
    "js",
    f=lambda t: 0.5 * (xlogy(t, t) - (1.0 + t) * np.log((1.0 + t) / 2.0)),
    at_zero=0.5 * math.log(2.0),
    slope_at_infinity=0.5 * math.log(2.0),
    derivative=lambda t: 0.5 * np.log(2.0 * t / (1.0 + t)),
    conjugate=_where_below(0.5 * math.log(2.0), lambda s: -0.5 * np.log(2.0 - np.exp(2.0 * s))),
)
_TOTAL_VARIATION = ConvexGenerator(
    "total_variation",
    f=lambda t: 0.5 * np.abs(t - 1.0),
    at_zero=0.5,
    slope_at_infinity=0.5,
    derivative=lambda t: 0.5 * np.sign(t - 1.0),
    conjugate=lambda s: np.where(np.asarray(s) <= 0.5, np.maximum(s, -0.5), np.inf),
)
_HELLINGER_SQUARED = ConvexGenerator(
    "hellinger_squared",
    f=lambda t: 0.5 * (np.sqrt(t) - 1.0) ** 2,
    at_zero=0.5,
    slope_at_infinity=0.5,
    derivative=lambda t: 0.5 * (1.0 - 1.0 / np.sqrt(t)),
    conjugate=_where_below(0.5, lambda s: 0.5 * (1.0 / (1.0 - 2.0 * s) - 1.0)),
)
_CHI_SQUARE = ConvexGenerator(
    "chi_square",
    f=lambda t: (t - 1.0) ** 2,
    at_zero=1.0,
    slope_at_infinity=math.inf,
    derivative=lambda t: 2.0 * (t - 1.0),
    conjugate=lambda s: (r := np.maximum(s, -2.0)) * (1.0 + r / 4.0),
)
_CHI_SQUARE_REVERSE = ConvexGenerator(
    "chi_square_reverse",
    f=lambda t: (t - 1.0) ** 2 / t,
    at_zero=math.inf,
    slope_at_infinity=1.0,
    derivative=lambda t: 1.0 - 1.0 / np.square(t),
    conjugate=lambda s: np.where(np.asarray(s) <= 1.0, 2.0 - 2.0 * np.sqrt(1.0 - np.minimum(s, 1.0)), np.inf),
)

GENERATORS: Mapping[str, ConvexGenerator] = MappingProxyType(
    {
        g.name: g
        for g in (
            _KL,
            _KL_REVERSE,
            _JEFFREYS,
            _JS,
            _TOTAL_VARIATION,
            _HELLINGER_SQUARED,
            _CHI_SQUARE,
            _CHI_SQUARE_REVERSE,
        )
    }
)
"""The named generators; each gives exactly the divergence of the same name."""


def alpha_generator(order: float) -> ConvexGenerator:
    """ConvexGenerator f(t) = (t**a - 1 - a (t - 1)) / (a (a - 1)) of the alpha divergence, a = ``order``.

    The limits are t log t - t + 1 at a = 1 and t - 1 - log t at a = 0.

    Parameters
    ----------
    order : float
        Any finite real number a.

    Returns
    -------
    ConvexGenerator
        With derivative (t**(a - 1) - 1) / (a - 1) and the conjugate that belongs to it.

    Raises
    ------
    InvalidInput
        If ``order`` is not finite.

    Notes
    -----
    See :func:`otdiv.divergences.alpha_divergence` for the convention.

    Examples
    --------
    >>> float(alpha_generator(2.0).f(3.0))
    2.0
    """
    if not math.isfinite(order):
        raise invalid("order", "be a finite number", repr(order), "Use renyi for the order inf.")
    a = float(order)

    def f(t: Any) -> Any:
        if a == 1.0:
            return xlogy(t, t) - t + 1.0
        if a == 0.0:
            return t - 1.0 - np.log(t)
        return (t**a - 1.0 - a * (t - 1.0)) / (a * (a - 1.0))

    def derivative(t: Any) -> Any:
        return np.log(t) if a == 1.0 else (t ** (a - 1.0) - 1.0) / (a - 1.0)

    def conjugate(s: Any) -> Any:
        s = np.asarray(s, dtype=np.float64)
        if a == 1.0:
            return np.expm1(s)
        power = 1.0 + (a - 1.0) * s  # t**(a - 1) at the maximiser t
        outside = (power < 0) if a < 1.0 else np.zeros_like(power, dtype=bool)
        with np.errstate(divide="ignore", over="ignore"):  # t = 0 and t = inf are the ends of the domain
            t = np.maximum(power, 0.0) ** (1.0 / (a - 1.0))
            value = np.log(t) if a == 0.0 else (t**a - 1.0) / a
        return np.where(outside, np.inf, value)

    return ConvexGenerator(
        f"alpha({a:g})",
        f=f,
        at_zero=1.0 / a if a > 0 else math.inf,
        slope_at_infinity=1.0 / (1.0 - a) if a < 1 else math.inf,
        derivative=derivative,
        conjugate=conjugate,
    )
