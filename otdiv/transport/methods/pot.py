"""Adapter to the network simplex of POT (Python Optimal Transport).

POT drops atoms of weight zero and leaves their potentials undetermined, and
compares costs with absolute tolerances; both are corrected here.  POT itself is
imported inside the one function that calls it.
"""

from __future__ import annotations

import numpy as np

from otdiv.core.bounds import Status
from otdiv.core.options import DEFAULTS, SolverOptions
from otdiv.core.validation import Array
from otdiv.problem.plan import Plan
from otdiv.problem.potentials import extend_potentials
from otdiv.problem.transport_problem import Proposal, TransportProblem

_BYTES_PER_ENTRY = 44
"""Measured peak of POT's dense solver per entry of the cost matrix."""
_MOST_PIVOTS = 2_000_000_000
"""Pivots, no limit in practice; POT counts them in 32 bits."""
_STATUS = {1: Status.OPTIMAL, 3: Status.STOPPED}
_MESSAGES = {0: "infeasible", 1: "optimal", 2: "unbounded", 3: "iteration limit reached"}


def solve_pot(problem: TransportProblem, options: SolverOptions = DEFAULTS) -> Proposal:
    """Network simplex on the dense cost matrix, masses scaled to 1."""
    problem.require_memory(_BYTES_PER_ENTRY * problem.n * problem.m, options.memory_limit, "POT's network simplex")
    a, b, costs = problem.a, problem.b, problem.costs()
    rows = columns = None
    if np.count_nonzero(a) < problem.n or np.count_nonzero(b) < problem.m:
        rows, columns = np.flatnonzero(a), np.flatnonzero(b)
        a, b, costs = a[rows], b[columns], costs[np.ix_(rows, columns)]
    mass = problem.mu.mass
    a = a / mass
    b = b * (a.sum() / b.sum())  # POT compares the two sums to the last bits
    matrix, f, g, code = _network_simplex(a, b, costs, options.max_iter or _MOST_PIVOTS)
    plan = Plan.from_dense(matrix * mass)
    if rows is not None and columns is not None:
        plan = Plan(rows[plan.rows], columns[plan.columns], plan.mass, (problem.n, problem.m))
        f, g = extend_potentials(problem, rows, columns, f, g)
    stats = {"message": f"POT's network simplex: {_MESSAGES[code]}"}
    return Proposal(plan, f, g, _STATUS.get(code, Status.FAILED), stats)


def _network_simplex(a: Array, b: Array, costs: Array, max_iter: int) -> tuple[Array, Array, Array, int]:
    from ot.lp.emd_wrap import emd_c

    matrix, _, f, g, code = emd_c(a, b, np.ascontiguousarray(costs), max_iter, 1)
    return matrix, f, g, int(code)
