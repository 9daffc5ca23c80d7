"""Adapter to the network simplex of POT (Python Optimal Transport).

POT drops atoms of weight zero and leaves their potentials undetermined, and
reads costs against absolute tolerances; both are mended here.  POT itself is
imported inside the one function that calls it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from otdiv.core.bounds import Status
from otdiv.core.validation import Array
from otdiv.problem.plan import Plan
from otdiv.problem.transport_problem import Proposal, TransportProblem

_BYTES_PER_ENTRY = 44
"""Measured peak of POT's dense solver per entry of the cost matrix."""
_STATUS = {1: Status.OPTIMAL, 3: Status.STOPPED}
_WORDS = {0: "infeasible", 1: "optimal", 2: "unbounded", 3: "iteration limit reached"}


def solve_pot(problem: TransportProblem, max_iter: int | None = None, memory_limit: float | None = None) -> Proposal:
    """Network simplex on the dense cost matrix, masses scaled to 1."""
    if problem.n * problem.m > 2**16:
        problem.require_memory(_BYTES_PER_ENTRY * problem.n * problem.m, memory_limit, "POT's network simplex")
    a, b, costs = problem.a, problem.b, problem.costs()
    rows = columns = None
    if np.count_nonzero(a) < problem.n or np.count_nonzero(b) < problem.m:
        rows, columns = np.flatnonzero(a), np.flatnonzero(b)
        a, b, costs = a[rows], b[columns], costs[np.ix_(rows, columns)]
    mass = problem.mu.mass
    a = a / mass
    b = b * (a.sum() / b.sum())  # POT wants sums that agree to the last bits it looks at
    matrix, f, g, code = _network_simplex(a, b, costs, 2_000_000_000 if max_iter is None else max_iter)
    plan = Plan.from_dense(matrix * mass)
    if rows is not None and columns is not None:
        plan = Plan(rows[plan.rows], columns[plan.columns], plan.mass, (problem.n, problem.m))
        f, g = _extended(problem, rows, columns, f, g)
    stats = {"message": f"POT's network simplex: {_WORDS[code]}"}
    return Proposal(plan, f, g, _STATUS.get(code, Status.FAILED), stats)


def _network_simplex(a: Array, b: Array, costs: Array, max_iter: int) -> tuple[Array, Array, Array, int]:
    from ot.lp.emd_wrap import emd_c

    matrix, _, f, g, code = emd_c(a, b, np.ascontiguousarray(costs), max_iter, 1)
    return matrix, f, g, int(code)


def _extended(problem: TransportProblem, rows: Array, columns: Array, f: Array, g: Array) -> tuple[Array, Array]:
    """Potentials of the atoms of weight zero, by the c-transform of the others."""
    costs: Any = problem.costs()
    whole_f = (costs[:, columns] - g).min(axis=1)
    whole_f[rows] = f
    whole_g = (costs - whole_f[:, None]).min(axis=0)
    whole_g[columns] = g
    return whole_f, whole_g
