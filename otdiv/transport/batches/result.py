"""The answers to many transport problems, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from otdiv.core.validation import Array, ReadOnlyCopies
from otdiv.problem.plan import Plan


@dataclass(frozen=True, eq=False)
class TransportBatch(ReadOnlyCopies):
    """Values and proved intervals of k problems.

    Attributes
    ----------
    values, lower, upper : ndarray [k]
        lower <= true value <= upper, in units of cost times mass.
    status : ndarray of str [k]
        "optimal", "optimal_nearby" or "stopped", as the labels of :class:`otdiv.Status`.
    general : ndarray of int
        The problems that the compiled batch left open, and :func:`otdiv.emd` has solved.
    potentials : tuple of (f [n_k], g [m_k]), or None
        If asked for: f_i + g_j <= c_ij.
    plans : tuple of Plan, or None
        If asked for.
    seconds : float
    """

    values: Array
    lower: Array
    upper: Array
    status: Array
    general: Array
    potentials: tuple[tuple[Array, Array], ...] | None
    plans: tuple[Plan, ...] | None
    seconds: float

    def __post_init__(self) -> None:
        for array in (self.values, self.lower, self.upper, self.status, self.general):
            array.flags.writeable = False

    @property
    def certified(self) -> Array:
        """Whether each interval is as narrow as was asked for, bool [k]."""
        return self.status != "stopped"

    @property
    def gap(self) -> Array:
        """upper - lower, [k]."""
        return self.upper - self.lower

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        certified = int(np.count_nonzero(self.certified))
        return f"TransportBatch({len(self)} problems, {certified} certified optimal)"
