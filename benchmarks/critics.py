"""Every constraint on pairs with a known W1: error, coverage, gradients, time: ``python benchmarks/critics.py``.

Two questions.  "empirical": the distance of n paired, then shuffled, points, known exactly; "population":
the distance of the laws, the critic being trained on fresh draws.  The error is that of the estimate;
"own" that of the critic without the c-transform; the cosine is that of the critic's gradient with the true
potential's on points that were not trained on.  An interval that misses the truth is counted.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Sequence

import numpy as np
import torch

from otdiv import critics
from otdiv.pairs import KnownPair, funnels, radial, shift, squares

PAIRS = {
    "shift": shift,
    "radial": radial,
    "4 funnels": lambda d: funnels(d, 4),
    "16 funnels": lambda d: funnels(d, 16),
}


def true_distance(pair: KnownPair) -> float:
    """W1 of the laws; by a mean over a million draws where there is no formula."""
    if pair.w1 is not None:
        return pair.w1
    assert pair.move is not None
    rng = np.random.default_rng(12345)
    parts = [pair.draw(50_000, rng) for _ in range(20)]
    return float(np.mean([np.linalg.norm(x - pair.move(x), axis=1).mean() for x in parts]))


def cosine(critic: critics.CriticEstimate, pair: KnownPair) -> float:
    """Mean cosine of grad f with the direction of transport, halfway along the rays."""
    assert pair.move is not None
    x = pair.draw(1000, np.random.default_rng(999))
    y = pair.move(x)
    gradients = critic.critic.gradient((x + y) / 2)
    along = np.sum(gradients * (x - y), axis=1)
    sizes = np.linalg.norm(gradients, axis=1) * np.linalg.norm(x - y, axis=1)
    return float(np.mean(along / np.maximum(sizes, 1e-300)))


def run(pair: KnownPair, truth: float, constraint: str, estimand: str, seed: int, n: int, options: dict) -> tuple:
    """One training: estimate's error and critic's own, covered or not, cosine, seconds."""
    if estimand == "empirical":
        sample = pair.sample(n, np.random.default_rng([seed, 7]))
        assert sample.w1 is not None
        truth, data = sample.w1, (sample.x, sample.y)
    else:
        move = pair.move
        assert move is not None
        data = (pair.draw, lambda n, rng: move(pair.draw(n, rng)))
    answer = critics.estimate(*data, estimand=estimand, constraint=constraint, seed=seed, **options)
    # rounding: both ends may be the truth itself
    covered = answer.lower <= truth * (1 + 1e-9) and answer.upper >= truth * (1 - 1e-9)
    return answer.value / truth - 1, answer.own / truth - 1, covered, cosine(answer, pair), answer.seconds


def main(argv: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dimensions", type=int, nargs="+", default=[2, 8, 32])
    parser.add_argument("--pairs", nargs="+", default=["shift", "radial", "4 funnels"], choices=[*PAIRS, "squares"])
    parser.add_argument("--constraints", nargs="+", default=list(critics.STRATEGIES))
    parser.add_argument("--estimands", nargs="+", default=["empirical", "population"])
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--n", type=int, default=500, help="points of each law, for empirical")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--time-limit", type=float, help="seconds of training of one run")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args(argv)
    torch.set_num_threads(arguments.threads)
    options = {"steps": arguments.steps, "time_limit": arguments.time_limit, "device": arguments.device}
    cuda = torch.cuda.is_available() and arguments.device != "cpu"
    device = torch.cuda.get_device_name() if cuda else f"CPU {platform.machine()}, {arguments.threads} thread(s)"
    print(f"torch {torch.__version__} on {device}; {arguments.runs} run(s) a row, n = {arguments.n}, {options}\n")
    print("| question | pair | d | constraint | error | largest | own error | covered | cosine | seconds |")
    print("|---|---|---|---|---|---|---|---|---|---|", flush=True)
    began = time.monotonic()
    for estimand in arguments.estimands:
        for name in arguments.pairs:
            for d in [4096] if name == "squares" else arguments.dimensions:
                pair = squares() if name == "squares" else PAIRS[name](d)
                truth = true_distance(pair)
                for constraint in arguments.constraints:
                    rows = [
                        run(pair, truth, constraint, estimand, seed, arguments.n, options)
                        for seed in range(arguments.runs)
                    ]
                    errors, own, covered, cosines, seconds = (np.array(column) for column in zip(*rows, strict=True))
                    worst = errors[np.abs(errors).argmax()]
                    print(
                        f"| {estimand} | {name} | {pair.d} | {constraint} | {100 * np.median(errors):+.3f} % "
                        f"| {100 * worst:+.3f} % | {100 * np.median(own):+.2f} % | {covered.sum()} / {len(rows)} "
                        f"| {cosines.mean():.3f} | {seconds.mean():.1f} |",
                        flush=True,
                    )
    print(f"\n{time.monotonic() - began:.0f} s in all.")


if __name__ == "__main__":
    main()
