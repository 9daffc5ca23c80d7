"""What a graphics card is worth, in about five minutes: ``python benchmarks/gpu.py [--device cuda] [--small]``.

Three tables in Markdown, with the device's name:

transport   large clouds, ``device="cpu"`` of otdiv's own code against torch on the device: seconds, whether the two
            intervals have the same bits, failures
critics     steps per second of all seeds together, one by one and on the CPU; estimates on both
generators  steps per second of each model of the GAN family one by one, recorded and on the CPU; W1 on both

``--small`` runs everything at sizes of seconds, on any torch device, so that the script can be tried where there is no
card: ``python benchmarks/gpu.py --device cpu --small``.  The exit code is the number of failures.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gpu_critics import critics_table
from gpu_generators import generators_table

from otdiv import emd
from otdiv.core.devices import training_device
from otdiv.errors import InvalidInput

CLOUDS = ((64, 100_000), (10, 200_000), (784, 50_000), (64, 20_000), (64, 50_000), (10, 100_000))
"""Dimension and points: two normal clouds, the second shifted by 0.5 in each coordinate."""
ON_CPU_TOO = 20_000
"""Points up to which the CPU solves the same problem for comparison."""
SMALL_CLOUDS = ((64, 1500), (10, 2000))


def transport(device: str, small: bool, until: float) -> int:
    """The table of clouds; problems that would begin after ``until`` are named and left out."""
    print("\n| d | n | device, s | CPU, s | times | same bits | proved gap |\n|---|---|---|---|---|---|---|")
    failures = 0
    for d, n in SMALL_CLOUDS if small else CLOUDS:
        if time.monotonic() > until:
            print(f"| {d} | {n} | left out: no time | | | | |", flush=True)
            continue
        rng = np.random.default_rng(0)
        x, y = rng.normal(size=(n, d)), rng.normal(size=(n, d)) + 0.5
        found = timed(x, y, device, max(5.0, until - time.monotonic()))
        other = timed(x, y, "cpu", 120.0) if n <= ON_CPU_TOO and device != "cpu" else None
        same = other is None or (found[0].lower, found[0].upper) == (other[0].lower, other[0].upper)
        failures += not found[0].status.certified or not same
        cells = ("", "", "") if other is None else (f"{other[1]:.1f}", f"{other[1] / found[1]:.1f}", str(same))
        gap = found[0].gap / found[0].value
        print(f"| {d} | {n} | {found[1]:.1f} | {' | '.join(cells)} | {gap:.0e} |", flush=True)
    return failures


def timed(x: np.ndarray, y: np.ndarray, device: str, limit: float) -> tuple:
    """The answer and its seconds."""
    began = time.perf_counter()
    answer = emd(x, y, method="multiscale", device=device, time_limit=limit)
    return answer, time.perf_counter() - began


def main() -> int:
    """Print the tables; returns the number of failures."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--device", default="cuda")
    options.add_argument("--small", action="store_true")
    options.add_argument("--tables", nargs="+", default=["transport", "critics", "generators"])
    options.add_argument("--seconds", type=float, default=150.0, help="for each of the tables of clouds and critics")
    given = options.parse_args()
    try:
        training_device(given.device)
    except InvalidInput as error:
        options.error(str(error))
    name = torch.cuda.get_device_name() if given.device.startswith("cuda") else "CPU"
    print(f"{name}, torch {torch.__version__}, {torch.get_num_threads()} CPU threads")
    for d in (8, 300):
        warm_up = np.random.default_rng(0).normal(size=(2, 1200, d))
        for place in ("cpu", given.device):  # kernels and the device's own code are loaded, of trees and of products
            emd(*warm_up, method="multiscale", device=place)
    failures = 0
    if "transport" in given.tables:
        failures += transport(given.device, given.small, time.monotonic() + given.seconds)
    if "critics" in given.tables:
        failures += critics_table(given.device, given.small, time.monotonic() + given.seconds)
    if "generators" in given.tables:
        failures += generators_table(given.device, given.small)
    print(f"\n{failures} failures")
    return failures


if __name__ == "__main__":
    sys.exit(main())
