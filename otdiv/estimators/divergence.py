"""KL, JS, total variation, Hellinger and any f-divergence of the distributions behind two samples."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from otdiv.core.validation import as_rng, check_choice, invalid
from otdiv.divergences import ConvexGenerator
from otdiv.estimators.arguments import TIED_SHARE, Samples, as_samples, dithered, require_density
from otdiv.estimators.discriminator import CrossFit, cross_fit
from otdiv.estimators.estimate import Estimate, LowerBound, check_confidence, normal_quantile
from otdiv.estimators.generators import as_generator, ceiling_of, label_of, require_derivative, value_range
from otdiv.estimators.histogram import corrected_plug_in, count_bins, count_values
from otdiv.estimators.lower_bounds import held_out_bounds
from otdiv.estimators.nearest_neighbours import gaussian_value, neighbour_value
from otdiv.estimators.network import FEWEST_POINTS
from otdiv.estimators.one_step import one_step
from otdiv.two_sample import mmd_test

METHODS = ("auto", "histogram", "knn", "gaussian", "discriminator")
LEAST_POINTS = 20
"""Fewest points of either sample; below it no interval here means anything."""
FEW_VALUES = 10
"""Distinct values up to which a value seen on one side only is taken as a sign of mass outside the support; with more
of them it is taken as chance in a tail, and the discriminator is used."""
KNN_DIMENSION = 2
"""Largest dimension in which the bias of nearest neighbours is below their standard error; above it the interval
is flagged."""
EXTRAPOLATED = 3.0
"""Far end of the bracket over its held-out end, from which a value is flagged as extrapolated; larger: fewer are."""
FEWEST_COLUMNS = 3
"""Columns from which a difference may lie in what some of them say together, which the classifiers may not express: in
two or fewer boosted trees express anything."""
UNSEEN = 0.01
"""p-value of MMD up to which a value below its standard error is flagged: the share of false flags without a
difference."""
_MOST_CHECKED = 1000
"""Points of either sample that MMD compares, drawn at random; more: seconds, and it sees more."""
_PERMUTATIONS = 99
_INDEPENDENT = "independent draws"


def estimate_divergence(
    x: Any,
    y: Any,
    divergence: str | ConvexGenerator = "kl",
    *,
    method: str = "auto",
    confidence: float = 0.95,
    bins: int | None = None,
    k: int | None = None,
    lower_bound: bool = True,
    network: bool = False,
    rng: Any = None,
) -> Estimate:
    """D_f(P || Q) = E_Q f(p / q) of the distributions behind the samples x of P and y of Q.

    Parameters
    ----------
    x, y : array_like [n, d], [m, d] (or [n], [m]), data frame, or DiscreteMeasure of equal weights
        Independent draws, at least 20 each; columns with names are matched by name.
    divergence : str or ConvexGenerator
        "kl", "reverse_kl", "js", "tv", "hellinger" (squared), a name of ``otdiv.divergences.GENERATORS``, or a
        generator with a derivative.
    method : str
        "histogram": plug-in on values that repeat (or on ``bins``) less its bias; "knn": nearest neighbours;
        "gaussian": normal plug-in with nearest-neighbour correction; "discriminator": cross-fitted classifier;
        "auto": the histogram for values that repeat on both sides, else the discriminator; ``reason`` says why.
    confidence : float
        Of the interval, and of the one-sided bound.
    bins : int, optional
        Intervals of equal pooled frequency for the histogram on the line; then the divergence is that of the binned
        distributions, at most the one asked for.  None counts the distinct values.
    k : int, optional
        Neighbours, for "knn" and "gaussian"; None is 1 for KL and its reverse, 10 for others.
    lower_bound : bool
        Whether to compute the bound without assumption too.
    network : bool
        Whether a neural network (torch) is among the classifiers of the discriminator; for 1000 points or more of both
        samples together.  It takes half a
        minute at n = m = 1000, and is chosen where it has the least held-out loss: where the densities differ in how
        several columns go together.
    rng : int, numpy.random.Generator or None
        Folds, twins, ties.

    Returns
    -------
    Estimate
        In nats for KL and JS.

    Raises
    ------
    InvalidInput
        Too few points, columns that differ or do not vary, NaN, weights, unknown names.
    MissingPackage
        For a network: torch.

    Notes
    -----
    A confidence bound from above cannot hold for all distributions, so the two-sided interval rests on what
    ``assumption`` says; ``lower_bound`` rests on nothing (R. Hore and R. F. Barber, arXiv 2602.05862, 2026).

    References
    ----------
    X. Nguyen, M. J. Wainwright and M. I. Jordan, Estimating divergence functionals and the likelihood ratio by
    convex risk minimization, IEEE Trans. Inf. Theory 56, 2010.

    Examples
    --------
    >>> draws = np.random.default_rng(0).normal(size=(2, 1000))
    >>> found = estimate_divergence(draws[0], draws[1] + 1, "kl", rng=0)  # of two normal distributions: 1/2
    >>> found.lower < 0.5 < found.upper and found.method == "discriminator"
    True
    """
    names = [divergence]
    found = estimate_divergences(
        x,
        y,
        names,
        method=method,
        confidence=confidence,
        bins=bins,
        k=k,
        lower_bound=lower_bound,
        network=network,
        rng=rng,
    )
    return found[0]


def estimate_divergences(
    x: Any,
    y: Any,
    divergences: Sequence[str | ConvexGenerator] = ("kl", "reverse_kl", "js", "tv", "hellinger"),
    *,
    method: str = "auto",
    confidence: float = 0.95,
    bins: int | None = None,
    k: int | None = None,
    lower_bound: bool = True,
    network: bool = False,
    rng: Any = None,
) -> tuple[Estimate, ...]:
    """Several divergences of the same two samples, from one discriminator.

    Parameters
    ----------
    divergences : sequence of str or ConvexGenerator
        As ``divergence`` in :func:`estimate_divergence`; not empty.
    x, y, method, confidence, bins, k, lower_bound, network, rng
        As in :func:`estimate_divergence`; each interval has the confidence by itself.

    Returns
    -------
    tuple of Estimate
        In the order asked for.

    Raises
    ------
    InvalidInput, MissingPackage
        As :func:`estimate_divergence`.

    Examples
    --------
    >>> draws = np.random.default_rng(0).normal(size=(2, 300))
    >>> [found.name for found in estimate_divergences(draws[0], draws[1] + 1, ["js", "tv"], rng=0)]
    ['JS(P, Q)', 'TV(P, Q)']
    """
    if isinstance(divergences, str | ConvexGenerator) or not isinstance(divergences, Sequence) or not divergences:
        raise invalid("divergences", "be a sequence of names", repr(divergences), "For example ['kl', 'js'].")
    generators = [as_generator(divergence) for divergence in divergences]
    for generator in generators:
        require_derivative(generator)
    check_choice("method", method, METHODS)
    check_confidence(confidence)
    random, samples = as_rng(rng), as_samples(x, y, LEAST_POINTS)
    chosen, reason = _choose(samples, method, bins)
    if bins is not None and chosen != "histogram":
        raise invalid("bins", "be left out", f"{bins} for method={chosen!r}", "It belongs to method='histogram'.")
    if network and chosen != "discriminator":
        raise invalid("network", "be left out", f"True for method={chosen!r}", "It belongs to method='discriminator'.")
    if network and (total := samples.n + samples.m) < FEWEST_POINTS:
        remedy = "The other classifiers need fewer."
        raise invalid("network", f"be left out below {FEWEST_POINTS} points", f"True for {total}", remedy)
    if chosen != "histogram":
        require_density(samples)
    if samples.tied_share > TIED_SHARE and chosen in ("knn", "gaussian"):
        reason += f"; {samples.tied_share:.0%} of the points are ties, spread over one rounding step"
        samples = dithered(samples, random)
        _require_untied(samples)
    bounds = held_out_bounds(samples, generators, confidence, random) if lower_bound else [None] * len(generators)
    fit = cross_fit(samples, random, network) if chosen == "discriminator" else None
    difference = functools.cache(lambda: _p_value_of_mmd(samples, random))
    found = []
    for generator, bound in zip(generators, bounds, strict=True):
        if fit is not None:
            found.append(_by_discriminator(samples, generator, fit, confidence, reason, bound, difference))
        elif chosen == "histogram":
            found.append(_by_histogram(samples, generator, bins, confidence, reason, bound))
        else:
            found.append(_by_neighbours(samples, generator, chosen, k, confidence, reason, bound, random))
    return tuple(found)


def _choose(samples: Samples, method: str, bins: int | None) -> tuple[str, str]:
    """The method and the reason."""
    if method != "auto":
        return method, "asked for"
    if bins is not None:
        return "histogram", f"{bins} bins were asked for"
    total = samples.n + samples.m
    if samples.is_discrete and (samples.distinct <= FEW_VALUES or not count_values(samples).missing):
        return "histogram", f"{samples.distinct} distinct values in {total} points"
    return "discriminator", f"{samples.distinct} distinct values in {total} points; smallest bias in every dimension"


def _require_untied(samples: Samples) -> None:
    if samples.tied_share > TIED_SHARE:
        raise invalid(
            "x and y",
            "be free of ties for nearest neighbours, or rounded to a step",
            f"{samples.tied_share:.0%} of the points that repeat another one",
            "Use method='histogram' or 'discriminator'.",
        )


def _by_histogram(
    samples: Samples,
    generator: ConvexGenerator,
    bins: int | None,
    confidence: float,
    reason: str,
    bound: LowerBound | None,
) -> Estimate:
    counts = count_values(samples) if bins is None else count_bins(samples, bins)
    found = corrected_plug_in(generator, counts, confidence)
    upper, flags = found.upper, []
    singular = counts.missing_in_y if generator.slope_at_infinity == math.inf else 0
    singular += counts.missing_in_x if generator.at_zero == math.inf else 0
    if singular:
        upper = math.inf
        flags.append(f"{singular} cells came in one sample only: the divergence may be infinite, the upper end is open")
    if found.cells * 5 > min(samples.n, samples.m):
        flags.append(
            f"{found.cells} cells for {min(samples.n, samples.m)} points: the bias is larger than its correction"
        )
    of = "" if bins is None else f" of the {found.cells} bins"
    return Estimate(
        label_of(generator) + of,
        found.value,
        found.standard_error,
        found.lower,
        upper,
        confidence,
        "histogram",
        reason,
        f"{_INDEPENDENT} from {found.cells} values, each frequent enough for the normal approximation of its count",
        samples.n,
        samples.m,
        ceiling_of(generator, samples.n, samples.m),
        bound,
        tuple(flags),
        {"plug_in": found.plug_in, "bias": found.bias, "p_value": found.p_value, "cells": found.cells},
    )


def _by_discriminator(
    samples: Samples,
    generator: ConvexGenerator,
    fit: CrossFit,
    confidence: float,
    reason: str,
    bound: LowerBound | None,
    difference: Callable[[], float],
) -> Estimate:
    found = one_step(generator, fit.held_out, fit.fitted, fit.is_halved, confidence)
    ceiling = ceiling_of(generator, samples.n, samples.m)
    flags, upper = [], found.upper
    if found.doubt is not None:
        upper = value_range(generator)
        flags.append(f"{found.doubt}; the upper end is open, and the value may be far too small")
    elif samples.d >= FEWEST_COLUMNS and found.value <= found.standard_error and difference() <= UNSEEN:
        upper = value_range(generator)
        flags.append(
            f"a test by MMD finds a difference (p = {difference():.2g}) that {fit.name} does not express; the upper "
            "end is open, and the value may be far too small"
        )
    if fit.is_halved and found.fitted > EXTRAPOLATED * max(found.held_out, 0.0) and found.fitted > found.standard_error:
        flags.append(
            f"half of the data teach the classifier much less than all: from a held-out mean of {found.held_out:.3g} "
            f"the value is extrapolated towards {found.fitted:.3g}"
        )
    return Estimate(
        label_of(generator),
        min(found.value, ceiling),
        found.standard_error,
        min(found.lower, ceiling),
        upper,
        confidence,
        "discriminator",
        f"{reason}; {fit.name} has the least held-out log loss",
        f"{_INDEPENDENT}; log(p / q) is close to what the chosen classifier ({fit.name}) can express, "
        "so that its error is one of training, not of form",
        samples.n,
        samples.m,
        ceiling,
        bound,
        tuple(flags),
        {"held_out": found.held_out, "fitted": found.fitted, "log_loss": fit.loss},
    )


def _p_value_of_mmd(samples: Samples, random: np.random.Generator) -> float:
    """Of equal distributions, of at most ``_MOST_CHECKED`` points each."""
    x, y = (
        points[random.choice(len(points), _MOST_CHECKED, replace=False)] if len(points) > _MOST_CHECKED else points
        for points in (samples.x, samples.y)
    )
    return mmd_test(x, y, permutations=_PERMUTATIONS, rng=random).p_value


def _by_neighbours(
    samples: Samples,
    generator: ConvexGenerator,
    method: str,
    k: int | None,
    confidence: float,
    reason: str,
    bound: LowerBound | None,
    rng: np.random.Generator,
) -> Estimate:
    neighbours = (1 if generator.name in ("kl", "kl_reverse") else 10) if k is None else k
    if (
        isinstance(neighbours, bool)
        or not isinstance(neighbours, int)
        or not 1 <= neighbours < min(samples.n, samples.m)
    ):
        most = min(samples.n, samples.m) - 1
        raise invalid("k", f"be a whole number from 1 to {most}", repr(k), "For example k=5.")
    flags, details = [], {"k": float(neighbours)}
    if method == "knn":
        value, error = neighbour_value(generator, samples, neighbours)
        assumption = f"{_INDEPENDENT} with continuous densities; the bias of nearest neighbours is left aside"
        if samples.d > KNN_DIMENSION:
            flags.append(f"d = {samples.d}: the bias of nearest neighbours exceeds the interval")
    else:
        twin = gaussian_value(generator, samples, neighbours, rng)
        value, error = twin.value, twin.standard_error
        details |= {"raw": twin.raw, "normal": twin.normal, "bias": twin.bias}
        assumption = f"{_INDEPENDENT}; nearest neighbours err as they do on normal distributions of these moments"
    half, largest = normal_quantile(confidence) * error, value_range(generator)
    return Estimate(
        label_of(generator),
        min(max(value, 0.0), largest),
        error,
        min(max(value - half, 0.0), largest),
        min(max(value + half, 0.0), largest),
        confidence,
        method,
        reason,
        assumption,
        samples.n,
        samples.m,
        ceiling_of(generator, samples.n, samples.m),
        bound,
        tuple(flags),
        details,
    )
