"""One training of the GAN family, with the exact distance measured between its steps."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from otdiv.core.progress import ProgressEvent
from otdiv.core.validation import Array
from otdiv.gans.fitted import FittedGenerator
from otdiv.gans.model_names import GanSettings
from otdiv.gans.models.base import GanModel, GanSpec, GanState
from otdiv.gans.models.table import MODEL_BY_NAME
from otdiv.gans.training import checkpoint as checkpoints
from otdiv.gans.training.data import TrainingData
from otdiv.gans.training.quality import POINTS, RUNNING_POINTS, coverage, distance, judged, mode_points
from otdiv.gans.training.record import Snapshot, TrainingRecord
from otdiv.gans.training.scheduled_step import ScheduledSteps
from otdiv.neural.loop import Info

GRID = 48
"""Points on a side of the grid on which a critic's level lines are drawn."""
FILM_POINTS = 400
"""Generated points in a picture of the film."""
REMEDY = "Pass smaller learning rates (rate=..., critic_rate=...)."
"""Against divergence."""
LEVELLED = ("critic", "discriminator", "energy")
"""Networks whose level lines are drawn, whichever a model has."""


class MeasuredTraining:
    """One training: what its steps share, and what is measured between them.

    Parameters
    ----------
    data : TrainingData
    settings : GanSettings
    device : str
    reports : int
        How often the running W1 is measured.
    show : callable or None
        Given each report.
    file : Path or None
        The checkpoint.
    """

    def __init__(
        self,
        data: TrainingData,
        settings: GanSettings,
        device: str,
        reports: int,
        show: Callable[[ProgressEvent], object] | None = None,
        file: Path | None = None,
    ) -> None:
        self.data, self.settings, self.device, self.show, self.file = data, settings, device, show, file
        self.model: GanModel = MODEL_BY_NAME[settings.model]
        self.every = max(1, settings.steps // reports)
        self.spec = GanSpec(settings, data.d, data.shape, device, data.size, data.training_unit)
        self.pool = data.pool(device)
        self.rng = torch.Generator(device).manual_seed(settings.seed)
        self.reference = data.reference(RUNNING_POINTS, np.random.default_rng([settings.seed, 14]))
        other = data.fresh(RUNNING_POINTS, np.random.default_rng([settings.seed, 19]))
        self.running_floor = distance(other, data, self.reference)
        self.history: list[dict[str, float]] = []
        self.snapshots: list[Snapshot] = []
        self.before: dict[str, Any] = {}
        self.began = time.monotonic()

    def begin(self) -> GanState:
        """The state before the first step, or as the checkpoint has it."""
        state = self.model.initial(self.spec, torch.Generator().manual_seed(self.settings.seed))
        if self.file is not None and self.file.exists():
            state, self.history, self.before, spent = checkpoints.resume(self.file, state, self.data, self.rng)
            self.began -= spent
        else:
            self.before = self.measured(state)
        return state

    def finished(self, state: GanState) -> bool:
        """Whether all steps are done."""
        return state.step >= self.settings.steps

    def steps_to_report(self, state: GanState) -> int:
        """Steps up to the next report."""
        return min(self.every - state.step % self.every, self.settings.steps - state.step)

    def after_step(self, state: GanState, info: Info) -> GanState:
        """Report and save, where it is time for it."""
        if state.step % self.every == 0 or self.finished(state):
            event = self.report(state, info)
            if self.show is not None:
                self.show(event)
            if self.file is not None:
                seconds = time.monotonic() - self.began
                checkpoints.save(self.file, state, self.data, self.rng, self.history, self.before, seconds)
        return state

    def step(self, state: GanState, real: Tensor, rng: torch.Generator) -> tuple[GanState, Info]:
        """One step of the model, and its values as numbers."""
        state, values = self.model.step(state, real, rng)
        return state, {name: float(value) for name, value in values.items()}

    def scheduled_steps(self, state: GanState, *, capture: bool, stream: torch.cuda.Stream | None) -> ScheduledSteps:
        """The steps from this state on, as a graphics card records them."""
        remedy = REMEDY if stream is None else f"It is the training of seed {self.settings.seed}. {REMEDY}"
        return ScheduledSteps(self.model, state, self.pool, self.rng, capture=capture, remedy=remedy, stream=stream)

    def record(self, state: GanState) -> TrainingRecord:
        """The finished training, measured."""
        if self.model.finish is not None:
            self.model.finish(state)
        seconds = time.monotonic() - self.began
        real = self.data.fresh(POINTS, np.random.default_rng([self.settings.seed, 15]))
        return TrainingRecord(
            self.data.name,
            self.settings,
            self.history,
            self.measured(state),
            self.before,
            seconds,
            self.device,
            self.fitted(state),
            self.snapshots,
            real,
            self.running_floor,
        )

    def batch(self, size: int) -> Tensor:
        """Real points [size, d] in units of the training, with replacement."""
        rows = torch.randint(len(self.pool), (size,), generator=self.rng, device=self.device)
        return self.pool[rows]

    def fitted(self, state: GanState) -> FittedGenerator:
        """The generator as it stands."""
        return FittedGenerator(state, self.data.mean, self.data.scale)

    def measured(self, state: GanState) -> dict[str, Any]:
        """All measures of the generator as it stands; none of them moves the training's random generator."""
        n = POINTS if self.data.modal is None else mode_points(self.data.modal)
        found = judged(self.fitted(state).sample(n, np.random.default_rng([self.settings.seed, 16])), self.data, 0)
        own = torch.Generator(self.device).manual_seed(self.settings.seed + 17)
        real = self.pool[torch.randint(len(self.pool), (POINTS,), generator=own, device=self.device)]
        return found | self.model.measures(state, real, own)

    def report(self, state: GanState, info: Info) -> ProgressEvent:
        """Measure the running W1, and JS where modes are known; keep a picture of points in the plane."""
        points = self.fitted(state).sample(RUNNING_POINTS, np.random.default_rng([self.settings.seed, 18]))
        entry: dict[str, float] = {"step": state.step, "seconds": time.monotonic() - self.began, **info}
        entry["w1"] = distance(points, self.data, self.reference)
        if self.data.modal is not None and self.data.modal.modes <= RUNNING_POINTS // 10:
            modes = coverage(points, self.data.modal)
            entry |= {"js": float(modes.js), "modes": modes.modes_captured}
        self.history.append(entry)
        if self.data.d == 2:
            self.snapshots.append(self.snapshot(state, points[:FILM_POINTS]))
        shown = {name: value for name, value in entry.items() if name != "seconds"}
        return ProgressEvent("training", entry["seconds"], share=state.share, counts=shown)

    def snapshot(self, state: GanState, points: Array) -> Snapshot:
        """Points and the critic's levels on a grid around the real ones."""
        low, high = self.data.points.min(axis=0), self.data.points.max(axis=0)
        margin = 0.15 * (high - low)
        (left, bottom), (right, top) = low - margin, high + margin
        levels = None
        for name in LEVELLED:
            if name in state.networks:
                u, v = np.meshgrid(np.linspace(left, right, GRID), np.linspace(bottom, top, GRID))
                grid = self.data.to_training(np.column_stack([u.ravel(), v.ravel()]))
                with torch.no_grad():
                    values = state.networks[name](torch.from_numpy(grid).float().to(self.device))
                levels = values.double().cpu().numpy().reshape(GRID, GRID)
        return Snapshot(state.step, points, levels, (left, right, bottom, top))
