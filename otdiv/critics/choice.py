"""Which constraint ``constraint="auto"`` takes, and why.  Imports errors only."""

from __future__ import annotations

from typing import NamedTuple

from otdiv.errors import one_of

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

    Examples
    --------
    >>> select_constraint("population", float("inf"), float("inf"), 8).constraint
    'min-max'
    """
    one_of("estimand", estimand, ("empirical", "population"))
    if estimand == "empirical" and max(n, m) <= SMALL:
        return ConstraintChoice(
            "semi-discrete",
            f"at most {SMALL} fixed points a side: the dual program itself, which can be exact",
        )
    return ConstraintChoice("min-max", "slope 1 almost everywhere and no penalty: no bias, every value a lower bound")
