"""The problems of the large benchmark, the solvers, and one measurement in a process of its own."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np

OTHERS = ("pot", "pot-lazy", "scipy", "highs")
SOLVERS = ("otdiv", "per-cent", *OTHERS)
NAMES = {
    "otdiv": "otdiv",
    "per-cent": "otdiv to 1 %",
    "pot": "POT dense",
    "pot-lazy": "POT lazy",
    "scipy": "SciPy assignment",
    "highs": "HiGHS",
}
PER_CENT = 0.01
PER_CENT_FROM = 100_000
"""From so many points on otdiv is asked for a proved interval of one per cent too."""
UP_TO = {"otdiv": 10**9, "per-cent": 10**9, "pot": 10_000, "pot-lazy": 5_000, "scipy": 5_000, "highs": 500}
"""Number of points up to which each solver is asked: beyond, time or memory is out of reach."""
KINDS = ("gauss", "weights", "clusters", "mixture", "lattice", "spiral", "blobs", "noise", "shift", "dilation")
IMAGES = ("blobs", "noise")
_REPEAT_BELOW = 2.0
"""Solves shorter than so many seconds are timed three times."""


class Case(NamedTuple):
    """One problem."""

    kind: str
    n: int
    d: int
    cost: str


def full_plan() -> list[Case]:
    """All problems of the committed table."""
    costs = ("euclidean", "sqeuclidean")
    sizes = (200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)
    cases = [Case("gauss", n, d, cost) for d in (2, 3, 10, 64) for cost in costs for n in sizes if n > 500 or d == 2]
    cases += [Case("gauss", 1_000_000, 2, cost) for cost in costs]
    for kind in ("weights", "clusters", "mixture", "lattice"):
        cases += [Case(kind, n, d, cost) for d in (2, 10) for cost in costs for n in (1000, 10_000, 50_000)]
    cases += [Case("spiral", n, 2, cost) for cost in costs for n in (1000, 10_000, 50_000)]
    cases += [Case(kind, k * k, 2, cost) for kind in IMAGES for cost in (*costs, "cityblock") for k in (32, 64, 128)]
    cases += [Case(kind, 50_000, d, cost) for kind in ("shift", "dilation") for d in (2, 10) for cost in costs]
    return cases


def clouds(case: Case) -> tuple[Any, Any, Any, Any]:
    """Points and weights; gauss is two normal clouds, the second shifted by 0.5 in each coordinate.

    A mixture has twenty groups far apart, which hold different numbers of sources and targets; a spiral is a curve in
    the plane, the second one turned a little.
    """
    kind, n, d, _ = case
    if kind in IMAGES:
        return _images(kind, round(n**0.5))
    rng = np.random.default_rng(0)
    x, y, a, b = rng.normal(size=(n, d)), rng.normal(size=(n, d)) + 0.5, None, None
    if kind == "weights":
        a, b = rng.random(n), rng.random(n)
        a, b = a / a.sum(), b / b.sum()
    elif kind == "clusters":
        x, y = (0.1 * p + 3.0 * rng.integers(0, 3, (n, 1)) for p in (x, y))
    elif kind == "mixture":
        centres = 5.0 * rng.normal(size=(20, d))
        x, y = (0.1 * p + centres[rng.integers(0, 20, n)] for p in (x, y))
    elif kind == "lattice":
        side = int(np.ceil((2 * n) ** (1 / d)))
        x, y = rng.integers(0, side, (n, d)) * 1.0, rng.integers(0, side, (n, d)) * 1.0
    elif kind == "spiral":
        x, y = (_spiral(np.sqrt(rng.random(n)), turn) for turn in (0.0, 0.3))
    elif kind == "shift":
        y = rng.permutation(x + 0.3)
    elif kind == "dilation":
        y = rng.permutation(1.5 * x)
    return x, y, a, b


def _spiral(share: Any, turn: float) -> Any:
    """Places on a spiral of 15 radians, at these shares of its angle."""
    angle = 15.0 * share
    return angle[:, None] * np.stack([np.cos(angle + turn), np.sin(angle + turn)], axis=1)


def _images(kind: str, side: int) -> tuple[Any, Any, Any, Any]:
    """Two square images as pixels with masses: smooth blobs, or noise."""
    rng = np.random.default_rng(0)
    rows, columns = np.indices((side, side)) / side
    weights = []
    for _ in range(2):
        image = rng.random((side, side))
        if kind == "blobs":
            image = np.zeros((side, side))
            for r, c, width, height in rng.random((4, 4)):
                image += height * np.exp(-((rows - r) ** 2 + (columns - c) ** 2) / (2 * (0.03 + 0.15 * width) ** 2))
        weights.append(image.ravel() / image.sum())
    points = np.stack([rows.ravel(), columns.ravel()], axis=1) * side
    return points, points, *weights


def known_value(case: Case) -> float | None:
    """Known where the clouds are paired: shifted by a vector, or dilated."""
    if case.kind not in ("shift", "dilation"):
        return None
    x = clouds(case)[0]
    moved = np.full_like(x, 0.3) if case.kind == "shift" else 0.5 * x
    length = np.linalg.norm(moved, axis=1)
    return float(np.mean(length if case.cost == "euclidean" else length**2))


def solve_here(solver: str, case: Case) -> dict[str, float]:
    """One measurement in this process: seconds, peak memory, value and, of otdiv, the proved interval.

    The warm-up loads packages and compiled kernels; its memory is reported as ``base_mib``.
    """
    command = _COMMANDS[solver]
    few = 1200 if solver not in OTHERS and case.n >= 1000 else 20  # a cloud that takes the same way
    command(*clouds(Case("gauss", few, case.d, case.cost)), case.cost)
    problem = clouds(case)
    base = _peak_mib()
    times: list[float] = []
    while len(times) < 3 and (not times or times[0] < _REPEAT_BELOW):
        start = time.perf_counter()
        answer = command(*problem, case.cost)
        times.append(time.perf_counter() - start)
    return {"seconds": median(times), "mib": _peak_mib(), "base_mib": base, **answer}


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured(solver: str, case: Case, timeout: float) -> dict[str, Any]:
    """The same in a process of its own; ``outcome`` is "ok", "error" or "timeout"."""
    program = str(Path(__file__).with_name("large.py"))
    command = [sys.executable, program, "--one", solver, *map(str, case)]
    record: dict[str, Any] = {"solver": solver, **case._asdict()}
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        return {**record, "outcome": "timeout", "limit": timeout}
    if answer.returncode != 0:
        last = (answer.stderr.strip() or f"exit code {answer.returncode}").splitlines()[-1]
        return {**record, "outcome": "error", "detail": last[:200]}
    return {**record, "outcome": "ok", **json.loads(answer.stdout.splitlines()[-1])}


def _otdiv(x: Any, y: Any, a: Any, b: Any, cost: str, rtol: float = 1e-9) -> dict[str, Any]:
    import otdiv

    result = otdiv.emd(x, y, a, b, cost=cost, rtol=rtol)
    return {"value": result.value, "lower": result.lower, "upper": result.upper, "method": result.method}


def _per_cent(x: Any, y: Any, a: Any, b: Any, cost: str) -> dict[str, Any]:
    return _otdiv(x, y, a, b, cost, rtol=PER_CENT)


def _weights(x: Any, y: Any, a: Any, b: Any) -> list[Any]:
    return [np.full(len(p), 1 / len(p)) if w is None else w for p, w in ((x, a), (y, b))]


def _pot(x: Any, y: Any, a: Any, b: Any, cost: str) -> dict[str, float]:
    import ot

    return {"value": float(ot.emd2(*_weights(x, y, a, b), ot.dist(x, y, metric=cost), numItermax=10**9))}


def _pot_lazy(x: Any, y: Any, a: Any, b: Any, cost: str) -> dict[str, float]:
    import ot

    weights = _weights(x, y, a, b)
    return {"value": float(ot.lp.emd2_lazy(x, y, *weights, metric=cost, numItermax=10**9, return_matrix=False))}


def _assignment(x: Any, y: Any, a: Any, b: Any, cost: str) -> dict[str, float]:
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    costs = cdist(x, y, cost)
    return {"value": float(costs[linear_sum_assignment(costs)].mean())}


def _highs(x: Any, y: Any, a: Any, b: Any, cost: str) -> dict[str, float]:
    from scipy import sparse
    from scipy.optimize import linprog
    from scipy.spatial.distance import cdist

    n, m = len(x), len(y)
    rows = sparse.kron(sparse.eye_array(n), sparse.coo_array(np.ones((1, m))))
    columns = sparse.kron(sparse.coo_array(np.ones((1, n))), sparse.eye_array(m))
    right = np.concatenate(_weights(x, y, a, b))
    found = linprog(cdist(x, y, cost).ravel(), A_eq=sparse.vstack([rows, columns]), b_eq=right, method="highs")
    return {"value": float(found.fun)}


_COMMANDS: dict[str, Any] = {
    "otdiv": _otdiv,
    "per-cent": _per_cent,
    "pot": _pot,
    "pot-lazy": _pot_lazy,
    "scipy": _assignment,
    "highs": _highs,
}


def applies(solver: str, case: Case) -> bool:
    """Whether this solver is asked: small enough for it, uniform weights for the assignment, large ones to 1 %."""
    if solver == "per-cent":
        return case.kind == "gauss" and case.n >= PER_CENT_FROM
    weighted = case.kind == "weights" or case.kind in IMAGES
    return case.n <= UP_TO[solver] and not (solver == "scipy" and weighted)
