"""Distances that cost less than transport in many dimensions: sliced and max-sliced W_p, energy distance, MMD."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from otdiv.core.memory import row_blocks
from otdiv.core.validation import Array, as_rng, invalid
from otdiv.costs import Euclidean
from otdiv.estimators.arguments import as_samples

LEAST_POINTS = 2
_ASCENT_STEPS = 30
_MEDIAN_POINTS = 1000
"""Pooled points whose pairwise distances give the bandwidth of MMD."""


@dataclass(frozen=True)
class Companion:
    """A distance of two samples, and what samples of one distribution would show.

    Attributes
    ----------
    name : str
    value : float
        Of the samples.
    null_floor : float
        Mean over random splits of the pooled sample.
    null_error : float
        Standard deviation over the splits.
    unit : str
    """

    name: str
    value: float
    null_floor: float
    null_error: float
    unit: str


@dataclass(frozen=True)
class CompanionDistances:
    """All companions of one pair of samples, by name.

    Attributes
    ----------
    sliced, max_sliced, energy, mmd : Companion
    n, m, splits : int
    """

    sliced: Companion
    max_sliced: Companion
    energy: Companion
    mmd: Companion
    n: int
    m: int
    splits: int

    def __iter__(self) -> Iterator[Companion]:
        return iter((self.sliced, self.max_sliced, self.energy, self.mmd))

    def __str__(self) -> str:
        lines = [f"{c.name:<16} {c.value:<10.4g} null floor {c.null_floor:.4g} +- {c.null_error:.2g}" for c in self]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "n": self.n,
            "m": self.m,
            "splits": self.splits,
            **{key: vars(getattr(self, key)).copy() for key in ("sliced", "max_sliced", "energy", "mmd")},
        }


def companion_distances(
    x: Any, y: Any, *, projections: int = 50, splits: int = 20, bandwidth: float | None = None, rng: Any = None
) -> CompanionDistances:
    """Sliced and max-sliced W1, energy distance and MMD of two samples, each beside its null floor.

    Parameters
    ----------
    x, y : array_like [n, d], [m, d] (or [n], [m]), data frame, or DiscreteMeasure of equal weights
    projections : int
        Random directions of the sliced distance (one on the line); max-sliced ascends from the best of them.
    splits : int
        Random splits of the pooled sample into parts of sizes n and m, from which the null floor is taken.
    bandwidth : float, optional
        h of the kernel exp(-|x - y|^2 / (2 h^2)), in the unit of the points; None is the median pooled distance.
    rng : int, numpy.random.Generator or None

    Returns
    -------
    CompanionDistances
        Sliced: mean over directions u of W1 of the projections, at most W1.  Max-sliced: the largest found, at most
        W1.  Energy: (2 E|X - Y| - E|X - X'| - E|Y - Y'|)^(1/2).  MMD: the distance of the kernel means, at most
        2^(1/2).  All are distances of the samples, and their null floors fall like n^(-1/2) in every dimension
        (n^(-1/4) for the root in the energy distance).

    Raises
    ------
    InvalidInput
        Different columns, NaN, weights, numbers that are not positive.

    References
    ----------
    N. Bonneel et al., Sliced and Radon Wasserstein barycenters of measures, J. Math. Imaging Vision 51, 2015;
    G. J. Szekely and M. L. Rizzo, 2013; A. Gretton et al., A kernel two-sample test, JMLR 13, 2012.

    Examples
    --------
    >>> draws = np.random.default_rng(0).normal(size=(2, 300, 5))
    >>> found = companion_distances(draws[0], draws[1] + [1, 0, 0, 0, 0], rng=0)
    >>> found.sliced.value < found.max_sliced.value and found.mmd.value > 3 * found.mmd.null_floor
    True
    """
    for name, number in (("projections", projections), ("splits", splits)):
        if isinstance(number, bool) or not isinstance(number, int) or number < 2:
            raise invalid(name, "be a whole number of at least 2", repr(number), "For example the default.")
    if bandwidth is not None and not 0 < bandwidth < math.inf:
        raise invalid("bandwidth", "be positive and finite", repr(bandwidth), "None takes the median distance.")
    generator, samples = as_rng(rng), as_samples(x, y, LEAST_POINTS)
    n, m = samples.n, samples.m
    pooled = np.concatenate([samples.x, samples.y])
    masses = _masses(n, m, splits, generator)
    directions = _directions(samples.d, projections, generator)
    sliced = np.stack([_on_line(pooled @ u, masses) for u in directions])
    largest = np.array([_ascend(pooled, masses[:, k], directions[sliced[:, k].argmax()]) for k in range(splits + 1)])
    energy, mmd = _quadratic_forms(pooled, masses, bandwidth or _median_distance(pooled, generator))
    return CompanionDistances(
        _companion("sliced W1", sliced.mean(axis=0), "of the points"),
        _companion("max-sliced W1", np.maximum(largest, sliced.max(axis=0)), "of the points"),
        _companion("energy distance", energy, "root of that of the points"),
        _companion("MMD", mmd, "none"),
        n,
        m,
        splits,
    )


def _companion(name: str, values: Array, unit: str) -> Companion:
    return Companion(name, float(values[0]), float(values[1:].mean()), float(values[1:].std(ddof=1)), unit)


def _masses(n: int, m: int, splits: int, rng: np.random.Generator) -> Array:
    """P_n - Q_m as masses of the pooled points, first as given, then for random splits [n + m, 1 + splits]."""
    given = np.repeat([1 / n, -1 / m], [n, m])
    return np.stack([given, *(rng.permutation(given) for _ in range(splits))], axis=1)


def _directions(d: int, count: int, rng: np.random.Generator) -> Array:
    """Uniform directions [count, d]; on the line there is one."""
    if d == 1:
        return np.ones((1, 1))
    u = rng.normal(size=(count, d))
    return np.asarray(u / np.linalg.norm(u, axis=1, keepdims=True))


def _on_line(t: Array, masses: Array) -> Array:
    """W1 of the columns of masses [N, B] at the points t [N] of the line."""
    order = np.argsort(t)
    ahead = np.cumsum(masses[order], axis=0)[:-1]
    return np.asarray(np.diff(t[order]) @ np.abs(ahead))


def _ascend(points: Array, mass: Array, u: Array) -> float:
    """W1 along the direction that ascent from u reaches; it is convex and homogeneous in u, so no step is too long."""
    value = -math.inf
    for _ in range(_ASCENT_STEPS):
        order = np.argsort(points @ u)
        gradient = np.abs(np.cumsum(mass[order])[:-1]) @ np.diff(points[order], axis=0)
        reached = float(gradient @ u)
        if reached <= value * (1 + 1e-9):
            break
        value, length = reached, float(np.linalg.norm(gradient))
        if length == 0:
            break
        u = gradient / length
    return max(value, 0.0)


def _quadratic_forms(points: Array, masses: Array, bandwidth: float) -> tuple[Array, Array]:
    """Energy distances and MMDs of all columns of masses, from one pass over the pairwise distances."""
    distance = Euclidean()
    energy, mmd = np.zeros(masses.shape[1]), np.zeros(masses.shape[1])
    for rows in row_blocks(len(points), len(points)):
        block = distance.matrix(points[rows], points)
        energy -= (masses[rows] * (block @ masses)).sum(axis=0)
        mmd += (masses[rows] * (np.exp(-(block**2) / (2 * bandwidth**2)) @ masses)).sum(axis=0)
    return np.sqrt(np.maximum(energy, 0.0)), np.sqrt(np.maximum(mmd, 0.0))


def _median_distance(points: Array, rng: np.random.Generator) -> float:
    few = points[rng.choice(len(points), size=min(len(points), _MEDIAN_POINTS), replace=False)]
    distances = Euclidean().matrix(few, few)[np.triu_indices(len(few), 1)]
    return float(np.median(distances)) or float(distances.max(initial=0.0)) or 1.0
