"""Problems of extreme numbers against rational truth: no interval misses, and optimal means as narrow as asked."""

from __future__ import annotations

from fractions import Fraction
from math import isqrt
from typing import Any

import numpy as np
import pytest

from otdiv import Bounds, Status, emd
from otdiv.errors import InvalidInput
from otdiv.transport.result import TransportResult
from tests.helpers.exact_reference import exact_cost, exact_emd

COSTS = ("euclidean", "sqeuclidean", "cityblock", "chebyshev", "matrix")
KINDS = ("scale", "offset", "outlier", "subnormal", "integers", "mixed", "same", "in place", "clusters")
WEIGHTS = ("uniform", "random", "decades", "zeros", "whole")
ROOM = Fraction(1, 2**100)
"""Relative error of the reference's square roots."""


def nasty(seed: int) -> tuple[dict[str, Any], str]:
    """The arguments of one problem, and what kind it is."""
    rng = np.random.default_rng(seed)
    cost, kind = COSTS[rng.integers(len(COSTS))], KINDS[rng.integers(len(KINDS))]
    n, m, d = (int(k) for k in rng.integers(1, [6, 6, 4]))
    if rng.random() < 0.4 or kind == "in place":
        m = n
    x, y = rng.normal(size=(n, d)), rng.normal(size=(m, d))
    if kind == "scale":
        factor = 10.0 ** float(rng.integers(-300, 300))
        x, y = x * factor, y * factor
    elif kind == "offset":
        x, y = x + 1e12, y + 1e12
    elif kind == "outlier":
        far = 10.0 ** float(rng.integers(3, 20))
        x[-1], y[-1] = far, far if rng.random() < 0.7 else -far
    elif kind == "subnormal":
        x, y = x * 1e-310, y * 1e-310
    elif kind == "integers":
        x, y = (np.round(2.0**53 * rng.uniform(-1, 1, p.shape)) for p in (x, y))
    elif kind == "mixed":
        x, y = (p * 10.0 ** rng.integers(-20, 20, (len(p), 1)).astype(float) for p in (x, y))
    elif kind == "same":
        y = x[np.arange(m) % n]
    elif kind == "in place":
        y = x.copy()
        y[0] += rng.integers(2)
    else:
        x, y = (1e-9 * p + rng.integers(0, 3, (len(p), 1)) for p in (x, y))
    a, b = (_weights(WEIGHTS[rng.integers(len(WEIGHTS))], rng, k) for k in (n, m))
    if kind == "in place":  # but for the first atom, with probability 1/2
        b = a
    if cost == "matrix":
        return {"cost": np.abs(x[:, :1] - y[:, 0]) * rng.choice([1.0, 1e-3, 1e5], (n, m)), "a": a, "b": b}, kind
    return {"x": x, "y": y, "a": a, "b": b, "cost": cost}, kind


def _weights(kind: str, rng: np.random.Generator, n: int) -> np.ndarray:
    w = {
        "uniform": np.full(n, 1.0),
        "random": rng.random(n) + 1e-3,
        "decades": 10.0 ** rng.uniform(-20, 0, n),
        "zeros": np.where(rng.random(n) < 0.5, 0.0, rng.random(n)) + np.eye(n)[0],
        "whole": rng.integers(1, 5, n) * 1.0,
    }[kind]
    return w / w.sum()


def truth(problem: dict[str, Any]) -> Fraction:
    """The optimum in rational arithmetic."""
    cost, a, b = problem["cost"], problem["a"], problem["b"]
    if not isinstance(cost, str):
        return exact_emd(a, b, [[Fraction(float(c)) for c in row] for row in cost])
    x, y = problem["x"], problem["y"]
    if cost != "euclidean":
        return exact_emd(a, b, exact_cost(x, y, cost))
    return exact_emd(a, b, [[_root(square) for square in row] for row in exact_cost(x, y, "sqeuclidean")])


def _root(square: Fraction) -> Fraction:
    """The square root, cut at 120 binary digits of its own."""
    if square == 0:
        return Fraction(0)
    shift = 240 + 2 * max(0, (square.denominator.bit_length() - square.numerator.bit_length()) // 2 + 1)
    return Fraction(isqrt((square.numerator << shift) // square.denominator), 1 << (shift // 2))


def least_moved(problem: dict[str, Any]) -> Fraction:
    """The least share of the mass that any plan moves at a positive cost, in rational arithmetic."""
    cost, a = problem["cost"], problem["a"]
    costs = exact_cost(problem["x"], problem["y"], "cityblock") if isinstance(cost, str) else cost
    moved = exact_emd(a, problem["b"], [[Fraction(int(c != 0)) for c in row] for row in costs])
    return moved / sum(Fraction(float(w)) for w in a)


def judged(problem: dict[str, Any]) -> tuple[str, TransportResult | None]:
    """What became of a problem: "refused", "stopped", "optimal", "nearby", "misses" or "optimal though open"."""
    try:
        result = emd(**problem)
    except InvalidInput:
        return "refused", None
    value = truth(problem)
    room = ROOM * value if isinstance(problem["cost"], str) else 0
    low = result.lower == -np.inf or Fraction(result.lower) <= value + room
    high = result.upper == np.inf or value - room <= Fraction(result.upper)
    if not (low and high) and result.certificate.exact_weights:
        return "misses", result
    if result.status.certified and not result.gap <= 1e-9 * abs(result.value):
        if result.status is Status.OPTIMAL_NEARBY and least_moved(problem) <= Fraction(32, 2**53):
            return "nearby", result
        return "optimal though open", result
    names = {Status.OPTIMAL: "optimal", Status.OPTIMAL_NEARBY: "nearby", Status.STOPPED: "stopped"}
    return names[result.status], result


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(6))
def test_extreme_numbers(batch):
    seen = [judged(nasty(seed)[0])[0] for seed in range(20 * batch, 20 * batch + 20)]
    assert set(seen) <= {"optimal", "nearby", "stopped", "refused"}
    assert seen.count("optimal") >= 10


def test_a_false_interval_is_seen(monkeypatch):
    problem, _ = nasty(1)
    false = emd(**problem)
    low, high = false.lower, false.upper
    object.__setattr__(false.certificate, "bounds", Bounds(2 * high + 1, 2 * high + 1 + low))
    monkeypatch.setattr("tests.transport.test_nasty_problems.emd", lambda **arguments: false)
    assert judged(problem)[0] == "misses"
