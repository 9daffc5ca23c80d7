"""A folder that holds finished blocks of a computation, so that it can be resumed.

``header.npy`` says what is computed; ``block-000000.npz`` and so on hold the arrays of a block and a SHA-256 digest
of them.  Every file is written whole or not at all, and nothing is ever unpickled.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from otdiv.core.validation import Array, invalid
from otdiv.files.archives import read_npy, read_npz
from otdiv.files.writing import write_whole

_HEADER = "header.npy"
_BLOCK = re.compile(r"block-(\d{6,})\.npz")


@dataclass(frozen=True)
class Store:
    """The folder of one computation.

    Attributes
    ----------
    folder : Path
    fingerprint : str
        Of the inputs and options; of a store of something else it differs.
    """

    folder: Path
    fingerprint: str

    def finished(self) -> list[int]:
        """The numbers of the blocks that are there."""
        found = (_BLOCK.fullmatch(path.name) for path in self.folder.iterdir())
        return sorted(int(match[1]) for match in found if match)

    def save(self, block: int, arrays: Mapping[str, Array]) -> None:
        """Keep the arrays of a block."""
        with write_whole(self._path(block), "store") as stream:
            np.savez(stream, digest=np.array(self._digest(block, arrays)), **arrays)  # type: ignore[arg-type]

    def load(self, block: int) -> dict[str, Array]:
        """The arrays of a block.

        Raises
        ------
        InvalidInput
            A file that is damaged or was changed.
        """
        path = self._path(block)
        try:
            arrays = read_npz(path)
            digest = str(arrays.pop("digest", ""))
        except ValueError as problem:
            raise self._changed(path, str(problem)) from None
        if digest != self._digest(block, arrays):
            raise self._changed(path, "a digest that does not fit its content")
        return arrays

    def _path(self, block: int) -> Path:
        return self.folder / f"block-{block:06d}.npz"

    def _digest(self, block: int, arrays: Mapping[str, Array]) -> str:
        content = hashlib.sha256(f"{self.fingerprint}|{block}|".encode())
        for name in sorted(arrays):
            array = np.ascontiguousarray(arrays[name])
            content.update(f"|{name}|{array.dtype.str}|{array.shape}|".encode())
            content.update(array.tobytes())
        return content.hexdigest()

    def _changed(self, path: Path, found: str) -> Exception:
        return invalid("store", "hold the blocks as they were written", f"{found} in {path.name}", "Delete that file.")


def open_store(folder: str | Path, fingerprint: str) -> Store:
    """The store in a folder, made if there is none.

    Parameters
    ----------
    folder : str or Path
        New, empty, or one of the same computation.
    fingerprint : str

    Raises
    ------
    InvalidInput
        Files of something else, another computation's store, a folder that cannot be made.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        others = [path.name for path in folder.iterdir() if path.name != _HEADER and not path.name.endswith(".part")]
    except OSError as problem:
        raise invalid("store", "be a folder that can be written", f"{problem}", "Choose another place.") from None
    header = folder / _HEADER
    if header.exists():
        try:
            found = str(read_npy(header))
        except ValueError as problem:
            raise invalid("store", "begin with a readable header.npy", str(problem), "Choose another folder.") from None
        if found != fingerprint:
            raise invalid(
                "store",
                "belong to these measures and options",
                f"one of other measures, of another metric or version, in {str(folder)!r}",
                "Choose another folder, or delete that one.",
            )
    elif others:
        raise invalid("store", "be a new or an empty folder", f"{others[0]!r} in it", "Choose another folder.")
    else:
        with write_whole(header, "store") as stream:
            np.save(stream, np.array(fingerprint))
    return Store(folder, fingerprint)
