"""Arrays from .npy and .npz files of unknown origin: sizes are compared with the file before anything is allocated.

Nothing is ever unpickled.  Failures are ValueErrors whose text says what was
found, for the caller's own sentence.
"""

from __future__ import annotations

import errno
import os
import zipfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import IO

import numpy as np

from otdiv.core.threads import without_warnings

_SMALL = 2**28
"""Bytes (256 MiB) up to which an archive may unpack to whatever it likes."""
_MOST_PACKED = 50
"""Larger ones may unpack to this many times their size; arrays of honest measurements stay below 20."""
_LONGEST_HEADER = 10_000
"""Characters of the header of an .npy file; numpy writes about a hundred."""
_READERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


@contextmanager
def open_archive(path: str | Path) -> Iterator[zipfile.ZipFile]:
    """A ZIP archive in which each name stands once and sizes are plausible.

    Raises
    ------
    ValueError
        No archive, a name twice (readers differ in which one they take), an unusual compression, or a size that
        a file of this length cannot honestly have.
    """
    try:
        archive = zipfile.ZipFile(path)
    except OSError as problem:
        if problem.errno == errno.EINVAL:  # a directory that lies before the file
            raise ValueError("no archive, or a damaged one") from None
        raise
    except Exception:  # struct, Unicode and other errors of a damaged directory
        raise ValueError("no archive, or a damaged one") from None
    with archive:
        members = archive.infolist()
        if len({member.filename for member in members}) < len(members):
            raise ValueError("one of its parts twice")
        if any(m.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or m.flag_bits & 1 for m in members):
            raise ValueError("an unusual compression, or encryption")
        unpacked = sum(member.file_size for member in members)
        require_plausible(unpacked, os.path.getsize(path))
        yield archive


def require_plausible(unpacked: int, size: int) -> None:
    """Refuse a file of ``size`` bytes that claims to unpack to far more than files of measurements do.

    Raises
    ------
    ValueError
    """
    if unpacked > max(_SMALL, _MOST_PACKED * size):
        raise ValueError(f"parts that claim to unpack to {unpacked:,} bytes, over {_MOST_PACKED} times its size")


def read_npy(path: str | Path) -> np.ndarray:
    """The array of an .npy file.

    Raises
    ------
    ValueError
        Another kind of file, Python objects, or a shape that does not fit the bytes.
    """
    with open(path, "rb") as stream:
        return _read_array(stream, os.path.getsize(path))


def read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    """The array of one .npy member of an archive from :func:`open_archive`; raises ValueError as :func:`read_npy`."""
    try:
        with archive.open(member) as stream:
            return _read_array(stream, member.file_size)
    except ValueError:
        raise
    except OSError as problem:
        if problem.errno == errno.EINVAL:
            raise ValueError(f"a damaged part {member.filename[:40]!r}") from None
        raise
    except Exception:  # zlib, CRC, end of file
        raise ValueError(f"a damaged part {member.filename[:40]!r}") from None


def names_in_npz(path: str | Path) -> list[str]:
    """The names of the arrays of an .npz file; raises ValueError as :func:`read_npz`."""
    with open_archive(path) as archive:
        return [_array_name(member) for member in archive.infolist()]


def _array_name(member: zipfile.ZipInfo) -> str:
    if not member.filename.endswith(".npy"):
        raise ValueError("parts that are no arrays")
    return member.filename.removesuffix(".npy")


def read_npz(path: str | Path, only: Collection[str] | None = None) -> dict[str, np.ndarray]:
    """The arrays of an .npz file by name; those in ``only``, or all.

    Raises
    ------
    ValueError
        As :func:`open_archive` and :func:`read_npy`, or a member that is no .npy.
    """
    with open_archive(path) as archive:
        named = {_array_name(member): member for member in archive.infolist()}
        return {name: read_member(archive, named[name]) for name in named if only is None or name in only}


def _read_array(stream: IO[bytes], size: int) -> np.ndarray:
    try:
        with without_warnings():  # of headers that an older version wrote
            reader = _READERS[np.lib.format.read_magic(stream)]
            shape, column_major, dtype = reader(stream, max_header_size=_LONGEST_HEADER)
        count = prod(shape) if all(type(k) is int and k >= 0 for k in shape) else -1
    except OSError:
        raise
    except Exception:  # the header is text that numpy parses: errors of ast, tokenize, struct and its own
        raise ValueError("a header that numpy did not write") from None
    if dtype.hasobject:
        raise ValueError("pickled Python objects")
    if count < 0 or count * dtype.itemsize > size:
        raise ValueError("a shape that does not fit its bytes")
    content = stream.read(size)
    if len(content) != count * dtype.itemsize or not dtype.itemsize:
        raise ValueError("a shape that does not fit its bytes")
    return np.frombuffer(content, dtype).reshape(shape, order="F" if column_major else "C")
