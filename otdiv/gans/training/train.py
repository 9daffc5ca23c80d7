"""Train a model of the GAN family on data, with the exact distance measured as it goes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from otdiv.core.devices import resolve_device
from otdiv.core.progress import Progress, ProgressEvent, reporting
from otdiv.core.validation import Array, check_choice, invalid
from otdiv.files.writing import require_writable
from otdiv.gans.fitted import FittedGenerator
from otdiv.gans.model_names import MODELS, GanSettings
from otdiv.gans.models.base import GanModel, GanSpec, GanState
from otdiv.gans.models.table import MODEL_BY_NAME
from otdiv.gans.training import checkpoint as checkpoints
from otdiv.gans.training.data import TrainingData, as_training_data
from otdiv.gans.training.quality import POINTS, RUNNING_POINTS, coverage, distance, judged, mode_points
from otdiv.gans.training.record import Snapshot, TrainingRecord
from otdiv.gans.training.scheduled_step import CHUNK, ScheduledSteps
from otdiv.neural.loop import Info, run_steps
from otdiv.neural.slopes import gradients_enabled

REPORTS = 20
"""Reports of a training; each costs an exact W1 of 500 points, and gives a point of the curves and of the film."""
GRID = 48
"""Points on a side of the grid on which a critic's level lines are drawn."""
FILM_POINTS = 400
"""Generated points in a picture of the film."""
REMEDY = "Pass smaller learning rates (rate=..., critic_rate=...)."
"""Against divergence."""
LEVELLED = ("critic", "discriminator", "energy")
"""Networks whose level lines are drawn, whichever a model has."""


def train(
    data: Any,
    model: str = "wgan-gp",
    *,
    shape: tuple[int, int, int] | None = None,
    reports: int = REPORTS,
    progress: Progress = False,
    checkpoint: str | Path | None = None,
    capture: bool | None = None,
    **settings: Any,
) -> TrainingRecord:
    """Train a generator, and judge it by exact distances.

    Parameters
    ----------
    data : str, ModalData or array_like [n, d]
        A name of :data:`otdiv.datasets.MODAL_DATA`, or points; points are standardised column by column for the
        training, a fifth of them is held out, and what is generated comes in their own units.
    model : str
        One of :data:`otdiv.gans.MODELS`.
    shape : tuple of int, optional
        (channels, height, width) where the points are images, with levels in [-1, 1].
    reports : int
        How often the running W1 is measured.
    progress : bool or callable
        True shows a line on standard error, a callable is given each :class:`otdiv.core.progress.ProgressEvent`.
    checkpoint : path, optional
        A file in which the training saves itself at each report, and from which it goes on where it is there.
    capture : bool, optional
        Whether a step is recorded once as a CUDA graph and replayed.  None: on a CUDA device, for every model whose
        step is work of the card alone, which is all but "exact-ot", whose plans are found on the CPU.  On the CPU a
        step runs one operation after the other.
    **settings
        Of :class:`otdiv.gans.GanSettings`: steps, batch, seed, device, width and so on.

    Returns
    -------
    TrainingRecord

    Raises
    ------
    InvalidInput
        An unknown name, setting or device, bad points, a checkpoint of another training.
    SolverFailed
        The training diverged.
    TooLarge
        Out of memory.

    Examples
    --------
    >>> record = train("ring8", "exact-ot", steps=20, plan=256, reports=1)
    >>> record.measures["w1"] < record.before["w1"]
    True
    """
    check_choice("model", model, MODELS)
    chosen = GanSettings.of(model, **settings)
    if not (isinstance(reports, int) and reports >= 1):
        raise invalid("reports", "be a positive integer", repr(reports), "Leave it out for 20.")
    if capture not in (None, True, False):
        raise invalid("capture", "be True, False or None", repr(capture), "Leave it out.")
    file = None if checkpoint is None else require_writable(checkpoint, "checkpoint")
    device = resolve_device(chosen.device, prefer_cuda=True)
    assert device is not None
    possible = MODEL_BY_NAME[model].capturable and torch.device(device).type == "cuda"
    if capture and not possible:
        needed = "be False or None where the step is not work of a CUDA device alone"
        raise invalid("capture", needed, f"True for {model!r} on {device!r}", "Leave it out.")
    points = as_training_data(data, chosen.seed, shape)
    chosen = GanSettings.of(model, points.d, **settings)
    with gradients_enabled():
        return _Training(points, chosen, device, reports, possible if capture is None else capture).run(progress, file)


class _Training:
    """One training: what its steps share."""

    def __init__(self, data: TrainingData, settings: GanSettings, device: str, reports: int, capture: bool) -> None:
        self.data, self.settings, self.device, self.capture = data, settings, device, capture
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

    def run(self, progress: Progress, file: Path | None) -> TrainingRecord:
        """From the first step, or from where the checkpoint stands, to the last."""
        state = self.model.initial(self.spec, torch.Generator().manual_seed(self.settings.seed))
        if file is not None and file.exists():
            state, self.history, self.before, spent = checkpoints.resume(file, state, self.data, self.rng)
            self.began -= spent
        else:
            self.before = self.measured(state)
        size = self.model.batch(self.settings)
        with reporting(progress) as show:

            def after_step(state: GanState, info: Info) -> GanState:
                if state.step % self.every == 0 or state.step == self.settings.steps:
                    event = self.report(state, info)
                    if show is not None:
                        show(event)
                    if file is not None:
                        seconds = time.monotonic() - self.began
                        checkpoints.save(file, state, self.data, self.rng, self.history, self.before, seconds)
                return state

            state = run_steps(
                self.recorded_steps() if self.capture else self.step,
                state,
                lambda: None if self.capture else self.batch(size),
                self.rng,
                finished=lambda state: state.step >= self.settings.steps,
                after_step=after_step,
                batch=size,
                remedy=REMEDY,
            )
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

    def step(self, state: GanState, real: Tensor | None, rng: torch.Generator) -> tuple[GanState, Info]:
        """One step of the model, and its values as numbers."""
        assert real is not None
        state, values = self.model.step(state, real, rng)
        return state, {name: float(value) for name, value in values.items()}

    def recorded_steps(self) -> Callable[[GanState, Tensor | None, torch.Generator], tuple[GanState, Info]]:
        """As :meth:`step`, for all steps up to the next report or wait; recorded before the first of them."""
        steps: ScheduledSteps | None = None

        def run(state: GanState, real: Tensor | None, rng: torch.Generator) -> tuple[GanState, Info]:
            nonlocal steps
            if steps is None:
                steps = ScheduledSteps(self.model, state, self.pool, rng, capture=True, remedy=REMEDY)
            left = min(self.every - state.step % self.every, self.settings.steps - state.step)
            return steps.run(state, min(CHUNK, left))

        return run

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
