"""Critics on a graphics card: steps per second, and whether card and CPU agree; a table of benchmarks/gpu.py."""

from __future__ import annotations

import time
import traceback

import numpy as np

from otdiv import critics
from otdiv.critics.fitted import FittedCritic
from otdiv.critics.training.options import Options
from otdiv.critics.training.problem import TrainingProblem
from otdiv.critics.training.train import TRIAL_SHARE, train
from otdiv.neural.samples import as_distributions

RUNS = (
    ("min-max", 16, 1),
    ("min-max", 16, 40),
    ("gradient-penalty", 16, 1),
    ("gradient-penalty", 16, 40),
    ("semi-discrete", 16, 10),
    ("min-max", 2, 40),
    ("min-max", 64, 40),
    ("spectral", 16, 40),
    ("orthonormal", 16, 40),
    ("frobenius", 16, 10),
    ("clipping", 16, 10),
)
"""Constraint, dimension and seeds; on 20 000 points of each of two normal distributions, the second shifted."""


def trained(constraint: str, d: int, seeds: int, device: str, steps: int, together: bool | None) -> tuple:
    """Critics, and steps of all seeds, trials included, per second."""
    rng = np.random.default_rng(d)
    x, y = rng.normal(size=(20_000, d)), rng.normal(size=(20_000, d)) + 1.0
    distributions = as_distributions(x, y)
    problems = [
        TrainingProblem.of(distributions, Options.of(constraint, k, steps=steps, device=device, early_stop=False))
        for k in range(seeds)
    ]
    began = time.perf_counter()
    found = train(problems, together=together)
    seconds = time.perf_counter() - began
    trials = TRIAL_SHARE * steps * seeds if len(problems[0].initializations) > 1 else 0
    return found, (sum(critic.steps for critic in found) + trials) / seconds, seconds


def value_of(critic: FittedCritic) -> float:
    """The last value in the history, on the training's own validation points."""
    return critic.history[-1][1]


def critics_table(device: str, small: bool, until: float) -> int:
    """Steps per second together, one by one, and on the CPU; then whole estimates."""
    failures = estimates(device, small)
    print(
        "\n| constraint | d | seeds | steps | together, seed-steps / s | s | one by one | CPU | values |\n"
        "|---|---|---|---|---|---|---|---|---|"
    )
    steps = 60 if small else 3000
    for constraint, d, seeds in RUNS[::4] if small else RUNS:
        if time.monotonic() > until:
            print(f"| {constraint} | {d} | {seeds} | left out: no time |", flush=True)
            continue
        seeds = min(seeds, 2) if small else seeds
        try:
            trained(constraint, d, 1, device, 40, True)  # kernels and libraries are loaded
            found, rate, seconds = trained(constraint, d, seeds, device, steps, True)
            _, alone, _ = trained(constraint, d, 1, device, steps // 20, False)
            _, cpu, _ = trained(constraint, d, 1, "cpu", steps // 50 + 1, False)
            values = [value_of(critic) for critic in found]
            cells = f"{rate:.0f} | {seconds:.1f} | {alone:.0f} | {cpu:.0f} | {min(values):.4f} to {max(values):.4f}"
            print(f"| {constraint} | {d} | {seeds} | {steps} | {cells} |", flush=True)
        except Exception:  # the other rows are still wanted; the failure is counted and shown
            failures += 1
            print(f"| {constraint} | {d} | {seeds} | FAILED |", flush=True)
            print("\n".join(traceback.format_exc().splitlines()[-6:]), flush=True)
    return failures


def estimates(device: str, small: bool) -> int:
    """The whole call on the card and on the CPU: value, interval, seconds."""
    print(
        "\n| estimate | d | seeds | device | value | standard error | interval | s |\n|---|---|---|---|---|---|---|---|"
    )
    failures = 0
    for d in (2,) if small else (16,):
        answers = []
        for place, seeds in ((device, 1), (device, 4), ("cpu", 1)):
            began = time.perf_counter()
            answer = critics.estimate(
                lambda n, rng, d=d: rng.normal(size=(n, d)),
                lambda n, rng, d=d: rng.normal(size=(n, d)) + 1.0,
                device=place, seeds=seeds, steps=30 if small else 400 if place == "cpu" else 3000,
            )  # fmt: skip
            answers.append(answer)
            ends = f"[{answer.lower:.4f}, {answer.upper:.4f}]"
            print(
                f"| {d**0.5:.4f} | {d} | {seeds} | {place} | {answer.value:.4f} | {answer.standard_error:.4f} | {ends} "
                f"| {time.perf_counter() - began:.1f} |",
                flush=True,
            )
        # three standard errors and the half percent by which trainings differ
        error = 3 * np.hypot(answers[0].standard_error, answers[-1].standard_error) + 0.005 * answers[-1].value
        failures += abs(answers[0].value - answers[-1].value) > error
    return failures
