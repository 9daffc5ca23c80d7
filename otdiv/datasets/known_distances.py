"""Pairs of distributions whose W1 is known without a solver, to test solvers and critics against.

If y = T(x) lies on the ray of a 1-Lipschitz potential u, that is u(x) - u(y) = |x - y|, then the
coupling (x, T(x)) is optimal and W1 = E|x - T(x)|.  Samples drawn as pairs and then shuffled make
discrete problems of any size whose exact EMD is the mean of |x_i - y_i|.
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp, lgamma, sqrt

import numpy as np

from otdiv.core.validation import Array, as_rng, invalid
from otdiv.datasets.known_pair import KnownPair


def shift(d: int, distance: float = 1.0) -> KnownPair:
    """A Gaussian and its translate along the diagonal: W1 = distance.

    Parameters
    ----------
    d : int
        Dimension.
    distance : float
        Length of the translation.

    Returns
    -------
    KnownPair

    Examples
    --------
    >>> sample = shift(3, 2.0).sample(50, rng=0)
    >>> round(sample.w1, 12)
    2.0
    """
    draw = _gaussian(d)
    direction = np.full(d, 1 / sqrt(d))
    return KnownPair(
        f"shift by {distance:g} in {d}-D",
        d,
        distance,
        draw,
        lambda x: x - distance * direction,
        lambda z: z @ direction,
    )


def radial(d: int, factor: float = 2.0) -> KnownPair:
    """A Gaussian and itself times ``factor``: W1 = |factor - 1| E|x|, E|x| = sqrt 2 Gamma((d+1)/2) / Gamma(d/2).

    Parameters
    ----------
    d : int
        Dimension.
    factor : float
        Positive.

    Returns
    -------
    KnownPair

    Raises
    ------
    InvalidInput
        A factor that is not positive.

    Examples
    --------
    >>> round(radial(2).w1, 8), round(radial(64).w1, 8)
    (1.25331414, 7.96881222)
    """
    if not factor > 0:
        raise invalid("factor", "be positive", repr(factor), "Below 0 the points would pass through the centre.")
    draw = _gaussian(d)
    mean_length = sqrt(2) * exp(lgamma((d + 1) / 2) - lgamma(d / 2))
    sign = 1.0 if factor < 1 else -1.0
    return KnownPair(
        f"radial times {factor:g} in {d}-D",
        d,
        abs(factor - 1) * mean_length,
        draw,
        lambda x: factor * x,
        lambda z: sign * np.linalg.norm(z, axis=1),
    )


def identical(d: int) -> KnownPair:
    """One Gaussian distribution twice: W1 = 0, though two samples of it differ.

    Parameters
    ----------
    d : int
        Dimension.

    Returns
    -------
    KnownPair
    """
    return KnownPair(f"identical in {d}-D", d, 0.0, _gaussian(d), None, lambda z: np.zeros(len(z)))


def funnels(d: int, count: int = 4, factor: float = 0.5, rng: int | np.random.Generator | None = 0) -> KnownPair:
    """Every point moves towards the nearest of ``count`` centres: a potential with kinks.

    u(z) = min over k of |z - c_k|.  A point stays in its centre's (convex) cell on its path.

    Parameters
    ----------
    d : int
        Dimension.
    count : int
        Number of centres.
    factor : float
        Distance to the centre after the move, as a share of that before.
    rng : int, numpy.random.Generator or None
        For the centres; the default repeats, None is fresh entropy.

    Returns
    -------
    KnownPair

    Raises
    ------
    InvalidInput
        A factor outside [0, 1), or count < 1.

    Examples
    --------
    >>> sample = funnels(2).sample(100, rng=0)
    >>> sample.w1 > 0
    True
    """
    if not 0 <= factor < 1:
        raise invalid("factor", "lie in [0, 1)", repr(factor), "0 moves every point onto its centre.")
    if count < 1:
        raise invalid("count", "be at least 1", repr(count), "Give the number of centres.")
    centres = 2.0 * as_rng(rng).normal(size=(count, d))

    def nearest(z: Array) -> tuple[Array, Array]:
        distances = np.stack([np.linalg.norm(z - c, axis=1) for c in centres], axis=1)
        which = distances.argmin(axis=1)
        return centres[which], distances.min(axis=1)

    def move(x: Array) -> Array:
        centre, _ = nearest(x)
        return centre + factor * (x - centre)

    return KnownPair(f"{count} funnels in {d}-D", d, None, _gaussian(d), move, lambda z: nearest(z)[1])


def squares(size: int = 64, side: int = 35) -> KnownPair:
    """Images [size, size] as points: black ones against ones with a white square at a random place.

    Every image of a square lies at distance ``side`` from the black one: W1 = side.

    Parameters
    ----------
    size : int
        Pixels on each side of an image.
    side : int
        Pixels on each side of the white square, 1 to ``size``.

    Returns
    -------
    KnownPair
        Of dimension ``size`` squared.

    Raises
    ------
    InvalidInput
        A side outside 1..size.

    Examples
    --------
    >>> squares(16, 5).sample(20, rng=0).w1
    5.0
    """
    if not 1 <= side <= size:
        raise invalid("side", f"lie between 1 and {size}", repr(side), "The square has to fit into the image.")

    def draw(n: int, rng: np.random.Generator) -> Array:
        images = np.zeros((n, size, size))
        for image, (row, column) in zip(images, rng.integers(0, size - side + 1, (n, 2)), strict=True):
            image[row : row + side, column : column + side] = 1.0
        return images.reshape(n, -1)

    return KnownPair(
        f"squares of side {side} in {size} x {size}",
        size * size,
        float(side),
        draw,
        np.zeros_like,
        lambda z: np.linalg.norm(z, axis=1),
    )


def embedded(pair: KnownPair, d: int, rng: int | np.random.Generator | None = 0) -> KnownPair:
    """The same pair on a random ``pair.d``-dimensional subspace of dimension d: W1 is unchanged.

    Parameters
    ----------
    pair : KnownPair
    d : int
        Dimension of the space, at least ``pair.d``.
    rng : int, numpy.random.Generator or None
        For the subspace; the default repeats, None is fresh entropy.

    Returns
    -------
    KnownPair

    Raises
    ------
    InvalidInput
        d smaller than the pair's dimension.

    Examples
    --------
    >>> round(embedded(shift(2, 3.0), 10).sample(30, rng=0).w1, 9)
    3.0
    """
    if d < pair.d:
        raise invalid("d", f"be at least {pair.d}", repr(d), "An embedding needs room.")
    frame = np.linalg.qr(as_rng(rng).normal(size=(d, pair.d)))[0]
    move, potential = pair.move, pair.potential
    return KnownPair(
        f"{pair.name}, embedded in {d}-D",
        d,
        pair.w1,
        lambda n, rng: pair.draw(n, rng) @ frame.T,
        None if move is None else lambda x: move(x @ frame) @ frame.T,
        None if potential is None else lambda z: potential(z @ frame),
    )


def _gaussian(d: int) -> Callable[[int, np.random.Generator], Array]:
    if d < 1:
        raise invalid("d", "be at least 1", repr(d), "Give the dimension.")
    return lambda n, rng: rng.normal(size=(n, d))
