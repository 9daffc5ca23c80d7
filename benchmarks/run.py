"""Ratios against other packages, measured side by side in one run: ``python benchmarks/run.py``.

Each pair of commands is timed in turn (A B A B ...) after a warm-up; the ratio is the median of the
ratios of the pairs.  A wrong value or an exception counts as a failure.
"""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from statistics import median

import numpy as np
import ot
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from scipy.stats import wasserstein_distance

import otdiv


@dataclass(frozen=True)
class Timing:
    """One row: medians in seconds, the ratio of the pairs, failures of each side."""

    name: str
    ours: float
    theirs: float
    ratio: float
    failures: tuple[int, int]


def side_by_side(
    name: str,
    ours: Callable[[], float],
    theirs: Callable[[], float | None],
    rounds: int,
    repeats: int = 1,
    truth: float | None = None,
) -> Timing:
    """Time two commands in turn; values off ``truth`` by more than 1e-9 relative are failures."""
    times: tuple[list[float], list[float]] = ([], [])
    failures = [0, 0]
    for round_number in range(rounds + 1):
        for side, command in enumerate((ours, theirs)):
            start = time.perf_counter()
            try:
                for _ in range(repeats):
                    value = command()
                wrong = truth is not None and value is not None and abs(value - truth) > 1e-9 * abs(truth)
            except Exception as problem:
                print(f"{name}: {problem}", file=sys.stderr)
                wrong = True
            if round_number:  # the first round is the warm-up
                times[side].append((time.perf_counter() - start) / repeats)
                failures[side] += wrong
    ratio = median(a / b for a, b in zip(*times, strict=True))
    return Timing(name, median(times[0]), median(times[1]), ratio, (failures[0], failures[1]))


def small_problems() -> list[Timing]:
    """What one call costs, certificate included."""
    rows = []
    rng = np.random.default_rng(0)
    for n in (8, 32, 128, 512):
        x, y = rng.normal(size=(n, 2)), rng.normal(size=(n, 2)) + 0.5
        weights = np.full(n, 1 / n)
        a, b = rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(n))
        truth = otdiv.emd(x, y, method="primal").value if n <= 128 else None
        rows.append(
            side_by_side(
                f"n = {n}, 2-D, against POT dist + emd2",
                lambda x=x, y=y: otdiv.emd(x, y).value,
                lambda x=x, y=y, w=weights: float(ot.emd2(w, w, ot.dist(x, y, metric="euclidean"))),
                rounds=15,
                repeats=max(1, 2000 // n),
                truth=truth,
            )
        )
        rows.append(
            side_by_side(
                f"n = {n}, 2-D, random weights, against POT dist + emd2",
                lambda x=x, y=y, a=a, b=b: otdiv.emd(x, y, a, b).value,
                lambda x=x, y=y, a=a, b=b: float(ot.emd2(a, b, ot.dist(x, y, metric="euclidean"))),
                rounds=15,
                repeats=max(1, 2000 // n),
                truth=otdiv.emd(x, y, a, b, method="primal").value if n <= 128 else None,
            )
        )
    return rows


def many_dimensions() -> list[Timing]:
    """About a thousand points in as many dimensions as pictures have."""
    rng = np.random.default_rng(0)
    rows = []
    for n, d in ((1024, 64), (1024, 784), (1024, 3072)):
        x, y = rng.normal(size=(n, d)), rng.normal(size=(n, d)) + 0.1
        rows.append(
            side_by_side(
                f"n = {n}, {d}-D, against POT dist + emd2",
                lambda x=x, y=y: otdiv.emd(x, y).value,
                lambda x=x, y=y: float(ot.emd2([], [], ot.dist(x, y, metric="euclidean"))),
                rounds=3,
                truth=float(ot.emd2([], [], cdist(x, y))),
            )
        )
    return rows


def matrices() -> list[Timing]:
    """Assignments on a matrix of random costs."""
    rng = np.random.default_rng(0)
    rows = []
    for n in (128, 512, 1024):
        costs = rng.random((n, n))
        i, j = linear_sum_assignment(costs)
        rows.append(
            side_by_side(
                f"assignment on a random matrix, n = {n}, against scipy linear_sum_assignment (value only)",
                lambda costs=costs, n=n: otdiv.emd(cost=costs).value * n,
                lambda costs=costs: float(costs[linear_sum_assignment(costs)].sum()),
                rounds=9,
                truth=float(costs[i, j].sum()),
            )
        )
    return rows


def many_problems() -> list[Timing]:
    """Ten thousand problems of 32 points in one call, each with its interval."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(10_000, 32, 2)), rng.normal(size=(10_000, 32, 2)) + 0.5
    uniform = np.full(32, 1 / 32)

    def loop() -> float:
        return sum(ot.emd2(uniform, uniform, ot.dist(p, q, metric="euclidean")) for p, q in zip(x, y, strict=True))

    name = "10 000 problems of n = 32, emd_many against a loop over POT dist + emd2"
    return [side_by_side(name, lambda: float(otdiv.emd_many(x, y).values.sum()), loop, 3, truth=float(loop()))]


def line_problems() -> list[Timing]:
    """A million points on the line: value, plan, potentials and certificate."""
    rng = np.random.default_rng(0)
    n = 1_000_000
    x, y = rng.normal(size=n), rng.normal(size=n) + 0.3
    a = rng.random(n)
    a /= a.sum()

    def sort_twice() -> None:
        np.argsort(x)
        np.argsort(y)

    truth = float(np.abs(np.sort(x) - np.sort(y)).mean())
    return [
        side_by_side(f"n = {n}, line, against two argsort", lambda: otdiv.emd(x, y).value, sort_twice, 7, truth=truth),
        side_by_side(f"n = {n}, line, weighted, against two argsort", lambda: otdiv.emd(x, y, a).value, sort_twice, 5),
        side_by_side(
            f"n = {n}, line, against scipy wasserstein_distance (value only)",
            lambda: otdiv.emd(x, y).value,
            lambda: float(wasserstein_distance(x, y)),
            5,
            truth=truth,
        ),
        side_by_side(
            f"n = {n}, line, against POT wasserstein_1d (value only)",
            lambda: otdiv.emd(x, y).value,
            lambda: float(ot.wasserstein_1d(x, y)),
            5,
            truth=truth,
        ),
    ]


def main() -> None:
    """Print the table."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "pot"))
    print(f"{platform.machine()}, Python {platform.python_version()}, otdiv {otdiv.__version__}, {packages}\n")
    print("| problem | otdiv | other | ratio | failures |")
    print("|---|---|---|---|---|")
    for row in (*small_problems(), *many_dimensions(), *matrices(), *many_problems(), *line_problems()):
        cells = [
            row.name,
            _seconds(row.ours),
            _seconds(row.theirs),
            f"{row.ratio:.2f}",
            " / ".join(map(str, row.failures)),
        ]
        print("| " + " | ".join(cells) + " |")


def _seconds(value: float) -> str:
    return f"{value * 1e6:.0f} µs" if value < 1e-3 else f"{value * 1e3:.1f} ms" if value < 1 else f"{value:.2f} s"


if __name__ == "__main__":
    main()
