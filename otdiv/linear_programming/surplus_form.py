"""Inequality programs as equality programs, by a surplus variable for each row."""

from __future__ import annotations

from fractions import Fraction
from typing import overload

import numpy as np
from scipy import sparse

from otdiv.linear_programming.program import LinearProgram
from otdiv.linear_programming.rational import RationalProgram


@overload
def surplus_form(program: LinearProgram) -> LinearProgram: ...
@overload
def surplus_form(program: RationalProgram) -> RationalProgram: ...
def surplus_form(program: LinearProgram | RationalProgram) -> LinearProgram | RationalProgram:
    """A x >= b as [A, -I] [x; s] = b with a surplus s >= 0 of cost 0; an equality program is returned as it is.

    The dual of the result, [A, -I]'F <= [c; 0], says A'F <= c and F >= 0: the dual of the inequality form.

    Parameters
    ----------
    program : LinearProgram or RationalProgram
        With A of shape [m, n].

    Returns
    -------
    LinearProgram or RationalProgram
        Of the same kind, in the equality form, with a matrix [m, n + m].

    Examples
    --------
    >>> surplus_form(LinearProgram([1], [[1], [1]], [1, 2], "inequality")).A.tolist()
    [[1.0, -1.0, -0.0], [1.0, -0.0, -1.0]]
    """
    if program.form == "equality":
        return program
    m = len(program.b)
    if isinstance(program, RationalProgram):
        rows = tuple((*row, *(Fraction(-(i == k)) for k in range(m))) for i, row in enumerate(program.A))
        return RationalProgram((*program.c, *(Fraction(0),) * m), rows, program.b)
    A = program.A
    wide = sparse.hstack([A, -sparse.eye_array(m)]) if sparse.issparse(A) else np.hstack([A, -np.eye(m)])
    return LinearProgram(np.append(program.c, np.zeros(m)), wide, program.b)
