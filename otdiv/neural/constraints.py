"""How a critic is kept Lipschitz: named strategies, and what each of them certifies.

A strategy builds a network, may add a penalty to the loss, may repair the weights after each step
and at the end, and says which upper bound of the Lipschitz constant then holds, if any.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from otdiv.lipschitz import LipschitzBound, matrix_norm, network_constant, spectrally_normalised
from otdiv.neural.minmax import MinMaxNetwork, SemiDiscreteNetwork
from otdiv.neural.mlp import MLP, OrthonormalNetwork, bjorck, linear_layers, polar
from otdiv.neural.network_spec import Setting

ATOMS = 4096
"""Most atoms of a semi-discrete potential."""


@dataclass(frozen=True, eq=False)
class Constraint:
    """One strategy.

    Attributes
    ----------
    name : str
    says : str
        What it guarantees, in one sentence.
    build : callable
        Setting -> module.
    rate : float
        First learning rate of Adam.
    penalty : callable or None
        Gradient norms [k] -> penalties [k].
    after_step, at_end : callable or None
        Repairs of the module's weights; the first is given the setting too.
    bound : callable
        module -> LipschitzBound, or None where nothing is certified.
    oriented : bool
        Whether exchanging the two laws gives another family of functions.
    starts : tuple of str
        "random", and "exact" where the network can start from the exact potential of a sample.
    """

    name: str
    says: str
    build: Callable[[Setting], nn.Module]
    rate: float
    bound: Callable[[nn.Module], LipschitzBound | None]
    penalty: Callable[[Tensor], Tensor] | None = None
    after_step: Callable[[nn.Module, Setting], None] | None = None
    at_end: Callable[[nn.Module], None] | None = None
    oriented: bool = False
    starts: tuple[str, ...] = ("random",)

    @property
    def certified(self) -> bool:
        """Whether the value divided by the bound is proved to be at most W1 (layers' norms; by construction)."""
        return self.penalty is None


def two_sided(norms: Tensor) -> Tensor:
    """(|grad f| - 1)^2, as on the lecture's slide: it also punishes slopes below 1."""
    return (norms - 1) ** 2


def one_sided(norms: Tensor) -> Tensor:
    """max(0, |grad f| - 1)^2: a slope below 1 is allowed, as it is for a 1-Lipschitz function."""
    return torch.relu(norms - 1) ** 2


def norm_product(module: nn.Module) -> LipschitzBound | None:
    """Product of the layers' proved spectral norms; None where the network is not one that is known."""
    if not isinstance(module, MLP | OrthonormalNetwork):
        return None
    weights = [layer.weight.detach().cpu().double().numpy() for layer in linear_layers(module)]
    bend = module.activation if isinstance(module, MLP) else "relu"  # MaxMin permutes: slope 1 as well
    return network_constant(weights, bend)


def _by_construction(module: nn.Module) -> LipschitzBound:
    return LipschitzBound(1.0, "upper", "minimum and maximum of functions of slope 1")


def _mlp(s: Setting) -> nn.Module:
    return MLP(s.d, s.width, s.depth, s.activation, s.generator)


def _spectral_mlp(s: Setting) -> nn.Module:
    module = _mlp(s)
    for layer in linear_layers(module):  # the running left vector of the power iteration
        layer.register_buffer("left", torch.randn(layer.out_features, generator=s.generator))
        for _ in range(20):
            _divide_by_spectral_norm(layer)
    return module


@torch.no_grad()
def _divide_by_spectral_norm(layer: nn.Linear) -> None:
    W, left = layer.weight, layer.left
    assert isinstance(left, Tensor)
    right = W.T @ left
    right = right / right.norm().clamp_min(1e-12)
    pushed = W @ right
    left.copy_(pushed / pushed.norm().clamp_min(1e-12))
    W.div_(pushed.norm().clamp_min(1e-12))


def _spectral_step(module: nn.Module, s: Setting) -> None:
    for layer in linear_layers(module):
        _divide_by_spectral_norm(layer)


@torch.no_grad()
def _spectral_end(module: nn.Module) -> None:
    """Power iteration comes from below, so the last division is by a proved bound."""
    for layer in linear_layers(module):
        layer.weight.copy_(torch.from_numpy(spectrally_normalised(layer.weight.cpu().double().numpy())))


@torch.no_grad()
def _clip(module: nn.Module, s: Setting) -> None:
    for parameter in module.parameters():
        parameter.clamp_(-s.clip, s.clip)


@torch.no_grad()
def _frobenius(module: nn.Module, s: Setting | None = None) -> None:
    for layer in linear_layers(module):
        layer.weight.div_(matrix_norm(layer.weight.cpu().double().numpy(), "fro").value)


@torch.no_grad()
def _retract(module: nn.Module, s: Setting) -> None:
    for layer in linear_layers(module):
        layer.weight.copy_(bjorck(layer.weight))


@torch.no_grad()
def _orthonormal_end(module: nn.Module) -> None:
    for layer in linear_layers(module):
        layer.weight.copy_(polar(layer.weight))


def _min_max(s: Setting) -> nn.Module:
    if s.potential is not None:
        return MinMaxNetwork.of_potential(*s.potential)
    return MinMaxNetwork.drawn(torch.cat([s.x, s.y]), s.groups, s.pieces, s.generator)


def _semi_discrete(s: Setting) -> nn.Module:
    return SemiDiscreteNetwork(s.y[:ATOMS], s.b[:ATOMS] / s.b[:ATOMS].sum())


_ALL = (
    Constraint(
        "clipping",
        "weights in [-c, c]: the constant is some K, not 1; divided by the product of the layers' norms it is proved",
        _mlp,
        1e-3,
        norm_product,
        after_step=_clip,
        at_end=None,
    ),
    Constraint(
        "gradient-penalty",
        "|grad f| near 1 on segments between the laws: biased upwards by W / (2 lambda), proves nothing by itself",
        _mlp,
        5e-3,
        norm_product,
        penalty=two_sided,
    ),
    Constraint(
        "one-sided-penalty",
        "|grad f| rarely above 1 on segments between the laws: same bias, proves nothing by itself",
        _mlp,
        5e-3,
        norm_product,
        penalty=one_sided,
    ),
    Constraint(
        "spectral",
        "each layer divided by its spectral norm: proved, but ReLU layers lose much of the slope",
        _spectral_mlp,
        1e-2,
        norm_product,
        after_step=_spectral_step,
        at_end=_spectral_end,
    ),
    Constraint(
        "frobenius",
        "each layer divided by its Frobenius norm, an upper bound of the spectral one: proved and looser still",
        _mlp,
        1e-2,
        norm_product,
        after_step=_frobenius,
        at_end=_frobenius,
    ),
    Constraint(
        "orthonormal",
        "orthonormal layers and MaxMin: proved 1-Lipschitz, and no layer loses slope",
        lambda s: OrthonormalNetwork(s.d, s.width, s.depth, s.generator),
        5e-3,
        norm_product,
        after_step=_retract,
        at_end=_orthonormal_end,
    ),
    Constraint(
        "min-max",
        "max of min of pieces of slope 1: 1-Lipschitz by construction, every value a lower bound",
        _min_max,
        0.05,
        _by_construction,
        oriented=True,
        starts=("exact", "random"),
    ),
    Constraint(
        "semi-discrete",
        "min_j |z - y_j| - g_j: 1-Lipschitz by construction, and the dual program itself for fixed points",
        _semi_discrete,
        0.05,
        _by_construction,
        oriented=True,
    ),
)

CONSTRAINTS: dict[str, Constraint] = {constraint.name: constraint for constraint in _ALL}
"""Every strategy by name."""


def constraint_names() -> tuple[str, ...]:
    """The names, and "auto"."""
    return ("auto", *CONSTRAINTS)


def describe() -> dict[str, Any]:
    """What each strategy guarantees."""
    return {name: constraint.says for name, constraint in CONSTRAINTS.items()}
