"""Torch modules with known faults, built from an exact potential: weights are set, nothing is trained."""

from __future__ import annotations

import torch
from torch import nn


def linear(d=2, slope=1.0):
    """f(z) = -slope z_0."""
    layer = nn.Linear(d, 1, bias=False)
    with torch.no_grad():
        layer.weight.zero_()[0, 0] = -slope
    return layer


def wide(d=8, slope=1.0):
    """The same as a network of two ReLU units: -slope (relu(z_0) - relu(-z_0))."""
    net = nn.Sequential(nn.Linear(d, 2, bias=False), nn.ReLU(), nn.Linear(2, 1, bias=False))
    with torch.no_grad():
        net[0].weight.zero_()
        net[0].weight[:, 0] = torch.tensor([1.0, -1.0])
        net[2].weight.copy_(slope * torch.tensor([[-1.0, 1.0]]))
    return net


def normalised(factor=1.0):
    """A linear critic behind batch normalisation of unit statistics, in evaluation mode."""
    return nn.Sequential(nn.BatchNorm1d(8, affine=False, eps=0.0), linear(8, factor)).eval()


def pixel(slope=1.0):
    """A convolution of one pixel, its first output kept."""
    net = nn.Sequential(nn.Conv2d(1, 1, 1, bias=False), nn.Flatten(), linear(16, slope))
    with torch.no_grad():
        net[0].weight.fill_(1.0)
    return net


class Made(nn.Module):
    """A module of a layer and a function of its values and points."""

    def __init__(self, made, layer=None):
        super().__init__()
        self.layer, self.made = layer or linear(8), made

    def forward(self, z):
        return self.made(self.layer(z).squeeze(1), z)


def several(form):
    """A critic with more than one output."""
    return Made(lambda s, z: {"tuple": (z, s), "dict": {"features": z, "score": s}, "none": None}[form])


def poisoned():
    """A NaN among the weights."""
    layer = linear(8)
    with torch.no_grad():
        layer.weight[0, 3] = float("nan")
    return layer
