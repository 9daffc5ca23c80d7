"""Examples R1 to R3 of the pages that the lecture cites."""

from __future__ import annotations

import math

import numpy as np

from otdiv.divergences import js, kl, kl_reverse, total_variation
from otdiv.lecture.examples import blocks, ten_states, two_bars
from otdiv.lecture.finite_differences import largest
from otdiv.lecture.record import Items, LectureRow, Rows
from otdiv.transport.solve import emd


def r1() -> Rows:
    """Ten states, V. Herrmann: W1 = 351/497, and a potential that proves it."""
    real, other = ten_states()
    for method in ("auto", "primal", "dual"):
        value = emd(real, other, method=method).value
        yield LectureRow("R1", f"EMD of the ten states, method {method}", value, 351 / 497)
    critic = np.array([1.0, 0.0, -1.0, -2.0, -1.0, 0.0, 1.0, 2.0, 1.0, 0.0])
    yield LectureRow("R1", "f . (P_r - P_t)", float(critic @ (real.weights - other.weights)), 351 / 497)
    yield LectureRow("R1", "Lipschitz constant of f", largest(np.diff(critic)), 1.0, 0.0)
    yield LectureRow("R1", "KL(P_r || P_t)", kl(real, other), 0.5003355776416126)
    yield LectureRow("R1", "KL(P_t || P_r)", kl_reverse(real, other), 0.6749348139781168)
    yield LectureRow("R1", "JS", js(real, other), 0.11763205718835998)
    yield LectureRow("R1", "TV", total_variation(real, other), 0.3349186025242363)


def r2() -> Rows:
    """Blocks, L. Weng: 5 units of work, 0.5 for masses of 1."""
    mu, nu = blocks()
    yield LectureRow("R2", "work to move the blocks", emd(mu, nu).value, 5.0)
    yield LectureRow("R2", "the same for masses of 1", emd(mu, nu, normalize=True).value, 0.5)
    steps = np.cumsum(mu.weights - nu.weights) - [2.0, 2.0, -1.0, 0.0]
    yield LectureRow("R2", "cumulative differences - (2, 2, -1, 0)", largest(steps), 0.0)


def r3() -> Rows:
    """Parallel lines, both pages: the two bars at theta = 0.5."""
    bars = two_bars(0.5, n=32)
    yield LectureRow("R3", "KL(P || Q)", kl(*bars), math.inf)
    yield LectureRow("R3", "KL(Q || P)", kl_reverse(*bars), math.inf)
    yield LectureRow("R3", "JS", js(*bars), math.log(2))
    yield LectureRow("R3", "W1", emd(*bars).value, 0.5)


ITEMS: Items = {"R1": r1, "R2": r2, "R3": r3}
