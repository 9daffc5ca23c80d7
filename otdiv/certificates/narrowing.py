"""What closes an interval where rounding alone holds it open.

The quick audit bounds rounding from sizes: the number of terms, the largest cost,
the largest potential.  One far outlier makes these sizes useless.  Here the mass
by which a plan's marginals are off is computed exactly, sums carry their rounding
errors along, and potentials are made as small as the distances that matter.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from otdiv.certificates.plan_repair import weight_error
from otdiv.core.rounding import UNIT
from otdiv.core.validation import Array
from otdiv.problem.plan import Plan
from otdiv.problem.transport_problem import TransportProblem

_ROOM_FOR_SUMS = 1e-12
"""Relative room for the rounding of a sum of non-negative numbers."""
_QUANTILES = (0.5, 0.9, 0.99)
_ROOM = 4.0
"""Potentials beyond this multiple of a quantile of their sizes are cut off: an outlier's need not be as large as its
distance to the others, only large enough to reach its own partner."""


def exact_marginal_error(problem: TransportProblem, plan: Plan) -> float:
    """|row sums - a|_1 + |column sums - b|_1 with b scaled to a's mass, in real arithmetic but for the last bits.

    Every sum of floats that :func:`math.fsum` rounds to 0 is exactly 0, so a plan with the weights themselves as
    masses has error 0.
    """
    off = _error_of_sums(plan.rows, plan.mass, problem.a) + _error_of_sums(plan.columns, plan.mass, problem.b)
    return off + relative_mass_defect(problem) * problem.mu.mass * (1 + 8 * UNIT)


def relative_mass_defect(problem: TransportProblem) -> float:
    """Bound on the relative error of the stored target weights against nu scaled to mu's exact mass."""
    if problem.mass_ratio != 1.0:  # then the stored weights are rounded products
        return weight_error(problem)
    defect = math.fsum([*problem.a.tolist(), *(-problem.b).tolist()])
    return abs(defect) / problem.nu.mass * (1 + 8 * UNIT)


def _error_of_sums(index: Array, mass: Array, weights: Array) -> float:
    """sum_i |sum of the masses at i - weights_i|."""
    used = np.bincount(index, minlength=len(weights))
    off = float(weights[used == 0].sum())
    single = used[index] == 1
    off += float(np.abs(mass[single] - weights[index[single]]).sum())
    several = np.flatnonzero(~single)
    order = several[np.argsort(index[several], kind="stable")]
    ends = np.flatnonzero(np.diff(index[order])) + 1
    parts = np.split(mass[order], ends) if len(order) else []
    firsts = index[order][np.concatenate([[0], ends]).astype(int)] if len(order) else []
    for i, part in zip(firsts, parts, strict=True):
        off += abs(math.fsum([*part.tolist(), -float(weights[i])]))
    return off * (1 + _ROOM_FOR_SUMS)


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
