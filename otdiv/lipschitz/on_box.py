"""The steepest slope of a network on a box, proved by dividing the box: for few dimensions, close to the truth.

In the plane a network of ReLUs is cut into its linear pieces (:mod:`otdiv.lipschitz.linear_pieces`), which gives the
constant itself.  Else, on a small box most units of a piecewise linear network are surely on or off.
The Jacobian is enclosed layer by layer: an interval matrix of each layer's
derivative by the inputs gives, by the mean value theorem, the range of the
next units, hence of their slopes.  Boxes are halved, the steepest first.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, nextafter
from typing import Any

import numpy as np

from otdiv.core.rounding import UNIT
from otdiv.core.validation import Array, as_float_array, invalid, require_finite
from otdiv.lipschitz.constants import LipschitzBound
from otdiv.lipschitz.layers import Layer, affine, apply, as_layers, sum_rounding

MOST_PRODUCTS = 2e10
"""Products of a weight and a unit in the search for linear pieces, about ten seconds of work."""
MOST_BOXES = 20_000
"""Boxes evaluated; ten times as many halve the excess over the true slope, about, in the plane."""
BLOCK = 512
"""Boxes halved at a time."""
CLOSE = 1.02
"""Ratio of the bound to a slope that is attained at which the division ends."""


def box_constant(
    layers: Sequence[Layer], lower: Any, upper: Any, *, most_boxes: int = MOST_BOXES, most_pieces: int | None = None
) -> tuple[LipschitzBound, LipschitzBound]:
    """Upper and lower bound of the Lipschitz constant of a network on a box.

    Parameters
    ----------
    layers : sequence of Layer
        Of activations whose slopes on an interval are known: all but GELU, SiLU and ELU with alpha > 1.
    lower, upper : array_like [d]
        Corners of the box; a convex set of points has the constant of any box that holds it.
    most_pieces : int, optional
        In one or two dimensions, for activations of two slopes (ReLU and the like): linear pieces that are gone
        through, after which both bounds meet up to rounding.  A network with more of them is treated as any other.
        None: as many as take about ten seconds, 600 000 of a network of 3 x 128 units.
    most_boxes : int
        For any other network or dimension, boxes evaluated; more of them close the bounds, fast in two dimensions,
        hardly above three.

    Returns
    -------
    upper, lower : LipschitzBound
        In the Euclidean norm; the lower one is the largest slope at the middle of a part, as computed.

    Raises
    ------
    InvalidInput
        Shapes that do not fit, an empty box, or an activation of which the range alone is known.

    Examples
    --------
    >>> from otdiv.lipschitz import Layer, activation
    >>> hidden = Layer([[1.0], [1.0]], [0.0, 1.0], activation("relu"))
    >>> net = [hidden, Layer([[1.0, -1.0]], [0.0], activation("identity"))]
    >>> round(box_constant(net, [-1.0], [3.0])[0].value, 6)  # relu(z) - relu(z + 1)
    1.0
    """
    chain = as_layers(layers)
    lo, hi = (as_float_array(name, corner) for name, corner in (("lower", lower), ("upper", upper)))
    d = chain[0].weight.shape[1]
    if lo.shape != (d,) or hi.shape != (d,) or not (lo <= hi).all():
        raise invalid("lower and upper", f"be corners of a box [{d}]", f"shapes {lo.shape} and {hi.shape}", "In order.")
    require_finite("lower and upper", np.concatenate([lo, hi]))
    if any(one.activation.slopes is None or one.activation.value is None for one in chain):
        raise invalid("layers", "have activations with known slopes", "another", "Use layerwise_constant.")
    if d <= 2 and all(one.activation.two_slopes is not None for one in chain):
        per_piece = sum(one.weight.size for one in chain[1:]) + 1
        exact = _by_pieces(chain, lo, hi, int(MOST_PRODUCTS / per_piece) if most_pieces is None else most_pieces)
        if exact is not None:
            return exact
    lows, highs, bounds = lo[None], hi[None], np.array([inf])
    done = found = 0.0
    evaluated = 0
    while len(bounds) and evaluated < most_boxes:
        worst = np.argsort(-bounds)[:BLOCK]
        kept = np.ones(len(bounds), dtype=bool)
        kept[worst] = False
        low_half, high_half = _halved(lows[worst], highs[worst])
        steepest, attained = _slopes(chain, low_half, high_half)
        steepest = np.minimum(steepest, np.concatenate([bounds[worst]] * 2))
        found, evaluated = max(found, float(attained.max())), evaluated + len(steepest)
        settled = steepest <= CLOSE * found
        done = max(done, float(steepest[settled].max(initial=0.0)))
        lows = np.concatenate([lows[kept], low_half[~settled]])
        highs = np.concatenate([highs[kept], high_half[~settled]])
        bounds = np.concatenate([bounds[kept], steepest[~settled]])
    top = nextafter(max(done, float(bounds.max(initial=0.0))), inf)
    return (
        LipschitzBound(top, "upper", f"interval Jacobians on {evaluated} parts of the points' box"),
        LipschitzBound(found, "lower", "slope at the middle of a part"),
    )


def _by_pieces(chain: Sequence[Layer], lo: Array, hi: Array, most: int) -> tuple[LipschitzBound, LipschitzBound] | None:
    """Both bounds from the linear pieces, where there are not too many."""
    from otdiv.lipschitz.linear_pieces import steepest_pieces

    found = steepest_pieces(chain, lo, hi, most)
    if found is None:
        return None
    attained = float(_slopes(chain, found.middles, found.middles)[1].max())
    return (
        LipschitzBound(nextafter(found.slope, inf), "upper", f"all {found.pieces} linear pieces on the points' box"),
        LipschitzBound(attained, "lower", "slope inside the steepest of them"),
    )


def _halved(lo: Array, hi: Array) -> tuple[Array, Array]:
    """Both halves of each box along its longest side."""
    rows, side = np.arange(len(lo)), np.argmax(hi - lo, axis=1)
    middle = (lo[rows, side] + hi[rows, side]) / 2
    first, second = hi.copy(), lo.copy()
    first[rows, side] = middle
    second[rows, side] = middle
    return np.concatenate([lo, second]), np.concatenate([first, hi])


def _slopes(chain: Sequence[Layer], lo: Array, hi: Array) -> tuple[Array, Array]:
    """On each box [k, d] a bound of the largest slope, and the slope at its middle."""
    centre = (lo + hi) / 2
    radius = np.nextafter(np.maximum(hi - centre, centre - lo), inf)
    h, h_error = centre, np.zeros_like(centre)
    k, d = lo.shape
    J = np.repeat(np.eye(d)[:, None], k, axis=1)  # [units, k, d]: one matrix product for all boxes
    spread = np.zeros_like(J)
    exact = J  # the Jacobian at the middle
    for one in chain:
        W, size = one.weight, np.abs(one.weight)
        rounding = sum_rounding(W.shape[1])
        z, z_error = affine(one, h, h_error)
        spread = _times(size, spread + rounding * (np.abs(J) + spread)) * (1 + rounding)
        J, exact = _times(W, J), _times(W, exact)
        reach = np.einsum("ukd,kd->ku", np.abs(J) + spread, radius) * (1 + sum_rounding(d)) + z_error
        reach = reach * (1 + 8 * UNIT) + 8 * UNIT * np.abs(z)
        sigma = one.activation
        assert sigma.slopes is not None
        if sigma.low < sigma.high:
            least, most = sigma.slopes(z - reach, z + reach)
            first, second = sigma.slopes(z, z)
            J, spread = _scaled(J, spread, least.T[..., None], most.T[..., None])
            exact = exact * ((first + second) / 2).T[..., None]
        h, h_error = apply(sigma, z, z_error)
    enclosed = np.sqrt(((np.abs(J) + spread) ** 2).sum(axis=(0, 2))) * (1 + sum_rounding(len(J) * d))
    if len(exact) == 1:
        return enclosed, np.linalg.norm(exact[0], axis=1)
    return enclosed, np.linalg.norm(np.moveaxis(exact, 1, 0), ord=2, axis=(1, 2))


def _times(W: Array, J: Array) -> Array:
    """W J for all boxes."""
    return (W @ J.reshape(len(J), -1)).reshape(len(W), *J.shape[1:])


def _scaled(J: Array, spread: Array, least: Array, most: Array) -> tuple[Array, Array]:
    """Middle and half width of the products of entries in J +- spread with slopes in [least, most]."""
    lo, hi = J - spread, J + spread
    if (least >= 0).all():  # of increasing activations, as most are
        low, high = np.minimum(lo * least, lo * most), np.maximum(hi * least, hi * most)
    else:
        ends = [lo * least, lo * most, hi * least, hi * most]
        low, high = np.minimum.reduce(ends), np.maximum.reduce(ends)
    middle = (low + high) / 2
    return middle, (high - low) / 2 + 8 * UNIT * (np.abs(low) + np.abs(high) + np.abs(J) + spread)
