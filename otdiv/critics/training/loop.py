"""How a critic is trained.

maximise  sign (sum a h(x) - sum b h(y)) - lambda E[penalty(|grad h|)]  over the weights of h
"""

from __future__ import annotations

import math
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
SHARED_STEPS = 10
"""Steps for which points are drawn at a time for all trials: more of them take memory, fewer change networks often."""
JUDGED, HOPELESS = 0.3, 0.55
"""Share of a trial after which it is judged, and share of the largest value below which it ends there: measured on ten
pairs, none of these came within a quarter of the best one by the end."""
_ROUNDING = 2.0**-23
"""The largest value, in units of the training, up to which it may be rounding of the network's 32 bits, and nothing is
judged by it."""


class Training:
    """One network on its way through a schedule; it can be run in parts.

    Parameters
    ----------
    problem : TrainingProblem
        Progress is measured on its validation points: always the same ones, so that no noise of batches
        hides a plateau.
    initialization : Initialization
    schedule : Schedule
    """

    def __init__(self, problem: TrainingProblem, initialization: Initialization, schedule: Schedule) -> None:
        self.problem, self.initialization = problem, initialization
        self.schedule = problem.schedule_of(initialization, schedule)
        self.module = problem.build_network(initialization)
        weights = [p for p in self.module.parameters() if p.requires_grad]
        self.optimizer = torch.optim.Adam(weights, lr=self.schedule.rate)
        self.state = TrainingState()
        self._validation = problem.validation_sample

    @property
    def finished(self) -> bool:
        """Whether the schedule is at its end."""
        return self.state.share >= 1.0

    @property
    def value(self) -> float:
        """The value on the validation points as the network stands, soft where it is still soft."""
        return self.initialization.sign * value_on(self.module, self._validation)

    def run(
        self,
        next_batch: Callable[[], SignedSample],
        rng: torch.Generator,
        *,
        steps: float = math.inf,
        after_report: Callable[[], None] | None = None,
    ) -> None:
        """Train on, to the end of the schedule or for so many steps.

        Parameters
        ----------
        next_batch : callable
            -> the points of the next step.
        rng : torch.Generator
            For the points of a penalty.
        steps : float
            Most steps.
        after_report : callable, optional
            Called ``schedule.reports`` times, each time when the state has been recorded.

        Raises
        ------
        SolverFailed
            A value that is no longer finite.
        TooLarge
            Out of memory.
        """
        options, schedule = self.problem.options, self.schedule
        constraint, until = options.constraint, self.state.step + steps
        began = time.monotonic() - self.state.seconds
        every = max(1, schedule.steps // schedule.reports)

        def step(state: TrainingState, batch: SignedSample, rng: torch.Generator) -> tuple[TrainingState, Info]:
            _set_rate(self.optimizer, self.module, schedule.rate, state.share)
            weight, sign = self.problem.scaled_weight, self.initialization.sign
            value, penalty = _one_step(self.module, constraint, self.optimizer, batch, rng, weight, sign)
            return state, {"value": value, "penalty": penalty}

        def after_step(state: TrainingState, info: Info) -> TrainingState:
            constraint.project(self.module, options.sizes)
            self.state = state.advance(info["penalty"], time.monotonic() - began, schedule)
            if self.state.step % every == 0 or self.finished:
                self.state = self.state.record(self.value, schedule.early_stop)
                if after_report is not None:
                    after_report()
            return self.state

        run_steps(
            step,
            self.state,
            next_batch,
            rng,
            finished=lambda state: self.finished or state.step >= until,
            after_step=after_step,
            batch=self.problem.batch,
            remedy=against_divergence(schedule),
        )


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
    initialization : Initialization
    schedule : Schedule
    report : callable, optional
        Called ``schedule.reports`` times.
    checkpoint : Path, optional
        Where to save the training, and to resume it from if the file is there.

    Raises
    ------
    SolverFailed, TooLarge
        As :meth:`Training.run`.
    InvalidInput
        A checkpoint of another training.
    """
    training, batches = Training(problem, initialization, schedule), problem.new_batches()
    module, optimizer, fingerprint = training.module, training.optimizer, problem.fingerprint(initialization)
    if checkpoint is not None and checkpoint.exists():
        training.state = resume_checkpoint(checkpoint, fingerprint, module, optimizer, batches)

    def after_report() -> None:
        if report is not None:
            report(training.state, module)
        if checkpoint is not None:
            save_checkpoint(checkpoint, fingerprint, training.state, module, optimizer, batches)

    with batches.drawn_ahead(schedule.steps - training.state.step):
        training.run(batches, batches.torch_rng, after_report=after_report)
    return training_run(module, problem.options.constraint, training.state, training.schedule)


def run_trials(
    problem: TrainingProblem, candidates: list[Initialization], schedule: Schedule
) -> list[tuple[float, Initialization]]:
    """The values that short trainings from several initializations reach, all on the same points.

    Points are drawn once for all of them.  After ``JUDGED`` of the schedule those go no further whose value is below
    ``HOPELESS`` of the largest one.

    Returns
    -------
    list of (float, Initialization)
        In the order of the candidates that went to the end.
    """
    batches = problem.new_batches()
    trials = [Training(problem, candidate, schedule) for candidate in candidates]
    judged = False
    with batches.drawn_ahead(SHARED_STEPS * math.ceil(schedule.steps / SHARED_STEPS)):
        while not all(trial.finished for trial in trials):
            points = [batches() for _ in range(SHARED_STEPS)]
            for trial in trials:
                trial.run(iter(points).__next__, batches.torch_rng, steps=len(points))
            if not judged and all(trial.state.share >= JUDGED for trial in trials):
                judged, values = True, [trial.value for trial in trials]
                least = HOPELESS * max(values) if max(values) > _ROUNDING else -math.inf
                trials = [one for one, value in zip(trials, values, strict=True) if value >= least]
    return [(trial.state.history[-1][1], trial.initialization) for trial in trials]


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
