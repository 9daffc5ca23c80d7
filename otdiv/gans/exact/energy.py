"""Maximum-entropy generators and energies U, exactly: on the line, and on finitely many states.

The discriminator of an energy-based GAN is an energy U, low on data; its generator draws from q with two
wishes: low energy and high entropy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import log_softmax, logsumexp

from otdiv.core.validation import Array, as_float_array, invalid, require_finite
from otdiv.divergences.information import entropy
from otdiv.divergences.pmf import as_pmf
from otdiv.gans.exact.discriminator import as_values

QUADRATURE = 64
"""Nodes of the Gauss-Legendre rule on an interval: exact for polynomials up to degree 127."""


@dataclass(frozen=True)
class EnergyOnLine:
    """The best energy on an interval, with the terms of its objective.

    Attributes
    ----------
    real, generated : float
        E_p U and E_q U, for U = 0 at the left end.
    penalty : float
        weight * E_p U'^2.
    value : float
        real - generated + penalty, at most 0.
    slope : callable
        x -> U'(x) = (P(x) - Q(x)) / (2 weight p(x)).
    """

    real: float
    generated: float
    penalty: float
    value: float
    slope: Callable[[Array], Array]


def energy_on_line(
    density: Callable[[Array], Any],
    real_cdf: Callable[[Array], Any],
    generated_cdf: Callable[[Array], Any],
    interval: tuple[float, float],
    *,
    weight: float,
) -> EnergyOnLine:
    """The minimum over U of E_p U - E_q U + weight E_p |U'|^2 on an interval.

    By parts E_p U - E_q U = -int (P - Q) U', so that U' = (P - Q) / (2 weight p) point by point, and the value is
    -(1 / (4 weight)) int (P - Q)^2 / p.

    Parameters
    ----------
    density : callable
        Density p of the data, positive inside the interval; takes and gives arrays [k].
    real_cdf, generated_cdf : callable
        Distribution functions P and Q, 0 at the left end and 1 at the right.
    interval : (float, float)
    weight : float
        Of the penalty, positive.

    Returns
    -------
    EnergyOnLine

    Raises
    ------
    InvalidInput
        A weight that is not positive; an interval without length; a distribution function that does not go from 0
        to 1; a density that is not positive: where q has mass and p none, the objective has no minimum.

    Notes
    -----
    R. Kumar, S. Ozair, A. Goyal, A. Courville and Y. Bengio, Maximum entropy generators for energy-based models,
    2019.  Integrals by a Gauss-Legendre rule of 64 nodes.

    Examples
    --------
    >>> best = energy_on_line(np.ones_like, lambda x: x, lambda x: x**2, (0.0, 1.0), weight=10.0)
    >>> round(best.value * 1200, 9)
    -1.0
    """
    require_weight(weight)
    left, right = float(interval[0]), float(interval[1])
    if not left < right:
        raise invalid("interval", "go from a number to a larger one", f"({left}, {right})", "Exchange the ends.")
    ends = np.array([left, right])
    for name, cdf in (("real_cdf", real_cdf), ("generated_cdf", generated_cdf)):
        at_ends = np.asarray(cdf(ends), dtype=float)
        if not np.allclose(at_ends, [0.0, 1.0], rtol=0.0, atol=1e-9):
            raise invalid(
                name, "be 0 at the left end and 1 at the right", f"{at_ends.tolist()}", "Widen or narrow the interval."
            )
    nodes, masses = np.polynomial.legendre.leggauss(QUADRATURE)
    x = left + (right - left) * (nodes + 1.0) / 2.0
    masses = masses * (right - left) / 2.0
    p = np.broadcast_to(np.asarray(density(x), dtype=float), x.shape)
    if not (np.isfinite(p).all() and (p > 0).all()):
        raise invalid(
            "density",
            "be positive and finite inside the interval",
            f"{p.min()} at x = {x[np.argmin(p)]:.3g}",
            "Where the data have no density the penalty is silent, and an energy can fall without end.",
        )
    P, Q = (np.asarray(cdf(x), dtype=float) for cdf in (real_cdf, generated_cdf))

    def slope(at: Array) -> Array:
        gap = np.asarray(real_cdf(at), dtype=float) - np.asarray(generated_cdf(at), dtype=float)
        return np.asarray(gap / (2.0 * weight * np.asarray(density(at), dtype=float)))

    rise = (P - Q) / (2.0 * weight * p)
    real, generated = float(masses @ (rise * (1.0 - P))), float(masses @ (rise * (1.0 - Q)))
    penalty = weight * float(masses @ (p * rise**2))
    return EnergyOnLine(real, generated, penalty, real - generated + penalty, slope)


def gibbs(energy: Any) -> Array:
    """q proportional to exp(-U): the pmf that minimises E_q U - H(q), whose minimum is -log sum exp(-U).

    Parameters
    ----------
    energy : array_like [n]
        U at each state, finite.

    Returns
    -------
    ndarray [n]

    Raises
    ------
    InvalidInput
        Not one axis, or not finite.

    Examples
    --------
    >>> gibbs([0.0, 1.0, 2.0]).round(6).tolist()
    [0.665241, 0.244728, 0.090031]
    """
    u = _as_energy(energy)
    return np.asarray(np.exp(log_softmax(-u)))


def free_energy(energy: Any, q: Any, *, entropy_weight: float = 1.0, normalize: bool = False) -> float:
    """E_q U - w H(q), what the generator of an energy-based GAN minimises.

    With w = 1 the minimum over all q is -log Z, Z = sum exp(-U), at :func:`gibbs`.  Without the entropy (w = 0) the
    minimum is min U, at a single state: the generator collapses.

    Parameters
    ----------
    energy : array_like [n]
        U at each state, finite.
    q : array_like [n]
        A pmf on the same states.
    entropy_weight : float
        w >= 0.
    normalize : bool
        Divide ``q`` by its mass first.

    Returns
    -------
    float
        In nats; at least -log Z for w = 1.

    Raises
    ------
    InvalidInput
        As :func:`gibbs`; q not a pmf, or of another length; a negative weight.

    Examples
    --------
    >>> round(free_energy([0.0, 1.0, 2.0], gibbs([0.0, 1.0, 2.0])), 12)
    -0.407605964444
    >>> free_energy([0.0, 1.0, 2.0], [1.0, 0.0, 0.0], entropy_weight=0.0)
    0.0
    """
    if not 0.0 <= entropy_weight < np.inf:
        raise invalid("entropy_weight", "be a number >= 0", repr(entropy_weight), "1 is the entropy itself.")
    pmf = as_pmf("q", q, normalize=normalize)
    u = as_values("energy", energy, pmf)
    return float(pmf @ u) - entropy_weight * float(entropy(pmf, normalize=True))


def log_partition(energy: Any) -> float:
    """log Z = log sum exp(-U), minus the least value of :func:`free_energy`.

    Parameters
    ----------
    energy : array_like [n]
        U at each state, finite.

    Returns
    -------
    float

    Raises
    ------
    InvalidInput
        As :func:`gibbs`.

    Examples
    --------
    >>> round(log_partition([0.0, 1.0, 2.0]), 12)
    0.407605964444
    """
    return float(logsumexp(-_as_energy(energy)))


def require_weight(weight: float) -> None:
    """Refuse what is not a positive number.

    Raises
    ------
    InvalidInput
    """
    if not 0.0 < weight < np.inf:
        raise invalid("weight", "be a positive number", repr(weight), "Without a penalty the objective is unbounded.")


def _as_energy(energy: Any) -> Array:
    u = as_float_array("energy", energy)
    if u.ndim != 1 or u.size == 0:
        raise invalid("energy", "have shape [n] with n >= 1", f"shape {u.shape}", "Pass one energy for each state.")
    require_finite("energy", u)
    return u
