"""Lipschitz constraints of a network, by name, and the Lipschitz bound that each of them certifies.

A constraint builds a network, may add a penalty to the loss, may project the weights after each step
and at the end, and computes the upper bound of the Lipschitz constant that then holds, if any.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
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


Weights = Mapping[str, Tensor]
"""Parameters and buffers by name; of k networks of one shape with a first axis of length k."""


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
    after_step : callable or None
        Projection after every step: (weights, sizes), the weights by name, of one network or stacked along a first
        axis; changed in place.
    at_end : callable or None
        Projection of the trained module.
    bound : callable
        module -> LipschitzBound, or None where nothing is certified.
    oriented : bool
        Whether exchanging the two distributions gives another family of functions.
    initializations : tuple of str
        "random"; of a network of cones also "exact", the exact potential of a sample, and "contracted", cones around
        the mean that look alike at first.
    """

    name: str
    build: Callable[[NetworkSpec], nn.Module]
    rate: float
    bound: Callable[[nn.Module], LipschitzBound | None]
    penalty: Callable[[Tensor], Tensor] | None = None
    after_step: Callable[[Weights, NetworkSizes], None] | None = None
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

    def project(self, module: nn.Module, sizes: NetworkSizes) -> None:
        """The projection after a step, where there is one."""
        if self.after_step is not None:
            self.after_step(weights_of(module), sizes)

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
        _spectral_step(weights_of(module), spec.sizes)
    return module


def weights_of(module: nn.Module) -> Weights:
    """Parameters and buffers by name."""
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}


def _matrices(weights: Weights) -> list[str]:
    return [name for name in weights if name.endswith(".weight")]


@torch.no_grad()
def _spectral_step(weights: Weights, sizes: NetworkSizes) -> None:
    """One step of the power iteration, and division by what it gives."""
    for name in _matrices(weights):
        W, left = weights[name], weights[name.removesuffix("weight") + "left"]
        right = (W.mT @ left.unsqueeze(-1)).squeeze(-1)
        right = right / right.norm(dim=-1, keepdim=True).clamp_min(1e-12)
        pushed = (W @ right.unsqueeze(-1)).squeeze(-1)
        norm = pushed.norm(dim=-1, keepdim=True).clamp_min(1e-12)
        left.copy_(pushed / norm)
        W.div_(norm.unsqueeze(-1))


@torch.no_grad()
def _spectral_end(module: nn.Module) -> None:
    """Power iteration comes from below, so the last division is by a proved bound, with room for single precision."""
    for layer in linear_layers(module):
        normalised = spectrally_normalised(layer.weight.cpu().double().numpy())
        layer.weight.copy_(torch.from_numpy(normalised * (1 - 2.0**-23)))


@torch.no_grad()
def _clip(weights: Weights, sizes: NetworkSizes) -> None:
    for parameter in weights.values():
        parameter.clamp_(-sizes.clip, sizes.clip)


@torch.no_grad()
def _frobenius_step(weights: Weights, sizes: NetworkSizes) -> None:
    for name in _matrices(weights):
        weights[name].div_(weights[name].norm(dim=(-2, -1), keepdim=True))


@torch.no_grad()
def _frobenius_end(module: nn.Module) -> None:
    """The last division is by a norm rounded upwards."""
    for layer in linear_layers(module):
        layer.weight.div_(matrix_norm(layer.weight.cpu().double().numpy(), "fro").value)


@torch.no_grad()
def _retract(weights: Weights, sizes: NetworkSizes) -> None:
    for name in _matrices(weights):
        weights[name].copy_(bjorck(weights[name]))


@torch.no_grad()
def _orthonormal_end(module: nn.Module) -> None:
    for layer in linear_layers(module):
        layer.weight.copy_(polar(layer.weight))


def _build_orthonormal(spec: NetworkSpec) -> nn.Module:
    return OrthonormalNetwork(spec.d, spec.sizes.width_for(spec.d), spec.sizes.depth, spec.generator)


def _build_min_max(spec: NetworkSpec) -> nn.Module:
    if spec.potential is not None:
        return MinMaxNetwork.of_potential(*spec.potential, spec.cooling)
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
        Constraint("frobenius", _build_mlp, 1e-2, norm_product, after_step=_frobenius_step, at_end=_frobenius_end),
        Constraint("orthonormal", _build_orthonormal, 5e-3, norm_product, after_step=_retract, at_end=_orthonormal_end),
        Constraint(
            "min-max",
            _build_min_max,
            0.05,
            _by_construction,
            oriented=True,
            initializations=("exact", "random", "contracted"),
        ),
        Constraint("semi-discrete", _build_semi_discrete, 0.05, _by_construction, oriented=True),
    )
}
"""How each of :data:`otdiv.neural.constraint_names.CONSTRAINTS` is built and kept."""
