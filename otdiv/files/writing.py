"""Files written whole or not at all: beside the older file, then renamed to it.

Whatever happens in between (a kill, a full disk), the older file or the newer
one stands whole.  Only a kill leaves something: the unfinished part, whose name
begins with a dot and ends in .part.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from otdiv.core.validation import invalid
from otdiv.errors import InvalidInput


def require_writable(path: str | Path, argument: str = "path", suffixes: tuple[str, ...] = ()) -> Path:
    """Check, before any work is done, that a file can be written to ``path``.

    Parameters
    ----------
    path : str or Path
    argument : str
        What the caller calls it, for the error.
    suffixes : tuple of str
        Endings that the name may have; any if empty.

    Returns
    -------
    Path
        Without symbolic links.

    Raises
    ------
    InvalidInput
        Another ending, no such folder, one without write access, or something there that is no regular file.
    """
    path = Path(path)
    if suffixes and path.suffix.lower() not in suffixes:
        *most, last = suffixes
        endings = f"{', '.join(most)} or {last}" if most else last
        raise invalid(argument, f"end in {endings}", repr(path.name), f"For example {path.stem or 'file'}{last}.")
    path = Path(os.path.realpath(path))
    try:
        folder_stands, other = path.parent.is_dir(), path.exists() and not path.is_file()
        locked = not os.access(path.parent, os.W_OK) or (path.exists() and not os.access(path, os.W_OK))
    except OSError as problem:  # a name that is too long, a folder that may not be entered
        raise _unwritable(argument, path, problem) from None
    if not folder_stands:
        raise invalid(argument, "lie in an existing folder", repr(str(path.parent)), "Create the folder first.")
    if other or locked:
        found = "a folder or a device" if other else "no write access"
        raise invalid(argument, "be a file that can be written", f"{found} at {str(path)!r}", "Choose another place.")
    return path


@contextmanager
def write_whole(path: str | Path, argument: str = "path") -> Iterator[IO[bytes]]:
    """A stream whose content becomes the file ``path`` once the block has ended without an error.

    Parameters
    ----------
    path : str or Path
    argument : str
        What the caller calls it, for the error.

    Raises
    ------
    InvalidInput
        The file cannot be written; an older one then stands as it was.
    """
    path = require_writable(path, argument)
    aside = path.with_name(f".{path.name[:100]}.{os.getpid()}.part")
    try:
        with open(aside, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())  # the content reaches the disk before the name does
        if path.exists():
            os.chmod(aside, path.stat().st_mode)
        os.replace(aside, path)
    except OSError as problem:
        raise _unwritable(argument, path, problem) from None
    finally:
        aside.unlink(missing_ok=True)


def _unwritable(argument: str, path: Path, problem: OSError) -> InvalidInput:
    reason = problem.strerror or str(problem)
    remedy = "Free space, or choose another place; an older file stands as it was."
    return invalid(argument, "be a file that can be written", f"{reason} at {str(path)!r}", remedy)
