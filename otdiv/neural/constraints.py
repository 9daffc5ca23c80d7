"""Lipschitz constraints of a network, by name, and the Lipschitz bound that each of them certifies.

A constraint builds a network, may add a penalty to the loss, may project the weights after each step
and at the end, and computes the upper bound of the Lipschitz constant that then holds, if any.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from otdiv.lipschitz import LipschitzBound, matrix_norm, network_constant, spectrally_normalised
from otdiv.neural.constraint_names import GUARANTEES, PENALTIES
from otdiv.neural.minmax import MinMaxNetwork, SemiDiscreteNetwork
from otdiv.neural.mlp import MLP, OrthonormalNetwork, bjorck, linear_layers, polar
from otdiv.neural.network_spec import NetworkSizes, NetworkSpec

ATOMS = 4096
"""Most atoms of a semi-discrete potential; more of them lower its error and cost time in proportion."""


@dataclass(frozen=True, eq=False, repr=False)
class Constraint:
    """One Lipschitz constraint.

    Attributes
    ----------
    name : str
        One of :data:`otdiv.neural.constraint_names.CONSTRAINTS`.
    build : callable
        NetworkSpec -> module.
    rate : float
        First learning rate of Adam.
    penalty : callable or None
        Gradient norms [k] -> penalties [k].
    after_step, at_end : callable or None
        Projections of the module's weights; the first is given the sizes too.
    bound : callable
        module -> LipschitzBound, or None where nothing is certified.
    oriented : bool
        Whether exchanging the two distributions gives another family of functions.
    initializations : tuple of str
        "random", and "exact" where the network can start from the exact potential of a sample.
    """

    name: str
    build: Callable[[NetworkSpec], nn.Module]
    rate: float
    bound: Callable[[nn.Module], LipschitzBound | None]
    penalty: Callable[[Tensor], Tensor] | None = None
    after_step: Callable[[nn.Module, NetworkSizes], None] | None = None
    at_end: Callable[[nn.Module], None] | None = None
    oriented: bool = False
    initializations: tuple[str, ...] = ("random",)

    @property
    def guarantee(self) -> str:
        """What it guarantees, in one sentence."""
        return GUARANTEES[self.name]

    @property
    def certified(self) -> bool:
        """Whether the value divided by the bound is proved to be at most W1 (layers' norms; by construction)."""
        return self.name not in PENALTIES

    def __repr__(self) -> str:
        return f"Constraint({self.name!r})"


def two_sided(norms: Tensor) -> Tensor:
    """(|grad f| - 1)^2: it also punishes slopes below 1."""
    return (norms - 1) ** 2


def one_sided(norms: Tensor) -> Tensor:
    """max(0, |grad f| - 1)^2: a slope below 1 is allowed, as it is for a 1-Lipschitz function."""
    return torch.relu(norms - 1) ** 2


def norm_product(module: nn.Module) -> LipschitzBound | None:
    """Product of the layers' proved spectral norms; None where the network is not one that is known."""
    if not isinstance(module, MLP | OrthonormalNetwork):
        return None
    weights = [layer.weight.detach().cpu().double().numpy() for layer in linear_layers(module)]
    activation = module.activation_name if isinstance(module, MLP) else "relu"  # MaxMin permutes: slope 1 as well
    return network_constant(weights, activation)


def _by_construction(module: nn.Module) -> LipschitzBound:
    return LipschitzBound(1.0, "upper", "minimum and maximum of functions of slope 1")


def _build_mlp(spec: NetworkSpec) -> nn.Module:
    sizes = spec.sizes
    return MLP(spec.d, sizes.width_for(spec.d), sizes.depth, sizes.activation, spec.generator)


def _build_spectral_mlp(spec: NetworkSpec) -> nn.Module:
    module = _build_mlp(spec)
    for layer in linear_layers(module):  # the running left vector of the power iteration
        layer.register_buffer("left", torch.randn(layer.out_features, generator=spec.generator))
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


def _spectral_step(module: nn.Module, sizes: NetworkSizes) -> None:
    for layer in linear_layers(module):
        _divide_by_spectral_norm(layer)


@torch.no_grad()
def _spectral_end(module: nn.Module) -> None:
    """Power iteration comes from below, so the last division is by a proved bound."""
    for layer in linear_layers(module):
        layer.weight.copy_(torch.from_numpy(spectrally_normalised(layer.weight.cpu().double().numpy())))


@torch.no_grad()
def _clip(module: nn.Module, sizes: NetworkSizes) -> None:
    for parameter in module.parameters():
        parameter.clamp_(-sizes.clip, sizes.clip)


@torch.no_grad()
def _divide_by_frobenius_norm(module: nn.Module, sizes: NetworkSizes | None = None) -> None:
    for layer in linear_layers(module):
        layer.weight.div_(matrix_norm(layer.weight.cpu().double().numpy(), "fro").value)


@torch.no_grad()
def _retract(module: nn.Module, sizes: NetworkSizes) -> None:
    for layer in linear_layers(module):
        layer.weight.copy_(bjorck(layer.weight))


@torch.no_grad()
def _orthonormal_end(module: nn.Module) -> None:
    for layer in linear_layers(module):
        layer.weight.copy_(polar(layer.weight))


def _build_orthonormal(spec: NetworkSpec) -> nn.Module:
    return OrthonormalNetwork(spec.d, spec.sizes.width_for(spec.d), spec.sizes.depth, spec.generator)


def _build_min_max(spec: NetworkSpec) -> nn.Module:
    if spec.potential is not None:
        return MinMaxNetwork.of_potential(*spec.potential)
    return MinMaxNetwork.drawn(torch.cat([spec.x, spec.y]), spec.sizes.groups, spec.sizes.pieces, spec.generator)


def _build_semi_discrete(spec: NetworkSpec) -> nn.Module:
    return SemiDiscreteNetwork(spec.y[:ATOMS], spec.b[:ATOMS] / spec.b[:ATOMS].sum())


CONSTRAINT_BY_NAME: dict[str, Constraint] = {
    constraint.name: constraint
    for constraint in (
        Constraint("clipping", _build_mlp, 1e-3, norm_product, after_step=_clip),
        Constraint("gradient-penalty", _build_mlp, 5e-3, norm_product, penalty=two_sided),
        Constraint("one-sided-penalty", _build_mlp, 5e-3, norm_product, penalty=one_sided),
        Constraint(
            "spectral", _build_spectral_mlp, 1e-2, norm_product, after_step=_spectral_step, at_end=_spectral_end
        ),
        Constraint(
            "frobenius",
            _build_mlp,
            1e-2,
            norm_product,
            after_step=_divide_by_frobenius_norm,
            at_end=_divide_by_frobenius_norm,
        ),
        Constraint("orthonormal", _build_orthonormal, 5e-3, norm_product, after_step=_retract, at_end=_orthonormal_end),
        Constraint(
            "min-max", _build_min_max, 0.05, _by_construction, oriented=True, initializations=("exact", "random")
        ),
        Constraint("semi-discrete", _build_semi_discrete, 0.05, _by_construction, oriented=True),
    )
}
"""How each of :data:`otdiv.neural.constraint_names.CONSTRAINTS` is built and kept."""
