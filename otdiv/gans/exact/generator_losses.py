"""What a generator minimises: the saturating and the -log D loss, and the divergences behind them.

p_r is the real pmf, p_g the generated one, D* their optimal discriminator.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from otdiv.core.validation import Array, as_float_array, require_finite
from otdiv.divergences.kl_js import js, kl
from otdiv.divergences.pmf import DivergenceValue, as_pmf, as_pmf_pair
from otdiv.divergences.terms import add_up, power_terms
from otdiv.gans.exact.discriminator import (
    NAMES,
    as_discriminator,
    as_values,
    expectation,
    log,
    log1m,
    optimal_discriminator,
)


def saturating_loss(discriminator: Any, p_g: Any, *, normalize: bool = False) -> float:
    """The generator's min-max loss E_{p_g} log(1 - D), to be minimised; at most 0.

    Parameters
    ----------
    discriminator : array_like [n]
        D in [0, 1] on each atom; ignored where p_g = 0.
    p_g : array_like [n]
        The generated pmf.
    normalize : bool
        Divide ``p_g`` by its mass first.

    Returns
    -------
    float
        In nats; -inf where D = 1 on generated mass.

    Raises
    ------
    InvalidInput
        Not a pmf; D of another length or outside [0, 1].

    Examples
    --------
    >>> round(saturating_loss([0.5, 0.5], [0.3, 0.7]), 12)
    -0.69314718056
    """
    p = as_pmf("p_g", p_g, normalize=normalize)
    return expectation(p, log1m(as_discriminator(discriminator, p)))


def non_saturating_loss(discriminator: Any, p_g: Any, *, normalize: bool = False) -> float:
    """The generator's "-log D" loss E_{p_g}[-log D], to be minimised; at least 0.

    Another objective, not an approximation of :func:`saturating_loss`: the values differ even
    in sign.  At a fixed D both prefer the same direction in the logit.

    Parameters
    ----------
    discriminator, p_g, normalize
        As in :func:`saturating_loss`.

    Returns
    -------
    float
        In nats; inf where D = 0 on generated mass.

    Raises
    ------
    InvalidInput
        As in :func:`saturating_loss`.

    Notes
    -----
    I. Goodfellow and others, Generative adversarial nets, 2014.

    Examples
    --------
    >>> round(non_saturating_loss([0.5, 0.5], [0.3, 0.7]), 12)
    0.69314718056
    """
    p = as_pmf("p_g", p_g, normalize=normalize)
    return -expectation(p, log(as_discriminator(discriminator, p)))


def saturating_slope(logits: Any) -> Array:
    """d/da log(1 - sigmoid(a)) = -D: vanishes where D is sure that the point is generated.

    Parameters
    ----------
    logits : array_like
        Finite; any shape.

    Returns
    -------
    ndarray
        In (-1, 0), of the same shape.

    Raises
    ------
    InvalidInput
        If a logit is not finite.

    Examples
    --------
    >>> float(saturating_slope(0.0))
    -0.5
    """
    a = as_float_array("logits", logits)
    require_finite("logits", a)
    return -np.asarray(expit(a))


def non_saturating_slope(logits: Any) -> Array:
    """d/da [-log sigmoid(a)] = -(1 - D): (1 - D) / D times :func:`saturating_slope`, of the same sign.

    Parameters
    ----------
    logits : array_like
        Finite; any shape.

    Returns
    -------
    ndarray
        In (-1, 0), of the same shape.

    Raises
    ------
    InvalidInput
        If a logit is not finite.

    Examples
    --------
    >>> float(non_saturating_slope(0.0))
    -0.5
    """
    a = as_float_array("logits", logits)
    require_finite("logits", a)
    return -np.asarray(expit(-a))


@dataclass(frozen=True)
class LogDIdentity:
    """E_{p_g}[-log D*] = KL(p_g || p_r) - 2 JS + 2 log 2 + E_{p_r} log D*, term by term, in nats.

    Attributes
    ----------
    loss : float
        The left side, summed directly.
    kl : float
        KL(p_g || p_r).
    js : float
        JS(p_r || p_g).
    real_term : float
        E_{p_r} log D*, which depends on p_g as well.
    """

    loss: float
    kl: float
    js: float
    real_term: float

    @property
    def right(self) -> float:
        """The right side of the identity."""
        return self.kl - 2.0 * self.js + 2.0 * math.log(2.0) + self.real_term


def log_d_identity(p_r: Any, p_g: Any, *, normalize: bool = False) -> LogDIdentity:
    """Both sides of the "-log D" identity at the optimal discriminator.

    Parameters
    ----------
    p_r, p_g, normalize
        As in :func:`otdiv.gans.optimal_discriminator`.

    Returns
    -------
    LogDIdentity
        Both sides are inf where p_g has mass that p_r has not.

    Raises
    ------
    InvalidInput
        As in :func:`otdiv.divergences.kl`.

    Examples
    --------
    >>> sides = log_d_identity([0.5, 0.3, 0.2], [0.2, 0.2, 0.6])
    >>> round(sides.loss, 12), round(sides.right, 12)
    (1.001236188749, 1.001236188749)
    """
    pair = as_pmf_pair(p_r, p_g, normalize=normalize, names=NAMES)
    log_d = log(optimal_discriminator(pair.p, pair.q))
    return LogDIdentity(
        -expectation(pair.q, log_d), float(kl(pair.q, pair.p)), float(js(pair.p, pair.q)), expectation(pair.p, log_d)
    )


def kl_minus_2js(p_r: Any, p_g: Any, *, normalize: bool = False) -> DivergenceValue:
    """KL(p_g || p_r) - 2 JS(p_r, p_g) = 2 KL(m || p_r), with m = (p_r + p_g) / 2.

    What a generator trained with -log D against D* follows to first order.  Non-negative, convex
    in p_g, zero only for p_g = p_r, not symmetric: a dropped mode is cheap, junk costs up to inf.

    Parameters
    ----------
    p_r, p_g, normalize
        As in :func:`otdiv.gans.optimal_discriminator`.

    Returns
    -------
    DivergenceValue
        In nats; inf where p_g has mass that p_r has not.

    Raises
    ------
    InvalidInput
        As in :func:`otdiv.divergences.kl`.

    Examples
    --------
    >>> round(kl_minus_2js([0.5, 0.3, 0.2], [0.2, 0.2, 0.6]), 12)
    0.213684505294
    """
    pair = as_pmf_pair(p_r, p_g, normalize=normalize, names=NAMES)
    singular = pair.swapped().singular_part("p_g", "p_r")
    if singular is not None:
        return DivergenceValue(math.inf, "KL(p_g || p_r) - 2 JS", *singular)
    half = 0.5 * (pair.q - pair.p)  # m - p_r
    return DivergenceValue(2.0 * add_up(power_terms(pair.p + half, pair.p, 1.0, half)), "KL(p_g || p_r) - 2 JS")


def softmax_gradient(values: Any, p_g: Any, *, normalize: bool = False) -> Array:
    """Gradient in theta of E_{p_g}[v] for p_g = softmax(theta), v held fixed: p_g (v - E_{p_g} v).

    With v = -log D* it is the gradient of KL(p_g || p_r) - 2 JS, with v = log(1 - D*) that of
    2 JS, and with v = log(p_g / p_r) that of KL(p_g || p_r): holding D* fixed loses nothing.

    Parameters
    ----------
    values : array_like [n]
        v on each atom, finite.
    p_g : array_like [n]
        The generated pmf, positive for a softmax.
    normalize : bool
        Divide ``p_g`` by its mass first.

    Returns
    -------
    ndarray [n]
        Sums to 0, since adding a constant to theta changes nothing.

    Raises
    ------
    InvalidInput
        Not a pmf; values of another length or not finite.

    Examples
    --------
    >>> softmax_gradient([1.0, 0.0], [0.25, 0.75]).tolist()
    [0.1875, -0.1875]
    """
    p = as_pmf("p_g", p_g, normalize=normalize)
    v = as_values("values", values, p)
    return p * (v - expectation(p, v))
