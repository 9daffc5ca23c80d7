"""A transport problem, and what a method proposes as its solution.

A proposal claims nothing: :mod:`otdiv.certificates.certificate` turns it into
bounds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from otdiv.core.bounds import Status
from otdiv.core.memory import require_memory, row_blocks
from otdiv.core.validation import Array, ReadOnlyCopies
from otdiv.costs import Cost, MatrixCost, SparseCost, as_cost, as_point_cost
from otdiv.errors import Infeasible, TooLarge
from otdiv.measures.discrete import MASS_TOLERANCE, DiscreteMeasure, with_same_columns
from otdiv.problem.line_order import LineOrder, sort_line
from otdiv.problem.plan import Plan

CACHED_ENTRIES = 2**21
"""Entries of a cost matrix that is computed once and kept (16 MiB); larger ones are computed each time."""
READ_ENTRIES = 2**16
"""Entries up to which single costs of points are read from that matrix; above it computing them takes less time."""
SENTINEL_STEP = 1e6
"""Ratio of two neighbouring costs above which the larger one, and all beyond it, count as sentinels."""
_ORDERS_OF_A_STEP = int(np.log2(SENTINEL_STEP))
"""Binary orders of magnitude between two costs of that ratio, rounded down."""
_BIAS, _INFINITE = 1022, 2047
"""Of the exponent in the bits of a float64: its difference from that of ``numpy.frexp``, and that of inf."""
_BYTES_PER_VALUE = 24.0
"""Bytes per pair of a cost that is a function: its matrix, and what reading through it takes."""


@dataclass(frozen=True, eq=False)
class TransportProblem(ReadOnlyCopies):
    """Move ``mu`` onto ``nu`` at the least total cost.

    Parameters
    ----------
    mu, nu : DiscreteMeasure
        Sources (n points, weights a) and targets (m points, weights b).
    cost : str, matrix, callable or Cost
        The ground cost, see :func:`otdiv.costs.as_cost`.

    Attributes
    ----------
    n, m : int
        Number of sources and of targets.
    d : int
        Dimension of the points.
    sparse : SparseCost or None
        The cost where it is a sparse one, which is never written out in full.
    findings : dict
        What methods have found out about the problem and need not find out again, such as its grid.

    Raises
    ------
    InvalidInput
        Dimensions differ, or a cost matrix of another shape.
    Infeasible
        Total masses that differ by more than 1e-9 of them; with the Farkas witness.

    Notes
    -----
    Masses that differ by rounding are read as ``nu`` times ``mass_ratio``; the certified interval
    is about exactly that problem.
    """

    mu: DiscreteMeasure
    nu: DiscreteMeasure
    cost: Cost = "euclidean"  # type: ignore[assignment]  # replaced by the Cost itself on construction
    n: int = field(init=False)
    m: int = field(init=False)
    d: int = field(init=False)
    sparse: SparseCost | None = field(init=False)
    findings: dict[str, Any] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        cost = as_cost(self.cost)
        object.__setattr__(self, "nu", with_same_columns(self.mu, self.nu))
        sparse = cost if cost.shape is not None and isinstance(cost, SparseCost) else None
        for name, value in (("cost", cost), ("n", self.mu.n), ("m", self.nu.n), ("d", self.mu.d), ("sparse", sparse)):
            object.__setattr__(self, name, value)
        if sparse is not None:
            sparse.require_shape(self.n, self.m)
        elif cost.shape is not None:
            cost.matrix(self.mu.points, self.nu.points)
        self._require_equal_masses()

    def _require_equal_masses(self) -> None:
        mass, other = self.mu.mass, self.nu.mass
        if abs(mass - other) <= MASS_TOLERANCE * max(mass, other):
            return
        sign = 1.0 if mass > other else -1.0
        raise Infeasible(
            f"the weights of x and y must have the same total mass; got {mass:.10g} and {other:.10g}. "
            "Pass normalize=True to scale both to mass 1, or correct the weights.",
            # Farkas: f + g = 0 on every arc, yet sum a f + sum b g = |mass - other| > 0
            {
                "f": np.full(self.mu.n, sign),
                "g": np.full(self.nu.n, -sign),
                "sources": tuple(range(self.mu.n)),
                "targets": tuple(range(self.nu.n)),
            },
        )

    @property
    def a(self) -> Array:
        """Source weights [n]."""
        return self.mu.weights

    @cached_property
    def b(self) -> Array:
        """Target weights [m], scaled by ``mass_ratio``."""
        return self.nu.weights if self.mass_ratio == 1.0 else self.nu.weights * self.mass_ratio

    @property
    def mass_ratio(self) -> float:
        """Mass of mu over mass of nu: 1 but for rounding."""
        return self.mu.mass / self.nu.mass

    @property
    def mass_defect(self) -> float:
        """Relative difference of the two masses as given."""
        return abs(self.mu.mass - self.nu.mass) / max(self.mu.mass, self.nu.mass)

    @cached_property
    def keeps_matrix(self) -> bool:
        """Whether the full cost matrix is at hand (given, or small enough to keep)."""
        if self.sparse is not None:
            return False
        return self.cost.by_entries or self.n * self.m <= CACHED_ENTRIES

    @property
    def _reads_matrix(self) -> bool:
        """Whether single costs are read from the matrix: else it is computed only where all of them are needed."""
        return self.sparse is None and (self.cost.by_entries or self.n * self.m <= READ_ENTRIES)

    @cached_property
    def _kept(self) -> Array:
        if self.cost.by_entries and not isinstance(self.cost, MatrixCost):
            self.require_matrix_memory(None)
        matrix = self.cost.matrix(self.mu.points, self.nu.points)
        matrix.flags.writeable = False
        return matrix

    @cached_property
    def _extent(self) -> tuple[float, float]:
        """The least and the largest entry of the matrix that is kept."""
        return float(self._kept.min()), float(self._kept.max())

    def costs(self) -> Array:
        """The cost matrix [n, m]; kept when small, computed anew when large (a sparse cost: written out each time)."""
        return self._kept if self.keeps_matrix else self.cost.matrix(self.mu.points, self.nu.points)

    def cost_blocks(self) -> Iterator[tuple[slice, Array]]:
        """The cost matrix in blocks of rows, each of bounded size."""
        if self.keeps_matrix:
            yield slice(0, self.n), self._kept
            return
        sparse = self.sparse
        for rows in row_blocks(self.n, self.m):
            yield rows, self.cost.matrix(self.mu.points[rows], self.nu.points) if sparse is None else sparse.block(rows)

    def arcs(self) -> tuple[Array, Array, Array]:
        """All arcs that are not forbidden, by rows: sources [k], targets [k] and costs [k]."""
        if self.sparse is not None:
            return self.sparse.rows, self.sparse.columns, self.sparse.values
        costs = self.costs()
        allowed = np.isfinite(costs)
        rows, columns = (index.astype(np.int32) for index in allowed.nonzero())
        return rows, columns, costs[allowed]

    def arc_costs(self, rows: Array, columns: Array) -> Array:
        """The costs [k] of the arcs (rows[k], columns[k]); +inf for a forbidden one."""
        if self.sparse is not None:
            return self.sparse.at(rows, columns)
        if self._reads_matrix:
            return self._kept[rows, columns]
        return as_point_cost(self.cost).elementwise(self.mu.points[rows], self.nu.points[columns])

    @cached_property
    def largest_cost(self) -> float:
        """An upper bound on every finite cost in absolute value.

        Of points the cost between opposite corners of a box around them, as for a checker of the certificate,
        which does not compute all costs to see the largest.
        """
        if self.sparse is not None:
            return float(np.abs(self.sparse.values).max(initial=0.0))
        if self.cost.by_entries:
            largest = max(self._extent[1], -self._extent[0])
            return largest if largest < np.inf else float(np.abs(self._kept[np.isfinite(self._kept)]).max(initial=0.0))
        cost = as_point_cost(self.cost)
        if self.on_line:
            low, high = self.line.z[:1], self.line.z[-1:]
            return float(cost.elementwise(low[None], high[None])[0]) * (1 + 4 * cost.relative_error(1))
        low = np.minimum(self.mu.points.min(axis=0), self.nu.points.min(axis=0))
        high = np.maximum(self.mu.points.max(axis=0), self.nu.points.max(axis=0))
        return float(cost.elementwise(low[None], high[None])[0]) * (1 + 4 * cost.relative_error(self.d))

    @cached_property
    def atoms_with_mass(self) -> tuple[int, int]:
        """How many sources and targets have a positive weight."""
        return int(np.count_nonzero(self.mu.weights)), int(np.count_nonzero(self.nu.weights))

    @cached_property
    def is_assignment(self) -> bool:
        """Whether there are as many sources as targets, and the masses of each side are all equal."""
        sides = (self.mu.weights, self.nu.weights)
        return self.n == self.m and all(bool(side.min() == side.max()) for side in sides)

    @cached_property
    def forbids(self) -> bool:
        """Whether some arcs are forbidden (cost +inf)."""
        if self.sparse is not None:
            return not self.sparse.complete
        return self.cost.by_entries and self._extent[1] == np.inf

    @cached_property
    def signed(self) -> bool:
        """Whether some cost is negative."""
        if self.sparse is not None:
            return bool(self.sparse.values.min(initial=0.0) < 0)
        return self.cost.by_entries and self._extent[0] < 0

    @cached_property
    def sentinel_level(self) -> float | None:
        """Where a given cost matrix holds sentinels: the largest cost below them; else None.

        A step by more than ``SENTINEL_STEP`` from one positive cost to the next larger one parts ordinary costs from
        sentinels, beside which float64 cannot see the ordinary ones.
        """
        if not self.cost.by_entries:
            return None
        if self.sparse is None and self._extent[0] > 0 and self._extent[1] <= SENTINEL_STEP * self._extent[0]:
            return None  # no step is as wide
        return level_below_sentinels(self._kept if self.sparse is None else self.sparse.values)

    @property
    def on_line(self) -> bool:
        """Whether the points lie on the line and the cost is a power of their distance."""
        return self.d == 1 and self.cost.line_power is not None

    @cached_property
    def line(self) -> LineOrder:
        """Both supports sorted, and both together (only where ``on_line``)."""
        x, y = self.mu.points[:, 0], self.nu.points[:, 0]
        return sort_line(x, y)

    @property
    def nearby(self) -> bool:
        """Whether a certificate is about weights nearby: with forbidden or sentinel arcs a last bit may decide."""
        return self.forbids or self.sentinel_level is not None

    def require_memory(self, bytes_needed: float, limit: float | None, what: str) -> None:
        """Refuse before allocating, if ``what`` would take more than ``limit`` bytes.

        Raises
        ------
        TooLarge
            Naming the estimate and the limit.
        """
        require_memory(bytes_needed, limit, f"{what} for n = {self.n}, m = {self.m}")

    def require_matrix_memory(self, limit: float | None) -> None:
        """Refuse a cost that is a function of points where the matrix of all its values would not fit.

        Raises
        ------
        TooLarge
            Naming the estimate, the limit and what to pass instead.
        """
        if self.cost.by_entries and self.cost.shape is None:
            try:
                self.require_memory(_BYTES_PER_VALUE * self.n * self.m, limit, "a cost known entry by entry")
            except TooLarge as problem:
                remedy = "A named cost needs no matrix, and a scipy.sparse one only the arcs that matter."
                raise TooLarge(f"{problem} {remedy}") from None

    def __repr__(self) -> str:
        return f"TransportProblem(n={self.n}, m={self.m}, d={self.d}, cost={self.cost.name!r})"


def level_below_sentinels(costs: Array) -> float | None:
    """The largest of the positive finite costs before the widest step, where that is wider than ``SENTINEL_STEP``.

    A step as wide leaves binary orders of magnitude without costs; only such gaps are considered, so nothing is sorted.
    """
    occupied = _binary_orders(costs)
    gaps = np.flatnonzero(np.diff(occupied) + 1 > _ORDERS_OF_A_STEP)
    if not len(gaps):
        return None
    positive = costs[(costs > 0) & np.isfinite(costs)]
    orders = np.frexp(positive)[1]
    level, widest = None, SENTINEL_STEP
    for k in gaps:
        last, first = float(positive[orders <= occupied[k]].max()), float(positive[orders >= occupied[k + 1]].min())
        if first / last > widest:
            level, widest = last, first / last
    return level


def _binary_orders(costs: Array) -> Array:
    """The exponents that ``numpy.frexp`` finds among the positive finite costs, ascending; read from their bits."""
    if not costs.size:
        return np.empty(0, np.int64)
    signs_and_exponents = np.ascontiguousarray(costs).reshape(-1).view(np.uint64) >> np.uint64(52)
    count = np.bincount(signs_and_exponents.view(np.int64), minlength=_INFINITE)[:_INFINITE]
    found = np.flatnonzero(count[1:]) + 1 - _BIAS
    if count[0] > np.count_nonzero(costs == 0):  # numbers too small for an exponent of their own
        found = np.concatenate([np.unique(np.frexp(costs[(costs > 0) & (costs < np.finfo(float).tiny)])[1]), found])
    return found


@dataclass(frozen=True, eq=False)
class Proposal:
    """A plan and potentials that a method proposes; nothing about them is taken for granted.

    Attributes
    ----------
    plan : Plan or None
    f, g : ndarray [n], [m] or None
        Potentials, meant to satisfy f_i + g_j <= c_ij.
    status : Status
        How the method ended, by its own account.
    stats : dict
        Iterations, solver messages, objectives.
    """

    plan: Plan | None
    f: Array | None
    g: Array | None
    status: Status
    stats: dict[str, Any] = field(default_factory=dict)

    @staticmethod
    def stopped(message: str) -> Proposal:
        """Of a method that was interrupted and has nothing to propose."""
        return Proposal(None, None, None, Status.STOPPED, {"message": message})
