"""The pointwise terms whose sums are divergences, accurate for every pair of floats.

Each term is non-negative: p log(p/q) - p + q rather than p log(p/q), and so on.
For pmfs both sums agree, but the non-negative one keeps its relative accuracy
where p and q nearly agree, and is free, to first order, of the rounding left in
the masses.
"""

from __future__ import annotations

import math

import numpy as np

from otdiv.core.validation import Array

_CLOSE = 0.1
"""Relative difference below which the power series is used; a larger one needs more of its terms."""
_SERIES = 20
"""Terms of the power series; they fall faster than 0.1**k, so that 20 reach float64 and more change nothing."""


def log_ratio(p: Array, q: Array) -> Array:
    """log(p / q) without overflow of the quotient; p, q > 0, down to the smallest denormal."""
    mantissa_p, exponent_p = np.frexp(p)
    mantissa_q, exponent_q = np.frexp(q)
    return np.log(mantissa_p / mantissa_q) + (exponent_p - exponent_q) * math.log(2.0)


def power_terms(p: Array, q: Array, order: float, difference: Array | None = None) -> Array:
    """q phi(p / q) with phi(t) = (t**a - 1 - a (t - 1)) / (a (a - 1)), a = ``order``.

    a = 1 is p log(p/q) - p + q (Kullback-Leibler), a = 0 the same with p and q exchanged,
    a = 1/2 is 2 (sqrt p - sqrt q)**2 and a = 2 is (p - q)**2 / (2 q).

    Parameters
    ----------
    p, q : ndarray [n]
        Non-negative; inf where q = 0 < p (for a >= 1) or p = 0 < q (for a <= 0).
    order : float
        Any real a.
    difference : ndarray [n], optional
        p - q where the caller knows it better than the subtraction of rounded numbers.

    Returns
    -------
    ndarray [n], each >= 0; inf also where the term exceeds the largest float.
    """
    if difference is None:
        difference = p - q
    if order < 0.5:  # phi_a(t) = t phi_{1-a}(1/t): half of the orders is enough
        return power_terms(q, p, 1.0 - order, -difference)
    terms = np.zeros_like(q)
    both = (p > 0) & (q > 0)
    close = both & (np.abs(difference) * max(1.0, order) <= _CLOSE * q)
    far = both & ~close
    with np.errstate(over="ignore", under="ignore"):
        u = difference[close] / q[close]
        terms[close] = difference[close] * u * _series(u, order)
        terms[far] = (_weighted_log(p[far], log_ratio(p[far], q[far]), order - 1.0) - difference[far]) / order
        terms[(p == 0) & (q > 0)] = q[(p == 0) & (q > 0)] / order
        alone = (p > 0) & (q == 0)
        terms[alone] = np.inf if order >= 1.0 else p[alone] / (1.0 - order)
    return np.maximum(terms, 0.0)


def _weighted_log(p: Array, ratio: Array, power: float) -> Array:
    """p ((p/q)**power - 1) / power, which is p log(p/q) at power 0; ``ratio`` is log(p/q)."""
    if power == 0.0:
        return p * ratio
    growth = power * ratio
    beyond = np.exp(np.log(p) + growth)  # where the power alone overflows, its product with p may not
    return np.where(growth > 600.0, beyond, p * np.expm1(np.minimum(growth, 600.0))) / power


def _series(u: Array, order: float) -> Array:
    """phi(1 + u) / u**2 = 1/2 + (a-2)/6 u + (a-2)(a-3)/24 u**2 + ..., by Horner's rule."""
    coefficients = [0.5]
    for k in range(2, _SERIES):
        coefficients.append(coefficients[-1] * (order - k) / (k + 1))
    value = np.zeros_like(u)
    for coefficient in reversed(coefficients):
        value = value * u + coefficient
    return value


def mixture_terms(p: Array, q: Array, weight: float) -> Array:
    """The terms of w KL(p || m) + (1 - w) KL(q || m) with m = w p + (1 - w) q; each >= 0."""
    m = weight * p + (1.0 - weight) * q
    gap = p - q  # p - m and q - m are multiples of it; subtracting the rounded m would lose digits
    first = power_terms(p, m, 1.0, (1.0 - weight) * gap)
    second = power_terms(q, m, 1.0, -weight * gap)
    terms = weight * first + (1.0 - weight) * second
    return np.where(m > 0, terms, 0.0)


def add_up(terms: Array) -> float:
    """Correctly rounded sum of terms above -inf; inf if it exceeds the largest float."""
    try:
        return math.fsum(terms.tolist())
    except OverflowError:
        return math.inf
