"""The one training loop: of critics, of discriminators and of generators."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

import torch

from otdiv.errors import SolverFailed, TooLarge


class Counted(Protocol):
    """A state that knows how many steps it has behind it."""

    @property
    def step(self) -> int:
        """Number of steps."""


S = TypeVar("S", bound=Counted)
B = TypeVar("B")
Info = Mapping[str, float]
"""What a step reports: values by name, each finite while the training is sound."""


def run_steps(
    step: Callable[[S, B, Any], tuple[S, Info]],
    state: S,
    next_batch: Callable[[], B],
    rng: Any,
    *,
    finished: Callable[[S], bool],
    after_step: Callable[[S, Info], S],
    batch: int,
    remedy: str,
) -> S:
    """Repeat (state, info) = step(state, batch, rng) until the state is finished.

    Parameters
    ----------
    step : callable
        (state, batch, rng) -> (state, info).  Networks inside the state are changed in place.
    state
        Where the training starts.
    next_batch : callable
        -> the batch of the next step.
    rng
        Random generator of the steps.
    finished : callable
        state -> whether to stop; asked before every step.
    after_step : callable
        (state, info) -> state: projections, reports, checkpoints.
    batch : int
        Points in a batch, for messages.
    remedy : str
        What to do against divergence, one sentence.

    Returns
    -------
    The last state.

    Raises
    ------
    SolverFailed
        A reported value that is not finite.
    TooLarge
        Out of memory.
    """
    while not finished(state):
        with memory_in_words(batch):
            state, info = step(state, next_batch(), rng)
        if not all(math.isfinite(value) for value in info.values()):
            values = ", ".join(f"{name} {value:g}" for name, value in info.items())
            raise SolverFailed(diverged(state.step, values, remedy))
        state = after_step(state, info)
    return state


@contextmanager
def memory_in_words(batch: int) -> Iterator[None]:
    """Raise TooLarge with a remedy where what is run inside is out of memory.

    Parameters
    ----------
    batch : int
        Points in a batch, for the message.
    """
    try:
        yield
    except torch.OutOfMemoryError as problem:
        raise _out_of_memory(batch, problem) from None
    except RuntimeError as problem:
        if "alloc" in str(problem):
            raise _out_of_memory(batch, problem) from None
        raise


def diverged(step: int, what: str, remedy: str) -> str:
    """The message about values that are not finite."""
    return f"the training diverged at step {step}: {what}. {remedy}"


def cosine(share: float) -> float:
    """Factor of the learning rate after this share of the steps: 1 at the start, 0 at the end, half a cosine."""
    return 0.5 * (1 + math.cos(math.pi * share))


def _out_of_memory(batch: int, problem: Exception) -> TooLarge:
    return TooLarge(
        f"training with batch = {batch} needs more memory than the device has "
        f"({str(problem).splitlines()[0][:120]}). Pass a smaller batch, a smaller network or device='cpu'."
    )
