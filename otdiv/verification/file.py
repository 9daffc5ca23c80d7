"""Certificate files: an .npz without pickle, with a version and a digest over every byte."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path

import numpy as np

from otdiv.core.bounds import Bounds
from otdiv.core.validation import invalid
from otdiv.errors import CertificateRefused, OtdivError
from otdiv.verification.record import ARRAYS, Proof

VERSION = 1
_HEADER = ("version", "cost", "about", "lower", "upper")


def save_proof(path: str | Path, proof: Proof) -> None:
    """Write a proof to ``path`` (.npz).

    Parameters
    ----------
    path : str or Path
    proof : Proof

    Returns
    -------
    None

    Raises
    ------
    InvalidInput
        If the name does not end in .npz.
    """
    path = Path(path)
    if path.suffix != ".npz":
        raise invalid("path", "end in .npz", repr(path.name), "Choose another name.")
    header = {
        "version": VERSION,
        "cost": proof.cost,
        "about": proof.about,
        "lower": proof.claimed.lower.hex(),
        "upper": proof.claimed.upper.hex(),
    }
    text = json.dumps(header, sort_keys=True)
    arrays = {name: getattr(proof, name) for name in ARRAYS}
    np.savez_compressed(path, header=np.array(text), digest=np.array(_digest(text, arrays)), **arrays)


def load_proof(path: str | Path) -> Proof:
    """Read a proof and check that not one bit of it has changed since it was written.

    Parameters
    ----------
    path : str or Path
        An .npz file that :func:`save_proof` wrote.

    Returns
    -------
    Proof

    Raises
    ------
    InvalidInput
        No such file.
    CertificateRefused
        Not a certificate, another version, a part missing or added, a digest that does not fit, or
        arrays that make no proof (see :class:`Proof`).
    """
    path = Path(path)
    if not path.is_file():
        raise invalid("path", "name an existing file", repr(str(path)), "Check the spelling and the folder.")
    content = path.read_bytes()
    if not zipfile.is_zipfile(io.BytesIO(content)):
        raise CertificateRefused(f"{path.name} must be a certificate file; it is no .npz archive, or a damaged one.")
    try:
        # from memory: on a damaged archive numpy would leave the file open
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            parts = {name: archive[name] for name in archive.files}
    except Exception:  # a damaged archive fails in numpy, zlib or struct, each with errors of its own
        raise CertificateRefused(
            f"{path.name} must be a certificate file; it is damaged or holds pickled objects."
        ) from None
    expected = {"header", "digest", *ARRAYS}
    if set(parts) != expected:
        odd = sorted(set(parts) ^ expected)
        raise CertificateRefused(
            f"{path.name} must hold exactly the parts of a certificate; missing or unknown: {odd}."
        )
    text = str(parts["header"])
    arrays = {name: parts[name] for name in ARRAYS}
    if str(parts["digest"]) != _digest(text, arrays):
        raise CertificateRefused(f"{path.name} was changed after it was written: its digest does not fit its content.")
    try:
        header = json.loads(text)
        lower, upper = float.fromhex(header["lower"]), float.fromhex(header["upper"])
        version, cost, about = header["version"], str(header["cost"]), str(header["about"])
        if set(header) != set(_HEADER):
            raise ValueError(f"its keys are {sorted(header)}")
    except (ValueError, KeyError, TypeError) as problem:
        raise CertificateRefused(f"{path.name} must have a certificate's header; {problem}.") from None
    if version != VERSION:
        raise CertificateRefused(f"{path.name} must be of version {VERSION}; it is of version {version}.")
    try:
        claimed = Bounds(lower, upper)
    except OtdivError as problem:
        raise CertificateRefused(f"{path.name} claims an interval that is none: {problem}.") from None
    return Proof(cost=cost, claimed=claimed, about=about, **arrays)


def _digest(header: str, arrays: dict[str, np.ndarray]) -> str:
    """SHA-256 over the header and over name, type, shape and bytes of each array."""
    state = hashlib.sha256(header.encode())
    for name in ARRAYS:
        array = np.ascontiguousarray(arrays[name])
        state.update(f"|{name}|{array.dtype.str}|{array.shape}|".encode())
        state.update(array.tobytes())
    return state.hexdigest()
