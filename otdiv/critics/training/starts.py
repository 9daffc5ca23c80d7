"""From where a critic of cones starts: the potential of a sample on few atoms, or cones around the mean."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from otdiv.core.validation import Array
from otdiv.neural.minmax import distances
from otdiv.potentials.c_transform import mcshane

TYPICAL = 512
"""Points over which the heights of a contracted start are averaged."""

SAMPLE_PER_ATOM, SAMPLED_MORE = 16, 8
"""Points of the sample for each atom of the exact start, and the largest dimension in which there are so many: an exact
distance of some thousand points takes a second there, and what it says of narrow features takes many points."""
FINE_TEMPERATURE, FINE_RATE = 0.03, 0.1
"""Softness, in units of the training, and share of the learning rate with which such a start is trained.  With those of
other starts, 0.3 and 1, the error of 64 and 256 funnels in the plane is 9 and 54 %, with these 0.1 and 1.2 %."""
CONTRACTED_TO = 2.0
"""Mean distance of the centres of a contracted start from the mean, in units of the training, where the points
themselves are sqrt(d) from it.  With 0 all cones stay alike; with more of them each begins with the points around one
point, of which the neighbours say little in high dimension."""
CONTRACTED_SOFTNESS, SOFT_AT_LEAST, CONTRACTED_END, CONTRACTED_RATE = 0.8, 0.12, 0.03, 0.2
"""Softness at first, over sqrt(d), and at least; softness at the end; share of the learning rate.  It has to be as soft
as the distances of a point to the centres differ, so that cones share points until the data part them: softer, a few
cones take all at first, and so they do at a higher rate (256 funnels in 128 dimensions, 3000 steps of 512 points: 8 %
low; with a softness of 0.2 16 %, of 0.1 10 %, at 1.5 times the rate 13 %)."""
CONTRACTED_STEPS, FASTEST = 3000, 2.75
"""Steps below which a contracted start is trained faster, as in trials, and by at most which factor: slowly it would
not get far in a few hundred steps."""
BATCH, LARGE_BATCH, LARGE_FROM, LARGE_TO = 512, 1024, 65, 256
"""Points of each distribution in a step unless asked for; and where the contracted start is tried in so many
dimensions, in which each of many features moves its points by little and is lost in the noise of a smaller batch (256
funnels in 128 dimensions: 8 % low with 512 points, 3 % with 1024, in twice the time).  Above nothing was measured."""


def contracted_cones(x: Tensor, y: Tensor, count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Cones around the mean that are equally high at points x [n, d] on average: centres, and minus their heights.

    The centres lie in the directions of points y [m, d] far from each other, so that each feature has a cone near it.
    """
    centres = min(1.0, CONTRACTED_TO / x.shape[1] ** 0.5) * y[spread_rows(y, count, seed)]
    return centres, distances(x[:TYPICAL], centres).mean(0)


def spread_rows(points: Tensor, count: int, seed: int) -> Tensor:
    """Row numbers, each drawn in proportion to the squared distance of its point from those drawn before (k-means++).

    Where all points are drawn, or equal, the next row is any of them.
    """
    generator = torch.Generator().manual_seed(seed)
    sizes = (points * points).sum(1)
    squares, rows = torch.ones(len(points)), torch.zeros(count, dtype=torch.int64)
    for k in range(count):
        weights = squares if bool(squares.any()) else torch.ones(len(points))
        row = int(torch.multinomial(weights, 1, generator=generator))
        away = (sizes + sizes[row] - 2 * (points @ points[row])).clamp_min_(0.0)
        away[away < 1e-5 * sizes[row]] = 0.0  # the same point, but for rounding
        squares, rows[k] = (away if k == 0 else torch.minimum(squares, away)), row
    return rows


def contracted_softness(d: int) -> tuple[float, float]:
    """Softness of a contracted start at first and at the end of its training, in d dimensions."""
    return max(SOFT_AT_LEAST, CONTRACTED_SOFTNESS / d**0.5), CONTRACTED_END


def contracted_rate(steps: int) -> float:
    """Share of the learning rate with which a contracted start is trained for so many steps."""
    return CONTRACTED_RATE * min(FASTEST, max(1.0, (CONTRACTED_STEPS / steps) ** 0.5))


def fewer_atoms(points: Array, potential: Array, most: int) -> tuple[Array, Array]:
    """At most ``most`` atoms that stand for a potential: centres of clusters of the points, and its values there.

    With u(c) = min_j |c - y_j| - g_j at a centre, |z - c| + u(c) is at least u(z), and equal to it at the centre.
    """
    if len(points) <= most:
        return points, np.array(potential)
    from otdiv.pricing.kd_tree import kd_order, ranges  # loads a compiler

    sorted_points = points[kd_order(points, leaf=1)]
    borders = ranges(len(points), int(np.log2(most)))
    centres = np.add.reduceat(sorted_points, borders[:-1], axis=0) / np.diff(borders)[:, None]
    return centres, -np.asarray(mcshane(-potential, points)(centres))
