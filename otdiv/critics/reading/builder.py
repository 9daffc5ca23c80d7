"""A critic from the class or function that builds it, by its name on the Python path, and a file of its state."""

from __future__ import annotations

import importlib
import io
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from otdiv.core.threads import without_warnings
from otdiv.core.validation import invalid, optional_import
from otdiv.errors import InvalidInput
from otdiv.files.archives import open_archive

_NAMED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
WRAPPERS = ("module.", "_orig_mod.")
"""What DataParallel and torch.compile put before every name of a state."""
_MOST_NAMES = 6
"""Names in a message."""


def names_builder(critic: object) -> bool:
    """Whether this reads as ``package.module:make``."""
    return isinstance(critic, str) and _NAMED.fullmatch(critic) is not None and not Path(critic).exists()


def build_critic(make: str | Callable[[], Any], state: str | Path, *, key: str | None = None) -> Any:
    """Build a module by your own code and give it the weights of a file, of which no code is run.

    Parameters
    ----------
    make : str or callable
        ``"package.module:make"``: a class or function on the Python path, called without arguments; or itself.
    state : str or Path
        A state_dict as ``torch.save`` writes it, loaded with ``weights_only=True``, or a .safetensors file.
    key : str, optional
        Which entry of the file is the state_dict, where it holds several.

    Returns
    -------
    torch.nn.Module
        In evaluation mode, on the CPU.

    Raises
    ------
    InvalidInput
        A name that is not found, something built that is no module, a file that is no state_dict, or a state that
        does not fit: what is missing, what is not expected, and which shapes differ are named.
    MissingPackage
        torch is not installed.

    Examples
    --------
    >>> from otdiv.critics import build_critic
    >>> build_critic("math:tau", "state.pt")
    Traceback (most recent call last):
    ...
    otdiv.errors.InvalidInput: critic must be built by a class or function; got float math:tau. Name one that takes no \
arguments.
    """
    factory = _found(make) if isinstance(make, str) else make
    torch = optional_import("torch", "Reading a critic", "torch")
    name = make if isinstance(make, str) else getattr(make, "__name__", type(make).__name__)
    try:
        module = factory()
    except Exception as problem:  # whatever the user's own code raises
        reason = f"{type(problem).__name__}: {problem}"
        remedy = "Name a function that takes no arguments and builds it."
        raise invalid("critic", f"be built by {name}()", f"an error ({reason})", remedy) from None
    if not isinstance(module, torch.nn.Module):
        raise invalid("critic", f"be a torch module that {name}() returns", type(module).__name__, "Return the module.")
    weights = _plain_names(_state(Path(state), key, torch), module)
    _require_fitting(name, module.state_dict(), weights)
    module.load_state_dict(weights)
    return module.eval()


def _found(name: str) -> Any:
    """The class or function of ``package.module:name``."""
    if not _NAMED.fullmatch(name):
        raise invalid("critic", "be named package.module:make", repr(name), "Put a colon before the class or function.")
    place, _, attribute = name.partition(":")
    try:
        found = importlib.import_module(place)
        for part in attribute.split("."):
            found = getattr(found, part)
    except ImportError as problem:
        remedy = "Start in the folder that holds it with PYTHONPATH=. set, or install it."
        raise invalid("critic", "be on the Python path", f"{name} ({problem})", remedy) from None
    except AttributeError:
        raise invalid("critic", f"be in {place}", f"no {attribute} there", "Check the spelling.") from None
    if not callable(found):
        remedy = "Name one that takes no arguments."
        raise invalid("critic", "be built by a class or function", f"{type(found).__name__} {name}", remedy)
    return found


def _state(path: Path, key: str | None, torch: Any) -> Mapping[str, Any]:
    """The state_dict in a file."""
    subject = f"state file {path.name}"
    if not path.is_file():
        raise invalid("state", "name an existing file", repr(str(path)), "Check the spelling and the folder.")
    try:
        if path.suffix == ".safetensors":
            content = optional_import("safetensors.torch", "Reading a critic", "torch").load_file(str(path))
        else:
            with open_archive(path):
                pass  # no name twice, no sizes beyond the file's own
            with without_warnings():
                content = torch.load(io.BytesIO(path.read_bytes()), weights_only=True, map_location="cpu")
    except InvalidInput:
        raise
    except Exception as problem:  # a damaged or foreign file fails anywhere inside torch
        remedy = "Write it with torch.save(module.state_dict(), path)."
        raise invalid(subject, "hold weights only", f"an error ({type(problem).__name__})", remedy) from None
    if key is not None:
        if not isinstance(content, Mapping) or key not in content:
            there = _names(content) if isinstance(content, Mapping) else type(content).__name__
            raise invalid(
                "state_key", f"be an entry of {path.name}", f"{key!r}; it holds {there}", "Name one of these."
            )
        content = content[key]
    if not isinstance(content, Mapping) or not all(isinstance(value, torch.Tensor) for value in content.values()):
        inner = (
            [k for k, value in content.items() if isinstance(value, Mapping)] if isinstance(content, Mapping) else []
        )
        found = f"entries {_names(content)}" if isinstance(content, Mapping) else type(content).__name__
        remedy = f"Pass state_key={inner[0]!r}." if inner else "Write it with torch.save(module.state_dict(), path)."
        raise invalid(subject, "be a state_dict", found, remedy)
    return content


def _plain_names(weights: Mapping[str, Any], module: Any) -> dict[str, Any]:
    """The state without the prefix of a wrapper that all its names have and none of the module's."""
    names = dict(weights)
    for prefix in WRAPPERS:
        wrapped = names and all(name.startswith(prefix) for name in names)
        if wrapped and not any(name.startswith(prefix) for name in module.state_dict()):
            names = {name.removeprefix(prefix): value for name, value in names.items()}
    return names


def _require_fitting(name: str, wanted: Mapping[str, Any], weights: Mapping[str, Any]) -> None:
    """Refuse a state that does not fit, by names and shapes."""
    faults = []
    for what, names in (("missing", wanted.keys() - weights.keys()), ("unexpected", weights.keys() - wanted.keys())):
        if names:
            faults.append(f"{what} {_names(sorted(names))}")
    for k in sorted(wanted.keys() & weights.keys()):
        if wanted[k].shape != weights[k].shape:
            faults.append(f"{k} of shape {tuple(weights[k].shape)} instead of {tuple(wanted[k].shape)}")
    if faults:
        remedy = "Build it with the sizes and layers that it was trained with."
        raise invalid("state", f"fit the module that {name}() builds", "; ".join(faults[:_MOST_NAMES]), remedy)


def _names(names: Any) -> str:
    given = [str(name) for name in names]
    more = f" and {len(given) - _MOST_NAMES} more" if len(given) > _MOST_NAMES else ""
    return ", ".join(given[:_MOST_NAMES]) + more
