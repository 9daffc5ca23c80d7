"""Kill a process at random moments of each kind of save, and look at what stands afterwards.

Run as ``python -m tests.files.killed_saves TRIALS``; prints, as JSON, for each
kind: how many kills, how many of them in the middle of a save (an unfinished
part lies there), and how many left a file that is neither the older nor the
newer one.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from otdiv import emd
from otdiv.critics import fit
from otdiv.critics.training.checkpoint import save_checkpoint
from otdiv.critics.training.schedule import TrainingState
from otdiv.neural.batches import Batches
from otdiv.neural.samples import as_distributions
from otdiv.neural.standardize import Standardizer
from otdiv.plots.style import figure, save_figure
from otdiv.report.html import Section, page, write_page

Save = Callable[[Path], None]


def kinds() -> dict[str, tuple[str, Save, Save]]:
    """For each kind of file its ending and the savers of two contents; "in place" is the one that must fail."""
    rng = np.random.default_rng(0)
    results = [emd(rng.random((400, 2)), rng.random((400, 2))) for _ in range(2)]
    critics = [fit(rng.random((20, 2)), rng.random((20, 2)), steps=2, width=128, rng=seed) for seed in (0, 1)]
    drawings = []
    for k in (1, 2):
        drawing, (ax,) = figure()
        ax.plot(np.arange(5) ** k)
        drawings.append(drawing)
    pages = [page(f"page {k}", [Section("text", "x" * 3_000_000)]) for k in (1, 2)]
    raw = [bytes([k]) * 4_000_000 for k in (1, 2)]

    samples = as_distributions(np.zeros((4, 2)), np.ones((4, 2)), None, None)

    def checkpoint(k: int) -> Save:
        module = torch.nn.Linear(300, 300)
        optimizer = torch.optim.Adam(module.parameters())
        batches = Batches(samples, Standardizer(np.zeros(2), 1.0), 4, k, "cpu")
        state = TrainingState()
        return lambda path: save_checkpoint(path, str(k), state, module, optimizer, batches)

    def pair(suffix: str, savers: list[Save]) -> tuple[str, Save, Save]:
        return suffix, savers[0], savers[1]

    return {
        "certificate": pair(".npz", [result.save for result in results]),
        "critic": pair(".pt", [critic.save for critic in critics]),
        "checkpoint": pair(".ckpt", [checkpoint(0), checkpoint(1)]),
        "figure": pair(".png", [lambda path, d=d: save_figure(d, path) for d in drawings]),
        "page": pair(".html", [lambda path, p=p: write_page(path, p) for p in pages]),
        "in place": pair(".bin", [lambda path, c=c: path.write_bytes(c) for c in raw]),
    }


def kill_saves(suffix: str, older: Save, newer: Save, trials: int, rng: np.random.Generator) -> dict[str, int]:
    """Start saving both contents in turn, kill at a random moment, read the file; again and again."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"file{suffix}"
        whole = []
        began = time.monotonic()
        for save in (older, newer):
            save(path)
            whole.append(path.read_bytes())
        seconds = time.monotonic() - began
        seen = {"kills": 0, "in the middle": 0, "broken": 0}
        for _ in range(trials):
            child = os.fork()
            if child == 0:
                while True:
                    older(path)
                    newer(path)
            time.sleep(0.002 + rng.uniform(0, seconds))
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            parts = list(path.parent.glob(".*.part"))
            seen["kills"] += 1
            seen["in the middle"] += bool(parts)
            seen["broken"] += path.read_bytes() not in whole
            for part in parts:
                part.unlink()
        return seen


def main(trials: int) -> None:
    """All kinds, as JSON."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    print(json.dumps({name: kill_saves(*kind, trials, rng) for name, kind in kinds().items()}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
