"""Objectives on batches, held against the exact ones of finite distributions and against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from otdiv import gans
from otdiv.autograd import emd_loss
from otdiv.divergences import js
from otdiv.gans import objectives

REAL, GENERATED = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.2, 0.6])
D = np.array([0.8, 0.5, 0.3])


def drawn(values, pmf):
    """Values [10], each as often as the pmf (tenths) says."""
    return torch.from_numpy(np.repeat(values, np.round(10 * pmf).astype(int)))


def logit(d):
    return np.log(d / (1 - d))


def test_the_discriminator_loss_is_minus_the_gan_objective():
    loss = objectives.discriminator_loss(drawn(logit(D), REAL), drawn(logit(D), GENERATED))
    assert float(loss) == pytest.approx(-gans.gan_loss(D, REAL, GENERATED), abs=1e-14)
    best = logit(gans.optimal_discriminator(REAL, GENERATED))
    least = objectives.discriminator_loss(drawn(best, REAL), drawn(best, GENERATED))
    assert float(least) == pytest.approx(2 * math.log(2) - 2 * js(REAL, GENERATED), abs=1e-14)
    assert least < loss


def test_generator_losses_are_those_of_the_pmfs():
    logits = drawn(logit(D), GENERATED)
    assert float(objectives.minimax_loss(logits)) == pytest.approx(gans.saturating_loss(D, GENERATED), abs=1e-14)
    assert float(objectives.log_d_loss(logits)) == pytest.approx(gans.non_saturating_loss(D, GENERATED), abs=1e-14)
    far = torch.tensor([-800.0, 800.0], requires_grad=True)  # D = 0 and 1 to the last digit
    objectives.log_d_loss(far).backward()
    assert torch.isfinite(far.grad).all() and far.grad[0] == -0.5


def test_critic_and_generator_of_a_wgan_play_the_same_values():
    x, y = torch.tensor([1.0, 3.0]), torch.tensor([0.5, 0.5])
    assert float(objectives.critic_loss(x, y)) == -1.5
    assert float(objectives.wasserstein_loss(y)) == -0.5
    assert float(objectives.gradient_penalty(torch.tensor([1.0, 2.0, 0.0]))) == pytest.approx(2 / 3)


def test_the_energy_loss_is_the_one_on_the_line():
    best = gans.energy_on_line(np.ones_like, lambda x: x, lambda x: x**2, (0.0, 1.0), weight=10.0)
    x = torch.linspace(0, 1, 40_001, dtype=torch.float64)
    energy = (x**2 / 2 - x**3 / 3) / 20  # the integral of the best slope
    model = torch.sqrt(x)  # quantiles of q = 2 x
    generated = (model**2 / 2 - model**3 / 3) / 20
    loss = objectives.energy_loss(energy, generated, (x - x**2) / 20, 10.0)
    assert float(loss) == pytest.approx(best.value, rel=1e-3)
    assert float(loss) > best.value - 1e-9 or abs(float(loss) / best.value - 1) < 1e-3


def test_entropy_enters_the_generators_loss_with_its_weight():
    u, entropy = torch.tensor([1.0, 2.0]), torch.tensor(0.7)
    assert float(objectives.entropic_generator_loss(u, entropy, 1.0)) == pytest.approx(0.8)
    assert float(objectives.entropic_generator_loss(u, entropy, 0.0)) == 1.5


def test_shared_information_at_its_best_statistic_is_a_js_divergence():
    joint = np.array([[0.24, 0.045, 0.015], [0.07, 0.21, 0.42]])
    product = np.outer(joint.sum(1), joint.sum(0))
    t = torch.from_numpy(np.log(joint / product))
    value = (torch.from_numpy(joint) * -torch.nn.functional.softplus(-t)).sum() - (
        torch.from_numpy(product) * torch.nn.functional.softplus(t)
    ).sum()
    assert float(value) == pytest.approx(2 * js(joint.ravel(), product.ravel()) - 2 * math.log(2), abs=1e-12)
    # the same by frequencies
    often = 2000
    paired = torch.repeat_interleave(t.ravel(), torch.from_numpy(np.round(often * joint).astype(int).ravel()))
    shuffled = torch.repeat_interleave(t.ravel(), torch.from_numpy(np.round(often * product).astype(int).ravel()))
    assert float(objectives.shared_information(paired, shuffled)) == pytest.approx(float(value), abs=2e-3)
    assert objectives.shared_information(torch.zeros(3), torch.zeros(3)) == pytest.approx(-2 * math.log(2))


def test_the_information_bound_is_that_of_the_channel():
    joint = gans.joint_of_channel([0.5, 0.5], [[0.9, 0.1], [0.1, 0.9]])
    q = np.array([[0.8, 0.2], [0.2, 0.8]])
    scores = torch.repeat_interleave(torch.from_numpy(np.log(q)).ravel(), torch.tensor([9, 1, 1, 9]))
    exact = gans.information_bound(joint, q).value
    assert float(objectives.information_bound(scores, math.log(2))) == pytest.approx(exact, abs=1e-14)


def test_the_transport_loss_has_the_gradient_of_the_exact_distance():
    rng = torch.Generator().manual_seed(0)
    x, y = (torch.randn((30, 3), generator=rng, dtype=torch.float64) for _ in range(2))
    from otdiv.gans.models.exact_transport import exact_match

    value, matched = exact_match(x, y)
    moved = x.clone().requires_grad_(True)
    loss = objectives.transport_loss(moved, matched)
    loss.backward()
    exact = x.clone().requires_grad_(True)
    distance = emd_loss(exact, y)
    distance.backward()
    assert loss.item() == pytest.approx(value, abs=1e-12) and value == pytest.approx(distance.item(), abs=1e-12)
    assert torch.allclose(moved.grad, exact.grad, atol=1e-12)
    wrong = x.clone().requires_grad_(True)
    objectives.transport_loss(wrong, matched.flip(0)).backward()
    assert not torch.allclose(wrong.grad, exact.grad, atol=1e-3)


def test_log_posteriors_differ_as_the_exact_posteriors_do():
    """log p(0 | ...) - log p(1 | ...) of two generators, and of two discriminators."""
    scores = np.array([[0.8, 0.4], [0.4, 0.8]])
    sd = 2.0
    weights = [torch.tensor([1.0]), torch.tensor([-2.0])]
    prior = np.exp([float(objectives.log_prior([w], sd)) for w in weights])
    exact = gans.generator_posterior(scores[:, :1], prior / prior.sum())
    logs = [
        float(objectives.generator_log_posterior(torch.from_numpy(logit(scores[k, :1])), [w], 1, sd))
        for k, w in enumerate(weights)
    ]
    assert logs[0] - logs[1] == pytest.approx(math.log(exact[0] / exact[1]), abs=1e-6)
    d = np.array([[0.8, 0.4], [0.3, 0.9]])
    real, fake = d[:, [0, 1]], d[:, [1, 0]]
    exact = gans.discriminator_posterior(real, fake, prior / prior.sum())
    logs = [
        float(
            objectives.discriminator_log_posterior(
                torch.from_numpy(logit(real[k])), torch.from_numpy(logit(fake[k])), [w], 2, sd
            )
        )
        for k, w in enumerate(weights)
    ]
    assert logs[0] - logs[1] == pytest.approx(math.log(exact[0] / exact[1]), abs=1e-6)
    assert objectives.log_prior([torch.ones(3)], math.inf) == 0
