"""Mass that both measures have at the same point stays there, if the cost is a metric.

For a metric d some optimal plan leaves min(a, b) where it is: a plan that moves it away, u -> z and v -> u, costs no
less than v -> z and u staying, by the triangle inequality.  So the problem is one of the differences a - min(a, b) and
b - min(a, b), whose atoms lie on one side only.  A potential of it is a 1-Lipschitz function F, and F on x with -F on y
is feasible for the whole problem and of the same value, since the common mass adds F - F = 0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from otdiv.core.validation import Array
from otdiv.measures.discrete import DiscreteMeasure
from otdiv.potentials.c_transform import PotentialFunction
from otdiv.problem.plan import Plan
from otdiv.problem.transport_problem import Proposal, TransportProblem

_FEWEST_PAIRS = 2**12
"""Pairs from which the common mass is searched for; below it a solve takes no longer."""
_LEAST_SHARE = 0.2
"""Share of the pairs that must vanish; below it the smaller problem gains less than its potentials cost."""
_NEARLY_EQUAL = 1e-10
"""Relative difference of the two masses that move; a larger one comes from rounding of far larger ones that stay."""


class Reduction(NamedTuple):
    """A transport problem without its common mass.

    Attributes
    ----------
    whole, moving : TransportProblem
        As asked, and of the mass that moves.
    sources, targets : ndarray of int
        The atoms of the whole problem that are left in the other.
    staying : Plan
        The mass that stays, on the arcs from a point to itself.
    """

    whole: TransportProblem
    moving: TransportProblem
    sources: Array
    targets: Array
    staying: Plan

    def restrict(self, whole: Proposal) -> Proposal:
        """The proposal for the mass that moves of one for the whole problem."""
        if whole.plan is None or whole.f is None or whole.g is None:
            return whole
        place_x, place_y = np.full(self.whole.n, -1), np.full(self.whole.m, -1)
        place_x[self.sources], place_y[self.targets] = np.arange(len(self.sources)), np.arange(len(self.targets))
        rows, columns, moving = place_x[whole.plan.rows], place_y[whole.plan.columns], self.moving
        left = (rows >= 0) & (columns >= 0)
        plan = Plan(rows[left], columns[left], whole.plan.mass[left], (moving.n, moving.m))
        return Proposal(plan, whole.f[self.sources], whole.g[self.targets], whole.status, whole.stats)

    def lift(self, found: Proposal) -> Proposal:
        """The proposal for the whole problem of one for the mass that moves."""
        if found.plan is None or found.f is None or found.g is None:
            return Proposal(None, None, None, found.status, found.stats)
        stay, move, whole = self.staying, found.plan, self.whole
        plan = Plan(
            np.concatenate([stay.rows, self.sources[move.rows]]),
            np.concatenate([stay.columns, self.targets[move.columns]]),
            np.concatenate([stay.mass, move.mass]),
            (whole.n, whole.m),
        )
        F = PotentialFunction(self.moving.nu.points, found.g, whole.cost)
        return Proposal(plan, F(whole.mu.points), -F(whole.nu.points), found.status, found.stats)


def without_common_mass(problem: TransportProblem) -> Reduction | None:
    """The problem of the mass that moves.

    Returns
    -------
    Reduction or None
        None where the cost is no metric given by points, a point occurs twice in one measure, or too little is common
        to make the problem much smaller.
    """
    cost, pairs = problem.cost, problem.n * problem.m
    if cost.by_entries or not cost.is_metric or pairs < _FEWEST_PAIRS:
        return None
    sources, targets = _same_points(problem.mu.points, problem.nu.points)
    if not len(sources):
        return None
    common = np.minimum(problem.a[sources], problem.b[targets])
    a, b = problem.a.copy(), problem.b.copy()
    a[sources] -= common
    b[targets] -= common
    left, right = np.flatnonzero(a), np.flatnonzero(b)
    if not len(left) or not len(right) or len(left) * len(right) > (1 - _LEAST_SHARE) * pairs:
        return None
    mu, nu = DiscreteMeasure(problem.mu.points[left], a[left]), DiscreteMeasure(problem.nu.points[right], b[right])
    if abs(mu.mass - nu.mass) > _NEARLY_EQUAL * mu.mass:
        return None
    kept = common > 0
    staying = Plan(sources[kept], targets[kept], common[kept], (problem.n, problem.m))
    return Reduction(problem, TransportProblem(mu, nu, cost), left, right, staying)


def _same_points(x: Array, y: Array) -> tuple[Array, Array]:
    """Indices i, j of all pairs x_i = y_j; none where a point occurs twice in x or in y."""
    nothing = np.empty(0, np.intp)
    first = np.sort(x[:, 0])
    at = np.searchsorted(first, y[:, 0])
    if not (first[np.minimum(at, len(x) - 1)] == y[:, 0]).any():  # mostly so, and sorting whole points takes long
        return nothing, nothing
    of = _numbers_of_points(np.concatenate([x + 0.0, y + 0.0]))
    first, second = np.full((2, len(x) + len(y)), -1)
    first[of[: len(x)]], second[of[len(x) :]] = np.arange(len(x)), np.arange(len(y))
    if np.count_nonzero(first >= 0) < len(x) or np.count_nonzero(second >= 0) < len(y):
        return nothing, nothing
    both = (first >= 0) & (second >= 0)
    return first[both], second[both]


def _numbers_of_points(points: Array) -> Array:
    """A number below their number for each point, the same for equal ones and for no others.

    Sorting whole points takes ten times as long as sorting a hash of each.
    """
    bits = points.view(np.uint64)
    factors = np.random.default_rng(0).integers(2**63, size=points.shape[1], dtype=np.uint64) * 2 + 1
    hashes = ((bits ^ (bits >> np.uint64(32))) * factors).sum(axis=1)  # modulo 2**64
    _, at, of = np.unique(hashes, return_index=True, return_inverse=True)
    if not np.array_equal(points, points[at[of]]):  # two points share a hash
        _, of = np.unique(points, axis=0, return_inverse=True)
    return np.asarray(of).ravel()
