"""Ask a transport problem and get a certified answer: emd, solve.

The only place of this room that raises on an infeasible problem.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
from scipy import sparse

from otdiv.certificates.certificate import Certificate, certify
from otdiv.core.bounds import Status
from otdiv.core.validation import check_choice, invalid
from otdiv.costs import as_cost
from otdiv.errors import Infeasible, SolverFailed
from otdiv.measures.arguments import as_measures
from otdiv.measures.discrete import DiscreteMeasure
from otdiv.pricing.compiled_costs import EUCLIDEAN, metric_of
from otdiv.pricing.device import priced_on
from otdiv.problem.transport_problem import Proposal, TransportProblem
from otdiv.transport.methods.grid.detect import lattice_of
from otdiv.transport.methods.line import solve_line
from otdiv.transport.methods.linear_program import solve_dual, solve_primal
from otdiv.transport.methods.pot import solve_pot
from otdiv.transport.progress import showing
from otdiv.transport.result import TransportResult
from otdiv.transport.selection import METHODS, Choice, fallbacks, multiscale_applies, select_method

RTOL = 1e-9
"""Relative gap at which an answer counts as optimal."""


def solve(
    problem: TransportProblem,
    method: str = "auto",
    *,
    rtol: float = RTOL,
    max_iter: int | None = None,
    time_limit: float | None = None,
    memory_limit: float | None = None,
    progress: bool | Callable[[Any], None] = False,
    device: Any = None,
) -> TransportResult:
    """Solve a transport problem and certify the answer.

    Parameters
    ----------
    problem : TransportProblem
    method : {"auto", "line", "grid", "multiscale", "pot", "simplex", "primal", "dual", "primal-cvxpy", "dual-cvxpy"}
        Who proposes plan and potentials; "auto" is :func:`select_method`, and goes on to the linear
        program where the first proposal is not proved optimal.  The interval is proved whoever proposes.
    rtol : float
        Relative gap at which the status is OPTIMAL.
    max_iter : int, optional
        Stop POT's network simplex after so many pivots.
    time_limit : float, optional
        Seconds, after which grid, multiscale and simplex hand over what they have (Ctrl-C does the same);
        the status is then STOPPED, and the interval, proved as ever, tells how far it got.  The audit
        comes on top.  Other methods run to their end.
    memory_limit : float, optional
        Bytes; by default what the machine has free.
    progress : bool or callable
        True: a line on standard error shows the interval closing (grid and multiscale method).  A callable gets a
        :class:`otdiv.transport.progress.Progress` instead.
    device : str or torch.device, optional
        Let torch look at all pairs, on "cuda" or "cpu", where a sweep has 2**18 pairs and more (the
        multiscale method and the audit of large clouds): only a sieve in single precision, what it lets
        through is computed in float64, so that the proof is the same.  For the euclidean and sqeuclidean
        costs.  None is otdiv's own code, on a CPU the faster one; in low dimension it does not look at all
        pairs.

    Returns
    -------
    TransportResult

    Raises
    ------
    InvalidInput
        Unknown method, or one that does not apply to this problem; a device that torch cannot use.
    MissingPackage
        A device without torch.
    Infeasible
        Forbidden arcs leave no plan; the witness names the sets that cannot be balanced.
    TooLarge
        The method would need more memory than the limit.
    SolverFailed
        A single method was asked for and gave nothing at all.
    """
    check_choice("method", method, METHODS)
    if not 0 <= rtol < np.inf:
        raise invalid("rtol", "be a non-negative number", repr(rtol), "For example 1e-9.")
    if time_limit is not None and not time_limit >= 0:
        raise invalid(
            "time_limit", "be a number of seconds, at least 0", repr(time_limit), "Leave it out for no limit."
        )
    if max_iter is not None and max_iter < 1:
        raise invalid("max_iter", "be a positive integer", repr(max_iter), "Leave it out for no limit.")
    if device is not None:
        _require_a_device_fits(problem, device)
    problem.require_matrix_memory(memory_limit)
    choice = select_method(problem) if method == "auto" else Choice(method, "asked for")
    if choice.method in ("grid", "multiscale") and method == "auto" and max_iter is not None:
        choice = Choice("pot", "max_iter counts the pivots of POT's network simplex")
    queue = [choice.method]
    if method == "auto" and max_iter is None:
        queue += fallbacks(problem, choice.method)
    best: tuple[Certificate, Proposal, str] | None = None
    tried: list[str] = []
    with nullcontext() if device is None else priced_on(device):
        for name in queue:
            if problem.forbids and name != "simplex" and not tried:
                _require_feasible(problem)
            if name == "grid":
                proposal = _grid(problem, time_limit, memory_limit, progress)
            elif name == "multiscale":
                proposal = _multiscale(problem, rtol, time_limit, memory_limit, progress)
            else:
                proposal = _propose(problem, name, max_iter, time_limit, memory_limit, progress)
            if problem.forbids and name == "simplex":
                _require_a_way(problem, proposal)
            if proposal.plan is None and proposal.f is None and method != "auto":
                raise SolverFailed(
                    f"method {name!r} gave no answer: {proposal.stats.get('message', 'no reason')}. Try method='auto'."
                )
            tried.append(name)
            proof = certify(problem, proposal.plan, (proposal.f, proposal.g))
            if best is None or proof.gap < best[0].gap:
                best = (proof, proposal, name)
            if best[0].proves_optimal(rtol) or proposal.status is Status.STOPPED:
                break
    assert best is not None
    proof, proposal, name = best
    status = Status.OPTIMAL if proof.proves_optimal(rtol) else Status.STOPPED
    stats = {**proposal.stats, "reason": choice.reason, "tried": tuple(tried), "method_status": proposal.status}
    return TransportResult(problem, proof, status, name, stats)


def _require_a_device_fits(problem: TransportProblem, device: Any) -> None:
    metric = metric_of(problem.cost, problem.d)
    if metric is None or metric.kind > EUCLIDEAN or metric.power != 1.0:
        raise invalid(
            "device",
            "be left out unless the cost is euclidean or sqeuclidean",
            f"{str(device)!r} with cost {problem.cost.name!r}",
            "Other costs are priced by otdiv's own code.",
        )


def _multiscale(
    problem: TransportProblem,
    rtol: float,
    time_limit: float | None,
    memory_limit: float | None,
    progress: bool | Callable[[Any], None],
) -> Proposal:
    if not multiscale_applies(problem):
        raise invalid(
            "method",
            "fit the problem",
            f"'multiscale' with cost {problem.cost.name!r}",
            "It needs points and a norm of their difference, or a power of one; use method='auto'.",
        )
    from otdiv.transport.methods.multiscale.solve import (
        solve_multiscale,  # loads a compiler, which small problems do without
    )

    with showing(progress) as told:
        return solve_multiscale(problem, rtol, time_limit, memory_limit, told)


def _grid(
    problem: TransportProblem,
    time_limit: float | None,
    memory_limit: float | None,
    progress: bool | Callable[[Any], None],
) -> Proposal:
    lattice = lattice_of(problem)
    if lattice is None:
        raise invalid(
            "method",
            "fit the problem",
            f"'grid' with cost {problem.cost.name!r} and points in {problem.d} dimensions",
            "It needs cityblock, or chebyshev with equal spacings, and distinct points of a grid in 2 or 3 "
            "dimensions; use method='auto'.",
        )
    from otdiv.transport.methods.grid.solve import solve_grid  # loads a compiler

    with showing(progress) as told:
        return solve_grid(problem, lattice, time_limit, memory_limit, told)


def _propose(
    problem: TransportProblem,
    method: str,
    max_iter: int | None,
    time_limit: float | None,
    memory_limit: float | None,
    progress: bool | Callable[[Any], None],
) -> Proposal:
    if method == "line":
        if not problem.on_line:
            raise invalid(
                "method",
                "fit the problem",
                f"'line' for d = {problem.d} and cost {problem.cost.name!r}",
                "It needs d = 1 and a power of |x - y|; use method='auto'.",
            )
        return solve_line(problem)
    if method == "pot":
        if problem.forbids:
            raise invalid(
                "method", "fit the problem", "'pot' with forbidden arcs (cost inf)", "Use method='simplex' or 'auto'."
            )
        return solve_pot(problem, max_iter, memory_limit)
    if method == "simplex":
        from otdiv.transport.methods.network_simplex import (
            solve_arcs,  # loads a compiler, which small problems do without
        )

        with showing(progress) as told:
            return solve_arcs(problem, memory_limit, time_limit, told)
    program: Callable[..., Proposal] = solve_primal if method.startswith("primal") else solve_dual
    return program(problem, "cvxpy" if method.endswith("cvxpy") else "highs", memory_limit)


def _require_feasible(problem: TransportProblem) -> None:
    """Refuse forbidden arcs that leave no plan, before any method is asked."""
    from otdiv.certificates.infeasibility import transport_witness

    _refuse(transport_witness(problem.a, problem.b, _allowed(problem)))


def _require_a_way(problem: TransportProblem, proposal: Proposal) -> None:
    """Refuse a problem of which the network simplex says that some mass has no way, if that is proved."""
    if proposal.status is Status.INFEASIBLE and proposal.plan is not None:
        from otdiv.certificates.infeasibility import stranded_witness

        stranded, plan = proposal.stats["stranded"], proposal.plan
        _refuse(stranded_witness(problem.a, problem.b, _allowed(problem), stranded, plan.rows, plan.columns))


def _allowed(problem: TransportProblem) -> Any:
    rows, columns, costs = problem.arcs()
    return sparse.csr_array((np.ones(len(costs)), (rows, columns)), shape=(problem.n, problem.m))


def _refuse(witness: Any) -> None:
    if witness is not None:
        raise Infeasible(
            witness.sentence, {"f": witness.f, "g": witness.g, "sources": witness.sources, "targets": witness.targets}
        )


def emd(
    x: Any = None,
    y: Any = None,
    a: Any = None,
    b: Any = None,
    *,
    cost: Any = "euclidean",
    method: str = "auto",
    normalize: bool = False,
    rtol: float = RTOL,
    max_iter: int | None = None,
    time_limit: float | None = None,
    memory_limit: float | None = None,
    progress: bool | Callable[[Any], None] = False,
    device: Any = None,
) -> TransportResult:
    """Earth mover's distance between two weighted point sets, with its proof.

    EMD = min { sum_ij plan_ij c_ij : plan >= 0, row sums = a, column sums = b }
        = max { sum_i a_i f_i + sum_j b_j g_j : f_i + g_j <= c_ij for all i, j }

    Parameters
    ----------
    x, y : array_like [n, d], [m, d], or [n], [m] on the line; or DiscreteMeasure
        The points.  May be left out where ``cost`` is a matrix.
    a, b : array_like [n], [m], optional
        Non-negative weights of the same total; None is uniform, 1/n and 1/m.
    cost : str, matrix [n, m], callable or Cost
        Ground cost, see :func:`otdiv.costs.as_cost`; +inf in a matrix forbids an arc.
    method, rtol, max_iter, time_limit, memory_limit, progress, device
        See :func:`solve`.
    normalize : bool
        Scale both weights to total 1.  Without it different totals are an error.

    Returns
    -------
    TransportResult
        ``value`` in units of cost times mass, ``lower <= true <= upper``, ``plan``, ``f``, ``g``.

    Raises
    ------
    InvalidInput, Infeasible, TooLarge
        See :func:`solve`.

    Examples
    --------
    >>> result = emd([0.0, 1.0, 2.0], [0.0, 1.0, 2.0], [0.2, 0.2, 0.6], [0.5, 0.3, 0.2])
    >>> round(result.value, 9), result.status.label, result.gap < 1e-12
    (0.7, 'optimal', True)
    """
    ground = as_cost(cost)
    mu, nu = measures_of(x, y, a, b, cost=ground, normalize=normalize)
    return solve(
        TransportProblem(mu, nu, ground),
        method,
        rtol=rtol,
        max_iter=max_iter,
        time_limit=time_limit,
        memory_limit=memory_limit,
        progress=progress,
        device=device,
    )


def measures_of(
    x: Any, y: Any, a: Any = None, b: Any = None, *, cost: Any = None, normalize: bool = False
) -> tuple[DiscreteMeasure, DiscreteMeasure]:
    """The two measures of points and weights; with a cost matrix the points may be missing."""
    if x is None and y is None:
        if cost is None or isinstance(cost, str):
            raise invalid("x and y", "be given unless cost is a matrix", "neither", "Pass the two point sets.")
        cost = as_cost(cost)
        if cost.shape is None:
            raise invalid(
                "x and y", "be given unless cost is a matrix", f"cost {cost.name!r} alone", "Pass the two point sets."
            )
        x, y = (np.arange(size, dtype=np.float64) for size in cost.shape)
    return as_measures(x, y, a, b, normalize=normalize)
