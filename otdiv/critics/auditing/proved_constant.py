"""The smallest Lipschitz constant of a critic that can be proved, and what it proves about W1 of the points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from otdiv.core.rounding import UNIT
from otdiv.core.validation import Array
from otdiv.critics.auditing.network_layers import NetworkLayers, network_layers
from otdiv.critics.reading.critic import Critic
from otdiv.critics.reading.shaped_points import Shape
from otdiv.errors import InvalidInput
from otdiv.lipschitz import LipschitzBound, box_constant, layerwise_constant
from otdiv.lipschitz.layers import Layer, evaluate
from otdiv.lipschitz.multipliers import ITERATIONS
from otdiv.measures.discrete import DiscreteMeasure

if TYPE_CHECKING:
    from torch import nn

BOX_DIMENSION = 2
"""Dimensions up to which the points' box is divided; above, its parts become too many."""
CLOSED = 1 + 1e-6
"""Ratio of the constant on the points' box to a slope that is attained at which nothing else is tried."""
LARGEST_LAYER = 1024
"""Units of a layer up to which constants are proved layer by layer; the time grows with their cube."""
FULL_LAYER, DESCENT_LAYER = 160, 400
"""Units up to which the multipliers are fully descended (some seconds), and descended at all: above the first ones are
taken, a closed form that is about twice as large."""


@dataclass(frozen=True, eq=False)
class ProvedConstant:
    """Upper bounds of a critic's Lipschitz constant.

    Attributes
    ----------
    product : LipschitzBound or None
        Of the layers' norms, or what holds by construction.
    smallest : LipschitzBound or None
        Of the product, the layer-wise bound and, in few dimensions, that on the points' box.
    lower : float
        Proved lower bound of W1 of the points, V / L; 0 where nothing is proved.
    attained : float
        A slope at a point of the box, found on the way; 0 where the box was not divided.
    """

    product: LipschitzBound | None
    smallest: LipschitzBound | None
    lower: float = 0.0
    attained: float = 0.0


def prove_constant(
    reader: Critic | None, mu: DiscreteMeasure, nu: DiscreteMeasure, shape: Shape | None = None
) -> ProvedConstant:
    """The smallest constant that is proved for a critic on (a box around) these points.

    Parameters
    ----------
    reader : Critic or None
    mu, nu : DiscreteMeasure
    shape : tuple of int, optional
        Of one point as the critic takes it.
    """
    if reader is None:
        return ProvedConstant(None, None)
    network = reader.network
    found = None if network is None else network_layers(network.module, mu.d, shape)
    product = reader.constant or (found.product if found else None)
    if found is None or found.chain is None or network is None:
        return ProvedConstant(product, product)
    sides = [network.to_inner(measure.points) for measure in (mu, nu)]
    if not _same_values(reader, found, mu, nu, sides, network.scale):
        return ProvedConstant(reader.constant, reader.constant)  # it was traced wrongly: nothing more is believed
    bounds, attained = _constants(found, sides)
    smallest = min((bound for bound in (product, *bounds) if bound is not None), key=lambda bound: bound.value)
    return ProvedConstant(product, smallest, _lower(found, smallest.value, mu, nu, sides, network), attained)


def _constants(found: NetworkLayers, sides: list[Array]) -> tuple[list[LipschitzBound], float]:
    """The layer-wise bound and that on the box, where they are affordable, and the steepest slope on the box."""
    assert found.chain is not None
    known = all(one.activation.slopes is not None for one in found.chain)
    curved = any(one.activation.low < one.activation.high for one in found.chain)
    bounds, attained = [], 0.0
    try:
        if known and curved and sides[0].shape[1] <= BOX_DIMENSION:
            pooled = np.concatenate(sides)
            upper, lower = box_constant(found.chain, pooled.min(axis=0), pooled.max(axis=0))
            bounds, attained = [upper], lower.value
            if upper.value <= CLOSED * attained:  # no bound by layers is lower
                return bounds, attained
        return bounds + _by_layers(found.chain), attained
    except InvalidInput:  # layers of zeros, weights beyond float64: the product is left
        return bounds, attained


def _by_layers(chain: Sequence[Layer]) -> list[LipschitzBound]:
    """The layer-wise bound, where it is affordable."""
    units = max(max(one.weight.shape) for one in chain[:-1]) if len(chain) > 1 else 0
    if not 0 < units <= LARGEST_LAYER:
        return []
    share = min(1.0, (FULL_LAYER / units) ** 3) if units <= DESCENT_LAYER else 0.0
    return [layerwise_constant(chain, iterations=round(share * ITERATIONS))]


def sharpened(product: LipschitzBound | None, inner: nn.Module, d: int) -> LipschitzBound | None:
    """The smaller of a network's product of norms and its layer-wise bound.

    Parameters
    ----------
    product : LipschitzBound or None
    inner : Module
        One whose layers are known, for points of dimension d.
    """
    found = None if product is None else network_layers(inner, d, None)
    if product is None or found is None or found.chain is None:
        return product
    try:
        return min((product, *_by_layers(found.chain)), key=lambda bound: bound.value)
    except InvalidInput:  # as above
        return product


def _same_values(
    reader: Critic, found: NetworkLayers, mu: DiscreteMeasure, nu: DiscreteMeasure, sides: list[Array], scale: float
) -> bool:
    """Whether the chain of layers gives the critic's own values, up to a constant and the rounding of its format."""
    assert found.chain is not None
    if any(one.activation.value is None for one in found.chain):
        return True  # values are not known, and the trace alone is believed
    inner = np.concatenate([side[:8] for side in sides])
    own = reader.values(np.concatenate([measure.points[:8] for measure in (mu, nu)]))
    values = scale * evaluate(found.chain, inner)[0][:, 0]
    size = max(float(np.abs(own).max()), float(np.abs(values).max()), 1e-300)
    rounding = max(1e-4, 64 * reader.resolution) * size
    return bool(np.abs(np.abs(own) - np.abs(values)).max() <= rounding)


def _lower(
    found: NetworkLayers, constant: float, mu: DiscreteMeasure, nu: DiscreteMeasure, sides: list[Array], network: Any
) -> float:
    """V / L of the layers in float64, less all rounding errors; 0 where values are not known."""
    assert found.chain is not None
    if any(one.activation.value is None for one in found.chain) or not constant > 0:
        return 0.0
    value, error = 0.0, 0.0
    for sign, measure, inner in ((1.0, mu, sides[0]), (-1.0, nu, sides[1])):
        values, off = (part[:, 0] for part in evaluate(found.chain, inner))
        weights = measure.weights / measure.mass
        value += sign * float(weights @ values)
        error += float(weights @ off) + 2 * (measure.n + 8) * UNIT * float(weights @ np.abs(values))
    # points in inner units are rounded, by which each may have moved
    moved = 8 * UNIT * max(float(np.abs(side).max()) for side in sides) * np.sqrt(mu.d) + network.shift_error
    quotient = network.scale * ((abs(value) - error) / constant * (1 - 8 * UNIT) - 2 * moved)
    return max(0.0, quotient * (1 - 8 * UNIT))
