"""f-divergences: the value for any convex f, and the variational form that a critic maximises.

D_f(P || Q) = sum q f(p / q) = sup_T E_P T - E_Q f*(T), attained at T = f'(p / q).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from otdiv.core.validation import Array, as_float_array, check_choice, invalid
from otdiv.divergences.convex_generators import GENERATORS, ConvexGenerator
from otdiv.divergences.pmf import DivergenceValue, PmfPair, as_pmf_pair, explained
from otdiv.divergences.terms import add_up
from otdiv.measures.discrete import MASS_TOLERANCE


def f_divergence(
    p: Any, q: Any, generator: ConvexGenerator | str | Callable[[Any], Any], *, normalize: bool = False
) -> DivergenceValue:
    """f-divergence D_f(P || Q) = sum q f(p / q) for a convex f with f(1) = 0.

    Mass of P where Q has none costs f'(inf) per unit, mass of Q where P has none f(0).
    Non-negative; symmetric only for some f.

    Parameters
    ----------
    p, q : array_like [n], or DiscreteMeasure
        Two pmfs on the same atoms, each of mass 1 within 1e-9, or two measures.
    generator : ConvexGenerator, str or callable
        A generator, the name of one in ``GENERATORS``, or a bare f(t), vectorised over t > 0.
    normalize : bool
        Divide each argument by its mass first.

    Returns
    -------
    DivergenceValue
        In the unit that f implies.

    Raises
    ------
    InvalidInput
        As in :func:`otdiv.divergences.kl`; an unknown name; f(1) != 0; a limit of f that is needed
        and not given; an f that is seen not to be convex.

    Notes
    -----
    I. Csiszar, 1967.  Summed as q f(p/q) - f'(1) (p - q), which is the same for pmfs and has
    non-negative terms.  For accuracy where p and q nearly agree use the named functions.

    Examples
    --------
    >>> round(f_divergence([0.5, 0.3, 0.2], [0.2, 0.2, 0.6], "kl"), 12)
    0.360062440636
    >>> round(f_divergence([0.5, 0.5], [0.25, 0.75], lambda t: abs(t - 1) / 2), 12)
    0.25
    """
    g = as_generator(generator)
    pair = as_pmf_pair(p, q, normalize=normalize)
    value = add_up(_terms(pair, g))
    if not value >= -10 * MASS_TOLERANCE:  # more than masses rounded to 1 within the tolerance can cause
        raise invalid(
            "generator",
            "be convex with f(1) = 0",
            f"the sum {value:g}, which is negative or NaN",
            "Check f and its limits.",
        )
    singular = [
        pair.singular_part() if g.slope_at_infinity == math.inf else None,
        pair.swapped().singular_part("Q", "P") if g.at_zero == math.inf else None,
    ]
    return explained(f"D_{g.name}(P || Q)", max(value, 0.0), *singular)


def as_generator(generator: ConvexGenerator | str | Callable[[Any], Any]) -> ConvexGenerator:
    """The generator meant by an object, a name or a bare function.

    Raises
    ------
    InvalidInput
        Unknown name, or not one of the three kinds.
    """
    if isinstance(generator, ConvexGenerator):
        return generator
    if isinstance(generator, str):
        return GENERATORS[check_choice("generator", generator, tuple(GENERATORS))]
    if callable(generator):
        return ConvexGenerator("f", generator)
    raise invalid(
        "generator",
        "be a ConvexGenerator, a name or a function f(t)",
        repr(generator),
        f"Names: {', '.join(GENERATORS)}.",
    )


def _terms(pair: PmfPair, g: ConvexGenerator) -> Array:
    """q f(p / q) - f'(1) (p - q), with the limits of f where one side has no mass."""
    p, q, tilt = pair.p, pair.q, g.slope_at_one
    terms = np.zeros_like(p)
    with np.errstate(all="ignore"):  # a quotient beyond the floats is replaced by its limit below
        ratio = np.divide(p, q, out=np.full_like(p, np.inf), where=q > 0)
        both = (p > 0) & (q > 0) & (ratio > 0) & np.isfinite(ratio)
        terms[both] = q[both] * np.asarray(g.f(ratio[both])) - tilt * (p - q)[both]
    for name, limit, mass, alone in (
        ("f'(inf), its slope_at_infinity", g.slope_at_infinity, p, (p > 0) & ~both & (ratio > 1)),
        ("f(0), its at_zero", g.at_zero, q, (q > 0) & ~both & (ratio < 1)),
    ):
        if not alone.any():
            continue
        if limit is None:
            raise invalid(
                "generator",
                f"know {name}, since one pmf has mass where the other has none",
                f"None in {g.name}",
                "Pass a ConvexGenerator that has it.",
            )
        terms[alone] = mass[alone] * limit - tilt * (p - q)[alone]
    return terms


def optimal_critic(p: Any, q: Any, generator: ConvexGenerator | str, *, normalize: bool = False) -> Array:
    """The critic T = f'(p / q) which attains the variational bound.

    Parameters
    ----------
    p, q : array_like [n], or DiscreteMeasure
        Two pmfs, or two measures; then T is on the points of their common support.
    generator : ConvexGenerator or str
        With a derivative.
    normalize : bool
        Divide each argument by its mass first.

    Returns
    -------
    ndarray [n]
        f'(inf) where q = 0 < p and f'(0) where p = 0 < q, possibly infinite; nan where neither has
        mass, since nothing determines T there.

    Raises
    ------
    InvalidInput
        As in :func:`otdiv.divergences.kl`; or a generator without derivative.

    Notes
    -----
    X. Nguyen, M. Wainwright and M. Jordan, 2010; S. Nowozin, B. Cseke and R. Tomioka, f-GAN, 2016.

    Examples
    --------
    >>> optimal_critic([0.5, 0.5], [0.25, 0.75], "chi_square").round(9).tolist()
    [2.0, -0.666666667]
    """
    g = as_generator(generator)
    if g.derivative is None:
        raise invalid("generator", "have a derivative", g.name, "Pass a ConvexGenerator with derivative=.")
    pair = as_pmf_pair(p, q, normalize=normalize)
    critic = np.full_like(pair.p, np.nan)
    held = pair.q > 0
    with np.errstate(all="ignore"):
        critic[held] = g.derivative(pair.p[held] / pair.q[held])
    alone = (pair.p > 0) & ~held
    if alone.any():
        critic[alone] = np.nan if g.slope_at_infinity is None else g.slope_at_infinity
    return critic


def variational_bound(
    critic: Any, p: Any, q: Any, generator: ConvexGenerator | str, *, normalize: bool = False
) -> float:
    """The lower bound E_P T - E_Q f*(T) <= D_f(P || Q), for any critic T.

    Parameters
    ----------
    critic : array_like [n]
        T on the atoms (for measures: on the points of their common support); ignored where
        neither has mass.
    p, q : array_like [n], or DiscreteMeasure
        Two pmfs, or two measures.
    generator : ConvexGenerator or str
        With a conjugate.
    normalize : bool
        Divide each argument by its mass first.

    Returns
    -------
    float
        In the unit that f implies; -inf where T leaves the domain of f*.

    Raises
    ------
    InvalidInput
        As in :func:`otdiv.divergences.kl`; a generator without conjugate; a critic of another
        length, or NaN where there is mass.

    Notes
    -----
    Equality holds at :func:`optimal_critic`.  The discriminator of a GAN is a critic of this kind.

    Examples
    --------
    >>> p, q = [0.5, 0.5], [0.25, 0.75]
    >>> best = variational_bound(optimal_critic(p, q, "kl"), p, q, "kl")
    >>> round(best, 12) == round(f_divergence(p, q, "kl"), 12)
    True
    >>> variational_bound([0.0, 0.0], p, q, "kl") < best
    True
    """
    g = as_generator(generator)
    if g.conjugate is None:
        raise invalid("generator", "have a conjugate", g.name, "Pass a ConvexGenerator with conjugate=.")
    pair = as_pmf_pair(p, q, normalize=normalize)
    values = as_float_array("critic", critic)
    if values.shape != pair.p.shape:
        raise invalid(
            "critic",
            f"have shape {pair.p.shape}, one value for each atom",
            f"shape {values.shape}",
            "Evaluate it on the same atoms.",
        )
    on_p, on_q = pair.p > 0, pair.q > 0
    if np.isnan(values[on_p | on_q]).any():
        raise invalid("critic", "be a number wherever there is mass", "NaN", "NaN is allowed only where p = q = 0.")
    with np.errstate(all="ignore"):
        reward = float(np.sum(pair.p[on_p] * values[on_p]))
        price = float(np.sum(pair.q[on_q] * np.asarray(g.conjugate(values[on_q]))))
    return -math.inf if price == math.inf else reward - price
