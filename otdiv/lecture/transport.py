"""Lecture items S18 to S24: the Wasserstein distance as a linear program and its dual."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import expit

from otdiv.core.validation import Array
from otdiv.duality.farkas import verify_farkas
from otdiv.gans import gan_loss, gan_loss_logit_gradient
from otdiv.lecture.examples import GENERATED, REAL, Example, line, plane, three_points, two_bars
from otdiv.lecture.finite_differences import gradient, largest, slope
from otdiv.lecture.record import Items, LectureRow, Rows
from otdiv.linear_programming.program import LinearProgram
from otdiv.linear_programming.solve import solve_lp
from otdiv.measures.discrete import DiscreteMeasure
from otdiv.problem.transport_problem import TransportProblem
from otdiv.transport.methods.linear_program import transport_program
from otdiv.transport.result import TransportResult
from otdiv.transport.solve import emd

THETAS = (0.0, 0.1, 0.25, 0.5, 1.0, -0.5)


def solved(example: Example, method: str = "auto") -> TransportResult:
    """The example's transport problem for the euclidean distance."""
    return emd(example.mu, example.nu, method=method)


def program_of(example: Example) -> LinearProgram:
    """min C'Gamma s.t. A Gamma = b for the example, with a dense A [n + m, n m]."""
    program, _, _ = transport_program(TransportProblem(example.mu, example.nu))
    return LinearProgram(program.c, program.A.toarray(), program.b)


def s18() -> Rows:
    """min over G of the largest critic value: the bar shifted by theta is at distance |theta|."""
    thetas = (-1.0, -0.5, 0.0, 0.5, 1.0)
    bars = [solved(two_bars(theta, n=8)).value for theta in thetas]
    points = np.array([0.0, 1.0, 3.0])
    for theta, value in zip(thetas, bars, strict=True):
        yield LectureRow("S18", f"largest critic value, bars at theta = {theta:g}", value, abs(theta))
        yield LectureRow("S18", f"points 0, 1, 3 shifted by {theta:g}", emd(points + theta, points).value, abs(theta))
    yield LectureRow("S18", "the theta that minimises it", thetas[int(np.argmin(bars))], 0.0, 0.0)


def s19() -> Rows:
    """W = |theta| on the bars: no jump, slope 1, and little moved by shifting the grid (E24)."""
    for theta in THETAS:
        for method in ("primal", "dual"):
            value = solved(two_bars(theta, n=8), method).value
            yield LectureRow("S19", f"W by the {method} program at theta = {theta:g}", value, abs(theta))
    worst = max(
        abs(solved(two_bars(theta, n=n), method).value - abs(theta))
        for theta in THETAS
        for n in (1, 2, 32)
        for method in ("primal", "dual")
    )
    yield LectureRow("S19", "W - |theta| for n = 1, 2, 32 by both programs, largest", worst, 0.0)
    for theta in (0.5, -0.5):
        p, q = two_bars(theta, n=8)
        critic = -math.copysign(1.0, theta)
        gap = float(critic * (p.points[:, 0] @ p.weights - q.points[:, 0] @ q.weights))
        yield LectureRow("S19", f"E_P f - E_Q f of f = -sign(theta) x at theta = {theta:g}", gap, abs(theta))
    yield LectureRow("S19", "dW / dtheta at .3", slope(lambda t: solved(two_bars(t, n=8)).value, 0.3), 1.0)
    for n in (4, 16, 64):
        for theta in (0.0, 0.5):
            shifted = two_bars(theta, n=n, offset=1 / (2 * n))
            name = f"W at theta = {theta:g}, grids of {n} points half a step apart"
            yield LectureRow("S19", name, solved(shifted).value, math.sqrt(theta**2 + 1 / (4 * n**2)))


def s20() -> Rows:
    """The least cost over all plans, by hand and by program."""
    mu, nu = three_points()
    by_hand = float(np.sum(np.abs(np.cumsum(GENERATED - REAL))))
    independent = float(np.sum(np.outer(GENERATED, REAL) * TransportProblem(mu, nu).costs()))
    yield LectureRow("S20", "EMD, three points", solved(three_points()).value, 0.7)
    yield LectureRow("S20", "sum of |CDF differences|", by_hand, 0.7)
    yield LectureRow("S20", "cost of the independent coupling", independent, 1.06)
    yield LectureRow("S20", "EMD, three against two in the plane", solved(plane()).value, 0.7 + 0.4 * math.sqrt(2))
    yield LectureRow("S20", "EMD, 0, 1, 3 against .5, 2, 2.5", solved(line()).value, 2 / 3)


def s21() -> Rows:
    """One ascent step of the discriminator D = sigmoid(w x + b)."""
    x = np.array([-1.2, -0.3, 0.4, 0.6, 1.1, 2.0])
    real, generated = np.repeat([1 / 3, 0.0], 3), np.repeat([0.0, 1 / 3], 3)
    start, inputs = np.array([0.3, -0.1]), np.column_stack([x, np.ones(6)])

    def objective(weights: Array) -> float:
        return gan_loss(expit(inputs @ weights), real, generated)

    found = inputs.T @ gan_loss_logit_gradient(inputs @ start, real, generated)
    for k, (name, value) in enumerate((("w", -0.957236378901), ("b", -0.014774855005))):
        yield LectureRow("S21", f"gradient in {name}", float(found[k]), value)
    yield LectureRow("S21", "gradient - finite differences", largest(found - gradient(objective, start)), 0.0, 1e-7)
    yield LectureRow("S21", "objective", objective(start), -1.649328804900)
    yield LectureRow("S21", "objective after a step of .1", objective(start + 0.1 * found), -1.560379645616)


def s22() -> Rows:
    """The exact critic: dW/dtheta is the plan's mean of d(distance)/dtheta (E27, E28)."""
    z, real = np.array([0.0, 1.0, 2.5]), np.array([0.4, 2.2, 3.0])
    result = emd(z, real)
    toward = np.sign(z[:, None] - real[None, :]) * z[:, None]  # d |t z_i - y_j| / dt at t = 1
    by_plan = float(np.sum(result.plan.toarray() * toward))
    yield LectureRow("S22", "W at t = 1", result.value, 0.7)
    yield LectureRow("S22", "dW/dt by the optimal plan", by_plan, -7 / 6)
    yield LectureRow("S22", "dW/dt by finite differences", slope(lambda t: emd(t * z, real).value, 1.0), -7 / 6, 1e-6)
    bars = two_bars(0.5, n=8)
    distance = TransportProblem(bars.nu, bars.mu).costs()
    by_plan = float(
        np.sum(emd(bars.nu, bars.mu).plan.toarray() * 0.5 / distance)
    )  # d(distance)/dtheta = theta/distance
    yield LectureRow("S22", "dW/dtheta of the bars by the optimal plan", by_plan, 1.0)


def s23() -> Rows:
    """The marginals as rows of A Gamma = b (E30)."""
    plan = solved(three_points()).plan.toarray()
    yield LectureRow("S23", "row sums of the plan - p_g", largest(plan.sum(axis=1) - GENERATED), 0.0)
    yield LectureRow("S23", "column sums of the plan - p_r", largest(plan.sum(axis=0) - REAL), 0.0)
    yield LectureRow("S23", "E30: red line, sum_y gamma(1, y)", float(plan[1].sum()), 0.2)
    yield LectureRow("S23", "blue line, sum_x gamma(x, 1)", float(plan[:, 1].sum()), 0.3)
    pair = DiscreteMeasure.from_samples([0.0, 1.0])
    two = transport_program(TransportProblem(pair, pair))[0].A.toarray()
    expected = np.array([[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0], [0, 1, 0, 1]])
    yield LectureRow("S23", "A for 2 x 2 - [1100; 0011; 1010; 0101]", largest(two - expected), 0.0, 0.0)


def s24() -> Rows:
    """Primal = dual; one row of A is redundant; unequal masses have a Farkas certificate (E31)."""
    for example, value in ((three_points(), 0.7), (plane(), 0.7 + 0.4 * math.sqrt(2))):
        program = program_of(example)
        n, m = example.mu.n, example.nu.n
        yield LectureRow("S24", f"primal, {example.name}", solve_lp(program).objective, value)
        yield LectureRow("S24", f"dual, {example.name}", solve_lp(program.dual()).objective, value)
        yield LectureRow("S24", f"rank of A, {n} x {m}", int(np.linalg.matrix_rank(program.A)), n + m - 1, 0)
    program = program_of(three_points())
    shorter = LinearProgram(program.c, program.A[1:], program.b[1:])
    yield LectureRow("S24", "E31: primal without the first row of A", solve_lp(shorter).objective, 0.7)
    rng = np.random.default_rng(0)
    worst = 0.0
    for _ in range(50):
        x, y = rng.normal(size=(2, 6, 2))
        a, b = rng.dirichlet(np.ones(6), size=2)
        worst = max(worst, abs(emd(x, y, a, b, method="primal").upper - emd(x, y, a, b, method="dual").lower))
    yield LectureRow("S24", "primal - dual on 50 random problems, largest", worst, 0.0)
    unequal = LinearProgram(program.c, program.A, np.concatenate([GENERATED, 1.01 * REAL]))
    witness = verify_farkas(unequal.A, unequal.b, F=np.repeat([-1.0, 1.0], 3))
    yield LectureRow("S24", "E31: primal when p_r has mass 1.01 (infeasible)", solve_lp(unequal).objective, math.inf)
    yield LectureRow("S24", "E31: dual then (unbounded)", solve_lp(unequal.dual()).objective, math.inf)
    yield LectureRow("S24", "E31: largest entry of A'F for F = (-1; 1)", witness.violation, 0.0)
    yield LectureRow("S24", "E31: b'F > 0", witness.gain, 0.01)


ITEMS: Items = {"S18": s18, "S19": s19, "S20": s20, "S21": s21, "S22": s22, "S23": s23, "S24": s24}
