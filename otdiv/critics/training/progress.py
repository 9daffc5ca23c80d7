"""Reports of a training: events for a callback, a bar with the running interval on a terminal, or lines."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torch import nn

from otdiv.core.progress import Progress, ProgressEvent
from otdiv.critics.architecture import Initialization
from otdiv.critics.fitted import FittedCritic
from otdiv.critics.training.loop import Report
from otdiv.critics.training.problem import TrainingProblem
from otdiv.critics.training.schedule import TrainingState

Band = Callable[[FittedCritic], tuple[float, float]]
"""Critic -> (lower, upper), the interval that it proves as it stands."""


@contextmanager
def reporting_steps(
    progress: Progress, problem: TrainingProblem, initialization: Initialization, band: Band | None
) -> Iterator[Report | None]:
    """The function to call with each state of a training; None where nothing is to be reported.

    Parameters
    ----------
    progress : bool or callable
        A callable is given each :class:`ProgressEvent`; True shows a bar on a terminal, or prints lines.
    problem : TrainingProblem
    initialization : Initialization
        Of the training that is reported.
    band : callable, optional
    """

    def event_of(state: TrainingState, module: nn.Module) -> ProgressEvent:
        lower, upper = (-math.inf, math.inf) if band is None else band(problem.fitted(module, initialization))
        scale, (step, value, penalty) = problem.standardizer.scale, state.history[-1]
        counts = {"step": step, "value": scale * value, "penalty": scale * penalty}
        return ProgressEvent("training", state.seconds, lower, upper, state.share, counts)

    if not progress:
        yield None
    elif callable(progress):
        callback = progress
        yield lambda state, module: callback(event_of(state, module))
    elif sys.stderr.isatty():
        with _bar() as show:
            yield lambda state, module: show(event_of(state, module))
    else:
        yield lambda state, module: _print_line(event_of(state, module))


def _print_line(event: ProgressEvent) -> None:
    line = f"step {event.counts['step']:6d}  {100 * event.share:5.1f} %  {event.seconds:6.1f} s  {_interval(event)}"
    print(line.rstrip(), file=sys.stderr, flush=True)


def _interval(event: ProgressEvent) -> str:
    known = event.lower > -math.inf or event.upper < math.inf
    return f"in [{event.lower:.6g}, {event.upper:.6g}]" if known else ""


@contextmanager
def _bar() -> Iterator[Callable[[ProgressEvent], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as RichProgress

    columns = (
        TextColumn("step {task.fields[step]}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[interval]}"),
    )
    with RichProgress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=1.0, step=0, interval="")

        def show(event: ProgressEvent) -> None:
            bar.update(task, completed=event.share, step=event.counts["step"], interval=_interval(event))

        yield show
