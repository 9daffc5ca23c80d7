"""The estimands, and the constraint that ``constraint="auto"`` takes, with the reason."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from otdiv.core.validation import check_choice, invalid
from otdiv.neural.constraint_names import CONSTRAINTS, PENALTIES

ESTIMANDS = ("empirical", "population")
"""The distance of two point sets, and that of the distributions behind them."""
SMALL = 2048
"""Most points on each side for which the dual program itself is solved; beyond it each step grows too slow."""
MEASURED = 32
"""Largest dimension in which the default came within 1 % of known distances (benchmarks/README.md)."""


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
    the semi-discrete potential is exact, and the others lose up to 38 % in the same time; for distributions it
    loses 15 to 95 % from 8-D on, since it memorises its atoms.  Norms of layers (spectral, Frobenius) are as
    good as min-max on a shift and lose 57 to 96 % on a radial pair; a penalty loses 1 to 27 % from 8-D on.

    Examples
    --------
    >>> select_constraint("population", float("inf"), float("inf"), 8).constraint
    'min-max'
    """
    check_choice("estimand", estimand, ESTIMANDS)
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
    start = "of eight constraints the only one near the truth on all known distances"
    if max(n, m) < math.inf:
        return ConstraintChoice("min-max", f"{start}; initialized by what points left out of the training confirm")
    found = "within 1 % when measured" if d <= MEASURED else "0.3 to 3 % low in 128-D"
    return ConstraintChoice("min-max", f"{start}, {found}; no penalty, so no bias")


def resolve_constraint(
    constraint: str, estimand: str, n: float, m: float, d: int, network: Any = None
) -> ConstraintChoice:
    """The constraint asked for, or the one that "auto" is.

    Parameters
    ----------
    constraint : str
        One of :data:`otdiv.critics.CONSTRAINTS`, or "auto".
    estimand, n, m, d
        As :func:`select_constraint`.
    network : torch.nn.Module, optional
        Given by the caller: only penalties apply to it.

    Raises
    ------
    InvalidInput
        An unknown name, or a constraint that builds its own network beside a given one.
    """
    check_choice("constraint", constraint, ("auto", *CONSTRAINTS))
    if network is not None:
        if constraint == "auto":
            return ConstraintChoice("one-sided-penalty", "your own network: a penalty needs nothing of its layers")
        if constraint not in PENALTIES:
            raise invalid(
                "constraint",
                f"be one of {', '.join(PENALTIES)} for your own network",
                repr(constraint),
                "The others build their own networks.",
            )
    if constraint != "auto":
        return ConstraintChoice(constraint, "asked for")
    return select_constraint(estimand, n, m, d)
