"""Bayesian GAN: generators and a discriminator sampled from their posteriors, p(theta_g | theta_d) and back.

The noise z is integrated out by fresh batches.  The generators are an ensemble: each is a sample of its own chain.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from otdiv.gans.models import adversarial
from otdiv.gans.models.base import GanModel, GanSpec, GanState, Values, no_measures
from otdiv.gans.objectives import discriminator_log_posterior, generator_log_posterior
from otdiv.gans.sghmc import SGHMC


class Ensemble(nn.Module):
    """Several generators of one shape side by side: noise [j, n, k] -> points [j, n, d].

    Parameters
    ----------
    members, k, d, width, depth : int
    bounded : bool
        Whether outputs lie in [-1, 1].
    generator : torch.Generator
        For the weights.
    """

    def __init__(
        self, members: int, k: int, d: int, width: int, depth: int, bounded: bool, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.bounded = bounded
        sizes = [k, *[width] * depth, d]
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for p, q in zip(sizes, sizes[1:], strict=False):
            self.weights.append(nn.Parameter((2 * torch.rand((members, p, q), generator=generator) - 1) * p**-0.5))
            self.biases.append(nn.Parameter((2 * torch.rand((members, 1, q), generator=generator) - 1) * p**-0.5))

    def forward(self, z: Tensor) -> Tensor:
        last = len(self.weights) - 1
        for k, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            z = torch.baddbmm(bias, z, weight)
            if k < last:
                z = torch.relu(z)
        return torch.tanh(z) if self.bounded else z


def build(spec: GanSpec, rng: torch.Generator) -> dict[str, nn.Module]:
    """The ensemble of generators, and a discriminator."""
    s = spec.settings
    ensemble = Ensemble(s.generators, s.noise, spec.d, s.width, s.depth, spec.shape is not None, rng)
    return {"generator": ensemble, "discriminator": spec.discriminator(rng)}


def sampler(groups: Any, rate: float, spec: GanSpec, rng: torch.Generator) -> torch.optim.Optimizer:
    """Stochastic gradient Hamiltonian Monte Carlo on the log posterior divided by the number of data.

    With U / N in place of U the temperature is divided by N too.
    """
    settings = spec.settings
    seed = int(torch.randint(2**62, (), generator=rng))  # another for each chain
    generator = torch.Generator(spec.device).manual_seed(seed)
    temperature = settings.temperature / spec.data_size
    return SGHMC(groups, rate, settings.friction, temperature, precondition=True, generator=generator)


def noises(state: GanState, n: int, rng: torch.Generator) -> Tensor:
    """z [j, n, k]: a batch for each generator."""
    j = state.settings.generators
    return state.noise(j * n, rng).view(j, n, state.settings.noise)


def step(state: GanState, real: Tensor, rng: torch.Generator) -> tuple[GanState, Values]:
    """A step of the discriminator's chain, then one of every generator's."""
    n, settings, size = len(real), state.settings, state.spec.data_size
    ensemble, discriminator = state.networks["generator"], state.networks["discriminator"]
    value = real.new_zeros(())
    for _ in range(settings.critic_steps):
        with torch.no_grad():
            fake = ensemble(noises(state, max(1, n // settings.generators), rng)).flatten(0, 1)
        logits = discriminator(torch.cat([real, fake]))
        posterior = discriminator_log_posterior(
            logits[:n], logits[n:], discriminator.parameters(), size, settings.prior_sd
        )
        loss = -posterior / size
        value = -loss.detach()
        state.minimise("discriminator", loss + adversarial.flatness_penalty(state, real))
    points = ensemble(noises(state, max(1, n // settings.generators), rng))
    logits = discriminator(points.flatten(0, 1)).view(settings.generators, -1)
    # the generators are independent given the discriminator: their log posteriors add up
    posterior = generator_log_posterior(logits, ensemble.parameters(), size * settings.generators, settings.prior_sd)
    generator_value = -state.minimise("generator", -posterior / size)
    return state.advanced(), {"discriminator_log_posterior": value, "generator_log_posterior": generator_value}


@torch.no_grad()
def draw(state: GanState, n: int, rng: torch.Generator) -> Tensor:
    """n points, as many of each generator within 1, in random order: a draw from the posterior predictive."""
    j = state.settings.generators
    points: Tensor = state.networks["generator"](noises(state, math.ceil(n / j), rng)).flatten(0, 1)
    return points[torch.randperm(len(points), generator=rng, device=points.device)[:n]]


BAYESIAN = GanModel(build, adversarial.rates, step, draw, no_measures, optimizer=sampler)
