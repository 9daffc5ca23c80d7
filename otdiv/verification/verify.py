"""Check a proof from scratch: ``verify(file or result)`` and ``otdiv verify FILE``."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from fractions import Fraction
from math import inf, nextafter
from pathlib import Path
from typing import Any

import numpy as np

from otdiv.core.bounds import Bounds
from otdiv.core.validation import check_choice, invalid
from otdiv.errors import CertificateRefused
from otdiv.verification.exact import exact_bounds
from otdiv.verification.file import load_proof, proof_digest
from otdiv.verification.grid import nearest_float
from otdiv.verification.record import GIVEN_WEIGHTS, NEARBY_WEIGHTS, Proof

LEVELS = ("auto", "exact", "float")
_LARGEST = 2.0**1023
"""Minus this is a lower end that any potentials prove; used where only the time is asked."""
_PATIENCE = 60.0
"""Estimated seconds of the exact level up to which "auto" takes it; more verify larger proofs exactly."""


@dataclass(frozen=True)
class Verification:
    """What a verification has proved.

    Attributes
    ----------
    level : str
        "exact" (integer arithmetic throughout) or "float" (float64 for the clear pairs, integers for the close).
    bounds : Bounds
        The interval proved here.
    claimed : Bounds
        The interval the certificate claims, which is thereby confirmed.
    about : str
        What it is about: "the weights", or "weights within marginal_error".
    marginal_error : float
        |row sums of the plan - a|_1 + |column sums - b|_1; where the interval is about nearby weights, how near.
    cost : str
        Name of the ground cost.
    mass : float
        Total mass of the sources.
    n, m, d : int
        Size of the problem; d = 0 for a cost matrix.
    digest : str
        SHA-256 of the certificate's content: the same for the same proof.
    seconds : float
        How long it took.
    exact_seconds : float
        How long the exact level takes: measured, or extrapolated from some rows.
    """

    level: str
    bounds: Bounds
    claimed: Bounds
    about: str
    marginal_error: float
    cost: str
    mass: float
    n: int
    m: int
    d: int
    digest: str
    seconds: float
    exact_seconds: float

    @property
    def exact_weights(self) -> bool:
        """Whether the interval is about the weights as given, to the last bit."""
        return self.about == GIVEN_WEIGHTS

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "level": self.level,
            "lower": self.bounds.lower,
            "upper": self.bounds.upper,
            "gap": self.bounds.gap,
            "claimed_lower": self.claimed.lower,
            "claimed_upper": self.claimed.upper,
            "about": self.about,
            "marginal_error": self.marginal_error,
            "cost": self.cost,
            "mass": self.mass,
            "n": self.n,
            "m": self.m,
            "d": self.d,
            "digest": self.digest,
            "seconds": self.seconds,
            "exact_seconds": self.exact_seconds,
        }


def verify(proof: Any, *, level: str = "auto") -> Verification:
    """Verify a saved certificate, or a result, from scratch.

    Checks in its own code: the plan is non-negative with the right marginals, f_i + g_j <= c_ij for
    every pair, and both bounds follow; then that they confirm the claimed interval.

    Parameters
    ----------
    proof : str, Path, Proof or TransportResult
        A certificate file, or anything with a ``proof()`` method.
    level : {"auto", "exact", "float"}
        "exact": integer arithmetic, nothing rounded.  "float": the same bounds, where float64 passes the pairs
        that are clear whatever the rounding and integers decide the others.
        "auto": exact if that takes no more than a minute, else float.

    Returns
    -------
    Verification

    Raises
    ------
    CertificateRefused
        The file was changed, makes no sense, or claims more than it proves; the reason says which.
    InvalidInput
        No such file, or an unknown level.

    Examples
    --------
    >>> from otdiv import emd
    >>> checked = verify(emd([0.0, 1.0], [2.0, 3.0]), level="exact")
    >>> checked.level, checked.bounds.contains(2.0)
    ('exact', True)

    Notes
    -----
    O(n m d) time and O(n + m) memory.
    """
    check_choice("level", level, LEVELS)
    if isinstance(proof, str | Path):
        proof = load_proof(proof)
    elif hasattr(proof, "proof"):
        proof = proof.proof()
    if not isinstance(proof, Proof):
        raise invalid(
            "proof", "be a certificate file, a Proof or a result", type(proof).__name__, "Pass result.save's file."
        )
    _require_statement(proof)
    estimate = _exact_seconds(proof)
    if level == "auto":
        level = "exact" if estimate <= _PATIENCE else "float"
    start = time.perf_counter()
    bounds, error = _prove(proof, level)
    seconds = time.perf_counter() - start
    exact = seconds if level == "exact" else estimate
    return Verification(
        level=level,
        bounds=bounds,
        claimed=proof.claimed,
        about=proof.about,
        marginal_error=error,
        cost=proof.cost,
        mass=nearest_float(sum(map(Fraction, proof.a.tolist()), Fraction(0))),
        n=proof.n,
        m=proof.m,
        d=proof.d,
        digest=proof_digest(proof),
        seconds=seconds,
        exact_seconds=exact,
    )


def _prove(proof: Proof, level: str) -> tuple[Bounds, float]:
    """The interval that the arrays prove and the marginal error, once both claims are seen to follow from it."""
    found = exact_bounds(proof, prefilter=level == "float")
    error = _above(found.marginal_error)
    _require("lower", Fraction(proof.claimed.lower), found.lower, proof)
    if proof.claimed.upper == inf:
        return Bounds(_below(found.lower), inf), error
    if found.upper is None:
        raise CertificateRefused("the plan uses a forbidden arc or misses the marginals: it proves no upper bound.")
    _require("upper", found.upper, Fraction(proof.claimed.upper), proof)
    return Bounds(_below(found.lower), _above(found.upper)), error


def _require_statement(proof: Proof) -> None:
    """Refuse a statement that is not the one that follows from the costs."""
    due = NEARBY_WEIGHTS if proof.nearby else GIVEN_WEIGHTS
    if proof.about != due:
        raise CertificateRefused(
            f"with these costs the interval can only be about {due!r}; the certificate says {proof.about!r}."
        )


def _require(end: str, least: Any, most: Any, proof: Proof) -> None:
    if least > most:
        proved, claimed = (most, proof.claimed.lower) if end == "lower" else (least, proof.claimed.upper)
        raise CertificateRefused(
            f"the {end} bound is not proved: {claimed:.17g} is claimed, {nearest_float(proved):.17g} follows from the "
            f"{'potentials' if end == 'lower' else 'plan'}."
        )


def _exact_seconds(proof: Proof) -> float:
    """How long the exact level takes, from some rows of it."""
    if proof.pairs * max(proof.d, 1) <= 20_000:
        return 0.0  # not worth asking
    rows = min(proof.n, 3 + 40_000 * proof.n // (proof.pairs * max(proof.d, 1)))
    once, more = _timed_rows(proof, 1), _timed_rows(proof, rows)
    return once + max(0.0, more - once) * (proof.n - 1) / max(rows - 1, 1)


def _timed_rows(proof: Proof, count: int) -> float:
    """Seconds that the first ``count`` rows take."""
    keep = proof.rows < count
    below = 1e-9 * (np.abs(proof.f).max() + np.abs(proof.g).max())  # no violation is to end it early
    part = replace(
        proof,
        claimed=Bounds(-_LARGEST, inf),
        x=proof.x[:count].copy(),
        costs=proof.costs[_first_rows(proof, count)].copy(),
        a=np.maximum(proof.a[:count], 1e-300),
        f=proof.f[:count] - below,
        rows=proof.rows[keep],
        columns=proof.columns[keep],
        mass=proof.mass[keep],
    )
    start = time.perf_counter()
    exact_bounds(part)
    return time.perf_counter() - start


def _first_rows(proof: Proof, count: int) -> Any:
    """Which rows of ``costs`` belong to the first ``count`` sources."""
    return proof.costs[:, 0] < count if proof.cost == "arcs" else slice(count)


def _below(value: Fraction) -> float:
    """The largest float that is at most ``value``."""
    rounded = nearest_float(value)
    return nextafter(rounded, -inf) if rounded == inf or (rounded > -inf and Fraction(rounded) > value) else rounded


def _above(value: Fraction) -> float:
    """The smallest float that is at least ``value``."""
    return -_below(-value)
