"""The chain of layers inside a torch module, found by tracing its forward, of which a Lipschitz constant is proved."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from otdiv.core.validation import Array
from otdiv.critics.reading.modules import evaluating
from otdiv.critics.reading.shaped_points import Shape
from otdiv.lipschitz import (
    Activation,
    Layer,
    LipschitzBound,
    activation,
    convolution_matrix,
    convolution_norm,
    spectral_norm,
)

LARGEST_MATRIX = 700
"""Units of a layer up to which convolutions are written as matrices for a layer-wise proof."""
_ACTIVATIONS = {
    "ReLU": "relu", "LeakyReLU": "leaky_relu", "Tanh": "tanh", "Sigmoid": "sigmoid", "Softplus": "softplus",
    "ELU": "elu", "GELU": "gelu", "SiLU": "silu", "Identity": "identity", "Dropout": "identity",
}  # fmt: skip
_PARAMETERS = {"LeakyReLU": "negative_slope", "ELU": "alpha", "Softplus": "beta"}
_FUNCTIONS = {"relu": "relu", "relu_": "relu", "tanh": "tanh", "sigmoid": "sigmoid", "gelu": "gelu", "silu": "silu"}
_RESHAPING = ("view", "reshape", "flatten", "squeeze", "unsqueeze", "contiguous", "float")
_RESHAPING_LAYERS = ("Flatten", "Unflatten")


@dataclass(frozen=True, eq=False)
class NetworkLayers:
    """The layers of a network, as far as they are plain ones.

    Attributes
    ----------
    product : LipschitzBound
        Of the norms of all layers and the largest slopes of their activations.
    chain : tuple of Layer or None
        Dense layers, the last with the identity; None where one is too large or a bound alone is known.
    """

    product: LipschitzBound
    chain: tuple[Layer, ...] | None


class _Unknown(Exception):
    """A part that is no plain layer."""


def network_layers(module: Any, d: int, shape: Shape | None = None) -> NetworkLayers | None:
    """The layers of a module in evaluation mode whose forward is a chain; None where it is not.

    Linear, convolution (zero padding, one group), average pooling, flattening and activations, in the forward of any
    class: torch.fx traces it.  DataParallel and compiled modules are seen through.

    Parameters
    ----------
    module : torch.nn.Module
    d : int
        Entries of a point.
    shape : tuple of int, optional
        Of a point as the module takes it.
    """
    import torch

    for _ in range(2):  # a wrapper computes what the module inside computes
        if type(module) is torch.nn.DataParallel:
            module = module.module
        module = getattr(module, "_orig_mod", module)
    if any(part._forward_hooks or part._forward_pre_hooks for part in module.modules()):
        return None
    try:
        with evaluating(module):
            steps = _steps(module, torch)
        return _assembled(steps, d, shape, torch)
    except _Unknown:
        return None
    except Exception:  # tracing fails in as many forms as there are forwards: nothing is proved then
        return None


def _steps(module: Any, torch: Any) -> list[Any]:
    """Layers, activations and None for a change of shape, in the order of a forward that is a chain."""
    if isinstance(module, torch.nn.Sequential):
        return [step for part in module for step in _steps(part, torch)]
    if type(module).__module__.startswith("torch.nn"):
        return [module]
    graph = torch.fx.symbolic_trace(module)
    steps: list[Any] = []
    current = None
    for node in graph.graph.nodes:
        if node.op == "placeholder":
            if current is not None:
                raise _Unknown
            current = node
        elif node.op == "output":
            if node.args[0] is not current:
                raise _Unknown
        elif (node.op == "call_method" and node.target in ("size", "dim")) or node.target is getattr:
            continue  # sizes, used by a reshape
        else:
            if not node.args or node.args[0] is not current or node.kwargs.get("training", False):
                raise _Unknown
            steps += _step(node, graph, torch)
            current = node
    return steps


def _step(node: Any, graph: Any, torch: Any) -> list[Any]:
    name = getattr(node.target, "__name__", node.target)
    if node.op == "call_module":
        return _steps(graph.get_submodule(node.target), torch)
    if node.op in ("call_function", "call_method"):
        if name in _FUNCTIONS and len(node.args) == 1:
            return [activation(_FUNCTIONS[name])]
        if name == "dropout" and not node.kwargs.get("training", node.args[2] if len(node.args) > 2 else True):
            return [activation("identity")]
        if name == "leaky_relu":
            slope = node.args[1] if len(node.args) > 1 else node.kwargs.get("negative_slope", 0.01)
            return [activation("leaky_relu", float(slope))]
        if name in _RESHAPING:
            return [None]
    raise _Unknown


def _assembled(steps: list[Any], d: int, shape: Shape | None, torch: Any) -> NetworkLayers:
    """The product of norms, and the chain of dense layers where all are small enough."""
    sides = shape or (d,)
    layers: list[Layer] | None = []
    bound, count = 1.0, 0
    for step in steps:
        kind = None if step is None or isinstance(step, Activation) else _plain_name(step)
        found = step if isinstance(step, Activation) else None
        if kind in _ACTIVATIONS:
            found = activation(_ACTIVATIONS[kind], getattr(step, _PARAMETERS.get(kind, ""), None))
        if found is not None:
            bound *= max(abs(found.low), abs(found.high))
            if layers is not None:
                layers = _with_activation(layers, found, prod(sides))
            continue
        if step is None or kind in _RESHAPING_LAYERS:
            sides = tuple(step.unflattened_size) if kind == "Unflatten" else (prod(sides),)
            continue
        W, norm, b, sides = _affine(kind, step, sides)
        bound, count = bound * norm, count + 1
        if W is None:
            layers = None
        elif layers is not None:
            layers = [*layers, Layer(W, b, activation("identity"))]
    if not count:
        raise _Unknown
    how = f"product of {count} spectral norms"
    product = LipschitzBound(bound * (1 + 1e-15 * (4 + len(steps))), "upper", how)
    return NetworkLayers(product, None if layers is None else tuple(_closed(layers)))


def _with_activation(layers: list[Layer], found: Activation, units: int) -> list[Layer]:
    """The layers with one more activation; a second one in a row gets an identity matrix."""
    identity = found.low == found.high == 1.0
    if identity:
        return layers
    if layers and layers[-1].activation.low == layers[-1].activation.high == 1.0:
        return [*layers[:-1], Layer(layers[-1].weight, layers[-1].bias, found)]
    return [*layers, Layer(np.eye(units), np.zeros(units), found)]


def _closed(layers: list[Layer]) -> list[Layer]:
    """With an affine map at the end."""
    last = layers[-1].activation
    if last.low == last.high == 1.0:
        return layers
    units = len(layers[-1].weight)
    return [*layers, Layer(np.eye(units), np.zeros(units), activation("identity"))]


def _plain_name(layer: Any) -> str:
    """The class of a layer of torch itself, also behind a parametrisation; else it is unknown."""
    for kind in type(layer).__mro__:
        parametrised = hasattr(layer, "parametrizations")
        if kind.__module__.startswith("torch.nn.modules") and (type(layer) is kind or parametrised):
            return kind.__name__
    raise _Unknown


def _affine(kind: str | None, layer: Any, sides: tuple[int, ...]) -> tuple[Array | None, float, Array, tuple[int, ...]]:
    """Matrix (None where it is large), norm, bias and the sides of the output of an affine layer."""
    if kind == "Linear":
        W = _numbers(layer.weight)
        if prod(sides) != W.shape[1]:
            raise _Unknown
        b = np.zeros(len(W)) if layer.bias is None else _numbers(layer.bias)
        return W, spectral_norm(W).bounds.upper, b, (len(W),)
    if kind not in ("Conv2d", "AvgPool2d") or len(sides) != 3:
        raise _Unknown
    stride, padding = _both(layer.stride), _both(layer.padding)
    if kind == "AvgPool2d":
        k = _both(layer.kernel_size)
        if layer.ceil_mode or layer.divisor_override or (padding != (0, 0)):
            raise _Unknown
        one = np.full((1, 1, *k), 1.0 / (k[0] * k[1]))
        norm = convolution_norm(one, sides[1:], stride=stride).value * (1 + 1e-15)
        K = np.einsum("oi,ab->oiab", np.eye(sides[0]), one[0, 0])
        b = np.zeros(sides[0])
    else:
        plain = layer.groups == 1 and _both(layer.dilation) == (1, 1) and layer.padding_mode == "zeros"
        K = _numbers(layer.weight)
        if not plain or isinstance(layer.padding, str) or K.shape[1] != sides[0]:
            raise _Unknown
        norm = convolution_norm(K, sides[1:], stride=stride, padding=padding).value
        b = np.zeros(len(K)) if layer.bias is None else _numbers(layer.bias)
    h, w = ((sides[1 + i] + 2 * padding[i] - K.shape[2 + i]) // stride[i] + 1 for i in (0, 1))
    out = (len(K), h, w)
    if max(prod(sides), prod(out)) > LARGEST_MATRIX:
        return None, norm, b, out
    W = convolution_matrix(K, sides[1:], stride=stride, padding=padding)
    return W, norm, np.repeat(b, h * w), out


def _both(option: Any) -> tuple[int, int]:
    """An option of both axes."""
    return (option, option) if isinstance(option, int) else (int(option[0]), int(option[1]))


def _numbers(weight: Any) -> Array:
    return np.asarray(weight.detach().double().cpu().numpy())
