"""Fidelity and diversity of generated samples by exact partial transport, one number and one curve each."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np

from otdiv.core.text_tables import Table, number
from otdiv.core.validation import Array, ReadOnlyCopies, as_rng, invalid
from otdiv.errors import SolverFailed
from otdiv.sample_quality.partial.blocks import Blocks, draw_blocks, views_of
from otdiv.sample_quality.partial.decimals import decimal_shares
from otdiv.sample_quality.partial.matching import greatest_matching
from otdiv.sample_quality.partial.views import Pairing, View, ViewShare
from otdiv.sample_quality.samples import as_pair, unit_of

BLOCK = 500
"""Points of a block.  More: a finer scale, at which less counts as matched; numbers compare at one size only."""
LEAST_BLOCK = 20
"""Points of the smallest block; fewer say nothing about a scale."""
ALLOWANCE = 0.02
"""Share of real points that may stay unmatched to other real ones.  More: a smaller distance, a sharper measure."""
FIDELITY_CAPACITY = 50.0
"""How many times its own weight a real point may be generated before the rest counts as unmatched."""
DIVERSITY_CAPACITY = 4.0
"""How many times too rarely a region may be generated before the rest of it counts as unmatched."""
MULTIPLES = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0)
"""Distances of the curves, in multiples of the scale of real points against real points."""


@dataclass(frozen=True, eq=False)
class MatchingCurve(ReadOnlyCopies):
    """Share that can be matched, by distance, of the points themselves.

    Attributes
    ----------
    distance : ndarray [t]
        In the unit of the points.
    generated, real : ndarray [t]
        Share of generated points (for fidelity), or of real ones (for diversity), that can be matched; and of real
        points against real points.
    """

    distance: Array
    generated: Array
    real: Array

    def __post_init__(self) -> None:
        for array in (self.distance, self.generated, self.real):
            array.flags.writeable = False

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {name: getattr(self, name).tolist() for name in self.__dataclass_fields__}


@dataclass(frozen=True, eq=False)
class FidelityDiversity:
    """What partial transport says about generated samples.

    Attributes
    ----------
    fidelity, diversity : float
        In [0, 1]; 1 is as good as real points against real points.  The least over all views.
    fidelity_views, diversity_views : tuple of ViewShare
        The least first.
    fidelity_curve, diversity_curve : MatchingCurve or None
        Of the points themselves.
    block : int
        Points of each block that was compared, real and generated.
    pairs : int
        Pairs of blocks.
    proofs : int
        Optima that were proved in whole units of mass: those of the least view of each side, and of the curves.
    """

    fidelity: float
    diversity: float
    fidelity_views: tuple[ViewShare, ...]
    diversity_views: tuple[ViewShare, ...]
    fidelity_curve: MatchingCurve | None
    diversity_curve: MatchingCurve | None
    block: int
    pairs: int
    proofs: int

    def table(self, title: str = "") -> Table:
        """One row for each view, the least five of each side."""
        rows = []
        for side, views in (("fidelity", self.fidelity_views), ("diversity", self.diversity_views)):
            for v in views[:5]:
                shares = f"{100 * v.matched:.1f} %", f"{100 * v.floor:.1f} %", number(v.distance, 4)
                rows.append((side, f"{v.value:.3f}", "{:.3f} to {:.3f}".format(*v.spread), v.view, *shares))
        headers = ("", "value", "among blocks", "view", "matched", "real to real", "within")
        return Table(title, headers, rows, str(self).splitlines(), (1, 2, 4, 5, 6))

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        curves = self.fidelity_curve, self.diversity_curve
        return {
            "fidelity": self.fidelity,
            "diversity": self.diversity,
            "fidelity_view": self.fidelity_views[0].view,
            "diversity_view": self.diversity_views[0].view,
            "fidelity_spread": list(self.fidelity_views[0].spread),
            "diversity_spread": list(self.diversity_views[0].spread),
            "fidelity_curve": None if curves[0] is None else curves[0].to_dict(),
            "diversity_curve": None if curves[1] is None else curves[1].to_dict(),
            "block": self.block,
            "pairs": self.pairs,
            "proofs": self.proofs,
        }

    def __str__(self) -> str:
        return (
            f"fidelity {self.fidelity:.3f} (least in view: {self.fidelity_views[0].view}), "
            f"diversity {self.diversity:.3f} (least in view: {self.diversity_views[0].view})\n"
            f"{self.pairs} pairs of {self.block} points each, {self.proofs} optima proved in whole units of mass"
        )


def fidelity_diversity(
    real: Any,
    generated: Any,
    *,
    block: int = BLOCK,
    allowance: float = ALLOWANCE,
    fidelity_capacity: float = FIDELITY_CAPACITY,
    diversity_capacity: float = DIVERSITY_CAPACITY,
    units: str = "raw",
    decimals: bool = False,
    curves: bool = True,
    rng: Any = 0,
) -> FidelityDiversity:
    """How much of the generated sample is like real points (fidelity), and how much of the real one is generated.

    Fidelity is the greatest share of generated mass that can be matched to real points within a distance at which
    real points are matched to real points, where a real point takes up to ``fidelity_capacity`` times its weight.
    Diversity is the greatest share of real mass that can be matched to generated points, which take up to
    ``diversity_capacity`` times theirs.  Each is divided by what real points reach, at most 1, and is the least over
    the views: the points themselves, every column, the direction in which the medians differ (found on other blocks),
    for diversity the distance from the centre, and with ``decimals`` the decimals of every column.

    Parameters
    ----------
    real, generated : array_like [n, d], [m, d]
    block : int
        Real and generated blocks of one size are compared: this one, or half the real sample, or the generated one.
        Values of different block sizes do not compare.
    allowance : float
        Share of real points that may stay unmatched to other real ones at the distance of a view.
    fidelity_capacity, diversity_capacity : float
        At least 1.
    units : {"raw", "standard deviations"}
        In which distances between points are taken: those of the data, or every column divided by the standard
        deviation of the real sample (columns that are constant there stay as they are).
    decimals : bool
        Whether a value with more decimals than the other sample ever has counts as unmatched; for tables.
    curves : bool
        Whether to solve for other distances too.
    rng : int, numpy.random.Generator or None
        Divides both samples into blocks.

    Returns
    -------
    FidelityDiversity

    Raises
    ------
    InvalidInput
        Too few points, different dimensions, NaN, capacities below 1.

    Notes
    -----
    As the samples grow and the distance shrinks, the share tends to sum min(c P, Q) for fidelity and sum min(P, c Q)
    for diversity: two points of the precision-recall curve of distributions.  A real point vouches only if another
    real block has a point within the distance, so that an outlier vouches for nothing.

    References
    ----------
    M. Sajjadi et al., Assessing generative models via precision and recall, NeurIPS 2018; O. Raisa, B. van Breugel
    and M. van der Schaar, All current generative fidelity and diversity metrics are flawed, ICML 2025.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> ring = rng.normal(size=(400, 2))
    >>> found = fidelity_diversity(ring, 0.05 * rng.normal(size=(400, 2)), curves=False)
    >>> found.fidelity > 0.95, found.diversity < 0.05
    (True, True)
    """
    x, y = as_pair(real, generated)
    _check(x, y, block, allowance, fidelity_capacity, diversity_capacity)
    unit = unit_of(x, units)
    blocks = draw_blocks(x / unit, y / unit, block, as_rng(rng))
    capacities = fidelity_capacity, diversity_capacity
    tabular: tuple[list[ViewShare], list[ViewShare]] = ([], [])
    if decimals:  # neither side is matched by generated values that real ones never have
        tabular = decimal_shares(x, y), decimal_shares(y, x) + decimal_shares(x, y, diversity_capacity)
    sides = [
        _evaluate(blocks, fidelity, capacity, allowance, more)
        for fidelity, capacity, more in zip((True, False), capacities, tabular, strict=True)
    ]
    drawn = [
        _curve(side.points, side.scale, capacity) if curves else (None, 0)
        for side, capacity in zip(sides, capacities, strict=True)
    ]
    return FidelityDiversity(
        fidelity=sides[0].shares[0].value,
        diversity=sides[1].shares[0].value,
        fidelity_views=tuple(sides[0].shares),
        diversity_views=tuple(sides[1].shares),
        fidelity_curve=drawn[0][0],
        diversity_curve=drawn[1][0],
        block=blocks.size,
        pairs=len(blocks.pairs),
        proofs=sum(side.proofs for side in sides) + sum(proofs for _, proofs in drawn),
    )


@dataclass(frozen=True, eq=False)
class _Side:
    """The shares of all views of one side, the least first; the view of the points and its distance."""

    shares: list[ViewShare]
    points: View
    scale: float
    proofs: int


def _evaluate(blocks: Blocks, fidelity: bool, capacity: float, allowance: float, more: list[ViewShare]) -> _Side:
    """All views of one side; the optima of the least one are proved."""
    found = []
    for views, part in views_of(blocks, fidelity, allowance):
        each = [(view, view.evaluate(capacity, part)) for view in views]
        found.append((_together([share for _, share in each]), each))
    shares = sorted([share for share, _ in found] + more, key=lambda share: share.value)
    proofs = sum(_prove(view, capacity, share) for total, each in found if total is shares[0] for view, share in each)
    points, scale = found[0][1][0][0], found[0][0].distance
    return _Side(shares, points, scale, proofs)


def _together(shares: list[ViewShare]) -> ViewShare:
    """The mean of the shares of one view that has a distance for each pair."""
    if len(shares) == 1:
        return shares[0]
    distance, matched, floor = (
        float(np.mean([getattr(share, name) for share in shares])) for name in ("distance", "matched", "floor")
    )
    return ViewShare(shares[0].view, distance, matched, floor, tuple(itertools.chain(*(s.per_pair for s in shares))))


def _prove(view: View, capacity: float, found: ViewShare) -> int:
    """Solve all pairings of a view once more, with proofs; how many there are.

    Raises
    ------
    SolverFailed
        If a share differs from what was found.
    """
    measured, real = _proved_shares(view, found.distance, capacity)
    expected = np.append(found.per_pair, found.floor)
    if not np.allclose(np.append(measured, np.mean(real)), expected, rtol=0, atol=1e-12):
        raise SolverFailed("a matching was not proved the greatest: please report this as a defect.")
    return len(measured) + len(real)


def _proved_shares(view: View, distance: float, capacity: float) -> tuple[list[float], list[float]]:
    """Greatest shares of the measured and of the real pairings, each proved in whole units of mass."""
    keep, real_keep = view.targets(distance)

    def share(pairing: Pairing, kept: Array | None) -> float:
        within = pairing.within(distance)
        return float(greatest_matching(within if kept is None else within & kept, capacity).share)

    floor_keep = [None] * len(view.real) if real_keep is None else real_keep
    return (
        [share(pairing, kept) for pairing, kept in zip(view.measured, keep, strict=True)],
        [share(pairing, kept) for pairing, kept in zip(view.real, floor_keep, strict=True)],
    )


def _curve(view: View, scale: float, capacity: float) -> tuple[MatchingCurve, int]:
    """The proved shares at multiples of the scale, and how many proofs there are."""
    distances = scale * np.array(MULTIPLES)
    shares = [_proved_shares(view, float(distance), capacity) for distance in distances]
    means = np.array([[np.mean(measured), np.mean(real)] for measured, real in shares])
    proofs = sum(len(measured) + len(real) for measured, real in shares)
    return MatchingCurve(distances, means[:, 0].copy(), means[:, 1].copy()), proofs


def _check(x: Array, y: Array, block: int, allowance: float, *capacities: float) -> None:
    for name, n, least in (("real", len(x), 2 * LEAST_BLOCK), ("generated", len(y), LEAST_BLOCK)):
        if n < least:
            raise invalid(name, f"hold at least {least} points", str(n), "Draw more.")
    if isinstance(block, bool) or not isinstance(block, int | np.integer) or block < LEAST_BLOCK:
        raise invalid("block", f"be a whole number of at least {LEAST_BLOCK}", repr(block), "Leave it out for 500.")
    if not 0 < allowance < 0.5:
        raise invalid("allowance", "lie between 0 and 0.5", repr(allowance), "Leave it out for 0.02.")
    for capacity in capacities:
        if not 1 <= capacity < np.inf:
            raise invalid("a capacity", "be a number of at least 1", repr(capacity), "Leave it out.")
