"""How to build the network of a critic again: kept beside its weights in a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from otdiv.neural.constraints import CONSTRAINT_BY_NAME
from otdiv.neural.network_spec import NetworkSizes, NetworkSpec


@dataclass(frozen=True)
class Initialization:
    """The sign with which a critic is trained, and its first weights.

    Attributes
    ----------
    sign : {1.0, -1.0}
        Of the value that is maximised.
    kind : str
        "random"; "exact", the exact potential of a sample; or "contracted", cones around the mean.
    """

    sign: float
    kind: str


@dataclass(frozen=True)
class Architecture:
    """How to build the network of a critic again, before its weights are loaded.

    Attributes
    ----------
    sizes : NetworkSizes
    d : int
        Dimension of the points.
    scale : float
        Of its :class:`Standardizer`.
    initialization : Initialization
    atoms : int
        Centres of a network of minima; 0 for networks of layers.
    """

    sizes: NetworkSizes
    d: int
    scale: float
    initialization: Initialization
    atoms: int

    def build(self, constraint: str) -> nn.Module:
        """The network, its weights still to be loaded."""
        blank = torch.zeros((max(1, self.atoms), self.d))
        potential = (blank, torch.zeros(len(blank))) if self.initialization.kind != "random" else None
        generator = torch.Generator().manual_seed(0)
        spec = NetworkSpec(self.sizes, blank, blank, torch.ones(len(blank)), potential, generator)
        return CONSTRAINT_BY_NAME[constraint].build(spec)

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        sizes = {name: getattr(self.sizes, name) for name in ("width", "depth", "groups", "pieces", "activation")}
        start = {"sign": self.initialization.sign, "start": self.initialization.kind}
        return {**sizes, "d": self.d, "spread": self.scale, **start, "atoms": self.atoms}

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Architecture:
        """From what :meth:`to_dict` made."""
        sizes = NetworkSizes(**{name: record[name] for name in ("width", "depth", "groups", "pieces", "activation")})
        initialization = Initialization(record["sign"], record["start"])
        return cls(sizes, record["d"], record["spread"], initialization, record["atoms"])

    def require_size(self, weights: int) -> None:
        """Refuse sizes, as a file claims them, of a network that holds far more than these weights.

        Raises
        ------
        ValueError
        """
        width = 1 if self.sizes.width is None else self.sizes.width
        sizes = [self.d, width, self.sizes.depth, self.sizes.groups, self.sizes.pieces, self.atoms + 1]
        if not all(type(size) is int and 1 <= size <= weights + 1000 for size in sizes):
            raise ValueError("sizes that are none, or beyond the weights")
        layers = width**2 * max(self.sizes.depth - 1, 0) if not self.atoms else self.atoms * self.d
        if layers > 8 * weights + 10**6:
            raise ValueError("a network larger than its weights")
