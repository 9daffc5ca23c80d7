"""Spectrally normalised GAN: D = sigmoid(slope f) with every layer of f divided by its spectral norm."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from otdiv.gans.models import adversarial, wasserstein
from otdiv.gans.models.base import GanModel, GanSpec, GanState, Values, draw_from_generator
from otdiv.gans.objectives import log_d_loss
from otdiv.lipschitz import spectral_norm
from otdiv.neural.constraints import CONSTRAINT_BY_NAME
from otdiv.neural.mlp import linear_layers
from otdiv.neural.network_spec import NetworkSpec

SPECTRAL = CONSTRAINT_BY_NAME["spectral"]


class ScaledCritic(nn.Module):
    """logits slope f(x) [n], where f is 1-Lipschitz: the logit's slope is at most ``slope``.

    Parameters
    ----------
    critic : nn.Module
    slope : float
    """

    def __init__(self, critic: nn.Module, slope: float) -> None:
        super().__init__()
        self.critic = critic
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        values: Tensor = self.critic(x)
        return self.slope * values


def build(spec: GanSpec, rng: torch.Generator) -> dict[str, nn.Module]:
    """Generator and discriminator, of linear layers for images too: a convolution's norm is not its matrix's."""
    points = torch.zeros((1, spec.d))
    network = SPECTRAL.build(
        NetworkSpec(wasserstein.sizes_of(spec), points, points, torch.ones(1, dtype=torch.float64), None, rng)
    )
    generator = spec.generator(spec.settings.noise, rng)
    return {"generator": generator, "discriminator": ScaledCritic(network, spec.settings.slope)}


def step(state: GanState, real: Tensor, rng: torch.Generator) -> tuple[GanState, Values]:
    """Updates of D, each divided anew by its spectral norms, then one of G."""
    sizes = wasserstein.sizes_of(state.spec)

    def project(discriminator: nn.Module) -> None:
        assert isinstance(discriminator, ScaledCritic)
        SPECTRAL.project(discriminator.critic, sizes)

    return adversarial.step(log_d_loss, state, real, rng, project)


def finish(state: GanState) -> None:
    """The last division is by proved bounds of the norms."""
    discriminator = state.networks["discriminator"]
    assert isinstance(discriminator, ScaledCritic) and SPECTRAL.at_end is not None
    SPECTRAL.at_end(discriminator.critic)


@torch.no_grad()
def measures(state: GanState, real: Tensor, rng: torch.Generator) -> dict[str, float]:
    """What the discriminator sees, and the largest distance of a layer's spectral norm from 1."""
    layers = linear_layers(state.networks["discriminator"])
    norms = [float(spectral_norm(layer.weight.cpu().double().numpy())) for layer in layers]
    return adversarial.measures(state, real, rng) | {"largest_norm": max(norms), "least_norm": min(norms)}


SPECTRALLY_NORMALISED = GanModel(build, adversarial.rates, step, draw_from_generator, measures, finish)
