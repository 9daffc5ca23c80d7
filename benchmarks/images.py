"""Distances between images, ten classes: ``python benchmarks/images.py --cost cityblock --against ANOTHER_CHECKOUT``.

One row for each size and class: CPU seconds of ``emd_images(A, B, cost=COST, normalize=True)`` on one thread,
certificate included and kernels compiled, by this checkout and by the other one, in turn on a machine in the same
state; the least of ``--repetitions`` runs.  "*" where the two intervals do not meet, or where the relative gap is above
1e-9; these are counted, and the exit status is their number.  "late" are the sizes of which the mean misses the aim.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from image_classes import CLASSES, pair

AIMS = {"sqeuclidean": {32: 0.010, 64: 0.060, 128: 0.7, 256: 5.0, 512: 60.0}, "cityblock": {256: 2.0}}
"""Seconds by cost and pixels along a side, mean over the classes."""


def serve(cost: str) -> None:
    """Answer lines "size, class, repetitions" with seconds, lower and upper bound."""
    from otdiv import emd_images

    for line in sys.stdin:
        size, name, repetitions = line.strip().split(",")
        first, second = pair(name, int(size))
        best = np.inf
        for _ in range(int(repetitions)):
            started = time.process_time()
            result = emd_images(first, second, cost=cost, normalize=True, threads=1)
            best = min(best, time.process_time() - started)
        print(best, result.lower, result.upper, flush=True)


class Checkout:
    """A process that runs one checkout."""

    def __init__(self, path: Path, cost: str) -> None:
        command = [sys.executable, str(Path(__file__).resolve()), "--serve", "--cost", cost]
        environment = {**os.environ, "PYTHONPATH": str(path), "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=path
        )

    def ask(self, size: int, name: str, repetitions: int) -> tuple[float, float, float]:
        """CPU seconds, lower and upper bound."""
        assert self.process.stdin is not None and self.process.stdout is not None
        print(size, name, repetitions, sep=",", file=self.process.stdin, flush=True)
        seconds, lower, upper = map(float, self.process.stdout.readline().split())
        return seconds, lower, upper


def main() -> int:
    """Print the table; returns the number of failures."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--against", type=Path, help="folder of another checkout")
    options.add_argument("--cost", default="sqeuclidean", help="of two pixels; also cityblock, chebyshev, euclidean")
    options.add_argument("--sizes", default="32,64,128,256")
    options.add_argument("--classes", default=",".join(CLASSES))
    options.add_argument("--repetitions", type=int, default=3, help="of sizes up to 128; larger ones run once")
    options.add_argument("--serve", action="store_true", help="used by the script itself")
    given = options.parse_args()
    if given.serve:
        serve(given.cost)
        return 0
    paths = [path.resolve() for path in (Path(__file__).parents[1], given.against) if path is not None]
    checkouts = [Checkout(path, given.cost) for path in paths]
    for checkout in checkouts:
        checkout.ask(32, "noise", 1), checkout.ask(64, "noise", 1)
    failures = 0
    print("| size | class | this, s | other, s | times | value | gap | |\n|---|---|---|---|---|---|---|---|")
    for size in map(int, given.sizes.split(",")):
        repetitions = given.repetitions if size <= 128 else 1
        every = []
        for name in given.classes.split(","):
            answers = [checkout.ask(size, name, repetitions) for checkout in checkouts]
            seconds, lower, upper = answers[0]
            failed = upper - lower > 1e-9 * upper or any(lower > a[2] or a[1] > upper for a in answers)
            failures += failed
            other = answers[-1][0] if given.against else np.nan
            every.append((seconds, other))
            times = f"{seconds:.3g} | {other:.3g} | {other / seconds:.2f}"
            print(
                f"| {size} | {name} | {times} | {upper:.6g} | {(upper - lower) / upper:.0e} | {'*' * failed} |",
                flush=True,
            )
        mean, other = np.mean(every, axis=0)
        late = "late" if mean > AIMS.get(given.cost, {}).get(size, np.inf) else ""
        print(f"| {size} | mean | {mean:.3g} | {other:.3g} | {other / mean:.2f} | | | {late} |", flush=True)
    print(f"\n{failures} failures")
    return failures


if __name__ == "__main__":
    sys.exit(main())
