"""Farkas' lemma with its witness: b lies in the cone of the columns of A, or a functional says it does not.

    (1)  some x >= 0 has A x = b              b is inside the cone
    (2)  some F has A'F <= 0 and b'F > 0      F separates b from the cone

Never both, never neither.  The witness is verified here whatever found it, in floats
with a stated tolerance or in exact arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import numpy as np
from scipy import sparse

from otdiv.core.bounds import Status
from otdiv.core.validation import Array, as_float_array, readonly
from otdiv.errors import CertificateRefused, SolverFailed
from otdiv.linear_programming.exact_simplex import solve_exact
from otdiv.linear_programming.program import LinearProgram
from otdiv.linear_programming.rational import RationalProgram, Vector, dot, times, transposed_times
from otdiv.linear_programming.solve import solve_lp

TOLERANCE = 1e-9
"""Violation that is accepted, relative to the largest sum of absolute terms in the product that is checked; a
larger one accepts coarser answers of a solver."""


@dataclass(frozen=True, slots=True, eq=False)
class FarkasAlternative:
    """Which alternative holds, and the witness that proves it.

    Attributes
    ----------
    alternative : {1, 2}
        1: b is in the cone, ``x`` shows how.  2: it is not, ``F`` shows why.
    x : ndarray [n] or None
        x >= 0 with A x = b.
    F : ndarray [m] or None
        A'F <= 0 and b'F > 0; any positive multiple would do as well, `farkas` gives the one whose
        largest entry is 1 or -1.
    violation : float
        Case 1: largest |A x - b|.  Case 2: largest positive entry of A'F.  Zero when exact.
    gain : float
        Case 2: b'F > 0.  Case 1: 0.
    exact : tuple of Fraction or None
        The witness in rational numbers, when exact arithmetic was asked for.
    """

    alternative: Literal[1, 2]
    x: Array | None
    F: Array | None
    violation: float
    gain: float
    exact: Vector | None = None

    @property
    def inside(self) -> bool:
        """Whether b lies in the cone of the columns of A."""
        return self.alternative == 1


def farkas(A: Any, b: Any, *, exact: bool = False, backend: str = "highs") -> FarkasAlternative:
    """Decide Farkas' alternative for A x = b, x >= 0.

    Parameters
    ----------
    A : array_like or scipy.sparse matrix, shape [m, n]
        The walls a_1 ... a_n of the cone are its columns.
    b : array_like, shape [m]
    exact : bool
        Decide in rational arithmetic: floats are taken literally, and Fractions,
        integers or texts such as "1/3" are welcome.  For small systems.
    backend : {"highs", "cvxpy"}
        The solver that proposes the witness in float arithmetic.

    Returns
    -------
    FarkasAlternative
        With its witness verified.

    Raises
    ------
    InvalidInput
        Shapes that do not fit, NaN or infinity.
    SolverFailed
        The solver gave no witness that passes the check: b is within its tolerance of the
        wall.  ``exact=True`` decides then.

    Examples
    --------
    >>> farkas([[2, 1], [1, 3]], [3, 4]).x.round(9).tolist()
    [1.0, 1.0]
    >>> outside = farkas([[2, 1], [1, 3]], [1, -1], exact=True)
    >>> outside.alternative, [str(v) for v in outside.exact]
    (2, ['1/2', '-1'])

    References
    ----------
    J. Farkas, Theorie der einfachen Ungleichungen, 1902.
    """
    if exact:
        program = RationalProgram((0,) * _columns(A), A, b)  # type: ignore[arg-type]
        found = solve_exact(program)
        largest = max(map(abs, found.ray)) if found.ray is not None else 1
        F = None if found.ray is None else [v / largest for v in found.ray]
        return verify_farkas(A, b, x=found.x, F=F, exact=True)
    program_f = LinearProgram(np.zeros(_columns(A)), A, b)
    answer = solve_lp(program_f, backend)
    reason = answer.stats["message"]
    try:
        if answer.x is not None:
            return verify_farkas(program_f.A, program_f.b, x=answer.x)
        if answer.status is Status.INFEASIBLE:
            return verify_farkas(program_f.A, program_f.b, F=answer.ray)
    except CertificateRefused as refusal:
        reason = str(refusal)
    raise SolverFailed(f"b is too close to the boundary of the cone for float arithmetic ({reason}); use exact=True.")


def verify_farkas(A: Any, b: Any, *, x: Any = None, F: Any = None, exact: bool = False) -> FarkasAlternative:
    """Check a witness from scratch: x >= 0 with A x = b, or F with A'F <= 0 and b'F > 0.

    Parameters
    ----------
    A, b
        The system, as in `farkas`.
    x, F : array_like
        Exactly one of the two.
    exact : bool
        Check in rational arithmetic without any tolerance.

    Returns
    -------
    FarkasAlternative
        The alternative that the witness proves, and the witness.

    Raises
    ------
    CertificateRefused
        The witness does not prove its alternative; the message names the row or column.

    Examples
    --------
    >>> verify_farkas([[2, 1], [1, 3]], [1, -1], F=[1, -2]).gain
    3.0
    """
    if (x is None) == (F is None):
        raise CertificateRefused("a Farkas witness is one of x and F; exactly one of them must be given")
    if exact:
        return _verify_exactly(RationalProgram((0,) * _columns(A), A, b), x, F)  # type: ignore[arg-type]
    program = LinearProgram(np.zeros(_columns(A)), A, b)
    A, b = program.A, program.b
    if x is not None:
        x = _witness("x", x, A.shape[1])
        if x.min() < 0:
            j = int(np.argmin(x))
            raise CertificateRefused(f"x must be non-negative; x[{j}] is {x[j]}")
        difference = np.abs(A @ x - b)
        if difference.max() > TOLERANCE * (abs(A) @ x + np.abs(b)).max():
            i = int(np.argmax(difference))
            raise CertificateRefused(f"A x must equal b; row {i} differs by {difference[i]:.3g}")
        return FarkasAlternative(1, readonly(x), None, float(difference.max()), 0.0)
    F = _witness("F", F, A.shape[0])
    excess = A.T @ F
    if excess.max() > TOLERANCE * (abs(A).T @ np.abs(F)).max():
        j = int(np.argmax(excess))
        raise CertificateRefused(f"A'F must be at most 0; column {j} gives {excess[j]:.3g}")
    gain = float(b @ F)
    if not gain > TOLERANCE * float(np.abs(b) @ np.abs(F)):
        raise CertificateRefused(f"b'F must be positive, or F proves nothing; it is {gain:.3g}")
    return FarkasAlternative(2, None, readonly(F), max(0.0, float(excess.max())), gain)


def box_certificate(A: Any, b: Any) -> tuple[Array, float]:
    """The strongest F in the box [-1, 1]^m with A'F <= 0, and its value b'F.

    The value is the distance, in the sum of absolute differences, from b to the cone: this is the
    dual of min |A x - b|_1, x >= 0.  It is 0 exactly when b is inside, alternative (1).

    Parameters
    ----------
    A : array_like or scipy.sparse matrix, shape [m, n]
    b : array_like, shape [m]

    Returns
    -------
    F : ndarray [m]
    value : float
        max b'F, to the solver's tolerance.

    Raises
    ------
    InvalidInput, SolverFailed
        As `farkas`.

    Examples
    --------
    >>> F, value = box_certificate([[2, 1], [1, 3]], [1, -1])
    >>> F.round(9).tolist(), round(value, 9)
    ([0.5, -1.0], 1.5)
    """
    program = LinearProgram(np.zeros(_columns(A)), A, b)
    m, n = program.shape
    eye = sparse.eye_array(m) if sparse.issparse(program.A) else np.eye(m)
    stack = sparse.hstack if sparse.issparse(program.A) else np.hstack
    box = LinearProgram(np.concatenate([np.zeros(n), np.ones(2 * m)]), stack([program.A, eye, -eye]), program.b)
    answer = solve_lp(box.dual())
    if answer.y is None:
        raise SolverFailed(f"the box certificate could not be computed: {answer.stats['message']}")
    return answer.y, answer.objective


def _verify_exactly(program: RationalProgram, x: Any, F: Any) -> FarkasAlternative:
    A, b = program.A, program.b
    if x is not None:
        exact = _exact_witness("x", x, len(program.c))
        if min(exact) < 0:
            raise CertificateRefused(f"x must be non-negative; its smallest entry is {min(exact)}")
        for i, (left, right) in enumerate(zip(times(A, exact), b, strict=True)):
            if left != right:
                raise CertificateRefused(f"A x must equal b; row {i} differs by {left - right}")
        return FarkasAlternative(1, _floats(exact), None, 0.0, 0.0, exact)
    exact = _exact_witness("F", F, len(b))
    for j, value in enumerate(transposed_times(A, exact)):
        if value > 0:
            raise CertificateRefused(f"A'F must be at most 0; column {j} gives {value}")
    gain = dot(b, exact)
    if gain <= 0:
        raise CertificateRefused(f"b'F must be positive, or F proves nothing; it is {gain}")
    return FarkasAlternative(2, None, _floats(exact), 0.0, float(gain), exact)


def _witness(name: str, value: Any, length: int) -> Array:
    vector = as_float_array(name, value)
    if vector.shape != (length,) or not np.isfinite(vector).all():
        raise CertificateRefused(f"{name} must be {length} finite numbers; got shape {vector.shape}")
    return vector


def _exact_witness(name: str, value: Any, length: int) -> Vector:
    vector = tuple(Fraction(v) for v in value)
    if len(vector) != length:
        raise CertificateRefused(f"{name} must be {length} numbers; got {len(vector)}")
    return vector


def _floats(values: Vector) -> Array:
    return readonly(np.array([float(v) for v in values]))


def _columns(A: Any) -> int:
    """How many columns A has; 1 for something that is no matrix, so that the record that checks A can say so."""
    try:
        shape = np.shape(A)
    except ValueError:  # rows of different lengths
        return 1
    return int(shape[1]) if len(shape) == 2 else 1
