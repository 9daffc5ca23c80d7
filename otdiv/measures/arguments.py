"""The arguments (x, y, a, b) that every distance of two measures takes, as measures."""

from __future__ import annotations

from typing import Any

from otdiv.core.validation import invalid
from otdiv.errors import InvalidInput
from otdiv.measures.discrete import DiscreteMeasure, require_mass_one, with_same_columns


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
        As :func:`as_measure`.
    """
    mu, nu = as_measure("x", x, a), as_measure("y", y, b)
    if mu.d == nu.d:
        nu = with_same_columns(mu, nu)
    return (mu.normalized(), nu.normalized()) if normalize else (mu, nu)


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
