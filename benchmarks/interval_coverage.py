"""Coverage, bias and width of the intervals of otdiv.estimators on distributions of known truth.

For each pair of ``known_pairs``, each n = m and each of KL, JS, W1 and W2: the share of repetitions whose 95 %
interval covers the true value, the mean of the estimate less the truth, and the median width.  A failure is an
exception; an interval that misses is counted as such whether or not it is flagged, and flagged ones are counted
beside.
"""

from __future__ import annotations

import itertools
import json
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from known_pairs import Pair, pairs

from otdiv.estimators import estimate_divergence, estimate_divergences, estimate_wasserstein

QUANTITIES = ("kl", "js", "w1", "w2")
AIMS = {1: 0.93, 2: 0.93, 10: 0.90}
"""Least coverage of 95 % intervals, by dimension."""


def measure(pair: Pair, n: int, seed: int, number: int) -> dict[str, list[float] | str]:
    """For each quantity value, lower end, upper end, flagged (0 or 1), seconds; or the text of an exception."""
    rng = np.random.default_rng([seed, n, number, 1])
    x, y = pair.x(n, rng), pair.y(n, rng)
    found: dict[str, list[float] | str] = {}
    found |= attempt(QUANTITIES[:2], lambda: estimate_divergences(x, y, ["kl", "js"], lower_bound=False, rng=seed))
    for name, p in (("w1", 1), ("w2", 2)):
        found |= attempt((name,), lambda p=p: (estimate_wasserstein(x, y, p, rng=seed),))
    return found


def attempt(names: tuple[str, ...], estimate: Callable) -> dict[str, list[float] | str]:
    begin = time.perf_counter()
    try:
        estimates = estimate()
    except Exception as problem:
        return dict.fromkeys(names, f"{type(problem).__name__}: {problem}")
    seconds = time.perf_counter() - begin
    rows = [[e.value, e.lower, e.upper, float(bool(e.flags)), seconds] for e in estimates]
    return dict(zip(names, rows, strict=True))


def run_coverage(sizes: list[int], repetitions: dict[int, int], keep: Path | None) -> int:
    """One row for each pair, size and quantity; then the coverage of all pairs of one dimension together.

    Returns the number of rows of the second table whose coverage is below its aim by more than two errors.
    """
    done = [json.loads(line) for line in keep.read_text().splitlines()] if keep and keep.exists() else []
    known = {(row["pair"], row["d"], row["n"], row["seed"]): row["found"] for row in done}
    built = [build() for build in pairs()]
    together: dict[tuple[int, bool, str, int], list[bool]] = {}
    print("| distributions | d | of | truth | n | coverage | bias | width | flagged | failures | seconds |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for n, (number, pair) in itertools.product(sizes, enumerate(built)):
        rows = []
        for seed in range(repetitions[n]):
            key = (pair.name, pair.d, n, seed)
            if key not in known:
                known[key] = measure(pair, n, seed, number)
                if keep:
                    line = {"pair": pair.name, "d": pair.d, "n": n, "seed": seed, "found": known[key]}
                    with keep.open("a") as stream:
                        stream.write(json.dumps(line) + "\n")
            rows.append(known[key])
        for quantity in QUANTITIES:
            found = [row[quantity] for row in rows]
            print(row_of(pair, n, quantity, found), flush=True)
            key = (pair.d, pair.name == "equal", quantity, n)
            together.setdefault(key, []).extend(covers(row, pair.truth[quantity]) for row in found)
    print("\n| d | pairs | of | n | coverage |\n|---|---|---|---|---|")
    missed = 0
    for (d, equal, quantity, n), hits in sorted(together.items()):
        low = float(np.mean(hits)) < AIMS[d] - 2 * math.sqrt(AIMS[d] * (1 - AIMS[d]) / len(hits))
        missed += low
        row = f"| {d} | {'equal' if equal else 'different'} | {quantity} | {n} | {share_of(hits)}{' *' * low} |"
        print(row, flush=True)
    return missed


def covers(row: list[float] | str, truth: float) -> bool:
    """Whether the interval holds the truth, which quadrature knows to 1e-9; a failure does not."""
    return not isinstance(row, str) and row[1] - 1e-9 <= truth <= row[2] + 1e-9


def share_of(hits: list[bool]) -> str:
    """Share and its Monte-Carlo standard error, that of 0.95 at least."""
    share = float(np.mean(hits))
    return f"{share:.3f} ± {math.sqrt(max(share * (1 - share), 0.05 * 0.95) / len(hits)):.3f} ({len(hits)})"


def row_of(pair: Pair, n: int, quantity: str, found: list) -> str:
    good = np.array([row for row in found if not isinstance(row, str)])
    truth, error = pair.truth[quantity], pair.error[quantity]
    failures = len(found) - len(good)
    if not len(good):
        return f"| {pair.name} | {pair.d} | {quantity} | {truth:.4f} | {n} | - | - | - | - | {failures} | - |"
    known = f"{truth:.4f}" + (f" ± {error:.0e}" if error else "")
    width = np.median(good[:, 2] - good[:, 1])
    return (
        f"| {pair.name} | {pair.d} | {quantity} | {known} | {n} | {share_of([covers(row, truth) for row in found])} | "
        f"{np.mean(good[:, 0]) - truth:+.3f} | {width:.3f} | {int(good[:, 3].sum())} of {len(found)} | {failures} | "
        f"{np.median(good[:, 4]):.2f} |"
    )


def run_bias(repetitions: int, n: int = 1000) -> int:
    """Bias of three methods where KL = 1; returns in how many dimensions above 5 the aim is missed."""
    print(f"\nBias of KL, normal shift with KL = 1, n = m = {n}, {repetitions} repetitions (± standard error)\n")
    methods = ("knn", "gaussian", "discriminator")
    print("| d | " + " | ".join(methods) + " |")
    print("|---" * (len(methods) + 1) + "|")
    missed = 0
    for d in (1, 5, 10, 20):
        cells, means = [], {}
        for method in methods:
            errors = []
            for seed in range(repetitions):
                rng = np.random.default_rng([seed, d, 2])
                x, y = rng.normal(size=(n, d)), rng.normal(size=(n, d)) + math.sqrt(2 / d)
                found = estimate_divergence(x, y, method=method, lower_bound=False, rng=seed)
                errors.append(found.value - 1)
            means[method] = abs(float(np.mean(errors)))
            cells.append(f"{np.mean(errors):+.3f} ± {np.std(errors, ddof=1) / math.sqrt(repetitions):.3f}")
        missed += d > 5 and means["discriminator"] > 0.5 * means["knn"]
        print(f"| {d} | " + " | ".join(cells) + " |", flush=True)
    return missed
