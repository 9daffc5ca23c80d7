"""A torch module from a file: TorchScript or an exported program (.pt2).

No file is ever unpickled: what would need it is refused.
"""

from __future__ import annotations

import io
import json
import re
import warnings
import zipfile
from pathlib import Path
from typing import Any

from otdiv.core.validation import invalid, optional_import
from otdiv.errors import InvalidInput


def load_module(path: Path) -> Any:
    """The module in a file, loaded without running code that the file brings.

    Parameters
    ----------
    path : Path

    Returns
    -------
    torch.nn.Module

    Raises
    ------
    InvalidInput
        No such file, another kind of file, a damaged one, or one that could run code on loading.
    MissingPackage
        torch is not installed.
    """
    torch = optional_import("torch", "Reading a critic", "torch")
    if not path.is_file():
        raise invalid("critic", "name an existing file", repr(str(path)), "Check the spelling and the folder.")
    remedy = "Save it with torch.export.save (.pt2) or as TorchScript; a pickled module is never loaded."
    if not zipfile.is_zipfile(path):
        raise invalid(f"critic file {path.name}", "be TorchScript or an exported program", "another kind", remedy)
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch announces which format it will keep; the file is the user's
        try:
            if any(name.endswith("/constants.pkl") for name in names):
                return torch.jit.load(str(path), map_location="cpu")
            if any("/models/" in name and name.endswith(".json") for name in names):
                _require_harmless(path, torch)
                return torch.export.load(str(path)).module()
        except InvalidInput:
            raise
        except Exception as problem:  # a damaged file fails anywhere inside torch
            reason = str(problem).strip().splitlines()[0][:200] if str(problem).strip() else type(problem).__name__
            raise invalid(f"critic file {path.name}", "be readable", f"an error ({reason})", remedy) from None
    raise invalid(f"critic file {path.name}", "be TorchScript or an exported program", "weights or a pickle", remedy)


_SYMBOLIC = re.compile(
    r"(?:Symbol|Integer|Mul|Add|Max|Min|Pow|positive|nonnegative|integer|True|False|[su]\d+|\d+|[-+*/=(), '])*"
)


def _require_harmless(path: Path, torch: Any) -> None:
    """Refuse an exported program that torch could only load by unpickling, or by evaluating other text than sizes."""

    def refuse(what: str) -> InvalidInput:
        return invalid(
            f"critic file {path.name}", "load without running code", what, "Export the module again, plainly."
        )

    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            content = archive.read(name)
            if name.endswith(".json"):
                for key, value in _entries(json.loads(content)):
                    if key == "use_pickle" and value:
                        raise refuse("a pickled tensor or object")
                    if key == "expr_str" and not _SYMBOLIC.fullmatch(str(value)):
                        raise refuse(f"a symbolic size {str(value)[:40]!r}")
            elif "/sample_inputs/" in name or name.endswith((".pt", ".pkl")):
                try:
                    torch.load(io.BytesIO(content), weights_only=True)
                except Exception:  # whatever fails here, torch would retry it by unpickling
                    raise refuse(f"{name}, which needs unpickling") from None


def _entries(tree: Any) -> Any:
    """Every (key, value) inside nested JSON."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield key, value
            yield from _entries(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _entries(value)
