"""The file in which a training saves itself, and from which it goes on."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch
from torch import nn

from otdiv.core.validation import invalid
from otdiv.files.writing import write_whole
from otdiv.neural.batches import Batches
from otdiv.neural.schedule import TrainingState


def write_torch(path: str | Path, content: dict[str, Any], argument: str) -> None:
    """What torch.save makes of ``content``, written whole or not at all."""
    packed = io.BytesIO()  # torch reports a full disk as an error without a reason
    torch.save(content, packed)
    with write_whole(path, argument) as stream:
        stream.write(packed.getbuffer())


def save_checkpoint(
    path: Path,
    fingerprint: str,
    state: TrainingState,
    module: nn.Module,
    optimizer: torch.optim.Optimizer,
    batches: Batches,
) -> None:
    """Write everything that a training needs to go on; ``fingerprint`` identifies the training.

    Raises
    ------
    InvalidInput
        The file cannot be written; the former checkpoint then stands as it was.
    """
    content: dict[str, Any] = {
        "fingerprint": fingerprint,
        "state": {name: getattr(state, name) for name in state.__dataclass_fields__},
        "module": module.state_dict(),
        "optimizer": optimizer.state_dict(),
        "torch_rng": batches.torch_rng.get_state(),
        "rng": batches.rng.bit_generator.state,
    }
    write_torch(path, content, "checkpoint")


def resume_checkpoint(
    path: Path, fingerprint: str, module: nn.Module, optimizer: torch.optim.Optimizer, batches: Batches
) -> TrainingState:
    """Put module, optimizer and random generators into the saved state, and return where the training stood.

    Raises
    ------
    InvalidInput
        A damaged file, or one of another training.
    """
    content = _read(path)
    if content["fingerprint"] != fingerprint:
        raise invalid(
            "checkpoint",
            "belong to this very run (data, constraint, seed, sizes)",
            f"{path.name} of another one",
            "Remove it, or name another file.",
        )
    module.load_state_dict(content["module"])
    optimizer.load_state_dict(content["optimizer"])
    batches.torch_rng.set_state(content["torch_rng"])
    batches.rng.bit_generator.state = content["rng"]
    state = content["state"]
    return TrainingState(
        **{**state, "penalties": tuple(state["penalties"]), "history": [tuple(e) for e in state["history"]]}
    )


def read_fingerprint(path: Path) -> str:
    """The fingerprint of the training that a checkpoint belongs to.

    Raises
    ------
    InvalidInput
        A file that no training wrote.
    """
    return str(_read(path)["fingerprint"])


def _read(path: Path) -> dict[str, Any]:
    try:
        content = torch.load(path, weights_only=True, map_location="cpu")
        content["fingerprint"]
    except Exception as problem:  # a damaged file fails anywhere inside torch
        raise invalid(
            "checkpoint", "be a file that a run wrote", f"{path.name} ({type(problem).__name__})", "Remove it."
        ) from None
    return content
