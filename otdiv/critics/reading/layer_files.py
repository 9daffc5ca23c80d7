"""Critics as data: files of weights beside a list of plain layers, from a closed list, that otdiv builds itself.

A file holds numbers and names of layers, nothing that could run.  Two forms:

* ``critic.safetensors``, whose metadata ``layers`` is the list as JSON;
* ``critic.pt``, a state_dict as torch saves it, beside ``critic.json`` with the list.

The list has one entry a layer, in order, such as ``{"layer": "LeakyReLU",
"negative_slope": 0.2}``.  Weights are named ``0.weight``, ``0.bias``, ``2.weight``
after the layer's place, as in the state_dict of a ``torch.nn.Sequential``; their
shapes are the sizes of the layers.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

from otdiv.core.threads import without_warnings
from otdiv.core.validation import invalid, optional_import
from otdiv.critics.reading.plain_layers import LAYERS, WITH_WEIGHTS, build, flattened, plain_name
from otdiv.errors import InvalidInput
from otdiv.files.archives import open_archive
from otdiv.files.writing import require_writable, write_whole

LONGEST_LIST = 10**6
"""Characters of the list of layers."""


def save_layers(module: Any, path: str | Path) -> None:
    """Write a critic of plain layers as data (.safetensors) that anyone can open without running code.

    Parameters
    ----------
    module : torch.nn.Sequential
        Of the layers in :data:`otdiv.critics.reading.plain_layers.LAYERS`, possibly nested; parametrised weights
        (spectral norm, weight norm) are saved as they act.
    path : str or Path
        Ends in .safetensors.

    Returns
    -------
    None

    Raises
    ------
    InvalidInput
        Another layer, by name, or a file that cannot be written.
    MissingPackage
        torch or safetensors is not installed.
    """
    torch = optional_import("torch", "Saving a critic", "torch")
    target = require_writable(path, suffixes=(".safetensors",))
    description, weights = [], {}
    for k, layer in enumerate(flattened(module, torch)):
        name = plain_name(layer)
        entry: dict[str, Any] = {"layer": name}
        entry |= {option: _plain_option(layer, option) for option in LAYERS[name]}
        description.append(entry)
        for part in ("weight", "bias") if name in WITH_WEIGHTS else ():
            if getattr(layer, part, None) is not None:
                weights[f"{k}.{part}"] = getattr(layer, part).detach().cpu().contiguous()
    _require_same(module, build(description, weights, torch), torch)
    from_torch = optional_import("safetensors.torch", "Saving a critic", "torch")
    packed = from_torch.save(weights, metadata={"layers": json.dumps(description)})
    with write_whole(target) as stream:
        stream.write(packed)


def load_layers(path: str | Path) -> Any:
    """The network in a file of weights, built from its list of layers; no code is in it, and none runs.

    Parameters
    ----------
    path : str or Path
        A .safetensors file with its list, or a state_dict (.pt) beside a .json file of the same name.

    Returns
    -------
    torch.nn.Sequential
        In evaluation mode.

    Raises
    ------
    InvalidInput
        No such file, another kind of file, a list that does not fit the weights, or a layer outside the closed list.
    MissingPackage
        torch or safetensors is not installed.
    """
    path = Path(path)
    if not path.is_file():
        raise invalid("critic", "name an existing file", repr(str(path)), "Check the spelling and the folder.")
    torch = optional_import("torch", "Reading a critic", "torch")
    try:
        text, weights = _read_safetensors(path) if path.suffix == ".safetensors" else _read_state_dict(path, torch)
        return build(json.loads(text), weights, torch)
    except InvalidInput:
        raise
    except Exception as problem:  # a damaged file fails anywhere inside torch, safetensors or json
        reason = str(problem).strip().splitlines()
        raise _unfit(path.name, f"{reason[0][:150]!r}" if reason else type(problem).__name__) from None


def holds_layers(path: Path) -> bool:
    """Whether a file is to be read as weights with a list of layers."""
    return path.suffix == ".safetensors" or path.with_suffix(".json").is_file()


def _plain_option(layer: Any, option: str) -> Any:
    value = getattr(layer, option)
    return list(value) if isinstance(value, tuple) else value


def _require_same(module: Any, rebuilt: Any, torch: Any) -> None:
    """Refuse options of a layer that the list has no word for (groups, dilation, and the like)."""
    for layer, again in zip(flattened(module, torch), rebuilt, strict=True):
        if plain_name(layer) != "Dropout" and _described(layer) != _described(again):
            name = plain_name(layer)
            raise invalid(
                "module", f"have plain layers: {_described(again) or name}", _described(layer), "Rebuild it with these."
            )


def _described(layer: Any) -> str:
    return str(layer.extra_repr()).replace(", inplace=True", "").replace("inplace=True", "")


def _read_safetensors(path: Path) -> tuple[str, dict[str, Any]]:
    safetensors = optional_import("safetensors", "Reading a critic", "torch")
    with safetensors.safe_open(str(path), framework="pt") as opened:
        text = (opened.metadata() or {}).get("layers")
        if text is None and path.with_suffix(".json").is_file():
            text = _short_text(path.with_suffix(".json"))
        if text is None:
            raise _unfit(path.name, "weights without the list of layers")
        return text, {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118  # it is no mapping


def _read_state_dict(path: Path, torch: Any) -> tuple[str, dict[str, Any]]:
    with open_archive(path):
        pass  # no name twice, no sizes beyond the file's own
    text = _short_text(path.with_suffix(".json"))
    with without_warnings():  # of unusual pickles, which are refused if they hold anything but weights
        return text, torch.load(io.BytesIO(path.read_bytes()), weights_only=True, map_location="cpu")


def _short_text(path: Path) -> str:
    with open(path, encoding="utf-8") as stream:
        text = stream.read(LONGEST_LIST + 1)
    if len(text) > LONGEST_LIST:
        raise ValueError("a list of layers beyond a million characters")
    return text


def _unfit(name: str, found: str) -> InvalidInput:
    return invalid(
        f"critic file {name}",
        "hold weights and the list of their layers",
        found,
        "Write it with otdiv.critics.save_layers(module, 'critic.safetensors').",
    )
