"""The one auditor: any proposal in, a proved interval out.

Every method of otdiv, and every user's own plan or critic, passes through
:func:`certify`.  The plan is repaired until it is feasible, so its cost bounds
the optimum from above; the potentials are repaired until f_i + g_j <= c_ij for
all pairs, so their value bounds it from below.  All rounding goes outward.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from otdiv.certificates.exact_masses import MOST_ARCS, exact_masses
from otdiv.certificates.narrowing import cancelling_potentials, joins_equal_points, share_moved, smaller_potentials
from otdiv.certificates.plan_repair import (
    exact_marginal_error,
    feasible_plan,
    relative_mass_defect,
    weight_error,
)
from otdiv.certificates.potential_repair import feasible_potentials
from otdiv.core.bounds import Bounds, Status
from otdiv.core.options import DEFAULTS, SolverOptions
from otdiv.core.rounding import UNIT, accurate_dots_bounds, dots_bounds
from otdiv.core.validation import Array, ReadOnlyCopies, as_float_array
from otdiv.problem.plan import Plan
from otdiv.problem.transport_problem import TransportProblem
from otdiv.verification.record import GIVEN_WEIGHTS, NEARBY_WEIGHTS

_ROUNDINGS = 32 * UNIT
"""Share of the mass that sums and quotients of weights may lose to rounding, 3.6e-15; with more, weights of one part in
1e14 would count for nothing."""


@dataclass(frozen=True, eq=False)
class Certificate(ReadOnlyCopies):
    """A feasible plan, feasible potentials, and the interval they prove.

    Attributes
    ----------
    plan : Plan
        Upper half: its cost is at least the optimum.
    f, g : ndarray [n], [m]
        Lower half: f_i + g_j <= c_ij for all pairs, so a.f + b.g is at most the optimum.
    value : float
        Cost of the plan, in units of cost times mass.
    bounds : Bounds
        The proved interval.
    marginal_error : float
        Mass by which the plan's marginals may be off after repair; already in the upper bound.
    about : str
        "the weights"; with forbidden or sentinel arcs "weights within marginal_error", since there
        the last bit of a weight may decide whether a plan exists at all.
    resolution : float
        The part of the gap that float64 rounding alone explains.
    level : str
        "float": proved in float64 with outward rounding.
    moved : float
        Share of the mass that the plan moves at a positive cost, or by which its marginals may be off; infinity where a
        cost is negative.
    """

    plan: Plan
    f: Array
    g: Array
    value: float
    bounds: Bounds
    marginal_error: float
    resolution: float
    about: str = GIVEN_WEIGHTS
    level: str = "float"
    moved: float = np.inf

    @property
    def gap(self) -> float:
        """upper - lower."""
        return self.bounds.gap

    @property
    def exact_weights(self) -> bool:
        """Whether the interval is about the weights as given: always without forbidden or sentinel arcs."""
        return self.about == GIVEN_WEIGHTS or self.marginal_error == 0.0

    @property
    def moves_roundings_only(self) -> bool:
        """Whether the plan moves no more than roundings of the weights at a positive cost: at most 32 of the mass."""
        return self.moved <= _ROUNDINGS

    @property
    def met(self) -> Status:
        """What it is called when the bounds meet: OPTIMAL, or OPTIMAL_NEARBY about weights nearby."""
        return Status.OPTIMAL if self.exact_weights else Status.OPTIMAL_NEARBY

    def proves_optimal(self, rtol: float, atol: float = 0.0) -> bool:
        """Whether the gap is within ``rtol`` of the value, or within ``atol``."""
        return self.gap <= max(rtol * abs(self.value), atol)

    def status(self, rtol: float, atol: float = 0.0) -> Status:
        """How narrow the interval is: OPTIMAL if its gap is at most rtol |value| or atol, else STOPPED.

        OPTIMAL_NEARBY if it is that narrow and about weights nearby, or if no more is moved than roundings of the
        weights: without them the plan costs 0, which no plan undercuts.
        """
        if self.proves_optimal(rtol, atol):
            return self.met
        return Status.OPTIMAL_NEARBY if self.moves_roundings_only else Status.STOPPED


@np.errstate(under="ignore")  # what underflows is in the bounds, whatever the caller's state
def certify(
    problem: TransportProblem,
    plan: Any = None,
    potentials: tuple[Any, Any] | None = None,
    *,
    options: SolverOptions = DEFAULTS,
) -> Certificate:
    """Prove an interval around the optimal value from any plan and any potentials.

    lower = sum a_i f_i + sum b_j g_j  <=  EMD  <=  sum c_ij plan_ij = upper

    Parameters
    ----------
    problem : TransportProblem
        What is asked.
    plan : Plan, matrix [n, m] or scipy.sparse, optional
        Any non-negative matrix; repaired into a plan.  None: the north-west plan.
    potentials : (f [n] or None, g [m] or None), optional
        Any numbers, for example a critic's values; repaired into feasible potentials.
        None: the start is f = 0.
    options : SolverOptions
        Device, threads and tuning of the searches over all pairs; the interval holds whatever they are.

    Returns
    -------
    Certificate

    Raises
    ------
    CertificateRefused
        NaN, infinity, wrong shapes, or a plan with a negative entry.

    Examples
    --------
    >>> from otdiv import DiscreteMeasure, TransportProblem
    >>> problem = TransportProblem(DiscreteMeasure([0.0, 1.0]), DiscreteMeasure([2.0, 3.0]))
    >>> proof = certify(problem, potentials=([0.0, -1.0], None))
    >>> proof.bounds.contains(2.0), round(proof.value, 9)
    (True, 2.0)

    Notes
    -----
    Computed costs carry a relative error of at most k u (u = 2**-53, k near the dimension), so the
    potentials, feasible for the computed costs, are feasible for the true ones when scaled by 1 - k u.
    """
    f, g = (None, None) if potentials is None else potentials
    f = None if f is None else as_float_array("f", f)
    g = None if g is None else as_float_array("g", g)
    f, g = feasible_potentials(problem, f, g, options)
    repaired, error = feasible_plan(problem, None if plan is None else Plan.from_any(plan))
    proof = _prove(problem, repaired, error, f, g, weight_error(problem), dots_bounds)
    rounding_decides = proof.resolution > 0.25 * options.rtol * abs(proof.value)
    if proof.proves_optimal(options.rtol, options.atol) or not rounding_decides:
        return proof
    return _narrow(problem, proof, options)


def _narrow(problem: TransportProblem, proof: Certificate, options: SolverOptions) -> Certificate:
    """The same plan, and potentials of the size of the distances that matter, audited without bounds from sizes."""
    defect, plan, error = relative_mass_defect(problem), proof.plan, proof.marginal_error
    if not problem.nearby:
        error = exact_marginal_error(problem, plan)
        anew = _masses_anew(problem, plan) if error > 0 else None
        if anew is not None and anew[1] < error:
            plan, error = anew
    best = _prove(problem, plan, error, proof.f, proof.g, defect, accurate_dots_bounds)
    for f, g in _other_potentials(problem, proof, options):
        if best.proves_optimal(options.rtol, options.atol):
            break
        other = _prove(problem, plan, error, f, g, defect, accurate_dots_bounds)
        if other.bounds.lower > best.bounds.lower:
            best = other
    return best if best.gap < proof.gap else proof


def _other_potentials(
    problem: TransportProblem, proof: Certificate, options: SolverOptions
) -> Iterator[tuple[Array, Array]]:
    """Feasible potentials as good as those of a proof but for rounding: that cancel, or are smaller, or both."""
    cancelling = cancelling_potentials(problem, proof.f, proof.g, options.rtol)
    if cancelling is not None:
        yield cancelling
    for start in smaller_potentials(proof.f):
        f, g = feasible_potentials(problem, start, None, options)
        yield f, g
        cancelling = cancelling_potentials(problem, f, g, options.rtol)
        if cancelling is not None:
            yield cancelling


def _masses_anew(problem: TransportProblem, plan: Plan) -> tuple[Plan, float] | None:
    """The plan's masses from the weights, where its arcs form a forest, and a bound on their marginals' error."""
    if len(plan) <= MOST_ARCS:
        return exact_masses(problem, plan)
    from otdiv.certificates.compensated_masses import compensated_masses  # loads a compiler

    anew = compensated_masses(problem, plan)
    return None if anew is None else (anew, exact_marginal_error(problem, anew))


def _prove(
    problem: TransportProblem,
    plan: Plan,
    error: float,
    f: Array,
    g: Array,
    weights_error: float,
    sums: Callable[..., list[tuple[float, float]]],
) -> Certificate:
    """Bounds of a feasible pair, all rounding added outward.

    Parameters
    ----------
    problem : TransportProblem
    plan : Plan
    error : float
        Mass by which its marginals may be off.
    f, g : ndarray [n], [m]
        f_i + g_j <= c_ij for the computed costs.
    weights_error : float
        Relative error of the target weights.
    sums : callable
        :func:`dots_bounds`, or the slower one that loses nothing.
    """
    costs = problem.arc_costs(plan.rows, plan.columns)
    relative = problem.cost.relative_error(problem.d)
    absolute = problem.cost.absolute_error(problem.d) * problem.mu.mass
    signed = problem.signed

    (dual, dual_high), (cost_low, cost_high) = sums([(problem.a, f), (problem.b, g)], [(plan.mass, costs)])
    weights_off = weights_error * float(problem.b @ np.abs(g)) * (1 + 1e-9)
    dual_rounding = relative * abs(dual) + weights_off + absolute
    lower = dual - dual_rounding * (1 + 4 * UNIT) - 2 * UNIT * abs(dual)
    value = 0.5 * cost_low + 0.5 * cost_high
    size = abs(cost_high) if not signed else float(np.abs(plan.mass * costs).sum())
    unrouted = error * problem.largest_cost * (2 if signed else 1)
    if problem.nearby:
        # a detour around forbidden or sentinel arcs has no useful bound: the interval is then about the plan's own
        # marginals, weights within `error`, for which a.f + b.g is off by at most error x the largest potential
        steepest = max(float(np.abs(f).max()), float(np.abs(g).max()))
        unrouted = error * steepest if error <= 1e-9 * problem.mu.mass else np.inf
        if np.isfinite(unrouted):
            lower = lower - unrouted * (1 + 4 * UNIT) - 2 * UNIT * abs(lower)
    if not signed:
        lower = max(lower, 0.0)
    upper = cost_high + 2 * relative * size + absolute + unrouted
    if cost_high == 0.0 and unrouted == 0.0 and joins_equal_points(problem, plan):
        upper = 0.0
    rounding = dual_rounding + (dual_high - dual) + 2 * UNIT * abs(dual) + (cost_high - cost_low)
    rounding += 2 * relative * size + absolute + (unrouted if error < 1e-9 * problem.mu.mass else 0.0)

    for array in (f, g):
        array.flags.writeable = False
    return Certificate(
        plan=plan,
        f=f,
        g=g,
        value=min(max(value, lower), upper),
        bounds=Bounds(lower, upper),
        marginal_error=error,
        resolution=4 * rounding,
        about=NEARBY_WEIGHTS if problem.nearby else GIVEN_WEIGHTS,
        moved=np.inf if signed else share_moved(problem, plan, costs) + error / problem.mu.mass,
    )
