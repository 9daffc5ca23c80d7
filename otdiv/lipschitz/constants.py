"""Lipschitz constants of functions, layers and networks: each labelled upper, lower or exact."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod, sqrt
from typing import Any

import numpy as np

from otdiv.core.memory import row_blocks
from otdiv.core.validation import Array, as_float_array, as_points, check_choice, invalid, require_finite
from otdiv.costs import Cost, as_cost
from otdiv.lipschitz.norms import as_matrix, matrix_norm
from otdiv.lipschitz.spectral import spectral_norm

SLOPES = {"relu": 1.0, "leaky_relu": 1.0, "tanh": 1.0, "sigmoid": 0.25, "identity": 1.0, "softplus": 1.0, "elu": 1.0}
"""sup |sigma'| of the usual activations; GELU and SiLU exceed 1 and are left out on purpose."""


@dataclass(frozen=True)
class LipschitzBound:
    """A number and what it says about the Lipschitz constant.

    Attributes
    ----------
    value : float
    kind : {"upper", "lower", "exact"}
        "upper": the constant is at most this.  "lower": at least.  "exact": on the set named.
    how : str
        The argument in one sentence.
    """

    value: float
    kind: str
    how: str

    def __float__(self) -> float:
        return self.value


def on_points(values: Any, points: Any, *, cost: Any = "euclidean") -> LipschitzBound:
    """Lipschitz constant on a finite set: max |v_i - v_j| / d(p_i, p_j) over distinct points.

    Exact on the set, hence a lower bound for any function that takes these values.

    Parameters
    ----------
    values : array_like [k]
    points : array_like [k, d] or [k]
    cost : str or Cost
        A metric on points.

    Returns
    -------
    LipschitzBound
        Inf where one point carries two values; 0 for a single point.

    Raises
    ------
    InvalidInput
        Shapes that do not fit, NaN or infinity, a cost that is no metric on points.

    Examples
    --------
    >>> on_points([0.0, 2.0, 3.0], [0.0, 1.0, 5.0]).value
    2.0
    """
    ground = as_cost(cost)
    if ground.by_entries or not ground.is_metric:
        raise invalid("cost", "be a metric on points", repr(ground.name), "A slope is a rise over a distance.")
    places, v = as_points("points", points), as_float_array("values", values)
    if v.shape != (len(places),):
        raise invalid(
            "values", f"have one value for each of the {len(places)} points", f"shape {v.shape}", "Pass them all."
        )
    require_finite("values", v)
    return LipschitzBound(largest_slope(v, places, ground), "exact", f"largest slope between {len(v)} points")


def largest_slope(values: Array, points: Array, cost: Cost, *, noise: float = 0.0) -> float:
    """max |v_i - v_j| / d(p_i, p_j) over the pairs whose values differ by more than ``noise``; 0 without any.

    Parameters
    ----------
    values : ndarray [k]
    points : ndarray [k, d]
    cost : Cost
        A metric on points.
    noise : float
        Rounding error of a difference of values: between near-duplicates it is no slope.
    """
    steepest = 0.0
    for rows in row_blocks(len(values), len(values)):
        rise, run = np.abs(values[rows, None] - values), cost.matrix(points[rows], points)
        with np.errstate(divide="ignore", invalid="ignore"):
            steepest = max(steepest, float(np.where(rise > noise, rise / run, 0.0).max()))
    return steepest


def from_gradients(gradients: Any) -> LipschitzBound:
    """Largest gradient norm among samples [k, d]: a lower bound of sup |grad f|, never more.

    Parameters
    ----------
    gradients : array_like [k, d]
        Gradients at k places.

    Returns
    -------
    LipschitzBound
        Of kind "lower".

    Raises
    ------
    InvalidInput
        Not a matrix, NaN or infinity.

    Examples
    --------
    >>> from_gradients([[3.0, 4.0], [0.0, 1.0]]).kind
    'lower'
    """
    table = as_matrix("gradients", gradients)
    norms = np.sqrt(np.sum(table**2, axis=1))
    return LipschitzBound(float(norms.max()), "lower", f"largest gradient norm at {len(table)} points")


def layer_constant(W: Any, activation: str = "identity") -> LipschitzBound:
    """Upper bound sup|sigma'| |W|_2 of a layer x -> sigma(W x + b).

    Parameters
    ----------
    W : array_like [n_out, n_in]
    activation : str
        One of :data:`SLOPES`.

    Returns
    -------
    LipschitzBound

    Raises
    ------
    InvalidInput
        An unknown activation, or W not a finite matrix.

    Notes
    -----
    By the mean value theorem along the segment from x to y.

    Examples
    --------
    >>> round(layer_constant([[3.0, 0.0], [0.0, 4.0]], "sigmoid").value, 9)
    1.0
    """
    slope = SLOPES[check_choice("activation", activation, tuple(SLOPES))]
    return LipschitzBound(slope * spectral_norm(W).bounds.upper, "upper", f"sup |sigma'| = {slope:g} times |W|_2")


def network_constant(weights: Sequence[Any], activation: str = "relu", *, norm: str = "spectral") -> LipschitzBound:
    """Upper bound of a feed-forward network: the product of its layers' bounds.

    Parameters
    ----------
    weights : sequence of array_like
        [n1, n0], [n2, n1], ...; the activation stands between them, not after the last.
    activation : str
        One of :data:`SLOPES`.
    norm : {"spectral", "frobenius"}
        "frobenius" is cheaper and larger.

    Returns
    -------
    LipschitzBound

    Raises
    ------
    InvalidInput
        No layer, layers that do not fit, an unknown activation or norm.

    Notes
    -----
    Any activation of slope at most 1 leaves the product of norms.

    Examples
    --------
    >>> network_constant([[[2.0, 0.0], [0.0, 1.0]], [[3.0, 0.0]]]).value < 6.0000001
    True
    """
    check_choice("norm", norm, ("spectral", "frobenius"))
    slope = SLOPES[check_choice("activation", activation, tuple(SLOPES))]
    layers = [as_matrix("weights", W) for W in weights]
    if not layers:
        raise invalid("weights", "hold at least one layer", "none", "Pass the weight matrices in order.")
    for before, after in zip(layers, layers[1:], strict=False):
        if after.shape[1] != before.shape[0]:
            raise invalid(
                "weights", "fit each other", f"shapes {before.shape} then {after.shape}", "Pass [n_out, n_in] in order."
            )
    norms = [spectral_norm(W).bounds.upper if norm == "spectral" else matrix_norm(W, "fro").value for W in layers]
    value = slope ** (len(layers) - 1) * prod(norms) * (1 + 1e-15 * len(layers))
    return LipschitzBound(value, "upper", f"product of {len(layers)} {norm} norms")


def clipped_constant(clip: float, widths: Sequence[int]) -> LipschitzBound:
    """Upper bound of a ReLU network whose weights lie in [-c, c]: prod c sqrt(n_out n_in).

    Weight clipping makes a network K-Lipschitz for some K, not 1-Lipschitz: the critic's value is then at
    most K W, and a distance only after division by K.

    Parameters
    ----------
    clip : float
    widths : sequence of int
        Layer widths n0, n1, ..., nL.

    Returns
    -------
    LipschitzBound

    Raises
    ------
    InvalidInput
        A clip that is not positive, fewer than two widths, or a width below 1.

    Examples
    --------
    >>> f"{clipped_constant(0.01, [2, 32, 32, 1]).value:.12g}"
    '0.00144815468787'
    """
    if not clip > 0:
        raise invalid("clip", "be positive", repr(clip), "WGAN's first version uses 0.01.")
    if len(widths) < 2 or min(widths) < 1:
        raise invalid("widths", "hold at least two positive integers", repr(list(widths)), "Inputs first, output last.")
    value = prod(clip * sqrt(n_in * n_out) for n_in, n_out in zip(widths, widths[1:], strict=False))
    return LipschitzBound(value, "upper", "product of c sqrt(n_out n_in), attained by weights all equal to c")


def spectrally_normalised(W: Any) -> Array:
    """W divided by a proved upper bound of |W|_2: its spectral norm is at most 1, and 1 but for rounding.

    Dividing by the Frobenius norm instead shrinks too much.

    Parameters
    ----------
    W : array_like [m, n]
        Not zero.

    Returns
    -------
    ndarray [m, n]

    Raises
    ------
    InvalidInput
        W zero or not a finite matrix.

    Examples
    --------
    >>> spectrally_normalised([[2.0, 0.0], [0.0, 1.0]]).round(9).tolist()
    [[1.0, 0.0], [0.0, 0.5]]
    """
    W = as_matrix("W", W)
    upper = spectral_norm(W).bounds.upper
    if upper == 0:
        raise invalid("W", "not be zero", "a zero matrix", "A zero layer cannot be scaled to norm 1.")
    return W / upper


def along_line(slope: Callable[[Array], Array], x: float, y: float, *, nodes: int = 100_000) -> tuple[float, float]:
    """The two upper ends of the chain |f(x) - f(y)| <= integral of |f'| <= max |f'| |x - y| on [x, y].

    Parameters
    ----------
    slope : callable
        f', vectorised.
    x, y : float
    nodes : int
        Points of the composite Gauss-Legendre rule (rounded up to a multiple of 5).

    Returns
    -------
    (float, float)
        The integral, and the largest |f'| at the nodes and the ends times |x - y| (a lower estimate of
        the maximum).

    Notes
    -----
    f has to be absolutely continuous.

    Examples
    --------
    >>> [round(v, 6) for v in along_line(lambda t: 3 * np.cos(3 * t), 0.2, 1.7)]
    [2.509543, 4.5]
    """
    local, weights = np.polynomial.legendre.leggauss(5)
    edges = np.linspace(min(x, y), max(x, y), max(1, -(-nodes // 5)) + 1)
    half = np.diff(edges)[:, None] / 2
    t = (edges[:-1, None] + half) + half * local
    values = np.abs(slope(t.ravel())).reshape(t.shape)
    ends = np.abs(slope(np.asarray([x, y], dtype=np.float64)))
    return float((values * half * weights).sum()), float(max(values.max(), ends.max()) * abs(y - x))
