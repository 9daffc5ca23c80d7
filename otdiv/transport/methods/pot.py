"""Adapter to the network simplex of POT (Python Optimal Transport).

POT drops atoms of weight zero and leaves their potentials undetermined, and
compares costs with absolute tolerances; both are corrected here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from otdiv.core.bounds import Status
from otdiv.core.budget import Stopped
from otdiv.core.options import DEFAULTS, SolverOptions
from otdiv.core.threads import call_interruptibly
from otdiv.core.validation import Array
from otdiv.problem.plan import Plan
from otdiv.problem.potentials import extend_potentials
from otdiv.problem.transport_problem import Proposal, TransportProblem
from otdiv.processes.child import call_in_child
from otdiv.transport.methods.pot_library import compiled_network_simplex

_BYTES_PER_ENTRY = 60
"""Measured peak of POT's dense solver per entry of the cost matrix (44), and the copy handed to its process."""
_IN_THREAD_FROM = 2**14
"""Pairs from which POT runs in a thread that can be left; below it takes a few milliseconds."""
_IN_CHILD_FROM = 2**22
"""Pairs from which it runs in a process that can be ended; a thread that is left would go on for many seconds."""
_IN_CHILD_FROM_POINTS = 20_000
"""Points on one side from which it does so too: a few points against many take POT far longer than pairs suggest."""
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
    pivots = options.max_iter or _MOST_PIVOTS
    try:
        matrix, f, g, code = _called(costs.size, options.time_limit, a, b, np.ascontiguousarray(costs), pivots)
    except (Stopped, KeyboardInterrupt) as stop:
        return Proposal.stopped(f"POT's network simplex: {str(stop) or 'interrupted'}")
    plan = Plan.from_dense(matrix * mass)
    if rows is not None and columns is not None:
        plan = Plan(rows[plan.rows], columns[plan.columns], plan.mass, (problem.n, problem.m))
        f, g = extend_potentials(problem, rows, columns, f, g)
    stats = {"message": f"POT's network simplex: {_MESSAGES[code]}"}
    return Proposal(plan, f, g, _STATUS.get(code, Status.FAILED), stats)


def _called(pairs: int, time_limit: float | None, *arguments: Any) -> tuple[Array, Array, Array, int]:
    """POT's call, where it takes long in a thread or a process that can be left."""
    if pairs < _IN_THREAD_FROM:
        return _network_simplex(*arguments)
    if pairs < _IN_CHILD_FROM and max(len(arguments[0]), len(arguments[1])) < _IN_CHILD_FROM_POINTS:
        return call_interruptibly(lambda: _network_simplex(*arguments), time_limit)
    return call_in_child(_network_simplex, *arguments, time_limit=time_limit)


def _network_simplex(a: Array, b: Array, costs: Array, max_iter: int) -> tuple[Array, Array, Array, int]:
    matrix, _, f, g, code = compiled_network_simplex()(a, b, costs, max_iter, 1)
    return matrix, f, g, int(code)
