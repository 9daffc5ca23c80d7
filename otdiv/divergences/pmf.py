"""The arguments and the answer of a divergence.

Two pmfs on one support, checked once on their way in, and a float that can say
why it is infinite.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from otdiv.core.validation import Array, as_float_array, as_weights, invalid, readonly, require_finite
from otdiv.measures.discrete import DiscreteMeasure, require_mass_one
from otdiv.measures.row_labels import in_order_of
from otdiv.measures.support import common_support

_REMEDY = (
    "Where an atom has no mass, give it: q.reindex(p.index.union(q.index), fill_value=0), and so p; or pass "
    ".to_numpy() of both to match them by position."
)


class DivergenceValue(float):
    """A divergence: a float in every arithmetic, which knows why it is infinite.

    Attributes
    ----------
    name : str
        Which divergence this is.
    reason : str or None
        A sentence naming the mass that makes the value infinite; None when it is finite.
    singular_mass : float
        How much mass that is: of one pmf, outside the support of the other; 0.0 when the value is finite.

    Examples
    --------
    >>> value = DivergenceValue(0.25, "KL(P || Q)")
    >>> value + 1
    1.25
    """

    __slots__ = ("_name", "_reason", "_singular_mass")

    _name: str
    _reason: str | None
    _singular_mass: float

    def __new__(
        cls, value: float, name: str = "divergence", reason: str | None = None, singular_mass: float = 0.0
    ) -> Self:
        self = super().__new__(cls, value)
        self._name, self._reason, self._singular_mass = name, reason, float(singular_mass)
        return self

    @property
    def name(self) -> str:
        """Which divergence this is."""
        return self._name

    @property
    def reason(self) -> str | None:
        """Why the value is infinite, or None."""
        return self._reason

    @property
    def singular_mass(self) -> float:
        """The mass that makes the value infinite, or 0.0."""
        return self._singular_mass

    def __reduce__(self) -> tuple[Any, ...]:  # copy and pickle keep the attributes
        return DivergenceValue, (float(self), self._name, self._reason, self._singular_mass)

    def __str__(self) -> str:
        return float.__repr__(self)

    def __repr__(self) -> str:
        return str(self) if self._reason is None else f"{self} ({self._reason})"


@dataclass(frozen=True, eq=False)
class PmfPair:
    """Two pmfs p, q [n] on one support; ``points`` [n, d] when they came as measures."""

    p: Array
    q: Array
    points: Array | None = None

    def swapped(self) -> PmfPair:
        """The same pair in the other order."""
        return PmfPair(self.q, self.p, self.points)

    def singular_part(self, first: str = "P", second: str = "Q") -> tuple[str, float] | None:
        """The mass of the first pmf outside the support of the second: a sentence and its amount, or None."""
        atoms = np.flatnonzero((self.p > 0) & (self.q == 0))
        if atoms.size == 0:
            return None
        mass = math.fsum(self.p[atoms].tolist())
        shown = ", ".join(self._label(k) for k in atoms[:3]) + (" and more" if atoms.size > 3 else "")
        kind = "index" if self.points is None else "point"
        many = "1 atom" if atoms.size == 1 else f"{atoms.size} atoms"
        return f"{first} puts mass {mass:.6g} on {many} where {second} has none: {kind} {shown}.", mass

    def _label(self, k: int) -> str:
        if self.points is None:
            return str(int(k))
        return "(" + ", ".join(f"{c:.6g}" for c in self.points[k]) + ")"


def explained(name: str, value: float, *singular: tuple[str, float] | None) -> DivergenceValue:
    """The value with its reason: the singular parts that there are, or the range of floats."""
    if value < math.inf:
        return DivergenceValue(value, name)
    found = [part for part in singular if part is not None]
    if not found:
        return DivergenceValue(
            value, name, f"{name} exceeds the range of float64, though no mass lies outside the common support."
        )
    sentence = " ".join(part[0] for part in found)
    return DivergenceValue(value, name, sentence, math.fsum(part[1] for part in found))


def log_of_base(base: float | None) -> float:
    """log(base), the size of the unit in nats; 1 for None, the nat itself.

    Raises
    ------
    InvalidInput
        If ``base`` is not a finite number above 1.
    """
    if base is None:
        return 1.0
    if not 1.0 < base < math.inf:
        raise invalid(
            "base", "be a finite number above 1", repr(base), "Use 2 for bits, 10 for hartleys, None for nats."
        )
    return math.log(base)


def as_pmf(name: str, value: Any, *, normalize: bool = False) -> Array:
    """A pmf [n]: finite, non-negative, mass 1 within 1e-9.

    Parameters
    ----------
    name : str
        What to call the argument in an error.
    value : array_like [n]
        Probabilities.
    normalize : bool
        Divide by the total first, so that any positive mass is accepted.

    Raises
    ------
    InvalidInput
        Not 1-D, empty, negative, NaN, or of another mass while ``normalize`` is False.
    """
    if value is None:
        raise invalid(name, "be a pmf of shape [n]", "None", "Pass the probabilities.")
    array = as_float_array(name, value)
    if array.ndim != 1 or array.size == 0:
        raise invalid(
            name,
            "be a pmf of shape [n] with n >= 1",
            f"shape {array.shape}",
            "Pass one probability for each atom; ravel a table.",
        )
    pmf = as_weights(name, array, array.size)
    mass = math.fsum(pmf.tolist())
    if normalize:
        return readonly(pmf / mass)
    require_mass_one(mass, name, "Pass normalize=True to divide it by its sum.")
    return pmf


def as_pmf_pair(p: Any, q: Any, *, normalize: bool = False, names: tuple[str, str] = ("p", "q")) -> PmfPair:
    """Two pmfs of one length, or two measures brought onto their common support.

    Parameters
    ----------
    p, q : array_like [n], or DiscreteMeasure
        Both of the same kind.  Two pandas Series are matched by their index.
    normalize : bool
        Divide each by its mass first.
    names : tuple of str
        What to call them in an error.

    Raises
    ------
    InvalidInput
        Different kinds, lengths or labels; anything that :func:`as_pmf` refuses.
    """
    measures = isinstance(p, DiscreteMeasure), isinstance(q, DiscreteMeasure)
    if all(measures):
        points, a, b = common_support(p, q)
        return PmfPair(as_pmf(names[0], a, normalize=normalize), as_pmf(names[1], b, normalize=normalize), points)
    if any(measures):
        kinds = f"{type(p).__name__} and {type(q).__name__}"
        raise invalid(
            " and ".join(names), "be of one kind", kinds, "Pass two pmfs on the same atoms, or two DiscreteMeasure."
        )
    q = in_order_of(p, q, names, _REMEDY)
    a, b = as_pmf(names[0], p, normalize=normalize), as_pmf(names[1], q, normalize=normalize)
    if a.size != b.size:
        raise invalid(
            " and ".join(names),
            "have the same length",
            f"{a.size} and {b.size}",
            "Give both on the same atoms, with 0 where one has no mass.",
        )
    return PmfPair(a, b)


def as_densities(p: Any, q: Any, *, names: tuple[str, str] = ("p", "q")) -> tuple[Array, Array]:
    """Two non-negative, finite arrays of any total, broadcast to one shape.

    Raises
    ------
    InvalidInput
        Negative, NaN or infinite entries, or shapes that do not broadcast.
    """
    arrays = []
    for name, value in zip(names, (p, q), strict=True):
        array = as_float_array(name, value)
        require_finite(name, array)
        if array.size and array.min() < 0:
            raise invalid(name, "be non-negative", f"{array.min()}", "A density has no negative values.")
        arrays.append(array)
    try:
        a, b = np.broadcast_arrays(*arrays)
    except ValueError:
        shapes = f"shapes {arrays[0].shape} and {arrays[1].shape}"
        raise invalid(
            "p and q", "have shapes that broadcast together", shapes, "Give both on the same points."
        ) from None
    return a, b
