"""The exception tree: every error that otdiv raises on purpose."""

from __future__ import annotations

from typing import Any


class OtdivError(Exception):
    """Root of every error that otdiv raises on purpose."""


class InvalidInput(OtdivError, ValueError):
    """An argument breaks a stated requirement."""


class Infeasible(InvalidInput):
    """No transport plan exists; ``witness`` holds the proof.

    Attributes
    ----------
    witness : dict
        Farkas witness ``f`` [n], ``g`` [m]: f_i + g_j <= 0 on every allowed arc
        while sum a f + sum b g > 0; and the sets ``sources``, ``targets``.
    """

    def __init__(self, message: str, witness: dict[str, Any]) -> None:
        super().__init__(message)
        self.witness = witness

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.witness)  # so that it reaches the parent of a worker process


class TooLarge(InvalidInput, MemoryError):
    """The estimate of memory, made before allocating, exceeds the limit."""


class CertificateRefused(InvalidInput):
    """A claimed proof does not prove its claim."""


class SolverFailed(OtdivError, RuntimeError):
    """A solver gave neither an answer nor a reason that explains the problem."""


class MissingPackage(OtdivError, ImportError):
    """An optional package is needed for what was asked."""
