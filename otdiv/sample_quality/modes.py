"""Which modes a generator produces, how often each, and how far that is from what they should hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist

from otdiv.core.memory import row_blocks
from otdiv.core.text_tables import Table, json_number, number
from otdiv.core.validation import Array, ReadOnlyCopies, as_float_array, as_points, invalid, readonly
from otdiv.divergences import js, kl
from otdiv.divergences.pmf import as_pmf
from otdiv.divergences.terms import mixture_terms, power_terms
from otdiv.estimators.estimate import check_confidence
from otdiv.sample_quality.proportions import CONFIDENCE, Proportion, binomial_interval, proportion


def mode_labels(points: Any, centres: Any, sd: Any, within: float = 3.0) -> tuple[Array, Array]:
    """The nearest mode of every point, and whether the point is of high quality: within some sd of that mode.

    Parameters
    ----------
    points : array_like [n, d]
    centres : array_like [k, d]
    sd : float or array_like [k]
        Standard deviation of the modes in each coordinate, in the unit of the points.
    within : float
        High quality is a distance of at most ``within`` sd.  In d dimensions a normal mode has the share
        P(chi2_d <= within^2) there: 0.989 for 3 sd in the plane.

    Returns
    -------
    labels : ndarray of int [n]
        Equal distances go to the first mode.
    high_quality : ndarray of bool [n]

    Raises
    ------
    InvalidInput
        Not points, different dimensions, sd or within not positive.

    Examples
    --------
    >>> mode_labels([[0.1, 0.0], [1.9, 0.0], [5.0, 0.0]], [[0.0, 0.0], [2.0, 0.0]], sd=0.1)
    (array([0, 1, 1]), array([ True,  True, False]))
    """
    x, c = as_points("points", points), as_points("centres", centres)
    if x.shape[1] != c.shape[1]:
        dimensions = f"{c.shape[1]}, where points have {x.shape[1]}"
        raise invalid("centres", "have as many coordinates as points", dimensions, "Give one row for each mode.")
    spread = as_float_array("sd", sd)
    if spread.shape not in ((), (len(c),)) or not (np.isfinite(spread).all() and (spread > 0).all()):
        raise invalid("sd", "be a positive number, or one for each centre", repr(sd), "In the unit of the points.")
    if not (isinstance(within, int | float) and 0 < within < np.inf):
        raise invalid("within", "be a positive number", repr(within), "Leave it out for 3 standard deviations.")
    labels, nearest = nearest_rows(x, c)
    return labels, nearest <= within * np.broadcast_to(spread, len(c))[labels]


def nearest_rows(x: Array, centres: Array) -> tuple[Array, Array]:
    """Index [n] of the nearest centre and the distance [n] to it; equal distances go to the first centre."""
    labels, nearest = np.empty(len(x), dtype=np.intp), np.empty(len(x))
    for block in row_blocks(len(x), len(centres)):
        apart = cdist(x[block], centres)
        labels[block], nearest[block] = apart.argmin(axis=1), apart.min(axis=1)
    return labels, nearest


@dataclass(frozen=True, eq=False)
class ModeCoverage(ReadOnlyCopies):
    """How generated points are spread over the modes of the real distribution.

    Attributes
    ----------
    modes_captured, of : int
        Modes that hold enough high-quality points, among those of positive weight.
    captured : ndarray of bool [k]
    counts : ndarray of int [k]
        Points of each mode, of any quality; they add up to n.
    shares, lower, upper : ndarray [k]
        counts / n, with intervals that hold together with probability ``confidence``; assumption: independent draws.
    weights : ndarray [k]
        Of the modes in the real distribution.
    high_quality : Proportion or None
        Share of points near their mode; None where quality is not known.
    js, reverse_kl : float
        JS(shares, weights) and KL(shares || weights) in nats.
    js_floor, reverse_kl_floor : float
        Their means for a perfect generator at the same n.
    least_share : float
        Of its fair share, that a mode must hold to be captured.
    confidence : float
    """

    modes_captured: int
    of: int
    captured: Array
    counts: Array
    shares: Array
    lower: Array
    upper: Array
    weights: Array
    high_quality: Proportion | None
    js: float
    reverse_kl: float
    js_floor: float
    reverse_kl_floor: float
    least_share: float
    confidence: float

    def __post_init__(self) -> None:
        for array in (self.captured, self.counts, self.shares, self.lower, self.upper, self.weights):
            array.flags.writeable = False

    @property
    def n(self) -> int:
        """Generated points."""
        return int(self.counts.sum())

    def table(self, title: str = "") -> Table:
        """One row for each mode: its share with the interval, its weight, whether it is captured."""
        rows = [
            (str(k), f"{100 * s:.2f} %", f"[{100 * lo:.2f}, {100 * up:.2f}]", f"{100 * w:.2f} %", "yes" if c else "NO")
            for k, (s, lo, up, w, c) in enumerate(
                zip(self.shares, self.lower, self.upper, self.weights, self.captured, strict=True)
            )
        ]
        headers = ("mode", "generated", f"{self.confidence:.0%} interval, all at once", "real", "captured")
        return Table(title, headers, rows, str(self).splitlines(), (0, 1, 2, 3))

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON; inf is the string "inf"."""
        plain: dict[str, Any] = {name: getattr(self, name) for name in self.__dataclass_fields__}
        for name, value in plain.items():
            if isinstance(value, np.ndarray):
                plain[name] = value.tolist()
            elif isinstance(value, float):
                plain[name] = json_number(float(value))
        return plain | {"high_quality": None if self.high_quality is None else self.high_quality.to_dict()}

    def __str__(self) -> str:
        quality = "" if self.high_quality is None else f", high quality {self.high_quality}"
        return (
            f"{self.modes_captured} of {self.of} modes captured{quality}\n"
            f"JS {number(float(self.js), 4)} and reverse KL {number(float(self.reverse_kl), 4)} nats over the modes; "
            f"a perfect generator has {self.js_floor:.2g} and {self.reverse_kl_floor:.2g} on average at n = {self.n}"
        )


def mode_coverage(
    labels: Any,
    modes: Any,
    high_quality: Any = None,
    least_share: float = 0.0,
    *,
    confidence: float = CONFIDENCE,
) -> ModeCoverage:
    """How often each mode is generated, against how often it should be.

    Parameters
    ----------
    labels : array_like of int [n]
        The mode of every generated point, 0 to k - 1: of :func:`mode_labels`, or of a classifier.
    modes : int or array_like [k]
        k modes of equal weight, or the weights of the modes in the real distribution, of sum 1.
    high_quality : array_like of bool [n], optional
        Whether each point counts as a good example of its mode; without it all do.
    least_share : float
        A mode is captured if its high-quality points are at least ``least_share`` times its weight times the number
        of all high-quality points, and at least one.
    confidence : float
        With which the intervals of all shares hold together.

    Returns
    -------
    ModeCoverage

    Raises
    ------
    InvalidInput
        Labels outside 0 to k - 1 or not whole, weights of another sum, lengths that differ.

    Notes
    -----
    All points count for the shares, JS and reverse KL; only those of high quality capture a mode.  Every term of both
    divergences depends on one count, which is binomial, so that their means for a perfect generator are exact sums.

    References
    ----------
    A. Srivastava et al., VEEGAN: reducing mode collapse in GANs using implicit variational learning, NeurIPS 2017.

    Examples
    --------
    >>> found = mode_coverage([0, 0, 1, 1, 1, 1, 0, 0], modes=4)
    >>> found.modes_captured, found.of, round(found.reverse_kl, 6)
    (2, 4, 0.693147)
    """
    weights = _as_weights(modes)
    k, chosen, least = len(weights), _as_labels(labels, len(weights)), _as_share(least_share)
    sure, good = check_confidence(confidence), _as_flags(high_quality, len(chosen))
    n, counts = len(chosen), np.bincount(chosen, minlength=k)
    good_counts = np.bincount(chosen[good], minlength=k)
    captured = (good_counts >= np.maximum(1.0, least * weights * good_counts.sum())) & (weights > 0)
    lower, upper = binomial_interval(counts, n, sure)
    shares = readonly(counts / n)
    js_floor, kl_floor = perfect_divergences(weights, n)
    return ModeCoverage(
        modes_captured=int(captured.sum()),
        of=int(np.count_nonzero(weights)),
        captured=captured,
        counts=counts,
        shares=shares,
        lower=lower,
        upper=upper,
        weights=weights,
        high_quality=None if high_quality is None else proportion(int(good.sum()), n, sure),
        js=js(shares, weights),
        reverse_kl=kl(shares, weights),
        js_floor=js_floor,
        reverse_kl_floor=kl_floor,
        least_share=least,
        confidence=sure,
    )


_WIDTH = 10.0
"""Standard deviations of a binomial count, plus 30, that its mean is summed over; beyond lies less than 1e-19."""


def perfect_divergences(weights: Array, n: int) -> tuple[float, float]:
    """E JS(shares, weights) and E KL(shares || weights) in nats for n independent draws from ``weights`` [k].

    sum over modes of E phi(X / n, w) with X ~ Binomial(n, w); (k - 1) / (8 n) and (k - 1) / (2 n) for large n.

    Parameters
    ----------
    weights : ndarray [k]
    n : int

    Returns
    -------
    js, reverse_kl : float
    """
    from scipy.stats import binom

    total = np.zeros(2)
    for weight, times in zip(*np.unique(weights[weights > 0], return_counts=True), strict=True):
        mean, reach = n * weight, _WIDTH * np.sqrt(n * weight * (1 - weight)) + 30
        x = np.arange(max(0, int(mean - reach)), min(n, int(mean + reach) + 1) + 1)
        shares, probability = x / n, binom.pmf(x, n, weight)
        same = np.full(len(x), weight)
        terms = mixture_terms(shares, same, 0.5), power_terms(shares, same, 1.0)
        total += times * np.array([probability @ term for term in terms])
    return max(0.0, float(total[0])), max(0.0, float(total[1]))


def _as_weights(modes: Any) -> Array:
    if isinstance(modes, int | np.integer) and not isinstance(modes, bool):
        if modes < 1:
            raise invalid("modes", "be at least 1", repr(modes), "Give the number of modes or their weights.")
        return readonly(np.full(modes, 1.0 / modes))
    return as_pmf("modes", modes)


def _as_labels(labels: Any, k: int) -> Array:
    array = as_float_array("labels", labels)
    if array.ndim != 1 or array.size == 0:
        raise invalid("labels", "have shape [n] with n >= 1", f"shape {array.shape}", "One label for each point.")
    wrong = ~((array >= 0) & (array < k) & (array == np.floor(array)))
    if wrong.any():
        where = int(np.flatnonzero(wrong)[0])
        came = f"{array[where]:g} at index {where}"
        raise invalid("labels", f"be whole numbers from 0 to {k - 1}", came, "Number the modes from 0.")
    return array.astype(np.intp)


def _as_flags(high_quality: Any, n: int) -> Array:
    if high_quality is None:
        return np.ones(n, dtype=bool)
    flags = np.asarray(high_quality)
    if flags.dtype != bool or flags.shape != (n,):
        came = f"dtype {flags.dtype} and shape {flags.shape}"
        raise invalid("high_quality", f"be {n} truth values, one for each label", came, "See mode_labels.")
    return flags


def _as_share(least_share: Any) -> float:
    if isinstance(least_share, bool) or not isinstance(least_share, int | float) or not 0 <= least_share <= 1:
        raise invalid("least_share", "lie between 0 and 1", repr(least_share), "0 asks for one point, 1 for all.")
    return float(least_share)
