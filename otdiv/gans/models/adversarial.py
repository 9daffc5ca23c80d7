"""The traditional GAN: D and G play L(D, G) = E log D(x) + E log(1 - D(G(z)))."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from otdiv.gans.model_names import GanSettings
from otdiv.gans.models.base import GanModel, GanSpec, GanState, Values, draw_from_generator
from otdiv.gans.objectives import discriminator_loss, log_d_loss, minimax_loss
from otdiv.neural.slopes import gradient_norms


def build(spec: GanSpec, rng: torch.Generator) -> dict[str, nn.Module]:
    """Generator and discriminator."""
    return {"generator": spec.generator(spec.settings.noise, rng), "discriminator": spec.discriminator(rng)}


def rates(settings: GanSettings) -> dict[str, tuple[tuple[str, ...], float]]:
    """One optimizer for each player."""
    return {
        "discriminator": (("discriminator",), settings.critic_rate),
        "generator": (("generator",), settings.rate),
    }


def flatness_penalty(state: GanState, real: Tensor) -> Tensor:
    """flatness E |grad logit|^2 at real points, 0 where the settings leave it out.

    L. Mescheder, A. Geiger and S. Nowozin, Which training methods for GANs do actually converge?, ICML 2018.
    """
    weight = state.settings.flatness
    if weight == 0.0:
        return real.new_zeros(())
    return weight * gradient_norms(state.networks["discriminator"], real, create_graph=True).square().mean()


def update_discriminator(state: GanState, real: Tensor, fake: Tensor) -> Tensor:
    """One step of D on real and generated points; the GAN objective before it, without the penalty of its slope."""
    n, discriminator = len(real), state.networks["discriminator"]
    logits = discriminator(torch.cat([real, fake]))
    loss = discriminator_loss(logits[:n], logits[n:])
    objective = -loss.detach()
    state.minimise("discriminator", loss + flatness_penalty(state, real))
    return objective


def step(
    generator_loss: Callable[[Tensor], Tensor],
    state: GanState,
    real: Tensor,
    rng: torch.Generator,
    project: Callable[[nn.Module], None] | None = None,
) -> tuple[GanState, Values]:
    """Updates of D, each projected back onto its constraint where it has one, then one of G."""
    n, (generator, discriminator) = len(real), (state.networks[k] for k in ("generator", "discriminator"))
    objective = real.new_zeros(())
    for _ in range(state.settings.critic_steps):
        with torch.no_grad():
            fake = generator(state.noise(n, rng))
        objective = update_discriminator(state, real, fake)
        if project is not None:
            project(discriminator)
    loss = state.minimise("generator", generator_loss(discriminator(generator(state.noise(n, rng)))))
    return state.advanced(), {"objective": objective, "generator_loss": loss}


@torch.no_grad()
def measures(state: GanState, real: Tensor, rng: torch.Generator) -> dict[str, float]:
    """JS that the discriminator sees: (L(D, G) + 2 log 2) / 2, a lower bound of the true one in expectation."""
    discriminator, fake = state.networks["discriminator"], draw_from_generator(state, len(real), rng)
    loss = float(discriminator_loss(discriminator(real), discriminator(fake)))
    return {"discriminator_js": float((2 * torch.log(torch.tensor(2.0)) - loss) / 2)}


MINIMAX = GanModel(build, rates, partial(step, minimax_loss), draw_from_generator, measures)
LOG_D = GanModel(build, rates, partial(step, log_d_loss), draw_from_generator, measures)
