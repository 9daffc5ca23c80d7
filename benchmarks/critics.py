"""Critics on pairs with a known W1: error, coverage, gradients, time: ``python benchmarks/critics.py``.

Two estimands.  "points": the distance of n paired, then shuffled, points, known exactly; "distributions": the
distance of the distributions, the critic being trained on new draws.  Four tables, one after the other, or
those named: the default on points and on distributions over many seeds, and every constraint on both.  The
error is that of the estimate; the critic error that of the critic value, without the c-transform of the
points; the cosine is that of the critic's gradient with the direction of transport on points that were not
trained on.  An interval that misses the truth is counted.  All four tables take about two hours on one core.
On a graphics card the cells of one dimension fit into one process: ``cells --dimensions 2 &``, and so on.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from otdiv import critics
from otdiv.core.devices import training_device
from otdiv.critics.choice import resolve_constraint
from otdiv.critics.estimands import PopulationEstimand
from otdiv.critics.training.options import Options
from otdiv.critics.training.problem import TrainingProblem
from otdiv.critics.training.train import train
from otdiv.datasets import KnownPair, funnels, power_funnels, radial, shift, squares
from otdiv.neural.samples import as_distributions

PAIRS = {
    "shift": shift,
    "radial": radial,
    "4 funnels": lambda d: funnels(d, 4),
    "16 funnels": lambda d: funnels(d, 16),
}
CELLS = {f"{count} power funnels": (lambda d, count=count: power_funnels(d, count)) for count in (4, 16, 64, 256)}
"""With seven dimensions the 28 cells of Korotin, Kolesov and Burnaev (2022).  The best of their methods was off by
15.8 % in the mean (median 8.8 %; by 5.6, 7.8, 17 and 33 % with 4, 16, 64 and 256 funnels), at a cosine of 0.770."""


class Table(NamedTuple):
    """The runs of one table."""

    population: bool
    constraints: tuple[str, ...]
    pairs: tuple[str, ...]
    dimensions: tuple[int, ...]
    runs: int
    options: dict[str, Any]


TABLES = {
    "points": Table(False, ("auto",), ("shift", "radial", "4 funnels"), (2, 8, 32), 40, {"steps": 600}),
    "distributions": Table(True, ("auto",), tuple(PAIRS), (2, 8, 32), 40, {"steps": 400}),
    "cells": Table(True, ("auto",), tuple(CELLS), (2, 4, 8, 16, 32, 64, 128), 10, {}),
    "every-points": Table(False, critics.CONSTRAINTS, tuple(PAIRS)[:3], (2, 8, 32), 1, {"time_limit": 2.0}),
    "every-distributions": Table(True, critics.CONSTRAINTS, tuple(PAIRS), (2, 8, 32, 128), 1, {"time_limit": 3.0}),
}


def true_distance(pair: KnownPair) -> float:
    """W1 of the distributions; by a mean over a million draws where there is no formula."""
    if pair.w1 is not None:
        return pair.w1
    assert pair.move is not None
    rng = np.random.default_rng(12345)
    parts = [pair.draw(50_000, rng) for _ in range(20)]
    return float(np.mean([np.linalg.norm(x - pair.move(x), axis=1).mean() for x in parts]))


def cosine(critic: critics.CriticEstimate, pair: KnownPair) -> float:
    """Mean cosine of grad f with the direction of transport, halfway along the rays."""
    assert pair.move is not None
    x = pair.draw(1000, np.random.default_rng(999))
    y = pair.move(x)
    gradients = critic.critic.gradient((x + y) / 2)
    along = np.sum(gradients * (x - y), axis=1)
    sizes = np.linalg.norm(gradients, axis=1) * np.linalg.norm(x - y, axis=1)
    return float(np.mean(along / np.maximum(sizes, 1e-300)))


def run(pair: KnownPair, truth: float, constraint: str, population: bool, seed: int, n: int, options: dict) -> tuple:
    """One training: errors of the estimate and of the critic value, covered or not, cosine, seconds."""
    move = pair.move
    assert move is not None
    if population:
        data: tuple = (pair.draw, lambda n, rng: move(pair.draw(n, rng)))
    else:
        sample = pair.sample(n, np.random.default_rng([seed, 7]))
        assert sample.w1 is not None
        truth, data = sample.w1, (sample.x, sample.y)
    answer = critics.estimate(*data, constraint=constraint, rng=seed, **options)
    return row_of(answer, pair, truth, answer.seconds)


def run_seeds(pair: KnownPair, truth: float, constraint: str, table: Table, n: int) -> list[tuple]:
    """The rows of all seeds; on a graphics card the critics of distributions are trained together.

    They are then evaluated on the same held-out points, whose drawing would take most of the time: errors and
    intervals of one row have the noise of these points in common.
    """
    device = training_device(table.options.get("device", "auto"))
    if not table.population or not str(device).startswith("cuda"):
        return [run(pair, truth, constraint, table.population, seed, n, table.options) for seed in range(table.runs)]
    began = time.monotonic()
    move = pair.move
    assert move is not None
    distributions = as_distributions(pair.draw, lambda n, rng: move(pair.draw(n, rng)))
    choice = resolve_constraint(constraint, "population", np.inf, np.inf, pair.d)
    asked = PopulationEstimand.of(distributions, 0, None)
    problems = [
        TrainingProblem.of(
            asked.train, Options.of(choice.constraint, seed, **table.options), validation=asked.validation
        )
        for seed in range(table.runs)
    ]
    answers = [asked.answer(critic, choice) for critic in train(problems)]
    seconds = (time.monotonic() - began) / table.runs
    return [row_of(answer, pair, truth, seconds) for answer in answers]


def row_of(answer: critics.CriticEstimate, pair: KnownPair, truth: float, seconds: float) -> tuple:
    """Errors of the estimate and of the critic value, covered or not, cosine, seconds."""
    # rounding: both ends may be the truth itself
    covered = answer.lower <= truth * (1 + 1e-9) and answer.upper >= truth * (1 - 1e-9)
    return answer.value / truth - 1, answer.critic_value / truth - 1, covered, cosine(answer, pair), seconds


def print_table(table: Table, n: int, until: float) -> None:
    """One row for each pair, dimension and constraint, as it is ready."""
    print("| pair | d | constraint | median error | largest error | critic error | covered | cosine | seconds |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    every: list[tuple] = []
    for name in table.pairs:
        for d in (4096,) if name == "squares" else table.dimensions:
            if time.monotonic() > until:
                print(f"| {name} | {d} | left out: no time | | | | | | |", flush=True)
                continue
            pair = squares() if name == "squares" else (PAIRS | CELLS)[name](d)
            truth = true_distance(pair) if table.population else 0.0
            for constraint in table.constraints:
                rows = run_seeds(pair, truth, constraint, table, n)
                every += rows
                errors, critic_errors, covered, cosines, seconds = (
                    np.array(column) for column in zip(*rows, strict=True)
                )
                worst = errors[np.abs(errors).argmax()]
                print(
                    f"| {name} | {pair.d} | {constraint} | {100 * np.median(errors):+.3f} % | {100 * worst:+.3f} % "
                    f"| {100 * np.median(critic_errors):+.2f} % | {covered.sum()} / {len(rows)} | {cosines.mean():.3f} "
                    f"| {seconds.mean():.1f} |",
                    flush=True,
                )
    off, covered = np.abs([row[0] for row in every]), sum(row[2] for row in every)
    print(
        f"\nAll {len(every)} runs: mean absolute error {100 * off.mean():.2f} %, largest {100 * off.max():.2f} %, "
        f"interval holds the truth in {covered}, mean cosine {np.mean([row[3] for row in every]):.3f}"
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="*", help=f"some of {', '.join(TABLES)}; all by default")
    parser.add_argument("--dimensions", type=int, nargs="+")
    parser.add_argument("--pairs", nargs="+", choices=[*PAIRS, *CELLS, "squares"])
    parser.add_argument("--constraints", nargs="+", choices=["auto", *critics.CONSTRAINTS])
    parser.add_argument("--runs", type=int, help="seeds of a row")
    parser.add_argument("--n", type=int, default=150, help="points of each distribution, in the tables of points")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--draws", type=int, help="most points drawn from a sampler for one training")
    parser.add_argument("--seconds", type=float, default=np.inf, help="begin no row of a table after so long")
    parser.add_argument("--time-limit", type=float, help="seconds of training of one run")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args(argv)
    if unknown := set(arguments.tables) - set(TABLES):
        parser.error(f"no table {', '.join(unknown)}; there are {', '.join(TABLES)}")
    torch.set_num_threads(arguments.threads)
    cuda = torch.cuda.is_available() and arguments.device != "cpu"
    device = torch.cuda.get_device_name() if cuda else f"CPU {platform.machine()}, {arguments.threads} thread(s)"
    print(f"torch {torch.__version__} on {device}")
    for name in arguments.tables or TABLES:
        table = TABLES[name]
        given = {key: getattr(arguments, key) for key in ("dimensions", "pairs", "constraints", "runs")}
        table = table._replace(**{key: value for key, value in given.items() if value is not None})
        wanted = {
            key: getattr(arguments, key)
            for key in ("steps", "time_limit", "draws")
            if getattr(arguments, key) is not None
        }
        table = table._replace(options={**table.options, **wanted, "device": arguments.device})
        size = "" if table.population else f", n = {arguments.n}"
        print(f"\n{name}: {table.runs} run(s) a row{size}, {table.options}\n")
        began = time.monotonic()
        print_table(table, arguments.n, began + arguments.seconds)
        print(f"\n{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
