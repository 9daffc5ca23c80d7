"""Certificate files: an .npz without pickle, with a version and a digest over every byte."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from otdiv.core.bounds import Bounds
from otdiv.core.validation import invalid
from otdiv.errors import CertificateRefused, OtdivError
from otdiv.files.archives import open_archive, read_member
from otdiv.files.writing import require_writable, write_whole
from otdiv.verification.record import ARRAYS, Proof

VERSION = 1
SUFFIXES = (".npz",)
_LONGEST_HEADER = 10_000
"""Characters of the header and of the digest."""
_PARTS = ("header", "digest", *ARRAYS)
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
        If the name does not end in .npz, or the file cannot be written; an older file then stands as it was.
    """
    path = require_writable(path, suffixes=SUFFIXES)
    text, arrays = _header_text(proof), {name: getattr(proof, name) for name in ARRAYS}
    with write_whole(path) as stream:
        np.savez_compressed(stream, header=np.array(text), digest=np.array(_digest(text, arrays)), **arrays)


def load_proof(path: str | Path) -> Proof:
    """Read a proof and check that not one bit of it has changed since it was written.

    Sizes are read from the headers and checked before anything is unpacked.

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
        Not a certificate, another version, a part missing, added or there twice, a size that the file cannot
        honestly have, a digest that does not fit, or arrays that make no proof (see :class:`Proof`).
    """
    path = Path(path)
    if not path.is_file():
        raise invalid("path", "name an existing file", repr(str(path)), "Check the spelling and the folder.")
    parts = _read_parts(path)
    text = str(parts["header"])
    arrays = {name: parts[name] for name in ARRAYS}
    try:
        fits = str(parts["digest"]) == _digest(text, arrays)
    except UnicodeEncodeError:  # lone surrogates
        fits = False
    if not fits:
        raise CertificateRefused(f"{path.name} was changed after it was written: its digest does not fit its content.")
    header = _read_header(path.name, text)
    if header["version"] != VERSION:
        raise CertificateRefused(f"{path.name} must be of version {VERSION}; it is of another one.")
    try:
        claimed = Bounds(float.fromhex(header["lower"]), float.fromhex(header["upper"]))
    except (OtdivError, ValueError, OverflowError):
        raise CertificateRefused(f"{path.name} claims an interval that is none.") from None
    return Proof(cost=header["cost"], claimed=claimed, about=header["about"], **arrays)


def _read_parts(path: Path) -> dict[str, np.ndarray]:
    """The arrays of the archive: exactly those of a certificate."""
    try:
        with open_archive(path) as archive:
            members = archive.infolist()
            odd = sorted({member.filename for member in members} ^ {f"{name}.npy" for name in _PARTS})
            if odd:
                few = ", ".join(repr(name[:20]) for name in odd[:5])
                raise CertificateRefused(
                    f"{path.name} must hold exactly the parts of a certificate; missing or unknown: {few}."
                )
            parts = {member.filename.removesuffix(".npy"): read_member(archive, member) for member in members}
    except ValueError as problem:
        raise CertificateRefused(f"{path.name} must be a certificate file; it holds {problem}.") from None
    except OSError as problem:
        raise invalid(path.name, "be readable", problem.strerror or str(problem), "Check its permissions.") from None
    for name, array in parts.items():
        text = name in ("header", "digest")
        if text and (array.dtype.kind != "U" or array.shape != () or array.nbytes > 4 * _LONGEST_HEADER):
            raise CertificateRefused(f"{path.name} must be a certificate file; its {name} is no short text.")
        if not text and array.dtype not in (np.dtype("<f8"), np.dtype("<i8")):
            raise CertificateRefused(f"{name} must be little-endian float64 or int64; it is another kind of number.")
    return parts


def _read_header(name: str, text: str) -> dict[str, Any]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError("a key twice")
        return dict(pairs)

    try:
        header = json.loads(text, object_pairs_hook=once)
    except (ValueError, RecursionError):
        header = None
    if (
        not isinstance(header, dict)
        or set(header) != set(_HEADER)
        or type(header["version"]) is not int
        or not all(isinstance(header[key], str) for key in _HEADER if key != "version")
    ):
        raise CertificateRefused(f"{name} must have a certificate's header, with {', '.join(_HEADER)}; it has another.")
    return header


def proof_digest(proof: Proof) -> str:
    """The digest that the proof's certificate file carries."""
    return _digest(_header_text(proof), {name: getattr(proof, name) for name in ARRAYS})


def _header_text(proof: Proof) -> str:
    header = {
        "version": VERSION,
        "cost": proof.cost,
        "about": proof.about,
        "lower": proof.claimed.lower.hex(),
        "upper": proof.claimed.upper.hex(),
    }
    return json.dumps(header, sort_keys=True)


def _digest(header: str, arrays: dict[str, np.ndarray]) -> str:
    """SHA-256 over the header and over name, type, shape and bytes of each array."""
    state = hashlib.sha256(header.encode())
    for name in ARRAYS:
        array = np.ascontiguousarray(arrays[name])
        state.update(f"|{name}|{array.dtype.str}|{array.shape}|".encode())
        state.update(array.tobytes())
    return state.hexdigest()
