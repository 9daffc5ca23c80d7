"""Whether an answer is optimal without any rounding."""

from __future__ import annotations

from otdiv.core.validation import Array
from otdiv.linear_programming.program import LinearProgram
from otdiv.linear_programming.rational import RationalProgram, dot, fractions_of, times, transposed_times


def exactly_optimal(program: LinearProgram, x: Array, y: Array) -> bool:
    """Whether these floats are feasible, and c'x = b'y, without any rounding; programs of integers often have such."""
    exact = RationalProgram.of(program)
    X, Y = fractions_of("x", x), fractions_of("y", y)
    reached, priced, equal = times(exact.A, X), transposed_times(exact.A, Y), program.form == "equality"
    return (
        all(left == right or (left > right and not equal) for left, right in zip(reached, exact.b, strict=True))
        and all(left <= right for left, right in zip(priced, exact.c, strict=True))
        and (equal or min(Y) >= 0)
        and min(X) >= 0
        and dot(exact.c, X) == dot(exact.b, Y)
    )
