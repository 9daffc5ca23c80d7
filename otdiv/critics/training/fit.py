"""Train one critic: from two laws to a function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from torch import nn

from otdiv.critics.fitted import FittedCritic
from otdiv.critics.training.loop import Step, value_on
from otdiv.critics.training.options import Options
from otdiv.critics.training.problem import Start, Task
from otdiv.critics.training.progress import reporter
from otdiv.neural.checkpoint import fingerprint_of
from otdiv.neural.samples import Law

TRIALS = 0.3
"""Share of the steps in which all starts together are tried before the best one is trained in full."""


def fit_laws(
    laws: tuple[Law, Law],
    options: Options,
    *,
    network: nn.Module | None = None,
    checkpoint: Path | None = None,
    progress: bool | Callable[[Step], None] = False,
    band: Callable[[FittedCritic], tuple[float, float]] | None = None,
    watched: tuple[Law, Law] | None = None,
) -> FittedCritic:
    """Train a critic on two laws; parameters as :func:`otdiv.critics.fit`.

    On ``watched``, by default the laws themselves, starts are compared and plateaus seen: other points of the
    same laws keep a start that learns its points by heart from winning.
    """
    task = Task.of(laws, watched or laws, options, network)
    schedule = task.schedule
    best = _best_start(task, checkpoint)
    if len(task.starts()) > 1 and schedule.time_limit is not None:
        schedule = replace(schedule, time_limit=(1 - TRIALS) * schedule.time_limit)
    with reporter(progress, band, lambda module: task.finished(module, best)) as report:
        module, run = task.run(best, schedule, checkpoint, report)
    # the sign is fixed by the value: a distance is never negative
    value = value_on(module, task.fixed)
    return task.finished(module, replace(best, sign=1.0 if value >= 0 else -1.0), run)


def _best_start(task: Task, checkpoint: Path | None) -> Start:
    """The start with the largest value after a short trial; that of the checkpoint where there is one."""
    starts, schedule = task.starts(), task.schedule
    if len(starts) == 1:
        return starts[0]
    if checkpoint is not None and checkpoint.exists():  # trials against the clock may end otherwise a second time
        known = fingerprint_of(checkpoint)
        for start in starts:
            if task.fingerprint(start) == known:
                return start
    share, limit = TRIALS / len(starts), schedule.time_limit
    trial = replace(
        schedule,
        steps=max(1, round(share * schedule.steps)),
        time_limit=None if limit is None else share * limit,
        reports=1,
    )
    return max(starts, key=lambda start: task.run(start, trial)[1].history[-1][1])
