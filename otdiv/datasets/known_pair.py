"""Two distributions whose distance is known, and samples of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from otdiv.core.validation import Array, as_rng, invalid

Points = Callable[[Array], Array]


class Sample(NamedTuple):
    """Two point clouds and what is known of them.

    Attributes
    ----------
    x, y : ndarray [n, d]
    w1 : float or None
        Exact EMD (euclidean, uniform weights) of these very points; None where it is known for the distributions only.
    """

    x: Array
    y: Array
    w1: float | None


@dataclass(frozen=True, eq=False)
class KnownPair:
    """Two distributions with a known distance.

    Attributes
    ----------
    name : str
    d : int
        Dimension.
    w1 : float or None
        W1 of the two distributions; None where only samples' distances are known.
    draw : callable
        draw(n, rng) -> x [n, d].
    move : callable or None
        T: [n, d] -> [n, d]; None where y is drawn independently from the distribution of x.
    potential : callable or None
        u: [n, d] -> [n], 1-Lipschitz, with u(x) - u(T(x)) = |x - T(x)|.
    """

    name: str
    d: int
    w1: float | None
    draw: Callable[[int, np.random.Generator], Array]
    move: Points | None
    potential: Points | None

    def sample(self, n: int, rng: int | np.random.Generator | None = None) -> Sample:
        """n points of each distribution, in random order, drawn so that their exact distance is known.

        Parameters
        ----------
        n : int
            Number of points on each side.
        rng : int, numpy.random.Generator or None
            None is fresh entropy.

        Returns
        -------
        Sample

        Raises
        ------
        InvalidInput
            n < 1.
        """
        rng = as_rng(rng)
        if n < 1:
            raise invalid("n", "be at least 1", repr(n), "Give the number of points.")
        x = self.draw(n, rng)
        if self.move is None:
            return Sample(x, self.draw(n, rng), None)
        y = self.move(x)
        return Sample(x, y[rng.permutation(n)], float(np.linalg.norm(x - y, axis=1).mean()))

    def independent(self, n: int, rng: int | np.random.Generator | None = None) -> Sample:
        """n independent points of each distribution, as data come; the exact EMD is then not known."""
        rng = as_rng(rng)
        x, other = self.draw(n, rng), self.draw(n, rng)
        return Sample(x, other if self.move is None else self.move(other), None)
