"""SGHMC where the posterior is known: Bayesian linear regression."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from otdiv.errors import InvalidInput
from otdiv.gans.sghmc import SGHMC

N, NOISE, PRIOR = 200, 0.5, 1.0


def regression():
    """Features [n, 2], answers [n], and mean and covariance of the exact posterior of the weights."""
    rng = np.random.default_rng(0)
    x = np.column_stack([np.ones(N), rng.normal(size=N)])
    y = x @ [0.7, -1.2] + NOISE * rng.normal(size=N)
    precision = x.T @ x / NOISE**2 + np.eye(2) / PRIOR**2
    covariance = np.linalg.inv(precision)
    return x, y, covariance @ x.T @ y / NOISE**2, covariance


def chain(rate, *, temperature=1.0, friction=0.1, steps=1500, chains=512, batch=None):
    """Samples [k, 2] of many chains side by side; batches of ``batch`` rows stand for all."""
    x, y, mean, _ = regression()
    generator = torch.Generator().manual_seed(1)
    tx, ty = torch.from_numpy(x), torch.from_numpy(y)
    weights = torch.from_numpy(np.tile(mean, (chains, 1))).requires_grad_(True)
    sampler = SGHMC([weights], rate, friction, temperature, generator=generator)
    kept = []
    for step in range(steps):
        rows = torch.arange(N) if batch is None else torch.randint(N, (batch,), generator=generator)
        residual = weights @ tx[rows].T - ty[rows]
        energy = (N / len(rows)) * residual.square().sum() / (2 * NOISE**2) + weights.square().sum() / (2 * PRIOR**2)
        sampler.zero_grad()
        energy.backward()
        sampler.step()
        if step >= steps // 4 and step % 50 == 0:
            kept.append(weights.detach().clone())
    return torch.cat(kept).numpy()


def kl_of_normals(samples):
    """KL(N(sample mean, sample covariance) || exact posterior) in nats."""
    _, _, mean, covariance = regression()
    inverse = np.linalg.inv(covariance)
    apart = samples.mean(axis=0) - mean
    found = np.cov(samples.T)
    return 0.5 * (np.trace(inverse @ found) + apart @ inverse @ apart - 2 - np.linalg.slogdet(inverse @ found)[1])


@pytest.mark.slow
def test_samples_follow_the_known_posterior():
    # 11 264 samples, 512 of them independent: KL of these is about 5 / (2 * 512), far below the bound
    assert kl_of_normals(chain(1e-5)) < 0.05


@pytest.mark.slow
def test_batches_of_the_data_suffice_for_small_steps():
    assert kl_of_normals(chain(1e-6, batch=50)) < 0.05


@pytest.mark.slow
def test_a_step_that_is_too_large_and_no_noise_are_seen():
    assert kl_of_normals(chain(4e-4, steps=600, batch=20)) > 0.05
    assert kl_of_normals(chain(1e-5, steps=600, temperature=0.1)) > 0.5


def test_without_noise_it_is_gradient_descent_with_momentum():
    weight = torch.tensor([1.0], requires_grad=True)
    sampler = SGHMC([weight], lr=0.1, friction=0.5, temperature=0.0)
    for _ in range(2):
        sampler.zero_grad()
        (weight**2).sum().backward()
        sampler.step()
    assert float(weight.detach()) == pytest.approx(0.8 + 0.5 * -0.2 - 0.1 * 1.6)


def test_the_same_generator_gives_the_same_chain_and_settings_are_checked():
    assert np.array_equal(chain(1e-5, steps=60, chains=2), chain(1e-5, steps=60, chains=2))
    weight = torch.zeros(1, requires_grad=True)
    with pytest.raises(InvalidInput, match="friction"):
        SGHMC([weight], 0.1, friction=0.0)
    with pytest.raises(InvalidInput, match="temperature"):
        SGHMC([weight], 0.1, temperature=-1.0)
    with pytest.raises(InvalidInput, match="lr"):
        SGHMC([weight], float("nan"))


def test_the_preconditioner_brings_unlike_slopes_to_one_step_size():
    weights = torch.tensor([1.0, 1.0], requires_grad=True)
    sampler = SGHMC([weights], lr=1e-3, friction=1.0, temperature=0.0, precondition=True)
    (weights @ torch.tensor([1e-3, 1e3])).backward()
    sampler.step()
    assert weights.detach().tolist() == pytest.approx([0.999, 0.999], abs=1e-6)
