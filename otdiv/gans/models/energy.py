"""Maximum-entropy generator for an energy U: U low on data, G of low energy and high entropy.

H(G(z)) of a deterministic generator moves with I(G(z); z), for which a statistic T(x, z) gives a lower bound.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from otdiv.gans.model_names import GanSettings
from otdiv.gans.models.base import GanModel, GanSpec, GanState, Values, draw_from_generator, random_order
from otdiv.gans.networks import Discriminator
from otdiv.gans.objectives import energy_loss, entropic_generator_loss, shared_information
from otdiv.neural.slopes import gradient_norms
from otdiv.sample_quality import energy_auroc


class PairStatistic(nn.Module):
    """T(x, z) [n] of points [n, d] and noises [n, k].

    Parameters
    ----------
    d, k, width, depth : int
    generator : torch.Generator
    """

    def __init__(self, d: int, k: int, width: int, depth: int, generator: torch.Generator) -> None:
        super().__init__()
        self.body = Discriminator(d + k, width, depth, generator)

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        values: Tensor = self.body(torch.cat([x, z], dim=1))
        return values


def build(spec: GanSpec, rng: torch.Generator) -> dict[str, nn.Module]:
    """Generator, energy, and the statistic that bounds the generator's entropy."""
    settings = spec.settings
    return {
        "generator": spec.generator(settings.noise, rng),
        "energy": spec.discriminator(rng),
        "statistic": PairStatistic(spec.d, settings.noise, settings.width, settings.depth, rng),
    }


def rates(settings: GanSettings) -> dict[str, tuple[tuple[str, ...], float]]:
    """The statistic rises with the generator: both maximise the bound."""
    return {
        "energy": (("energy",), settings.critic_rate),
        "generator": (("generator",), settings.rate),
        "statistic": (("statistic",), settings.critic_rate),
    }


def step(state: GanState, real: Tensor, rng: torch.Generator) -> tuple[GanState, Values]:
    """Updates of the energy, then one of generator and statistic."""
    n, settings = len(real), state.settings
    generator, energy, statistic = (state.networks[name] for name in ("generator", "energy", "statistic"))
    value = real.new_zeros(())
    for _ in range(settings.critic_steps):
        with torch.no_grad():
            fake = generator(state.noise(n, rng))
        norms = gradient_norms(energy, real, create_graph=True)
        energies = energy(torch.cat([real, fake]))
        value = state.minimise("energy", energy_loss(energies[:n], energies[n:], norms, settings.penalty))
    noise = state.noise(n, rng)
    fake = generator(noise)
    others = noise[random_order(n, rng)]
    entropy = shared_information(statistic(fake, noise), statistic(fake, others))
    loss = entropic_generator_loss(energy(fake), entropy, settings.entropy)
    state.minimise("generator", loss, also=("statistic",))
    return state.advanced(), {"energy_loss": value, "entropy_bound": entropy.detach()}


def measures(state: GanState, real: Tensor, rng: torch.Generator) -> dict[str, float]:
    """How well the energy separates data from uniform points of their box: AUROC, 1/2 for none, 1 for all."""
    low, high = real.min(dim=0).values, real.max(dim=0).values
    uniform = low + (high - low) * torch.rand(real.shape, generator=rng, device=real.device)
    with torch.no_grad():
        energies = [state.networks["energy"](points).double().cpu().numpy() for points in (real, uniform)]
    found = energy_auroc(*energies)
    return {"energy_auroc": float(found.value), "energy_auroc_error": float(found.standard_error)}


MAXIMUM_ENTROPY = GanModel(build, rates, step, draw_from_generator, measures)
