"""What a solver claims, the checker proves: answers of every method, with weights and distances of unequal sizes."""

from __future__ import annotations

import numpy as np
import pytest

import otdiv
from otdiv.verification.fractions_only import proved

COSTS = ("euclidean", "sqeuclidean", "cityblock", "chebyshev", "discrete", "matrix")
METHODS = ("auto", "dense", "simplex", "multiscale", "few", "pot")


def _problem(rng: np.random.Generator):
    """A measure against itself but for a few atoms, against one of other weights, or with an atom in two parts."""
    n, m, d = (int(rng.integers(1, high)) for high in (40, 40, 4))
    x, a = rng.normal(size=(n, d)), rng.random(n)
    a[rng.random(n) < rng.choice([0.0, 0.3])] *= 10.0 ** rng.integers(-30, -5)
    kind = rng.integers(3)
    if kind == 0:
        y, b = x + (rng.random((n, 1)) < 0.3) * 10.0 ** rng.integers(-9, 4), np.append(a, 0.3 * a[0])
        y, b[0] = np.vstack([y, y[:1]]), 0.7 * a[0]
    elif kind == 1:
        y, b = rng.normal(size=(m, d)), rng.random(m) * 10.0 ** rng.integers(-20, 1, size=m)
        b *= a.sum() / b.sum()
    else:
        y, b = x.copy(), a
        y[rng.integers(n)] += 10.0 ** rng.integers(-12, 9)
    return x, a, y, b


@pytest.mark.parametrize("method", METHODS)
def test_no_answer_claims_more_than_follows_from_it(method, tmp_path):
    rng = np.random.default_rng(METHODS.index(method))
    for trial in range(60):
        x, a, y, b = _problem(rng)
        name = COSTS[trial % len(COSTS)]
        if method == "multiscale" and name in ("discrete", "matrix"):
            continue
        cost = np.abs(x[:, None, 0] - y[None, :, 0]) ** 1.5 if name == "matrix" else name
        found = otdiv.emd(x, y, a, b, cost=cost, method=method)
        checked = found.verify(level="exact")  # refuses a claim that does not follow
        assert checked.claimed == found.bounds
        if trial % 10 == 0 and len(a) * len(b) < 400:
            found.save(tmp_path / "answer.npz")
            lower, upper = proved(str(tmp_path / "answer.npz"))
            assert upper is not None and found.lower <= lower <= upper <= found.upper


def test_all_points_in_one_place_cost_nothing():
    """Also where the weights differ in their last bits, and the cost between different points is 1."""
    a, b = np.array([0.1, 0.2, 0.7]), np.array([0.3, 0.7])
    found = otdiv.emd(np.zeros((3, 2)), np.zeros((2, 2)), a, b, cost="discrete")
    assert found.bounds == otdiv.Bounds(0.0, 0.0) and found.verify(level="exact").bounds == found.bounds
