"""The one training loop of every critic.

maximise  sign (sum a h(x) - sum b h(y)) - lambda E[penalty(|grad h|)]  over the weights of h
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from otdiv.errors import SolverFailed, TooLarge
from otdiv.neural.batches import Batches, Signed
from otdiv.neural.checkpoint import resume, save
from otdiv.neural.constraints import Constraint
from otdiv.neural.minmax import SemiDiscreteNetwork, anneal
from otdiv.neural.network_spec import Setting
from otdiv.neural.schedule import Progress, Schedule

Report = Callable[["Step"], None]


@dataclass(frozen=True)
class Step:
    """What a run tells while it goes on, in units of the training.

    Attributes
    ----------
    step : int
    progress : float
        Share of the schedule, 0 to 1.
    value : float
        sum a h - sum b h on the fixed points.
    penalty : float
        Mean penalty lambda E[...] over the last steps.
    seconds : float
    module : torch.nn.Module
        As it stands.
    """

    step: int
    progress: float
    value: float
    penalty: float
    seconds: float
    module: nn.Module = field(repr=False)


@dataclass(frozen=True)
class Run:
    """A trained module and how it went.

    Attributes
    ----------
    module : torch.nn.Module
    history : list of (step, value, penalty)
        In units of the training.
    steps : int
    seconds : float
    stopped : str
        "schedule", "plateau" or "time limit".
    """

    module: nn.Module
    history: list[tuple[int, float, float]]
    steps: int
    seconds: float
    stopped: str


def train(
    module: nn.Module,
    constraint: Constraint,
    setting: Setting,
    batches: Batches,
    schedule: Schedule,
    *,
    sign: float = 1.0,
    fixed: Signed,
    report: Report | None = None,
    checkpoint: Path | None = None,
    fingerprint: str = "",
) -> Run:
    """Train ``module``; it is changed in place.

    Parameters
    ----------
    module, constraint, setting
        What is trained, and how it is kept Lipschitz.
    batches : Batches
    schedule : Schedule
    sign : {1.0, -1.0}
        Which way round.
    fixed : Signed
        Points and weights on which progress is measured: always the same ones, so that no noise of
        batches hides a plateau.
    report : callable, optional
        Called with a :class:`Step` now and then.
    checkpoint : Path, optional
        Where to save the run, and to resume it from if the file is there.
    fingerprint : str
        What a checkpoint has to agree with.

    Raises
    ------
    SolverFailed
        A value that is no longer finite.
    TooLarge
        Out of memory.
    InvalidInput
        A checkpoint of another run.
    """
    optimizer = torch.optim.Adam([p for p in module.parameters() if p.requires_grad], lr=schedule.rate)
    state = Progress()
    if checkpoint is not None and checkpoint.exists():
        state = resume(checkpoint, fingerprint, module, optimizer, batches)
    began = time.monotonic() - state.seconds
    every = max(1, schedule.steps // schedule.reports)
    while state.progress < 1.0:
        _set(optimizer, module, schedule.rate, state.progress)
        try:
            value, penalty = _one_step(module, constraint, optimizer, batches, schedule.weight, sign)
        except torch.OutOfMemoryError as problem:
            raise _out_of_memory(batches, problem) from None
        except RuntimeError as problem:
            if "alloc" in str(problem):
                raise _out_of_memory(batches, problem) from None
            raise
        if not math.isfinite(value + penalty):
            raise SolverFailed(
                f"the training diverged: at step {state.step} the critic's value is {value} and its penalty {penalty}. "
                f"Pass a smaller learning rate than {schedule.rate:g} (rate=...), or another constraint."
            )
        if constraint.after_step is not None:
            constraint.after_step(module, setting)
        state = state.after(penalty, time.monotonic() - began, schedule)
        if state.step % every == 0 or state.progress >= 1.0:
            state = state.reported(sign * value_on(module, fixed), schedule.early_stop)
            if report is not None:
                report(Step(state.step, state.progress, *state.history[-1][1:], state.seconds, module))
            if checkpoint is not None:
                save(checkpoint, fingerprint, state, module, optimizer, batches)
    if constraint.at_end is not None:
        constraint.at_end(module)
    anneal(module, 1.0)
    late = schedule.time_limit is not None and state.seconds >= schedule.time_limit
    stopped = "time limit" if late else "plateau" if state.pace > 1 else "schedule"
    return Run(module, state.history, state.step, state.seconds, stopped)


def _one_step(
    module: nn.Module,
    constraint: Constraint,
    optimizer: torch.optim.Optimizer,
    batches: Batches,
    weight: float,
    sign: float,
) -> tuple[float, float]:
    batch = batches()
    if isinstance(module, SemiDiscreteNetwork):
        value = module.dual(batch.x, batch.a) if sign > 0 else module.dual(batch.y, batch.b)
    else:
        value = sign * (batch.w @ module(batch.z).reshape(-1).double())
    penalty = value.new_zeros(())
    if constraint.penalty is not None:
        norms = gradient_norms(module, between(batch, batches.torch_rng), create_graph=True)
        penalty = weight * constraint.penalty(norms.double()).mean()
    optimizer.zero_grad(set_to_none=True)
    (penalty - value).backward()
    optimizer.step()
    return float(value.detach()), float(penalty.detach())


@torch.no_grad()
def value_on(module: nn.Module, pair: Signed) -> float:
    """sum a h(x) - sum b h(y), summed in float64."""
    return float(pair.w @ module(pair.z).reshape(-1).double())


def between(pair: Signed, generator: torch.Generator) -> Tensor:
    """Points t x + (1 - t) y, one uniform t for each independent pair drawn by weight (lecture item S51)."""
    count = max(len(pair.x), len(pair.y))
    ends = []
    for points, weights in ((pair.x, pair.a), (pair.y, pair.b)):
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


def _set(optimizer: torch.optim.Optimizer, module: nn.Module, rate: float, progress: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate * 0.5 * (1 + math.cos(math.pi * progress))
    anneal(module, progress)


def _out_of_memory(batches: Batches, problem: Exception) -> TooLarge:
    return TooLarge(
        f"training with batch = {batches.batch} needs more memory than the device has "
        f"({str(problem).splitlines()[0][:120]}). Pass a smaller batch, a smaller network or device='cpu'."
    )
