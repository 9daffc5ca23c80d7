"""Proofs that can be checked anywhere: the record, the file, and two verifiers that share no code with the solvers."""

from otdiv.verification.file import load_proof, save_proof
from otdiv.verification.record import Proof
from otdiv.verification.verify import Verification, verify

__all__ = ["Proof", "Verification", "load_proof", "save_proof", "verify"]
