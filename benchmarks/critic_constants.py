"""Proved Lipschitz constants of trained critics and the slopes found: ``python benchmarks/critic_constants.py``.

Critics of 3 x 128 ReLU units, trained by the penalties and by spectral normalisation on pairs of known distance.
product: of the layers' spectral norms; layer-wise: verified definite matrices; on the box: interval Jacobians on
parts of the box of the points, in the plane; found: ascent on |grad f| from the points and around them.  A proved
constant below a slope that was found is a failure, and counted.  any pattern: the largest |w_L D_k W_k ... D_1 W_1|
found over diagonal D of zeros and ones, whether some point has these units active or not; no bound that treats the
units as independent can be below it.  ``--memory`` measures the audit of images in blocks.
"""

from __future__ import annotations

import argparse
import resource
import time
from typing import Any

import numpy as np
import torch

from otdiv import critics
from otdiv.critics.auditing.network_layers import network_layers
from otdiv.critics.auditing.slope_search import climb
from otdiv.datasets import funnels, radial, shift
from otdiv.lipschitz import box_constant, layerwise_constant

PAIRS: dict[str, Any] = {
    "radial 2-D": lambda: radial(2),
    "4 funnels 2-D": lambda: funnels(2, 4),
    "shift 8-D": lambda: shift(8),
    "radial 8-D": lambda: radial(8),
    "4 funnels 16-D": lambda: funnels(16, 4),
    "shift 32-D": lambda: shift(32),
}
CONSTRAINTS = ("one-sided-penalty", "gradient-penalty", "spectral")
SEARCHES = 20
"""Ascents, from the points and from points ever farther around them."""
PATTERNS = 300
"""Starts of the ascent over patterns of active units."""


def steepest_found(critic: Any, points: np.ndarray) -> float:
    """The largest |grad f| found."""
    rng = np.random.default_rng(0)
    centre, largest = points.mean(axis=0), 0.0
    for k in range(SEARCHES):
        starts = centre + (points - centre) * (1.0 + 0.25 * k)
        largest = max(largest, climb(critic.gradient, starts, np.linalg.norm(critic.gradient(starts), axis=1), rng))
    return largest


def steepest_pattern(weights: list[np.ndarray]) -> float:
    """The largest norm of a product of layers with any of their units active: ascent layer by layer, many starts."""
    rng, largest = np.random.default_rng(0), 0.0
    *hidden, last = weights
    for _ in range(PATTERNS):
        active = [rng.random(len(w)) < 0.5 for w in hidden]
        direction, norm, before = rng.normal(size=hidden[0].shape[1]), 1e-300, 0.0
        while norm > before * (1 + 1e-9):
            before = norm
            for k in range(len(hidden)):
                ahead, back = direction, last[0]
                for w, on in zip(hidden[:k], active[:k], strict=True):
                    ahead = on * (w @ ahead)
                for w, on in zip(hidden[:k:-1], active[:k:-1], strict=True):
                    back = (back * on) @ w
                active[k] = (hidden[k] @ ahead) * back > 0
            gradient = last[0]
            for w, on in zip(hidden[::-1], active[::-1], strict=True):
                gradient = (gradient * on) @ w
            norm = float(np.linalg.norm(gradient))
            direction = gradient / max(norm, 1e-300)
        largest = max(largest, norm)
    return largest


def constants(steps: int, boxes: int) -> None:
    """One row for each pair and constraint, and the failures."""
    print(
        "| pair | constraint | product | layer-wise | seconds | on the box | seconds | found | proved / found "
        "| any pattern |\n|---|---|---|---|---|---|---|---|---|---|",
        flush=True,
    )
    failures = 0
    for name, make in PAIRS.items():
        sample = make().sample(500, np.random.default_rng(0))
        for constraint in CONSTRAINTS:
            options: dict[str, Any] = {"steps": steps, "batch": 256, "device": "cpu"}
            critic = critics.fit(sample.x, sample.y, constraint=constraint, rng=0, **options)
            module: Any = critic.module
            layers = network_layers(module.inner, critic.d)
            assert layers is not None and layers.chain is not None
            began = time.perf_counter()
            proved = layerwise_constant(layers.chain).value
            seconds, best, on_box = time.perf_counter() - began, proved, "– | –"
            points = np.concatenate([sample.x, sample.y])
            found = steepest_found(critic, points)
            if critic.d == 2:
                inner = (points - module.centre.numpy()) / module.scale
                began = time.perf_counter()
                upper, lower = box_constant(layers.chain, inner.min(axis=0), inner.max(axis=0), most_boxes=boxes)
                on_box = f"{upper.value:.3f} | {time.perf_counter() - began:.1f}"
                failures += upper.value < lower.value * (1 - 1e-9)
                if upper.value / lower.value < best / found:
                    best, found = upper.value, lower.value  # on the same box
            failures += best < found * (1 - 1e-9)
            linear = [part.weight for part in module.inner.modules() if isinstance(part, torch.nn.Linear)]
            pattern = steepest_pattern([w.detach().double().numpy() for w in linear])
            failures += proved < pattern * (1 - 1e-9)
            print(
                f"| {name} | {constraint} | {layers.product.value:.3f} | {proved:.3f} | {seconds:.1f} | {on_box} "
                f"| {found:.3f} | {best / found:.2f} | {pattern:.3f} |",
                flush=True,
            )
    print(f"\nProved constants below a slope that was found: {failures} of {len(PAIRS) * len(CONSTRAINTS)} critics.")


def memory(n: int) -> None:
    """Peak memory of the audit of a convolutional critic on n images of 3 x 32 x 32 a side."""
    torch.manual_seed(0)
    conv = torch.nn.Sequential(
        torch.nn.Conv2d(3, 64, 3, padding=1), torch.nn.ReLU(), torch.nn.Conv2d(64, 64, 3, padding=1)
    )
    net = torch.nn.Sequential(conv, torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(64 * 32 * 32, 1))
    rng = np.random.default_rng(0)
    x, y = (rng.uniform(size=(n, 3, 32, 32)).astype(np.float32) for _ in range(2))
    critics.audit(net, x[:20], y[:20])
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    report = critics.audit(net, x, y)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds, layer, held = time.perf_counter() - began, 2 * n * 65536 * 4 / 2**20, 2 * n * 3072 * 8 / 2**20
    print(f"{n} images a side of 3 x 32 x 32 ({held:.0f} MiB as float64), 65 536 units a layer: {seconds:.0f} s,")
    print(f"peak {peak / 1024:.0f} MiB, {(peak - before) / 1024:.0f} MiB more than for 20 images a side;")
    print(f"all at once one layer alone would take {layer:.0f} MiB.  Verdict: {report.verdict.word}.")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1500, help="of each training")
    parser.add_argument("--boxes", type=int, default=100_000, help="parts of the box")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--memory", type=int, metavar="N", help="measure the audit of N images a side instead")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.memory:
        memory(arguments.memory)
    else:
        constants(arguments.steps, arguments.boxes)


if __name__ == "__main__":
    main()
