"""Proofs that anyone can check: the record, the file, and two verifiers that trust nothing."""

from otdiv.verification.file import load_proof, save_proof
from otdiv.verification.record import Proof
from otdiv.verification.verify import Verification, verify

__all__ = ["Proof", "Verification", "load_proof", "save_proof", "verify"]
