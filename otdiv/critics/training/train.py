"""Train critics: choose an initialization of each by short trials, then train it in full.

On a graphics card all seeds and initializations of one call are trained together.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

from torch import nn

from otdiv.core.progress import Progress
from otdiv.core.validation import invalid
from otdiv.critics.architecture import Initialization
from otdiv.critics.fitted import FittedCritic
from otdiv.critics.training.checkpoint import read_fingerprint
from otdiv.critics.training.drawn_ahead import POOL_ENTRIES, DrawnAhead
from otdiv.critics.training.loop import run_schedule, run_trials, value_on
from otdiv.critics.training.problem import TrainingProblem
from otdiv.critics.training.progress import Band, reporting_steps
from otdiv.critics.training.schedule import Schedule, TrainingRun
from otdiv.critics.training.together import MOST_STEPS, run_together
from otdiv.files.writing import require_writable

TRIAL_SHARE = 0.4
"""Share of the steps that all trials of initializations take together; a larger one chooses better and trains less."""

HEAD_START = 0.8
"""Share of the value of an exact start in its trial with which a contracted one is preferred: the one begins with the
potential of a sample and has little to gain, the other begins from nothing and ends higher where features are many."""

CLOSE = 0.95
"""Share of the largest value from which an exact start counts as the best one: where both a random and an exact start
find no feature they end alike."""


def train(
    problems: list[TrainingProblem],
    *,
    checkpoint: str | Path | None = None,
    progress: Progress = False,
    band: Band | None = None,
    together: bool | None = None,
) -> list[FittedCritic]:
    """Train critics on the same distributions, which differ in their seeds.

    Parameters
    ----------
    problems : list of TrainingProblem
        Of the same distributions and options but for the seed.
    checkpoint : path, optional
        A file in which the training saves itself, and from which it goes on where the file exists; for one problem.
    progress : bool or callable
        As :func:`otdiv.critics.fit`; of trainings that run together the first one is reported.
    band : callable, optional
        Critic -> (lower, upper): the interval that it proves as it stands, for the reports.
    together : bool, optional
        Whether one step serves all of them; by default on CUDA, and where the draws are limited, for networks that the
        constraint builds, without a checkpoint.

    Returns
    -------
    list of FittedCritic
        The sign of each is the one that makes its value on the validation points positive.

    Raises
    ------
    InvalidInput, SolverFailed, TooLarge
        As :func:`otdiv.critics.training.loop.run_schedule`; InvalidInput also for limited draws beside a network of the
        caller or a checkpoint.
    """
    if together is None:
        limited = problems[0].options.draws is not None
        possible = checkpoint is None and all(problem.network is None for problem in problems)
        if limited and not possible:
            what = "your own network" if checkpoint is None else "a checkpoint"
            raise invalid(
                "draws", f"be left out beside {what}", f"draws = {problems[0].options.draws}", "Leave it out."
            )
        together = possible and (limited or problems[0].device.startswith("cuda"))
    if together:
        return _train_together(problems, progress, band)
    return [_train_one(problem, checkpoint, progress, band) for problem in problems]


def _train_one(
    problem: TrainingProblem, checkpoint: str | Path | None, progress: Progress, band: Band | None
) -> FittedCritic:
    file = None if checkpoint is None else require_writable(checkpoint, "checkpoint")
    schedule = problem.options.schedule
    candidates = problem.initializations
    best = candidates[0] if len(candidates) == 1 else _begun(candidates, problem, file)
    if best is None:
        best = _preferred(run_trials(problem, candidates, _trial(schedule, len(candidates))))
    schedule = _after_trials(schedule, len(candidates))
    with reporting_steps(progress, problem, best, band) as report:
        module, run = run_schedule(problem, best, schedule, report=report, checkpoint=file)
    return _signed(problem, best, module, run)


def _train_together(problems: list[TrainingProblem], progress: Progress, band: Band | None) -> list[FittedCritic]:
    first = problems[0]
    schedule, candidates = first.options.schedule, first.initializations
    samplers = [one for one in first.distributions if one.measure is None]
    batch = first.batch
    needed = batch * math.ceil((1 + TRIAL_SHARE) * schedule.steps)
    most = min(needed, max(batch, POOL_ENTRIES // first.d) if first.options.draws is None else first.options.draws)
    block = min(most, batch * min(MOST_STEPS, max(1, schedule.steps // schedule.reports)))
    drawing = DrawnAhead(
        samplers, first.standardizer, block=block, most=most, seed=first.options.seed, device=first.device
    )
    with drawing as drawn:
        best = [candidates[0]] * len(problems)
        if len(candidates) > 1:
            tried = [(problem, candidate) for problem in problems for candidate in candidates]
            trials = run_together(tried, _trial(schedule, len(candidates)), drawn)
            values = [(run.history[-1][1], one) for (_, one), (_, run) in zip(tried, trials, strict=True)]
            for k in range(len(problems)):
                best[k] = _preferred(values[k * len(candidates) : (k + 1) * len(candidates)])
        with reporting_steps(progress, first, best[0], band) as report:
            chosen = list(zip(problems, best, strict=True))
            runs = run_together(chosen, _after_trials(schedule, len(candidates)), drawn, report=report)
    uses = needed / most if samplers else None
    return [replace(_signed(*pair, *run), uses=uses) for pair, run in zip(chosen, runs, strict=True)]


def _begun(
    candidates: list[Initialization], problem: TrainingProblem, checkpoint: Path | None
) -> Initialization | None:
    """The initialization of the checkpoint, where there is one: trials under a time limit may end otherwise again."""
    if checkpoint is None or not checkpoint.exists():
        return None
    known = read_fingerprint(checkpoint)
    return next((one for one in candidates if problem.fingerprint(one) == known), None)


def _trial(schedule: Schedule, candidates: int) -> Schedule:
    share, limit = TRIAL_SHARE / candidates, schedule.time_limit
    steps = max(1, round(share * schedule.steps))
    return replace(schedule, steps=steps, time_limit=None if limit is None else share * limit, reports=1)


def _after_trials(schedule: Schedule, candidates: int) -> Schedule:
    if candidates == 1 or schedule.time_limit is None:
        return schedule
    return replace(schedule, time_limit=(1 - TRIAL_SHARE) * schedule.time_limit)


def _preferred(trials: list[tuple[float, Initialization]]) -> Initialization:
    """The initialization to train in full, by the values that the trials reached."""
    ranked = sorted(trials, key=lambda one: -one[0])
    value, best = ranked[0]
    exact, contracted = (
        next((one for one in ranked if one[1].kind == kind), (-math.inf, None)) for kind in ("exact", "contracted")
    )
    if exact[0] >= CLOSE * value > 0 and contracted[0] >= HEAD_START * value and contracted[1] is not None:
        return contracted[1]
    return best


def _signed(problem: TrainingProblem, best: Initialization, module: nn.Module, run: TrainingRun) -> FittedCritic:
    value = value_on(module, problem.validation_sample)
    return problem.fitted(module, replace(best, sign=1.0 if value >= 0 else -1.0), run)
