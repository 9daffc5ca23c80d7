"""Coverage of the intervals of otdiv.estimators on distributions of known truth: ``python benchmarks/samples.py``.

For each pair of distributions, each n = m and each of KL, JS and W1: the share of repetitions whose 95 % interval
covers the true value, the mean of the estimate less the truth, and the median width.  A failure is an exception; an
interval that misses is counted as such whether or not it is flagged, and flagged ones are counted beside.  Then the
bias of the discriminator and of nearest neighbours where KL = 1 in 5, 10 and 20 dimensions.  Truths are closed forms
or one-dimensional integrals; where neither is at hand, a mean over 4 million draws, whose error is printed.

``--quick`` runs a few repetitions at n = 300; ``--keep FILE`` stores each repetition as a line, so that a run that
was broken off goes on where it was.  On one core all tables take about half an hour.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import platform
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import integrate, stats
from scipy.special import logsumexp

import otdiv
from otdiv.estimators import estimate_divergence, estimate_divergences, estimate_wasserstein

Draw = Callable[[int, np.random.Generator], np.ndarray]
QUANTITIES = ("kl", "js", "w1")
SIZES = (300, 1000, 3000)
REPETITIONS = {300: 60, 1000: 30, 3000: 8}
TRUTH_DRAWS, TRUTH_PARTS = 4_000_000, 40


class Pair(NamedTuple):
    """Two distributions with their true KL, JS and W1, and the standard error of the truth (0: exact)."""

    name: str
    d: int
    x: Draw
    y: Draw
    truth: dict[str, float]
    error: dict[str, float]


class Line(NamedTuple):
    """A distribution on the line: log density, distribution function, draws."""

    log_density: Callable
    cdf: Callable
    draw: Draw
    breaks: tuple[float, ...] = ()


def frozen(distribution) -> Line:
    return Line(distribution.logpdf, distribution.cdf, lambda n, rng: distribution.rvs(size=n, random_state=rng))


def mixture(means, weights) -> Line:
    """Normal distributions of sd 1."""
    means, weights = np.asarray(means, dtype=float), np.asarray(weights, dtype=float)

    def log_density(t):
        terms = stats.norm.logpdf(np.asarray(t)[..., None], means) + np.log(weights)
        return logsumexp(terms, axis=-1)

    return Line(
        log_density,
        lambda t: float(weights @ stats.norm.cdf(t - means)),
        lambda n, rng: rng.choice(means, size=n, p=weights) + rng.normal(size=n),
    )


def on_line(p: Line, q: Line, low: float, high: float) -> dict[str, float]:
    """KL, JS and W1 by quadrature between low and high, piece by piece."""

    def integral(f):
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

    return {"kl": integral(kl), "js": integral(js), "w1": integral(lambda t: abs(p.cdf(t) - q.cdf(t)))}


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


EXACT = {"kl": 0.0, "js": 0.0, "w1": 0.0}


def line_pair(name: str, p: Line, q: Line, low: float, high: float) -> Pair:
    return Pair(name, 1, p.draw, q.draw, on_line(p, q, low, high), EXACT)


def one_coordinate(name: str, d: int, p: Line, q: Line, low: float, high: float) -> Pair:
    """They differ in one coordinate, the others are normal, and all is turned: the truth is that of the line."""
    turn = rotation(d)

    def lifted(draw: Draw) -> Draw:
        return lambda n, rng: np.column_stack([draw(n, rng), rng.normal(size=(n, d - 1))]) @ turn

    return Pair(name, d, lifted(p.draw), lifted(q.draw), on_line(p, q, low, high), EXACT)


def normal_shift(name: str, d: int, length: float) -> Pair:
    """KL = length^2 / 2 and W1 = length; JS from the projection to the shift."""
    step = np.full(d, length / math.sqrt(d))
    truth = on_line(frozen(stats.norm(0, 1)), frozen(stats.norm(length, 1)), -12, 12 + length)
    x, y = lambda n, rng: rng.normal(size=(n, d)), lambda n, rng: rng.normal(size=(n, d)) + step
    return Pair(name, d, x, y, truth | {"w1": length, "kl": length**2 / 2}, EXACT)


def normal_scale(name: str, d: int, scale: float) -> Pair:
    """Both radial: KL, JS and W1 are those of the lengths |X|."""
    truth = on_line(frozen(stats.chi(d)), frozen(stats.chi(d, scale=scale)), 1e-9, 14 * scale)
    return Pair(
        name, d, lambda n, rng: rng.normal(size=(n, d)), lambda n, rng: scale * rng.normal(size=(n, d)), truth, EXACT
    )


def student_shift(name: str, d: int, step: float) -> Pair:
    """Independent Student coordinates of 5 degrees, each shifted by step: W1 = step sqrt(d)."""

    def x(n, rng):
        return rng.standard_t(5, size=(n, d))

    def log_ratio(z):
        return (stats.t.logpdf(z, 5) - stats.t.logpdf(z, 5, step)).sum(axis=1)

    truth, error = by_draws(x, lambda n, rng: x(n, rng) + step, log_ratio)
    truth["w1"] = step * math.sqrt(d)
    return Pair(name, d, x, lambda n, rng: x(n, rng) + step, truth, error | {"w1": 0.0})


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


def measure(pair: Pair, n: int, seed: int, number: int) -> dict[str, list[float] | str]:
    """For each quantity value, lower end, upper end, flagged (0 or 1), seconds; or the text of an exception."""
    rng = np.random.default_rng([seed, n, number, 1])
    x, y = pair.x(n, rng), pair.y(n, rng)
    found: dict[str, list[float] | str] = {}
    found |= attempt(QUANTITIES[:2], lambda: estimate_divergences(x, y, ["kl", "js"], lower_bound=False, rng=seed))
    return found | attempt(QUANTITIES[2:], lambda: (estimate_wasserstein(x, y, rng=seed),))


def attempt(names: tuple[str, ...], estimate: Callable) -> dict[str, list[float] | str]:
    begin = time.perf_counter()
    try:
        estimates = estimate()
    except Exception as problem:
        return dict.fromkeys(names, f"{type(problem).__name__}: {problem}")
    seconds = time.perf_counter() - begin
    rows = [[e.value, e.lower, e.upper, float(bool(e.flags)), seconds] for e in estimates]
    return dict(zip(names, rows, strict=True))


def run_coverage(sizes, repetitions, keep: Path | None) -> None:
    """One row for each pair, size and quantity; then the coverage of all pairs of one dimension together."""
    done = [json.loads(line) for line in keep.read_text().splitlines()] if keep and keep.exists() else []
    known = {(row["pair"], row["d"], row["n"], row["seed"]): row["found"] for row in done}
    built = [build() for build in pairs()]
    together: dict[tuple[int, bool, str, int], list[bool]] = {}
    print("| distributions | d | of | truth | n | coverage | bias | width | flagged | failures | seconds |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for n, (number, pair) in itertools.product(sizes, enumerate(built)):
        rows = []
        for seed in range(repetitions[n]):
            key = (pair.name, pair.d, n, seed)
            if key not in known:
                known[key] = measure(pair, n, seed, number)
                if keep:
                    line = {"pair": pair.name, "d": pair.d, "n": n, "seed": seed, "found": known[key]}
                    with keep.open("a") as stream:
                        stream.write(json.dumps(line) + "\n")
            rows.append(known[key])
        for quantity in QUANTITIES:
            found = [row[quantity] for row in rows]
            print(row_of(pair, n, quantity, found), flush=True)
            key = (pair.d, pair.name == "equal", quantity, n)
            together.setdefault(key, []).extend(covers(row, pair.truth[quantity]) for row in found)
    print("\n| d | pairs | of | n | coverage |\n|---|---|---|---|---|")
    for (d, equal, quantity, n), hits in sorted(together.items()):
        print(f"| {d} | {'equal' if equal else 'different'} | {quantity} | {n} | {share_of(hits)} |")


def covers(row: list[float] | str, truth: float) -> bool:
    """Whether the interval holds the truth, which quadrature knows to 1e-9; a failure does not."""
    return not isinstance(row, str) and row[1] - 1e-9 <= truth <= row[2] + 1e-9


def share_of(hits: list[bool]) -> str:
    """Share and its Monte-Carlo standard error, that of 0.95 at least."""
    share = float(np.mean(hits))
    return f"{share:.3f} ± {math.sqrt(max(share * (1 - share), 0.05 * 0.95) / len(hits)):.3f} ({len(hits)})"


def row_of(pair: Pair, n: int, quantity: str, found: list) -> str:
    good = np.array([row for row in found if not isinstance(row, str)])
    truth, error = pair.truth[quantity], pair.error[quantity]
    failures = len(found) - len(good)
    if not len(good):
        return f"| {pair.name} | {pair.d} | {quantity} | {truth:.4f} | {n} | - | - | - | - | {failures} | - |"
    known = f"{truth:.4f}" + (f" ± {error:.0e}" if error else "")
    width = np.median(good[:, 2] - good[:, 1])
    return (
        f"| {pair.name} | {pair.d} | {quantity} | {known} | {n} | {share_of([covers(row, truth) for row in found])} | "
        f"{np.mean(good[:, 0]) - truth:+.3f} | {width:.3f} | {int(good[:, 3].sum())} of {len(found)} | {failures} | "
        f"{np.median(good[:, 4]):.2f} |"
    )


def run_bias(repetitions: int, n: int = 1000) -> None:
    print(f"\nBias of KL, normal shift with KL = 1, n = m = {n}, {repetitions} repetitions (± standard error)\n")
    methods = ("knn", "gaussian", "discriminator")
    print("| d | " + " | ".join(methods) + " |")
    print("|---" * (len(methods) + 1) + "|")
    for d in (1, 5, 10, 20):
        cells = []
        for method in methods:
            errors = []
            for seed in range(repetitions):
                rng = np.random.default_rng([seed, d, 2])
                x, y = rng.normal(size=(n, d)), rng.normal(size=(n, d)) + math.sqrt(2 / d)
                found = estimate_divergence(x, y, method=method, lower_bound=False, rng=seed)
                errors.append(found.value - 1)
            cells.append(f"{np.mean(errors):+.3f} ± {np.std(errors, ddof=1) / math.sqrt(repetitions):.3f}")
        print(f"| {d} | " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="10 repetitions at n = 300")
    parser.add_argument("--keep", type=Path, help="file of repetitions that are done")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--only", choices=("coverage", "bias"))
    options = parser.parse_args()
    print(f"{platform.machine()}, Python {platform.python_version()}, otdiv {otdiv.__version__}\n")
    if options.only != "bias":
        sizes = [300] if options.quick else options.sizes
        run_coverage(sizes, {n: 10 if options.quick else REPETITIONS.get(n, 20) for n in sizes}, options.keep)
    if options.only != "coverage":
        run_bias(3 if options.quick else 10)


if __name__ == "__main__":
    main()
