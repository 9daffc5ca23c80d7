"""Lecture items S64 and S65: maximum-entropy generators for energy-based models."""

from __future__ import annotations

import numpy as np

from otdiv.divergences import entropy
from otdiv.gans import energy_on_line, free_energy, gibbs, log_partition
from otdiv.lecture.finite_differences import largest
from otdiv.lecture.record import Items, LectureRow, Rows

LADDER = np.array([0.0, 1.0, 2.0])
"""Energies of three states."""


def s64() -> Rows:
    """The energy with a gradient penalty, and without a minimum (E93)."""
    best = energy_on_line(np.ones_like, lambda x: x, lambda x: x**2, (0.0, 1.0), weight=10.0)
    x = np.linspace(0.0, 1.0, 11)
    yield LectureRow(
        "S64", "U' - (x - x^2)/20 for uniform data and q = 2x", largest(best.slope(x) - (x - x * x) / 20), 0.0
    )
    yield LectureRow("S64", "E_p U", best.real, 1 / 240)
    yield LectureRow("S64", "E_q U", best.generated, 7 / 1200)
    yield LectureRow("S64", "penalty", best.penalty, 1 / 1200)
    yield LectureRow("S64", "value, -1/(120 lambda)", best.value, -1 / 1200)
    wiggle = np.random.default_rng(0).normal(size=(200, 5))
    nodes, masses = np.polynomial.legendre.leggauss(64)
    t, masses = (nodes + 1) / 2, masses / 2
    beaten = 0
    for c in wiggle:  # U' + a polynomial: the objective is convex, so none does better
        slope = best.slope(t) + np.polynomial.polynomial.polyval(t, c) / 100
        beaten += float(masses @ (-(t - t * t) * slope + 10.0 * slope**2)) < best.value
    yield LectureRow("S64", "how many of 200 other energies do better", beaten, 0, 0)
    for growth, value in ((1.0, -0.25), (10.0, -2.5), (100.0, -25.0)):
        # bars at 0 (data) and 1/2: U = growth x^2 has no slope on the data, so the penalty is silent
        slope_on_data = 2 * growth * 0.0
        objective = growth * 0.0**2 - growth * 0.5**2 + 10.0 * slope_on_data**2
        yield LectureRow("S64", f"E93: bars at 0 and 1/2, U = {growth:g} x^2", objective, value)


def s65() -> Rows:
    """The generator with its entropy, and the slide's, which collapses (E94)."""
    q = gibbs(LADDER)
    for state, computed, value in zip("012", q, (0.665240955775, 0.244728471055, 0.090030573170), strict=True):
        yield LectureRow("S65", f"q({state}), proportional to exp(-U)", float(computed), value)
    yield LectureRow("S65", "E_q U", float(q @ LADDER), 0.424789617396)
    yield LectureRow("S65", "H(q)", entropy(q), 0.832395581840)
    yield LectureRow("S65", "E_q U - H(q)", free_energy(LADDER, q), -0.407605964444)
    yield LectureRow("S65", "-log Z", -log_partition(LADDER), -0.407605964444)
    others = np.random.default_rng(0).dirichlet(np.ones(3), size=500)
    yield LectureRow(
        "S65",
        "how many of 500 other q do better",
        sum(free_energy(LADDER, r) < free_energy(LADDER, q) for r in others),
        0,
        0,
    )
    collapsed = np.array([1.0, 0.0, 0.0])
    yield LectureRow(
        "S65", "E94: without the entropy, at one state", free_energy(LADDER, collapsed, entropy_weight=0.0), 0.0
    )
    lower = sum(free_energy(LADDER, r, entropy_weight=0.0) < 0.0 for r in others)
    yield LectureRow("S65", "E94: how many of 500 others are lower", lower, 0, 0)


ITEMS: Items = {"S64": s64, "S65": s65}
