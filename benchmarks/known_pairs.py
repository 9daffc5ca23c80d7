"""Twelve pairs of distributions of known KL, JS, W1 and W2, and three of equal ones.

Truths are closed forms or one-dimensional integrals; where neither is at hand, a mean over 4 million draws, whose
error is kept beside.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from scipy import integrate, optimize, stats
from scipy.special import expit, logsumexp

Draw = Callable[[int, np.random.Generator], np.ndarray]
TRUTH_DRAWS, TRUTH_PARTS = 4_000_000, 40


class Pair(NamedTuple):
    """Two distributions with their true KL, JS, W1 and W2, and the standard error of the truth (0: exact)."""

    name: str
    d: int
    x: Draw
    y: Draw
    truth: dict[str, float]
    error: dict[str, float]


class Line(NamedTuple):
    """A distribution on the line: log density, distribution function, draws, and quantile of a logit."""

    log_density: Callable
    cdf: Callable
    draw: Draw
    quantile: Callable[[float], float]


def frozen(distribution) -> Line:
    return Line(
        distribution.logpdf,
        distribution.cdf,
        lambda n, rng: distribution.rvs(size=n, random_state=rng),
        lambda s: float(distribution.ppf(expit(s)) if s < 0 else distribution.isf(expit(-s))),
    )


def mixture(means, weights) -> Line:
    """Normal distributions of sd 1."""
    means, weights = np.asarray(means, dtype=float), np.asarray(weights, dtype=float)

    def log_density(t):
        terms = stats.norm.logpdf(np.asarray(t)[..., None], means) + np.log(weights)
        return logsumexp(terms, axis=-1)

    def quantile(s):
        if s < 0:
            return optimize.brentq(lambda t: weights @ stats.norm.cdf(t - means) - expit(s), -50, 50, xtol=1e-13)
        return optimize.brentq(lambda t: expit(-s) - weights @ stats.norm.sf(t - means), -50, 50, xtol=1e-13)

    return Line(
        log_density,
        lambda t: float(weights @ stats.norm.cdf(t - means)),
        lambda n, rng: rng.choice(means, size=n, p=weights) + rng.normal(size=n),
        quantile,
    )


def on_line(p: Line, q: Line, low: float, high: float) -> dict[str, float]:
    """KL, JS and W1 by quadrature between low and high, W2 over logits s of u = F(t), each piece by piece."""

    def integral(f, low=low, high=high):
        edges = np.linspace(low, high, 41)
        return sum(integrate.quad(f, a, b, limit=200, epsabs=1e-12)[0] for a, b in itertools.pairwise(edges))

    def js(t):
        a, b = p.log_density(t), q.log_density(t)
        middle = np.logaddexp(a, b) - math.log(2)
        first = math.exp(a) * (a - middle) if a > -700 else 0.0
        return 0.5 * (first + (math.exp(b) * (b - middle) if b > -700 else 0.0))

    def kl(t):
        a = p.log_density(t)
        return math.exp(a) * (a - q.log_density(t)) if a > -700 else 0.0

    def squared_gap(s):
        return (p.quantile(s) - q.quantile(s)) ** 2 * expit(s) * expit(-s)  # du = u (1 - u) ds

    w1, w2 = integral(lambda t: abs(p.cdf(t) - q.cdf(t))), math.sqrt(integral(squared_gap, -30, 30))
    return {"kl": integral(kl), "js": integral(js), "w1": w1, "w2": w2}


def by_draws(x: Draw, y: Draw, log_ratio: Callable) -> tuple[dict[str, float], dict[str, float]]:
    """KL and JS as means over draws, with their standard errors."""
    rng, found = np.random.default_rng(2026), []
    for _ in range(TRUTH_PARTS):
        size = TRUTH_DRAWS // TRUTH_PARTS
        a, b = log_ratio(x(size, rng)), log_ratio(y(size, rng))
        js = math.log(2) - 0.5 * (np.logaddexp(0, -a).mean() + np.logaddexp(0, b).mean())
        found.append((a.mean(), js))
    means, errors = np.mean(found, axis=0), np.std(found, axis=0, ddof=1) / math.sqrt(TRUTH_PARTS)
    return {"kl": float(means[0]), "js": float(means[1])}, {"kl": float(errors[0]), "js": float(errors[1])}


def rotation(d: int) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(7).normal(size=(d, d)))[0]


EXACT = {"kl": 0.0, "js": 0.0, "w1": 0.0, "w2": 0.0}


def line_pair(name: str, p: Line, q: Line, low: float, high: float) -> Pair:
    return Pair(name, 1, p.draw, q.draw, on_line(p, q, low, high), EXACT)


def one_coordinate(name: str, d: int, p: Line, q: Line, low: float, high: float) -> Pair:
    """They differ in one coordinate, the others are normal, and all is turned: the truth is that of the line."""
    turn = rotation(d)

    def lifted(draw: Draw) -> Draw:
        return lambda n, rng: np.column_stack([draw(n, rng), rng.normal(size=(n, d - 1))]) @ turn

    return Pair(name, d, lifted(p.draw), lifted(q.draw), on_line(p, q, low, high), EXACT)


def normal_shift(name: str, d: int, length: float) -> Pair:
    """KL = length^2 / 2 and W1 = W2 = length; JS from the projection to the shift."""
    step = np.full(d, length / math.sqrt(d))
    truth = on_line(frozen(stats.norm(0, 1)), frozen(stats.norm(length, 1)), -12, 12 + length)
    x, y = lambda n, rng: rng.normal(size=(n, d)), lambda n, rng: rng.normal(size=(n, d)) + step
    return Pair(name, d, x, y, truth | {"w1": length, "w2": length, "kl": length**2 / 2}, EXACT)


def normal_scale(name: str, d: int, scale: float) -> Pair:
    """Both radial: KL, JS, W1 and W2 are those of the lengths |X|."""
    truth = on_line(frozen(stats.chi(d)), frozen(stats.chi(d, scale=scale)), 1e-9, 14 * scale)
    return Pair(
        name, d, lambda n, rng: rng.normal(size=(n, d)), lambda n, rng: scale * rng.normal(size=(n, d)), truth, EXACT
    )


def student_shift(name: str, d: int, step: float) -> Pair:
    """Independent Student coordinates of 5 degrees, each shifted by step: W1 = W2 = step sqrt(d)."""

    def x(n, rng):
        return rng.standard_t(5, size=(n, d))

    def log_ratio(z):
        return (stats.t.logpdf(z, 5) - stats.t.logpdf(z, 5, step)).sum(axis=1)

    truth, error = by_draws(x, lambda n, rng: x(n, rng) + step, log_ratio)
    truth["w1"] = truth["w2"] = step * math.sqrt(d)
    return Pair(name, d, x, lambda n, rng: x(n, rng) + step, truth, EXACT | error)


def pairs() -> Iterator[Callable[[], Pair]]:
    """The twelve pairs, then three of equal distributions, built when asked for."""
    halves, thirds = mixture([-2, 2], [0.5, 0.5]), mixture([-2, 2], [0.7, 0.3])
    laplace, wide = frozen(stats.laplace()), frozen(stats.norm(0.5, 1.5))
    yield lambda: normal_shift("normal, shifted by 1", 1, 1.0)
    yield lambda: normal_scale_line("normal, sd 1 and 1.5", 1.5)
    yield lambda: line_pair("Laplace and normal", laplace, wide, -40, 40)
    yield lambda: line_pair("mixture, weights .5 and .7", halves, thirds, -14, 14)
    yield lambda: line_pair("exponential, means 1 and 1.5", *map(exponential, (1.0, 1.5)), 0.0, 60.0)
    yield lambda: normal_shift("normal, shifted by 1", 2, 1.0)
    yield lambda: one_coordinate("normal, one axis 1.5 times", 2, *map(normal_line, (1.0, 1.5)), -20, 20)
    yield lambda: one_coordinate("mixture, weights .5 and .7", 2, halves, thirds, -14, 14)
    yield lambda: student_shift("Student 5, shifted by .6", 2, 0.6)
    yield lambda: normal_shift("normal, shifted by 1.4", 10, math.sqrt(2))
    yield lambda: normal_scale("normal, sd 1 and 1.25", 10, 1.25)
    yield lambda: student_shift("Student 5, shifted by .3", 10, 0.3)
    yield lambda: normal_shift("equal", 1, 0.0)
    yield lambda: normal_shift("equal", 2, 0.0)
    yield lambda: normal_shift("equal", 10, 0.0)


def normal_line(scale: float) -> Line:
    return frozen(stats.norm(0, scale))


def exponential(mean: float) -> Line:
    return frozen(stats.expon(scale=mean))


def normal_scale_line(name: str, scale: float) -> Pair:
    return line_pair(name, normal_line(1.0), normal_line(scale), -14 * scale, 14 * scale)
