"""Matrix games in exact arithmetic, for payoffs whose digits float64 cannot hold together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from otdiv.core.validation import Array
from otdiv.linear_programming.exact_simplex import solve_exact
from otdiv.linear_programming.rational import RationalProgram, Vector, times, transposed_times

MOST_EXACT_PAYOFFS = 400
"""Payoffs up to which a game is solved in fractions: 20 x 20 takes about a second."""


@dataclass(frozen=True, slots=True)
class ExactStrategies:
    """Optimal strategies and the value, without rounding.

    Attributes
    ----------
    x, y : tuple of Fraction
        min_j (x'P)_j = value = max_i (P y)_i, exactly.
    value : Fraction
    """

    x: Vector
    y: Vector
    value: Fraction


def solve_game_exactly(payoff: Array) -> ExactStrategies:
    """Optimal strategies of the game whose payoffs are exactly these floats.

    Parameters
    ----------
    payoff : ndarray [m, n]
        Finite.

    Returns
    -------
    ExactStrategies
        Checked: what x guarantees and what y loses at most are the same fraction.

    Notes
    -----
    With Q = P - min P + (the range of P, or 1), all entries are positive, and
    min sum u, Q'u >= 1, u >= 0 has x = u / sum u; its multipliers give y.
    """
    P = [[Fraction(float(entry)) for entry in row] for row in payoff]
    low, high = min(map(min, P)), max(map(max, P))
    shift = (high - low or Fraction(1)) - low
    Q = [[entry + shift for entry in row] for row in P]
    columns = [list(column) for column in zip(*Q, strict=True)]
    found = solve_exact(RationalProgram([1] * len(Q), columns, [1] * len(columns), "inequality"))  # type: ignore[arg-type]
    assert found.x is not None and found.y is not None  # feasible and bounded, since Q > 0
    x = tuple(u / sum(found.x) for u in found.x)
    y = tuple(w / sum(found.y) for w in found.y)
    exact = tuple(tuple(row) for row in P)
    guaranteed, lost = min(transposed_times(exact, x)), max(times(exact, y))
    assert guaranteed == lost and min(x) >= 0 and min(y) >= 0
    return ExactStrategies(x, y, guaranteed)


def enclosing_floats(value: Fraction) -> tuple[float, float]:
    """The largest float <= value and the smallest float >= value."""
    near = float(value)
    if Fraction(near) == value:
        return near, near
    if Fraction(near) < value:
        return near, math.nextafter(near, math.inf)
    return math.nextafter(near, -math.inf), near
