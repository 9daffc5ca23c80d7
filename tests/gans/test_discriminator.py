"""The discriminator: optimality, the identities at D*, derivatives, edges of the support, messages."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, softmax

from otdiv.divergences import js, kl
from otdiv.errors import InvalidInput
from otdiv.gans import (
    gan_loss,
    gan_loss_logit_gradient,
    kl_minus_2js,
    log_d_identity,
    non_saturating_loss,
    non_saturating_slope,
    optimal_discriminator,
    optimal_gan_loss,
    posterior_real,
    saturating_loss,
    saturating_slope,
    softmax_gradient,
)
from otdiv.lecture.finite_differences import gradient
from otdiv.measures.discrete import DiscreteMeasure

SEEDED = settings(derandomize=True, deadline=None)
REAL, GENERATED = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.2, 0.6])
pairs = st.integers(0, 2**32 - 1).map(lambda seed: np.random.default_rng(seed).dirichlet(np.ones(4), size=2))


@given(pairs, st.integers(0, 2**32 - 1))
@SEEDED
def test_no_discriminator_beats_the_optimal_one(pair, seed):
    r, g = pair
    best = gan_loss(optimal_discriminator(r, g), r, g)
    assert best == pytest.approx(optimal_gan_loss(r, g), abs=1e-12)
    assert gan_loss(np.random.default_rng(seed).uniform(size=4), r, g) <= best + 1e-15


def test_a_shifted_discriminator_is_strictly_worse():
    best = optimal_discriminator(REAL, GENERATED)
    assert gan_loss(best + 0.01, REAL, GENERATED) < optimal_gan_loss(REAL, GENERATED) - 1e-4


@given(pairs)
@SEEDED
def test_identities_at_the_optimum(pair):
    r, g = pair
    sides = log_d_identity(r, g)
    assert sides.loss == pytest.approx(sides.right, rel=1e-10, abs=1e-12)
    assert kl_minus_2js(r, g) == pytest.approx(kl(g, r) - 2 * js(r, g), rel=1e-9, abs=1e-12)
    assert kl_minus_2js(r, g) == pytest.approx(2 * kl((r + g) / 2, r), rel=1e-9, abs=1e-12)
    assert kl_minus_2js(r, g) >= 0


def test_kl_minus_2js_keeps_its_digits_near_equality():
    r = np.array([0.5, 0.5])
    g = r + np.array([1e-9, -1e-9])
    assert kl_minus_2js(r, g) == pytest.approx(1e-18, rel=1e-6)  # sum (g - r)^2 / (4 r)


@given(st.integers(0, 2**32 - 1))
@settings(SEEDED, max_examples=30)
def test_gradients_agree_with_finite_differences(seed):
    rng = np.random.default_rng(seed)
    r, g = rng.dirichlet(np.full(4, 3.0), size=2)
    logits = rng.normal(size=4)
    exact = gan_loss_logit_gradient(logits, r, g)
    assert exact == pytest.approx(gradient(lambda a: gan_loss(expit(a), r, g), logits), abs=1e-9)
    best = optimal_discriminator(r, g)
    assert gan_loss_logit_gradient(np.log(best / (1 - best)), r, g) == pytest.approx(np.zeros(4), abs=1e-15)
    theta = np.log(g)
    frozen = {
        "-log D*": (-np.log(best), lambda t: kl_minus_2js(r, softmax(t))),
        "log(1 - D*)": (np.log1p(-best), lambda t: 2 * js(r, softmax(t))),
        "log ratio": (np.log(g / r), lambda t: kl(softmax(t), r)),
    }
    for values, objective in frozen.values():
        assert softmax_gradient(values, g) == pytest.approx(gradient(objective, theta), abs=1e-7)
    assert softmax_gradient(logits, g).sum() == pytest.approx(0, abs=1e-15)


@given(st.floats(-700, 700))
@SEEDED
def test_slopes_have_one_sign_and_ratio(a):
    saturating, other = float(saturating_slope(a)), float(non_saturating_slope(a))
    assert -1 <= saturating <= 0
    assert -1 <= other <= 0
    assert other == pytest.approx(math.exp(-a) * saturating, rel=1e-12)
    assert saturating + other == pytest.approx(-1)


def test_slopes_are_derivatives_of_the_losses():
    for a in (-3.0, 0.0, 2.0):
        h = 1e-6
        plus, minus = [float(expit(a + h))], [float(expit(a - h))]
        assert float(saturating_slope(a)) == pytest.approx(
            (saturating_loss(plus, [1]) - saturating_loss(minus, [1])) / (2 * h), abs=1e-8
        )
        assert float(non_saturating_slope(a)) == pytest.approx(
            (non_saturating_loss(plus, [1]) - non_saturating_loss(minus, [1])) / (2 * h), abs=1e-8
        )


def test_bayes_rule():
    r, g = np.array([3.0, 1.0, 0.0, 2.0]), np.array([1.0, 1.0, 1.0, 0.0])
    for prior in (0.1, 0.5, 0.9):
        expected = prior * r / (prior * r + (1 - prior) * g)
        assert posterior_real(r, g, prior=prior) == pytest.approx(expected, rel=1e-15)
    assert posterior_real([5e-324], [5e-324]).tolist() == [0.5]
    assert posterior_real([1e308], [1e308]).tolist() == [0.5]


def test_where_neither_has_mass_d_is_nan_and_costs_nothing():
    r, g = [0.5, 0.5, 0.0, 0.0], [0.5, 0.0, 0.5, 0.0]
    best = optimal_discriminator(r, g)
    assert best[:3].tolist() == [0.5, 1.0, 0.0]
    assert math.isnan(best[3])
    assert gan_loss(best, r, g) == pytest.approx(optimal_gan_loss(r, g), abs=1e-15)
    assert saturating_loss(best, g) == pytest.approx(0.5 * math.log(0.5))
    assert non_saturating_loss(best, r) == pytest.approx(0.5 * math.log(2))


def test_infinite_losses_come_without_warnings():
    assert gan_loss([0.0, 0.5], [0.5, 0.5], [0.5, 0.5]) == -math.inf
    assert gan_loss([1.0, 0.5], [0.5, 0.5], [0.5, 0.5]) == -math.inf
    assert gan_loss([1.0, 0.0], [1.0, 0.0], [0.0, 1.0]) == 0.0
    assert saturating_loss([1.0], [1.0]) == -math.inf
    assert non_saturating_loss([0.0], [1.0]) == math.inf
    sides = log_d_identity([1.0, 0.0], [0.5, 0.5])
    assert sides.loss == sides.right == sides.kl == math.inf
    junk = kl_minus_2js([1.0, 0.0], [0.5, 0.5])
    assert junk == math.inf
    assert junk.reason == "p_g puts mass 0.5 on 1 atom where p_r has none: index 1."


def test_measures_are_brought_onto_their_common_support():
    real, fake = DiscreteMeasure([0.0, 1.0]), DiscreteMeasure([1.0, 2.0])
    assert optimal_discriminator(real, fake).tolist() == [1.0, 0.5, 0.0]
    assert optimal_gan_loss(real, fake) == pytest.approx(-math.log(2))


def test_messages():
    with pytest.raises(InvalidInput, match=r"^p_r must sum to 1.*normalize=True"):
        optimal_discriminator([1, 1], [0.5, 0.5])
    with pytest.raises(InvalidInput, match=r"^p_g must sum to 1"):
        gan_loss([0.5, 0.5], [0.5, 0.5], [1, 1])
    assert gan_loss([0.5, 0.5], [1, 1], [1, 1], normalize=True) == pytest.approx(-2 * math.log(2))
    with pytest.raises(InvalidInput, match=r"^p_r and p_g must have the same length"):
        optimal_gan_loss([1], [0.5, 0.5])
    for prior in (0.0, 1.0, math.nan):
        with pytest.raises(InvalidInput, match=r"^prior must lie strictly between 0 and 1"):
            posterior_real([1], [1], prior=prior)
    with pytest.raises(InvalidInput, match=r"^p_g must be non-negative"):
        posterior_real([1.0], [-1.0])
    with pytest.raises(
        InvalidInput, match=r"^discriminator must lie in \[0, 1\].*got 1\.5 at index 1\. Pass probabilities"
    ):
        gan_loss([0.5, 1.5], [0.5, 0.5], [0.5, 0.5])
    with pytest.raises(InvalidInput, match=r"^discriminator must lie in .*got nan at index 0"):
        saturating_loss([math.nan], [1.0])
    with pytest.raises(InvalidInput, match=r"^discriminator must have shape \(2,\)"):
        gan_loss([0.5], [0.5, 0.5], [0.5, 0.5])
    with pytest.raises(InvalidInput, match=r"^logits must have shape \(2,\)"):
        gan_loss_logit_gradient([0.5], [0.5, 0.5], [0.5, 0.5])
    for bad in (math.nan, math.inf):
        with pytest.raises(InvalidInput, match=r"^logits must be finite"):
            saturating_slope([bad])
        with pytest.raises(InvalidInput, match=r"^values must be finite"):
            softmax_gradient([bad, 0], [0.5, 0.5])
