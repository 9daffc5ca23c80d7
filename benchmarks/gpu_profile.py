"""Where the seconds of a large exact solve on a torch device go: ``python benchmarks/gpu_profile.py 64:50000``.

Clouds are named dimension:points; --device cuda.  Times of the parts overlap as indented: the parts of pricing on the
device belong to "pricing", "candidates" and the audit.
"""

from __future__ import annotations

import argparse
import collections
import functools
import sys
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from otdiv import emd
from otdiv.pricing import torch_products
from otdiv.transport import certified_solve

SECONDS: dict[str, float] = collections.defaultdict(float)


def watch(owner: object, name: str, label: str) -> None:
    """Add the seconds of every call to those of the label."""
    inner = getattr(owner, name)

    @functools.wraps(inner)
    def timed(*args: object, **kwargs: object) -> object:
        began = time.perf_counter()
        try:
            return inner(*args, **kwargs)
        finally:
            SECONDS[label] += time.perf_counter() - began

    setattr(owner, name, timed)


def main() -> None:
    """Solve each cloud and print its parts."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("clouds", nargs="+")
    options.add_argument("--device", default="cuda")
    given = options.parse_args()
    products = torch_products.TorchProducts
    watch(products, "__init__", "products: set up")
    watch(products, "minima", "products: minima")
    watch(products, "lowest", "products: lowest")
    watch(products, "_bound", "  bound from some targets")
    watch(products, "_passed", "  single precision")
    watch(products, "_narrowed", "  double precision")
    watch(torch_products, "pair_costs", "  costs on the CPU")
    if hasattr(certified_solve, "certify"):
        watch(certified_solve, "certify", "audit")
    small = np.random.default_rng(0).normal(size=(2, 1500, 8))
    emd(*small, method="multiscale", device=given.device)
    for cloud in given.clouds:
        d, n = (int(part) for part in cloud.split(":"))
        rng = np.random.default_rng(0)
        x, y = rng.normal(size=(n, d)), rng.normal(size=(n, d)) + 0.5
        SECONDS.clear()
        began = time.perf_counter()
        answer = emd(x, y, method="multiscale", device=given.device)
        total = time.perf_counter() - began
        parts = {name: round(seconds, 2) for name, seconds in (answer.stats["parts"] | SECONDS).items()}
        memory = torch.cuda.max_memory_allocated() / 2**30 if given.device.startswith("cuda") else 0.0
        print(f"{cloud}: {total:.2f} s, {answer.status.name}, rounds {answer.stats['rounds']}, {memory:.1f} GiB")
        for name, seconds in parts.items():
            print(f"   {name:22s} {seconds}", flush=True)


if __name__ == "__main__":
    main()
