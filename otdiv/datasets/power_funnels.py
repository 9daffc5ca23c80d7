"""A box moved along the rays of a minimum of cones: the pairs on which neural estimates of W1 are compared."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from otdiv.core.memory import row_blocks
from otdiv.core.threads import count_threads
from otdiv.core.validation import Array, as_rng, invalid
from otdiv.datasets.known_pair import KnownPair

HALF = 2.5
"""Half of the box's side."""
_BLOCK_ENTRIES = 2**18
"""Coordinates, or distances to tips, of the points that are moved at a time: 2 MiB an array."""
HEIGHT = 0.1
"""Standard deviation of the heights of the cones' tips."""


def power_funnels(d: int, count: int = 4, power: float = 8.0, rng: int | np.random.Generator | None = 0) -> KnownPair:
    """Uniform points of a box, each moved towards the tip of its cone.

    u(z) = min_k |z - c_k| + h_k,  with c_k uniform in [-2.5, 2.5]^d and h_k normal, of standard deviation 0.1.

    A point at the share t of its ray, from the tip c_k to where the ray leaves the box or meets another cone, moves to
    the share t**power.  The order on each ray stays, and u falls by the length of the move; so the moves are an optimal
    plan (the family of Korotin, Kolesov and Burnaev, Kantorovich strikes back, 2022, with power 8).

    Parameters
    ----------
    d : int
        Dimension.
    count : int
        Number of cones.
    power : float
        At least 1; 1 leaves every point where it is.
    rng : int, numpy.random.Generator or None
        For the cones; the default repeats, None is fresh entropy.

    Returns
    -------
    KnownPair
        Its ``w1`` is None: E |x - T(x)| has no closed form.

    Raises
    ------
    InvalidInput
        d < 1, count < 1 or power < 1.

    Examples
    --------
    >>> sample = power_funnels(2).sample(100, rng=0)
    >>> sample.w1 > 0
    True
    """
    for name, value in (("d", d), ("count", count), ("power", power)):
        if not value >= 1:
            raise invalid(name, "be at least 1", repr(value), "See the docstring.")
    (rng,) = as_rng(rng).spawn(1)  # else points drawn from the same seed would be the tips themselves
    tips, heights = rng.uniform(-HALF, HALF, (count, d)), HEIGHT * rng.normal(size=count)

    def over_tips(z: Array) -> Array:
        """|z_i - c_k| + h_k [n, count]."""
        return np.stack([np.linalg.norm(z - tip, axis=1) for tip in tips], axis=1) + heights

    def move(x: Array) -> Array:
        moved = np.empty_like(x, dtype=float)
        blocks = list(row_blocks(len(x), max(d, count), _BLOCK_ENTRIES))
        if len(blocks) == 1:
            return move_block(x)
        with ThreadPoolExecutor(count_threads(None)) as threads:
            for rows, part in zip(blocks, threads.map(lambda rows: move_block(x[rows]), blocks), strict=True):
                moved[rows] = part
        return moved

    def move_block(x: Array) -> Array:
        squares = _squares(x, tips)
        own = (np.sqrt(squares) + heights).argmin(axis=1)
        tip = tips[own]
        gone = np.linalg.norm(x - tip, axis=1)
        along = (x - tip) / np.maximum(gone, np.finfo(float).tiny)[:, None]
        to_cones = _to_other_cones(x, along, gone + heights[own], own, squares, tips, heights)
        left = np.minimum(_to_the_box(x, along), to_cones)
        left[gone == 0] = 0.0
        share = gone / np.maximum(gone + left, np.finfo(float).tiny)
        return tip + (share**power * (gone + left))[:, None] * along

    def draw(n: int, rng: np.random.Generator) -> Array:
        return rng.uniform(-HALF, HALF, (n, d))

    return KnownPair(f"{count} power funnels in {d}-D", d, None, draw, move, lambda z: over_tips(z).min(axis=1))


def _to_the_box(x: Array, along: Array) -> Array:
    """How far each x is from the box's side in its direction."""
    with np.errstate(divide="ignore"):
        reach = np.where(along == 0, np.inf, (np.sign(along) * HALF - x) / along)
    return reach.min(axis=1)


def _squares(x: Array, tips: Array) -> Array:
    """|x_i - c_k|^2 [n, count] by one matrix product; off by at most some 1e-14 of |x_i|^2 + |c_k|^2."""
    squares = (x * x).sum(axis=1)[:, None] + (tips * tips).sum(axis=1) - 2 * (x @ tips.T)
    return np.asarray(np.maximum(squares, 0.0))


def _to_other_cones(
    x: Array, along: Array, lowest: Array, own: Array, squares: Array, tips: Array, heights: Array
) -> Array:
    """How far along its direction each x meets a cone that is not its own; inf where it meets none.

    |x + r v - c_k| + h_k = u(x) + r  gives  r = (|x - c_k|^2 - e^2) / (2 (e - (x - c_k).v)) with e = u(x) - h_k.
    """
    excess = lowest[:, None] - heights
    dots = (x * along).sum(axis=1)[:, None] - along @ tips.T
    with np.errstate(divide="ignore", invalid="ignore"):
        r = 0.5 * (squares - excess**2) / (excess - dots)
    r[~((r > 0) & (excess + r >= 0))] = np.inf
    r[np.arange(len(x)), own] = np.inf
    return np.asarray(r.min(axis=1))
