"""W_p between histograms on one support, as a metric that scikit-learn calls with two rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from otdiv.core.validation import Array, ReadOnlyCopies, as_float_array, as_points, invalid, readonly, require_finite
from otdiv.costs import Cost, PointCost, as_cost
from otdiv.embedding.precomputed import certified_pairs
from otdiv.measures.discrete import MASS_TOLERANCE
from otdiv.transport.wasserstein import wasserstein


@dataclass(frozen=True, eq=False)
class HistogramMetric(ReadOnlyCopies):
    """W_p of two rows of masses on one support: a metric for ``pairwise_distances``, DBSCAN, nearest neighbours.

    W_p(a, b) = (min_plan sum_ij plan_ij d(z_i, z_j)^p)^(1/p), plan with marginals a and b

    Parameters
    ----------
    support : array_like [d] or [d, k], optional
        z; None: 0, 1, ..., d - 1 on the line.
    metric : str or PointCost
        d, of the points of the support.
    p : float
        Order, 1 <= p < inf.
    normalize : bool
        Divide each row by its total first, as for counts.

    Raises
    ------
    InvalidInput
        Of rows: other lengths than the support, NaN, negative masses, a total other than 1 unless ``normalize``.

    Notes
    -----
    A call is one pair; :meth:`matrix` computes many in compiled batches, a hundred times as fast.

    Examples
    --------
    >>> from sklearn.metrics import pairwise_distances
    >>> rows = [[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]
    >>> pairwise_distances(rows, metric=HistogramMetric()).round(9).tolist()
    [[0.0, 0.5, 2.0], [0.5, 0.0, 1.5], [2.0, 1.5, 0.0]]
    """

    support: Any = None
    metric: Any = "euclidean"
    p: float = 1.0
    normalize: bool = False

    def __post_init__(self) -> None:
        if self.support is not None:
            object.__setattr__(self, "support", readonly(as_points("support", self.support)))

    def __call__(self, a: Any, b: Any) -> float:
        """W_p of two rows [d], in the unit of the metric."""
        (a,), (b,) = self.rows("a", [a]), self.rows("b", [b])
        _require_one_support("a", a, "b", b)
        points = self.points(len(a))
        if self._on_line(points):
            order = np.argsort(points[:, 0], kind="stable")
            ahead = np.cumsum((a - b)[order])[:-1]
            return float(np.abs(ahead) @ np.diff(points[order, 0]))
        return wasserstein(points, points, a, b, metric=self._cost, p=self.p).value

    def matrix(self, x: Any, y: Any = None, **options: Any) -> Array:
        """W_p of all pairs of rows [n, d] and [m, d] as a matrix [n, m].

        Each is proved to ``rtol`` times the larger of itself and the diameter of the support.

        Parameters
        ----------
        x, y : array_like [n, d], [m, d]
            y is optional: x among themselves.
        **options
            Of :func:`otdiv.pairwise`: rtol, threads, workers, scheduler, store, progress.

        Raises
        ------
        InvalidInput
            As for a call.
        SolverFailed
            A wider interval.
        """
        masses = self.rows("x", x)
        others = None if y is None else self.rows("y", y)
        points = self.points(masses.shape[1])
        if others is not None:
            _require_one_support("x", masses[0], "y", others[0])
        given = None if others is None else [points] * len(others)
        found = certified_pairs(
            [points] * len(masses),
            given,
            weights=masses,
            other_weights=others,
            metric=self.metric,
            p=self.p,
            scale=self._diameter(points),
            **options,
        )
        return np.array(found.values)

    def rows(self, name: str, rows: Any) -> Array:
        """The masses [n, d] of the rows, each of total 1.

        Raises
        ------
        InvalidInput
        """
        masses = as_float_array(name, rows)
        if masses.ndim != 2 or not masses.size:
            raise invalid(name, "be rows of masses", f"shape {masses.shape}", "One row for each histogram.")
        require_finite(name, masses)
        if (masses < 0).any():
            received = f"{masses.min():.6g} (Negative values in data passed to {type(self).__name__})"
            raise invalid(name, "hold masses of at least 0", received, "Shift or clip it as you mean it.")
        if self.support is not None and masses.shape[1] != len(self.support):
            raise invalid(
                name, f"have {len(self.support)} columns, one for each point of the support", str(masses.shape[1]), ""
            )
        totals = masses.sum(axis=1)
        wrong = np.flatnonzero(~(totals > 0) if self.normalize else ~(np.abs(totals - 1) <= MASS_TOLERANCE))
        if wrong.size:
            requirement = "have a positive total" if self.normalize else "sum to 1"
            remedy = "Leave that row out." if self.normalize else "Pass normalize=True for counts."
            raise invalid(
                f"row {wrong[0]} of {name}",
                requirement,
                f"{totals[wrong[0]]:.10g} in {masses.shape[1]} feature(s)",
                remedy,
            )
        return masses / totals[:, None] if self.normalize else masses

    def points(self, d: int) -> Array:
        """The support of rows of d masses [d, k]."""
        return np.arange(d, dtype=np.float64)[:, None] if self.support is None else self.support

    @cached_property
    def _cost(self) -> Cost:
        return as_cost(self.metric)

    def _diameter(self, points: Array) -> float:
        """Of the support's box."""
        corners = points.min(axis=0)[None, :], points.max(axis=0)[None, :]
        return float(self._cost.elementwise(*corners)[0]) if isinstance(self._cost, PointCost) else 0.0

    def _on_line(self, points: Array) -> bool:
        return self.p == 1 and points.shape[1] == 1 and isinstance(self._cost, PointCost) and self._cost.line_power == 1


def _require_one_support(name: str, row: Array, other_name: str, other: Array) -> None:
    if len(row) != len(other):
        raise invalid(other_name, f"have {len(row)} columns as {name}", str(len(other)), "Use the same support.")
