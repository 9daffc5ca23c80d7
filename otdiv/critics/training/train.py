"""Train one critic: choose an initialization by short trials, then train it in full."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from otdiv.core.progress import Progress
from otdiv.critics.architecture import Initialization
from otdiv.critics.fitted import FittedCritic
from otdiv.critics.training.loop import run_schedule, value_on
from otdiv.critics.training.problem import TrainingProblem
from otdiv.critics.training.progress import Band, reporting_steps
from otdiv.files.writing import require_writable
from otdiv.neural.checkpoint import read_fingerprint

TRIAL_SHARE = 0.3
"""Share of the steps that all trials of initializations take together; a larger one chooses better and trains less."""


def train(
    problem: TrainingProblem,
    *,
    checkpoint: str | Path | None = None,
    progress: Progress = False,
    band: Band | None = None,
) -> FittedCritic:
    """Train a critic.

    Parameters
    ----------
    problem : TrainingProblem
    checkpoint : path, optional
        A file in which the training saves itself, and from which it goes on where the file exists.
    progress : bool or callable
        As :func:`otdiv.critics.fit`.
    band : callable, optional
        Critic -> (lower, upper): the interval that it proves as it stands, for the reports.

    Returns
    -------
    FittedCritic
        Its sign is the one that makes its value on the validation points positive.

    Raises
    ------
    InvalidInput, SolverFailed, TooLarge
        As :func:`otdiv.critics.training.loop.run_schedule`.
    """
    file = None if checkpoint is None else require_writable(checkpoint, "checkpoint")
    schedule = problem.options.schedule
    best = _best_initialization(problem, file)
    if len(problem.initializations) > 1 and schedule.time_limit is not None:
        schedule = replace(schedule, time_limit=(1 - TRIAL_SHARE) * schedule.time_limit)
    with reporting_steps(progress, problem, best, band) as report:
        module, run = run_schedule(problem, best, schedule, report=report, checkpoint=file)
    value = value_on(module, problem.validation_sample)
    return problem.fitted(module, replace(best, sign=1.0 if value >= 0 else -1.0), run)


def _best_initialization(problem: TrainingProblem, checkpoint: Path | None) -> Initialization:
    """The one with the largest value after a short trial; that of the checkpoint where there is one."""
    candidates, schedule = problem.initializations, problem.options.schedule
    if len(candidates) == 1:
        return candidates[0]
    if checkpoint is not None and checkpoint.exists():  # trials under a time limit may end otherwise a second time
        known = read_fingerprint(checkpoint)
        for candidate in candidates:
            if problem.fingerprint(candidate) == known:
                return candidate
    share, limit = TRIAL_SHARE / len(candidates), schedule.time_limit
    trial = replace(
        schedule,
        steps=max(1, round(share * schedule.steps)),
        time_limit=None if limit is None else share * limit,
        reports=1,
    )
    values = [run_schedule(problem, candidate, trial)[1].history[-1][1] for candidate in candidates]
    return candidates[values.index(max(values))]
