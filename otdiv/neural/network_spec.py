"""What the network of a critic is built from."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Setting:
    """What a network is built from.

    Attributes
    ----------
    x, y : Tensor [n, d], [m, d]
        Points of the two laws, in the units of the training.
    b : Tensor [m]
        Weights of y.
    width, depth : int
        Of a network of layers.
    groups, pieces : int
        Of a min-max network with a random start.
    potential : (Tensor [k, d], Tensor [k]) or None
        Atoms and dual potential of a sample: the other start of a min-max network.
    activation : str
    clip : float
        Largest weight under "clipping".
    generator : torch.Generator
    """

    x: Tensor
    y: Tensor
    b: Tensor
    width: int
    depth: int
    groups: int
    pieces: int
    potential: tuple[Tensor, Tensor] | None
    activation: str
    clip: float
    generator: torch.Generator

    @property
    def d(self) -> int:
        """Dimension of the points."""
        return self.x.shape[1]
