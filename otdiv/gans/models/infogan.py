"""InfoGAN: min over G and Q, max over D of V(D, G) - lambda L_I(G, Q), for one categorical code c.

The entropy H(c) = log k is that of the code's uniform prior, not of a one-hot vector.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from otdiv.gans.model_names import GanSettings
from otdiv.gans.models import adversarial
from otdiv.gans.models.base import GanModel, GanSpec, GanState, Values
from otdiv.gans.networks import leaky, stack
from otdiv.gans.objectives import information_bound, log_d_loss


def build(spec: GanSpec, rng: torch.Generator) -> dict[str, nn.Module]:
    """G(z, c), D(x) and Q(c | x)."""
    settings = spec.settings
    return {
        "generator": spec.generator(settings.noise + settings.codes, rng),
        "discriminator": spec.discriminator(rng),
        "recogniser": stack([spec.d, *[settings.width] * settings.depth, settings.codes], leaky, rng),
    }


def rates(settings: GanSettings) -> dict[str, tuple[tuple[str, ...], float]]:
    """One optimizer for each network."""
    return adversarial.rates(settings) | {"recogniser": (("recogniser",), settings.critic_rate)}


def draw_codes(state: GanState, n: int, rng: torch.Generator) -> Tensor:
    """Codes [n], uniform on 0 to k - 1."""
    return torch.randint(state.settings.codes, (n,), generator=rng, device=state.spec.device)


def generate(state: GanState, noise: Tensor, codes: Tensor) -> Tensor:
    """G(z, c) [n, d]."""
    one_hot = (codes[:, None] == torch.arange(state.settings.codes, device=codes.device)).to(noise.dtype)
    points: Tensor = state.networks["generator"](torch.cat([noise, one_hot], dim=1))
    return points


def log_q(state: GanState, points: Tensor, codes: Tensor) -> Tensor:
    """log Q(c | x) [n]."""
    scores = F.log_softmax(state.networks["recogniser"](points), dim=1)
    return scores.gather(1, codes[:, None]).squeeze(1)


def step(state: GanState, real: Tensor, rng: torch.Generator) -> tuple[GanState, Values]:
    """Updates of D, then of G and Q together; with weight 0 Q learns alone, from points held fixed."""
    n, settings, discriminator = len(real), state.settings, state.networks["discriminator"]
    objective = real.new_zeros(())
    for _ in range(settings.critic_steps):
        with torch.no_grad():
            fake = generate(state, state.noise(n, rng), draw_codes(state, n, rng))
        objective = adversarial.update_discriminator(state, real, fake)
    codes = draw_codes(state, n, rng)
    fake = generate(state, state.noise(n, rng), codes)
    control = settings.information == 0.0
    bound = information_bound(log_q(state, fake.detach() if control else fake, codes), math.log(settings.codes))
    loss = log_d_loss(discriminator(fake)) - (1.0 if control else settings.information) * bound
    state.minimise("generator", loss, also=("recogniser",))
    return state.advanced(), {"objective": objective, "information_bound": bound.detach()}


@torch.no_grad()
def draw(state: GanState, n: int, rng: torch.Generator) -> Tensor:
    """G(z, c) for n noises and codes."""
    return generate(state, state.noise(n, rng), draw_codes(state, n, rng))


@torch.no_grad()
def measures(state: GanState, real: Tensor, rng: torch.Generator) -> dict[str, float]:
    """L_I on fresh points with its standard error, beside its ceiling H(c)."""
    codes = draw_codes(state, len(real), rng)
    scores = log_q(state, generate(state, state.noise(len(real), rng), codes), codes).double()
    entropy = math.log(state.settings.codes)
    return {
        "information_bound": float(scores.mean()) + entropy,
        "information_bound_error": float(scores.std() / math.sqrt(len(scores))),
        "code_entropy": entropy,
    }


INFOGAN = GanModel(build, rates, step, draw, measures)
