"""Large clouds, otdiv against other exact solvers: ``python benchmarks/large.py``.

Every solve runs in a process of its own, so that its peak memory can be read; the time is that of the
call, cost matrix, plan, potentials and (for otdiv) certificate included, imports and the compilation of
kernels not.  A value that leaves otdiv's proved interval by more than 1e-7 of it, an exception or a missing
answer counts as a failure.  Arguments choose a part of the table: ``--help``.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import subprocess
import sys
import time
from importlib.metadata import version
from typing import Any

import numpy as np

SOLVERS = ("otdiv", "pot", "pot-lazy", "assignment")
DENSE_UP_TO = {"pot": 10_000, "pot-lazy": 5_000, "assignment": 5_000}
KINDS = ("gauss", "weights", "clusters", "lattice", "shift", "dilation")


def clouds(kind: str, n: int, d: int) -> tuple[Any, Any, Any, Any]:
    """Points and weights; gauss is two normal clouds, the second shifted by 0.5 in each coordinate."""
    rng = np.random.default_rng(0)
    x, y, a, b = rng.normal(size=(n, d)), rng.normal(size=(n, d)) + 0.5, None, None
    if kind == "weights":
        a, b = rng.random(n), rng.random(n)
        a, b = a / a.sum(), b / b.sum()
    elif kind == "clusters":
        x, y = (0.1 * p + 3.0 * rng.integers(0, 3, (n, 1)) for p in (x, y))
    elif kind == "lattice":
        side = int(np.ceil((2 * n) ** (1 / d)))
        x, y = rng.integers(0, side, (n, d)) * 1.0, rng.integers(0, side, (n, d)) * 1.0
    elif kind == "shift":
        y = rng.permutation(x + 0.3)
    elif kind == "dilation":
        y = rng.permutation(1.5 * x)
    return x, y, a, b


def known_value(kind: str, x: Any, cost: str) -> float | None:
    """Known where the clouds are paired: shifted by a vector, or dilated."""
    moved = {"shift": np.full_like(x, 0.3), "dilation": 0.5 * x}.get(kind)
    if moved is None:
        return None
    length = np.linalg.norm(moved, axis=1)
    return float(np.mean(length if cost == "euclidean" else length**2))


def solve(solver: str, kind: str, n: int, d: int, cost: str) -> dict[str, float]:
    """One solve in this process: seconds, peak memory in MiB, value and, of otdiv, the interval."""
    small = clouds("gauss", 1200 if solver == "otdiv" else 20, d)
    command = _COMMANDS[solver]
    command(*small, cost)  # imports, and kernels from their cache
    problem = clouds(kind, n, d)
    start = time.perf_counter()
    answer = command(*problem, cost)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, **answer}


def _otdiv(x: Any, y: Any, a: Any, b: Any, cost: str) -> dict[str, float]:
    import otdiv

    result = otdiv.emd(x, y, a, b, cost=cost, method="multiscale")
    return {"value": result.value, "lower": result.lower, "upper": result.upper}


def _pot(x: Any, y: Any, a: Any, b: Any, cost: str) -> dict[str, float]:
    import ot

    weights = [np.full(len(p), 1 / len(p)) if w is None else w for p, w in ((x, a), (y, b))]
    return {"value": float(ot.emd2(*weights, ot.dist(x, y, metric=cost), numItermax=10**9))}


def _pot_lazy(x: Any, y: Any, a: Any, b: Any, cost: str) -> dict[str, float]:
    import ot

    weights = [np.full(len(p), 1 / len(p)) if w is None else w for p, w in ((x, a), (y, b))]
    return {"value": float(ot.lp.emd2_lazy(x, y, *weights, metric=cost, numItermax=10**9, return_matrix=False))}


def _assignment(x: Any, y: Any, a: Any, b: Any, cost: str) -> dict[str, float]:
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    if a is not None:
        raise ValueError("uniform weights only")
    costs = cdist(x, y, cost)
    return {"value": float(costs[linear_sum_assignment(costs)].mean())}


_COMMANDS = {"otdiv": _otdiv, "pot": _pot, "pot-lazy": _pot_lazy, "assignment": _assignment}


def measured(solver: str, kind: str, n: int, d: int, cost: str, timeout: float) -> dict[str, float] | None:
    """The same in a process of its own; None on any failure."""
    command = [sys.executable, __file__, "--one", solver, kind, str(n), str(d), cost]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=True)
        return json.loads(answer.stdout)
    except (subprocess.SubprocessError, ValueError) as problem:
        detail = (getattr(problem, "stderr", None) or str(problem)).strip().splitlines()
        print(f"{solver} {kind} n={n} d={d} {cost}: {detail[-1] if detail else problem}", file=sys.stderr)
        return None


def row(kind: str, n: int, d: int, cost: str, solvers: tuple[str, ...], timeout: float) -> str:
    """One line of the table."""
    ours = measured("otdiv", kind, n, d, cost, timeout)
    known = known_value(kind, clouds(kind, n, d)[0], cost)
    if ours is None:
        return f"| {kind} | {n} | {d} | {cost} | failed |"
    gap = (ours["upper"] - ours["lower"]) / ours["upper"]
    right = known is None or abs(ours["value"] - known) <= 1e-9 * known
    cells = [kind, str(n), str(d), cost, f"{ours['seconds']:.2f} s", f"{ours['mib']:.0f} MiB", f"{gap:.0e}"]
    cells[-1] += "" if right else " WRONG"
    for solver in solvers:
        if n > DENSE_UP_TO[solver] or (solver == "assignment" and kind == "weights"):
            cells.append("")
            continue
        theirs = measured(solver, kind, n, d, cost, timeout)
        if theirs is None:
            cells.append("failed")
            continue
        slack = 1e-7 * ours["upper"]
        wrong = not ours["lower"] - slack <= theirs["value"] <= ours["upper"] + slack
        text = f"{theirs['seconds']:.2f} s, {theirs['seconds'] / ours['seconds']:.1f}x, {theirs['mib']:.0f} MiB"
        cells.append(text + (" WRONG" if wrong else ""))
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the table, row by row."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, nargs="+", default=[1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000])
    parser.add_argument("--d", type=int, nargs="+", default=[2, 3, 10, 64])
    parser.add_argument("--cost", nargs="+", default=["euclidean", "sqeuclidean"])
    parser.add_argument("--kind", nargs="+", choices=KINDS, default=["gauss"])
    parser.add_argument("--against", nargs="*", choices=SOLVERS[1:], default=list(SOLVERS[1:]))
    parser.add_argument("--timeout", type=float, default=600.0, help="seconds for each solve")
    parser.add_argument("--one", nargs=5, metavar="WORD", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        solver, kind, n, d, cost = options.one
        print(json.dumps(solve(solver, kind, int(n), int(d), cost)))
        return
    names = ("otdiv", "numpy", "scipy", "pot", "numba")
    print(f"{platform.machine()}, Python {platform.python_version()}, " + ", ".join(f"{k} {version(k)}" for k in names))
    heads = ["clouds", "n", "d", "cost", "otdiv", "memory", "proved gap", *options.against]
    print(f"\n| {' | '.join(heads)} |\n{'|---' * len(heads)}|", flush=True)
    for kind in options.kind:
        for d in options.d:
            for n in options.n:
                for cost in options.cost:
                    print(row(kind, n, d, cost, tuple(options.against), options.timeout), flush=True)


if __name__ == "__main__":
    main()
