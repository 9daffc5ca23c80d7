"""Lecture items S18 to S24 and the cited pages R1 to R3, one test each, and the slides' slips."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import wasserstein_distance, wasserstein_distance_nd

from otdiv import emd, lecture
from otdiv.divergences import js, kl, kl_reverse, total_variation
from otdiv.errors import InvalidInput
from otdiv.gans import non_saturating_loss, saturating_loss
from otdiv.lecture.examples import (
    GENERATED,
    REAL,
    TEN_OTHER,
    TEN_REAL,
    blocks,
    gaussian_pair,
    line,
    plane,
    ten_states,
    three_points,
    two_bars,
)
from otdiv.lecture.transport import program_of
from otdiv.linear_programming.program import LinearProgram
from otdiv.linear_programming.solve import solve_lp

METHODS = ("auto", "primal", "dual", "dense", "pot")


def holds(item: str, count: int) -> None:
    """Every row of the item agrees, and none has gone missing."""
    rows = lecture.rows([item])
    assert len(rows) == count
    assert {row.item for row in rows} == {item}
    assert [row for row in rows if not row.ok] == []


# --- the items --------------------------------------------------------------------------------------


def test_s18_wgan_objective_inner_value_is_theta():
    holds("S18", 11)


def test_s19_w_is_theta_without_a_jump():
    holds("S19", 22)
    small = [emd(*two_bars(theta, n=4)).value for theta in (1e-3, 1e-6, 1e-9, 0.0)]
    assert small == pytest.approx([1e-3, 1e-6, 1e-9, 0.0], rel=1e-9, abs=1e-15)


def test_s20_emd_is_the_least_cost():
    holds("S20", 5)
    mu, nu = line()
    assert wasserstein_distance(mu.points[:, 0], nu.points[:, 0]) == pytest.approx(2 / 3, rel=1e-12)


def test_s21_discriminator_update():
    holds("S21", 5)


def test_s22_exact_critic_and_the_generators_gradient():
    holds("S22", 4)


def test_s23_constraint_rows():
    holds("S23", 5)


def test_s24_primal_equals_dual():
    holds("S24", 12)


def test_r1_ten_states_351_over_497():
    holds("R1", 9)
    gaps = np.cumsum([Fraction(r, 77) - Fraction(t, 71) for r, t in zip(TEN_REAL, TEN_OTHER, strict=True)])
    assert sum(abs(gap) for gap in gaps) == Fraction(351, 497)
    p, q = np.array(TEN_REAL) / 77, np.array(TEN_OTHER) / 71
    assert ten_states().known["kl"] == pytest.approx(p @ np.log(p / q), rel=1e-14)
    assert ten_states().known["kl_reverse"] == pytest.approx(q @ np.log(q / p), rel=1e-14)


def test_r2_blocks_5_units_of_work():
    holds("R2", 3)


def test_r3_parallel_lines():
    holds("R3", 4)


# --- the examples know their answers ----------------------------------------------------------------

EXAMPLES = {
    "three_points": three_points(),
    "plane": plane(),
    "line": line(),
    "ten_states": ten_states(),
    "blocks": blocks(),
    **{
        f"bars {t} {n} {o}": two_bars(t, n, o)
        for t, n, o in ((0.5, 4, 0), (0, 3, 0), (-2, 1, 0), (0, 4, 1 / 8), (0.3, 5, -0.1))
    },
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", EXAMPLES)
def test_known_w1_lies_in_every_methods_interval(name, method):
    example = EXAMPLES[name]
    result = emd(example.mu, example.nu, method=method)
    known = example.known["w1"]
    assert result.value == pytest.approx(known, rel=1e-9, abs=1e-12)
    assert result.lower <= known * (1 + 1e-15) + 5e-324
    assert result.upper >= known * (1 - 1e-15)


@pytest.mark.parametrize("name", [name for name, e in EXAMPLES.items() if "kl" in e.known])
def test_known_divergences(name):
    mu, nu = EXAMPLES[name]
    known = EXAMPLES[name].known
    for key, divergence in {"kl": kl, "kl_reverse": kl_reverse, "js": js, "tv": total_variation}.items():
        assert divergence(mu, nu) == pytest.approx(known[key], rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("name", ["plane", "bars 0.5 4 0", "bars 0.3 5 -0.1"])
def test_known_w1_by_scipy_in_the_plane(name):
    mu, nu = EXAMPLES[name]
    found = wasserstein_distance_nd(mu.points, nu.points, mu.weights, nu.weights)
    assert found == pytest.approx(EXAMPLES[name].known["w1"], rel=1e-9)


def test_plane_in_closed_form():
    by_arcs = 0.4 * math.sqrt(2) + 0.2 * 1 + 0.1 * 2 + 0.3 * 1
    assert plane().known["w1"] == pytest.approx(by_arcs, rel=1e-15)
    assert plane().known["w1"] == pytest.approx(1.265685424949, abs=1e-12)


def test_bars_for_any_real_theta_and_grid():
    for theta in (-3.5, -1e-300, 0.0, 1e-300, 7.25):
        bars = two_bars(theta, n=3)
        assert bars.known["w1"] == abs(theta)
        assert js(*bars) == pytest.approx(bars.known["js"], rel=1e-14)
    mu, nu = two_bars(0.25, n=2)
    assert mu.points.tolist() == [[0.0, 0.25], [0.0, 0.75]]
    assert nu.points.tolist() == [[0.25, 0.25], [0.25, 0.75]]


def test_gaussian_pair_are_densities():
    x = np.linspace(-14, 14, 2801)
    for density in gaussian_pair(x):
        assert np.trapezoid(density, x) == pytest.approx(1, abs=1e-12)


def test_bars_refuse_what_has_no_known_answer():
    with pytest.raises(InvalidInput, match=r"^theta must be a finite number; got inf"):
        two_bars(math.inf)
    with pytest.raises(InvalidInput, match=r"^n must be at least 1; got 0"):
        two_bars(0.5, n=0)
    for offset in (0.25, -0.3, 1e-30, math.nan):
        with pytest.raises(InvalidInput, match=r"^offset must be 0, or move every point"):
            two_bars(0.5, n=4, offset=offset)


# --- the errata, as counterexamples -----------------------------------------------------------------


def test_e24_the_absolute_value_matters_for_negative_theta():
    assert emd(*two_bars(-0.5, n=4)).value == pytest.approx(0.5, rel=1e-12)


def test_e25_w2_is_another_distance():
    mu, nu = three_points()
    squared = emd(mu, nu, cost="sqeuclidean").value
    assert math.sqrt(squared) == pytest.approx(math.sqrt(0.9), rel=1e-12)
    assert abs(math.sqrt(squared) - 0.7) > 0.2


def test_e26_the_printed_generator_step_does_not_descend_the_printed_objective():
    logits, moved_by = np.array([-2.0, 0.0, 3.0]), np.array([1.0, 0.0, -1.0])  # one parameter moves three points
    thirds, step = np.full(3, 1 / 3), 1e-3

    def minmax(t):
        return saturating_loss(expit(logits + t * moved_by), thirds)

    def printed(t):
        return -non_saturating_loss(expit(logits + t * moved_by), thirds)

    assert printed(step) > printed(0)  # a step that ascends E log D(G(z)) ...
    assert minmax(step) > minmax(0)  # ... may ascend E log(1 - D(G(z))) as well, which was to be minimised


def test_e27_and_e28_the_gradient_needs_no_log_and_no_d():
    z, real = np.array([0.0, 1.0, 2.5]), np.array([0.4, 2.2, 3.0])
    g = emd(z, real).g

    def critic(x):
        return np.min(np.abs(x[:, None] - real) - g, axis=1)  # f of the generated side, on the whole line

    step = 1e-6
    moved = (critic(z * (1 + step)) - critic(z * (1 - step))) / (2 * step)  # f'(G(z)) dG/dt at t = 1
    assert np.mean(moved) == pytest.approx(-7 / 6, abs=1e-6)
    with pytest.raises(FloatingPointError), np.errstate(all="raise"):
        np.log(critic(z))  # a critic has values of both signs or 0, so there is no log of it


def test_e30_the_red_line_sums_over_y():
    mu, nu = three_points()
    plan = emd(mu, nu).plan.toarray()
    assert plan[1].sum() == pytest.approx(0.2, abs=1e-12)
    assert plan.sum(axis=1) == pytest.approx(GENERATED, abs=1e-12)
    assert plan.sum(axis=0) == pytest.approx(REAL, abs=1e-12)
    assert plan[:, 1].sum() != pytest.approx(0.2, abs=0.05)  # the sum over x is the other marginal


def test_e31_potentials_are_determined_up_to_a_constant():
    program = program_of(three_points())
    y = solve_lp(program.dual()).y
    shift = np.repeat([1.0, -1.0], 3)
    for c in (-2.0, 5.0):
        assert program.b @ (y + c * shift) == pytest.approx(0.7, abs=1e-12)
        assert np.max(program.A.T @ (y + c * shift) - program.c) <= 1e-12
    assert np.linalg.matrix_rank(program.A) == 5
    for row in range(6):
        keep = np.arange(6) != row
        assert solve_lp(LinearProgram(program.c, program.A[keep], program.b[keep])).objective == pytest.approx(0.7)


def test_e31_unequal_masses_are_refused():
    with pytest.raises(InvalidInput, match="same total mass"):
        emd([0.0, 1.0, 2.0], [0.0, 1.0, 2.0], GENERATED, 1.01 * REAL)
