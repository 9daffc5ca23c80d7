"""Which constraint ``constraint="auto"`` takes, and why."""

from __future__ import annotations

import math
from typing import NamedTuple

from otdiv.core.validation import check_choice

STRATEGIES = (
    "clipping",
    "gradient-penalty",
    "one-sided-penalty",
    "spectral",
    "frobenius",
    "orthonormal",
    "min-max",
    "semi-discrete",
)
PENALTIES = ("gradient-penalty", "one-sided-penalty")
"""Those that leave the network free."""
SMALL = 2048
"""Clouds of at most this many points on each side get the dual program itself."""
MEASURED = 32
"""Up to this dimension the default came within 1 % of laws with a known distance (benchmarks/README.md)."""


class ConstraintChoice(NamedTuple):
    """A constraint and the reason it was chosen."""

    constraint: str
    reason: str


def select_constraint(estimand: str, n: float, m: float, d: int) -> ConstraintChoice:
    """Which constraint "auto" takes.

    Parameters
    ----------
    estimand : {"empirical", "population"}
    n, m : float
        Numbers of points; inf for a sampler.
    d : int
        Dimension.

    Returns
    -------
    ConstraintChoice

    Notes
    -----
    Measured on shifts, radial pairs and funnels in 2 to 128 dimensions, see benchmarks/README.md.  For points
    the semi-discrete potential is exact, and the others lose up to 38 % in the same time; for laws it loses 15
    to 95 % from 8-D on, since it learns its atoms by heart.  Norms of layers (spectral, Frobenius) are as good
    as min-max on a shift and lose 57 to 96 % on a radial pair; a penalty loses 1 to 27 % from 8-D on.

    Examples
    --------
    >>> select_constraint("population", float("inf"), float("inf"), 8).constraint
    'min-max'
    """
    check_choice("estimand", estimand, ("empirical", "population"))
    many = max(n, m) > SMALL
    if estimand == "empirical" and not many:
        return ConstraintChoice(
            "semi-discrete",
            f"at most {SMALL} fixed points a side, so the dual program itself: off by less than 0.01 % when measured",
        )
    if estimand == "empirical":
        return ConstraintChoice(
            "min-max",
            f"more than {SMALL} fixed points, too many for a weight each; every value is a lower bound of the distance",
        )
    start = "of eight constraints the only one near the truth on all known laws"
    if max(n, m) < math.inf:
        return ConstraintChoice("min-max", f"{start}; of a sample it keeps what points left out confirm")
    found = "within 1 % when measured" if d <= MEASURED else "0.2 to 1.3 % low in 128-D"
    return ConstraintChoice("min-max", f"{start}, {found}; no penalty, so no bias")
