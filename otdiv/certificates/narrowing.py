"""What closes an interval where rounding alone holds it open.

The quick audit bounds rounding from sizes: the number of terms, the largest cost,
the largest potential.  One far outlier makes these sizes useless.  Here
potentials are made as small as the distances that matter, and a plan that moves
nothing is known to cost nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from otdiv.core.validation import Array
from otdiv.problem.plan import Plan
from otdiv.problem.transport_problem import TransportProblem

_QUANTILES = (0.5, 0.9, 0.99)
_ROOM = 4.0
"""Potentials beyond this multiple of a quantile of their sizes are cut off: an outlier's need not be as large as its
distance to the others, only large enough to reach its own partner."""


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
