"""A proved Lipschitz constant of a network, layer by layer, far below the product of the layers' norms.

With differences d_0 of inputs and d_k of the k-th layer's outputs, a sequence of
positive definite forms Q_0 = I, Q_1, ... keeps d_k' Q_k d_k <= |d_0|^2.  Each step
holds if for some positive diagonal T, with slopes in [l, h],

    [ Q + l h W'T W      -(l + h)/2 W'T ]
    [ -(l + h)/2 T W      T - Q_next    ]   is positive semidefinite,

and |W_L d| <= sqrt(r) |d_0| if [ r I, W_L; W_L', Q ] is (Fazlyab, Robey, Hassani, Morari and
Pappas 2019 in one matrix; layer by layer Xu and Sivaranjani 2024).  Forms and
multipliers are a certificate: whatever they are, the check of these matrices proves the bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf, nextafter, sqrt

import numpy as np

from otdiv.core.rounding import UNIT
from otdiv.core.validation import Array, invalid
from otdiv.lipschitz.constants import LipschitzBound
from otdiv.lipschitz.layers import Layer, as_layers
from otdiv.lipschitz.multipliers import ITERATIONS, best_multipliers, first_multipliers, forms

RETREAT = 1e-6
"""Share of the first multipliers that is mixed into the best ones, multiplied by ten until all forms are provably
definite; a thousandth of it is taken off the forms, so that rounding leaves them so."""

LARGEST = 1e100
"""Of the numbers in a certificate; with their reciprocals they keep all products within float64."""


@dataclass(frozen=True, eq=False)
class LayerwiseCertificate:
    """Why a network's Lipschitz constant is at most ``sqrt(square)``.

    Attributes
    ----------
    weights : tuple of ndarray [n_k, n_(k-1)]
    slopes : tuple of (float, float)
        Ranges [l, h] of the slopes of the activations between them, one fewer.
    multipliers : tuple of ndarray [n_k]
        Positive.
    forms : tuple of ndarray [n_k, n_k]
        Symmetric, positive definite.
    square : float
        r.
    """

    weights: tuple[Array, ...]
    slopes: tuple[tuple[float, float], ...]
    multipliers: tuple[Array, ...]
    forms: tuple[Array, ...]
    square: float


def layerwise_constant(layers: Sequence[Layer], *, iterations: int = ITERATIONS) -> LipschitzBound:
    """Upper bound of the Lipschitz constant of a network, proved layer by layer.

    Parameters
    ----------
    layers : sequence of Layer
        The activation of the last one must have slope 1 (the identity).
    iterations : int
        Of the choice of multipliers; more of them make the bound smaller, up to LipSDP's optimum.

    Returns
    -------
    LipschitzBound
        Of kind "upper": in the Euclidean norm, for the weights as real numbers.

    Raises
    ------
    InvalidInput
        Shapes that do not fit, a last activation that is not the identity, or numbers that float64 cannot prove
        definite (a layer of zeros, weights beyond 1e100).

    Examples
    --------
    >>> from otdiv.lipschitz import Layer, activation
    >>> hidden = Layer([[1.0], [1.0]], [0.0, 1.0], activation("relu"))
    >>> bound = layerwise_constant([hidden, Layer([[1.0, -1.0]], [0.0], activation("identity"))])
    >>> round(bound.value, 2)  # relu(z) - relu(z + 1); the product of norms is 2
    1.0
    """
    return verify_layerwise(prove_layerwise(layers, iterations=iterations))


def prove_layerwise(layers: Sequence[Layer], *, iterations: int = ITERATIONS) -> LayerwiseCertificate:
    """The certificate of :func:`layerwise_constant`, for :func:`verify_layerwise`.

    Parameters
    ----------
    layers, iterations
        As :func:`layerwise_constant`.

    Returns
    -------
    LayerwiseCertificate

    Raises
    ------
    InvalidInput
        As :func:`layerwise_constant`.
    """
    chain = as_layers(layers)
    if chain[-1].activation.low != 1.0 or chain[-1].activation.high != 1.0:
        raise invalid("layers", "end with an affine map", "an activation", "Append an identity layer.")
    # a power of two for each layer: exact, and no form is far from 1
    powers = [int(np.frexp(max(float(np.linalg.norm(one.weight, 2)), 1e-300))[1]) for one in chain]
    weights = [np.ldexp(one.weight, -power) for one, power in zip(chain, powers, strict=True)]
    slopes = [(one.activation.low, one.activation.high) for one in chain[:-1]]
    first, best = first_multipliers(weights, slopes), best_multipliers(weights, slopes, iterations)
    retreat = RETREAT
    while retreat <= 1.0:
        # forms are concave in the multipliers: between the best, where one is singular, and the first none is
        chosen = np.log((1 - retreat) * np.exp(best) + retreat * np.exp(first))
        slack = retreat / 1000
        found = forms(chosen, weights, slopes, slack)
        if found is not None:
            square, multipliers, shrunk = found
            certificate = LayerwiseCertificate(
                tuple(weights), tuple(slopes), tuple(multipliers), tuple(shrunk), max(square, 1e-290) * (1 + slack)
            )
            if _fault(certificate) is None:
                return _rescaled(certificate, powers)
        retreat *= 10
    raise invalid("layers", "have forms that can be proved definite", "none", "Use the product of norms.")


def _rescaled(c: LayerwiseCertificate, powers: list[int]) -> LayerwiseCertificate:
    """The certificate of the weights before their powers of two were taken out."""
    total, multipliers, scaled_forms = 0, [], []
    for power, t, form in zip(powers[:-1], c.multipliers, c.forms, strict=True):
        total += power
        multipliers.append(np.ldexp(t, -2 * total))
        scaled_forms.append(np.ldexp(form, -2 * total))
    weights = tuple(np.ldexp(W, power) for W, power in zip(c.weights, powers, strict=True))
    square = float(np.ldexp(c.square, 2 * (total + powers[-1])))
    return replace(c, weights=weights, multipliers=tuple(multipliers), forms=tuple(scaled_forms), square=square)


def verify_layerwise(certificate: LayerwiseCertificate) -> LipschitzBound:
    """Check a certificate; every matrix is proved positive semidefinite with all rounding errors counted.

    Parameters
    ----------
    certificate : LayerwiseCertificate
        From anywhere: nothing in it is believed.

    Returns
    -------
    LipschitzBound

    Raises
    ------
    InvalidInput
        A certificate that proves nothing, with the layer at which it fails.
    """
    fault = _fault(certificate)
    if fault is not None:
        raise invalid("certificate", "prove its bound", fault, "Make it again by prove_layerwise.")
    value = nextafter(sqrt(certificate.square) * (1 + 4 * UNIT), inf)
    return LipschitzBound(value, "upper", f"{len(certificate.weights)} layers, each step a verified definite matrix")


def _fault(c: LayerwiseCertificate) -> str | None:
    """The first fault of a certificate, or None."""
    if not (len(c.weights) == len(c.slopes) + 1 == len(c.multipliers) + 1 == len(c.forms) + 1):
        return "numbers of layers that differ"
    numbers = (*c.weights, *c.multipliers, *c.forms, np.asarray(c.slopes), np.asarray([c.square]))
    if not all(np.isfinite(part).all() for part in numbers):
        return "NaN or infinity"
    diagonals = [*c.multipliers, *(np.diag(form) for form in c.forms), np.asarray([c.square])]
    largest = max(float(np.abs(part).max()) for part in numbers if part.size)
    if largest > LARGEST or not all((part > 1 / LARGEST).all() for part in diagonals):
        return f"numbers beyond {LARGEST:g}, or multipliers, diagonals or a square that are not above {1 / LARGEST:g}"
    form = np.eye(c.weights[0].shape[1])
    for k, (W, (low, high), t, after) in enumerate(zip(c.weights[:-1], c.slopes, c.multipliers, c.forms, strict=True)):
        if W.shape != (len(t), len(form)) or after.shape != (len(t), len(t)):
            return f"shapes that do not fit at layer {k}"
        if not (low <= high and np.array_equal(after, after.T)):
            return f"slopes out of order or a form that is not symmetric at layer {k}"
        if not _step_holds(W, low, high, t, form, after):
            return f"a matrix that is not proved positive semidefinite at layer {k}"
        form = after
    last, n = c.weights[-1], len(form)
    if last.shape[1] != n or not c.square > 0:
        return "shapes that do not fit at the last layer, or a square that is not positive"
    whole = np.block([[c.square * np.eye(len(last)), last], [last.T, form]])
    return None if positive_semidefinite(whole, np.zeros_like(whole)) else "a last matrix that is not proved"


def _step_holds(W: Array, low: float, high: float, t: Array, form: Array, after: Array) -> bool:
    """Whether the matrix of one step is proved positive semidefinite."""
    middle, product, size = (low + high) / 2, low * high, np.abs(W)
    scaled = W * t[:, None]
    corner = (W.T * t) @ W
    weight = (size.T * t) @ size
    whole = np.block([[form + product * corner, -middle * scaled.T], [-middle * scaled, np.diag(t) - after]])
    error = np.zeros_like(whole)
    n = len(form)
    # sums of len(t) products of three factors, then one product and one sum
    error[:n, :n] = 2 * (len(t) + 8) * UNIT * abs(product) * weight + 2 * UNIT * np.abs(whole[:n, :n])
    error[n:, :n] = 8 * UNIT * abs(middle) * np.abs(scaled)
    error[:n, n:] = error[n:, :n].T
    error[n:, n:] = 2 * UNIT * (np.diag(t) + np.abs(after))
    # middle and product are rounded, too: relative 2 u, where slopes of both signs cancel by their sizes
    error[:n, :n] += 4 * UNIT * abs(low * high) * weight
    error[n:, :n] += 2 * UNIT * (abs(low) + abs(high)) * np.abs(scaled)
    error[:n, n:] = error[n:, :n].T
    return positive_semidefinite(whole, error)


def positive_semidefinite(H: Array, error: Array) -> bool:
    """Whether every symmetric matrix within ``error``, entry by entry, of H is proved positive semidefinite.

    H is scaled to diagonal entries in [1, 4) by powers of two, which is exact and changes no sign; then if the
    floating-point Cholesky factorisation of H - m I runs to its end, H - m I is positive semidefinite up to
    2 (n + 3) u trace (Rump, Verification of positive definiteness, 2006), which m exceeds, together with the norm of
    the errors, at most their largest row sum.

    Parameters
    ----------
    H, error : ndarray [n, n]
        H symmetric up to ``error``; error not negative.
    """
    diagonal = np.diag(H)
    if not (np.isfinite(H).all() and (diagonal > 0).all()):
        return False
    n = len(H)
    halves = (np.frexp(diagonal)[1] - 1) // 2
    scale = -(halves[:, None] + halves)
    H, error = np.ldexp(H, scale), np.ldexp(error, scale)
    asymmetry = np.abs(H - H.T)
    trace = float(np.trace(H))
    margin = 1.01 * (float((error + asymmetry).sum(axis=1).max()) + (2 * (n + 3) + 8) * UNIT * trace + n * 1e-100)
    try:
        np.linalg.cholesky((H + H.T) / 2 - margin * np.eye(n))
    except np.linalg.LinAlgError:
        return False
    return True
