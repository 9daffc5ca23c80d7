"""Many measures as one record of arrays, checked once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from otdiv.core.validation import Array, ReadOnlyCopies, as_float_array, as_points, as_weights, invalid
from otdiv.errors import InvalidInput
from otdiv.measures.discrete import DiscreteMeasure, with_same_columns


@dataclass(frozen=True, eq=False)
class Collection(ReadOnlyCopies):
    """k measures, one after another.

    Attributes
    ----------
    points : ndarray [N, d]
        Of all measures.
    weights : ndarray [N]
    start : int64 ndarray [k + 1]
        Measure i has the points start[i] ... start[i + 1] - 1.
    """

    points: Array
    weights: Array
    start: Array

    def __post_init__(self) -> None:
        for array in (self.points, self.weights, self.start):  # compiled code is made for arrays of one kind
            array.flags.writeable = False

    def __len__(self) -> int:
        return len(self.start) - 1

    @property
    def d(self) -> int:
        """Dimension of the points."""
        return self.points.shape[1]

    @property
    def sizes(self) -> Array:
        """Numbers of points [k]."""
        return np.diff(self.start)

    @cached_property
    def masses(self) -> Array:
        """Total masses [k], each off by at most n_i u of itself, u = 2**-53."""
        return np.add.reduceat(self.weights, self.start[:-1])

    def measure(self, i: int) -> DiscreteMeasure:
        """Measure i by itself."""
        part = slice(self.start[i], self.start[i + 1])
        return DiscreteMeasure(self.points[part], self.weights[part])

    def normalized(self) -> Collection:
        """The same measures, each with mass 1."""
        return Collection(self.points, self.weights / np.repeat(self.masses, self.sizes), self.start)


def as_collection(name: str, measures: Any, weights_name: str = "weights", weights: Any = None) -> Collection:
    """Measures from an array [k, n, d], a list of arrays [n, d] or [n], or of DiscreteMeasure.

    Parameters
    ----------
    name, weights_name : str
        For messages.
    measures : array_like [k, n, d], or sequence of array_like [n_i, d], [n_i] or DiscreteMeasure
    weights : array_like [k, n], or sequence of array_like [n_i] or None; optional
        None is uniform, 1 / n_i each.

    Raises
    ------
    InvalidInput
        No measures, points of different dimensions, and what :class:`DiscreteMeasure` refuses; the message names
        the measure by its place.
    """
    if isinstance(measures, np.ndarray) and measures.ndim == 3 and weights is None and measures.size:
        k, n, d = measures.shape
        points = as_points(name, as_float_array(name, measures).reshape(k * n, d))
        return Collection(points, np.full(k * n, 1 / n), np.arange(k + 1, dtype=np.int64) * n)
    if isinstance(measures, np.ndarray) and measures.ndim < 3 and measures.dtype != object:
        raise _no_list(name, f"an array of shape {measures.shape}")
    if isinstance(measures, DiscreteMeasure | str) or not isinstance(measures, Sequence | np.ndarray):
        raise _no_list(name, type(measures).__name__)
    if not len(measures):
        raise _no_list(name, "none")
    given = [None] * len(measures) if weights is None else list(weights)
    if len(given) != len(measures):
        raise invalid(weights_name, f"hold {len(measures)} arrays, one for each of {name}", str(len(given)), "")
    points_of: list[Array] = []
    weights_of: list[Array] = []
    first: DiscreteMeasure | None = None
    for i, (one, mass) in enumerate(zip(measures, given, strict=True)):
        try:
            if isinstance(one, DiscreteMeasure) or hasattr(one, "columns"):
                measure = _measure(one, mass)
                first = measure if first is None else first
                measure = with_same_columns(first, measure)
                points, mass = measure.points, measure.weights
            else:
                points = as_points("points", one)
                mass = as_weights("weights", mass, len(points))
        except InvalidInput as problem:
            raise InvalidInput(f"of {name}[{i}]: {problem}") from None
        if points_of and points.shape[1] != points_of[0].shape[1]:
            found = f"d = {points_of[0].shape[1]} and d = {points.shape[1]} of {name}[{i}]"
            raise invalid(name, "have points of one dimension", found, "Select the same columns of all.")
        points_of.append(points)
        weights_of.append(mass)
    start = np.concatenate([[0], np.cumsum([len(points) for points in points_of])]).astype(np.int64)
    return Collection(np.concatenate(points_of), np.concatenate(weights_of), start)


def _measure(one: Any, weights: Any) -> DiscreteMeasure:
    if not isinstance(one, DiscreteMeasure):
        return DiscreteMeasure(one, weights)
    if weights is not None:
        raise invalid("the weights", "be left out for a DiscreteMeasure", "weights beside it", "It brings its own.")
    return one


def _no_list(name: str, received: str) -> InvalidInput:
    remedy = "For example [x1, x2, x3]; for two measures use otdiv.emd."
    return invalid(name, "be a list of measures, or an array [k, n, d]", received, remedy)
