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
from otdiv.verification.file import load_proof
from otdiv.verification.floating import float_bounds
from otdiv.verification.record import Proof

LEVELS = ("auto", "exact", "float")
_PATIENCE = 60.0
"""Estimated seconds of the exact level up to which "auto" takes it; more verify larger proofs exactly."""


@dataclass(frozen=True)
class Verification:
    """What a verification has proved.

    Attributes
    ----------
    level : str
        "exact" (integer arithmetic) or "float" (outward rounding).
    bounds : Bounds
        The interval proved here.
    claimed : Bounds
        The interval the certificate claims, which is thereby confirmed.
    about : str
        What it is about: "the weights", or "weights within marginal_error".
    n, m, d : int
        Size of the problem; d = 0 for a cost matrix.
    seconds : float
        How long it took.
    exact_seconds : float
        How long the exact level takes: measured, or extrapolated from some rows.
    """

    level: str
    bounds: Bounds
    claimed: Bounds
    about: str
    n: int
    m: int
    d: int
    seconds: float
    exact_seconds: float

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
            "n": self.n,
            "m": self.m,
            "d": self.d,
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
        "exact": integer arithmetic, nothing rounded.  "float": float64 with outward rounding.
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
    estimate = _exact_seconds(proof)
    if level == "auto":
        level = "exact" if estimate <= _PATIENCE else "float"
    start = time.perf_counter()
    bounds = _exactly(proof) if level == "exact" else _in_floats(proof)
    seconds = time.perf_counter() - start
    exact = seconds if level == "exact" else estimate
    return Verification(level, bounds, proof.claimed, proof.about, proof.n, proof.m, proof.d, seconds, exact)


def _exactly(proof: Proof) -> Bounds:
    found = exact_bounds(proof)
    _require("lower", Fraction(proof.claimed.lower), found.lower, proof)
    if proof.claimed.upper == inf:
        return Bounds(_below(found.lower), inf)
    if found.upper is None:
        raise CertificateRefused("the plan uses a forbidden arc or misses the marginals: it proves no upper bound.")
    _require("upper", found.upper, Fraction(proof.claimed.upper), proof)
    return Bounds(_below(found.lower), _above(found.upper))


def _in_floats(proof: Proof) -> Bounds:
    found = float_bounds(proof)
    if np.isnan(found.lower) or np.isnan(found.upper):
        raise CertificateRefused("the numbers of the certificate overflow float64; verify it at level='exact'.")
    if not np.isfinite(found.allowance):  # an infinite allowance would let every claim pass
        raise CertificateRefused(
            "the plan uses a forbidden arc, or the numbers overflow float64: nothing is proved. "
            "Verify it at level='exact' to see which."
        )
    _require("lower", proof.claimed.lower - found.allowance, found.lower, proof)
    _require("upper", found.upper - found.allowance, proof.claimed.upper, proof)
    return Bounds(found.lower, found.upper)


def _require(end: str, least: Any, most: Any, proof: Proof) -> None:
    if least > most:
        proved, claimed = (most, proof.claimed.lower) if end == "lower" else (least, proof.claimed.upper)
        raise CertificateRefused(
            f"the {end} bound is not proved: {claimed:.17g} is claimed, {float(proved):.17g} follows from the "
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
    part = replace(
        proof,
        x=proof.x[:count].copy(),
        costs=proof.costs[_first_rows(proof, count)].copy(),
        a=np.maximum(proof.a[:count], 1e-300),
        f=proof.f[:count].copy(),
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
    rounded = float(value)
    return rounded if Fraction(rounded) <= value else nextafter(rounded, -inf)


def _above(value: Fraction) -> float:
    rounded = float(value)
    return rounded if Fraction(rounded) >= value else nextafter(rounded, inf)
