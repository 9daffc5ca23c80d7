"""How a critic is trained.

maximise  sign (sum a h(x) - sum b h(y)) - lambda E[penalty(|grad h|)]  over the weights of h
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from otdiv.critics.architecture import Initialization
from otdiv.critics.training.checkpoint import resume_checkpoint, save_checkpoint
from otdiv.critics.training.problem import TrainingProblem
from otdiv.critics.training.schedule import Schedule, TrainingRun, TrainingState
from otdiv.neural.batches import SignedSample
from otdiv.neural.constraints import Constraint
from otdiv.neural.loop import Info, cosine, run_steps
from otdiv.neural.minmax import SemiDiscreteNetwork, anneal
from otdiv.neural.slopes import draw_between, gradient_norms

Report = Callable[[TrainingState, nn.Module], None]
"""Called with the state, in units of the training, and the module as it stands."""


def run_schedule(
    problem: TrainingProblem,
    initialization: Initialization,
    schedule: Schedule,
    *,
    report: Report | None = None,
    checkpoint: Path | None = None,
) -> tuple[nn.Module, TrainingRun]:
    """Train one network from its initial weights to the end of a schedule.

    Parameters
    ----------
    problem : TrainingProblem
        Progress is measured on its validation points: always the same ones, so that no noise of batches
        hides a plateau.
    initialization : Initialization
    schedule : Schedule
    report : callable, optional
        Called ``schedule.reports`` times.
    checkpoint : Path, optional
        Where to save the training, and to resume it from if the file is there.

    Raises
    ------
    SolverFailed
        A value that is no longer finite.
    TooLarge
        Out of memory.
    InvalidInput
        A checkpoint of another training.
    """
    schedule = problem.schedule_of(initialization, schedule)
    constraint, sizes, sign = problem.options.constraint, problem.options.sizes, initialization.sign
    module, batches, validation = (
        problem.build_network(initialization),
        problem.new_batches(),
        problem.validation_sample,
    )
    fingerprint = problem.fingerprint(initialization)
    optimizer = torch.optim.Adam([p for p in module.parameters() if p.requires_grad], lr=schedule.rate)
    state = TrainingState()
    if checkpoint is not None and checkpoint.exists():
        state = resume_checkpoint(checkpoint, fingerprint, module, optimizer, batches)
    began = time.monotonic() - state.seconds
    every = max(1, schedule.steps // schedule.reports)

    def step(state: TrainingState, batch: SignedSample, rng: torch.Generator) -> tuple[TrainingState, Info]:
        _set_rate(optimizer, module, schedule.rate, state.share)
        value, penalty = _one_step(module, constraint, optimizer, batch, rng, problem.scaled_weight, sign)
        return state, {"value": value, "penalty": penalty}

    def after_step(state: TrainingState, info: Info) -> TrainingState:
        constraint.project(module, sizes)
        state = state.advance(info["penalty"], time.monotonic() - began, schedule)
        if state.step % every == 0 or state.share >= 1.0:
            state = state.record(sign * value_on(module, validation), schedule.early_stop)
            if report is not None:
                report(state, module)
            if checkpoint is not None:
                save_checkpoint(checkpoint, fingerprint, state, module, optimizer, batches)
        return state

    state = run_steps(
        step,
        state,
        batches,
        batches.torch_rng,
        finished=lambda state: state.share >= 1.0,
        after_step=after_step,
        batch=batches.batch,
        remedy=against_divergence(schedule),
    )
    return training_run(module, constraint, state, schedule)


def training_run(
    module: nn.Module, constraint: Constraint, state: TrainingState, schedule: Schedule
) -> tuple[nn.Module, TrainingRun]:
    """The module at the end of its schedule, projected for the last time, and how the training went."""
    if constraint.at_end is not None:
        constraint.at_end(module)
    anneal(module, 1.0)
    late = schedule.time_limit is not None and state.seconds >= schedule.time_limit
    stopped = "time limit" if late else "plateau" if state.pace > 1 else "schedule"
    return module, TrainingRun(state.history, state.step, state.seconds, stopped)


def against_divergence(schedule: Schedule) -> str:
    """What to do where values are no longer finite."""
    return f"Pass a smaller learning rate than {schedule.rate:g} (rate=...), or another constraint."


def _one_step(
    module: nn.Module,
    constraint: Constraint,
    optimizer: torch.optim.Optimizer,
    batch: SignedSample,
    rng: torch.Generator,
    weight: float,
    sign: float,
) -> tuple[float, float]:
    """One step of the optimizer; the value and the penalty before it."""
    if isinstance(module, SemiDiscreteNetwork):
        value = module.dual(batch.x, batch.a) if sign > 0 else module.dual(batch.y, batch.b)
    else:
        value = sign * (batch.w @ module(batch.z).reshape(-1).double())
    penalty = value.new_zeros(())
    if constraint.penalty is not None:
        norms = gradient_norms(module, draw_between(batch, rng), create_graph=True)
        penalty = weight * constraint.penalty(norms.double()).mean()
    optimizer.zero_grad(set_to_none=True)
    (penalty - value).backward()
    optimizer.step()
    return float(value.detach()), float(penalty.detach())


@torch.no_grad()
def value_on(module: nn.Module, sample: SignedSample) -> float:
    """sum a h(x) - sum b h(y), summed in float64."""
    return float(sample.w @ module(sample.z).reshape(-1).double())


def _set_rate(optimizer: torch.optim.Optimizer, module: nn.Module, rate: float, share: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate * cosine(share)
    anneal(module, share)
