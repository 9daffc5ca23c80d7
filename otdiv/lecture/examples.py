"""The examples of the lecture as pairs of measures which know their own answers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from otdiv.core.validation import Array, invalid, readonly
from otdiv.measures.discrete import DiscreteMeasure

REAL = readonly(np.array([0.5, 0.3, 0.2]))
"""p_r of the three-point example, on the points 0, 1, 2."""
GENERATED = readonly(np.array([0.2, 0.2, 0.6]))
"""p_g of the three-point example."""


@dataclass(frozen=True, eq=False)
class Example:
    """Two measures and what is known about them; unpacks as ``mu, nu = example``.

    Attributes
    ----------
    name : str
        What the lecture shows with it.
    mu, nu : DiscreteMeasure
        The first and the second measure, P and Q.
    known : dict
        Closed-form answers by name: "w1" (for the distance the example is stated with), "kl" =
        KL(P || Q), "kl_reverse", "js", "tv", in nats; only those that are known.
    """

    name: str
    mu: DiscreteMeasure
    nu: DiscreteMeasure
    known: dict[str, float] = field(default_factory=dict)

    def __iter__(self) -> Iterator[DiscreteMeasure]:
        return iter((self.mu, self.nu))


def three_points() -> Example:
    """The standard example: p_g and p_r on the points 0, 1, 2, with W1 = 0.7.

    Returns
    -------
    Example
        mu = p_g, nu = p_r, so that a plan moves generated mass onto real mass.

    Notes
    -----
    The cumulative sums differ by 0.3 and 0.4.

    Examples
    --------
    >>> three_points().known["w1"]
    0.7
    """
    places = np.arange(3.0)
    return Example(
        "three points",
        DiscreteMeasure(places, GENERATED),
        DiscreteMeasure(places, REAL),
        {"w1": 0.7, "tv": 0.4},
    )


def two_bars(theta: float, n: int = 16, offset: float = 0.0) -> Example:
    """Two vertical bars of n points each: P at x = 0, Q at x = theta.

    P sits at heights (i + 1/2) / n, Q at those plus ``offset``.  Q is P translated by
    (theta, offset), so W1 = sqrt(theta**2 + offset**2): the translation is a plan of that
    cost, and the linear function along it a critic of that value.

    Parameters
    ----------
    theta : float
        Horizontal distance, any finite real number.
    n : int
        Points on each bar.
    offset : float
        Vertical shift of Q's grid, below one grid step 1/n in size.

    Returns
    -------
    Example
        With w1 (euclidean), kl, kl_reverse, js, tv: inf, inf, log 2, 1 for every theta and offset
        but theta = offset = 0, where all are 0.

    Raises
    ------
    InvalidInput
        theta not finite, n < 1, or an offset of 1/n or more, or too small to move every point.

    Notes
    -----
    Lecture items S17 to S19, and R3.

    Examples
    --------
    >>> bars = two_bars(0.5, n=4)
    >>> bars.known["w1"], bars.known["kl"], round(bars.known["js"], 9)
    (0.5, inf, 0.693147181)
    """
    if not math.isfinite(theta):
        raise invalid("theta", "be a finite number", repr(theta), "Give the horizontal distance of the bars.")
    if n < 1:
        raise invalid("n", "be at least 1", repr(n), "Give the number of points on each bar.")
    heights = (np.arange(n) + 0.5) / n
    shifted = heights + offset
    if not (abs(offset) < 1.0 / n and (offset == 0 or np.all(shifted != heights))):
        raise invalid(
            "offset",
            f"be 0, or move every point by less than one grid step 1/n = {1 / n:g}",
            repr(offset),
            "Half a step, 1/(2n), is the lecture's example.",
        )
    p = DiscreteMeasure(np.column_stack([np.zeros(n), heights]))
    q = DiscreteMeasure(np.column_stack([np.full(n, theta), shifted]))
    equal = theta == 0 and offset == 0
    known = {
        "w1": math.hypot(theta, offset),
        "kl": 0.0 if equal else math.inf,
        "kl_reverse": 0.0 if equal else math.inf,
        "js": 0.0 if equal else math.log(2.0),
        "tv": 0.0 if equal else 1.0,
    }
    return Example("two bars", p, q, known)


def plane() -> Example:
    """Three sources and two targets in the plane, of different sizes.

    The optimal plan sends (0,0) -> (1,1) with 0.4, (0,1) -> (1,1) with 0.2, and the rest,
    (0,0) with 0.1 and (1,0) with 0.3, to (2,0): 0.4 sqrt 2 + 0.2 + 0.2 + 0.3 = 0.7 + 0.4 sqrt 2.

    Returns
    -------
    Example
        With w1 (euclidean).

    Notes
    -----
    Lecture items S20 and S24.

    Examples
    --------
    >>> round(plane().known["w1"], 12)
    1.265685424949
    """
    return Example(
        "three against two in the plane",
        DiscreteMeasure.from_pmf([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], [0.5, 0.3, 0.2]),
        DiscreteMeasure.from_pmf([[1.0, 1.0], [2.0, 0.0]], [0.6, 0.4]),
        {"w1": 0.7 + 0.4 * math.sqrt(2.0)},
    )


def line() -> Example:
    """Three equal masses on the line, 0, 1, 3 against 0.5, 2, 2.5: W1 = 2/3 by sorted matching.

    Returns
    -------
    Example
        With w1 = (0.5 + 1 + 0.5) / 3.

    Notes
    -----
    Lecture item S20.

    Examples
    --------
    >>> round(line().known["w1"], 9)
    0.666666667
    """
    return Example(
        "three on the line",
        DiscreteMeasure.from_samples([0.0, 1.0, 3.0]),
        DiscreteMeasure.from_samples([0.5, 2.0, 2.5]),
        {"w1": 2 / 3},
    )


TEN_REAL = (12, 7, 4, 1, 19, 14, 9, 6, 3, 2)
TEN_OTHER = (1, 5, 11, 17, 13, 9, 6, 4, 3, 2)


def ten_states() -> Example:
    """Two pmfs on the states 0 to 9, counts over 77 and over 71: W1 = 351/497 exactly.

    Returns
    -------
    Example
        With w1 (exact fraction, rounded once), kl, kl_reverse, js, tv.

    Notes
    -----
    V. Herrmann, "Wasserstein GAN and the Kantorovich-Rubinstein duality", cited by the lecture: R1.
    W1 is the sum of the absolute differences of the cumulative sums, done here in fractions.

    Examples
    --------
    >>> ten_states().known["w1"] == 351 / 497
    True
    """
    states = np.arange(10.0)
    gaps = [Fraction(r, 77) - Fraction(t, 71) for r, t in zip(TEN_REAL, TEN_OTHER, strict=True)]
    exact = sum((abs(sum(gaps[: k + 1], Fraction(0))) for k in range(10)), Fraction(0))
    known = {
        "w1": float(exact),
        "kl": 0.5003355776416126,
        "kl_reverse": 0.6749348139781168,
        "js": 0.11763205718835998,
        "tv": float(sum(abs(gap) for gap in gaps) / 2),
    }
    return Example(
        "ten states",
        DiscreteMeasure.from_counts(states, TEN_REAL),
        DiscreteMeasure.from_counts(states, TEN_OTHER),
        known,
    )


def blocks() -> Example:
    """Blocks of height 3, 2, 1, 4 and 1, 2, 4, 3 on four neighbouring places: 5 units of work.

    Returns
    -------
    Example
        Of total mass 10, not 1; with w1 = |2| + |2| + |-1| + |0|.

    Notes
    -----
    L. Weng, "From GAN to WGAN", cited by the lecture: R2.

    Examples
    --------
    >>> blocks().mu.mass, blocks().known["w1"]
    (10.0, 5.0)
    """
    places = np.arange(4.0)
    return Example(
        "blocks",
        DiscreteMeasure.from_counts(places, [3, 2, 1, 4], normalize=False),
        DiscreteMeasure.from_counts(places, [1, 2, 4, 3], normalize=False),
        {"w1": 5.0},
    )


def gaussian_pair(points: Array) -> tuple[Array, Array]:
    """Densities of N(-1, 1) and N(1, 1), real and generated, for which D*(x) = 1 / (1 + exp(2 x)).

    Parameters
    ----------
    points : ndarray [n]

    Returns
    -------
    two ndarray [n]

    Notes
    -----
    Lecture items S9 and S10.

    Examples
    --------
    >>> real, generated = gaussian_pair(np.array([0.0]))
    >>> bool(real[0] == generated[0])
    True
    """
    peak = 1.0 / math.sqrt(2.0 * math.pi)
    return peak * np.exp(-0.5 * (points + 1.0) ** 2), peak * np.exp(-0.5 * (points - 1.0) ** 2)
