"""The families with an order: alpha divergences and Renyi divergences."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from otdiv.core.validation import invalid
from otdiv.divergences.pmf import DivergenceValue, PmfPair, as_pmf_pair, explained, log_of_base
from otdiv.divergences.terms import add_up, log_ratio, power_terms


def alpha_divergence(p: Any, q: Any, order: float, *, normalize: bool = False) -> DivergenceValue:
    """Alpha divergence (sum p**a q**(1 - a) - 1) / (a (a - 1)), a = ``order``.

    Non-negative; exchanging P and Q turns a into 1 - a, so it is symmetric for a = 1/2 only.
    Continuous in a, with a = 1: KL(P || Q); a = 0: KL(Q || P); a = 1/2: 4 H^2; a = 2: half of
    Pearson's chi-square; a = -1: half of Neyman's.

    Parameters
    ----------
    p, q : array_like [n], or DiscreteMeasure
        Two pmfs on the same atoms, each of mass 1 within 1e-9, or two measures.
    order : float
        Any finite real number a.
    normalize : bool
        Divide each argument by its mass first.

    Returns
    -------
    DivergenceValue
        inf where P has mass outside the support of Q (a >= 1), or Q outside that of P (a <= 0);
        at most 1 / (a (1 - a)) in between.

    Raises
    ------
    InvalidInput
        As in :func:`otdiv.divergences.kl`; or ``order`` not finite.

    Notes
    -----
    The convention of A. Cichocki and S. Amari, Families of alpha-, beta- and gamma-divergences, 2010.

    Examples
    --------
    >>> round(alpha_divergence([0.5, 0.3, 0.2], [0.2, 0.2, 0.6], 2.0), 12)
    0.383333333333
    """
    if not math.isfinite(order):
        raise invalid("order", "be a finite number", repr(order), "Use renyi for the order inf.")
    pair = as_pmf_pair(p, q, normalize=normalize)
    value = add_up(power_terms(pair.p, pair.q, float(order)))
    singular = pair.singular_part() if order >= 1 else pair.swapped().singular_part("Q", "P")
    return explained(f"D_{order:g}(P || Q)", value, singular)


def renyi(p: Any, q: Any, order: float, *, base: float | None = None, normalize: bool = False) -> DivergenceValue:
    """Renyi divergence log(sum p**a q**(1 - a)) / (a - 1), a = ``order`` >= 0.

    Non-negative and non-decreasing in a.  a = 1 is KL(P || Q), a = 0 is -log Q(p > 0),
    a = inf is log max p / q.  Symmetric for a = 1/2 only.

    Parameters
    ----------
    p, q : array_like [n], or DiscreteMeasure
        Two pmfs on the same atoms, each of mass 1 within 1e-9, or two measures.
    order : float
        a in [0, inf].
    base : float, optional
        Base of the logarithm, above 1; None is e, the result then in nats.
    normalize : bool
        Divide each argument by its mass first.

    Returns
    -------
    DivergenceValue
        inf where P has mass outside the support of Q (a >= 1), or where no atom is shared (a < 1).

    Raises
    ------
    InvalidInput
        As in :func:`otdiv.divergences.kl`; or ``order`` negative or NaN.

    Notes
    -----
    T. van Erven and P. Harremoes, Renyi divergence and Kullback-Leibler divergence, 2014.

    Examples
    --------
    >>> round(renyi([0.5, 0.3, 0.2], [0.2, 0.2, 0.6], 2.0), 9)
    0.569094532
    >>> renyi([0.5, 0.5], [0.25, 0.75], float("inf"), base=2)
    1.0
    """
    if not order >= 0:
        raise invalid("order", "be a number >= 0, or inf", repr(order), "For negative orders exchange p and q.")
    unit = log_of_base(base)
    pair = as_pmf_pair(p, q, normalize=normalize)
    return explained(f"R_{order:g}(P || Q)", max(_renyi(pair, float(order)), 0.0) / unit, pair.singular_part())


def _renyi(pair: PmfPair, order: float) -> float:
    """The value in nats, by the form that is accurate for this pair."""
    shared = (pair.p > 0) & (pair.q > 0)
    if not shared.any() or (order > 1 and bool(((pair.p > 0) & ~shared).any())):
        return math.inf
    p, q = pair.p[shared], pair.q[shared]
    if order == 1:
        return add_up(power_terms(pair.p, pair.q, 1.0))
    if order == 0:
        return -math.log(math.fsum(q.tolist()))
    if order == math.inf:
        return float(log_ratio(p, q).max())
    excess = order * (order - 1.0) * add_up(power_terms(pair.p, pair.q, order))  # sum p^a q^(1-a) - 1
    if abs(excess) < 0.5:  # keeps the digits where P and Q nearly agree, and for orders near 1
        return math.log1p(excess) / (order - 1.0)
    logs = np.log(p) + (order - 1.0) * log_ratio(p, q)
    top = float(logs.max())  # taken out so that no power overflows
    return (top + math.log(add_up(np.exp(logs - top)))) / (order - 1.0)
