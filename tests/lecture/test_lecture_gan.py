"""Lecture items S1 to S17, one test each with its numbers, and the slides' slips as counterexamples."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import expit, softmax

from otdiv import lecture
from otdiv.divergences import entropy, js, kl, kl_integrand, kl_integrand_nonnegative, kl_reverse
from otdiv.gans import (
    gan_loss,
    kl_minus_2js,
    log_d_identity,
    non_saturating_loss,
    optimal_discriminator,
    optimal_gan_loss,
    saturating_loss,
)
from otdiv.lecture.examples import GENERATED, REAL, two_bars
from otdiv.lecture.finite_differences import gradient

BEST = np.array([5 / 7, 3 / 5, 1 / 4])
LOG2 = math.log(2)


def holds(item: str, count: int) -> None:
    """Every row of the item agrees, and none has gone missing."""
    rows = lecture.rows([item])
    assert len(rows) == count
    assert {row.item for row in rows} == {item}
    assert [row for row in rows if not row.ok] == []


# --- the items --------------------------------------------------------------------------------------


def test_s01_gan_objective_in_two_forms():
    holds("S1", 3)
    by_hand = REAL @ np.log([0.8, 0.5, 0.3]) + GENERATED @ np.log([0.2, 0.5, 0.7])
    assert gan_loss([0.8, 0.5, 0.3], REAL, GENERATED) == pytest.approx(by_hand, rel=1e-14)
    assert by_hand == pytest.approx(-1.2348324756523, abs=1e-12)


def test_s02_strictest_critic_is_a_divergence_after_adding_2_log_2():
    holds("S2", 5)
    assert optimal_gan_loss(REAL, REAL) == -2 * LOG2  # the objective alone is not 0 at equality
    assert optimal_gan_loss(REAL, GENERATED) + 2 * LOG2 == pytest.approx(2 * js(REAL, GENERATED), rel=1e-14)


def test_s03_many_representations():
    holds("S3", 8)


def test_s04_cons_of_kl_the_integrand_disregards_q():
    holds("S4", 7)
    assert abs(kl_integrand(1e-6, 0.999999)) < 2e-5
    assert kl_integrand(1e-6, 0.999999) == pytest.approx(1e-6 * np.log(1e-6 / 0.999999), rel=1e-15)


def test_s05_pros_of_kl_for_a_proposal():
    holds("S5", 2)
    assert kl_integrand(0.999999, 1e-6) > 13.8


def test_s06_kl_seeks_a_mode_or_covers_them_all():
    holds("S6", 6)
    two, one, uniform = [0.495, 0.01, 0.495], [0.98, 0.01, 0.01], np.full(3, 1 / 3)
    assert kl(one, two) < kl(uniform, two)
    assert kl(two, uniform) < kl(two, one)


def test_s07_jensen_shannon_between_0_and_log_2():
    holds("S7", 7)
    middle = (REAL + GENERATED) / 2
    assert js(REAL, GENERATED) == pytest.approx(entropy(middle) - (entropy(REAL) + entropy(GENERATED)) / 2, abs=1e-14)
    assert js([0.5, 0.5, 0], [0, 0.5, 0.5]) < LOG2
    assert js([0.5, 0.5, 0, 0], [0, 0, 0.25, 0.75]) == LOG2


def test_s08_stationary_pointwise():
    holds("S8", 2)


def test_s09_optimal_discriminator_is_the_posterior():
    holds("S9", 7)
    assert optimal_discriminator(REAL, GENERATED) == pytest.approx(BEST, rel=1e-15)


def test_s10_value_at_the_optimum_is_2_js_minus_2_log_2():
    holds("S10", 7)
    direct = REAL @ np.log(BEST) + GENERATED @ np.log(1 - BEST)
    assert optimal_gan_loss(REAL, GENERATED) == pytest.approx(direct, abs=1e-14)
    assert 2 * js(REAL, GENERATED) - math.log(4) == pytest.approx(direct, abs=1e-14)


def test_s11_log_d_trick_slopes_and_values():
    holds("S11", 15)


def test_s12_substitute_the_optimum():
    holds("S12", 3)


def test_s13_kl_by_the_log_odds_of_the_optimum():
    holds("S13", 3)
    assert GENERATED @ np.log((1 - BEST) / BEST) == pytest.approx(kl(GENERATED, REAL), abs=1e-14)


def test_s14_log_d_identity():
    holds("S14", 6)


def test_s15_generator_follows_kl_minus_2_js():
    holds("S15", 25)


def test_s16_optimum_over_both_players():
    holds("S16", 4)


@pytest.mark.parametrize("n", [1, 8, 33])
def test_s17_two_bars_kl_and_js_jump(n):
    holds("S17", 22)
    for theta in (1e-12, 0.3, -2.0):
        p, q = two_bars(theta, n=n)
        assert kl(p, q) == kl(q, p) == math.inf
        assert kl(p, q).singular_mass == pytest.approx(1, rel=1e-14)
        assert js(p, q) == pytest.approx(LOG2, rel=1e-14)
    p, q = two_bars(0.0, n=n)
    assert kl(p, q) == kl(q, p) == js(p, q) == 0


# --- the errata, as counterexamples -----------------------------------------------------------------


def test_e02_minus_log_d_has_no_best_discriminator():
    real, fake = np.array([0.5, 0.5]), np.array([0.9, 0.1])
    values = [non_saturating_loss([d, 1.0], fake) - non_saturating_loss([d, 1.0], real) for d in (1e-2, 1e-10, 1e-100)]
    assert values == pytest.approx([1.842068074396, 9.210340371976, 92.10340371976], abs=1e-9)
    assert values[-1] > 0 > optimal_gan_loss(real, fake)  # while the true objective never exceeds 0


def test_e03_and_e05_the_printed_numbers_are_not_divergences():
    assert kl_integrand(1e-6, 0.999999) < 0 <= kl([1e-6, 1 - 1e-6], [0.999999, 1 - 0.999999])
    assert kl([1e-6, 1 - 1e-6], [1 - 1e-6, 1e-6]) == pytest.approx(13.815481926945, abs=1e-9)
    assert kl_integrand_nonnegative(1e-6, 0.999999) > 0.9999  # this form does see q


def test_e04_the_printed_digits_were_cut():
    assert float(kl_integrand(1e-6, 0.999999)) == pytest.approx(-1.3815509557963774e-05, rel=1e-12)
    assert float(kl_integrand(1e-6, 0.999999)) != pytest.approx(-1.3815509557963774, rel=1e-3)
    assert repr(float(kl_integrand(0.999999, 1e-6))) == "13.815495742454216"


def test_e06_a_small_q_is_not_prevented_only_not_required():
    target, dropped = [0.5, 0.5], [1.0, 0.0]
    assert kl(dropped, target) == pytest.approx(LOG2)  # finite: the mode may be dropped
    assert kl([0.999999, 1e-6], target) < kl(dropped, target)  # and sampling there is no cost


def test_e07_the_optimal_discriminator_gives_js_not_reverse_kl():
    gap = optimal_gan_loss(REAL, GENERATED) + 2 * LOG2
    assert gap == pytest.approx(2 * js(REAL, GENERATED), rel=1e-14)
    assert abs(gap - kl(GENERATED, REAL)) > 0.2


def test_e09_stationary_is_a_maximum_because_f_is_concave():
    second = -(REAL / BEST**2 + GENERATED / (1 - BEST) ** 2)
    assert np.all(second < 0)
    assert np.array([0.3, -0.2, 0.1]) ** 2 @ second == pytest.approx(-0.4347, abs=1e-12)


def test_e10_the_optimum_is_undefined_without_mass_and_on_the_boundary_without_overlap():
    best = optimal_discriminator([0.5, 0.5, 0, 0], [0, 0.5, 0.5, 0])
    assert best[:3].tolist() == [1.0, 0.5, 0.0]
    assert math.isnan(best[3])


def test_e12_the_trick_is_another_objective():
    assert saturating_loss(BEST, GENERATED) < 0 < non_saturating_loss(BEST, GENERATED)
    for d in (0.1, 0.5, 0.9):
        assert saturating_loss([d], [1.0]) < 0 < non_saturating_loss([d], [1.0])


def test_e13_the_expectation_is_over_the_real_pmf():
    left, optimum = saturating_loss(BEST, GENERATED), optimal_gan_loss(REAL, GENERATED)
    assert -REAL @ np.log(BEST) + optimum == pytest.approx(left, abs=1e-14)
    printed = -GENERATED @ np.log(BEST) + optimum
    assert printed == pytest.approx(-0.203926472460, abs=1e-9)
    assert abs(printed - left) > 0.4


def test_e14_and_e15_the_log_and_the_denominator_are_missing():
    literal = GENERATED @ np.log(1 - BEST) - GENERATED @ BEST
    assert literal == pytest.approx(-1.019277126402, abs=1e-9)
    assert abs(literal - kl(GENERATED, REAL)) > 1
    printed = GENERATED @ np.log((GENERATED / (REAL + GENERATED)) / (GENERATED / (2 * GENERATED)))
    assert abs(printed - kl(GENERATED, REAL)) > 0.1


def test_e16_the_left_side_needs_its_log():
    literal = -GENERATED @ BEST
    assert literal == pytest.approx(-0.412857142857, abs=1e-9)
    assert log_d_identity(REAL, GENERATED).right == pytest.approx(1.001236188749, abs=1e-9)
    assert literal < 0 < log_d_identity(REAL, GENERATED).loss


def test_e17_the_real_term_does_depend_on_the_generator():
    slope = gradient(lambda t: log_d_identity(REAL, softmax(t)).real_term, np.log(GENERATED))
    assert np.max(np.abs(slope)) > 0.09
    # and why the conclusion survives: D* moving contributes exactly this gradient, so that it cancels
    moving = gradient(lambda t: -GENERATED @ np.log(optimal_discriminator(REAL, softmax(t))), np.log(GENERATED))
    assert moving == pytest.approx(slope, abs=1e-7)


def test_e18_equal_gradients_not_proportional_values():
    values = [(log_d_identity(REAL, p).loss, kl_minus_2js(REAL, p)) for p in (GENERATED, REAL, [0.4, 0.4, 0.2])]
    ratios = [loss / value for loss, value in values if value > 0]
    assert max(ratios) > 1.1 * min(ratios)
    assert values[1] == (pytest.approx(LOG2), 0.0)  # at p_g = p_r one is log 2, the other 0


def test_e19_hard_is_not_unbounded_below():
    for seed in range(50):
        r, g = np.random.default_rng(seed).dirichlet(np.ones(3), size=2)
        assert kl_minus_2js(r, g) >= 0
        other = np.random.default_rng(seed + 100).dirichlet(np.ones(3))
        assert kl_minus_2js(r, (g + other) / 2) <= (kl_minus_2js(r, g) + kl_minus_2js(r, other)) / 2 + 1e-15  # convex
    assert kl_minus_2js([1, 0], [0.5, 0.5]) == math.inf
    assert kl_minus_2js([0.5, 0.5], [1, 0]) < 0.27


def test_e20_a_generator_that_cannot_reach_the_data_stays_above():
    found = minimize_scalar(
        lambda a: optimal_gan_loss(REAL, [expit(a), expit(-a), 0.0]), bounds=(-5, 5), method="bounded"
    )
    assert found.fun > -2 * LOG2 + 0.05


def test_e21_at_theta_0_everything_is_0():
    p, q = two_bars(0.0, n=5)
    assert kl(p, q) == kl_reverse(p, q) == js(p, q) == 0


def test_e22_each_bar_contributes_log_2():
    p, q = two_bars(0.4, n=5)
    support = np.concatenate([np.full(5, 0.2), np.zeros(5)])
    middle = np.full(10, 0.1)
    assert kl(support, middle) == pytest.approx(LOG2, rel=1e-14)  # log(1 / (1/2)), finite, not log(1 / 0)
    assert js(p, q) == pytest.approx((LOG2 + LOG2) / 2, rel=1e-14)
