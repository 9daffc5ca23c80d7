"""Ctrl-C and time limits at random moments of every method: ``python benchmarks/interrupts.py [MOMENTS] [METHOD ...]``.

A process for each method solves one problem that takes it seconds, then solves it MOMENTS (100) times anew; each time
SIGINT arrives at a random moment of the solve, or, every fifth time, a ``time_limit`` of that length is set instead.
Allowed are a result whose interval meets the interval of the undisturbed solve, and KeyboardInterrupt.  Failures:
"wrong" (an interval that excludes the true value), "optimal" (a wide one that is called optimal), "error" (any other
exception), "state" (a small problem that is solved next comes out wrong, or a numpy error state, a warning filter or a
signal handler has changed), "late" (the method goes on for more than HEARD seconds), "crash" (the process died).

Two delays are printed: until the method stops, and until the caller has the answer, with its audit.  The exit code is
1 where anything failed.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

HEARD = 1.0
"""Seconds from the signal, or from the end of the limit, to the end of the method: it may end with one search over all
pairs, which makes potentials of a coarse scale those of all points."""


def problems() -> dict[str, dict[str, Any]]:
    """For each method the arguments of emd, of a size that takes seconds on two cores."""
    rng = np.random.default_rng(20261126)
    dense, small = rng.random((1800, 1800)), rng.random((180, 180))
    grid = np.stack(np.meshgrid(np.arange(128.0), np.arange(128.0)), -1).reshape(-1, 2)
    forbidding = np.where(rng.random((1200, 1200)) < 0.5, np.inf, rng.random((1200, 1200)))
    np.fill_diagonal(forbidding, 1.0)

    def weights(n: int) -> np.ndarray:
        w = rng.random(n) + 0.01
        return w / w.sum()

    def matrix(c: np.ndarray) -> dict[str, Any]:
        return {"cost": c, "a": weights(len(c)), "b": weights(len(c)), "normalize": True}

    uniform = np.full(1200, 1 / 1200)
    return {
        "line": {"x": rng.normal(size=4_000_000), "y": rng.normal(size=4_000_000)},
        "grid": {"x": grid, "y": grid, "a": weights(len(grid)), "b": weights(len(grid)), "cost": "cityblock"},
        "multiscale": {"x": rng.random((40_000, 2)), "y": rng.random((40_000, 2)), "cost": "euclidean"},
        "multiscale weights": {
            "x": rng.random((8000, 2)),
            "y": rng.random((8000, 2)),
            "a": weights(8000),
            "b": weights(8000),
        },
        "multiscale 64-D": {"x": rng.normal(size=(6000, 64)), "y": rng.normal(size=(6000, 64))},
        "dense": matrix(dense),
        "dense assignment": {"cost": rng.random((4000, 4000))},
        "pot": matrix(dense),
        "simplex": matrix(dense),
        "simplex forbidden": {"cost": forbidding, "a": uniform, "b": uniform},
        "primal": matrix(small),
        "dual": matrix(small),
        "primal-cvxpy": matrix(small),
        "dual-cvxpy": matrix(small),
    }


class Clock:
    """When the method ended: the moment at which the auditor is called first."""

    def __init__(self) -> None:
        solving = importlib.import_module("otdiv.transport.certified_solve")
        self.ended, certify = 0.0, solving.certify

        def noting(*args: Any, **options: Any) -> Any:
            self.ended = self.ended or time.perf_counter()
            return certify(*args, **options)

        solving.certify = noting  # a module's function


def disturbed(call: Any, clock: Clock, moment: float, by_limit: bool) -> tuple[str, Any, float, float]:
    """One solve, disturbed after ``moment`` seconds: outcome, result, and the two delays."""
    clock.ended, sent, over = 0.0, [0.0], threading.Event()

    def send() -> None:
        if not over.wait(moment):
            sent[0] = time.perf_counter()
            os.kill(os.getpid(), signal.SIGINT)

    sender = threading.Thread(target=send)
    result, outcome = None, "result"
    started = time.perf_counter()
    try:
        try:
            if by_limit:
                sent[0] = started + moment
                result = call(time_limit=moment)
            else:
                sender.start()
                result = call()
        finally:
            back = time.perf_counter()
            over.set()
            if not by_limit:
                sender.join()
    except KeyboardInterrupt:
        outcome = "clean stop"
    except Exception as error:
        outcome = f"error: {type(error).__name__}: {error}"
    method = clock.ended or back
    if not sent[0] or sent[0] > method:
        return outcome, result, 0.0, max(0.0, back - sent[0]) if sent[0] else 0.0
    return outcome, result, method - sent[0], back - sent[0]


def work(name: str, moments: int) -> dict[str, Any]:
    """All moments of one method, in this process."""
    import otdiv

    arguments = {"method": name.split()[0], **problems()[name]}

    def call(**options: Any) -> Any:
        return otdiv.emd(**arguments, **options)

    def state() -> tuple[Any, ...]:
        small = otdiv.emd([0.0, 1.0], [2.0, 4.0]).value
        return small, np.geterr(), list(warnings.filters), signal.getsignal(signal.SIGINT)

    clock = Clock()
    call(time_limit=0.5)  # what compiles, compiles here
    before = state()
    began = time.perf_counter()
    truth = call()
    seconds = time.perf_counter() - began
    rng, outcomes, delays, seen = np.random.default_rng(1), Counter(), [], Counter()
    for k in range(moments):
        outcome, result, method, answer = disturbed(call, clock, rng.uniform(0, seconds), k % 5 == 4)
        if result is not None:
            outcome = "stopped" if result.status.name == "STOPPED" else "finished"
            if result.lower > truth.upper or result.upper < truth.lower:
                outcome = "wrong"
            elif outcome == "finished" and result.gap > 1e-9 * abs(result.value):
                outcome = "optimal"
        if state() != before:
            outcome = "state"
        delays.append((method, answer))
        outcomes[outcome] += 1
        seen["late"] += method > HEARD
    worst = np.max(delays, axis=0)
    return {"name": name, "seconds": seconds, "outcomes": outcomes, "late": seen["late"], "worst": worst.tolist()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("moments", nargs="?", type=int, default=100)
    parser.add_argument("methods", nargs="*", default=list(problems()))
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.worker:
        print(json.dumps(work(" ".join(chosen.methods), chosen.moments)))
        return 0
    print("| method | undisturbed | stopped | finished | clean stop | method stops within | answer within | failures |")
    print("|---|---|---|---|---|---|---|---|")
    failures = 0
    for name in chosen.methods:
        command = [sys.executable, __file__, "--worker", str(chosen.moments), *name.split()]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            failures += 1
            print(f"| {name} | crash: exit {done.returncode}, {done.stderr.strip()[-200:]} |", flush=True)
            continue
        row = json.loads(done.stdout)
        fine = {key: row["outcomes"].pop(key, 0) for key in ("stopped", "finished", "clean stop")}
        bad = {**row["outcomes"], **({"late": row["late"]} if row["late"] else {})}
        failures += sum(bad.values())
        counts = " | ".join(str(count) for count in fine.values())
        method, answer = row["worst"]
        print(
            f"| {name} | {row['seconds']:.1f} s | {counts} | {method:.2f} s | {answer:.2f} s | {bad or 0} |", flush=True
        )
    print(f"\n{failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
