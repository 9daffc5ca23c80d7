"""Train one critic: from two laws to a function.

Imports task, progress and below.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from torch import nn

from otdiv.critics.fitted import FittedCritic
from otdiv.critics.laws import Law
from otdiv.critics.options import Options
from otdiv.critics.progress import reporter
from otdiv.critics.task import Task
from otdiv.critics.training import Step, value_on

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
    starts, schedule = task.starts(), task.schedule
    best = starts[0]
    if len(starts) > 1:
        share, limit = TRIALS / len(starts), schedule.time_limit
        trial = replace(
            schedule,
            steps=max(1, round(share * schedule.steps)),
            time_limit=None if limit is None else share * limit,
            reports=1,
        )
        best = max(starts, key=lambda start: task.run(start, trial)[1].history[-1][1])
        if limit is not None:
            schedule = replace(schedule, time_limit=(1 - TRIALS) * limit)
    with reporter(progress, band, lambda module: task.finished(module, best)) as report:
        module, run = task.run(best, schedule, checkpoint, report)
    # the sign is fixed by the value: a distance is never negative
    value = value_on(module, task.fixed)
    return task.finished(module, replace(best, sign=1.0 if value >= 0 else -1.0), run)
