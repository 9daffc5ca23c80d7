"""Views of two samples: the points themselves, single columns, a direction, the distance from the centre.

In every view a scale is found first: the least distance at which parts of the real sample can be matched to one
another up to a small allowance.  Then the generated sample is matched at that distance.  No function of the points
can show less agreement than the points themselves (data processing), so that the least over all views is the
sharpest statement; a view of few dimensions sees what distances between points of many dimensions do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from otdiv.core.validation import Array
from otdiv.sample_quality.partial.matching import greatest_matching, mass_units


class Pairing(Protocol):
    """Sources and targets in one view."""

    def nearest(self) -> Array:
        """Distance [n] of every source to its nearest target."""

    def within(self, distance: float) -> Array:
        """Whether source i lies within the distance of target j [n, m]."""

    def share(self, distance: float, capacity: float, keep: Array | None) -> float:
        """Greatest share of the sources that can be matched to the targets in ``keep`` [m]."""


@dataclass(frozen=True, eq=False)
class InSpace:
    """All distances between sources and targets [n, m]."""

    apart: Array

    def nearest(self) -> Array:
        """Distance [n] of every source to its nearest target."""
        return self.apart.min(axis=1)

    def within(self, distance: float) -> Array:
        """Whether source i lies within the distance of target j [n, m]."""
        return self.apart <= distance

    def share(self, distance: float, capacity: float, keep: Array | None) -> float:
        """Greatest share of the sources that can be matched to the targets in ``keep`` [m]."""
        within = self.within(distance) if keep is None else self.within(distance) & keep
        return float(greatest_matching(within, capacity, proved=False).share)


@dataclass(frozen=True, eq=False)
class OnLine:
    """Sources x [n] and targets y [m] on the line, in any order."""

    x: Array
    y: Array
    sorted_x: Array = field(init=False)
    order: Array = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sorted_x", np.sort(self.x))
        object.__setattr__(self, "order", np.argsort(self.y, kind="stable"))

    def nearest(self) -> Array:
        """Distance [n] of every source to its nearest target."""
        ascending = self.y[self.order]
        place = np.searchsorted(ascending, self.x)
        below, above = ascending[np.maximum(place - 1, 0)], ascending[np.minimum(place, len(ascending) - 1)]
        return np.minimum(np.abs(self.x - below), np.abs(above - self.x))

    def within(self, distance: float) -> Array:
        """Whether source i lies within the distance of target j [n, m]."""
        return (self.y >= self.x[:, None] - distance) & (self.y <= self.x[:, None] + distance)

    def share(self, distance: float, capacity: float, keep: Array | None) -> float:
        """Greatest share of the sources that can be matched to the targets in ``keep`` [m]."""
        from otdiv.sample_quality.partial.line import line_share  # compiled

        targets = self.order if keep is None else self.order[keep[self.order]]

        return line_share(self.sorted_x, self.y[targets], mass_units(len(self.x), len(self.y), capacity), distance)


def least_distance(pairings: Sequence[Pairing], capacity: float, share: float) -> float:
    """The least distance at which the mean share over the pairings is reached; inf if none does.

    Parameters
    ----------
    pairings : sequence of InSpace, or of OnLine of equal sizes
    capacity : float
    share : float
    """
    first = pairings[0]
    if isinstance(first, OnLine):
        from otdiv.sample_quality.partial.line import least_line_distance  # compiled

        lines = [pairing for pairing in pairings if isinstance(pairing, OnLine)]
        xs = np.stack([line.sorted_x for line in lines])
        ys = np.stack([line.y[line.order] for line in lines])

        return least_line_distance(xs, ys, mass_units(xs.shape[1], ys.shape[1], capacity), share)

    def reached(distance: float) -> bool:
        return mean_share(pairings, distance, capacity) >= share - 1e-12

    nearest = np.sort(np.concatenate([pairing.nearest() for pairing in pairings]))
    least = nearest[min(len(nearest), int(np.ceil(share * len(nearest) - 1e-9))) - 1]  # if targets took everything
    if reached(least):
        return float(least)
    distances = np.unique(np.concatenate([p.apart.ravel() for p in pairings if isinstance(p, InSpace)]))
    low, high = int(np.searchsorted(distances, least)), len(distances) - 1
    if not reached(distances[high]):
        return float("inf")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(distances[middle]) else (middle, high)
    return float(distances[high])


def mean_share(
    pairings: Sequence[Pairing], distance: float, capacity: float, keep: Sequence[Array] | None = None
) -> float:
    """Mean over the pairings of the greatest share within the distance."""
    kept = [None] * len(pairings) if keep is None else keep
    return float(np.mean([p.share(distance, capacity, k) for p, k in zip(pairings, kept, strict=True)]))


@dataclass(frozen=True)
class ViewShare:
    """What one view says.

    Attributes
    ----------
    view : str
        Such as "points", "column 3", "direction of the means", "distance from the centre".
    distance : float
        At which points count as matched, in the unit of the view.
    matched : float
        Greatest share that can be matched, mean over the pairs of blocks.
    floor : float
        The same for real points against real points.
    per_pair : tuple of float
        The share of each pair of blocks.
    """

    view: str
    distance: float
    matched: float
    floor: float
    per_pair: tuple[float, ...]

    @property
    def value(self) -> float:
        """matched / floor, at most 1."""
        return self._over_floor(self.matched)

    @property
    def spread(self) -> tuple[float, float]:
        """The least and the largest value among the pairs of blocks: how far one block differs from another."""
        return self._over_floor(min(self.per_pair)), self._over_floor(max(self.per_pair))

    def _over_floor(self, share: float) -> float:
        return min(1.0, share / self.floor) if self.floor > 0 else 0.0


@dataclass(frozen=True, eq=False)
class View:
    """One view of the blocks, for one side.

    Attributes
    ----------
    name : str
    real : sequence of Pairing
        Of real block i to another real block; they set the distance and the floor.
    measured : sequence of Pairing
        Of a generated block to a real one, or the other way round.
    target, real_target : sequence of tuple of int
        For each measured and each real pairing the numbers of the real pairings whose sources are, one after the
        other, its targets; empty where the targets are generated.
    """

    name: str
    real: Sequence[Pairing]
    measured: Sequence[Pairing]
    target: Sequence[tuple[int, ...]] = ()
    real_target: Sequence[tuple[int, ...]] = ()

    def evaluate(self, capacity: float, allowance: float) -> ViewShare:
        """The distance that leaves ``allowance`` of real points unmatched, and the shares at that distance."""
        distance = least_distance(self.real, capacity, 1.0 - allowance)
        keep, floor_keep = self.targets(distance)
        shares = [p.share(distance, capacity, k) for p, k in zip(self.measured, keep, strict=True)]
        floor = mean_share(self.real, distance, capacity, floor_keep)
        return ViewShare(self.name, distance, float(np.mean(shares)), floor, tuple(shares))

    def targets(self, distance: float) -> tuple[list[Array | None], list[Array] | None]:
        """The targets that count, of measured and of real pairings: real ones only where other real points are near."""
        if not self.target:
            return [None] * len(self.measured), None
        confirmed = [pairing.nearest() <= distance for pairing in self.real]

        def of(pairing: tuple[int, ...]) -> Array:
            return np.concatenate([confirmed[block] for block in pairing])

        return [of(which) for which in self.target], [of(which) for which in self.real_target]
