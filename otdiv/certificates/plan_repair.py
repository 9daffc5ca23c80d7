"""Repair of a proposed plan into a feasible one: the upper bound's half of the audit.

Any non-negative matrix can be made a plan: scale down what exceeds a marginal,
then route what is missing in north-west order.
"""

from __future__ import annotations

import math

import numpy as np

from otdiv.core.rounding import UNIT
from otdiv.core.validation import Array
from otdiv.errors import CertificateRefused
from otdiv.problem.plan import Plan
from otdiv.problem.transport_problem import TransportProblem

NEGATIVE_NOISE = 1e-9
"""Negative entries down to this share of the mass are solver noise and set to 0; beyond, the plan is refused."""


REPAIR_ABOVE = 4 * UNIT
"""Marginals off by more than this share of the mass, times the root of the number of arcs, are repaired."""


_ROOM_FOR_SUMS = 1e-12
"""Relative room for the rounding of a sum of non-negative numbers."""
MATCHING_ROUNDING = 1e-9
"""Masses of a matching that differ from the weight of the atoms by less than this share are rounding of it."""


def feasible_plan(problem: TransportProblem, plan: Plan | None) -> tuple[Plan, float]:
    """A plan with the right marginals, and a bound on the mass by which they are still off.

    Returns
    -------
    plan : Plan
        Non-negative, no mass on forbidden arcs, marginals equal to the weights but for rounding.
    error : float
        Bound on |row sums - a|_1 + |column sums - b|_1 in real arithmetic.

    Raises
    ------
    CertificateRefused
        Shape, index, NaN, infinity, or a truly negative entry.
    """
    if plan is None:
        plan = Plan(np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0), (problem.n, problem.m))
    plan = _require_plan(problem, plan)
    if problem.forbids:
        allowed = np.isfinite(problem.arc_costs(plan.rows, plan.columns))
        if not allowed.all():
            plan = Plan(plan.rows[allowed], plan.columns[allowed], plan.mass[allowed], plan.shape)
    if _matches_equals(problem, plan):
        return Plan(plan.rows, plan.columns, problem.a[plan.rows], plan.shape), 0.0
    off, rounding = marginal_error(problem, plan)
    if off > REPAIR_ABOVE * (1 + math.sqrt(len(plan))) * problem.mu.mass:
        repaired = _repaired(problem, plan)
        left, rounding_left = marginal_error(problem, repaired)
        if left + rounding_left < off + rounding:
            plan, off, rounding = repaired, left, rounding_left
    if off == 0.0 and problem.nearby and exact_marginal_error(problem, plan) == 0.0:
        return plan, 0.0
    return plan, off + rounding


def _matches_equals(problem: TransportProblem, plan: Plan) -> bool:
    """Whether the plan matches n atoms with n atoms, all of one weight: then that weight is every mass, exactly."""
    return (
        len(plan) == problem.n
        and equal_atoms(problem)
        and bool((np.bincount(plan.rows, minlength=problem.n) == 1).all())
        and bool((np.bincount(plan.columns, minlength=problem.m) == 1).all())
        and float(np.abs(plan.mass - problem.a[0]).max()) <= MATCHING_ROUNDING * problem.a[0]
    )


def equal_atoms(problem: TransportProblem) -> bool:
    """Whether both measures have as many atoms, all of one weight."""
    a, b = problem.a, problem.b
    return problem.n == problem.m and a[0] == b[0] and a.min() == a.max() and b.min() == b.max()


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
        ratio = math.fsum(problem.mu.weights.tolist()) / math.fsum(problem.nu.weights.tolist())
        return abs(problem.mass_ratio - ratio) / ratio * (1 + 8 * UNIT) + 5 * UNIT
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


def marginal_error(problem: TransportProblem, plan: Plan) -> tuple[float, float]:
    """L1 distance between the plan's marginals and the weights: as computed, and a bound on its rounding."""
    rows, columns = plan.row_sums, plan.column_sums
    off = float(np.abs(rows - problem.a).sum() + np.abs(columns - problem.b).sum())
    # a sum of k masses is off by at most k u times itself, and the comparison rounds once more
    terms = _terms_in_sums(plan.rows, rows) + _terms_in_sums(plan.columns, columns)
    rounding = UNIT * (terms + 2 * problem.mu.mass) + weight_error(problem) * problem.mu.mass
    return off, rounding + 1e-9 * off


def _terms_in_sums(index: np.ndarray, sums: np.ndarray) -> float:
    """sum_i (number of masses in the i-th sum) * (the i-th sum)."""
    if len(index) == len(sums) and sums.min() > 0:  # then each sum has one term
        return float(sums.sum())
    return float(np.bincount(index, minlength=len(sums)) @ sums)


def weight_error(problem: TransportProblem) -> float:
    """Bound on the relative error of the stored target weights against nu scaled to mu's exact mass."""
    if equal_atoms(problem):
        return 0.0
    return (4 if max(problem.n, problem.m) < 4096 else 140) * UNIT


def _require_plan(problem: TransportProblem, plan: Plan) -> Plan:
    if plan.shape != (problem.n, problem.m):
        raise CertificateRefused(
            f"the plan must have shape {(problem.n, problem.m)}; got {plan.shape}. Give one row for each source."
        )
    if len(plan) == 0:
        return plan
    lowest, sum_of = float(plan.mass.min()), float(plan.mass.sum())
    if not np.isfinite(sum_of) or np.isnan(lowest):
        raise CertificateRefused("the plan must be finite; got NaN or infinity. No bound can come from it.")
    if _largest(plan.rows) >= problem.n or _largest(plan.columns) >= problem.m:
        raise CertificateRefused(
            f"the plan's indices must lie inside {plan.shape}; got others. Check rows and columns."
        )
    if lowest < -NEGATIVE_NOISE * problem.mu.mass:
        k = int(np.argmin(plan.mass))
        raise CertificateRefused(
            f"the plan must be non-negative; got {lowest:.6g} at ({plan.rows[k]}, {plan.columns[k]}). It is no plan."
        )
    if lowest <= 0:
        keep = plan.mass > 0
        plan = Plan(plan.rows[keep], plan.columns[keep], plan.mass[keep], plan.shape)
    return plan


def _largest(index: np.ndarray) -> int:
    """The largest index; a negative one counts as huge."""
    return int(index.view(f"u{index.itemsize}").max())


def _repaired(problem: TransportProblem, plan: Plan) -> Plan:
    """Scale down to the marginals, then route the remainder."""
    mass = plan.mass * _ratio(problem.a, plan.row_sums)[plan.rows]
    mass = mass * _ratio(problem.b, np.bincount(plan.columns, weights=mass, minlength=problem.m))[plan.columns]
    scaled = Plan(plan.rows, plan.columns, mass, plan.shape)
    missing_rows = np.maximum(problem.a - scaled.row_sums, 0.0)
    missing_columns = np.maximum(problem.b - scaled.column_sums, 0.0)
    if not (missing_rows.any() and missing_columns.any()):
        return scaled
    rest = Plan.northwest(missing_rows, missing_columns)
    if problem.forbids:
        allowed = np.isfinite(problem.arc_costs(rest.rows, rest.columns))
        rest = Plan(rest.rows[allowed], rest.columns[allowed], rest.mass[allowed], rest.shape)
    return Plan(
        np.concatenate([scaled.rows, rest.rows]),
        np.concatenate([scaled.columns, rest.columns]),
        np.concatenate([scaled.mass, rest.mass]),
        plan.shape,
    )


def _ratio(wanted: np.ndarray, present: np.ndarray) -> np.ndarray:
    """min(1, wanted / present), and 1 where nothing is present."""
    return np.where(present > wanted, wanted / np.where(present > 0, present, 1.0), 1.0)
