"""Norms, spectral norms and Lipschitz constants: attained, proved, labelled; lecture items S48 to S63."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from otdiv import lecture
from otdiv.errors import InvalidInput
from otdiv.lipschitz import (
    along_line,
    clipped_constant,
    dual_norm,
    from_gradients,
    gram_iteration,
    layer_constant,
    matrix_norm,
    network_constant,
    on_points,
    power_iteration,
    spectral_norm,
    spectrally_normalised,
    vector_norm,
)

A = np.array([[1.0, -2.0], [3.0, 4.0]])
N = np.array([[2.0, 0.0], [1.0, 3.0], [0.0, 1.0]])
ORDERS = (1.0, 1.5, 2.0, 3.0, np.inf)


@pytest.mark.parametrize("item", [f"S{k}" for k in range(48, 64)])
def test_rows(item):
    rows = lecture.rows([item])
    assert rows and [row for row in rows if not row.ok] == []


def test_s48_e70_the_converse_needs_a_convex_domain():
    x = np.array([0.1, 0.9, 2.1, 2.9])
    assert on_points(np.where(x < 1, 0.0, 5.0), x).value > 4  # f' = 0 on each piece


def test_s49_the_chain_holds_in_order():
    for x, y in ((0.2, 1.7), (1.7, 0.2), (-3.0, 4.0)):
        integral, longest = along_line(lambda t: 3 * np.cos(3 * t), x, y)
        assert abs(math.sin(3 * x) - math.sin(3 * y)) <= integral + 1e-9 <= longest + 1e-8


def test_s50_e73_clipped_networks_stay_below_the_bound():
    rng = np.random.default_rng(0)
    bound = clipped_constant(0.01, (2, 32, 32, 1)).value
    for _ in range(100):
        weights = [rng.uniform(-0.01, 0.01, (m, n)) for n, m in ((2, 32), (32, 32), (32, 1))]
        assert network_constant(weights).value < bound < 1  # far from 1-Lipschitz
    wide = [np.full((8, 4), 1.0), np.full((1, 8), 1.0)]
    assert network_constant(wide).value > clipped_constant(0.5, (4, 8, 1)).value  # weights outside the clip


def test_s51_e75_the_penalty_biases_upwards():
    from otdiv.lecture.lipschitz import penalised

    for theta in (0.1, 0.5, 2.0):
        for weight in (1.0, 10.0, 100.0):
            best = 1 + theta / (2 * weight)
            assert penalised(best, theta, weight) < min(penalised(best * f, theta, weight) for f in (0.99, 1.01))
            assert best * theta > theta


def test_s52_e77_layers_and_random_pairs():
    rng = np.random.default_rng(1)
    W = np.array([[1.0, -2.0], [3.0, 4.0], [0.0, 1.0]])
    activations = {"relu": lambda t: np.maximum(t, 0), "tanh": np.tanh, "sigmoid": lambda t: 1 / (1 + np.exp(-t))}
    for name, sigma in activations.items():
        x, y = rng.normal(size=(2, 5000, 2))
        stretch = np.linalg.norm(sigma(x @ W.T + 0.3) - sigma(y @ W.T + 0.3), axis=1) / np.linalg.norm(x - y, axis=1)
        assert stretch.max() <= layer_constant(W, name).value
    # the mean value theorem is false for curves: f(2 pi) - f(0) = 0 while |f'| = 1
    assert math.isclose(math.cos(2 * math.pi), 1.0) and along_line(lambda t: np.ones_like(t), 0, 2 * np.pi)[0] > 6.28


def test_s53_frobenius_is_the_root_of_the_trace():
    rng = np.random.default_rng(6)
    for shape in ((2, 2), (3, 5), (5, 1)):
        M = rng.normal(size=shape)
        norm = matrix_norm(M, "fro")
        assert norm.value**2 == pytest.approx(np.trace(M @ M.T)) == np.trace(M.T @ M)
        assert (M * norm.at).sum() == pytest.approx(norm.value)  # attained at M / |M|_F


def test_s54_submultiplicative_and_rotation_invariant():
    rng = np.random.default_rng(7)
    for _ in range(50):
        M, K = rng.normal(size=(4, 3)), rng.normal(size=(3, 5))
        Q = np.linalg.qr(rng.normal(size=(4, 4)))[0]
        size = matrix_norm(M, "fro").value
        assert matrix_norm(M @ K, "fro").value <= size * matrix_norm(K, "fro").value * (1 + 1e-12)
        assert matrix_norm(Q @ M, "fro").value == pytest.approx(size)
    assert matrix_norm(2 * Q @ M, "fro").value > 1.9 * size  # an unscaled rotation only


def test_s55_e81_between_the_spectral_norm_and_its_multiple():
    rng = np.random.default_rng(8)
    for rank in (1, 2, 3):
        for _ in range(20):
            M = rng.normal(size=(5, rank)) @ rng.normal(size=(rank, 4))
            two, fro = spectral_norm(M).value, matrix_norm(M, "fro").value
            assert two <= fro * (1 + 1e-12) and fro <= math.sqrt(rank) * two * (1 + 1e-12)
    assert matrix_norm(np.diag([3.0, 4.0]), "fro").value < math.sqrt(2) * 4.0 - 0.6  # no equality


def test_s56_the_frobenius_bound_is_true_and_loose():
    rng = np.random.default_rng(9)
    x = rng.normal(size=(500, 2))
    stretch = np.linalg.norm(x @ A.T, axis=1) / np.linalg.norm(x, axis=1)
    assert stretch.max() <= spectral_norm(A).bounds.upper < matrix_norm(A, "fro").value
    assert stretch.max() > 0.99 * spectral_norm(A).value


@pytest.mark.parametrize("p", ORDERS)
def test_s57_dual_norms_are_attained_and_never_exceeded(p):
    rng = np.random.default_rng(2)
    for _ in range(50):
        z = rng.normal(size=5)
        best = dual_norm(z, p)
        assert vector_norm(best.at, p) == pytest.approx(1.0)
        assert z @ best.at == pytest.approx(best.value)
        x = rng.normal(size=(200, 5))
        assert (x @ z / [vector_norm(v, p) for v in x]).max() <= best.value * (1 + 1e-12)
        q = {1.0: np.inf, np.inf: 1.0}.get(p, p / (p - 1) if p > 1 else None)
        assert best.value == pytest.approx(vector_norm(z, q))


def test_s58_e83_the_dual_of_the_maximum_norm_by_linear_programming():
    z = np.array([-5.0, 5.0])
    best = linprog(-z, bounds=(-1, 1), method="highs")
    assert dual_norm(z, np.inf).value == pytest.approx(-best.fun) == 10.0
    assert dual_norm(z, np.inf).value != pytest.approx(vector_norm(z, 2))


@pytest.mark.parametrize("p", [1, 2, np.inf])
def test_s59_matrix_norms_are_attained_and_never_exceeded(p):
    rng = np.random.default_rng(3)
    for shape in ((2, 2), (3, 2), (2, 5), (1, 4), (4, 1)):
        M = rng.normal(size=shape)
        best = matrix_norm(M, p)
        assert best.value == pytest.approx(np.linalg.norm(M, p))
        assert vector_norm(best.at, p) == pytest.approx(1.0)
        assert vector_norm(M @ best.at, p) == pytest.approx(best.value)
        x = rng.normal(size=(300, shape[1]))
        assert max(vector_norm(M @ v, p) / vector_norm(v, p) for v in x) <= best.value * (1 + 1e-12)


def test_s60_e86_the_spectrum_on_the_simplex():
    eigen = np.linalg.eigvalsh(A.T @ A)
    assert spectral_norm(A).value ** 2 == pytest.approx(eigen.max())
    assert (eigen**2).sum() / eigen.sum() < eigen.max()  # y^2 proportional to lambda is allowed, and worse


@given(st.integers(1, 7), st.integers(1, 7), st.integers(0, 2**31), st.integers(-200, 200))
@settings(max_examples=150, deadline=None)
def test_spectral_norm_bounds_hold_exactly(m, n, seed, exponent):
    """The upper end by exact arithmetic: det and minors of t I - A'A; the lower end by an exact vector."""
    rng = np.random.default_rng(seed)
    M = np.ldexp(rng.integers(-4, 5, (m, n)).astype(float), exponent)
    norm = spectral_norm(M)
    rows = [[Fraction(v) for v in row] for row in M.tolist()]
    gram = [[sum(r[i] * r[j] for r in rows) for j in range(n)] for i in range(n)]
    square = Fraction(norm.bounds.upper) ** 2
    assert positive_semidefinite([[(square if i == j else 0) - gram[i][j] for j in range(n)] for i in range(n)])
    tall = rows if m >= n else [list(column) for column in zip(*rows, strict=True)]
    v = [Fraction(t) for t in (norm.v if m >= n else norm.u).tolist()]
    stretched = sum(sum(r[j] * v[j] for j in range(len(v))) ** 2 for r in tall)
    assert Fraction(norm.bounds.lower) ** 2 * sum(t * t for t in v) <= stretched
    if norm.value > 0:  # a bound below the norm would fail that test: the red team
        less = (Fraction(norm.bounds.lower) * Fraction(999, 1000)) ** 2
        assert not positive_semidefinite([[(less if i == j else 0) - gram[i][j] for j in range(n)] for i in range(n)])
        assert norm.bounds.gap <= 1e-12 * norm.value


def positive_semidefinite(H):
    """Exact symmetric elimination with diagonal pivots."""
    H = [row[:] for row in H]
    n = len(H)
    left = list(range(n))
    while left:
        k = max(left, key=lambda i: H[i][i])
        if H[k][k] < 0:
            return False
        if H[k][k] == 0:
            return all(H[i][j] == 0 for i in left for j in left)
        left.remove(k)
        for i in left:
            factor = H[i][k] / H[k][k]
            for j in left:
                H[i][j] -= factor * H[k][j]
    return True


def test_s61_s62_e87_e89_e90_power_iteration_from_below_and_stuck():
    rng = np.random.default_rng(4)
    for _ in range(20):
        M = rng.normal(size=(6, 4))
        run = power_iteration(M, steps=50, rng=rng)
        assert (run.estimates <= spectral_norm(M).bounds.upper).all()
        assert (np.diff(run.estimates) >= -1e-12).all() and not run.stalled
    _, _, right = np.linalg.svd(A)
    left = np.linalg.svd(A)[0]
    stalled = power_iteration(A, start=left[:, 1], steps=3)
    assert stalled.stalled and stalled.value == pytest.approx(1.954395, abs=1e-6)
    K = A.T @ A
    assert np.linalg.norm(K @ right[0] - spectral_norm(A).value ** 2 * right[0]) < 1e-12
    assert np.linalg.norm(A @ right[0] - spectral_norm(A).value ** 2 * right[0]) > 20  # the slide's A v = lambda v
    for matrix in (A, N):
        errors = spectral_norm(matrix).value ** 2 - power_iteration(matrix, steps=6).estimates ** 2
        assert errors[4] / errors[3] == pytest.approx(power_iteration(matrix).rate, abs=1e-4)
    run = power_iteration(A)  # the slide's value for the square is neither the norm nor its square
    wrong = run.u @ A.T @ A @ run.v
    assert abs(wrong - run.value**2) > 7 and abs(wrong - run.value) > 13
    assert power_iteration(np.zeros((2, 2))).value == 0.0
    assert gram_iteration(np.diag([2.0, -2.0]))[-1] == pytest.approx(4.0)


def test_s63_normalised_layers_have_norm_one():
    rng = np.random.default_rng(5)
    for shape in ((3, 2), (64, 64), (1, 9)):
        W = spectrally_normalised(rng.normal(size=shape))
        assert np.linalg.norm(W, 2) == pytest.approx(1.0, abs=1e-9) and np.linalg.norm(W, 2) <= 1 + 1e-15


def test_x1_certified_bound_of_random_networks():
    """|E f(x) - E f(y)| <= K W for every ReLU network with the product bound K: 500 networks, no violation."""
    from otdiv import emd

    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(20, 2)), rng.normal(size=(20, 2)) + [1.0, 0.5]
    distance = emd(x, y).upper
    assert distance == pytest.approx(1.082120408207)
    closest = 0.0
    for _ in range(500):
        W1, b1, W2, b2, W3 = (rng.normal(size=s) for s in ((16, 2), 16, (16, 16), 16, (1, 16)))

        def f(z, W1=W1, b1=b1, W2=W2, b2=b2, W3=W3):
            return np.maximum(np.maximum(z @ W1.T + b1, 0) @ W2.T + b2, 0) @ W3.T

        value = abs(f(x).mean() - f(y).mean()) / network_constant([W1, W2, W3]).value
        assert value <= distance
        closest = max(closest, value)
    assert closest > 0.01  # the bound is not empty


def test_labels_say_which_bound_it_is():
    assert on_points([0.0, 1.0], [0.0, 1.0]).kind == "exact"
    assert from_gradients([[1.0]]).kind == "lower"
    assert network_constant([A]).kind == layer_constant(A).kind == clipped_constant(1, (1, 1)).kind == "upper"
    W = np.eye(16)
    assert network_constant([W, W], norm="frobenius").value == pytest.approx(16)
    assert network_constant([W, W]).value == pytest.approx(1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: vector_norm([1.0], 0.5), "p must be a number from 1"),
        (lambda: vector_norm([[1.0]]), "x must be a vector"),
        (lambda: dual_norm([np.nan]), "z must be finite"),
        (lambda: matrix_norm(A, 3), "p must be 1, 2, inf or 'fro'"),
        (lambda: matrix_norm([1.0]), "A must be a matrix"),
        (lambda: spectral_norm([[np.inf]]), "A must be finite"),
        (lambda: power_iteration(A, steps=0), "steps must be at least 1"),
        (lambda: power_iteration(A, start=[0.0, 0.0]), "start must be a non-zero vector"),
        (lambda: layer_constant(A, "gelu"), "activation must be one of"),
        (lambda: network_constant([]), "weights must hold at least one layer"),
        (lambda: network_constant([A, N.T]), "weights must fit each other"),
        (lambda: clipped_constant(-1, (1, 1)), "clip must be positive"),
        (lambda: clipped_constant(1, (1,)), "widths must hold"),
        (lambda: spectrally_normalised(np.zeros((2, 2))), "W must not be zero"),
        (lambda: on_points([0.0], [0.0, 1.0]), "values must have one value"),
    ],
)
def test_errors(call, message):
    with pytest.raises(InvalidInput, match=message):
        call()
