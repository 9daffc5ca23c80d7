"""Generators and discriminators: of points, and convolutional ones of 28 x 28 images.

A discriminator gives values [n]; with features, also what a further network (Q) reads.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

IMAGE_SIDE = 28
"""Pixels on a side of the images that convolutional networks are built for."""


class Generator(nn.Module):
    """noise [n, k] -> points [n, d], by hidden layers with ReLU.

    Parameters
    ----------
    k, d : int
        Inputs: noise and codes; outputs.
    width, depth : int
    bounded : bool
        Whether outputs lie in [-1, 1], as the levels of images do.
    generator : torch.Generator
        For the weights.
    """

    def __init__(self, k: int, d: int, width: int, depth: int, bounded: bool, generator: torch.Generator) -> None:
        super().__init__()
        self.body = stack([k, *[width] * depth, d], nn.ReLU, generator)
        self.bounded = bounded

    def forward(self, z: Tensor) -> Tensor:
        points = self.body(z)
        return torch.tanh(points) if self.bounded else points


class ConvolutionalGenerator(nn.Module):
    """noise [n, k] -> images [n, channels * 28 * 28] in [-1, 1]: 7 x 7, 14 x 14, 28 x 28.

    Parameters
    ----------
    k, channels, width : int
        ``width`` maps at 14 x 14, twice as many at 7 x 7.
    generator : torch.Generator
    """

    def __init__(self, k: int, channels: int, width: int, generator: torch.Generator) -> None:
        super().__init__()
        self.width = width
        self.first = nn.utils.skip_init(nn.Linear, k, 2 * width * 49)
        self.body = nn.Sequential(
            nn.ReLU(),
            nn.utils.skip_init(nn.ConvTranspose2d, 2 * width, width, 4, 2, 1),
            nn.ReLU(),
            nn.utils.skip_init(nn.ConvTranspose2d, width, channels, 4, 2, 1),
            nn.Tanh(),
        )
        initialize(self, generator)

    def forward(self, z: Tensor) -> Tensor:
        maps = self.first(z).view(len(z), 2 * self.width, 7, 7)
        return self.body(maps).flatten(1)


class Discriminator(nn.Module):
    """points [n, d] -> values [n], by hidden layers with leaky ReLU.

    Parameters
    ----------
    d, width, depth : int
    generator : torch.Generator
    """

    def __init__(self, d: int, width: int, depth: int, generator: torch.Generator) -> None:
        super().__init__()
        self.features = nn.Sequential(stack([d, *[width] * depth], leaky, generator), leaky())
        self.head = stack([width, 1], leaky, generator)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x)).squeeze(1)


class ConvolutionalDiscriminator(nn.Module):
    """images [n, channels * 28 * 28] -> values [n].

    Parameters
    ----------
    channels, width : int
    generator : torch.Generator
    """

    def __init__(self, channels: int, width: int, generator: torch.Generator) -> None:
        super().__init__()
        self.channels = channels
        self.features = nn.Sequential(
            nn.Unflatten(1, (channels, IMAGE_SIDE, IMAGE_SIDE)),
            nn.utils.skip_init(nn.Conv2d, channels, width, 4, 2, 1),
            leaky(),
            nn.utils.skip_init(nn.Conv2d, width, 2 * width, 4, 2, 1),
            leaky(),
            nn.Flatten(),
        )
        self.head = nn.utils.skip_init(nn.Linear, 2 * width * 49, 1)
        initialize(self, generator)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x)).squeeze(1)


def leaky() -> nn.LeakyReLU:
    """The activation of discriminators: slope 1, and 0.2 below 0."""
    return nn.LeakyReLU(0.2)


def stack(sizes: list[int], activation: type[nn.Module] | object, generator: torch.Generator) -> nn.Sequential:
    """Linear layers of these sizes with an activation between them."""
    make = activation if callable(activation) else nn.ReLU
    layers: list[nn.Module] = []
    for k, (p, q) in enumerate(zip(sizes, sizes[1:], strict=False)):
        if k:
            layers.append(make())
        layers.append(nn.utils.skip_init(nn.Linear, p, q))
    body = nn.Sequential(*layers)
    initialize(body, generator)
    return body


@torch.no_grad()
def initialize(module: nn.Module, generator: torch.Generator) -> None:
    """Weights uniform of variance 1 / (3 inputs), as torch's own, drawn from a generator of ours."""
    for layer in module.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            weight = layer.weight
            inputs = weight[0].numel() if not isinstance(layer, nn.ConvTranspose2d) else weight[:, 0].numel()
            assert layer.bias is not None
            for parameter in (weight, layer.bias):
                drawn = torch.rand(parameter.shape, generator=generator)
                parameter.copy_((2 * drawn - 1) * inputs**-0.5)
