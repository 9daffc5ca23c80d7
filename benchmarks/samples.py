"""All tables of samples, from one command: ``python benchmarks/samples.py`` (``--sections`` chooses some).

coverage      95 % intervals of KL, JS, W1 and W2 on twelve pairs of known truth and three of equal distributions
bias          of KL by nearest neighbours, Gaussian plug-in and discriminator where KL = 1, in 1 to 20 dimensions
level, mixture, perturbed-1d, perturbed-2d, drift, speed
              of the two-sample tests: the tables of ``two_sample.py``
networks      what a neural network adds to the discriminator's candidates
pairwise      many small problems and all pairs, beside a loop over POT
page          seconds of ``otdiv compare`` with its page, for two CSVs of 20 000 rows and 13 columns

Each table says where an aim is missed, and the last line counts them.  ``--quick`` runs a few repetitions;
``--keep FILE`` stores each repetition of ``coverage`` as a line, so that a run that was broken off goes on where it
was.  On one core all tables take some hours, of which coverage at n = 3000 takes the most.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import interval_coverage
import networks
import numpy as np
import pairwise
import two_sample

import otdiv

SIZES = (300, 1000, 3000)
REPETITIONS = {300: 200, 1000: 100, 3000: 40}
PAGE_SECONDS = 20.0
"""Aim for the page of a table of 20 000 x 12."""


def run_coverage(options: argparse.Namespace) -> int:
    """Coverage of the intervals."""
    sizes = options.sizes or ([300] if options.quick else list(SIZES))
    usual = {n: 10 if options.quick else REPETITIONS.get(n, 20) for n in sizes}
    return interval_coverage.run_coverage(sizes, {n: options.repetitions or usual[n] for n in sizes}, options.keep)


def run_bias(options: argparse.Namespace) -> int:
    """Bias of KL in high dimension."""
    return interval_coverage.run_bias(options.repetitions or (3 if options.quick else 20))


def run_networks(options: argparse.Namespace) -> int:
    """What a network adds."""
    return networks.run_networks(options.repetitions or (2 if options.quick else 10))


def two_sample_table(name: str) -> Callable[[argparse.Namespace], int]:
    """A table of ``two_sample.py`` with its own defaults."""

    def run(options: argparse.Namespace) -> int:
        argv = ["--quick"] * options.quick + ["--tables", name]
        argv += ["--repetitions", str(options.repetitions)] if options.repetitions else []
        argv += ["--sizes", *map(str, options.sizes)] if options.sizes else []
        return two_sample.run(argv)

    return run


def run_pairwise(options: argparse.Namespace) -> int:
    """All pairs beside a loop over POT."""
    return pairwise.run(options.quick, options.repetitions or 500)


def run_page(options: argparse.Namespace) -> int:
    """Seconds of the whole command on a table as people have them."""
    rows = 2_000 if options.quick else 20_000
    with tempfile.TemporaryDirectory() as folder:
        for seed, name in enumerate(("before.csv", "after.csv")):
            write_table(Path(folder) / name, rows, seed)
        begin = time.perf_counter()
        argv = [sys.executable, "-m", "otdiv", "compare", "before.csv", "after.csv", "--report", "page.html"]
        done = subprocess.run(argv, cwd=folder, capture_output=True, text=True)
        seconds = time.perf_counter() - begin
        size = (Path(folder) / "page.html").stat().st_size if done.returncode == 0 else 0
    print(f"\notdiv compare, two CSVs of {rows} x 13, with its page: {seconds:.1f} s, page of {size / 1e3:.0f} kB")
    if done.returncode:
        print(done.stderr)
    return int(done.returncode != 0 or seconds > PAGE_SECONDS)


def write_table(path: Path, rows: int, seed: int) -> None:
    """Eight numbers, three categories, a date and an identifier; two of the numbers move with the seed."""
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=(rows, 8)) + 0.05 * seed * (np.arange(8) < 2)
    categories = rng.choice(["red", "green", "blue"], size=(rows, 3))
    days = np.datetime64("2025-01-01") + rng.integers(0, 365, rows)
    header = [*(f"x{k}" for k in range(8)), "a", "b", "c", "day", "id"]
    with path.open("w") as stream:
        stream.write(",".join(header) + "\n")
        for k in range(rows):
            cells = [*(f"{value:.5f}" for value in numbers[k]), *categories[k], str(days[k]), f"u{seed}-{k}"]
            stream.write(",".join(cells) + "\n")


SECTIONS: dict[str, Callable[[argparse.Namespace], int]] = {
    "coverage": run_coverage,
    "bias": run_bias,
    **{name: two_sample_table(name) for name in two_sample.TABLES},
    "networks": run_networks,
    "pairwise": run_pairwise,
    "page": run_page,
}


def main() -> None:
    """Print the sections."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sections", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    parser.add_argument("--repetitions", type=int, help="of every section, instead of its own number")
    parser.add_argument("--sizes", type=int, nargs="+", help="n of coverage and level")
    parser.add_argument("--keep", type=Path, help="file of repetitions of coverage that are done")
    parser.add_argument("--quick", action="store_true", help="few repetitions")
    options = parser.parse_args()
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "scikit-learn", "POT"))
    print(f"{platform.machine()}, Python {platform.python_version()}, otdiv {otdiv.__version__}, {packages}\n")
    missed = {}
    for name in options.sections:
        begin = time.perf_counter()
        missed[name] = SECTIONS[name](options)
        print(f"\n({name}: {time.perf_counter() - begin:.0f} s)\n", flush=True)
    print("missed aims:", ", ".join(f"{name} {count}" for name, count in missed.items()))


if __name__ == "__main__":
    main()
