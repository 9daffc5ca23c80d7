"""The greatest share of one sample that can be matched to another within a distance, with its proof in integers.

Each of n sources holds mass 1 / n, each of m targets takes up to c / m:

    share = max { sum_ij p_ij : p >= 0, p_ij = 0 unless ``within`` holds, row sums <= 1 / n, column sums <= c / m }

which is partial transport: at cost 0 within the distance, 1 for mass that is left over.  It is solved as a greatest
flow in whole units of mass.  A flow that respects the limits proves that the share is reached; a set of sources whose
targets together take too little (Hall's condition, verified by :mod:`otdiv.certificates.infeasibility`) proves that
no more is possible.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import maximum_flow

from otdiv.certificates.infeasibility import TransportWitness, stranded_witness
from otdiv.core.bounds import Bounds
from otdiv.core.validation import Array, ReadOnlyCopies, invalid
from otdiv.errors import CertificateRefused, SolverFailed
from otdiv.problem.plan import Plan

_MOST_UNITS = 2**31 - 1
"""Units of mass that SciPy's flow counts in 32 bits; more points would need another solver."""


@dataclass(frozen=True, eq=False)
class Matching(ReadOnlyCopies):
    """A greatest matching and its proof.

    Attributes
    ----------
    share : Fraction
        Of the sources' mass, exactly.
    plan : Plan [n, m]
        Units of mass; ``supply`` units are the mass of one source, ``capacity`` the most that one target takes.
    supply, capacity : int
    witness : TransportWitness or None
        Sources whose neighbours take too little, by as much as is left over; None where all is matched.
    """

    share: Fraction
    plan: Plan
    supply: int
    capacity: int
    witness: TransportWitness | None

    @property
    def bounds(self) -> Bounds:
        """The share as an interval: from the plan below, from the witness above, rounded outward."""
        value = float(self.share)
        low = value if Fraction(value) <= self.share else math.nextafter(value, 0.0)
        return Bounds(low, value if Fraction(value) >= self.share else math.nextafter(value, 1.0))


def mass_units(n: int, m: int, capacity: float) -> tuple[int, int]:
    """Whole units of mass: what a source holds, and the most that a target takes.

    Parameters
    ----------
    n, m : int
    capacity : float
        c; the units of a target are rounded down to whole ones, n m of which are the total mass.

    Returns
    -------
    supply, capacity : int
        Their ratio is (1 / n) / (c / m).
    """
    takes = min(math.floor(capacity * n), n * m)
    divisor = math.gcd(m, takes)
    return m // divisor, takes // divisor


def greatest_matching(within: Array, capacity: float, *, proved: bool = True) -> Matching:
    """Match as much of the sources as possible.

    Parameters
    ----------
    within : ndarray of bool [n, m]
        Whether source i may be matched to target j.
    capacity : float
        c >= 1 / n: how many times its own weight a target takes when n = m.
    proved : bool
        Whether to find the witness and verify both sides.

    Returns
    -------
    Matching

    Raises
    ------
    InvalidInput
        A capacity below one unit of mass, too many points.
    SolverFailed
        If the flow is not proved the greatest.
    """
    n, m = within.shape
    if not capacity * n >= 1:
        raise invalid("capacity", "be at least 1 / n", repr(capacity), "For example 1.")
    supply, takes = mass_units(n, m, capacity)
    if supply * n > _MOST_UNITS:
        raise invalid("the samples", "have at most 2^31 units of mass", f"{n} and {m} points", "Use smaller blocks.")
    rows, columns = np.nonzero(within)
    source, sink = n + m, n + m + 1
    tails = np.concatenate([np.full(n, source), rows, np.arange(n, n + m)])
    heads = np.concatenate([np.arange(n), n + columns, np.full(m, sink)])
    limits = np.concatenate([np.full(n, supply), np.full(len(rows), supply), np.full(m, min(takes, supply * n))])
    network = sparse.csr_array((limits.astype(np.int32), (tails, heads)), shape=(n + m + 2, n + m + 2))
    found = maximum_flow(network, source, sink)
    share = Fraction(int(found.flow_value), supply * n)
    if not proved:
        return Matching(share, Plan(*_empty(), (n, m)), supply, takes, None)
    flow = sparse.coo_array(found.flow[:n, n : n + m])
    used = flow.data > 0
    plan = Plan(flow.coords[0][used], flow.coords[1][used], flow.data[used].astype(np.int64), (n, m))
    witness = _least_cut(within, plan, supply, takes)
    matching = Matching(share, plan, supply, takes, witness)
    verify_matching(matching, within)
    return matching


def verify_matching(matching: Matching, within: Array) -> None:
    """Check in integers that the plan reaches the share and that no plan reaches more.

    Raises
    ------
    CertificateRefused
        Naming the limit that is broken.
    """
    plan, supply, takes = matching.plan, matching.supply, matching.capacity
    units = plan.mass.astype(np.int64)
    if not within[plan.rows, plan.columns].all() or (units <= 0).any():
        raise CertificateRefused("the plan matches points that are too far apart, or a mass that is not positive")
    if _sums(plan.rows, units, plan.shape[0]).max(initial=0) > supply:
        raise CertificateRefused("the plan takes more from a source than it holds")
    if _sums(plan.columns, units, plan.shape[1]).max(initial=0) > takes:
        raise CertificateRefused("the plan gives more to a target than it takes")
    total = supply * plan.shape[0]
    if Fraction(int(units.sum()), total) != matching.share:
        raise CertificateRefused(f"the plan does not have the share {matching.share}")
    left = total - int(units.sum())
    proved = 0 if matching.witness is None else _excess_of(matching.witness, within, supply, takes)
    if proved != left:
        raise CertificateRefused(f"{left} units are left over, where the witness proves {proved}")


def _excess_of(witness: TransportWitness, within: Array, supply: int, takes: int) -> int:
    """Units that the sources of the witness hold beyond what all their neighbours take."""
    inside = list(witness.sources)
    return supply * len(inside) - takes * int(np.count_nonzero(within[inside].any(axis=0)))


def _least_cut(within: Array, plan: Plan, supply: int, takes: int) -> TransportWitness | None:
    """The sources reached from what is left over, as a verified witness; None where nothing is left over."""
    n, m = plan.shape
    left = np.flatnonzero(_sums(plan.rows, plan.mass, n) < supply)
    if not left.size:
        return None
    allowed = sparse.csr_array(within)
    witness = stranded_witness(
        np.full(n, float(supply)), np.full(m, float(takes)), allowed, left, plan.rows, plan.columns
    )
    if witness is None:
        raise SolverFailed("the flow of a matching was not proved the greatest: please report this as a defect.")
    return witness


def _sums(index: Array, units: Array, size: int) -> Array:
    sums = np.zeros(size, dtype=np.int64)
    np.add.at(sums, index, units.astype(np.int64))
    return sums


def _empty() -> tuple[Any, Any, Any]:
    return np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0, np.int64)
