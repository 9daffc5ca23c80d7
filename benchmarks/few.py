"""Few points against many, side by side: ``python benchmarks/few.py``.

One row for each n, m, dimension, cost and kind of weights: CPU seconds of ``emd`` with the method "few" and with the
one that was the choice before it (POT below 2**19 pairs, multiscale from there on), certificate included, kernels
compiled; the relative gap that each proves; and "*" where the two intervals do not meet, where few is not proved
optimal within 1e-9 though "auto" takes it, or where an aim is missed.  These are counted, and the exit status is their
number.  CPU seconds, since all use one thread; a run is stopped after ``--limit`` elapsed seconds, shown as ">".
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np

from otdiv import DiscreteMeasure, TransportProblem, emd, select_method, solve
from otdiv.transport.result import TransportResult
from otdiv.transport.selection import multiscale_from

AIMS = {2: 0.2, 5: 1.0, 100: 5.0}
"""Seconds for n points against 100 000 in three dimensions."""
SHAPES = [
    (2, 1000), (2, 10_000), (2, 100_000), (2, 200_000), (5, 1000), (5, 10_000), (5, 100_000), (20, 200), (20, 1000),
    (20, 5000), (20, 25_000), (20, 100_000), (50, 500), (50, 2500), (50, 10_000), (100, 400), (100, 1000), (100, 5000),
    (100, 20_000), (100, 100_000), (300, 1500), (300, 5000), (300, 20_000), (300, 100_000), (1000, 5000),
    (1000, 20_000), (1000, 100_000),
]  # fmt: skip
VARIANTS = [
    (3, "euclidean", "equal"),
    (3, "sqeuclidean", "random"),
    (2, "euclidean", "random"),
    (10, "euclidean", "equal"),
]


def instance(n: int, m: int, d: int, cost: str, weights: str) -> TransportProblem:
    """Two normal clouds, the second moved by 0.5 in each coordinate."""
    rng = np.random.default_rng(n + m)
    x, y = rng.normal(size=(n, d)), rng.normal(size=(m, d)) + 0.5
    a, b = (None, None) if weights == "equal" else (rng.random(n) + 0.01, rng.random(m) + 0.01)
    a, b = (w if w is None else w / w.sum() for w in (a, b))
    return TransportProblem(DiscreteMeasure(x, a), DiscreteMeasure(y, b), cost)


def timed(problem: TransportProblem, method: str, limit: float) -> tuple[TransportResult, float, bool]:
    """The result, CPU seconds (of POT's own process: elapsed ones), and whether it was stopped."""
    anew = TransportProblem(problem.mu, problem.nu, problem.cost)
    cpu, elapsed = time.process_time(), time.perf_counter()
    result = solve(anew, method, time_limit=limit, threads=1)
    cpu, elapsed = time.process_time() - cpu, time.perf_counter() - elapsed
    return result, max(cpu, elapsed if method == "pot" else 0.0), result.stats["method_status"].name == "STOPPED"


def main() -> int:
    """Print the table; returns the number of failures."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--limit", type=float, default=30.0, help="seconds after which a run is stopped")
    options.add_argument("--variants", type=int, default=len(VARIANTS), help="how many kinds of problem")
    options.add_argument("--largest", type=int, default=200_000, help="largest m")
    given = options.parse_args()
    for method in ("few", "pot", "multiscale"):
        for weights in (None, [0.4, 0.6]):
            emd(np.eye(2), np.ones((800, 2)) * np.arange(800)[:, None], weights, cost="sqeuclidean", method=method)
    failures = 0
    print("| n | m | d | cost | weights | few, s | before, s | method | times | gap few | gap before | auto | |")
    print("|---|---|---|---|---|---|---|---|---|---|---|---|---|")
    for d, cost, weights in VARIANTS[: given.variants]:
        for n, m in SHAPES:
            if m > given.largest:
                continue
            problem = instance(n, m, d, cost, weights)
            before = "multiscale" if n * m >= multiscale_from(d) else "dense"
            few, seconds, stopped = timed(problem, "few", given.limit)
            other, others, cut = timed(problem, before, given.limit)
            apart = few.lower > other.upper or other.lower > few.upper
            late = m == 100_000 and d == 3 and seconds > AIMS.get(n, np.inf)
            auto = select_method(problem).method
            failed = apart or (few.gap > 1e-9 * few.value and auto == "few") or late
            failures += failed
            gaps = " | ".join(f"{r.gap / r.value:.0e}" for r in (few, other))
            times = f"{'>' * stopped}{seconds:.3g} | {'>' * cut}{others:.3g} | {before} | {others / seconds:.1f}"
            print(f"| {n} | {m} | {d} | {cost} | {weights} | {times} | {gaps} | {auto} | {'*' * failed} |", flush=True)
    print(f"\n{failures} failures")
    return failures


if __name__ == "__main__":
    sys.exit(main())
