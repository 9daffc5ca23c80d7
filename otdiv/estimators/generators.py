"""The convex function of a divergence that is estimated: by name or given, and what is known of its range."""

from __future__ import annotations

import math
from types import MappingProxyType

import numpy as np

from otdiv.core.validation import check_choice, invalid
from otdiv.divergences import GENERATORS, ConvexGenerator
from otdiv.divergences.convex_generators import Map

ALIASES = MappingProxyType({"reverse_kl": "kl_reverse", "tv": "total_variation", "hellinger": "hellinger_squared"})
"""Short names beside those of ``otdiv.divergences.GENERATORS``; hellinger is the squared distance."""
_LABELS = {
    "kl": "KL(P || Q)",
    "kl_reverse": "KL(Q || P)",
    "js": "JS(P, Q)",
    "total_variation": "TV(P, Q)",
    "hellinger_squared": "H^2(P, Q)",
}


def as_generator(divergence: str | ConvexGenerator) -> ConvexGenerator:
    """The generator of a name, or the one given.

    Raises
    ------
    InvalidInput
        Another name, or neither a name nor a generator.
    """
    if isinstance(divergence, ConvexGenerator):
        return divergence
    if not isinstance(divergence, str):
        raise invalid("divergence", "be a name or a ConvexGenerator", repr(divergence), "For example 'kl'.")
    choices = (*sorted(GENERATORS), *ALIASES)
    return GENERATORS[ALIASES.get(name := check_choice("divergence", divergence, choices), name)]


def label_of(generator: ConvexGenerator) -> str:
    """Such as "KL(P || Q)"."""
    return _LABELS.get(generator.name, f"D_{generator.name}(P || Q)")


def require_derivative(generator: ConvexGenerator) -> Map:
    """f' of the generator.

    Raises
    ------
    InvalidInput
        A generator without one.
    """
    if generator.derivative is None:
        raise invalid(
            "divergence", "have a derivative f'", f"{generator.name!r} without one", "Give ConvexGenerator derivative=."
        )
    return generator.derivative


def value_range(generator: ConvexGenerator) -> float:
    """f(0) + f'(inf), the largest D_f(P || Q) of all; inf where either is or is not known."""
    ends = (generator.at_zero, generator.slope_at_infinity)
    return math.inf if ends[0] is None or ends[1] is None else ends[0] + ends[1]


def ceiling_of(generator: ConvexGenerator, n: int, m: int) -> float:
    """The largest divergence that n and m points can show: all of P where Q has mass 1 / m (KL: log m)."""
    largest = value_range(generator)
    if largest < math.inf:
        return largest
    q, p = 1.0 / m, 1.0 - 1.0 / (n + 1)
    return float(q * generator.f(np.float64(p / q)) + (1 - q) * generator.f(np.float64((1 - p) / (1 - q))))


def bounded_at_infinity(generator: ConvexGenerator) -> bool:
    """Whether f'(inf) is finite, so that points that Q hardly has cannot dominate."""
    return generator.slope_at_infinity is not None and generator.slope_at_infinity < math.inf


def bounded_at_zero(generator: ConvexGenerator) -> bool:
    """Whether f(0) is finite, so that points that P hardly has cannot dominate."""
    return generator.at_zero is not None and generator.at_zero < math.inf
