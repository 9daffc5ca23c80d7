"""Lecture items S25 to S29 and S38 to S41: the Lagrangian, weak and strong duality, both forms, two potentials.

ITEMS gathers all of duality, S25 to S47, with the items of the files farkas and minimax
beside this one.
"""

from __future__ import annotations

import numpy as np

from otdiv.duality.lagrangian import dual_function, kkt, lagrangian, weak_duality
from otdiv.duality.strong_duality import strong_duality
from otdiv.errors import CertificateRefused
from otdiv.lecture import farkas, minimax
from otdiv.lecture.examples import GENERATED, REAL, Example, plane, three_points, two_bars
from otdiv.lecture.farkas import two_points
from otdiv.lecture.finite_differences import largest
from otdiv.lecture.record import Items, LectureRow, Rows
from otdiv.linear_programming.program import LinearProgram
from otdiv.linear_programming.solve import solve_lp
from otdiv.linear_programming.surplus_form import surplus_form
from otdiv.measures.discrete import DiscreteMeasure
from otdiv.measures.support import common_support
from otdiv.problem.transport_problem import TransportProblem
from otdiv.transport.methods.linear_program import transport_program
from otdiv.transport.solve import emd


def program(example: Example) -> LinearProgram:
    """The example as min c'x, A x = b, x >= 0, with F = [f_g ; f_r]."""
    return transport_program(TransportProblem(example.mu, example.nu))[0]


def s25() -> Rows:
    """q(F) is -F'b where c + A'F >= 0, and -inf as soon as one component is negative."""
    lp = program(three_points())
    best = np.asarray(solve_lp(lp.dual()).y)
    # The lecture's F is minus the y of dual_function.
    yield LectureRow("S25", "q(-F*)", dual_function(lp, best).value, 0.7)
    yield LectureRow("S25", "q(0)", dual_function(lp, np.zeros(6)).value, 0.0)
    bad = dual_function(lp, [5, 0, 0, 0, 0, 0])
    yield LectureRow("S25", "q((-5,0,0; 0,0,0))", bad.value, -np.inf)
    for t, expected in ((1, -4.0), (10, -49.0), (1000, -4999.0)):
        yield LectureRow("S25", f"Lagrangian along the bad coordinate, t = {t}", bad.along(t), expected)
    above = lagrangian(lp, np.zeros(9), [1, 0, 0, 0, 0, 0])
    yield LectureRow("S25", "L(0, (-1,0,0; 0,0,0)), above f(0) = 0", above, 0.2)


def s26() -> Rows:
    """b'F <= c'x for every feasible pair; F = (1,1,1; 0,0,3) is not feasible and exceeds the optimum."""
    lp = program(three_points())
    x = np.outer(GENERATED, REAL).ravel()
    rng = np.random.default_rng(0)
    values = []
    for f in rng.uniform(-1, 1, size=(200, 3)):
        g = (lp.c.reshape(3, 3) - f[:, None]).min(axis=0)
        values.append(weak_duality(lp, x, np.concatenate([f, g])).dual_value)
    exceeding = float(np.sum(np.array(values) > 0.7))
    yield LectureRow("S26", "200 feasible F: how many exceed the optimum .7", exceeding, 0.0)
    wrong = kkt(lp, x, [1, 1, 1, 0, 0, 3])
    yield LectureRow("S26", "b'F of an infeasible F", wrong.dual_value, 1.6)
    try:
        weak_duality(lp, x, [1, 1, 1, 0, 0, 3])
        refused = 0.0
    except CertificateRefused:
        refused = 1.0
    yield LectureRow("S26", "that F is refused", refused, 1.0)


def s27() -> Rows:
    """The optimality conditions, and the gap as the sum of the slack products."""
    lp = program(three_points())
    solution = solve_lp(lp)
    report = kkt(lp, solution.x, solution.y)
    yield LectureRow("S27", "largest |gamma (d - f_g - f_r)|", largest(report.slack_products), 0.0)
    yield LectureRow("S27", "largest excess of f_g + f_r over d", report.dual_violation, 0.0)
    loose = kkt(lp, np.outer(GENERATED, REAL).ravel(), np.zeros(6))
    yield LectureRow("S27", "gap of the independent plan and F = 0", loose.gap, 1.06)
    yield LectureRow("S27", "its sum of slack products", loose.slack_sum, 1.06)


def s28() -> Rows:
    """Largest dual value = least primal value, each solved as its own program."""
    for example in (three_points(), plane(), two_bars(0.5, 4)):
        lp = program(example)
        yield LectureRow("S28", f"min c'x, {example.name}", solve_lp(lp).objective, example.known["w1"])
        yield LectureRow("S28", f"max b'F, {example.name}", solve_lp(lp.dual()).objective, example.known["w1"])


def s29() -> Rows:
    """The whole proof on the two-point example; below 1e-6 by the exact certificate (F*, 1)."""
    proof = strong_duality(two_points(), [1, 0.1, 0.01, 1e-3, 1e-6, 1e-9, 1e-12])
    for step in proof.steps:
        yield LectureRow("S29", f"certificate value, eps = {float(step.eps):g}", float(step.gain), float(step.eps))
        yield LectureRow("S29", f"b'F/alpha, eps = {float(step.eps):g}", float(step.value), 0.25)
    yield LectureRow("S29", "steps that hold", float(sum(step.holds for step in proof.steps)), 7.0)
    for step in strong_duality(program(three_points()), [1, 0.1, 1e-3]).steps:
        yield LectureRow("S29", f"b'F/alpha, three points, eps = {step.eps:g}", float(step.value), 0.7)


def s38() -> Rows:
    """A x >= b: the dual gains F >= 0, and transport with >= marginals costs nothing."""
    lp = LinearProgram(np.array([2.0, 3]), [[1, 1], [1, 3]], np.array([4.0, 6]), "inequality")
    yield LectureRow("S38", "min 2x1 + 3x2 with A x >= b", solve_lp(lp).objective, 9.0)
    yield LectureRow("S38", "max b'F with F >= 0", solve_lp(lp.dual()).objective, 9.0)
    yield LectureRow("S38", "the same with a surplus, [A, -I]", solve_lp(surplus_form(lp)).objective, 9.0)
    twice = LinearProgram(np.ones(1), [[1], [1]], np.array([1.0, 2]), "inequality")
    yield LectureRow("S38", "min x with x >= 1, x >= 2", solve_lp(twice.dual()).objective, 2.0)
    free = LinearProgram(twice.c, twice.A, twice.b)
    yield LectureRow("S38", "its dual with F free", solve_lp(free.dual()).objective, np.inf)
    at_least = program(three_points())
    at_least = LinearProgram(at_least.c, at_least.A, at_least.b, "inequality")
    yield LectureRow("S38", "transport with >= marginals", solve_lp(at_least).objective, 0.0)


def s39() -> Rows:
    """b'F = sum p_g f_g + sum p_r f_r, on one common list of points."""
    result = emd(*three_points())
    yield LectureRow("S39", "sum p_g f_g + sum p_r f_r", float(GENERATED @ result.f + REAL @ result.g), 0.7)
    lp = program(three_points())
    yield LectureRow("S39", "b'F", float(lp.b @ np.concatenate([result.f, result.g])), 0.7)
    bars = two_bars(0.5, 4)
    points, p, q = common_support(bars.mu, bars.nu, support_atol=0.0)
    union = emd(DiscreteMeasure(points, p), DiscreteMeasure(points, q))
    yield LectureRow("S39", "points in the union of the bars", float(len(points)), 8.0)
    yield LectureRow("S39", "W1 of the bars on the union", union.value, 0.5)
    yield LectureRow("S39", "W1 of the bars, 4 against 4", emd(*bars).value, 0.5)


def s40() -> Rows:
    """Row (i, j) of A' picks f_g(i) + f_r(j)."""
    transposed = program(three_points()).A.T.toarray()
    yield LectureRow("S40", "row (1,2) of A' - (0,1,0,0,0,1)", largest(transposed[5] - [0, 1, 0, 0, 0, 1]), 0.0)
    f, g = np.array([1.0, 2, 4]), np.array([8.0, 16, 32])
    sums = (transposed @ np.concatenate([f, g])).reshape(3, 3)
    yield LectureRow("S40", "A'F as a matrix - (f_g(i) + f_r(j))", largest(sums - (f[:, None] + g[None, :])), 0.0)


def s41() -> Rows:
    """W = max sum p_g f_g + p_r f_r subject to f_g(x) + f_r(y) <= d(x, y)."""
    for example in (three_points(), plane()):
        result = emd(*example, method="dual")
        yield LectureRow("S41", f"two-potential dual, {example.name}", result.lower, example.known["w1"])
        excess = float((result.f[:, None] + result.g[None, :] - result.problem.costs()).max())
        yield LectureRow("S41", f"largest f_g + f_r - d, {example.name}", max(0.0, excess), 0.0)


ITEMS: Items = {
    "S25": s25,
    "S26": s26,
    "S27": s27,
    "S28": s28,
    "S29": s29,
    **farkas.ITEMS,
    "S38": s38,
    "S39": s39,
    "S40": s40,
    "S41": s41,
    **minimax.ITEMS,
}
