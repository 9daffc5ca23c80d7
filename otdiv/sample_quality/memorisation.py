"""Whether a generator repeats its training points: is it nearer to them than to held-out points?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from otdiv.core.bounds import Bounds
from otdiv.core.text_tables import number
from otdiv.core.validation import Array, as_rng, invalid
from otdiv.sample_quality.exchange_test import MOST_POINTS, ROUNDING, distances_from
from otdiv.sample_quality.proportions import Proportion, proportion
from otdiv.sample_quality.samples import as_sample
from otdiv.two_sample.arguments import as_permutations
from otdiv.two_sample.permutations import count_as_large, draw_divisions, p_value

LEAST_POINTS = 10
"""Points of each sample that the comparison needs."""


@dataclass(frozen=True)
class Memorisation:
    """Generated points against training and held-out points.

    Attributes
    ----------
    to_train, to_test : Bounds
        Proved intervals of W1(generated, train) and W1(generated, test), three samples of ``size`` points.
    p_value : float
        Of W1(generated, test) - W1(generated, train) under the hypothesis that training and held-out points come from
        one distribution and the generator treats them alike; small where it is nearer to training points.
    nearer_to_train : Proportion
        Share of generated points whose nearest point is a training point, of as many training as held-out points;
        1/2 without memorisation.  Equal distances count half, rounded down.
    p_nearest : float
        The permutation p-value of that share.
    copies : int
        Generated points, among all, that coincide with a training point.
    size, permutations : int
    """

    to_train: Bounds
    to_test: Bounds
    p_value: float
    nearer_to_train: Proportion
    p_nearest: float
    copies: int
    size: int
    permutations: int

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        bounds = {name: [getattr(self, name).lower, getattr(self, name).upper] for name in ("to_train", "to_test")}
        return plain | bounds | {"nearer_to_train": self.nearer_to_train.to_dict()}

    def __str__(self) -> str:
        return (
            f"W1 to training points {number(self.to_train.upper, 4)}, to held-out points "
            f"{number(self.to_test.upper, 4)}: p = {number(self.p_value, 3)} ({self.size} points each)\n"
            f"nearer to a training than to a held-out point: {self.nearer_to_train}, p = {number(self.p_nearest, 3)}; "
            f"{self.copies} exact copies"
        )


def memorisation(generated: Any, train: Any, test: Any, *, permutations: int = 199, rng: Any = 0) -> Memorisation:
    """Compare the distances of generated points to training and to held-out points.

    Parameters
    ----------
    generated, train, test : array_like [g, d], [n, d], [m, d]
        Random parts of one size are compared: of the smallest sample, at most 300 points each.
    permutations : int
        Random exchanges of training and held-out points.
    rng : int, numpy.random.Generator or None

    Returns
    -------
    Memorisation

    Raises
    ------
    InvalidInput
        Fewer than 10 points, different dimensions, NaN.

    Notes
    -----
    Both p-values are valid for every size: if training and held-out points are exchangeable for the generator, so are
    the divisions of their pool, of which the observed one is among the most extreme with probability at most p.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> train, test = rng.normal(size=(2, 40, 2))
    >>> found = memorisation(train + 0.01 * rng.normal(size=(40, 2)), train, test)
    >>> found.p_value < 0.02, found.nearer_to_train.value > 0.9
    (True, True)
    """
    like = as_sample("generated", generated)
    g, x, y = like.points, *(as_sample(n, p, like, "generated").points for n, p in (("train", train), ("test", test)))
    size = min(len(g), len(x), len(y), MOST_POINTS)
    if size < LEAST_POINTS:
        raise invalid("every sample", f"hold at least {LEAST_POINTS} points", str(size), "Draw more.")
    generator = as_rng(rng)
    copies = int(np.count_nonzero(_coincide(g, x)))
    g, x, y = (points[generator.permutation(len(points))[:size]] for points in (g, x, y))
    divisions = draw_divisions(size, size, as_permutations(permutations), generator)
    apart, values, lower, upper = distances_from(g, np.concatenate([x, y]), divisions)
    nearer = np.array([_count_nearer(apart, labels) for labels in divisions.labels])
    return Memorisation(
        to_train=Bounds(float(lower[0, 0]), float(upper[0, 0])),
        to_test=Bounds(float(lower[0, 1]), float(upper[0, 1])),
        p_value=p_value(count_as_large(values[:, 1] - values[:, 0], ROUNDING * float(apart.mean()))),
        nearer_to_train=proportion(int(nearer[0]), size),
        p_nearest=p_value(count_as_large(nearer)),
        copies=copies,
        size=size,
        permutations=divisions.count - 1,
    )


def _count_nearer(apart: Array, first: Array) -> float:
    """Rows of ``apart`` whose least entry lies in the columns ``first``; equal ones count half."""
    inside, outside = apart[:, first].min(axis=1), apart[:, ~first].min(axis=1)
    return float(np.count_nonzero(inside < outside) + np.count_nonzero(inside == outside) / 2)


def _coincide(points: Array, others: Array) -> Array:
    """Which points are equal to one of the others in every column, 0 and -0 being equal."""
    known = {row.tobytes() for row in others + 0.0}
    return np.array([row.tobytes() in known for row in points + 0.0])
