"""The file in which a training saves itself, and from which it goes on."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
from torch import nn

from otdiv.core.validation import invalid
from otdiv.critics.training.schedule import COOLING, TrainingState
from otdiv.errors import InvalidInput
from otdiv.neural.batches import Batches
from otdiv.neural.torch_files import read_torch, write_torch

_PARTS = {"fingerprint", "state", "module", "optimizer", "torch_rng", "rng"}


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
        "rng": batches.rng_state,
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
    try:
        state = _checked_state(content["state"])
        _require_like(optimizer, content["optimizer"])
        module.load_state_dict(content["module"])
        if not all(bool(torch.isfinite(weight).all()) for weight in module.state_dict().values()):
            raise ValueError("weights that are not finite")
        optimizer.load_state_dict(content["optimizer"])
        batches.resume(content["rng"], content["torch_rng"], state.step)
    except Exception as problem:  # what no run wrote fails in torch and numpy, each in its own way
        raise _damaged(path, problem) from None
    return state


def _checked_state(content: Any) -> TrainingState:
    """Where the training stood; every part of the right kind and in its range."""
    state = TrainingState(
        **{**content, "penalties": tuple(content["penalties"]), "history": [tuple(e) for e in content["history"]]}
    )
    counts = [state.step, state.since_best, state.penalties[1], *(entry[0] for entry in state.history)]
    numbers = [state.share, state.pace, state.seconds, state.penalties[0]]
    numbers += [number for entry in state.history for number in entry[1:]]
    if not all(type(count) is int and 0 <= count < 2**53 for count in counts):
        raise ValueError("a count that is none")
    if not all(type(number) is float and math.isfinite(number) for number in numbers):
        raise ValueError("a number that is none")
    if not (0 <= state.share <= 1 and 1 <= state.pace <= COOLING and state.seconds >= 0):
        raise ValueError("a place outside the schedule")
    if type(state.best) is not float or math.isnan(state.best) or not all(len(entry) == 3 for entry in state.history):
        raise ValueError("a history that is none")
    return state


def _require_like(optimizer: torch.optim.Optimizer, content: Any) -> None:
    """Refuse a state of other parameters than this optimizer's, or of other settings than its own but for the rate."""
    fresh = optimizer.state_dict()["param_groups"]
    for group, saved in zip(fresh, content["param_groups"], strict=True):
        same = {name: value for name, value in group.items() if name not in ("lr", "initial_lr")}
        if {name: saved[name] for name in same} != same or set(saved) - {"initial_lr"} != set(group):
            raise ValueError("other settings of the optimizer")
        if type(saved["lr"]) is not float or not 0 <= saved["lr"] <= group["lr"]:
            raise ValueError("another rate")
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for k, averages in content["state"].items():
        if set(averages) != {"step", "exp_avg", "exp_avg_sq"} or averages["step"].shape != ():
            raise ValueError("other averages of the optimizer")
        for name in ("exp_avg", "exp_avg_sq"):
            if averages[name].shape != parameters[k].shape or averages[name].dtype != parameters[k].dtype:
                raise ValueError("averages of another size")
        if not all(bool(torch.isfinite(value).all()) for value in averages.values()) or averages["step"] < 1:
            raise ValueError("averages that are not finite")
        if bool((averages["exp_avg_sq"] < 0).any()):
            raise ValueError("averages of squares that are negative")


def read_fingerprint(path: Path) -> str:
    """The fingerprint of the training that a checkpoint belongs to.

    Raises
    ------
    InvalidInput
        A file that no training wrote.
    """
    return str(_read(path)["fingerprint"])


def _read(path: Path) -> dict[str, Any]:
    content = read_torch(path, _PARTS, "checkpoint", "be a file that a run wrote")
    if type(content["fingerprint"]) is not str:
        raise _damaged(path, ValueError("another fingerprint"))
    return content


def _damaged(path: Path, problem: Exception) -> InvalidInput:
    return invalid("checkpoint", "be a file that a run wrote", f"{path.name} ({type(problem).__name__})", "Remove it.")
