"""Where a run stands: its schedule, its progress, and the file that keeps both.

Imports laws and below.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from otdiv.critics.laws import Batches
from otdiv.errors import invalid

REPORTS = 40
"""How often a run reports, saves itself and looks for a plateau, unless the schedule says otherwise."""
PATIENCE, PATIENCE_WITH_PENALTY = 5, 10
"""So many reports without a gain make a plateau; a penalty is known with noise only, which asks for more."""
COOLING = 5.0
"""On a plateau the schedule runs this much faster, so that learning rate and softness still end at 0."""


@dataclass(frozen=True)
class Schedule:
    """How long and how fast.

    Attributes
    ----------
    steps : int
        Most steps; fewer on a plateau.
    rate : float
        First learning rate; falls to 0 as a cosine.
    weight : float
        lambda, in units of the training.
    time_limit : float or None
        Seconds; the schedule is then run through in that time at the latest, and a seed no longer repeats a run.
    early_stop : bool
        Whether a plateau speeds the schedule up.
    reports : int
        How often progress is measured.
    """

    steps: int
    rate: float
    weight: float
    time_limit: float | None = None
    early_stop: bool = True
    reports: int = REPORTS


@dataclass(frozen=True)
class Progress:
    """Where a run stands; everything that a checkpoint keeps beside weights and generators."""

    step: int = 0
    progress: float = 0.0
    pace: float = 1.0
    seconds: float = 0.0
    best: float = -math.inf
    since_best: int = 0
    penalties: tuple[float, int] = (0.0, 0)
    history: list[tuple[int, float, float]] = field(default_factory=list)

    def after(self, penalty: float, seconds: float, schedule: Schedule) -> Progress:
        progress = self.progress + self.pace / schedule.steps
        if schedule.time_limit is not None:
            progress = max(progress, seconds / schedule.time_limit)
        if progress > 1 - 1e-9:
            progress = 1.0
        penalties = (self.penalties[0] + penalty, self.penalties[1] + 1)
        return replace(self, step=self.step + 1, progress=progress, seconds=seconds, penalties=penalties)

    def reported(self, value: float, early_stop: bool) -> Progress:
        entry = (self.step, value, self.penalties[0] / self.penalties[1])
        objective = entry[1] - entry[2]
        patience = PATIENCE if entry[2] == 0.0 else PATIENCE_WITH_PENALTY
        better = self.best == -math.inf or objective > self.best + 1e-4 * abs(self.best)
        since = 0 if better else self.since_best + 1
        pace = COOLING if early_stop and since >= patience else self.pace
        return replace(
            self,
            best=max(self.best, objective),
            since_best=since,
            pace=pace,
            penalties=(0.0, 0),
            history=[*self.history, entry],
        )


def save(
    path: Path,
    fingerprint: str,
    state: Progress,
    module: nn.Module,
    optimizer: torch.optim.Optimizer,
    batches: Batches,
) -> None:
    content: dict[str, Any] = {
        "fingerprint": fingerprint,
        "state": {name: getattr(state, name) for name in state.__dataclass_fields__},
        "module": module.state_dict(),
        "optimizer": optimizer.state_dict(),
        "torch_rng": batches.torch_rng.get_state(),
        "rng": batches.rng.bit_generator.state,
    }
    part = path.with_name(path.name + ".part")
    torch.save(content, part)
    part.replace(path)  # a run cut off while writing leaves the former checkpoint


def resume(
    path: Path, fingerprint: str, module: nn.Module, optimizer: torch.optim.Optimizer, batches: Batches
) -> Progress:
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
    return Progress(
        **{**state, "penalties": tuple(state["penalties"]), "history": [tuple(e) for e in state["history"]]}
    )


def fingerprint_of(path: Path) -> str:
    """Which run a checkpoint belongs to.

    Raises
    ------
    InvalidInput
        A file that no run wrote.
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
