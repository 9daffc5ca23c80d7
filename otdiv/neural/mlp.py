"""Networks of layers that serve as critics: plain, and orthonormal.

Each maps points [n, d] to values [n].
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from otdiv.core.validation import invalid

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "softplus": nn.Softplus, "tanh": nn.Tanh, "elu": nn.ELU}
"""Activations by name; each has slope at most 1."""


class MLP(nn.Module):
    """Plain feed-forward network: ``depth`` hidden layers of ``width`` units, then one output.

    Parameters
    ----------
    d : int
        Dimension of the points.
    width, depth : int
    activation : str
        One of :data:`ACTIVATIONS`; each has slope at most 1.
    generator : torch.Generator
        For the weights.
    """

    def __init__(self, d: int, width: int, depth: int, activation: str, generator: torch.Generator) -> None:
        super().__init__()
        self.activation_name = activation
        sizes = [d, *[width] * depth, 1]
        self.layers = _unfilled_layers(sizes)
        self.activation = ACTIVATIONS[activation]()
        for layer in linear_layers(self):
            size = layer.in_features**-0.5
            for parameter in (layer.weight, layer.bias):
                _fill(parameter, 2 * size * torch.rand(parameter.shape, generator=generator) - size)
            layer.weight.data.mul_(3**0.5)  # variance 1 / n_in

    def forward(self, z: Tensor) -> Tensor:
        *hidden, last = self.layers
        for layer in hidden:
            z = self.activation(layer(z))
        return last(z).squeeze(1)


class OrthonormalNetwork(nn.Module):
    """Orthonormal layers with MaxMin (GroupSort of pairs) between them: every layer keeps the norm of gradients.

    Rows or columns, whichever are fewer, are orthonormal; so each layer has spectral norm 1 and, as
    MaxMin only permutes, the network is 1-Lipschitz (Anil, Lucas, Grosse, ICML 2019).
    """

    def __init__(self, d: int, width: int, depth: int, generator: torch.Generator) -> None:
        super().__init__()
        sizes = [d, *[width + width % 2] * depth, 1]
        self.layers = _unfilled_layers(sizes)
        for layer in linear_layers(self):
            _fill(layer.weight, polar(torch.randn(layer.weight.shape, generator=generator)))
            _fill(layer.bias, 0.5 * torch.randn(layer.bias.shape, generator=generator))

    def forward(self, z: Tensor) -> Tensor:
        *hidden, last = self.layers
        for layer in hidden:
            z = max_min(layer(z))
        return last(z).squeeze(1)


def max_min(z: Tensor) -> Tensor:
    """Sort each pair of neighbouring units: a permutation, so it keeps every norm."""
    pairs = z.view(len(z), -1, 2)
    return torch.stack((pairs.max(dim=2).values, pairs.min(dim=2).values), dim=2).view(len(z), -1)


def polar(W: Tensor) -> Tensor:
    """The nearest matrix with orthonormal rows or columns: U V' of W = U S V', in float64."""
    left, _, right = torch.linalg.svd(W.double(), full_matrices=False)
    return (left @ right).to(W.dtype)


def bjorck(W: Tensor, steps: int = 2) -> Tensor:
    """Björck's retraction towards :func:`polar`: W <- W (3 I - W'W) / 2, on the shorter side."""
    if W.shape[-2] < W.shape[-1]:
        return bjorck(W.mT, steps).mT
    for _ in range(steps):
        W = 1.5 * W - 0.5 * W @ (W.mT @ W)
    return W


def linear_layers(module: nn.Module) -> list[nn.Linear]:
    """The linear layers, in order."""
    return [layer for layer in module.modules() if isinstance(layer, nn.Linear)]


def refuse_batch_norm(module: nn.Module) -> None:
    """Refuse batch norm: it makes a critic a function of the whole batch instead of one point.

    Raises
    ------
    InvalidInput
        Naming the layer.
    """
    for name, layer in module.named_modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            raise invalid(
                "network",
                "be a function of one point",
                f"batch norm in layer {name or '0'!r}",
                "Leave batch norm out of a critic, or use LayerNorm: with it f(x) depends on the other points.",
            )


def _unfilled_layers(sizes: list[int]) -> nn.ModuleList:
    """Linear layers whose weights are still to be filled; torch's own filling would move its global generator."""
    pairs = zip(sizes, sizes[1:], strict=False)
    return nn.ModuleList(torch.nn.utils.skip_init(nn.Linear, p, q) for p, q in pairs)


def _fill(parameter: Tensor, values: Tensor) -> None:
    with torch.no_grad():
        parameter.copy_(values)
