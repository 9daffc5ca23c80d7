"""WGAN with any Lipschitz constraint of the critics: max over f of E f(x) - E f(G(z)), min over G."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from otdiv.core.validation import check_choice
from otdiv.gans.models.adversarial import rates
from otdiv.gans.models.base import GanModel, GanSpec, GanState, Values, draw_from_generator
from otdiv.gans.objectives import critic_loss, wasserstein_loss
from otdiv.lipschitz import LipschitzBound
from otdiv.neural.constraint_names import CONSTRAINTS
from otdiv.neural.constraints import CONSTRAINT_BY_NAME, Constraint
from otdiv.neural.minmax import anneal
from otdiv.neural.network_spec import NetworkSizes, NetworkSpec
from otdiv.neural.slopes import between, gradient_norms

MOVING = tuple(name for name in CONSTRAINTS if name != "semi-discrete")
"""Constraints whose network does not hold points of one distribution, which a generator would move away from."""


def constraint_of(state: GanState) -> Constraint:
    """The constraint that the settings name."""
    name = state.settings.constraint or "gradient-penalty"
    return CONSTRAINT_BY_NAME[check_choice("constraint", name, MOVING)]


def sizes_of(spec: GanSpec) -> NetworkSizes:
    """Sizes of the critic's network."""
    settings = spec.settings
    return NetworkSizes(width=settings.width, depth=settings.depth, clip=settings.clip)


def build(spec: GanSpec, rng: torch.Generator) -> dict[str, nn.Module]:
    """Generator and critic; the convolutional critic of images is kept Lipschitz by a penalty only."""
    name = check_choice("constraint", spec.settings.constraint or "gradient-penalty", MOVING)
    generator = spec.generator(spec.settings.noise, rng)
    constraint = CONSTRAINT_BY_NAME[name]
    if spec.convolutional and constraint.penalty is not None:
        return {"generator": generator, "critic": spec.discriminator(rng)}
    points = torch.randn((512, spec.d), generator=rng)  # the training's units: mean 0, variance about 1
    masses = torch.full((512,), 1 / 512, dtype=torch.float64)
    network = constraint.build(NetworkSpec(sizes_of(spec), points, points, masses, None, rng))
    return {"generator": generator, "critic": network}


def step(state: GanState, real: Tensor, rng: torch.Generator) -> tuple[GanState, Values]:
    """Updates of the critic, each projected back onto its constraint, then one of the generator."""
    n, generator, critic = len(real), state.networks["generator"], state.networks["critic"]
    constraint, value, penalty = constraint_of(state), real.new_zeros(()), real.new_zeros(())
    if not state.scheduled:
        anneal(critic, state.share)
    for _ in range(state.settings.critic_steps):
        with torch.no_grad():
            fake = generator(state.noise(n, rng))
        values = critic(torch.cat([real, fake]))
        loss = critic_loss(values[:n], values[n:])
        value = -loss.detach()
        if constraint.penalty is not None:
            norms = gradient_norms(critic, between(real, fake, rng), create_graph=True)
            cost = state.settings.penalty * constraint.penalty(norms).mean()
            penalty = cost.detach()
            loss = loss + cost
        state.minimise("discriminator", loss)
        constraint.project(critic, sizes_of(state.spec))
    state.minimise("generator", wasserstein_loss(critic(generator(state.noise(n, rng)))))
    return state.advanced(), {"critic_value": state.in_data_units(value), "penalty": state.in_data_units(penalty)}


def finish(state: GanState) -> None:
    """The last projection: with it the constant of the critic is proved, where the constraint proves one."""
    constraint, critic = constraint_of(state), state.networks["critic"]
    if constraint.at_end is not None:
        constraint.at_end(critic)
    anneal(critic, 1.0)


@torch.no_grad()
def measures(state: GanState, real: Tensor, rng: torch.Generator) -> dict[str, float]:
    """The critic's value on fresh points, and its proved Lipschitz constant where its layers have one."""
    critic = state.networks["critic"]
    value = -state.spec.unit * float(critic_loss(critic(real), critic(draw_from_generator(state, len(real), rng))))
    bound: LipschitzBound | None = constraint_of(state).bound(critic)
    return {"critic_value": value} | ({} if bound is None else {"lipschitz_bound": bound.value})


WASSERSTEIN = GanModel(
    build,
    lambda settings: {
        name: (tuple("critic" if k == "discriminator" else k for k in moved), rate)
        for name, (moved, rate) in rates(settings).items()
    },
    step,
    draw_from_generator,
    measures,
    finish,
)
