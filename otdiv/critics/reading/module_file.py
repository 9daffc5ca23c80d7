"""A torch module from a file that its user trusts: TorchScript or an exported program (.pt2).

Both formats are programs: they can write files, run for ever or crash the
process that opens them, and no inspection rules that out.  They are opened
only where the caller says that the file's author is trusted.
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
from otdiv.files.archives import open_archive

SAFE_WAYS = (
    "Without trust: give its values at the points (two .npy files), what otdiv critic --save or "
    "otdiv.critics.save_layers (.safetensors) wrote, or in Python your own module with "
    "module.load_state_dict(torch.load(path, weights_only=True))."
)
"""What to do with a critic from a stranger."""


_REMEDY = (
    "Save plain layers with otdiv.critics.save_layers (.safetensors), others with torch.export.save (.pt2) or as "
    "TorchScript; a pickled module is never loaded."
)


def require_program(path: Path, *, trust: bool) -> bool:
    """Check, without running anything of it, that a file is a program and that the caller trusts its author.

    Parameters
    ----------
    path : Path
    trust : bool
        The caller knows the file's author: the program in the file may run.

    Returns
    -------
    bool
        Whether it is TorchScript; else it is an exported program.

    Raises
    ------
    InvalidInput
        No such file, another kind of file, a damaged one, or a program without ``trust``.
    """
    if not path.is_file():
        raise invalid("critic", "name an existing file", repr(str(path)), "Check the spelling and the folder.")
    subject = f"critic file {path.name}"
    remedy = _REMEDY
    try:
        with open_archive(path) as archive:
            names = archive.namelist()
    except ValueError as problem:
        raise invalid(
            subject, "be TorchScript or an exported program", f"a file that holds {problem}", remedy
        ) from None
    script = any(name.endswith("/constants.pkl") for name in names)
    program = any("/models/" in name and name.endswith(".json") for name in names)
    if not (script or program):
        raise invalid(subject, "be TorchScript or an exported program", "weights or a pickle", remedy)
    if not trust:
        kind = "TorchScript" if script else "an exported program"
        raise invalid(
            subject,
            "be data, not a program",
            f"{kind}, which can run code and write files when it is opened",
            f"If you trust its author, pass trust=True. {SAFE_WAYS}",
        )
    return script


def load_module(path: Path, *, trust: bool = False) -> Any:
    """The module in a file, if the caller trusts its author; to be called in a process that may be lost.

    Parameters
    ----------
    path : Path
    trust : bool
        As :func:`require_program`.

    Returns
    -------
    torch.nn.Module

    Raises
    ------
    InvalidInput
        As :func:`require_program`; and an exported program that would need unpickling.
    MissingPackage
        torch is not installed.
    """
    script = require_program(path, trust=trust)
    subject, remedy = f"critic file {path.name}", _REMEDY
    torch = optional_import("torch", "Reading a critic", "torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch announces which format it will keep; the file is the user's
        try:
            if script:
                return torch.jit.load(str(path), map_location="cpu")
            _require_no_pickle(path, torch)
            return torch.export.load(str(path)).module()
        except InvalidInput:
            raise
        except Exception as problem:  # a damaged file fails anywhere inside torch
            reason = str(problem).strip().splitlines()[0][:200] if str(problem).strip() else type(problem).__name__
            raise invalid(subject, "be readable", f"an error ({reason})", remedy) from None


_SYMBOLIC = re.compile(
    r"(?:Symbol|Integer|Mul|Add|Max|Min|Pow|positive|nonnegative|integer|True|False|[su]\d+|\d+|[-+*/=(), '])*"
)


def _require_no_pickle(path: Path, torch: Any) -> None:
    """Refuse an exported program that torch could only load by unpickling, or by evaluating other text than sizes."""

    def refuse(what: str) -> InvalidInput:
        return invalid(
            f"critic file {path.name}", "load without running code", what, "Export the module again, plainly."
        )

    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            content = archive.read(name)
            if "opaque_obj" in name:
                raise refuse("a pickled object")
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
