"""The steepest slope of a piecewise linear network in the plane: exact, by going through all of its linear pieces.

Where each unit keeps its sign the network is affine.  The box is cut by the lines on which units of the first layer
are 0, each part by those of the second layer, and so on.

Parts overlap by ``OVERLAP`` beyond the line between them, far more than rounding moves a corner; so every point of the
box lies in a part in which the units have the signs that they have at this point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from otdiv.core.rounding import UNIT
from otdiv.core.validation import Array
from otdiv.lipschitz.layers import Layer, sum_rounding
from otdiv.lipschitz.polygon_cuts import MOST_CORNERS, cut

OVERLAP = 1e-9
"""By how much a part goes beyond the line that bounds it, in units of half the longest side of the box.

Rounding moves a corner by at most some 1e-15 at each cut, thus after a hundred thousand cuts by less than this.
"""
BLOCK = 512
"""Parts that are cut at a time by the lines of the next layer; more of them take more memory."""
MOST_AT_ONCE = 65_536
"""Parts that one block may have."""
SMALLEST, LARGEST = 1e-130, 1e150
"""Sizes of values between which squares of slopes that count neither vanish nor overflow."""
STEEPEST = 64
"""Pieces of which the middle is kept."""


@dataclass(frozen=True)
class SteepestPieces:
    """The slopes of all linear pieces.

    Attributes
    ----------
    slope : float
        A bound of the largest, rounding included.
    middles : ndarray [k, d]
        Points of the box in the steepest pieces.
    pieces : int
        How many there are; strips where two parts overlap may be counted too.
    """

    slope: float
    middles: Array
    pieces: int


def steepest_pieces(chain: Sequence[Layer], lower: Array, upper: Array, most: int) -> SteepestPieces | None:
    """The largest slope of a piecewise linear network on a box of one or two dimensions.

    Parameters
    ----------
    chain : sequence of Layer
        Of activations with two slopes.
    lower, upper : ndarray [d]
        Corners of the box; d is 1 or 2.
    most : int
        Pieces at which the search is given up.

    Returns
    -------
    SteepestPieces or None
        None where there are more pieces, or where the box is so narrow, or numbers are so large, that rounding
        hides the signs of the units.
    """
    d = len(lower)
    middle, sides = lower / 2 + upper / 2, upper / 2 - lower / 2
    half = float(sides.max())
    if not 8 * UNIT * float(np.abs([lower, upper]).max()) < OVERLAP * half:
        return None
    search = _Search(chain, middle, half, most)
    if not SMALLEST < float(search.sizes[-1].max()) < LARGEST:
        return None
    reach = np.zeros(2)
    reach[:d] = sides / half
    reach += 2 * OVERLAP
    box = np.zeros((1, MOST_CORNERS, 2))
    box[0, :4] = reach * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    try:
        search.cut_layer(0, search.first_layer(), box, np.array([4]))
    except _TooManyError:
        return None
    inside = np.clip(middle + half * search.middles[:, :d], lower, upper)
    return SteepestPieces(search.slope, inside, search.pieces)


class _TooManyError(Exception):
    """More pieces than asked for."""


class _Search:
    """Goes through the pieces depth first, in coordinates (s, t) in which the longest side of the box is [-1, 1].

    A unit on a part is kept as A with A . (s, t, 1), so that A[:2] is its gradient.
    """

    def __init__(self, chain: Sequence[Layer], middle: Array, half: float, most: int) -> None:
        self.chain, self.middle, self.half, self.most = chain, middle, half, most
        self.slope, self.pieces = 0.0, 0
        self.middles, self.slopes = np.zeros((0, 2)), np.zeros(0)
        self.sizes, self.errors = _sizes_and_errors(chain, middle, half)

    def first_layer(self) -> Array:
        """Units of the first layer before their activation on the whole box, A [n, 1, 3]."""
        W, d = self.chain[0].weight, len(self.middle)
        A = np.zeros((len(W), 1, 3))
        A[:, 0, :d], A[:, 0, 2] = W * self.half, W @ self.middle + self.chain[0].bias
        return A

    def cut_layer(self, depth: int, A: Array, polygons: Array, corners: Array) -> None:
        """Cut polygons, on which the units of this layer before their activation are A [n, k, 3], and go on."""
        low, high = self._two_slopes(depth)
        for at in range(0, len(polygons), BLOCK):
            rows = slice(at, at + BLOCK)
            if low == high:
                self._next_layer(depth, low * A[:, rows], polygons[rows], corners[rows])
                continue
            block = np.ascontiguousarray(A[:, rows])
            on, parent, parts, part_corners = self._cut(depth, block, polygons[rows], corners[rows])
            slopes = np.where(on.T, high, low)[..., None]
            for first in range(0, len(parts), BLOCK):
                chosen = slice(first, first + BLOCK)
                values = slopes[:, chosen] * block[:, parent[chosen]]
                self._next_layer(depth, values, parts[chosen], part_corners[chosen])

    def _two_slopes(self, depth: int) -> tuple[float, float]:
        slopes = self.chain[depth].activation.two_slopes
        assert slopes is not None
        return slopes

    def _next_layer(self, depth: int, values: Array, polygons: Array, corners: Array) -> None:
        """From the values of this layer on each polygon to the next layer, or to the slopes of the network."""
        if depth == len(self.chain) - 1:
            self._count(values[:, :, :2], polygons, corners)
            return
        following = self.chain[depth + 1]
        A = (following.weight @ values.reshape(len(values), -1)).reshape(-1, *values.shape[1:])
        A[:, :, 2] += following.bias[:, None]
        self.cut_layer(depth + 1, A, polygons, corners)

    def _cut(self, depth: int, A: Array, polygons: Array, corners: Array) -> tuple[Array, Array, Array, Array]:
        """The units that are on, the polygon it is of, the corners and how many, of each part."""
        room = max(min(self.most, MOST_AT_ONCE), 1)
        on, parent = np.empty((room, len(A)), np.bool_), np.empty(room, np.int64)
        parts, part_corners = np.empty((room, MOST_CORNERS, 2)), np.empty(room, np.int64)
        error = self.errors[depth]
        value_error = 4 * error + 16 * UNIT * self.sizes[depth]  # |s|, |t| <= 1 + 3 OVERLAP, and two additions
        count = cut(polygons, corners, A, error, value_error, OVERLAP, on, parent, parts, part_corners)
        if count < 0:
            raise _TooManyError
        return on[:count], parent[:count], parts[:count].copy(), part_corners[:count]

    def _count(self, J: Array, polygons: Array, corners: Array) -> None:
        """Note the largest singular values of the Jacobians J [n_out, k, 2], and the middles of the steepest pieces."""
        self.pieces += len(polygons)
        if self.pieces > self.most:
            raise _TooManyError
        ss, tt, st = (J[..., 0] ** 2).sum(axis=0), (J[..., 1] ** 2).sum(axis=0), (J[..., 0] * J[..., 1]).sum(axis=0)
        largest = np.sqrt((ss + tt) / 2 + np.hypot((ss - tt) / 2, st))
        slopes = largest * (1 + 4 * sum_rounding(len(J))) + 2 * float(np.linalg.norm(self.errors[-1]))
        self.slope = max(self.slope, float(slopes.max()) / self.half * (1 + 2 * UNIT))
        kept = np.argsort(-slopes)[:STEEPEST]
        weights = (np.arange(MOST_CORNERS) < corners[kept, None]) / corners[kept, None]
        self.middles = np.concatenate([self.middles, np.einsum("kc,kcd->kd", weights, polygons[kept])])
        self.slopes = np.concatenate([self.slopes, slopes[kept]])
        kept = np.argsort(-self.slopes)[:STEEPEST]
        self.middles, self.slopes = self.middles[kept], self.slopes[kept]


def _sizes_and_errors(chain: Sequence[Layer], middle: Array, half: float) -> tuple[list[Array], list[Array]]:
    """Bounds of the three numbers of each unit before its activation, on any part, and of their errors.

    The last entries are those of the network's values, after the last activation.
    """
    inner_size, inner_error = np.abs(middle) + half, np.zeros(len(middle))
    sizes, errors = [], []
    with np.errstate(over="ignore", invalid="ignore"):
        for one in chain:
            W, b = np.abs(one.weight), np.abs(one.bias)
            rounding = sum_rounding(W.shape[1] + 1)
            sizes.append((W @ inner_size + b) * (1 + rounding))
            errors.append((W @ inner_error + rounding * (W @ inner_size + b)) * (1 + rounding))
            assert one.activation.two_slopes is not None
            steepest = max(abs(slope) for slope in one.activation.two_slopes)
            # 3: a unit below its own error counts as off, while it may be on and its error as large again
            inner_error = steepest * (3 * errors[-1] + UNIT * sizes[-1])
            inner_size = steepest * sizes[-1] + inner_error
    return [*sizes, inner_size], [*errors, inner_error]
