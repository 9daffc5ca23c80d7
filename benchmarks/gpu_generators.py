"""The GAN family on a graphics card: steps one by one, recorded as a graph, and on the CPU; a table of gpu.py."""

from __future__ import annotations

import time
import traceback

import numpy as np
import torch

from otdiv.gans import MODELS, GanSettings
from otdiv.gans.fitted import FittedGenerator
from otdiv.gans.models.base import GanSpec, GanState
from otdiv.gans.models.table import MODEL_BY_NAME
from otdiv.gans.training.data import as_training_data
from otdiv.gans.training.quality import distance
from otdiv.gans.training.scheduled_step import ScheduledSteps, run_scheduled
from otdiv.neural.slopes import gradients_enabled

SEEDS, STEPS = 3, 100
"""Trainings on each device whose W1 is compared, and their steps."""
AT_ONCE = 5
"""Trainings whose recorded steps run at once."""
NOISE = 8.6
"""Standard errors by which two means of three may differ: Student's t of 4 degrees exceeds it once in 1000."""
ALIKE = 0.1
"""Largest difference of the weights after ten steps one by one and ten recorded ones on the same batches, as a share of
what the steps changed: rounding, which Adam enlarges where a gradient is nearly 0; a wrong rate or batch gives about 1.
"""


class Steps:
    """A training's steps alone, without its reports."""

    def __init__(
        self, model: str, device: str, recorded: bool, seed: int = 0, steps: int | None = None, stream: bool = False
    ) -> None:
        settings = GanSettings.of(model, 2, device=device, seed=seed, steps=steps)
        data = self.data = as_training_data("ring8", seed)
        spec = GanSpec(settings, data.d, data.shape, device, data.size, data.training_unit)
        self.model, self.pool = MODEL_BY_NAME[model], data.pool(device)
        self.rng = torch.Generator(device).manual_seed(seed)
        self.size = self.model.batch(settings)
        self.state: GanState = self.model.initial(spec, torch.Generator().manual_seed(seed))
        self.first = self.weights()
        self.steps = None
        if recorded:
            capture = device.startswith("cuda")
            own = torch.cuda.Stream(device) if capture and stream else None
            self.steps = ScheduledSteps(
                self.model, self.state, self.pool, self.rng, capture=capture, remedy="", stream=own
            )

    def run(self, count: int) -> None:
        """So many further steps, each of the unrecorded ones read as a training reads it."""
        if self.steps is not None:
            self.state, _ = self.steps.run(self.state, count)
            return
        for _ in range(count):
            rows = torch.randint(len(self.pool), (self.size,), generator=self.rng, device=self.pool.device)
            self.state, values = self.model.step(self.state, self.pool[rows], self.rng)
            [float(value) for value in values.values()]

    def rate(self, chunk: int, seconds: float) -> float:
        """Steps per second, over chunks of so many steps."""
        self.run(chunk)
        began, done = time.perf_counter(), 0
        while time.perf_counter() - began < seconds and self.state.step + chunk <= self.state.settings.steps:
            self.run(chunk)
            done += chunk
        return done / (time.perf_counter() - began)

    def weights(self) -> torch.Tensor:
        """All weights of all networks, in one row."""
        return torch.cat([weight.detach().double().reshape(-1).cpu() for weight in self.state.networks.parameters()])

    def w1(self) -> float:
        """Exact W1 of 500 generated points from real ones."""
        points = FittedGenerator(self.state, self.data.mean, self.data.scale).sample(500, np.random.default_rng(1))
        return distance(points, self.data, self.data.reference(500, np.random.default_rng(2)))


def rate_at_once(model: str, device: str, chunk: int, seconds: float) -> tuple[float, bool]:
    """Steps per second of several trainings together, and whether one of them has the weights that it has alone."""
    alone = Steps(model, device, True, AT_ONCE - 1)
    alone.run(chunk)
    trainings = [Steps(model, device, True, seed, stream=True) for seed in range(AT_ONCE)]
    steps = [training.steps for training in trainings if training.steps is not None]
    states = [training.state for training in trainings]

    def run() -> None:
        states[:] = [state for state, _ in run_scheduled(steps, states, chunk)]

    run()
    same = bool(torch.allclose(trainings[-1].weights(), alone.weights(), rtol=1e-3, atol=1e-5))
    began, done = time.perf_counter(), 0
    while time.perf_counter() - began < seconds and states[0].step + chunk <= states[0].settings.steps:
        run()
        done += chunk * AT_ONCE
    return done / (time.perf_counter() - began), same


def row(model: str, device: str, small: bool) -> tuple[str, int]:
    """Cells of one model, and how many of its checks failed."""
    seconds, steps, seeds = (0.3, 20, 2) if small else (1.0, STEPS, SEEDS)
    capturable, failures = MODEL_BY_NAME[model].capturable, 0
    at_once = "-"
    one = Steps(model, device, False)
    one.run(10)
    weights, alike, recorded = one.weights(), "", "-"
    eager = one.rate(8, seconds)
    if capturable:
        began = time.perf_counter()
        other = Steps(model, device, True)
        spent = time.perf_counter() - began
        other.run(10)
        difference = float((other.weights() - weights).norm() / (weights - one.first).norm())
        failures += not difference <= ALIKE
        alike = f"{difference:.0e} ({spent:.2f} s to record)"
        recorded = f"{other.rate(10 if small else 50, seconds):.0f}"
        rate, same = rate_at_once(model, device, 10 if small else 50, seconds)
        failures += not same
        at_once = f"{rate:.0f}" + ("" if same else " (OTHER WEIGHTS)")
    values: list[list[float]] = []
    for place in (device, "cpu"):
        values.append([])
        spent = 0.0
        for seed in range(seeds):
            run = Steps(model, place, capturable and place != "cpu", seed, steps)
            began = time.perf_counter()
            run.run(steps)
            spent += time.perf_counter() - began
            values[-1].append(run.w1())
    cpu = seeds * steps / spent
    error = np.sqrt(sum(np.var(found, ddof=1) / seeds for found in values))
    within = abs(np.mean(values[0]) - np.mean(values[1])) <= NOISE * error
    failures += not within
    cells = [
        f"{eager:.0f}",
        recorded,
        at_once,
        f"{cpu:.0f}",
        alike,
        *(f"{np.mean(v):.3f} ± {np.std(v):.3f}" for v in values),
    ]
    return " | ".join([*cells, "yes" if within else "NO"]), failures


def generators_table(device: str, small: bool) -> int:
    """Steps per second of each model and W1 after so many steps, on the device and on the CPU; the failures."""
    print(
        f"\n| model | one by one, steps / s | recorded | {AT_ONCE} at once | CPU | difference after 10 steps | "
        "W1, device | W1, CPU | same within noise |\n|---|---|---|---|---|---|---|---|---|"
    )
    failures = 0
    for model in MODELS:
        try:
            with gradients_enabled():
                cells, failed = row(model, device, small)
            failures += failed
            print(f"| {model} | {cells} |", flush=True)
        except Exception as problem:  # the other rows are still wanted; the failure is counted and shown
            failures += 1
            print(f"| {model} | FAILED |", flush=True)
            first: BaseException = problem
            while first.__context__ is not None:  # leaving a capture may fail too, and hide the cause
                first = first.__context__
            print("\n".join(line for line in traceback.format_exception(first)[-3:]), flush=True)
    return failures
