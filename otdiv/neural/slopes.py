"""Slopes |grad f| of a network, and the points between two clouds at which a gradient penalty takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from otdiv.neural.batches import SignedSample, rows_by_weight


def draw_between(sample: SignedSample, generator: torch.Generator) -> Tensor:
    """Points t x + (1 - t) y, one uniform t for each independent pair drawn by weight."""
    count = max(len(sample.x), len(sample.y))
    ends = []
    for points, weights in ((sample.x, sample.a), (sample.y, sample.b)):
        ends.append(points[rows_by_weight(weights.cpu().cumsum(0), count, generator).to(points.device)])
    t = torch.rand((count, 1), generator=generator).to(ends[0])
    return t * ends[0] + (1 - t) * ends[1]


def between(x: Tensor, y: Tensor, generator: torch.Generator) -> Tensor:
    """t x_i + (1 - t) y_i for two independent batches [n, d] of one size, a uniform t for each pair."""
    t = torch.rand((len(x), 1), generator=generator, device=x.device)
    return torch.lerp(y, x, t)


def gradient_norms(module: Callable[[Tensor], Tensor], z: Tensor, *, create_graph: bool = False) -> Tensor:
    """|grad h| at each of the points [..., d]; the root is kept away from 0, where it has no derivative."""
    z = z.detach().requires_grad_(True)
    (gradients,) = torch.autograd.grad(module(z).sum(), z, create_graph=create_graph)
    return (gradients.square().sum(dim=-1) + 1e-24).sqrt()


@contextmanager
def gradients_enabled() -> Iterator[None]:
    """Inside this context gradients are computed, whatever the caller's context: no_grad, or inference_mode."""
    with torch.inference_mode(False), torch.enable_grad():
        yield
