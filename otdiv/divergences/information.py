"""Entropy, cross entropy, and the integrand of KL at single points."""

from __future__ import annotations

from typing import Any

import numpy as np

from otdiv.core.validation import Array
from otdiv.divergences.pmf import DivergenceValue, as_densities, as_pmf, as_pmf_pair, explained, log_of_base
from otdiv.divergences.terms import add_up, log_ratio, power_terms
from otdiv.measures.discrete import DiscreteMeasure


def entropy(p: Any, *, base: float | None = None, normalize: bool = False) -> DivergenceValue:
    """Shannon entropy H(P) = -sum p log p, in [0, log n].

    Parameters
    ----------
    p : array_like [n], or DiscreteMeasure
        A pmf of mass 1 within 1e-9, or a measure, whose repeated points are merged first.
    base : float, optional
        Base of the logarithm, above 1; None is e, the result then in nats.
    normalize : bool
        Divide ``p`` by its mass first.

    Returns
    -------
    DivergenceValue
        0 for a single atom, log n for n equal ones.

    Raises
    ------
    InvalidInput
        Not a pmf, or a mass other than 1 while ``normalize`` is False.

    Notes
    -----
    C. Shannon, A mathematical theory of communication, 1948.

    Examples
    --------
    >>> entropy([0.25, 0.25, 0.25, 0.25], base=2)
    2.0
    """
    unit = log_of_base(base)
    pmf = as_pmf("p", p.merged().weights if isinstance(p, DiscreteMeasure) else p, normalize=normalize)
    held = pmf[pmf > 0]
    return DivergenceValue(max(-add_up(held * np.log(held)), 0.0) / unit, "H(P)")


def cross_entropy(p: Any, q: Any, *, base: float | None = None, normalize: bool = False) -> DivergenceValue:
    """Cross entropy -sum p log q = H(P) + KL(P || Q).

    At least H(P), with equality only for p = q; not symmetric and not a divergence.

    Parameters
    ----------
    p, q : array_like [n], or DiscreteMeasure
        Two pmfs on the same atoms, each of mass 1 within 1e-9, or two measures.
    base : float, optional
        Base of the logarithm, above 1; None is e, the result then in nats.
    normalize : bool
        Divide each argument by its mass first.

    Returns
    -------
    DivergenceValue
        inf where P has mass that Q has not.

    Raises
    ------
    InvalidInput
        As in :func:`otdiv.divergences.kl`.

    Notes
    -----
    Written H(P || Q) in some texts, which invites confusion with KL.

    Examples
    --------
    >>> round(cross_entropy([0.3, 0.7], [0.5, 0.5]), 12)
    0.69314718056
    """
    unit = log_of_base(base)
    pair = as_pmf_pair(p, q, normalize=normalize)
    terms = np.zeros_like(pair.p)
    shared = (pair.p > 0) & (pair.q > 0)
    terms[shared] = -pair.p[shared] * np.log(pair.q[shared])
    terms[(pair.p > 0) & (pair.q == 0)] = np.inf
    return explained("H(P, Q)", max(add_up(terms), 0.0) / unit, pair.singular_part())


def kl_integrand(p: Any, q: Any) -> Array:
    """The integrand p log(p / q) of KL, point by point; of either sign.

    One value of it is not a divergence: it is negative wherever p < q, while KL is never negative.

    Parameters
    ----------
    p, q : array_like, broadcast together
        Masses or densities, finite and >= 0; no total is required.

    Returns
    -------
    ndarray
        In nats, of the broadcast shape; 0 where p = 0, inf where q = 0 < p.

    Raises
    ------
    InvalidInput
        Negative, NaN or infinite entries, or shapes that do not broadcast.

    Examples
    --------
    >>> float(kl_integrand(0.999999, 0.000001))
    13.815495742454216
    """
    a, b = as_densities(p, q)
    values = np.zeros_like(a)
    shared = (a > 0) & (b > 0)
    values[shared] = a[shared] * log_ratio(a[shared], b[shared])
    values[(a > 0) & (b == 0)] = np.inf
    return values


def kl_integrand_nonnegative(p: Any, q: Any) -> Array:
    """The integrand p log(p / q) - p + q of KL, point by point; never negative.

    Integrated over two pmfs or densities of mass 1 it gives the same KL as :func:`kl_integrand`,
    but a point where p is small and q is not costs about q instead of nothing.

    Parameters
    ----------
    p, q : array_like, broadcast together
        Masses or densities, finite and >= 0; no total is required.

    Returns
    -------
    ndarray
        In nats, of the broadcast shape, >= 0; q where p = 0, inf where q = 0 < p.

    Raises
    ------
    InvalidInput
        Negative, NaN or infinite entries, or shapes that do not broadcast.

    Notes
    -----
    The Bregman divergence of t log t.

    Examples
    --------
    >>> round(float(kl_integrand_nonnegative(0.000001, 0.999999)), 12)
    0.99998418449
    """
    a, b = as_densities(p, q)
    return power_terms(a, b, 1.0)
