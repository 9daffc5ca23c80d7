"""W1 and W2 of the distributions behind two samples: empirical value, null floor, debiased value, interval."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from otdiv.core.validation import as_rng, check_choice, invalid
from otdiv.estimators.arguments import Samples, as_samples
from otdiv.estimators.estimate import Estimate, check_confidence
from otdiv.estimators.wasserstein.bracket import bracket
from otdiv.estimators.wasserstein.dual_face import MOST_ATOMS, face_interval
from otdiv.estimators.wasserstein.line import line_interval
from otdiv.transport.solve import emd

METHODS = ("auto", "line", "finite", "bracket")
LEAST_POINTS = 20
"""Fewest points of either sample."""
WIDE = 0.5
"""Width of the bracket over the empirical distance, above which the interval says little and is flagged."""


def estimate_wasserstein(
    x: Any,
    y: Any,
    p: int = 1,
    *,
    method: str = "auto",
    confidence: float = 0.95,
    splits: int = 3,
    rng: Any = None,
) -> Estimate:
    """W_p(P, Q) = (min E |X - Y|^p)^(1/p) of the distributions behind the samples, with Euclidean distances.

    Parameters
    ----------
    x, y : array_like [n, d], [m, d] (or [n], [m]), data frame, or DiscreteMeasure of equal weights
        Independent draws, at least 20 each; columns with names are matched by name.
    p : {1, 2}
    method : str
        How the interval is found.  "line" (p = 1, d = 1): limit distribution of the integral of |F - G|; "finite"
        (p = 1, at most 40 distinct points): limit distribution as linear programs over the optimal potentials;
        "bracket": between held-out potentials and the empirical distance, in any dimension; "auto": the first
        that fits.
    confidence : float
    splits : int
        Random splits of the pooled sample into parts of sizes n and m, whose mean exact distance is the null floor.
    rng : int, numpy.random.Generator or None

    Returns
    -------
    Estimate
        In the unit of the points.  ``details`` has ``empirical`` (exact distance of the samples, which in the mean
        is too large), ``null_floor`` (what two samples of one distribution show) and for a bracket its two ends.

    Raises
    ------
    InvalidInput
        Too few points, different columns, NaN, weights, a method that does not fit.

    Notes
    -----
    The empirical distance exceeds W_p by up to the order of n^(-1/d).  The value is debiased: W_n less the bias that
    resampling shows on the line, else (W_n^2 - floor^2)^(1/2) within the interval.  No estimate is better than
    n^(-1/d) for all distributions, so in high dimension the bracket is wide, and says so.

    References
    ----------
    J. Weed and F. Bach, Sharp asymptotic and finite-sample rates of convergence of empirical measures in Wasserstein
    distance, Bernoulli 25, 2019; J. Niles-Weed and P. Rigollet, Estimation of Wasserstein distances in the spiked
    transport model, Bernoulli 28, 2022.

    Examples
    --------
    >>> draws = np.random.default_rng(0).normal(size=(2, 500))
    >>> found = estimate_wasserstein(draws[0], draws[1] + 1, rng=0)
    >>> found.lower < 1 < found.upper and found.method == "line"
    True
    """
    if isinstance(p, bool) or p not in (1, 2):
        raise invalid("p", "be 1 or 2", repr(p), "For other orders of the samples themselves use otdiv.wasserstein.")
    check_choice("method", method, METHODS)
    check_confidence(confidence)
    if isinstance(splits, bool) or not isinstance(splits, int) or splits < 1:
        raise invalid("splits", "be a whole number of at least 1", repr(splits), "For example splits=3.")
    generator, samples = as_rng(rng), as_samples(x, y, LEAST_POINTS)
    chosen, reason = _choose(samples, p, method)
    solved = emd(samples.x, samples.y, cost="euclidean" if p == 1 else "sqeuclidean")
    empirical = solved.value ** (1 / p)
    floor = null_floor(samples, p, splits, generator)
    details = {"empirical": empirical, "null_floor": floor}
    if chosen == "bracket":
        return _by_bracket(samples, p, solved, confidence, reason, details, generator)
    if chosen == "line":
        found = line_interval(samples.x[:, 0], samples.y[:, 0], empirical, confidence, generator)
        assumption = "independent draws with finite E|X|^(2 + delta), n large enough for the limit distribution"
    else:
        found = face_interval(samples, empirical, empirical - debiased(empirical, floor), confidence, generator)
        assumption = (
            f"independent draws from these {samples.distinct} points, n large enough for the limit distribution"
        )
    return Estimate(
        "W_1(P, Q)",
        found.value,
        found.standard_error,
        found.lower,
        found.upper,
        confidence,
        chosen,
        reason,
        assumption,
        samples.n,
        samples.m,
        details=details | {"bias": empirical - found.value},
    )


def debiased(empirical: float, floor: float) -> float:
    """(W_n^2 - floor^2)^(1/2), or 0: noise and distance add up as the sides of a right triangle."""
    return math.sqrt(max(empirical**2 - floor**2, 0.0))


def null_floor(samples: Samples, p: int, splits: int, rng: np.random.Generator) -> float:
    """Mean exact W_p of two parts, of sizes n and m, of the pooled sample: what equal distributions would show.

    Parameters
    ----------
    samples : Samples
    p : int
    splits : int
    rng : numpy.random.Generator
    """
    pooled = np.concatenate([samples.x, samples.y])
    found = []
    for _ in range(splits):
        order = rng.permutation(len(pooled))
        parts = pooled[order[: samples.n]], pooled[order[samples.n :]]
        found.append(emd(*parts, cost="euclidean" if p == 1 else "sqeuclidean").value ** (1 / p))
    return float(np.mean(found))


def _choose(samples: Samples, p: int, method: str) -> tuple[str, str]:
    """The method of the interval and the reason."""
    fits = {
        "line": (p == 1 and samples.d == 1, "p = 1 on the line"),
        "finite": (
            p == 1 and samples.is_discrete and samples.distinct <= MOST_ATOMS,
            f"p = 1 and few distinct points ({samples.distinct} of at most {MOST_ATOMS})",
        ),
        "bracket": (True, f"p = {p}, d = {samples.d}: no limit distribution that samples can give"),
    }
    if method == "auto":
        method = next(name for name, (fit, _) in fits.items() if fit)
        return method, fits[method][1]
    if not fits[method][0]:
        raise invalid(
            f"method={method!r}",
            f"be used for {'p = 1 on the line' if method == 'line' else f'p = 1 and at most {MOST_ATOMS} points'}",
            f"p = {p}, d = {samples.d}, {samples.distinct} distinct points",
            "Use method='auto'.",
        )
    return method, "asked for"


def _by_bracket(
    samples: Samples,
    p: int,
    solved: Any,
    confidence: float,
    reason: str,
    details: dict[str, float],
    rng: np.random.Generator,
) -> Estimate:
    f, g = solved.potentials
    ends = bracket(samples, p, solved.value, np.asarray(f), np.asarray(g), rng)
    lower, upper = (end ** (1 / p) for end in ends.interval(confidence, p))
    empirical, floor = details["empirical"], details["null_floor"]
    value = min(max(debiased(empirical, floor), lower), upper)
    low = max(ends.low, 0.0) ** (1 / p)
    flags = []
    if empirical - low > WIDE * empirical and floor > WIDE * empirical:
        flags.append(
            f"d = {samples.d}: {floor / empirical:.0%} of the empirical distance is what equal distributions show; "
            f"between {low:.3g} and {empirical:.3g} these samples cannot decide"
        )
    error = max(ends.low_error, ends.high_error)
    if p == 2:
        error = error / (2 * value) if value > 0 else math.sqrt(error)
    return Estimate(
        f"W_{p}(P, Q)",
        value,
        error,
        lower,
        upper,
        confidence,
        "bracket",
        f"{reason}; lower end by the potential {ends.learner!r}",
        "independent draws, and means over n points that are normal; nothing about densities or dimension",
        samples.n,
        samples.m,
        flags=tuple(flags),
        details=details | {"held_out": low},
    )
