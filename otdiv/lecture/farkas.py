"""Lecture items S30 to S37: combinations, Farkas' lemma, its geometry, and the steps of the strong-duality proof."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from otdiv.duality.cone import cone_shape, in_cone, in_convex_hull, separation
from otdiv.duality.extended_system import alpha_conditions, extended_system
from otdiv.duality.farkas import box_certificate, farkas, verify_farkas
from otdiv.duality.strong_duality import strong_duality, strong_duality_step
from otdiv.errors import CertificateRefused
from otdiv.lecture.finite_differences import largest
from otdiv.lecture.record import Items, LectureRow, Rows
from otdiv.linear_programming import LinearProgram, RationalProgram, solve_lp

TRIANGLE = [[1, 3, 2], [1, 1, 3]]
WALLS = [[2, 1], [1, 3]]  # a1 = (2, 1), a2 = (1, 3)


def two_points() -> LinearProgram:
    """Transport on the points 0, 1 from (.5, .5) to (.25, .75): z* = .25, and the largest cost of a plan is .75.

    Returns
    -------
    LinearProgram
    """
    A = [[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0], [0, 1, 0, 1]]
    return LinearProgram(np.array([0.0, 1, 1, 0]), A, np.array([0.5, 0.5, 0.25, 0.75]))


def s30() -> Rows:
    """Convex and conic combinations of three columns."""
    inside = in_convex_hull(TRIANGLE, [2, 1.5])
    yield LectureRow(
        "S30", "(2, 1.5): weights - (.375, .375, .25)", largest(np.array(inside.weights) - [0.375, 0.375, 0.25]), 0.0
    )
    for point, hull, cone in (([2, 1.5], 1, 1), ([4, 4], 0, 1), ([1, 3], 0, 0), ([-1, 1], 0, 0)):
        answers = in_convex_hull(TRIANGLE, point).inside, in_cone(TRIANGLE, point).inside
        yield LectureRow("S30", f"{tuple(point)} in the hull", float(answers[0]), float(hull))
        yield LectureRow("S30", f"{tuple(point)} in the cone", float(answers[1]), float(cone))


def s31() -> Rows:
    """Exactly one alternative, with its witness."""
    for b, expected in (((3, 4), 1), ((1, -1), 2), ((2, 1), 1), ((0, 0), 1), ((-1, 1), 2)):
        answer = farkas(WALLS, b, exact=True)
        yield LectureRow("S31", f"alternative for b = {b}", float(answer.alternative), float(expected))
    yield LectureRow("S31", "b = (3, 4): x - (1, 1)", largest(np.array(farkas(WALLS, [3, 4]).x) - 1), 0.0)
    yield LectureRow("S31", "b = (1, -1): gain of F = (1, -2)", verify_farkas(WALLS, [1, -1], F=[1, -2]).gain, 3.0)
    third = Fraction(1, 3)
    gain = verify_farkas(WALLS, [-1, 1], F=[-1, third], exact=True).gain
    yield LectureRow("S31", "b = (-1, 1): gain of F = (-1, 1/3)", gain, 4 / 3)
    cases = random_systems()
    yield LectureRow("S31", "400 random systems, alternative (1)", float(cases.count(1)), 124.0)
    yield LectureRow("S31", "400 random systems, alternative (2)", float(cases.count(2)), 276.0)


def random_systems(count: int = 400) -> list[int]:
    """The alternatives of random integer systems of 3 equations in 4 unknowns, decided exactly.

    Parameters
    ----------
    count : int
        Number of systems.

    Returns
    -------
    list of int
        For each system 1 or 2, the alternative that holds.
    """
    rng = np.random.default_rng(0)
    cases: list[int] = []
    for _ in range(count):
        A = rng.integers(-3, 4, size=(3, 4))
        b = rng.integers(-3, 4, size=3)
        cases.append(farkas(A, b, exact=True).alternative)
    return cases


def s32() -> Rows:
    """F is at least 90 degrees from every wall and less than 90 from b; h is orthogonal to F, not to b."""
    geometry = separation(WALLS, [1, -1], [1, -2])
    for j, expected in enumerate((90.0, 135.0)):
        yield LectureRow("S32", f"angle between F and a{j + 1}", float(geometry.wall_angles[j]), expected)
    yield LectureRow("S32", "angle between F and b", geometry.b_angle, 18.434948822922)
    h = geometry.h[:, 0]
    yield LectureRow("S32", "h . F", float(h @ [1, -2]), 0.0)
    yield LectureRow("S32", "|h . b| for h = (2, 1) / sqrt 5", abs(float(h @ [1, -1])), 1 / np.sqrt(5))
    line = [[1, -1], [0, 0]]
    yield LectureRow("S32", "a line is not a wedge: its lineality", float(cone_shape(line).lineality), 1.0)
    on_line = farkas(line, [0, 1], exact=True)
    yield LectureRow("S32", "b = (0, 1) beside a line: largest |A'F|", largest(np.array(line).T @ on_line.F), 0.0)
    try:
        verify_farkas(WALLS, [3, 4], F=[0, 0])
        refused = 0.0
    except CertificateRefused:
        refused = 1.0
    yield LectureRow("S32", "F = 0 is refused as a witness", refused, 1.0)


def s33() -> Rows:
    """eps = 0: x* solves the extended system, so no F^ gains anything."""
    lp = two_points()
    x = np.asarray(solve_lp(lp).x)
    A_hat, b_zero = extended_system(lp, 0.25, 0.0)
    yield LectureRow("S33", "largest |A^ x* - b^(0)|", largest(A_hat @ x - b_zero), 0.0)
    yield LectureRow("S33", "max b^(0)'F^ over A^'F^ <= 0 in the box", box_certificate(A_hat, b_zero)[1], 0.0)
    F = np.array([0.0, -1, 0, 1, 1])
    yield LectureRow("S33", "F^ = (0,-1; 0,1; 1): A^'F^ - (0,0,-2,0)", largest(A_hat.T @ F - [0, 0, -2, 0]), 0.0)
    yield LectureRow("S33", "F^ = (0,-1; 0,1; 1): b^(0)'F^", float(b_zero @ F), 0.0)


def s34() -> Rows:
    """eps > 0: no solution, and (0,-1; 0,1; 1) certifies it; solvable only for -(z_max - z*) <= eps <= 0."""
    lp = two_points()
    for eps in (0.01, 0.1, 1.0):
        A_hat, b_eps = extended_system(lp, 0.25, eps)
        yield LectureRow("S34", f"alternative at eps = {eps:g}", float(farkas(A_hat, b_eps).alternative), 2.0)
        gain = verify_farkas(A_hat, b_eps, F=[0, -1, 0, 1, 1]).gain
        yield LectureRow("S34", f"gain of (0,-1; 0,1; 1) at eps = {eps:g}", gain, eps)
    for eps, expected in ((-0.5, 1), (-0.5001, 2), (0.001, 2)):
        A_hat, b_eps = extended_system(lp, 0.25, eps)
        yield LectureRow(
            "S34", f"alternative at eps = {eps:g}", float(farkas(A_hat, b_eps).alternative), float(expected)
        )


def s35() -> Rows:
    """alpha > 0: without it nothing is gained, and a certificate of gain 1 has alpha = 1/eps."""
    lp = two_points()
    for eps in (0.1, 1.0):
        conditions = alpha_conditions(lp, eps)
        yield LectureRow("S35", f"best gain with alpha <= 0, eps = {eps:g}", conditions.gain_without_alpha, 0.0)
        yield LectureRow("S35", f"least alpha at gain 1, eps = {eps:g}", conditions.least_alpha, 1 / eps)
    half = np.array([0, -0.5, 0, 0.5, 1])
    for eps, expected in ((0.1, -0.025), (0.2, 0.075)):
        gain = float(extended_system(lp, 0.25, eps)[1] @ half)
        yield LectureRow("S35", f"b^'F^ of (F*/2, 1), eps = {eps:g}", gain, expected)


def s36() -> Rows:
    """F/alpha is dual feasible and worth more than z* - eps."""
    for eps in (0.01, 0.1, 1.0):
        step = strong_duality_step(two_points(), eps)
        yield LectureRow("S36", f"largest A'(F/alpha) - c, eps = {eps:g}", float(step.dual_violation), 0.0)
        yield LectureRow("S36", f"b'F/alpha, eps = {eps:g}", float(step.value), 0.25)
        yield LectureRow("S36", f"z* - eps, eps = {eps:g}", float(step.interval[0]), 0.25 - eps)


def s37() -> Rows:
    """The squeeze: z* - eps < max b'F <= z* for every eps, in exact numbers down to 1e-30."""
    exact = RationalProgram.of(two_points())
    epsilons = [Fraction(1, 10), Fraction(1, 1000), Fraction(1, 10**6), Fraction(1, 10**30)]
    proof = strong_duality(exact, epsilons)
    for step, expected in zip(proof.steps, (0.15, 0.249, 0.249999, 0.25), strict=True):
        yield LectureRow("S37", f"lower end at eps = {float(step.eps):g}", float(step.interval[0]), expected)
    exactly = sum(step.holds and step.exact for step in proof.steps)
    yield LectureRow("S37", "steps that hold exactly", float(exactly), 4.0)
    yield LectureRow("S37", "z* - best b'F/alpha", float(proof.upper - proof.lower), 0.0)


ITEMS: Items = {"S30": s30, "S31": s31, "S32": s32, "S33": s33, "S34": s34, "S35": s35, "S36": s36, "S37": s37}
