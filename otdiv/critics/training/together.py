"""The schedules of several trainings, run together: as :func:`otdiv.critics.training.loop.run_schedule` of each."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from otdiv.core.validation import Array
from otdiv.critics.architecture import Initialization
from otdiv.critics.training.drawn_ahead import DrawnAhead
from otdiv.critics.training.loop import Report, against_divergence, training_run
from otdiv.critics.training.problem import TrainingProblem
from otdiv.critics.training.schedule import Schedule, TrainingRun, TrainingState
from otdiv.critics.training.stacked import StackedNetworks, StackedStep
from otdiv.critics.training.stacked_batches import StackedBatches
from otdiv.errors import SolverFailed
from otdiv.neural.batches import SignedSample, signed_sample
from otdiv.neural.constraints import weights_of
from otdiv.neural.loop import cosine, diverged, memory_in_words
from otdiv.neural.minmax import MinMaxNetwork, SemiDiscreteNetwork, cooled

MOST_STEPS = 128
"""Steps between two waits for the card; more of them keep it busier and find a divergence later."""
STACKED_ENTRIES = 2**28
"""Most values of a layer, over all trainings, that are run together; more of them take more memory at once."""

Training = tuple[TrainingProblem, Initialization]


def run_together(
    trainings: list[Training], schedule: Schedule, drawn: DrawnAhead, *, report: Report | None = None
) -> list[tuple[nn.Module, TrainingRun]]:
    """Train networks on the same distributions, as many at a time as fit.

    Parameters
    ----------
    trainings : list of (TrainingProblem, Initialization)
        Of the same distributions and options but for the seed.
    schedule : Schedule
    drawn : DrawnAhead
        Of the samplers among the distributions.
    report : callable, optional
        Called with each state of the first training.

    Returns
    -------
    list of (Module, TrainingRun)
        In the order of the trainings.

    Raises
    ------
    SolverFailed, TooLarge
        As :func:`otdiv.critics.training.loop.run_schedule`.
    """
    found: dict[int, tuple[nn.Module, TrainingRun]] = {}
    modules = [problem.build_network(initialization) for problem, initialization in trainings]
    for chosen in _groups(trainings, modules):
        group, parts = [trainings[k] for k in chosen], [modules[k] for k in chosen]
        with memory_in_words(trainings[0][0].batch):
            runs = _run_group(group, parts, schedule, drawn, report if 0 in chosen else None)
        found.update(zip(chosen, runs, strict=True))
    return [found[k] for k in range(len(trainings))]


def _groups(trainings: list[Training], modules: list[nn.Module]) -> Iterator[list[int]]:
    """Positions of networks of one shape and, as semi-discrete ones need it, of one sign."""
    kinds: dict[object, list[int]] = {}
    for k, ((_, initialization), module) in enumerate(zip(trainings, modules, strict=True)):
        shapes = tuple((name, value.shape) for name, value in weights_of(module).items())
        sign = initialization.sign if isinstance(module, SemiDiscreteNetwork) else 0.0
        kinds.setdefault((initialization.kind, shapes, sign), []).append(k)
    problem = trainings[0][0]
    sizes = problem.options.sizes
    units = max(sizes.groups * sizes.pieces, sizes.width_for(problem.d), len(problem.fixed_points[0].points))
    most = max(1, STACKED_ENTRIES // (2 * problem.batch * units))
    for places in kinds.values():
        for at in range(0, len(places), most):
            yield places[at : at + most]


def _run_group(
    trainings: list[Training],
    modules: list[nn.Module],
    schedule: Schedule,
    drawn: DrawnAhead,
    report: Report | None,
) -> list[tuple[nn.Module, TrainingRun]]:
    began = time.monotonic()
    schedule = trainings[0][0].schedule_of(trainings[0][1], schedule)
    problems = [problem for problem, _ in trainings]
    signs = [initialization.sign for _, initialization in trainings]
    constraint = problems[0].options.constraint
    every = max(1, schedule.steps // schedule.reports)
    most = min(every, MOST_STEPS)
    batches = StackedBatches(problems, drawn, most, constraint.penalty is not None)
    batches.refill(1)  # something to warm up with
    networks = StackedNetworks(modules)
    step = StackedStep(problems, signs, networks, batches, most)
    validation = _stacked([problem.validation_sample for problem in problems])
    states = [TrainingState() for _ in trainings]
    done = 0
    while any(state.share < 1 for state in states):
        count = min(most, every - done % every)
        pace = (time.monotonic() - began) / done if done else 0.0
        if schedule.time_limit is not None:  # the first steps find out how long one takes
            count = min(count, max(1, int(schedule.time_limit / (schedule.reports * pace))) if done else 8)
        shares = np.stack([_shares(state, count, schedule, time.monotonic() - began, pace) for state in states], axis=1)
        step.run(*_plan(shares[:-1], schedule, modules[0]), done)
        penalties, bad = step.penalties.cpu() / count, step.first_bad.cpu()
        if int(bad.min()) < count:
            problem = problems[int(bad.argmin())]
            seed = f"seed {problem.options.seed}"
            raise SolverFailed(diverged(done + int(bad.min()), seed, against_divergence(schedule)))
        done += count
        seconds = time.monotonic() - began
        values: list[float] | None = None
        for k, state in enumerate(states):
            if state.share >= 1:
                continue
            live = int(np.count_nonzero(shares[:-1, k] < 1))
            sums = state.penalties[0] + live * float(penalties[k]), state.penalties[1] + live
            share = float(shares[-1, k])
            if schedule.time_limit is not None and seconds >= schedule.time_limit:
                share = 1.0
            state = replace(state, step=state.step + live, share=share, seconds=seconds, penalties=sums)
            if done % every == 0 or share >= 1:
                if values is None:
                    with torch.no_grad():
                        values = step.values(validation).tolist()
                state = state.record(values[k], schedule.early_stop)
                if k == 0 and report is not None:
                    networks.write_to(modules)
                    report(state, modules[0])
            states[k] = state
    networks.write_to(modules)
    return [training_run(module, constraint, state, schedule) for module, state in zip(modules, states, strict=True)]


def _shares(state: TrainingState, count: int, schedule: Schedule, seconds: float, pace: float) -> Array:
    """Shares of the schedule before each of the next steps, and after the last of them."""
    steps = np.arange(count + 1)
    shares = state.share + steps * (state.pace / schedule.steps)
    if schedule.time_limit is not None:
        by_time = (seconds + steps * pace) / schedule.time_limit
        shares = np.maximum(shares, np.minimum(by_time, 1 - 1e-6))  # the clock ends the schedule, no forecast does
        shares[0] = state.share
    shares[shares > 1 - 1e-9] = 1.0
    return np.asarray(shares)


def _plan(shares: Array, schedule: Schedule, module: nn.Module) -> tuple[Tensor, Tensor]:
    """Rates and temperatures [steps, k]; after its end a training has the rate 0."""
    rates = np.where(shares < 1, schedule.rate * np.vectorize(cosine)(shares), 0.0)
    temperatures = np.ones_like(shares)
    if isinstance(module, MinMaxNetwork | SemiDiscreteNetwork):
        last = np.minimum(shares, 1 - 1e-9)
        temperatures = np.vectorize(lambda share: cooled(module.cooling, share))(last)
    return torch.from_numpy(rates), torch.from_numpy(temperatures)


def _stacked(samples: list[SignedSample]) -> SignedSample:
    parts = (torch.stack([getattr(sample, name) for sample in samples]) for name in ("x", "a", "y", "b"))
    return signed_sample(*parts)
