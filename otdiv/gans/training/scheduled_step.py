"""Steps of a training on tensors alone: batch, rates and temperatures come from the device, values stay on it.

Such a step waits for nothing, so a graphics card can record it as a graph and replay it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from otdiv.errors import SolverFailed
from otdiv.gans.models.base import GanModel, GanState
from otdiv.neural.captured import WARM_UP, captured
from otdiv.neural.loop import Info, cosine, diverged
from otdiv.neural.minmax import MinMaxNetwork, cooled

CHUNK = 50
"""Most steps between two waits for the card; more of them keep it busier and find a divergence later."""


class ScheduledSteps:
    """The steps of one training, from where its state stands.

    Parameters
    ----------
    model : GanModel
        A capturable one.
    state : GanState
        Its networks and optimizers are changed in place.
    pool : Tensor [n, d]
        Real points from which batches are drawn, on the device.
    rng : torch.Generator
        Of the device.
    capture : bool
        Whether the step is recorded as a CUDA graph and replayed; without it the same step runs operation by operation,
        on any device.
    remedy : str
        What to do against divergence, one sentence.
    stream : torch.cuda.Stream, optional
        In which the steps run, beside those of other trainings; without one, in the stream of the caller.
    """

    def __init__(
        self,
        model: GanModel,
        state: GanState,
        pool: Tensor,
        rng: torch.Generator,
        *,
        capture: bool,
        remedy: str,
        stream: torch.cuda.Stream | None = None,
    ) -> None:
        self._model, self._pool, self._rng, self._remedy, self._stream = model, pool, rng, remedy, stream
        self._state = replace(state, scheduled=True)
        settings, device = state.settings, pool.device
        self._size, self._device = model.batch(settings), device
        shares = [min(1.0, k / settings.steps) for k in range(settings.steps + WARM_UP + 1)]
        self._factors = torch.tensor([cosine(share) for share in shares], dtype=torch.float64, device=device)
        self._groups = [group for optimizer in state.optimizers.values() for group in optimizer.param_groups]
        for group in self._groups:
            group["lr"] = torch.zeros((), device=device)
        for optimizer in state.optimizers.values():  # steps that were counted elsewhere
            for kept in optimizer.state.values():
                if isinstance(kept.get("steps"), int):
                    kept["steps"] = torch.tensor(float(kept["steps"]), device=device)
        self._temperatures: list[tuple[Tensor, Tensor]] = []
        for module in state.networks.modules():
            if isinstance(module, MinMaxNetwork):
                table = [cooled(module.cooling, min(share, 1 - 1e-9)) for share in shares]
                module.temperature = torch.ones(1, device=device)
                self._temperatures.append((module.temperature, torch.tensor(table, device=device)))
        self._counter = torch.zeros(1, dtype=torch.int64, device=device)
        self._first_bad = torch.full((1,), -1, dtype=torch.int64, device=device)
        self._names: tuple[str, ...] = ()
        self._values, self._bad_values = (torch.zeros(0, dtype=torch.float64, device=device) for _ in range(2))
        self._replay: Callable[[], None] = self._step
        if capture:
            self._replay = captured(
                self._recorded_step, device, self._changed, prepare=self._restart, generators=self._generators()
            )
        self._counter.fill_(state.step)

    def run(self, state: GanState, count: int) -> tuple[GanState, Info]:
        """The next steps; the state after them, and what the last of them reports.

        Raises
        ------
        SolverFailed
            A reported value that is not finite, with the first step of which it came.
        """
        [found] = run_scheduled([self], [state], count)
        return found

    def begin(self) -> None:
        """Before further steps: forget what those before found; the stream waits for what was asked so far."""
        if self._stream is not None:
            self._stream.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(self._stream):
            self._first_bad.fill_(-1)

    def step_once(self) -> None:
        """One step, without waiting for its end."""
        with torch.cuda.stream(self._stream):
            self._replay()

    def end(self, state: GanState, count: int) -> tuple[GanState, Info]:
        """Wait for all steps since :meth:`begin`; as :meth:`run`."""
        if self._stream is not None:
            torch.cuda.current_stream(self._device).wait_stream(self._stream)
        bad, *values = torch.cat([self._first_bad.double(), self._values, self._bad_values]).tolist()
        if bad >= 0:
            found = zip(self._names, values[len(self._names) :], strict=True)
            text = ", ".join(f"{name} {value:g}" for name, value in found)
            raise SolverFailed(diverged(int(bad) + 1, text, self._remedy))
        info = dict(zip(self._names, values[: len(self._names)], strict=True))
        return replace(state, step=state.step + count), info

    def _step(self) -> None:
        """One step: set what the schedule says, draw a batch, update, note the values."""
        with torch.no_grad():
            factor = self._factors.index_select(0, self._counter).squeeze(0)
            for group in self._groups:
                group["lr"].copy_(group["initial_lr"] * factor)
            for temperature, table in self._temperatures:
                temperature.copy_(table.index_select(0, self._counter))
        rows = torch.randint(len(self._pool), (self._size,), generator=self._rng, device=self._device)
        _, reported = self._model.step(self._state, self._pool[rows], self._rng)
        with torch.no_grad():
            values = torch.stack([value.double() for value in reported.values()])
            if not self._names:
                self._names = tuple(reported)
                self._values, self._bad_values = torch.zeros_like(values), torch.zeros_like(values)
            first = ~torch.isfinite(values).all() & (self._first_bad < 0)
            self._values.copy_(values)
            self._bad_values.copy_(torch.where(first, values, self._bad_values))
            self._first_bad.copy_(torch.where(first, self._counter, self._first_bad))
            self._counter += 1

    def _restart(self) -> None:
        self._counter.zero_()

    def _recorded_step(self) -> None:
        """The step, with torch's optimizers allowed to be recorded while it is; elsewhere they would warn of it."""
        groups = [group for group in self._groups if "capturable" in group]
        for group in groups:
            group["capturable"] = torch.cuda.is_current_stream_capturing()
        self._step()
        for group in groups:
            group["capturable"] = False

    def _changed(self) -> list[Tensor]:
        """The tensors that a step hands on to the next one."""
        networks = self._state.networks
        tensors = [*networks.parameters(), *networks.buffers(), *self._state.memory.values(), self._first_bad]
        for optimizer in self._state.optimizers.values():
            for kept in optimizer.state.values():
                tensors += [value for value in kept.values() if isinstance(value, Tensor)]
        return tensors

    def _generators(self) -> list[torch.Generator]:
        """The random generators of the step: its own, and those of optimizers that draw."""
        return [self._rng, *self._state.own_generators().values()]


def run_scheduled(
    trainings: Sequence[ScheduledSteps], states: Sequence[GanState], count: int
) -> list[tuple[GanState, Info]]:
    """The next steps of several trainings, one of each in turn, which streams of their own let run at once.

    Parameters
    ----------
    trainings : sequence of ScheduledSteps
    states : sequence of GanState
        Where each stands.
    count : int
        Steps of each.

    Returns
    -------
    list of (GanState, mapping)
        For each the state after the steps, and what the last of them reports.

    Raises
    ------
    SolverFailed
        A reported value that is not finite, with the first step of which it came.
    """
    for training in trainings:
        training.begin()
    for _ in range(count):
        for training in trainings:
            training.step_once()
    return [training.end(state, count) for training, state in zip(trainings, states, strict=True)]
