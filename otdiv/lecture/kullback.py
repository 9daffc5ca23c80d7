"""Lecture items S4 to S7 and S17: Kullback-Leibler, Jensen-Shannon, and what they say of two bars."""

from __future__ import annotations

import math

import numpy as np

from otdiv.divergences import entropy, js, kl, kl_integrand, kl_integrand_nonnegative, kl_reverse
from otdiv.lecture.examples import GENERATED, REAL, two_bars
from otdiv.lecture.finite_differences import slope
from otdiv.lecture.record import Items, LectureRow, Rows

LOG2 = math.log(2.0)
SMALL, LARGE = 1e-6, 0.999999
RELATIVE = 1e-12  # the four numbers of S4 and S5 are known to all digits


def _integrand(item: str, name: str, p: float, q: float, value: float) -> LectureRow:
    return LectureRow(item, name, float(kl_integrand(p, q)), value, RELATIVE * abs(value))


def s04() -> Rows:
    """Where p is small the integrand of KL(p || q) is small too, whatever q is (E3)."""
    yield _integrand("S4", "integrand at p = 1e-6, q = .999999", SMALL, LARGE, -1.3815509557963774e-05)
    yield _integrand("S4", "integrand at p = 1e-6, q = .1", SMALL, 0.1, -1.1512925464970228e-05)
    for q, value in ((LARGE, 0.999984184490), (0.1, 0.099987487075)):
        sees = float(kl_integrand_nonnegative(SMALL, q))
        yield LectureRow("S4", f"E3: p log(p/q) - p + q at p = 1e-6, q = {q:g}", sees, value)
    two = kl([SMALL, 1 - SMALL], [1 - SMALL, SMALL])
    yield LectureRow("S4", "E3: KL of (1e-6, 1 - 1e-6) from (1 - 1e-6, 1e-6)", two, 13.815481926945)
    yield LectureRow("S4", "KL(p_r || p_g)", kl(REAL, GENERATED), 0.360062440636)
    yield LectureRow("S4", "KL(p_g || p_r)", kl(GENERATED, REAL), 0.394816205204)


def s05() -> Rows:
    """The integrand of KL(q || pi) is large where pi is small, nearly free where q is (E4, E5)."""
    yield _integrand("S5", "integrand at q = .999999, pi = 1e-6", LARGE, SMALL, 13.815495742454216)
    yield _integrand("S5", "E4: integrand at q = 1e-6, pi = .999999", SMALL, LARGE, -1.3815509557963774e-05)


def s06() -> Rows:
    """KL(p_g || p_r) prefers one mode, KL(p_r || p_g) covers all."""
    yield _integrand("S6", "integrand at p_g = .999999, p_r = 1e-6", LARGE, SMALL, 13.815495742454216)
    yield _integrand("S6", "integrand at p_g = 1e-6, p_r = .999999", SMALL, LARGE, -1.3815509557963774e-05)
    two_modes, one_mode, uniform = [0.495, 0.01, 0.495], [0.98, 0.01, 0.01], np.full(3, 1 / 3)
    yield LectureRow("S6", "KL(one mode || two modes)", kl_reverse(two_modes, one_mode), 0.630315186218)
    yield LectureRow("S6", "KL(uniform || two modes)", kl_reverse(two_modes, uniform), 0.905242784270)
    yield LectureRow("S6", "KL(two modes || uniform)", kl(two_modes, uniform), 0.356395045559)
    yield LectureRow("S6", "KL(two modes || one mode)", kl(two_modes, one_mode), 1.593394040937)


def s07() -> Rows:
    """JS: symmetric, from 0 to log 2, two halves, an entropy gap."""
    middle = (REAL + GENERATED) / 2
    gap = entropy(middle) - (entropy(REAL) + entropy(GENERATED)) / 2
    yield LectureRow("S7", "JS(p_r, p_g)", js(REAL, GENERATED), 0.090565849955)
    yield LectureRow("S7", "JS(p_g, p_r)", js(GENERATED, REAL), 0.090565849955)
    yield LectureRow("S7", "KL(p_r || m) / 2", kl(REAL, middle) / 2, 0.047202251448)
    yield LectureRow("S7", "KL(p_g || m) / 2", kl(GENERATED, middle) / 2, 0.043363598507)
    yield LectureRow("S7", "H(m) - (H(p_r) + H(p_g)) / 2", gap, 0.090565849955)
    yield LectureRow("S7", "JS(p, p)", js(REAL, REAL), 0.0, 0.0)
    yield LectureRow("S7", "JS((1, 0), (0, 1))", js([1.0, 0.0], [0.0, 1.0]), LOG2)


def s17() -> Rows:
    """Two bars: KL and JS jump at theta = 0 and are flat elsewhere; on other grids JS never moves (E21)."""
    for theta in (0.1, 0.25, 0.5, 1.0, -0.5, 0.0):
        p, q = two_bars(theta, n=8)
        tag, infinite = ("E21: ", 0.0) if theta == 0 else ("", math.inf)
        yield LectureRow("S17", f"{tag}KL(P || Q) at theta = {theta:g}", kl(p, q), infinite)
        yield LectureRow("S17", f"{tag}KL(Q || P) at theta = {theta:g}", kl_reverse(p, q), infinite)
        yield LectureRow("S17", f"{tag}JS at theta = {theta:g}", js(p, q), 0.0 if theta == 0 else LOG2)
    yield LectureRow("S17", "d JS / d theta at .3", slope(lambda t: js(*two_bars(t, n=8)), 0.3), 0.0)
    for n in (4, 16, 64):
        value = js(*two_bars(0.0, n=n, offset=1 / (2 * n)))
        yield LectureRow("S17", f"JS at theta = 0, grids of {n} points half a step apart", value, LOG2)


ITEMS: Items = {"S4": s04, "S5": s05, "S6": s06, "S7": s07, "S17": s17}
