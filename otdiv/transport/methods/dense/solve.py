"""Small dense problems: assignment for equal masses, the network simplex otherwise, and the proof in the same pass.

    lower = sum a_i f_i + sum b_j g_j  <=  value  <=  sum c_ij plan_ij = upper

The compiled pass (:mod:`otdiv.network_flow.small`) rounds both sums outward.  Where its interval is as narrow as
asked, it is the certificate; where rounding has made it wider, plan and potentials are a proposal like that of any
other method.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from otdiv.certificates.certificate import Certificate
from otdiv.certificates.narrowing import joins_equal_points
from otdiv.core.bounds import Bounds, Status
from otdiv.core.budget import Stopped, StopRequest
from otdiv.core.options import DEFAULTS, SolverOptions
from otdiv.core.threads import call_interruptibly, count_threads
from otdiv.core.validation import Array
from otdiv.pricing.compiled_costs import EUCLIDEAN, metric_of
from otdiv.pricing.compiled_distances import pair_costs
from otdiv.problem.plan import Plan
from otdiv.problem.transport_problem import Proposal, TransportProblem
from otdiv.transport.methods.dense.product_costs import FROM_DIMENSION, lowered_costs

_BYTES_PER_PAIR, _BYTES_PER_PAIR_WITH_MASS = 16, 8
"""The costs, once as computed and once as the solver reads them; and once more between atoms with mass, if not all have
some, or by targets where these are fewer."""
_IN_THREAD_FROM = 2**17
"""Pairs from which the pass runs in a thread of its own; below it takes a few milliseconds, a thread half of one."""


class _StopFlag(StopRequest):
    """An event that compiled code sees as well."""

    def __init__(self) -> None:
        super().__init__()
        self.array = np.zeros(1, np.int64)
        self.running.set()  # compiled code, which sees the array, cannot say so

    def set(self) -> None:
        self.array[0] = 1
        super().set()


class DenseAnswer(NamedTuple):
    """What the pass has found.

    Attributes
    ----------
    proof : Certificate or None
        None where there is no plan: costs beyond the range, or stopped before all rows are assigned.
    stopped : str
        Why it stopped early; empty where it did not.
    """

    proof: Certificate | None
    stopped: str = ""

    @property
    def proposal(self) -> Proposal:
        """Plan and potentials for the auditor; it claims nothing."""
        status = Status.STOPPED if self.stopped else Status.FAILED if self.proof is None else Status.OPTIMAL
        beyond = "the costs are beyond the range of the compiled pass, or the pivots beyond their limit"
        found = "optimal" if self.proof is not None else beyond
        stats = {"message": f"dense: {self.stopped or found}"}
        if self.proof is None:
            return Proposal(None, None, None, status, stats)
        return Proposal(self.proof.plan, self.proof.f, self.proof.g, status, stats)


def prove_dense(problem: TransportProblem, options: SolverOptions = DEFAULTS) -> DenseAnswer:
    """Plan, potentials and the interval they prove.

    Parameters
    ----------
    problem : TransportProblem
        Without forbidden arcs.
    options : SolverOptions
        Its limits of time and memory.

    Raises
    ------
    TooLarge
        The estimated need exceeds the limit.
    """
    pairs = problem.n * problem.m
    copies = 8 * (problem.n + problem.m) * problem.d if problem.d >= FROM_DIMENSION else 0
    sources, targets = problem.atoms_with_mass
    apart = sources > targets or sources * targets < pairs
    need = _BYTES_PER_PAIR * pairs + copies + apart * _BYTES_PER_PAIR_WITH_MASS * sources * targets
    problem.require_memory(need, options.memory_limit, "the dense network simplex")
    if pairs < _IN_THREAD_FROM:
        return DenseAnswer(_certificate(problem, _solved(problem, np.zeros(1, np.int64), options)))
    flag, started = _StopFlag(), options.tuning.clock()
    try:
        answer = call_interruptibly(lambda: _solved(problem, flag.array, options), options.time_limit, flag)
    except (Stopped, KeyboardInterrupt) as stop:
        return DenseAnswer(None, str(stop) or "interrupted")
    if not flag.is_set():
        return DenseAnswer(_certificate(problem, answer))
    late = options.time_limit is not None and options.tuning.clock() - started >= options.time_limit
    return DenseAnswer(_certificate(problem, answer), "the time limit" if late else "interrupted")


def _certificate(problem: TransportProblem, answer: tuple) -> Certificate | None:
    (lower, value, upper, error, count), f, g, rows, columns, mass = answer
    if count < 0:
        return None
    n, m = problem.n, problem.m
    plan = Plan(rows[:count], columns[:count], mass[:count], (n, m))
    if value == 0.0 and upper > 0.0 and not problem.cost.by_entries and not joins_equal_points(problem, plan):
        return None  # all squares have vanished
    metric = metric_of(problem.cost, problem.d)
    if problem.d >= FROM_DIMENSION and metric is not None and metric.kind <= EUCLIDEAN:  # costs may have been lowered
        costs = pair_costs(metric, problem.mu.points, problem.nu.points, plan.rows, plan.columns, 1)
        value = min(max(float(plan.mass @ costs), lower), upper)
    f, g = f[:n], g[:m]
    for array in (f, g):
        array.flags.writeable = False
    return Certificate(plan, f, g, value, Bounds(lower, upper), error, upper - lower)


def _solved(problem: TransportProblem, stop: Array, options: SolverOptions) -> tuple:
    from otdiv.transport.methods.dense import kernels  # loads a compiler

    cost, d = problem.cost, problem.d
    errors = (cost.relative_error(d), cost.absolute_error(d))
    metric = metric_of(cost, d)
    a, b = problem.mu.weights, problem.nu.weights
    lowered = lowered_costs(problem, count_threads(options.threads))
    if lowered is not None:
        costs, slack = lowered
        ceiling = 0.0 if problem.is_assignment else problem.largest_cost  # only the price of marginals that are off
        return kernels.solve_matrix(errors[0], errors[1] + slack, costs, ceiling, a, b, stop)
    if metric is not None and metric.safe == 1.0:  # each step rounded correctly, so the costs are those of the matrix
        return kernels.solve_points(metric, *errors, problem.mu.points, problem.nu.points, a, b, stop)
    return kernels.solve_matrix(*errors, problem.costs(), problem.largest_cost, a, b, stop)


def solve_dense(problem: TransportProblem, options: SolverOptions = DEFAULTS) -> Proposal:
    """Plan and potentials of the compiled pass, as a proposal."""
    return prove_dense(problem, options).proposal
