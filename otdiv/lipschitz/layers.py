"""A feed-forward network as a chain of affine maps and activations, with the range of every activation's slope."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from otdiv.core.rounding import UNIT
from otdiv.core.validation import Array, check_choice, invalid
from otdiv.lipschitz.norms import as_matrix

LIBRARY = 1e-14
"""Relative error granted to exp, tanh and the like in float64, some fifty units in the last place."""


@dataclass(frozen=True)
class Activation:
    """An activation, by the range of its slopes.

    Attributes
    ----------
    low, high : float
        inf and sup of its derivative.
    value : callable or None
        The function, elementwise; None where only the range is known.
    slopes : callable or None
        (lo, hi) -> (least, largest derivative) on intervals, elementwise.
    two_slopes : tuple of float or None
        Slopes below and above 0 of a function that is linear on either side and 0 at 0; None of any other.
    """

    low: float
    high: float
    value: Callable[[Array], Array] | None = None
    slopes: Callable[[Array, Array], tuple[Array, Array]] | None = None
    two_slopes: tuple[float, float] | None = None


def _leaky(a: float) -> Activation:
    low, high = min(a, 1.0), max(a, 1.0)

    def slopes(lo: Array, hi: Array) -> tuple[Array, Array]:
        below, above = np.where(lo < 0, a, 1.0), np.where(hi >= 0, 1.0, a)
        return np.minimum(below, above), np.maximum(below, above)

    return Activation(low, high, lambda z: np.where(z > 0, z, a * z), slopes, (a, 1.0))


def _increasing(slope: Callable[[Array], Array]) -> Callable[[Array, Array], tuple[Array, Array]]:
    """Range of a derivative that increases."""
    return lambda lo, hi: (slope(lo) * (1 - LIBRARY), np.minimum(slope(hi) * (1 + LIBRARY), 1.0))


def _bell(slope: Callable[[Array], Array]) -> Callable[[Array, Array], tuple[Array, Array]]:
    """Range of an even derivative that falls with the distance from 0."""

    def slopes(lo: Array, hi: Array) -> tuple[Array, Array]:
        farthest, nearest = np.maximum(-lo, hi), np.maximum(0.0, np.maximum(lo, -hi))
        return slope(farthest) * (1 - LIBRARY), slope(nearest) * (1 + LIBRARY)

    return slopes


def _sigmoid(z: Array) -> Array:
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, e) / (1.0 + e)


def _tanh_slope(z: Array) -> Array:
    e = np.exp(-2 * np.abs(z))
    return 4 * e / (1 + e) ** 2


def _sigmoid_slope(z: Array) -> Array:
    e = np.exp(-np.abs(z))
    return e / (1 + e) ** 2


def activation(name: str, parameter: float | None = None) -> Activation:
    """The activation of a name.

    Parameters
    ----------
    name : str
        One of identity, relu, leaky_relu, tanh, sigmoid, softplus, elu, gelu, silu.
    parameter : float, optional
        Slope of leaky_relu below 0, alpha of elu, beta of softplus.

    Returns
    -------
    Activation

    Raises
    ------
    InvalidInput
        An unknown name.

    Examples
    --------
    >>> activation("leaky_relu", 0.2).low, activation("gelu").high
    (0.2, 1.13)
    """
    check_choice("activation", name, NAMES)
    if name in ("relu", "leaky_relu"):
        return _leaky(0.0 if name == "relu" else 0.01 if parameter is None else parameter)
    if name == "identity":
        return Activation(1.0, 1.0, lambda z: z, lambda lo, hi: (np.ones_like(lo), np.ones_like(hi)), (1.0, 1.0))
    if name == "tanh":
        return Activation(0.0, 1.0, np.tanh, _bell(_tanh_slope))
    if name == "sigmoid":
        return Activation(0.0, 0.25, _sigmoid, _bell(_sigmoid_slope))
    factor = 1.0 if parameter is None else parameter
    if name == "softplus":
        return Activation(
            0.0, 1.0, lambda z: np.logaddexp(0.0, factor * z) / factor, _increasing(lambda z: _sigmoid(factor * z))
        )
    if name == "elu" and 0 <= factor <= 1:
        return Activation(
            0.0,
            1.0,
            lambda z: np.where(z > 0, z, factor * np.expm1(np.minimum(z, 0.0))),
            _increasing(lambda z: np.where(z > 0, 1.0, factor * np.exp(np.minimum(z, 0.0)))),
        )
    # derivatives reach -0.1290 and 1.1290 (GELU, and within 0.001 in its form with tanh), -0.0999 and 1.0999 (SiLU)
    return {"elu": Activation(min(0.0, factor), max(1.0, factor)), "gelu": Activation(-0.13, 1.13)}.get(
        name, Activation(-0.1, 1.1)
    )


NAMES = ("identity", "relu", "leaky_relu", "tanh", "sigmoid", "softplus", "elu", "gelu", "silu")
"""Names of activations."""


@dataclass(frozen=True, eq=False)
class Layer:
    """z -> sigma(W z + b).

    Attributes
    ----------
    weight : ndarray [n_out, n_in]
    bias : ndarray [n_out]
    activation : Activation
        sigma; of the last layer usually the identity.
    """

    weight: Array
    bias: Array
    activation: Activation


def as_layers(layers: Sequence[Layer]) -> list[Layer]:
    """Layers whose shapes fit each other.

    Raises
    ------
    InvalidInput
        None at all, NaN or infinity, or shapes that do not fit.
    """
    if not layers:
        raise invalid("layers", "hold at least one layer", "none", "Pass them in order.")
    checked = [Layer(as_matrix("weight", one.weight), np.asarray(one.bias, float), one.activation) for one in layers]
    for before, after in zip(checked, checked[1:], strict=False):
        if after.weight.shape[1] != before.weight.shape[0]:
            shapes = f"shapes {before.weight.shape} then {after.weight.shape}"
            raise invalid("layers", "fit each other", shapes, "Pass [n_out, n_in] in order.")
    return checked


def affine(layer: Layer, h: Array, error: Array) -> tuple[Array, Array]:
    """W h + b for rows h [k, n_in] known within ``error``, and the error of the result, rounding included."""
    W, size = layer.weight, np.abs(layer.weight)
    rounding = sum_rounding(W.shape[1])
    z = h @ W.T + layer.bias
    return z, (error + rounding * np.abs(h)) @ size.T * (1 + rounding) + rounding * np.abs(layer.bias)


def sum_rounding(terms: int) -> float:
    """Relative error, in units of the sum of sizes, granted to a computed sum of so many products."""
    return 2 * (terms + 8) * UNIT


def evaluate(layers: Sequence[Layer], points: Array) -> tuple[Array, Array]:
    """Values [k, n_out] of a network at points [k, d] in float64, and a proved bound of their rounding errors.

    Parameters
    ----------
    layers : sequence of Layer
        Of activations whose values are known.
    points : ndarray [k, d]

    Raises
    ------
    InvalidInput
        An activation of which the range of slopes alone is known.
    """
    h, error = points, np.zeros_like(points)
    for one in layers:
        if one.activation.value is None:
            raise invalid("layers", "have activations with known values", "another", "Use relu, tanh or the like.")
        h, error = affine(one, h, error)
        h, error = apply(one.activation, h, error)
    return h, error


def apply(sigma: Activation, z: Array, error: Array) -> tuple[Array, Array]:
    """sigma(z) for z known within ``error``, and the error of the result."""
    assert sigma.value is not None
    h = sigma.value(z)
    largest = max(abs(sigma.low), abs(sigma.high))
    return h, largest * error * (1 + 4 * UNIT) + LIBRARY * np.abs(h)
