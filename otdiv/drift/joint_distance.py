"""The joint distance of all columns: exact transport between rows, split over columns and over rows by its plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from otdiv.core.validation import Array
from otdiv.drift.encoding import EncodedColumn
from otdiv.transport.result import TransportResult
from otdiv.transport.solve import emd
from otdiv.two_sample import mmd_test

MOST_ROWS = 500
"""Rows of either table that the joint distance is taken of; more take longer, and have a lower floor."""
SPLITS = 19
"""Random divisions of the pooled rows, each solved exactly, of which the floor is the mean."""


@dataclass(frozen=True, eq=False)
class JointDistance:
    """Exact W1 between the rows of two tables under the sum of their columns' distances.

    Attributes
    ----------
    transport : TransportResult
        Its interval is proved; ``value`` is in the unit of the joint cost.
    floor : float
        The mean of the same distance between random divisions of the pooled rows: what samples of these sizes show
        without any change.
    p_value : float
        Of equal distributions of the rows taken, by :func:`otdiv.two_sample.mmd_test`; it sees changes in how
        columns go together too.
    columns : ndarray [k]
        The part of each column in the cost of the plan; they sum to the value.
    rows : ndarray of int [n], [m]
        The rows of either table that were taken, all or a random sample.
    sampled : bool
        Whether it was a sample.
    """

    transport: TransportResult
    floor: float
    p_value: float
    columns: Array
    rows: tuple[Array, Array]
    sampled: bool

    @property
    def value(self) -> float:
        """W1, of the samples."""
        return self.transport.value

    @property
    def excess(self) -> float:
        """The value less its floor, at least 0."""
        return max(0.0, self.value - self.floor)

    def moved_rows(self, most: int = 5) -> list[tuple[int, int, float]]:
        """The arcs of the plan that cost most: row before, row after, and their share of the cost."""
        plan, problem = self.transport.plan, self.transport.problem
        cost = plan.mass * problem.arc_costs(plan.rows, plan.columns)
        total = float(cost.sum()) or 1.0
        first = np.argsort(-cost, kind="stable")[:most]
        before, after = self.rows
        return [(int(before[plan.rows[k]]), int(after[plan.columns[k]]), float(cost[k] / total)) for k in first]


def joint_distance(columns: Sequence[EncodedColumn], rng: np.random.Generator, most: int = MOST_ROWS) -> JointDistance:
    """W1 of the rows of both tables.

    Parameters
    ----------
    columns : sequence of EncodedColumn
        Their coordinates side by side; the cost is the 1-norm.
    rng : numpy Generator
        Draws the rows where there are more than ``most``, and the divisions.
    most : int

    Returns
    -------
    JointDistance
    """
    before, after = (np.hstack([getattr(c, side) for c in columns]) for side in ("before", "after"))
    rows = _drawn(len(before), most, rng), _drawn(len(after), most, rng)
    x, y = before[rows[0]], after[rows[1]]
    found = emd(x, y, cost="cityblock")
    pooled = np.concatenate([x, y])
    others = []
    for _ in range(SPLITS):
        order = rng.permutation(len(pooled))
        others.append(emd(pooled[order[: len(x)]], pooled[order[len(x) :]], cost="cityblock", rtol=1e-6).value)
    plan = found.plan
    moved = np.abs(x[plan.rows] - y[plan.columns])
    widths = np.cumsum([0, *(c.before.shape[1] for c in columns)])
    parts = [float(plan.mass @ moved[:, a:b].sum(axis=1)) for a, b in zip(widths[:-1], widths[1:], strict=True)]
    sampled = len(x) < len(before) or len(y) < len(after)
    p_value = mmd_test(x, y, rng=rng).p_value
    return JointDistance(found, float(np.mean(others)), p_value, np.array(parts), rows, sampled)


def _drawn(n: int, most: int, rng: np.random.Generator) -> Array:
    return np.arange(n) if n <= most else np.sort(rng.choice(n, most, replace=False))
