"""Desiderata of fidelity and diversity: 15 sanity checks, 30 rows, made again from their published description.

O. Raisa, B. van Breugel and M. van der Schaar, Position: All Current Generative Fidelity and Diversity Metrics are
Flawed, ICML 2025.  Every check varies one thing and asks of the mean over repeats for a value at a point (within 0.05
of 0 or of 1), or for a shape along the variation.  A row, a check with one of its desiderata, passes if all of its
criteria pass, in every dimension; of diversity measures some criteria accept a value near 0 ("low") or near 1
("high"), and then all of a row must agree.  Data are divided by the standard deviations of the real sample first, as
in the original.  Measured are fidelity and diversity of otdiv and, as a control of the suite, precision, recall,
density and coverage, whose published counts are 11, 8, 18 and 13.

    python benchmarks/desiderata.py --repeats 10 --out table.md

or, in parts, with --first-seed and --values, and then --average of the files.

Fewer points along a variation than in the original (13 for 51 and so on), always with its ends, its middle and every
point that a criterion names.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from otdiv.sample_quality import fidelity_diversity, neighbour_measures

N = 1000
"""Points of each sample, unless its number is what varies."""
DIMENSIONS = (1, 8, 64)
CLOSE = 0.05
"""Difference from a value that counts as close to it."""
PUBLISHED = {"precision": 11, "density": 18, "recall": 8, "coverage": 13}
KIND = {
    "fidelity": "fidelity", "fidelity with decimals": "fidelity", "precision": "fidelity", "density": "fidelity",
    "diversity": "diversity", "diversity with decimals": "diversity", "recall": "diversity", "coverage": "diversity",
}  # fmt: skip

Curve = dict[float, float]
Answer = bool | str
Criterion = Callable[[Curve], Answer]
Point = tuple[Any, float, np.ndarray, np.ndarray]
"""Index of the criterion's group, position along the variation, real sample, generated sample."""


def at(where: float | str, accept: Callable[[float], Answer]) -> Criterion:
    """The value at a position, "min" or "max" for the ends."""

    def check(curve: Curve) -> Answer:
        place = min(curve) if where == "min" else max(curve) if where == "max" else where
        return accept(curve[min(curve, key=lambda x: abs(x - place))])

    return check


def close_to(target: float) -> Callable[[float], bool]:
    return lambda value: abs(value - target) <= CLOSE


one, zero = close_to(1.0), close_to(0.0)


def low_or_high(value: float) -> Answer:
    return "high" if one(value) else "low" if zero(value) else False


def ends(curve: Curve) -> tuple[float, float, float, float]:
    values = list(curve.values())
    return curve[min(curve)], curve[max(curve)], min(values), max(values)


def bell(middle: float) -> Criterion:
    """High in the middle: 0.2 above both ends, within 0.1 of the largest; one end within 0.1 of the smallest."""

    def check(curve: Curve) -> bool:
        left, right, low, high = ends(curve)
        top = curve[min(curve, key=lambda x: abs(x - middle))]
        return min(top - left, top - right) >= 0.2 and high - top <= 0.1 and min(left, right) - low <= 0.1

    return check


def falls(curve: Curve) -> bool:
    left, right, low, high = ends(curve)
    return left - right >= 0.2 and high - left <= 0.1 and right - low <= 0.1


def rises(curve: Curve) -> bool:
    left, right, low, high = ends(curve)
    return right - left >= 0.2 and left - low <= 0.1 and high - right <= 0.1


def falls_by(middle: float) -> Criterion:
    """Falls, and is 0.1 below the left end at a position."""
    return lambda curve: falls(curve) and curve[min(curve)] - curve[min(curve, key=lambda x: abs(x - middle))] >= 0.1


def flat(curve: Curve) -> bool:
    return max(curve.values()) - min(curve.values()) <= CLOSE


def converges(curve: Curve) -> bool:
    """Flat over the upper half of the sizes 100 ... 10 000, evenly spaced in the logarithm."""
    return flat({x: value for x, value in curve.items() if x >= 1000})


def low_shape_or_high(low: Criterion, high: Criterion) -> Criterion:
    return lambda curve: "low" if low(curve) else "high" if high(curve) else False


@dataclass(frozen=True)
class Check:
    """A sanity check: its samples, and its criteria by desideratum; those of one kind of measure only by name."""

    name: str
    samples: Callable[[np.random.Generator], Iterator[Point]]
    criteria: dict[str, list[Criterion]]
    fidelity: dict[str, list[Criterion]] = field(default_factory=dict)
    diversity: dict[str, list[Criterion]] = field(default_factory=dict)
    by_group: dict[tuple[str, Any], dict[str, list[Criterion]]] = field(default_factory=dict)

    def of(self, kind: str, group: Any, desideratum: str) -> list[Criterion]:
        own = self.fidelity if kind == "fidelity" else self.diversity
        special = self.by_group.get((kind, group), {})
        return [
            *self.criteria.get(desideratum, []),
            *own.get(desideratum, []),
            *special.get(desideratum, []),
        ]

    @property
    def desiderata(self) -> list[str]:
        return sorted({*self.criteria, *self.fidelity, *self.diversity})


def normal(rng: np.random.Generator, n: int, d: int, mean: Any = 0.0, sd: Any = 1.0) -> np.ndarray:
    return mean + sd * rng.standard_normal((n, d))


SHIFTS = {1: 6.0, 8: 3.0, 64: 1.0}


def mean_difference(rng: np.random.Generator) -> Iterator[Point]:
    for d, most in SHIFTS.items():
        real = normal(rng, N, d)
        for shift in np.linspace(-most, most, 13):
            yield d, shift, real, normal(rng, N, d, shift)


def mean_difference_outlier(rng: np.random.Generator) -> Iterator[Point]:
    for d, most in SHIFTS.items():
        real, outlier = normal(rng, N, d), np.full((1, d), most)
        with_outlier = np.concatenate([real, outlier])
        for shift in np.linspace(-most, most, 13):
            generated = normal(rng, N, d, shift)
            yield (d, "real outlier"), shift, with_outlier, generated
            yield (d, "generated outlier"), shift, real, np.concatenate([generated, outlier])


def sd_difference(rng: np.random.Generator) -> Iterator[Point]:
    for d, most in {1: 3.0, 8: 1.0, 64: 0.5}.items():
        real = normal(rng, N, d)
        for power in np.linspace(-most, most, 13):
            yield d, 10**power, real, normal(rng, N, d, 0.0, 10**power)


def mixture(rng: np.random.Generator, means: np.ndarray, sd: float, shares: np.ndarray, n: int = N) -> np.ndarray:
    return normal(rng, n, means.shape[1], means[rng.choice(len(means), n, p=shares)], sd)


def ten_modes() -> Iterator[tuple[int, np.ndarray, float]]:
    for d, sd in {1: 1 / 6, 8: 1 / 3, 64: 1.0}.items():
        yield d, np.tile(np.linspace(0, 10, 10)[:, None], (1, d)), sd


DROP_CHECKED = 47 / 49
"""The original's 95 % quantile of 50 drop fractions from 0 to 1."""


def simultaneous_dropping(rng: np.random.Generator) -> Iterator[Point]:
    for d, means, sd in ten_modes():
        real = mixture(rng, means, sd, np.full(10, 0.1))
        for drop in (*np.linspace(0, 0.9, 7), DROP_CHECKED, 1.0):
            shares = np.array([0.1] + 9 * [0.1 * (1 - drop)])
            yield d, drop, real, mixture(rng, means, sd, shares / shares.sum())


def sequential_dropping(rng: np.random.Generator) -> Iterator[Point]:
    for d, means, sd in ten_modes():
        real = mixture(rng, means, sd, np.full(10, 0.1))
        for dropped in range(10):
            left = 10 - dropped
            yield d, dropped, real, mixture(rng, means[:left], sd, np.full(left, 1 / left))


INVENTED = np.array([
    [5.46794328, -4.08481523], [4.87211875, -13.64864684], [-16.39432073, 9.09802249], [-2.15447941, 12.46200019],
    [11.55784483, -4.96049923], [-24.60558474, 14.18020818], [16.84215967, -3.18710751], [-5.47807206, -6.77247129],
    [9.46726546, 1.05922347], [-5.40346201, -17.29490131],
])  # fmt: skip


def dropping_and_invention(rng: np.random.Generator) -> Iterator[Point]:
    real = mixture(rng, INVENTED[:5], 0.25, np.full(5, 0.2))
    for k in range(1, 11):
        yield None, k, real, mixture(rng, INVENTED[:k], 0.25, np.full(k, 1 / k))


def sphere(rng: np.random.Generator, n: int, d: int, radius: float = 1.0) -> np.ndarray:
    z = rng.standard_normal((n, d))
    return radius * z / np.linalg.norm(z, axis=1, keepdims=True)


def hypersphere(rng: np.random.Generator) -> Iterator[Point]:
    for d in (2, 16, 128):
        real = sphere(rng, N, d)
        for radius in np.linspace(0.1, 1.9, 13):
            yield d, radius, real, sphere(rng, N, d, radius)


SIZES = (100, 1128, 2335, 4832, 10_000)
"""Of the original's 20 sizes: the least, and four of the upper half, its ends included."""


def hypercube_sizes(rng: np.random.Generator) -> Iterator[Point]:
    for d in DIMENSIONS:
        for n in SIZES:
            yield d, n, rng.random((n, d)), 1 - 0.2 ** (1 / d) + rng.random((n, d))


def hypercube_generated_sizes(rng: np.random.Generator) -> Iterator[Point]:
    for d in DIMENSIONS:
        real = rng.random((N, d))
        for n in SIZES:
            yield d, n, real, 1 - 0.2 ** (1 / d) + rng.random((n, d))


def ball(rng: np.random.Generator, n: int, d: int, radius: float) -> np.ndarray:
    return sphere(rng, n, d, radius) * rng.random((n, 1)) ** (1 / d)


def torus(rng: np.random.Generator, n: int) -> np.ndarray:
    tube, angle = ball(rng, n, 2, 0.1), rng.uniform(0, 2 * np.pi, n)
    return np.stack([(1 + tube[:, 0]) * np.cos(angle), (1 + tube[:, 0]) * np.sin(angle), tube[:, 1]], axis=1)


def sphere_and_torus(rng: np.random.Generator) -> Iterator[Point]:
    solid, ring = ball(rng, N, 3, 0.8), torus(rng, N)
    for n in SIZES:
        yield "real sphere", n, solid, torus(rng, n)
        yield "real torus", n, ring, ball(rng, n, 3, 0.8)


def one_or_two_modes(rng: np.random.Generator) -> Iterator[Point]:
    for d in DIMENSIONS:
        for mu in np.linspace(0, 5, 9):
            means = np.array([[-mu / 2], [mu / 2]]) * np.ones((1, d))
            yield d, mu, mixture(rng, means, 1.0, np.full(2, 0.5)), normal(rng, N, d, 0.0, np.sqrt(1 + mu**2))


def scaled_column(rng: np.random.Generator) -> Iterator[Point]:
    for power in np.linspace(-3, 3, 9):
        unit = np.array([1.0, 10**power])
        yield None, 10**power, unit * normal(rng, N, 2), unit * normal(rng, N, 2, np.array([6.0, 0.0]))


def mean_difference_pareto(rng: np.random.Generator) -> Iterator[Point]:
    def sample(shift: float) -> np.ndarray:
        return np.stack([normal(rng, N, 1, shift)[:, 0], 1 + rng.pareto(1.01, N)], axis=1)

    real = sample(0.0)
    for shift in np.linspace(-6, 6, 13):
        yield None, shift, real, sample(shift)


def one_column_apart(rng: np.random.Generator) -> Iterator[Point]:
    for more in (1, 4, 18, 78, 335, 1000):
        generated = normal(rng, N, more + 1)
        generated[:, 0] += 6
        yield None, more, normal(rng, N, more + 1), generated


def discrete(rng: np.random.Generator) -> Iterator[Point]:
    for power in np.linspace(0, 3, 7):
        scale = 10**power
        yield "real discrete", scale, np.round(normal(rng, N, 1, 0, scale)), normal(rng, N, 1, 0, scale)
        yield "real continuous", scale, normal(rng, N, 1, 0, scale), np.round(normal(rng, N, 1, 0, scale))


SHIFTED = {"bounds": [at(0.0, one), at("min", zero), at("max", zero)], "purpose": [bell(0.0)]}
CHECKS = [
    Check("mean difference", mean_difference, SHIFTED),
    Check("mean difference + outlier", mean_difference_outlier, SHIFTED),
    Check(
        "sd difference", sd_difference, {"bounds": [at(1.0, one)]},
        {"bounds": [at("min", one), at("max", zero)], "purpose": [falls]},
        {"bounds": [at("min", zero), at("max", low_or_high)], "purpose": [low_shape_or_high(bell(1.0), rises)]},
    ),
    Check(
        "simultaneous mode dropping", simultaneous_dropping, {"bounds": [at("min", one)]},
        {"bounds": [at("max", one)], "purpose": [flat]}, {"purpose": [falls_by(DROP_CHECKED)]},
    ),
    Check(
        "sequential mode dropping", sequential_dropping, {"bounds": [at("min", one)]},
        {"bounds": [at("max", one)], "purpose": [flat]}, {"purpose": [falls_by(4)]},
    ),
    Check(
        "mode dropping + invention", dropping_and_invention, {"bounds": [at(5, one)]},
        {"bounds": [at("min", one)], "purpose": [falls]}, {"bounds": [at("max", one)], "purpose": [rises]},
    ),
    Check(
        "hypersphere surface", hypersphere,
        {"bounds": [at(1.0, one), at("min", zero), at("max", zero)], "purpose": [bell(1.0)]},
    ),
    Check("hypercube, sample size", hypercube_sizes, {"data": [converges], "purpose": [at("max", close_to(0.2))]}),
    Check(
        "hypercube, generated size", hypercube_generated_sizes,
        {"hyperparameters": [converges], "purpose": [at("max", close_to(0.2))]},
    ),
    Check("sphere and torus", sphere_and_torus, {"purpose": [converges], "bounds": [at("max", zero)]}),
    Check(
        "mode collapse", one_or_two_modes, {"bounds": [at("min", one)]}, {"purpose": [falls]},
        {"purpose": [low_shape_or_high(falls, flat)]},
    ),
    Check("scaling one column", scaled_column, {"invariance": [flat], "bounds": [at("min", zero), at("max", zero)]}),
    Check("mean difference + Pareto", mean_difference_pareto, SHIFTED),
    Check("one column apart", one_column_apart, {"purpose": [flat], "bounds": [at("min", zero), at("max", zero)]}),
    Check(
        "discrete and continuous", discrete, {"purpose": [flat], "bounds": []},
        by_group={
            ("fidelity", "real discrete"): {"bounds": [at("min", zero), at("max", zero)]},
            ("fidelity", "real continuous"): {"bounds": [at("min", one), at("max", one)]},
            ("diversity", "real discrete"): {"bounds": [at("min", low_or_high), at("max", low_or_high)]},
            ("diversity", "real continuous"): {"bounds": [at("min", zero), at("max", zero)]},
        },
    ),
]  # fmt: skip


def measure(real: np.ndarray, generated: np.ndarray, seed: int) -> dict[str, float]:
    """All measures of one pair, in standard deviations of the real sample."""
    ours = fidelity_diversity(real, generated, units="standard deviations", decimals=True, curves=False, rng=seed)
    sd = real.std(axis=0)
    near = neighbour_measures(real / sd, generated / sd)
    values = {"precision": near.precision, "density": near.density, "recall": near.recall, "coverage": near.coverage}
    for name, views in (("fidelity", ours.fidelity_views), ("diversity", ours.diversity_views)):
        values[name] = min(view.value for view in views if not view.view.startswith("decimals"))
        values[f"{name} with decimals"] = min(view.value for view in views)
    return values


def run_check(check: Check, repeats: int, first: int = 0) -> dict[Any, dict[str, Curve]]:
    """Mean over the repeats, whose seeds begin at ``first``, by group and measure."""
    sums: dict[Any, dict[str, dict[float, list[float]]]] = {}
    for seed in range(first, first + repeats):
        rng = np.random.default_rng([CHECKS.index(check), seed])
        for group, place, real, generated in check.samples(rng):
            for name, value in measure(real, generated, seed).items():
                sums.setdefault(group, {}).setdefault(name, {}).setdefault(float(place), []).append(value)
    return {
        group: {name: {x: float(np.mean(v)) for x, v in curve.items()} for name, curve in measures.items()}
        for group, measures in sums.items()
    }


def verdict(check: Check, desideratum: str, measured: dict[Any, dict[str, Curve]], name: str) -> tuple[bool, str]:
    """Whether a row passes, and the groups that fail it."""
    failed, answers = [], set()
    for group, curves in measured.items():
        found = [criterion(curves[name]) for criterion in check.of(KIND[name], group, desideratum)]
        answers |= {answer for answer in found if isinstance(answer, str)}
        if not all(found):
            failed.append("all" if group in (None, "None") else str(group))
    if {"low", "high"} <= answers:
        failed.append("low and high")
    return not failed, "; ".join(failed)


def averaged(files: list[str], check: Check) -> dict[Any, dict[str, Curve]]:
    """The mean of runs of as many repeats each, from their files of values."""
    runs = []
    for name in files:
        with open(name, encoding="utf-8") as stream:
            runs.append(json.load(stream)[check.name])
    return {
        group: {
            name: {float(x): float(np.mean([run[group][name][x] for run in runs])) for x in curve}
            for name, curve in curves.items()
        }
        for group, curves in runs[0].items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0, help="Of the repeats.")
    parser.add_argument("--only", nargs="*", help="Checks whose names begin like this.")
    parser.add_argument("--out", help="Write the table here too (.md).")
    parser.add_argument("--values", help="Write the measured values here (.json).")
    parser.add_argument("--average", nargs="*", help="Measure nothing: the table of these files of values.")
    options = parser.parse_args()
    chosen = [c for c in CHECKS if not options.only or c.name.startswith(tuple(options.only))]
    names, rows, values, passed = list(KIND), [], {}, dict.fromkeys(KIND, 0)
    started = time.perf_counter()
    for check in chosen:
        if options.average:
            measured = averaged(options.average, check)
        else:
            measured = run_check(check, options.repeats, options.first_seed)
        values[check.name] = {str(group): curves for group, curves in measured.items()}
        for desideratum in check.desiderata:
            cells = []
            for name in names:
                ok, where = verdict(check, desideratum, measured, name)
                passed[name] += ok
                cells.append("yes" if ok else f"NO ({where})")
            rows.append(f"| {check.name}: {desideratum} | " + " | ".join(cells) + " |")
            print(rows[-1], flush=True)
    total = len(rows)
    head = ["| row | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    counts = [
        f"{passed[name]} of {total}" + (f" (published {PUBLISHED[name]})" if name in PUBLISHED else "")
        for name in names
    ]
    table = [*head, *rows, "| **passed** | " + " | ".join(counts) + " |"]
    print(table[-1])
    print(f"{time.perf_counter() - started:.0f} s", file=sys.stderr)
    if options.out:
        with open(options.out, "w", encoding="utf-8") as stream:
            stream.write("\n".join(table) + "\n")
    if options.values:
        with open(options.values, "w", encoding="utf-8") as stream:
            json.dump(values, stream)


if __name__ == "__main__":
    main()
