"""Divergences of two pmfs without a logarithm: total variation, Hellinger and chi-square.

Every function takes two pmfs p, q [n], or two DiscreteMeasure which are first
brought onto their common support.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from otdiv.divergences.pmf import DivergenceValue, as_pmf_pair, explained
from otdiv.divergences.terms import add_up, power_terms


def total_variation(p: Any, q: Any, *, normalize: bool = False) -> DivergenceValue:
    """Total variation distance 1/2 sum |p - q|, the largest difference P(A) - Q(A).

    A metric in [0, 1]; 1 exactly when no atom is shared.

    Parameters
    ----------
    p, q, normalize
        As in :func:`otdiv.divergences.kl`.

    Returns
    -------
    DivergenceValue
        A difference of probabilities, without unit.

    Raises
    ------
    InvalidInput
        As in :func:`otdiv.divergences.kl`.

    Notes
    -----
    The optimal transport cost for the 0/1 distance.

    Examples
    --------
    >>> round(total_variation([0.5, 0.3, 0.2], [0.2, 0.2, 0.6]), 12)
    0.4
    """
    pair = as_pmf_pair(p, q, normalize=normalize)
    return DivergenceValue(min(0.5 * add_up(np.abs(pair.p - pair.q)), 1.0), "TV(P, Q)")


def hellinger_squared(p: Any, q: Any, *, normalize: bool = False) -> DivergenceValue:
    """Squared Hellinger distance 1 - sum sqrt(p q) = 1/2 sum (sqrt p - sqrt q)**2.

    The convention with the factor 1/2: symmetric, in [0, 1], 1 exactly when no atom is shared.

    Parameters
    ----------
    p, q, normalize
        As in :func:`otdiv.divergences.kl`.

    Returns
    -------
    DivergenceValue
        Without unit, always finite.

    Raises
    ------
    InvalidInput
        As in :func:`otdiv.divergences.kl`.

    Notes
    -----
    Computed from the second form, which does not cancel where p and q nearly agree.

    Examples
    --------
    >>> round(hellinger_squared([0.5, 0.3, 0.2], [0.2, 0.2, 0.6]), 12)
    0.092413098191
    """
    pair = as_pmf_pair(p, q, normalize=normalize)
    roots = np.sqrt(pair.p) + np.sqrt(pair.q)
    gaps = np.divide(pair.p - pair.q, roots, out=np.zeros_like(roots), where=roots > 0)  # sqrt p - sqrt q
    return DivergenceValue(min(0.5 * add_up(gaps**2), 1.0), "H^2(P, Q)")


def hellinger(p: Any, q: Any, *, normalize: bool = False) -> DivergenceValue:
    """Hellinger distance sqrt(1 - sum sqrt(p q)), a metric in [0, 1].

    Parameters
    ----------
    p, q, normalize
        As in :func:`otdiv.divergences.kl`.

    Returns
    -------
    DivergenceValue
        The root of :func:`hellinger_squared`; symmetric.

    Raises
    ------
    InvalidInput
        As in :func:`otdiv.divergences.kl`.

    Notes
    -----
    H^2 <= TV <= H sqrt(2 - H^2) (L. Le Cam, Asymptotic Methods in Statistical Decision Theory, 1986).

    Examples
    --------
    >>> hellinger([1.0, 0.0], [0.0, 1.0])
    1.0
    """
    return DivergenceValue(math.sqrt(hellinger_squared(p, q, normalize=normalize)), "H(P, Q)")


def chi_square(p: Any, q: Any, *, normalize: bool = False) -> DivergenceValue:
    """Pearson's chi-square divergence sum (p - q)**2 / q.

    Non-negative, not symmetric, unbounded; inf where P has mass that Q has not.
    It dominates KL: KL(P || Q) <= log(1 + chi_square(p, q)).

    Parameters
    ----------
    p, q, normalize
        As in :func:`otdiv.divergences.kl`.

    Returns
    -------
    DivergenceValue
        Without unit.

    Raises
    ------
    InvalidInput
        As in :func:`otdiv.divergences.kl`.

    Notes
    -----
    K. Pearson, 1900; n times it is the statistic of the goodness-of-fit test.

    Examples
    --------
    >>> round(chi_square([0.5, 0.3, 0.2], [0.2, 0.2, 0.6]), 12)
    0.766666666667
    """
    pair = as_pmf_pair(p, q, normalize=normalize)
    return explained("chi^2(P || Q)", 2.0 * add_up(power_terms(pair.p, pair.q, 2.0)), pair.singular_part())


def chi_square_reverse(p: Any, q: Any, *, normalize: bool = False) -> DivergenceValue:
    """Neyman's chi-square divergence sum (q - p)**2 / p, Pearson's with the arguments exchanged.

    Non-negative, not symmetric, unbounded; inf where Q has mass that P has not.

    Parameters
    ----------
    p, q, normalize
        As in :func:`otdiv.divergences.kl`.

    Returns
    -------
    DivergenceValue
        Without unit.

    Raises
    ------
    InvalidInput
        As in :func:`otdiv.divergences.kl`.

    Notes
    -----
    J. Neyman, Contribution to the theory of the chi-square test, 1949.

    Examples
    --------
    >>> round(chi_square_reverse([0.5, 0.3, 0.2], [0.2, 0.2, 0.6]), 12)
    1.013333333333
    """
    pair = as_pmf_pair(p, q, normalize=normalize)
    return explained(
        "chi^2(Q || P)", 2.0 * add_up(power_terms(pair.q, pair.p, 2.0)), pair.swapped().singular_part("Q", "P")
    )
