"""Proofs that anyone can check: the record, the file, and two verifiers that trust nothing."""

from otdiv.proof.file import load_proof, save_proof
from otdiv.proof.record import Proof
from otdiv.proof.verify import Verification, verify

__all__ = ["Proof", "Verification", "load_proof", "save_proof", "verify"]
