"""Random problems beside POT: ``python benchmarks/random_problems.py --seconds 300``.

Shapes from 2 to 2000 points a side, 2 to 128 dimensions, nine kinds of points, four of weights, three norms and random
cost matrices; each is timed in turn with POT (``emd(dist(x, y))``), the least of three calls.  Ratios of the
times, below 1 where otdiv is faster, by what may matter; problems that POT takes more than ``LONGEST`` seconds for are
left out.  A failure is a value off POT's by more than 1e-7, relatively, and outside of otdiv's proved interval, or an
answer that is not proved optimal; the exit status is their number.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import ot

import otdiv

LONGEST = 3.0
MOST_PAIRS = 10**6
COSTS = ("euclidean", "sqeuclidean", "cityblock", "random matrix")
DIMENSIONS = (2, 3, 5, 10, 20, 64, 128)
POINTS = ("normal", "shifted", "clusters", "lattice", "Cauchy", "outlier", "scaled", "sphere", "repeated")
WEIGHTS = ("equal", "random", "half of them 0", "heavy tails")
SHAPES = ("as many on both sides", "one side up to 3 times the other", "one side more than 3 times the other")
TIMES = {"below 0.3 ms": 0.3, "0.3 to 3 ms": 3.0, "3 to 30 ms": 30.0, "above 30 ms": np.inf}
GROUPS: dict[str, Iterable[str]] = {
    "all": [""],
    "cost": COSTS,
    "points": POINTS,
    "weights": WEIGHTS,
    "dimension": [str(d) for d in DIMENSIONS],
    "shape": SHAPES,
    "time of POT": TIMES,
}


class Case(NamedTuple):
    """A problem, and what it is called."""

    names: dict[str, str]
    x: np.ndarray
    y: np.ndarray
    a: np.ndarray
    b: np.ndarray
    cost: str | np.ndarray


def draw(rng: np.random.Generator) -> Case:
    """A random problem; half of them with as many points on one side as on the other."""
    n, m = (2 ** rng.uniform(1, 11, 2)).astype(int)
    m = n if rng.random() < 0.5 else m
    d, cost, kind, mass = (str(rng.choice(values)) for values in (DIMENSIONS, COSTS, POINTS, WEIGHTS))
    x, y = rng.normal(size=(n, int(d))), rng.normal(size=(m, int(d)))
    if kind == "shifted":
        y += rng.choice([0.5, 3.0, 30.0])
    elif kind == "clusters":
        x, y = x + 10 * rng.integers(0, 3, (n, 1)), y + 10 * rng.integers(0, 3, (m, 1))
    elif kind == "lattice":
        x, y = np.round(2 * x), np.round(2 * y)
    elif kind == "Cauchy":
        x, y = rng.standard_cauchy(x.shape), rng.standard_cauchy(y.shape)
    elif kind == "outlier":
        x[0] += 1e4
    elif kind == "scaled":
        y *= rng.choice([0.01, 0.1, 3.0])
    elif kind == "sphere":
        x /= np.linalg.norm(x, axis=1)[:, None]
    elif kind == "repeated":
        x, y = x[rng.integers(0, n // 4 + 1, n)], y[rng.integers(0, m // 4 + 1, m)]
    a, b = (_weights(rng, mass, size) for size in (n, m))
    shape = SHAPES[0] if n == m else SHAPES[1] if max(n, m) <= 3 * min(n, m) else SHAPES[2]
    names = {"cost": cost, "points": kind, "weights": mass, "dimension": d, "shape": shape}
    return Case(names, x, y, a, b, rng.random((n, m)) if cost == "random matrix" else cost)


def _weights(rng: np.random.Generator, kind: str, n: int) -> np.ndarray:
    weights = np.ones(n) if kind == "equal" else rng.random(n) + 0.1
    if kind == "half of them 0":
        weights[1:] *= rng.random(n - 1) < 0.5
    if kind == "heavy tails":
        weights = rng.exponential(size=n) ** 3
    return weights / weights.sum()


def least_time(call: Callable[[], float], calls: int) -> tuple[float, float]:
    """The least of some times in milliseconds, and the value."""
    times = []
    for _ in range(calls):
        start = time.perf_counter()
        value = call()
        times.append(time.perf_counter() - start)
    return 1e3 * min(times), value


def measure(case: Case) -> tuple[float, float, str]:
    """Milliseconds of otdiv and of POT, and what is wrong."""
    _, x, y, a, b, cost = case
    points = (None, None) if isinstance(cost, np.ndarray) else (x, y)
    answer: list[otdiv.TransportResult] = []

    def ours() -> float:
        answer[:] = [otdiv.emd(*points, a, b, cost=cost)]
        return answer[0].value

    def theirs() -> float:
        table = cost if isinstance(cost, np.ndarray) else ot.dist(x, y, metric=cost)
        return float(ot.emd2(a, b, table, numItermax=10**7))

    ours()
    other, known = least_time(theirs, 1)
    if other > 1e3 * LONGEST:
        return np.nan, other, ""
    own, value = least_time(ours, 3)
    other = min(other, least_time(theirs, 2)[0])
    wrong = "" if answer[0].status.certified else answer[0].status.label
    off = abs(known - value) > 1e-7 * abs(value) and not answer[0].lower <= known <= answer[0].upper
    return own, other, wrong or ("another value" if off else "")


def print_table(rows: list[tuple[dict[str, str], float, float]]) -> None:
    """Ratios in groups: by each name, and by POT's time."""
    groups: dict[tuple[str, str], list[float]] = defaultdict(list)
    for names, own, other in rows:
        time_of_pot = next(text for text, limit in TIMES.items() if other < limit)
        for group in {"all": "", **names, "time of POT": time_of_pot}.items():
            groups[group].append(own / other)
    print("| | | problems | median | a tenth above | share above 1 | largest |\n|---|---|---|---|---|---|---|")
    for what, kinds in GROUPS.items():
        for name in kinds:
            found = np.array(groups.get((what, name), [np.nan]))
            high, above = np.quantile(found, 0.9), np.mean(found > 1)
            figures = f"{len(found)} | {np.median(found):.2f} | {high:.2f} | {above:.0%} | {found.max():.1f}"
            print(f"| {what} | {name} | {figures} |")


def main() -> int:
    """Print the table; returns the number of failures."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=300.0, help="how long problems are drawn")
    options.add_argument("--seed", type=int, default=0)
    chosen = options.parse_args()
    warnings.simplefilter("ignore")  # POT's, of weights whose totals differ in the last digit
    rng, rows, failures = np.random.default_rng(chosen.seed), [], 0
    end = time.monotonic() + chosen.seconds
    while time.monotonic() < end:
        case = draw(rng)
        if len(case.a) * len(case.b) > MOST_PAIRS:
            continue
        own, other, wrong = measure(case)
        if wrong:
            failures += 1
            print(f"{wrong}: {len(case.a)} and {len(case.b)} points, {case.names}", file=sys.stderr)
        if np.isfinite(own):
            rows.append((case.names, own, other))
    print_table(rows)
    print(f"\nFailures: {failures} of {len(rows)}.")
    return failures


if __name__ == "__main__":
    sys.exit(main())
