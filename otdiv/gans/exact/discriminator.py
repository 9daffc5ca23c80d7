"""The discriminator of a GAN on pmfs: the optimum D* and the objective L(G, D) it maximises.

p_r is the real pmf, p_g the generated one.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.special import expit

from otdiv.core.validation import Array, as_float_array, invalid, require_finite
from otdiv.divergences.kl_js import js
from otdiv.divergences.pmf import as_densities, as_pmf_pair

NAMES = ("p_r", "p_g")


def optimal_discriminator(p_r: Any, p_g: Any, *, normalize: bool = False) -> Array:
    """D* = p_r / (p_r + p_g), which maximises L(G, D).

    It is the posterior probability of "real" at even odds, see :func:`posterior_real`.

    Parameters
    ----------
    p_r, p_g : array_like [n], or DiscreteMeasure
        Two pmfs on the same atoms, each of mass 1 within 1e-9, or two measures; then D* is on the
        points of their common support.
    normalize : bool
        Divide each argument by its mass first.

    Returns
    -------
    ndarray [n]
        In [0, 1]; nan where neither has mass, since D* is not defined there.

    Raises
    ------
    InvalidInput
        As in :func:`otdiv.divergences.kl`.

    Examples
    --------
    >>> optimal_discriminator([0.5, 0.3, 0.2], [0.2, 0.2, 0.6]).round(6).tolist()
    [0.714286, 0.6, 0.25]
    """
    pair = as_pmf_pair(p_r, p_g, normalize=normalize, names=NAMES)
    return posterior_real(pair.p, pair.q)


def posterior_real(p_r: Any, p_g: Any, *, prior: float = 0.5) -> Array:
    """Bayes' rule, point by point: P(real | x) = w p_r / (w p_r + (1 - w) p_g), w = ``prior``.

    Parameters
    ----------
    p_r, p_g : array_like, broadcast together
        Masses or densities at the points x, finite and >= 0; no total is required.
    prior : float
        Probability w that a point is drawn from p_r, strictly between 0 and 1.

    Returns
    -------
    ndarray
        In [0, 1], of the broadcast shape; nan where both are 0.

    Raises
    ------
    InvalidInput
        Negative, NaN or infinite entries, shapes that do not broadcast, or ``prior`` outside (0, 1).

    Notes
    -----
    Equal to :func:`optimal_discriminator` for prior = 1/2 only.

    Examples
    --------
    >>> posterior_real([3.0, 1.0], [1.0, 1.0]).tolist()
    [0.75, 0.5]
    >>> posterior_real([3.0, 1.0], [1.0, 1.0], prior=0.25).tolist()
    [0.5, 0.25]
    """
    if not 0.0 < prior < 1.0:
        raise invalid(
            "prior", "lie strictly between 0 and 1", repr(prior), "Use 0.5 for as many real as generated points."
        )
    a, b = as_densities(p_r, p_g, names=NAMES)
    size = np.maximum(a, b)
    # relative to the larger of the two, so that half of the smallest float does not vanish
    real = prior * np.divide(a, size, out=np.full_like(size, np.nan), where=size > 0)
    generated = (1.0 - prior) * np.divide(b, size, out=np.full_like(size, np.nan), where=size > 0)
    return np.asarray(real / (real + generated))


def gan_loss(discriminator: Any, p_r: Any, p_g: Any, *, normalize: bool = False) -> float:
    """GAN objective L(G, D) = E_{p_r} log D + E_{p_g} log(1 - D), which D maximises.

    Parameters
    ----------
    discriminator : array_like [n]
        D in [0, 1] on each atom; ignored where neither pmf has mass.
    p_r, p_g, normalize
        As in :func:`optimal_discriminator`.

    Returns
    -------
    float
        In nats, at most 0; -inf where D is wrong with certainty.

    Raises
    ------
    InvalidInput
        As in :func:`otdiv.divergences.kl`; D of another length, outside [0, 1], or NaN where there is mass.

    Examples
    --------
    >>> round(gan_loss([0.8, 0.5, 0.3], [0.5, 0.3, 0.2], [0.2, 0.2, 0.6]), 12)
    -1.234832475652
    """
    pair = as_pmf_pair(p_r, p_g, normalize=normalize, names=NAMES)
    d = as_discriminator(discriminator, pair.p, pair.q)
    return expectation(pair.p, log(d)) + expectation(pair.q, log1m(d))


def optimal_gan_loss(p_r: Any, p_g: Any, *, normalize: bool = False) -> float:
    """L(G, D*) = 2 JS(p_r || p_g) - 2 log 2, the largest GAN objective for this generator.

    Parameters
    ----------
    p_r, p_g, normalize
        As in :func:`optimal_discriminator`.

    Returns
    -------
    float
        In nats, from -2 log 2 (p_g = p_r) to 0 (no atom shared); symmetric.

    Raises
    ------
    InvalidInput
        As in :func:`otdiv.divergences.kl`.

    Examples
    --------
    >>> round(optimal_gan_loss([0.5, 0.3, 0.2], [0.2, 0.2, 0.6]), 12)
    -1.205162661209
    """
    pair = as_pmf_pair(p_r, p_g, normalize=normalize, names=NAMES)
    return 2.0 * js(pair.p, pair.q) - 2.0 * math.log(2.0)


def gan_loss_logit_gradient(logits: Any, p_r: Any, p_g: Any, *, normalize: bool = False) -> Array:
    """Gradient of L(G, D) in the logits a of D = sigmoid(a): p_r - (p_r + p_g) D.

    It vanishes exactly at D = D*; chained with da/dw it is the discriminator's ascent direction.

    Parameters
    ----------
    logits : array_like [n]
        Finite.
    p_r, p_g, normalize
        As in :func:`optimal_discriminator`.

    Returns
    -------
    ndarray [n]

    Raises
    ------
    InvalidInput
        As in :func:`otdiv.divergences.kl`; logits of another length or not finite.

    Examples
    --------
    >>> gan_loss_logit_gradient([0.0, 0.0], [0.5, 0.5], [0.2, 0.8]).round(9).tolist()
    [0.15, -0.15]
    """
    pair = as_pmf_pair(p_r, p_g, normalize=normalize, names=NAMES)
    a = as_values("logits", logits, pair.p)
    return pair.p * expit(-a) - pair.q * expit(a)


def expectation(p: Array, values: Array) -> float:
    """sum p v over the atoms that carry mass, so that an infinite v without mass costs nothing."""
    held = p > 0
    return float(np.sum(p[held] * values[held]))


def as_values(name: str, value: Any, p: Array) -> Array:
    """A finite number for each atom of p."""
    array = as_float_array(name, value)
    if array.shape != p.shape:
        raise invalid(
            name,
            f"have shape {p.shape}, one value for each atom",
            f"shape {array.shape}",
            "Evaluate on the same atoms.",
        )
    require_finite(name, array)
    return array


def as_discriminator(value: Any, *pmfs: Array) -> Array:
    """D in [0, 1] for each atom, a number wherever one of the pmfs has mass."""
    d = as_float_array("discriminator", value)
    if d.shape != pmfs[0].shape:
        raise invalid(
            "discriminator",
            f"have shape {pmfs[0].shape}, one value for each atom",
            f"shape {d.shape}",
            "Evaluate it on the same atoms.",
        )
    held = np.any([p > 0 for p in pmfs], axis=0)
    bad = held & ~((d >= 0) & (d <= 1))
    if bad.any():
        where = int(np.argmax(bad))
        raise invalid(
            "discriminator",
            "lie in [0, 1] wherever there is mass",
            f"{d[where]} at index {where}",
            "Pass probabilities, not logits.",
        )
    return d


def log(d: Array) -> Array:
    """log d, -inf at 0, without a warning; nan stays nan."""
    return np.log(d, out=np.where(np.isnan(d), np.nan, -np.inf), where=d > 0)


def log1m(d: Array) -> Array:
    """log(1 - d), -inf at 1, without a warning; nan stays nan."""
    return np.log1p(-d, out=np.where(np.isnan(d), np.nan, -np.inf), where=d < 1)
