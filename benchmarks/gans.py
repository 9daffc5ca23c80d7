"""The GAN family on data of known modes: medians over seeds with their range, judged by exact distances.

    python benchmarks/gans.py                    ring8, every model, 5 seeds
    python benchmarks/gans.py --data grid25 --models exact-ot sngan --seeds 3
    python benchmarks/gans.py --device cuda      the same on a graphics card, with steps per second

Prints a table in Markdown; a training that fails is counted, with its reason.
"""

from __future__ import annotations

import argparse
import platform
import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from otdiv.datasets import MODAL_DATA
from otdiv.errors import OtdivError
from otdiv.gans import MODELS, train

COLUMNS = ("modes", "high_quality", "js", "reverse_kl", "w1")


def spread(values: list[float]) -> str:
    """Median, with least and largest."""
    if len(values) == 1:
        return f"{values[0]:.3g}"
    return f"{np.median(values):.3g} ({min(values):.3g} to {max(values):.3g})"


def main() -> None:
    """Parse the command line, train, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="ring8", choices=MODAL_DATA)
    parser.add_argument("--models", nargs="*", default=list(MODELS), choices=MODELS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=None)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="further settings")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    settings = {}
    for name, value in (pair.split("=") for pair in arguments.set):
        settings[name] = float(value) if "." in value or "e" in value else int(value)
    place = (
        torch.cuda.get_device_name()
        if arguments.device.startswith("cuda")
        else platform.processor() or platform.machine()
    )
    print(f"{arguments.data}, {arguments.seeds} seeds, {place}, torch {torch.__version__}, one CPU thread\n")
    print("| model | " + " | ".join(COLUMNS) + " | W1 / floor | steps per s | s | own measures | failures |")
    print("|---" * (len(COLUMNS) + 6) + "|")
    for model in arguments.models:
        records, failures = [], []
        for seed in range(arguments.seeds):
            try:
                records.append(
                    train(
                        arguments.data,
                        model,
                        seed=seed,
                        steps=arguments.steps,
                        device=arguments.device,
                        reports=4,
                        **settings,
                    )
                )
            except OtdivError as problem:
                failures.append(f"seed {seed}: {problem}")
        if not records:
            print(f"| {model} | " + " | ".join("-" * (len(COLUMNS) + 4)) + f" | {len(failures)}: {failures} |")
            continue
        cells = [
            spread([float(r.measures[name]) for r in records]) if records[0].measures.get(name) is not None else "-"
            for name in COLUMNS
        ]
        cells.append(spread([r.measures["w1"] / r.measures["w1_floor"] for r in records]))
        cells.append(spread([r.settings.steps / r.seconds for r in records]))
        cells.append(spread([r.seconds for r in records]))
        own = [f"{name} {spread([r.own[name] for r in records])}" for name in records[0].own]
        print(
            f"| {model} | " + " | ".join(cells) + f" | {'; '.join(own)} | {len(failures)} {failures or ''} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
