"""What closes an interval where rounding alone holds it open.

The quick audit bounds rounding from sizes: the number of terms, the largest cost,
the largest potential.  One far outlier makes these sizes useless.  Here
potentials are made as small as the distances that matter, and a plan that moves
nothing is known to cost nothing.  Between nearly equal measures the little that
moves stands beside all that stays: potentials that cancel where points coincide
lose nothing there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from otdiv.core.rounding import UNIT
from otdiv.core.validation import Array
from otdiv.costs import PointCost
from otdiv.pricing.compiled_costs import norm_exponent
from otdiv.problem.plan import Plan
from otdiv.problem.transport_problem import TransportProblem

_QUANTILES = (0.5, 0.9, 0.99)
_ROOM = 4.0
"""Potentials beyond this multiple of a quantile of their sizes are cut off: an outlier's need not be as large as its
distance to the others, only large enough to reach its own partner."""
_LEAST_SHARE = 2.0**-40
"""Share of the value given up so that potentials cancel where points coincide, 1e-12; rounding may need more."""
_MOST_SHARE = 0.25
"""The same at most, in units of the relative gap that is asked for."""
_LEAST_LOGARITHM = -660.0
"""Of a power of a difference: above it, at 1e-287, nothing that underflows counts."""


def smaller_potentials(f: Array) -> Iterator[Array]:
    """Potentials f with outliers cut off at several sizes; the c-transform makes a feasible pair of each."""
    centred = f - float(np.median(f))
    size = np.abs(centred)
    tried = set()
    for quantile in _QUANTILES:
        most = _ROOM * float(np.quantile(size, quantile, method="higher"))
        if 0 < most < size.max() and most not in tried:
            tried.add(most)
            yield np.clip(centred, -most, most)


def joins_equal_points(problem: TransportProblem, plan: Plan) -> bool:
    """Whether every arc of the plan joins a point with itself: then it costs nothing, whatever underflows."""
    if problem.cost.by_entries:  # then coincident points may have any cost
        return False
    return bool(np.array_equal(problem.mu.points[plan.rows], problem.nu.points[plan.columns]))


def share_moved(problem: TransportProblem, plan: Plan, costs: Array) -> float:
    """Share of the mass on arcs whose cost may be positive: all but those that join a point with itself, and, of a
    matrix, those that cost 0."""
    free = costs == 0.0
    if not problem.cost.by_entries:  # what is 0 may have underflowed
        at = np.flatnonzero(free)
        free[at] = (problem.mu.points[plan.rows[at]] == problem.nu.points[plan.columns[at]]).all(axis=1)
    elif problem.cost.absolute_error(problem.d) > 0:
        free[:] = False
    return float(plan.mass[~free].sum()) / problem.mu.mass


def cancelling_potentials(problem: TransportProblem, f: Array, g: Array, rtol: float) -> tuple[Array, Array] | None:
    """Feasible potentials with f_i + g_j = 0 exactly where the points i and j coincide and mass may stay.

    Of a feasible pair, f_i + g_j <= c_ij and f_i + g_j >= -s at coincident points, the multiple (1 - e) f with
    g_j = -(1 - e) f_i at these is feasible as well if e c >= s for the least positive cost c, rounding included, for

        (1 - e) (f_i - f_k) <= (1 - e) (c_ij + s) <= c_ij   with k where j is.

    A share e of the value is lost, and nothing where mass stays, which else loses a last bit of each potential.

    Returns
    -------
    f, g : ndarray, or None
        None where no points coincide, several coincide on one side, or e would be above ``rtol`` / 4.
    """
    found = _coincident(problem)
    if found is None:
        return None
    rows, columns, least = found
    slack = -(f[rows] + g[columns])
    most = _MOST_SHARE * rtol
    stays = slack <= 0.499 * most * least
    if not stays.any():
        return None
    rows, columns = rows[stays], columns[stays]
    size = max(float(np.abs(f).max()), float(np.abs(g).max()))
    # half of e c for the slack, a quarter for products that are rounded
    share = max(_LEAST_SHARE, 8 * UNIT * size / least, 2.001 * float(slack[stays].max()) / least)
    if share > most:
        return None
    f, g = (1.0 - share) * f, (1.0 - share) * g
    g[columns] = -f[rows]
    return f, g


def _coincident(problem: TransportProblem) -> tuple[Array, Array, float] | None:
    """The pairs of cost 0 and a lower bound on the cost of all others; None without such pairs, or if a point has two.

    They are found once for each problem.
    """
    if "coincident" not in problem.findings:
        pairs = None if problem.signed or problem.sparse is not None else _find_coincident(problem)
        problem.findings["coincident"] = pairs
    found: tuple[Array, Array, float] | None = problem.findings["coincident"]
    return found


def _find_coincident(problem: TransportProblem) -> tuple[Array, Array, float] | None:
    if problem.keeps_matrix:
        costs = problem.costs()
        rows, columns = np.nonzero(costs == 0.0)
        if len(rows) and _all_differ(rows) and _all_differ(columns):
            least = float(np.min(costs, where=costs > 0.0, initial=np.inf))
            return (rows, columns, least) if 0 < least < np.inf else None
        return None
    x, y = problem.mu.points, problem.nu.points
    exponent = norm_exponent(problem.cost, problem.d)
    if exponent is None or not isinstance(problem.cost, PointCost):
        return None
    points, at = np.unique(np.concatenate([x, y]), axis=0, return_inverse=True)
    at_x, at_y = at[: len(x)], at[len(x) :]
    if not (_all_differ(at_x) and _all_differ(at_y)) or len(points) in (1, len(x) + len(y)):
        return None
    target = np.full(len(points), -1)
    target[at_y] = np.arange(len(y))
    rows = np.flatnonzero(target[at_x] >= 0)
    from scipy.spatial import cKDTree  # others do without the time of its import

    gaps, nearest = cKDTree(points).query(points, 2, p=exponent)
    closest = int(np.argmin(gaps[:, 1]))
    gap = float(gaps[closest, 1])
    if gap == 0 or (exponent < math.inf and exponent * math.log(gap) < _LEAST_LOGARITHM):
        return None  # powers of differences have underflowed in the tree, and others may be closer
    pair = points[closest : closest + 1], points[nearest[closest, 1] :][:1]
    # the tree's distances and computed costs are off by some last bits
    off = 1e-12 + 8 * problem.cost.relative_error(problem.d)
    least = float(problem.cost.elementwise(*pair)[0]) * (1 - off)
    return (rows, target[at_x[rows]], least) if 0 < least < np.inf else None


def _all_differ(indices: Array) -> bool:
    return len(indices) == 0 or int(np.bincount(indices).max()) <= 1
