"""The one training loop of every critic.

maximise  sign (sum a h(x) - sum b h(y)) - lambda E[penalty(|grad h|)]  over the weights of h
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from otdiv.critics.architecture import Initialization
from otdiv.critics.training.problem import TrainingProblem
from otdiv.errors import SolverFailed, TooLarge
from otdiv.neural.batches import Batches, SignedSample
from otdiv.neural.checkpoint import resume_checkpoint, save_checkpoint
from otdiv.neural.constraints import Constraint
from otdiv.neural.minmax import SemiDiscreteNetwork, anneal
from otdiv.neural.schedule import Schedule, TrainingRun, TrainingState

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
    while state.share < 1.0:
        _set_rate(optimizer, module, schedule.rate, state.share)
        try:
            value, penalty = _one_step(module, constraint, optimizer, batches, problem.scaled_weight, sign)
        except torch.OutOfMemoryError as error:
            raise _out_of_memory(batches, error) from None
        except RuntimeError as error:
            if "alloc" in str(error):
                raise _out_of_memory(batches, error) from None
            raise
        if not math.isfinite(value + penalty):
            raise SolverFailed(
                f"the training diverged: at step {state.step} the critic's value is {value} and its penalty {penalty}. "
                f"Pass a smaller learning rate than {schedule.rate:g} (rate=...), or another constraint."
            )
        if constraint.after_step is not None:
            constraint.after_step(module, sizes)
        state = state.advance(penalty, time.monotonic() - began, schedule)
        if state.step % every == 0 or state.share >= 1.0:
            state = state.record(sign * value_on(module, validation), schedule.early_stop)
            if report is not None:
                report(state, module)
            if checkpoint is not None:
                save_checkpoint(checkpoint, fingerprint, state, module, optimizer, batches)
    if constraint.at_end is not None:
        constraint.at_end(module)
    anneal(module, 1.0)
    late = schedule.time_limit is not None and state.seconds >= schedule.time_limit
    stopped = "time limit" if late else "plateau" if state.pace > 1 else "schedule"
    return module, TrainingRun(state.history, state.step, state.seconds, stopped)


def _one_step(
    module: nn.Module,
    constraint: Constraint,
    optimizer: torch.optim.Optimizer,
    batches: Batches,
    weight: float,
    sign: float,
) -> tuple[float, float]:
    """One step of the optimizer; the value and the penalty before it."""
    batch = batches()
    if isinstance(module, SemiDiscreteNetwork):
        value = module.dual(batch.x, batch.a) if sign > 0 else module.dual(batch.y, batch.b)
    else:
        value = sign * (batch.w @ module(batch.z).reshape(-1).double())
    penalty = value.new_zeros(())
    if constraint.penalty is not None:
        norms = gradient_norms(module, draw_between(batch, batches.torch_rng), create_graph=True)
        penalty = weight * constraint.penalty(norms.double()).mean()
    optimizer.zero_grad(set_to_none=True)
    (penalty - value).backward()
    optimizer.step()
    return float(value.detach()), float(penalty.detach())


@torch.no_grad()
def value_on(module: nn.Module, sample: SignedSample) -> float:
    """sum a h(x) - sum b h(y), summed in float64."""
    return float(sample.w @ module(sample.z).reshape(-1).double())


def draw_between(sample: SignedSample, generator: torch.Generator) -> Tensor:
    """Points t x + (1 - t) y, one uniform t for each independent pair drawn by weight."""
    count = max(len(sample.x), len(sample.y))
    ends = []
    for points, weights in ((sample.x, sample.a), (sample.y, sample.b)):
        running = weights.cpu().cumsum(0)
        uniform = torch.rand(count, generator=generator, dtype=torch.float64) * running[-1]
        chosen = torch.searchsorted(running, uniform, right=True).clamp_max(len(points) - 1)
        ends.append(points[chosen.to(points.device)])
    t = torch.rand((count, 1), generator=generator).to(ends[0])
    return t * ends[0] + (1 - t) * ends[1]


def gradient_norms(module: nn.Module, z: Tensor, *, create_graph: bool = False) -> Tensor:
    """|grad h| at each of the points [k, d]; the root is kept away from 0, where it has no derivative."""
    z = z.detach().requires_grad_(True)
    (gradients,) = torch.autograd.grad(module(z).sum(), z, create_graph=create_graph)
    return (gradients.square().sum(dim=1) + 1e-24).sqrt()


def _set_rate(optimizer: torch.optim.Optimizer, module: nn.Module, rate: float, share: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate * 0.5 * (1 + math.cos(math.pi * share))
    anneal(module, share)


def _out_of_memory(batches: Batches, problem: Exception) -> TooLarge:
    return TooLarge(
        f"training with batch = {batches.batch} needs more memory than the device has "
        f"({str(problem).splitlines()[0][:120]}). Pass a smaller batch, a smaller network or device='cpu'."
    )
