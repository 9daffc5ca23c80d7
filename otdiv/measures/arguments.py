"""The arguments (x, y, a, b) that every distance of two measures takes, as measures."""

from __future__ import annotations

from typing import Any

from otdiv.core.validation import invalid
from otdiv.errors import InvalidInput
from otdiv.measures.discrete import MASS_TOLERANCE, DiscreteMeasure, require_mass_one, with_same_columns

_FEWEST_BINS = 3
"""Columns from which two rows that both sum to 1 read like histograms."""
_MANY_BINS = 8
"""Columns from which two non-negative rows of any equal total do."""


def as_measure(name: str, points: Any, weights: Any = None) -> DiscreteMeasure:
    """The measure of points [n, d] and weights [n], or a DiscreteMeasure as it is; ``name`` is for messages.

    Raises
    ------
    InvalidInput
        No points, weights beside a DiscreteMeasure, and what :class:`DiscreteMeasure` refuses.
    """
    if points is None:
        raise invalid(name, "be given", "None", "Pass both x and y, or neither with a cost matrix.")
    if isinstance(points, DiscreteMeasure):
        if weights is not None:
            raise invalid(
                f"the weights of {name}", "be left out for a DiscreteMeasure", "weights beside it", "It brings its own."
            )
        return points
    try:
        return DiscreteMeasure(points, weights)
    except InvalidInput as problem:
        raise InvalidInput(f"of {name}: {problem}") from None


def as_measures(
    x: Any, y: Any, a: Any = None, b: Any = None, *, normalize: bool = False
) -> tuple[DiscreteMeasure, DiscreteMeasure]:
    """Both measures of points x, y and weights a, b, named columns in one order; ``normalize`` scales to total 1.

    Raises
    ------
    InvalidInput
        As :func:`as_measure`; two single rows that read like histograms.
    """
    mu, nu = as_measure("x", x, a), as_measure("y", y, b)
    if not isinstance(x, DiscreteMeasure) and not isinstance(y, DiscreteMeasure) and a is None and b is None:
        _refuse_histograms(mu, nu)
    if mu.d == nu.d:
        nu = with_same_columns(mu, nu)
    return (mu.normalized(), nu.normalized()) if normalize else (mu, nu)


def _refuse_histograms(mu: DiscreteMeasure, nu: DiscreteMeasure) -> None:
    """Refuse two rows [1, d] that would be one point of d coordinates each, and are more likely d masses.

    Raises
    ------
    InvalidInput
        Both are non-negative with the same total: 1 in at least three columns, or any in at least ``_MANY_BINS``.
    """
    if mu.n != 1 or nu.n != 1 or mu.d != nu.d or mu.d < _FEWEST_BINS:
        return
    p, q = mu.points[0], nu.points[0]
    totals = float(p.sum()), float(q.sum())
    same = abs(totals[0] - totals[1]) <= MASS_TOLERANCE * max(totals)
    if same and min(p.min(), q.min()) >= 0 and (abs(totals[0] - 1) <= MASS_TOLERANCE or mu.d >= _MANY_BINS):
        raise invalid(
            "x and y",
            "be points, one in each row",
            f"one row of {mu.d} non-negative numbers each, of the same total {totals[0]:.10g}, as histograms are",
            "Pass masses as a and b, beside the points x and y or a cost matrix; "
            "a single point as DiscreteMeasure(points).",
        )


def require_probability(
    measure: DiscreteMeasure, subject: str, remedy: str = "Pass normalize=True, or divide them by their sum."
) -> None:
    """Refuse a measure whose mass differs from 1 by more than 1e-9.

    Parameters
    ----------
    measure : DiscreteMeasure
    subject, remedy : str
        What is refused, such as "the weights of x", and what to do, for the message.

    Raises
    ------
    InvalidInput
    """
    require_mass_one(measure.mass, subject, remedy)
