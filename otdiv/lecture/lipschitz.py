"""Lecture items S48 to S63: Lipschitz constants, clipping, the gradient penalty, norms, power iteration."""

from __future__ import annotations

import math

import numpy as np

from otdiv.lecture.record import Items, LectureRow, Rows
from otdiv.lipschitz import (
    along_line,
    clipped_constant,
    dual_norm,
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
B = np.array([[0.0, 1.0], [2.0, -1.0]])
N = np.array([[2.0, 0.0], [1.0, 3.0], [0.0, 1.0]])
LAYER = np.array([[1.0, -2.0], [3.0, 4.0], [0.0, 1.0]])
Z = np.array([-5.0, 5.0])
INF = float("inf")


def s48() -> Rows:
    """A differentiable f on a convex domain is L-Lipschitz exactly when |f'| <= L."""
    x = np.linspace(-0.01, 0.01, 401)  # about the steepest place
    yield LectureRow("S48", "sin 3x: sup |f'|", along_line(lambda t: 3 * np.cos(3 * t), -5, 5)[1] / 10, 3.0, 1e-6)
    yield LectureRow("S48", "sin 3x: largest slope on a grid", on_points(np.sin(3 * x), x).value, 3.0, 1e-6)
    pieces = on_points(np.array([0.0, 0.0, 5.0, 5.0]), np.array([0.0, 1.0, 2.0, 3.0])).value
    yield LectureRow("S48", "E70: f' = 0 on two pieces, slope between them", pieces, 5.0)


def s49() -> Rows:
    """|f(x) - f(y)| <= integral of |f'| <= max |f'| |x - y|."""
    x, y = 0.2, 1.7
    integral, longest = along_line(lambda t: 3 * np.cos(3 * t), x, y)
    yield LectureRow("S49", "|f(x) - f(y)|", abs(math.sin(3 * x) - math.sin(3 * y)), 1.490457155723)
    yield LectureRow("S49", "integral of |f'|", integral, 2.509542844277, 1e-6)
    yield LectureRow("S49", "max |f'| |x - y|", longest, 4.5, 1e-6)


def s50() -> Rows:
    """Weight clipping bounds the constant by some K, not by 1."""
    widths = (2, 32, 32, 1)
    yield LectureRow(
        "S50", "bound of a 2-32-32-1 network, c = 0.01", clipped_constant(0.01, widths).value, 0.00144815468787
    )
    full = [np.full((m, n), 0.01) for n, m in zip(widths, widths[1:], strict=False)]
    yield LectureRow("S50", "attained by equal weights", network_constant(full).value, 0.00144815468787)
    yield LectureRow("S50", "c that makes the bound 1", clipped_constant(0.0883883476, widths).value, 1.0, 1e-8)
    value = 0.01 * 0.5  # a linear critic c x on the bars theta = 0.5
    yield LectureRow("S50", "linear critic on the bars: value / K", value / clipped_constant(0.01, (1, 1)).value, 0.5)
    yield LectureRow("S50", "linear in 4-D, c = 0.1: constant up to", clipped_constant(0.1, (4, 1)).value, 0.2)


def penalised(slope: float, theta: float, weight: float) -> float:
    """J(a) = -a theta + lambda (a - 1)^2: the penalised loss of the critic -a x on the two bars.

    Parameters
    ----------
    slope : float
        a, the slope of the critic.
    theta : float
        Distance of the bars.
    weight : float
        lambda, of the penalty.

    Returns
    -------
    float
    """
    return -slope * theta + weight * (slope - 1) ** 2


def s51() -> Rows:
    """The gradient penalty rewards a slope beyond 1: its value is biased upwards."""
    theta, weight = 0.5, 10.0
    for slope, value in ((1.0, -0.5), (2.0, 9.0), (0.0, 10.0), (0.5, 2.25)):
        yield LectureRow("S51", f"J({slope:g})", penalised(slope, theta, weight), value)
    slopes = np.linspace(1.0, 1.05, 50_001)
    best = slopes[np.argmin([penalised(s, theta, weight) for s in slopes])]
    yield LectureRow("S51", "minimising slope, 1 + theta / (2 lambda)", best, 1.025, 1e-6)
    yield LectureRow("S51", "J there", penalised(1.025, theta, weight), -0.50625)
    yield LectureRow("S51", "E75: estimate beyond W = 0.5", 1.025 * theta, 0.5125)


def s52() -> Rows:
    """A layer sigma(W'x + b) has constant at most sup|sigma'| |W|_2."""
    yield LectureRow("S52", "|W|_2", spectral_norm(LAYER).value, 5.187746351790)
    yield LectureRow("S52", "with a sigmoid", layer_constant(LAYER, "sigmoid").value, 5.187746351790 / 4)


def s53() -> Rows:
    """The Frobenius norm is sqrt(tr A'A)."""
    yield LectureRow("S53", "|A|_F", matrix_norm(A, "fro").value, 5.477225575052)
    yield LectureRow("S53", "tr A'A", float(np.trace(A.T @ A)), 30.0)


def s54() -> Rows:
    """Submultiplicative, and unchanged by rotations."""
    c, s = math.cos(0.7), math.sin(0.7)
    U = np.array([[c, -s], [s, c]])
    yield LectureRow("S54", "|AB|_F", matrix_norm(A @ B, "fro").value, 9.486832980505)
    yield LectureRow("S54", "|A|_F |B|_F", matrix_norm(A, "fro").value * matrix_norm(B, "fro").value, 13.416407864999)
    yield LectureRow("S54", "|U A U'|_F", matrix_norm(U @ A @ U.T, "fro").value, 5.477225575052)


def s55() -> Rows:
    """|W|_2 <= |W|_F <= sqrt(rank) |W|_2."""
    for name, matrix, two, fro in (
        ("diag(3, 4)", np.diag([3.0, 4.0]), 4.0, 5.0),
        ("identity of 3", np.eye(3), 1.0, math.sqrt(3)),
        ("rank one", np.outer([1.0, 2.0], [3.0, 4.0]), 11.180339887499, 11.180339887499),
        ("A", A, 5.116672736017, 5.477225575052),
    ):
        yield LectureRow("S55", f"{name}: |W|_2", spectral_norm(matrix).value, two)
        yield LectureRow("S55", f"{name}: |W|_F", matrix_norm(matrix, "fro").value, fro)


def s56() -> Rows:
    """|Wx| <= |W|_2 |x| <= |W|_F |x|."""
    x = np.array([1.0, 1.0])
    yield LectureRow("S56", "|A x|", vector_norm(A @ x), 7.071067811865)
    yield LectureRow("S56", "|A|_2 |x|", spectral_norm(A).value * vector_norm(x), 7.236067977500)
    yield LectureRow("S56", "|A|_F |x|", matrix_norm(A, "fro").value * vector_norm(x), 7.745966692415)
    yield LectureRow("S56", "identity of 16: |W|_F", matrix_norm(np.eye(16), "fro").value, 4.0)


def s57() -> Rows:
    """The dual norm is the largest z'x over the unit ball."""
    angle = np.linspace(0, 2 * np.pi, 200_001)
    circle = np.stack([np.cos(angle), np.sin(angle)])
    for p, value in ((1.0, 5.0), (2.0, 7.071067811865), (3.0, 7.937005259841), (INF, 10.0)):
        sizes = np.abs(circle).max(axis=0) if p == INF else (np.abs(circle) ** p).sum(axis=0) ** (1 / p)
        yield LectureRow("S57", f"sup over the ball of the {p:g}-norm", float((Z @ circle / sizes).max()), value, 1e-6)
        yield LectureRow("S57", f"dual norm of the {p:g}-norm", dual_norm(Z, p).value, value)


def s58() -> Rows:
    """The dual of Lp is Lq, 1/p + 1/q = 1; of the maximum norm it is the 1-norm."""
    for p, value in ((1.0, 5.0), (2.0, 7.071067811865), (INF, 10.0)):
        best = dual_norm(Z, p)
        yield LectureRow("S58", f"z'x at the maximiser, p = {p:g}", float(Z @ best.at), value)
        yield LectureRow("S58", f"norm of the maximiser, p = {p:g}", vector_norm(best.at, p), 1.0)


def s59() -> Rows:
    """Matrix norms 1, 2, inf with what attains them."""
    for name, matrix, one, two, most in (("A", A, 6.0, 5.116672736017, 7.0), ("N", N, 4.0, 3.377147440956, 4.0)):
        for p, value in ((1, one), (2, two), (INF, most)):
            best = matrix_norm(matrix, p)
            yield LectureRow("S59", f"|{name}|_{p:g}", best.value, value)
            yield LectureRow("S59", f"|{name} x|_{p:g} at the maximiser", vector_norm(matrix @ best.at, p), value)
    yield LectureRow("S59", "|N|_F", matrix_norm(N, "fro").value, 3.872983346207)


def s60() -> Rows:
    """|A|_2^2 is the largest eigenvalue of A'A; the coordinates are y = U'x."""
    yield LectureRow("S60", "|A|_2 squared", spectral_norm(A).value ** 2, 26.18033988749895)
    R = np.array([[0.6, -0.8], [0.8, 0.6]])
    K, x = R @ np.diag([4.0, 1.0]) @ R.T, np.array([0.6, 0.8])
    weights = np.array([4.0, 1.0])
    yield LectureRow("S60", "x'Kx", float(x @ K @ x), 4.0)
    yield LectureRow("S60", "sum lambda y^2 with y = R'x", float(weights @ (R.T @ x) ** 2), 4.0)
    yield LectureRow("S60", "E85: with y = R x", float(weights @ (R @ x) ** 2), 1.2352)


def s61() -> Rows:
    """Two power iterations: u'A'Au for the square, u'Av for the norm itself."""
    for name, matrix, square, norm in (
        ("A", A, 26.180339887499, 5.116672736017),
        ("N", N, 11.405124837953, 3.377147440956),
    ):
        yield LectureRow("S61", f"{name}: u'A'A u", gram_iteration(matrix)[-1], square)
        run = power_iteration(matrix)
        yield LectureRow("S61", f"{name}: u'A v", float(run.u @ matrix @ run.v), norm)
    run = power_iteration(A)
    yield LectureRow("S61", "E87: u'A'A v is neither", float(run.u @ A.T @ A @ run.v), 18.512296, 1e-6)


def s62() -> Rows:
    """The error of the squared estimate shrinks by (lambda2 / lambda1)^2 a step; some starts are stalled."""
    for name, matrix, rate in (("A", A, 0.0212862), ("N", N, 0.0993499)):
        yield LectureRow("S62", f"{name}: rate", power_iteration(matrix).rate, rate, 1e-6)
    stalled = power_iteration(np.diag([2.0, 1.0]), start=[0.0, 1.0])
    yield LectureRow("S62", "E89: stalled start on diag(2, 1)", stalled.value, 1.0)
    yield LectureRow("S62", "E89: and this is reported", float(stalled.stalled), 1.0)
    yield LectureRow("S62", "a tie gives the value all the same", power_iteration(np.diag([2.0, -2.0])).value, 2.0)


def s63() -> Rows:
    """Dividing by the spectral norm gives norm 1; by the Frobenius norm, less."""
    yield LectureRow("S63", "|N / |N|_2|_2", spectral_norm(spectrally_normalised(N)).value, 1.0)
    shrunk = spectral_norm(N / matrix_norm(N, "fro").value).value
    yield LectureRow("S63", "|N / |N|_F|_2", shrunk, 0.871975719767)


ITEMS: Items = {
    "S48": s48,
    "S49": s49,
    "S50": s50,
    "S51": s51,
    "S52": s52,
    "S53": s53,
    "S54": s54,
    "S55": s55,
    "S56": s56,
    "S57": s57,
    "S58": s58,
    "S59": s59,
    "S60": s60,
    "S61": s61,
    "S62": s62,
    "S63": s63,
}
