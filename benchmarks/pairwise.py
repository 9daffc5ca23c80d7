"""Many small problems and all pairs of many measures, beside a loop over POT: ``python benchmarks/pairwise.py``.

Wall-clock times mean something on an idle machine; CPU times of one thread also on a busy one.

POT's loop is ``ot.emd2(a, b, ot.dist(x, y, metric="euclidean"))``, one pair after another, measured on a sample of the
pairs (``--sample``) and multiplied up; every otdiv time is of all of them, with a certificate for each.  Before and
after each row the loop is measured anew, and the faster one counts.  A failure is an interval that is not certified,
or a value of the sample that lies outside it by more than 1e-9 of itself; failures and missed aims are counted.
``--quick`` takes a tenth of the problems.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import ot

import otdiv
from otdiv.core.threads import count_threads

Problem = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
AIM = 8.0
"""Times as fast as the loop, for the rows that have an aim."""
ROOM = 1e-9


def pot_loop(problems: list[Problem]) -> tuple[float, float, np.ndarray]:
    """Seconds and seconds of CPU for each problem of a loop over POT, and its values."""
    wall, cpu = time.perf_counter(), time.process_time()
    values = [ot.emd2(a, b, ot.dist(x, y, metric="euclidean")) for x, y, a, b in problems]
    count = len(problems)
    return (time.perf_counter() - wall) / count, (time.process_time() - cpu) / count, np.array(values)


def row(
    name: str, count: int, problems: list[Problem], solve: Callable[[int], tuple[np.ndarray, ...]], has_aim: bool
) -> tuple[int, int]:
    """Print one row; returns failures, and 1 for a missed aim."""
    *before, known = pot_loop(problems)
    failures, cells = 0, ""
    measured = []
    for threads in dict.fromkeys((1, count_threads(None))):
        wall, cpu = time.perf_counter(), time.process_time()
        certified, lower, upper, sample = solve(threads)
        measured.append((time.perf_counter() - wall, time.process_time() - cpu))
        room = ROOM * np.abs(known)
        wrong = (known < lower[sample] - room) | (known > upper[sample] + room)
        failures += int((~certified).sum() + wrong.sum())
    *after, _ = pot_loop(problems)
    each = [min(pair) for pair in zip(before, after, strict=True)]
    for pair in measured:
        for taken, of_pot in zip(pair, each, strict=True):
            cells += f"{taken:8.2f} s ({of_pot * count / taken:5.1f}x)"
    ratio = each[0] * count / measured[-1][0]
    missed = int(has_aim and ratio < AIM)
    pot = f"{each[0] * 1e6:7.0f} us{each[1] * 1e6:7.0f} us"
    print(f"{name:<42}{count:>7}{pot}{cells}{' *' if missed else '  '}{failures:4}")
    return failures, missed


def many(n: int, count: int, sample: int, weighted: bool, rng: np.random.Generator, d: int = 2) -> tuple[int, int]:
    """``emd_many`` on problems of n points a side."""
    x, y = rng.normal(size=(2, count, n, d))
    a, b = rng.random((2, count, n)) if weighted else np.ones((2, count, n))
    a, b = a / a.sum(axis=1, keepdims=True), b / b.sum(axis=1, keepdims=True)
    some = np.arange(0, count, max(1, count // sample))
    problems = [(x[k], y[k], a[k], b[k]) for k in some]

    def solve(threads: int) -> tuple[np.ndarray, ...]:
        batch = otdiv.emd_many(x, y, a if weighted else None, b if weighted else None, threads=threads)
        return batch.certified, batch.lower, batch.upper, some

    kind = "weights" if weighted else "uniform"
    return row(f"emd_many, n = {n}, {d}-D, {kind}", count, problems, solve, n == 32 and not weighted)


def matrix(k: int, n: int, sample: int, rng: np.random.Generator) -> tuple[int, int]:
    """``pairwise`` of k clouds of n points in the plane."""
    clouds = rng.normal(size=(k, n, 2)) + rng.normal(size=(k, 1, 2))
    i, j = np.triu_indices(k, 1)
    some = rng.choice(len(i), min(sample, len(i)), replace=False)
    uniform = np.full(n, 1 / n)
    problems = [(clouds[i[s]], clouds[j[s]], uniform, uniform) for s in some]

    def solve(threads: int) -> tuple[np.ndarray, ...]:
        found = otdiv.pairwise(clouds, threads=threads)
        return found.certified[i, j], found.lower[i, j], found.upper[i, j], some

    return row(f"pairwise, {k} measures of {n} points, 2-D", len(i), problems, solve, True)


def on_the_line(rng: np.random.Generator, sample: int, histograms: bool) -> tuple[int, int]:
    """``pairwise`` of 100 histograms of 64 bins, or of 100 samples of 64, on the line."""
    masses, z = rng.random((100, 64)), np.arange(64.0)[:, None]
    masses /= masses.sum(axis=1, keepdims=True)
    points = [z] * 100 if histograms else list(rng.normal(size=(100, 64, 1)))
    masses = masses if histograms else np.full((100, 64), 1 / 64)
    i, j = np.triu_indices(100, 1)
    some = rng.choice(len(i), min(sample, len(i)), replace=False)
    problems = [(points[i[s]], points[j[s]], masses[i[s]], masses[j[s]]) for s in some]

    def solve(threads: int) -> tuple[np.ndarray, ...]:
        found = otdiv.pairwise(points, weights=masses, threads=threads)
        return found.certified[i, j], found.lower[i, j], found.upper[i, j], some

    kind = "histograms of 64 bins" if histograms else "samples of 64 on the line"
    return row(f"pairwise, 100 {kind}", len(i), problems, solve, False)


def run(quick: bool, sample: int) -> int:
    """Print the table; returns failures and missed aims."""
    rng, part, few = np.random.default_rng(0), 10 if quick else 1, max(1, sample // 5)
    otdiv.emd_many(rng.normal(size=(2, 3, 2)), rng.normal(size=(2, 3, 2)))  # compiled kernels are loaded
    cores = count_threads(None)
    print(f"{'':<49}{'POT, a pair':>19}{'otdiv, one thread':>36}{f'{cores} threads':>36}  failures")
    print(f"{'':<42}{'pairs':>7}{'wall':>10}{'CPU':>10}" + f"{'wall':>18}{'CPU':>18}" * 2)
    results = [
        many(8, 10_000 // part, sample, False, rng),
        many(32, 10_000 // part, sample, False, rng),
        many(32, 10_000 // part, sample, True, rng),
        many(32, 10_000 // part, sample, False, rng, d=10),
        many(50, 4_000 // part, sample, True, rng),
        many(128, 1_000 // part, few, False, rng),
        many(128, 200 // part, few, True, rng),
        on_the_line(rng, sample, True),
        on_the_line(rng, sample, False),
        matrix(1000 if part == 1 else 300, 50, sample, rng),
    ]
    failures, missed = (sum(column) for column in zip(*results, strict=True))
    print(f"\nfailures: {failures}; aims missed (marked *, at least {AIM:g} times with all threads): {missed}")
    return failures + missed


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the problems")
    parser.add_argument("--sample", type=int, default=500, help="pairs for the loop over POT")
    options = parser.parse_args()
    run(options.quick, options.sample)
