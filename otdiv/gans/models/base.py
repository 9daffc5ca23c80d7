"""What a model is: how its networks are built, one step of its training, and how it draws points."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from otdiv.gans.model_names import GanSettings
from otdiv.gans.networks import (
    IMAGE_SIDE,
    ConvolutionalDiscriminator,
    ConvolutionalGenerator,
    Discriminator,
    Generator,
)
from otdiv.neural.loop import cosine

ADAM = (0.5, 0.9)
"""Decay of Adam's two running means; a smaller first one follows an opponent that moves."""
CONVOLUTIONAL_WIDTH = 32
"""Maps of the widest image layer."""

Values = Mapping[str, Tensor]
"""What a step reports: scalars by name, left on their device so that the step waits for none of them."""


@dataclass(frozen=True)
class GanSpec:
    """What networks are built from.

    Attributes
    ----------
    settings : GanSettings
    d : int
        Dimension of the points.
    shape : tuple of int or None
        (channels, height, width) of images, whose levels lie in [-1, 1].
    device : str
    data_size : int
        Real points behind the batches.
    unit : float
        One unit of the training in the unit of the reported W1.
    """

    settings: GanSettings
    d: int
    shape: tuple[int, int, int] | None
    device: str
    data_size: int
    unit: float

    @property
    def convolutional(self) -> bool:
        """Whether points are images of 28 x 28."""
        return self.shape is not None and self.shape[1:] == (IMAGE_SIDE, IMAGE_SIDE)

    def generator(self, inputs: int, rng: torch.Generator) -> nn.Module:
        """A generator of these points."""
        if self.convolutional:
            assert self.shape is not None
            return ConvolutionalGenerator(inputs, self.shape[0], CONVOLUTIONAL_WIDTH, rng)
        return Generator(inputs, self.d, self.settings.width, self.settings.depth, self.shape is not None, rng)

    def discriminator(self, rng: torch.Generator) -> Discriminator | ConvolutionalDiscriminator:
        """A discriminator of these points, with values [n]."""
        if self.convolutional:
            assert self.shape is not None
            return ConvolutionalDiscriminator(self.shape[0], CONVOLUTIONAL_WIDTH, rng)
        return Discriminator(self.d, self.settings.width, self.settings.depth, rng)


@dataclass(frozen=True, eq=False)
class GanState:
    """Where a training stands; networks and optimizers are changed in place.

    Attributes
    ----------
    spec : GanSpec
    step : int
    networks : ModuleDict
        "generator", and what the model has beside it.
    optimizers : mapping of str to Optimizer
    memory : dict of str to Tensor
        What a model keeps from step to step beside its networks.
    scheduled : bool
        Whether learning rates and temperatures are tensors that are set before the step, instead of numbers that the
        step computes from its share of the schedule.
    """

    spec: GanSpec
    step: int
    networks: nn.ModuleDict
    optimizers: Mapping[str, torch.optim.Optimizer]
    memory: dict[str, Tensor] = field(default_factory=dict)
    scheduled: bool = False

    @property
    def settings(self) -> GanSettings:
        """Of the training."""
        return self.spec.settings

    @property
    def share(self) -> float:
        """Part of the steps that is done."""
        return self.step / self.settings.steps

    def noise(self, n: int, rng: torch.Generator) -> Tensor:
        """z [n, noise], standard normal."""
        return torch.randn((n, self.settings.noise), generator=rng, device=self.spec.device)

    def advanced(self) -> GanState:
        """The state after one more step."""
        return replace(self, step=self.step + 1)

    def own_generators(self) -> dict[str, torch.Generator]:
        """The random generators of optimizers that draw, by the name of the optimizer."""
        own = {name: getattr(optimizer, "generator", None) for name, optimizer in self.optimizers.items()}
        return {name: generator for name, generator in own.items() if generator is not None}

    def in_data_units(self, distance: Tensor) -> Tensor:
        """A distance in units of the training, in float64 in the unit of the reported W1."""
        return self.spec.unit * distance.double()

    def minimise(self, name: str, loss: Tensor, also: tuple[str, ...] = ()) -> Tensor:
        """One step of an optimizer, and of those that share its loss, at the rate of the schedule; the loss before."""
        chosen = [self.optimizers[key] for key in (name, *also)]
        for optimizer in chosen:
            if not self.scheduled:
                for group in optimizer.param_groups:
                    group["lr"] = group["initial_lr"] * cosine(self.share)
            optimizer.zero_grad(set_to_none=True)
        loss.backward()
        for optimizer in chosen:
            optimizer.step()
        return loss.detach()


def adam(groups: Any, rate: float, spec: GanSpec, rng: torch.Generator) -> torch.optim.Optimizer:
    """Adam for networks that play against each other."""
    return torch.optim.Adam(groups, lr=rate, betas=ADAM, fused=True)


@dataclass(frozen=True, eq=False)
class GanModel:
    """One model of the family.

    Attributes
    ----------
    build : callable
        (spec, rng) -> the networks by name.
    rates : mapping
        Name of an optimizer -> (networks that it moves, first rate from the settings).
    step : callable
        (state, real points [n, d], rng) -> (state, values): one update of the generator, with those before it.
    draw : callable
        (state, n, rng) -> points [n, d].
    measures : callable
        (state, real points, rng) -> the model's own measures.
    finish : callable or None
        state -> None, once after the last step.
    batch : callable
        settings -> real points that a step is given.
    optimizer : callable
        (parameter groups, rate, spec, rng) -> optimizer; what it draws follows from rng.
    capturable : bool
        Whether a step consists of work on tensors of the device alone, so that a graphics card can record it once and
        replay it; a step that is not runs one operation after the other on every device.
    """

    build: Callable[[GanSpec, torch.Generator], dict[str, nn.Module]]
    rates: Callable[[GanSettings], dict[str, tuple[tuple[str, ...], float]]]
    step: Callable[[GanState, Tensor, torch.Generator], tuple[GanState, Values]]
    draw: Callable[[GanState, int, torch.Generator], Tensor]
    measures: Callable[[GanState, Tensor, torch.Generator], dict[str, float]]
    finish: Callable[[GanState], None] | None = None
    batch: Callable[[GanSettings], int] = lambda settings: settings.batch
    optimizer: Callable[[Any, float, GanSpec, torch.Generator], torch.optim.Optimizer] = adam
    capturable: bool = True

    def initial(self, spec: GanSpec, rng: torch.Generator) -> GanState:
        """The state before the first step; weights are drawn on the CPU, alike on every device."""
        networks = nn.ModuleDict(self.build(spec, rng)).to(spec.device)
        optimizers = {}
        for name, (moved, rate) in self.rates(spec.settings).items():
            parameters = [p for network in moved for p in networks[network].parameters() if p.requires_grad]
            optimizers[name] = self.optimizer([{"params": parameters, "initial_lr": rate}], rate, spec, rng)
        return GanState(spec, 0, networks, optimizers)


@torch.no_grad()
def draw_from_generator(state: GanState, n: int, rng: torch.Generator) -> Tensor:
    """G(z) for n noises."""
    points: Tensor = state.networks["generator"](state.noise(n, rng))
    return points


def random_order(n: int, rng: torch.Generator) -> Tensor:
    """The numbers 0 to n - 1 in random order; on a graphics card by sorting, which a graph can hold."""
    if rng.device.type == "cuda":
        return torch.rand(n, generator=rng, device=rng.device, dtype=torch.float64).argsort()
    return torch.randperm(n, generator=rng, device=rng.device)


def no_measures(state: GanState, real: Tensor, rng: torch.Generator) -> dict[str, float]:
    """Nothing beyond what all models are measured by."""
    return {}
