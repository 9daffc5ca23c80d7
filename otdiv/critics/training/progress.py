"""What a run shows while it goes on: a bar with the running interval, or lines."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torch import nn

from otdiv.critics.fitted import FittedCritic
from otdiv.critics.training.loop import Step

Band = Callable[[FittedCritic], tuple[float, float]]


@contextmanager
def reporter(
    progress: bool | Callable[[Step], None], band: Band | None, finished: Callable[[nn.Module], FittedCritic]
) -> Iterator[Callable[[Step], None] | None]:
    """Who is told of every :class:`Step`: nobody, the caller's function, a bar on a terminal, or lines.

    Parameters
    ----------
    progress : bool or callable
    band : callable, optional
        Critic -> (lower, upper): the interval that it proves as it stands.
    finished : callable
        Module in training -> critic.
    """
    if callable(progress) or not progress:
        yield progress if callable(progress) else None
        return

    def interval(step: Step) -> str:
        if band is None:
            return ""
        low, high = band(finished(step.module))
        return f"in [{low:.6g}, {high:.6g}]"

    if not sys.stderr.isatty():
        yield lambda step: print(
            f"step {step.step:6d}  {100 * step.progress:5.1f} %  {step.seconds:6.1f} s  {interval(step)}".rstrip(),
            file=sys.stderr,
            flush=True,
        )
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("step {task.fields[step]}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[interval]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=1.0, step=0, interval="")
        yield lambda step: bar.update(task, completed=step.progress, step=step.step, interval=interval(step))
