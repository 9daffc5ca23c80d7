"""Train models of the GAN family on data, with the exact distance measured as they go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from otdiv.core.devices import training_device
from otdiv.core.progress import Progress, reporting
from otdiv.core.validation import check_choice, invalid
from otdiv.files.writing import require_writable
from otdiv.gans.model_names import MODELS, GanSettings
from otdiv.gans.models.table import MODEL_BY_NAME
from otdiv.gans.training.data import as_training_data
from otdiv.gans.training.measured_training import REMEDY, MeasuredTraining
from otdiv.gans.training.record import TrainingRecord
from otdiv.gans.training.together import AT_ONCE, run_together
from otdiv.neural.loop import run_steps
from otdiv.neural.slopes import gradients_enabled

REPORTS = 20
"""Reports of a training; each costs an exact W1 of 500 points, and gives a point of the curves and of the film."""


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
    seeds = [settings.pop("seed", 0)]
    [record] = _trained(data, model, seeds, shape, reports, progress, checkpoint, capture, settings)
    return record


def train_seeds(
    data: Any,
    model: str = "wgan-gp",
    seeds: int | Sequence[int] = 5,
    *,
    shape: tuple[int, int, int] | None = None,
    reports: int = REPORTS,
    progress: Progress = False,
    capture: bool | None = None,
    **settings: Any,
) -> list[TrainingRecord]:
    """Trainings of one model from several seeds: how much of a result is luck.

    On a CUDA device the recorded steps of up to eight of them run at once, each training in a stream of its own;
    elsewhere one training follows the other.  Each gives what :func:`train` gives with its seed.

    Parameters
    ----------
    data, model, shape, reports, progress, capture
        As of :func:`train`.
    seeds : int or sequence of int
        The seeds, or how many from 0 on.
    **settings
        Of :class:`otdiv.gans.GanSettings`, but for the seed.

    Returns
    -------
    list of TrainingRecord
        In the order of the seeds.  The ``seconds`` of trainings that ran at once are those of all of them.

    Raises
    ------
    InvalidInput, SolverFailed, TooLarge
        As :func:`train`.

    Examples
    --------
    >>> records = train_seeds("ring8", "gan-logd", seeds=[3, 7], steps=20, reports=1, device="cpu")
    >>> [record.settings.seed for record in records]
    [3, 7]
    """
    return list(trained_seeds(data, model, seeds, shape, reports, progress, capture, settings))


def trained_seeds(
    data: Any,
    model: str,
    seeds: int | Sequence[int],
    shape: tuple[int, int, int] | None,
    reports: int,
    progress: Progress,
    capture: bool | None,
    settings: dict[str, Any],
) -> Iterator[TrainingRecord]:
    """As :func:`train_seeds`, each record as soon as its training has ended."""
    chosen = list(range(seeds)) if isinstance(seeds, int) else list(seeds) if isinstance(seeds, Iterable) else []
    if not chosen or seeds is True or len(set(chosen)) < len(chosen) or not all(type(seed) is int for seed in chosen):
        raise invalid("seeds", "be a positive integer or different integers", repr(seeds), "Pass 5 for 0 to 4.")
    if "seed" in settings:
        raise invalid("seed", "be left out", repr(settings["seed"]), "Pass seeds=[...], all of them.")
    return _trained(data, model, chosen, shape, reports, progress, None, capture, settings)


def _trained(
    data: Any,
    model: str,
    seeds: list[Any],
    shape: tuple[int, int, int] | None,
    reports: int,
    progress: Progress,
    checkpoint: str | Path | None,
    capture: bool | None,
    settings: dict[str, Any],
) -> Iterator[TrainingRecord]:
    """Check everything, then run the trainings: at once where their steps are recorded, else in turn."""
    check_choice("model", model, MODELS)
    chosen = [GanSettings.of(model, **settings, seed=seed) for seed in seeds]
    if not (isinstance(reports, int) and reports >= 1):
        raise invalid("reports", "be a positive integer", repr(reports), "Leave it out for 20.")
    if capture not in (None, True, False):
        raise invalid("capture", "be True, False or None", repr(capture), "Leave it out.")
    file = None if checkpoint is None else require_writable(checkpoint, "checkpoint")
    device = training_device(chosen[0].device)
    possible = MODEL_BY_NAME[model].capturable and torch.device(device).type == "cuda"
    if capture and not possible:
        needed = "be False or None where the step is not work of a CUDA device alone"
        raise invalid("capture", needed, f"True for {model!r} on {device!r}", "Leave it out.")
    recorded = possible if capture is None else capture
    together = AT_ONCE if recorded else 1

    def run(group: list[GanSettings]) -> list[TrainingRecord]:
        with gradients_enabled(), reporting(progress) as show:
            trainings = []
            for one in group:
                points = as_training_data(data, one.seed, shape)
                fitting = GanSettings.of(model, points.d, **settings, seed=one.seed)
                trainings.append(MeasuredTraining(points, fitting, device, reports, show, file))
            return run_together(trainings) if recorded else [_run(*trainings)]

    groups = [chosen[first : first + together] for first in range(0, len(chosen), together)]
    return (record for group in groups for record in run(group))


def _run(training: MeasuredTraining) -> TrainingRecord:
    """All steps of one training, one operation after the other."""
    size = training.model.batch(training.settings)
    state = run_steps(
        training.step,
        training.begin(),
        lambda: training.batch(size),
        training.rng,
        finished=training.finished,
        after_step=training.after_step,
        batch=size,
        remedy=REMEDY,
    )
    return training.record(state)
