"""The file in which a training of generators saves itself, and from which it goes on."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from otdiv.core.validation import invalid
from otdiv.gans.models.base import GanState
from otdiv.gans.training.data import TrainingData
from otdiv.neural.torch_files import read_torch, write_torch

PARTS = {
    "fingerprint",
    "step",
    "networks",
    "optimizers",
    "memory",
    "rng",
    "own_generators",
    "history",
    "seconds",
    "before",
}


def fingerprint(state: GanState, data: TrainingData) -> str:
    """Identifies a training: its settings and its data."""
    digest = hashlib.sha256(json.dumps(asdict(state.settings), sort_keys=True).encode())
    digest.update(data.points.tobytes())
    return digest.hexdigest()


def save(
    path: Path,
    state: GanState,
    data: TrainingData,
    rng: torch.Generator,
    history: list[dict[str, float]],
    before: dict[str, Any],
    seconds: float,
) -> None:
    """Write everything that the training needs to go on."""
    content = {
        "fingerprint": fingerprint(state, data),
        "step": state.step,
        "networks": state.networks.state_dict(),
        "optimizers": {name: optimizer.state_dict() for name, optimizer in state.optimizers.items()},
        "memory": dict(state.memory),
        "rng": rng.get_state(),
        "own_generators": {name: own.get_state() for name, own in state.own_generators().items()},
        "history": json.dumps(history),
        "before": json.dumps(before),
        "seconds": float(seconds),
    }
    write_torch(path, content, "checkpoint")


def resume(
    path: Path, state: GanState, data: TrainingData, rng: torch.Generator
) -> tuple[GanState, list[dict[str, float]], dict[str, Any], float]:
    """Networks, optimizers and generator as saved; the state, the history, the first measures and the seconds.

    Raises
    ------
    InvalidInput
        A damaged file, or one of another training.
    """
    content = read_torch(path, PARTS, "checkpoint", "be a file that a training of generators wrote")
    if content["fingerprint"] != fingerprint(state, data):
        raise invalid(
            "checkpoint",
            "belong to this very training (data and settings)",
            f"{path.name} of another one",
            "Remove it, or name another file.",
        )
    try:
        step, seconds = content["step"], content["seconds"]
        if not (type(step) is int and 0 <= step <= state.settings.steps and 0 <= seconds < math.inf):
            raise ValueError("a place outside the schedule")
        state.networks.load_state_dict(content["networks"])
        if not all(bool(torch.isfinite(weight).all()) for weight in state.networks.state_dict().values()):
            raise ValueError("weights that are not finite")
        for name, optimizer in state.optimizers.items():
            optimizer.load_state_dict(content["optimizers"][name])
        state.memory.update({name: tensor.to(state.spec.device) for name, tensor in content["memory"].items()})
        rng.set_state(content["rng"])
        for name, own in state.own_generators().items():
            own.set_state(content["own_generators"][name])
        history, before = json.loads(content["history"]), json.loads(content["before"])
    except Exception as problem:  # what no run wrote fails in torch and json, each in its own way
        raise invalid(
            "checkpoint",
            "be a file that a training of generators wrote",
            f"{path.name} ({type(problem).__name__})",
            "Remove it.",
        ) from None
    return replace(state, step=step), history, before, seconds
