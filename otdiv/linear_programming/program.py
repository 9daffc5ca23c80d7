r"""Linear programs in two forms, and their duals.

    equality     min c'x,  A x  = b, x >= 0     |    max b'y,  A'y <= c, y free
    inequality   min c'x,  A x >= b, x >= 0     |    max b'y,  A'y <= c, y >= 0

One sign convention holds everywhere: y is the vector with A'y <= c whose value is b'y.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from otdiv.core.validation import Array, ReadOnlyCopies, as_float_array, check_choice, invalid, readonly, require_finite
from otdiv.linear_programming.checks import Form


@dataclass(frozen=True, slots=True, eq=False)
class LinearProgram(ReadOnlyCopies):
    """The primal program min c'x subject to A x = b (or A x >= b), x >= 0.

    Parameters
    ----------
    c : array_like, shape [n]
        Cost of each variable.
    A : array_like or scipy.sparse matrix, shape [m, n]
        Constraint matrix; a sparse one stays sparse.
    b : array_like, shape [m]
        Right-hand side.
    form : {"equality", "inequality"}
        Whether the rows say A x = b or A x >= b.

    Raises
    ------
    InvalidInput
        Shapes that do not fit, NaN, infinity, or another form.

    Examples
    --------
    >>> lp = LinearProgram([2, 3], [[1, 1], [1, 3]], [4, 6], "inequality")
    >>> from otdiv.linear_programming import solve_lp
    >>> solution = solve_lp(lp)
    >>> solution.x.round(9).tolist(), solution.y.round(9).tolist(), round(solution.objective, 9)
    ([3.0, 1.0], [1.5, 0.5], 9.0)
    """

    c: Array
    A: Any
    b: Array
    form: Form = "equality"

    def __post_init__(self) -> None:
        check_choice("form", self.form, ("equality", "inequality"))
        A = _as_constraints(self.A)
        c, b = as_float_array("c", self.c), as_float_array("b", self.b)
        for name, vector, length, what in (("c", c, A.shape[1], "column"), ("b", b, A.shape[0], "row")):
            if vector.shape != (length,):
                requirement = f"have shape [{length}], one entry for each {what} of A"
                raise invalid(name, requirement, f"shape {vector.shape}", f"A has shape {A.shape}.")
            require_finite(name, vector)
        object.__setattr__(self, "A", A)
        object.__setattr__(self, "c", readonly(c))
        object.__setattr__(self, "b", readonly(b))

    @property
    def shape(self) -> tuple[int, int]:
        """(m, n): how many constraints and how many variables."""
        return self.A.shape

    def dual(self) -> DualProgram:
        """The dual as a program of its own."""
        return DualProgram(self)


@dataclass(frozen=True, slots=True, eq=False)
class DualProgram(ReadOnlyCopies):
    """The dual program max b'y subject to A'y <= c; y is free (equality) or y >= 0 (inequality).

    `solve_lp` solves it as it stands: its variables are y, and the primal x comes
    back as the multipliers of the rows of A'y <= c.

    Parameters
    ----------
    primal : LinearProgram
        The program it is the dual of.

    Examples
    --------
    >>> lp = LinearProgram([2, 3], [[1, 1], [1, 3]], [4, 6], "inequality")
    >>> from otdiv.linear_programming import solve_lp
    >>> round(solve_lp(lp.dual()).objective, 9)
    9.0
    """

    primal: LinearProgram

    @property
    def c(self) -> Array:
        """Right-hand side of the dual's rows, shape [n]."""
        return self.primal.c

    @property
    def A(self) -> Any:
        """The primal's matrix, shape [m, n]; the dual's rows are those of its transpose."""
        return self.primal.A

    @property
    def b(self) -> Array:
        """Objective of the dual, shape [m]."""
        return self.primal.b

    @property
    def form(self) -> Form:
        """Form of the primal; "inequality" adds y >= 0 here."""
        return self.primal.form

    @property
    def shape(self) -> tuple[int, int]:
        """(n, m): how many constraints and how many variables."""
        m, n = self.primal.shape
        return n, m

    def dual(self) -> LinearProgram:
        """The dual of the dual: the primal."""
        return self.primal


def _as_constraints(A: Any) -> Any:
    """A as a read-only matrix of at least one row and one column: dense float64, or sparse by columns."""
    if sparse.issparse(A):
        if A.dtype.kind not in "fiu":
            raise invalid("A", "hold real numbers", f"dtype {A.dtype}", "Convert it to float64 as you mean it.")
        matrix = sparse.csc_array(A, dtype=np.float64, copy=True)
        matrix.sum_duplicates()
        require_finite("A", matrix.data)
        for part in (matrix.data, matrix.indices, matrix.indptr):
            part.flags.writeable = False
    else:
        matrix = as_float_array("A", A)
        if matrix.ndim == 2 and matrix.size:
            require_finite("A", matrix)
            matrix = readonly(matrix)
    if matrix.ndim != 2 or 0 in matrix.shape:
        requirement = "have shape [m, n] with at least one row and one column"
        raise invalid("A", requirement, f"shape {matrix.shape}", "One row is one constraint, one column one variable.")
    return matrix
