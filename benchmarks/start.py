"""The first answer, as whole processes: ``python benchmarks/start.py``.

Commands are run in turn; each figure is the median of the rounds, processor time of the process and its children.
Kernels have been compiled by a first run, which is not counted.
"""

from __future__ import annotations

import platform
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import numpy as np

ROUNDS = 7


def processor_seconds(command: list[str]) -> float:
    """User and system time of one run; a run that fails is an error."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print the table."""
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        files = [str(Path(folder) / name) for name in ("a.csv", "b.csv")]
        for file, n in zip(files, (59, 71), strict=True):
            np.savetxt(file, rng.normal(size=(n, 2)), delimiter=",")
        otdiv = [sys.executable, "-m", "otdiv"]
        read = f"import numpy as np, ot; x, y = (np.loadtxt(f, delimiter=',') for f in {files!r})"
        commands = {
            "otdiv emd a.csv b.csv (59 and 71 rows)": [*otdiv, "emd", *files],
            "otdiv --help": [*otdiv, "--help"],
            "import otdiv": [sys.executable, "-c", "import otdiv"],
            "POT: import ot, loadtxt, dist, emd2": [sys.executable, "-c", f"{read}; ot.emd2([], [], ot.dist(x, y))"],
            "import numpy": [sys.executable, "-c", "import numpy"],
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for name in commands:
            processor_seconds(commands[name])
        for _ in range(ROUNDS):
            for name, command in commands.items():
                times[name].append(processor_seconds(command))
    print(f"{platform.machine()}, Python {platform.python_version()}, medians of {ROUNDS} processes each\n")
    print("| process | processor time | from ... to |")
    print("|---|---|---|")
    for name, seconds in times.items():
        print(f"| {name} | {median(seconds):.2f} s | {min(seconds):.2f} ... {max(seconds):.2f} s |")


if __name__ == "__main__":
    main()
