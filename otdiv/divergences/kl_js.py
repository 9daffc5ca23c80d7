"""Divergences of two pmfs with a logarithm: Kullback-Leibler, Jeffreys and Jensen-Shannon.

Every function takes two pmfs p, q [n], or two DiscreteMeasure which are first
brought onto their common support.  Natural logarithm; 0 log 0 = 0 and
p log(p / 0) = inf.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from otdiv.core.validation import invalid
from otdiv.divergences.pmf import DivergenceValue, as_pmf_pair, explained, log_of_base
from otdiv.divergences.terms import add_up, mixture_terms, power_terms
from otdiv.errors import OtdivError

ROUNDING = 1e-12
"""How far a bounded divergence may leave its range before that is an error; a larger one hides larger rounding."""


def kl(p: Any, q: Any, *, base: float | None = None, normalize: bool = False) -> DivergenceValue:
    """Kullback-Leibler divergence KL(P || Q) = sum p log(p / q).

    Non-negative, zero only for p = q, not symmetric, unbounded.

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
        inf where P has mass that Q has not; ``.reason`` then says how much and where.

    Raises
    ------
    InvalidInput
        Not pmfs, different lengths, or a mass other than 1 while ``normalize`` is False.

    Notes
    -----
    Summed as p log(p/q) - p + q, whose terms are non-negative.

    Examples
    --------
    >>> round(kl([0.5, 0.3, 0.2], [0.2, 0.2, 0.6]), 12)
    0.360062440636
    >>> kl([0.5, 0.5], [1.0, 0.0])
    inf (P puts mass 0.5 on 1 atom where Q has none: index 1.)
    """
    unit = log_of_base(base)
    pair = as_pmf_pair(p, q, normalize=normalize)
    return explained("KL(P || Q)", add_up(power_terms(pair.p, pair.q, 1.0)) / unit, pair.singular_part())


def kl_reverse(p: Any, q: Any, *, base: float | None = None, normalize: bool = False) -> DivergenceValue:
    """Reverse Kullback-Leibler divergence KL(Q || P) = sum q log(q / p).

    Non-negative, not symmetric, unbounded; inf where Q has mass that P has not.
    Minimised over q it seeks a mode of p; :func:`kl` covers all of them.

    Parameters
    ----------
    p, q, base, normalize
        As in :func:`kl`.

    Returns
    -------
    DivergenceValue
        In nats, or in the unit of ``base``.

    Raises
    ------
    InvalidInput
        As in :func:`kl`.

    Examples
    --------
    >>> round(kl_reverse([0.5, 0.3, 0.2], [0.2, 0.2, 0.6]), 12)
    0.394816205204
    """
    unit = log_of_base(base)
    pair = as_pmf_pair(p, q, normalize=normalize)
    return explained(
        "KL(Q || P)", add_up(power_terms(pair.q, pair.p, 1.0)) / unit, pair.swapped().singular_part("Q", "P")
    )


def jeffreys(p: Any, q: Any, *, base: float | None = None, normalize: bool = False) -> DivergenceValue:
    """Jeffreys divergence KL(P || Q) + KL(Q || P) = sum (p - q) log(p / q).

    Non-negative, symmetric, unbounded, not a metric.

    Parameters
    ----------
    p, q, base, normalize
        As in :func:`kl`.

    Returns
    -------
    DivergenceValue
        In nats, or in the unit of ``base``; ``singular_mass`` adds up both sides.

    Raises
    ------
    InvalidInput
        As in :func:`kl`.

    Notes
    -----
    H. Jeffreys, An invariant form for the prior probability in estimation problems, 1946.

    Examples
    --------
    >>> round(jeffreys([0.5, 0.3, 0.2], [0.2, 0.2, 0.6]), 12)
    0.75487864584
    """
    unit = log_of_base(base)
    pair = as_pmf_pair(p, q, normalize=normalize)
    value = add_up(power_terms(pair.p, pair.q, 1.0) + power_terms(pair.q, pair.p, 1.0)) / unit
    return explained("Jeffreys(P, Q)", value, pair.singular_part(), pair.swapped().singular_part("Q", "P"))


def js(p: Any, q: Any, *, weight: float = 0.5, base: float | None = None, normalize: bool = False) -> DivergenceValue:
    """Jensen-Shannon divergence w KL(P || M) + (1 - w) KL(Q || M), M = w P + (1 - w) Q.

    In [0, log 2] for w = 1/2 (in general at most the entropy of (w, 1 - w)); 0 only for
    p = q, and at the upper end exactly when no atom is shared.  Always finite; symmetric for w = 1/2.

    Parameters
    ----------
    p, q, base, normalize
        As in :func:`kl`.
    weight : float
        The share w of P in the mixture, 0 < w < 1.

    Returns
    -------
    DivergenceValue
        The divergence, not its root: see :func:`js_distance`.

    Raises
    ------
    InvalidInput
        As in :func:`kl`; or ``weight`` outside (0, 1).
    OtdivError
        If rounding took the value more than 1e-12 outside its range.

    Notes
    -----
    J. Lin, Divergence measures based on the Shannon entropy, 1991.

    Examples
    --------
    >>> round(js([0.5, 0.3, 0.2], [0.2, 0.2, 0.6]), 12)
    0.090565849955
    >>> js([1.0, 0.0], [0.0, 1.0], base=2)
    1.0
    """
    unit = log_of_base(base)
    if not 0.0 < weight < 1.0:
        raise invalid("weight", "lie strictly between 0 and 1", repr(weight), "Use 0.5 for the usual divergence.")
    pair = as_pmf_pair(p, q, normalize=normalize)
    sides = np.array([weight, 1.0 - weight])
    surprise = -sides * np.log(sides)  # their sum is reached when P and Q share no atom
    ceiling = float(surprise @ [math.fsum(pair.p.tolist()), math.fsum(pair.q.tolist())])
    value = add_up(mixture_terms(pair.p, pair.q, weight))
    return DivergenceValue(within("JS(P, Q)", value, ceiling, float(surprise.sum())) / unit, "JS(P, Q)")


def within(name: str, value: float, ceiling: float, top: float) -> float:
    """Clip ``value`` into [0, top], refusing one that rounding cannot explain.

    Parameters
    ----------
    name : str
        The divergence, for the message.
    value : float
        What was computed.
    ceiling : float
        The largest value possible for the masses as given, which differ from 1 by rounding.
    top : float
        The largest value possible for masses of exactly 1.

    Raises
    ------
    OtdivError
        If the value lies more than 1e-12 outside [0, ceiling], or is NaN.
    """
    if not -ROUNDING <= value <= ceiling + ROUNDING:
        raise OtdivError(f"{name} came out as {value!r}, outside [0, {ceiling!r}]: please report this as a defect.")
    return min(max(value, 0.0), top)


def js_distance(p: Any, q: Any, *, base: float | None = None, normalize: bool = False) -> DivergenceValue:
    """Jensen-Shannon distance sqrt(JS(P, Q)), a metric on pmfs, in [0, sqrt(log 2)].

    This root is what ``scipy.spatial.distance.jensenshannon`` returns; :func:`js` is its square.

    Parameters
    ----------
    p, q, base, normalize
        As in :func:`kl`.

    Returns
    -------
    DivergenceValue
        Symmetric, always finite.

    Raises
    ------
    InvalidInput
        As in :func:`kl`.

    Notes
    -----
    D. Endres and J. Schindelin, A new metric for probability distributions, 2003.

    Examples
    --------
    >>> round(js_distance([0.5, 0.3, 0.2], [0.2, 0.2, 0.6]), 9)
    0.300941606
    """
    return DivergenceValue(math.sqrt(js(p, q, base=base, normalize=normalize)), "sqrt(JS(P, Q))")
