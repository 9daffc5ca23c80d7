"""What a network is built from: its sizes, and the data that initialize it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from otdiv.core.validation import check_choice, invalid
from otdiv.neural.minmax import COOLING
from otdiv.neural.mlp import ACTIVATIONS


@dataclass(frozen=True)
class NetworkSizes:
    """Sizes of a network; each constraint uses those that belong to its kind of network.

    Attributes
    ----------
    width : int, optional
        Units of a hidden layer; None is max(128, 2 d).
    depth : int
        Hidden layers.
    groups, pieces : int
        Of a min-max network: ``groups`` groups of ``pieces`` pieces, or one group of groups * pieces cones.
    activation : str
        One of :data:`otdiv.neural.mlp.ACTIVATIONS`.
    clip : float
        Largest absolute weight under "clipping".
    """

    width: int | None = None
    depth: int = 3
    groups: int = 16
    pieces: int = 32
    activation: str = "relu"
    clip: float = 0.05

    def __post_init__(self) -> None:
        check_choice("activation", self.activation, tuple(ACTIVATIONS))
        for name in ("depth", "groups", "width"):
            require_positive_integer(name, getattr(self, name))
        if not (isinstance(self.pieces, int) and self.pieces >= 4):
            raise invalid("pieces", "be an integer from 4", repr(self.pieces), "Two cones and two planes at least.")
        require_positive("clip", self.clip)

    def width_for(self, d: int) -> int:
        """Units of a hidden layer of a network on points of dimension d."""
        return self.width or max(2 * d, 128)


@dataclass(frozen=True, eq=False)
class NetworkSpec:
    """Sizes of a network, and the data that initialize it.

    Attributes
    ----------
    sizes : NetworkSizes
    x, y : Tensor [n, d], [m, d]
        Points of the two distributions, in units of the training.
    b : Tensor [m]
        Weights of y.
    potential : (Tensor [k, d], Tensor [k]) or None
        Atoms and dual potential of a sample, from which a min-max network can start.
    generator : torch.Generator
        For random weights.
    cooling : (float, float)
        The temperatures between which such a start is trained.
    """

    sizes: NetworkSizes
    x: Tensor
    y: Tensor
    b: Tensor
    potential: tuple[Tensor, Tensor] | None
    generator: torch.Generator
    cooling: tuple[float, float] = COOLING

    @property
    def d(self) -> int:
        """Dimension of the points."""
        return self.x.shape[1]


def require_positive_integer(name: str, value: object) -> None:
    """Refuse anything but None and integers from 1.

    Raises
    ------
    InvalidInput
    """
    if value is not None and not (isinstance(value, int | np.integer) and value >= 1):
        raise invalid(name, "be a positive integer", repr(value), "Leave it out for the default.")


def require_positive(name: str, value: float | None) -> None:
    """Refuse anything but None and finite numbers above 0.

    Raises
    ------
    InvalidInput
    """
    if value is not None and not 0 < value < np.inf:
        raise invalid(name, "be a positive number", repr(value), "Leave it out for the default.")
