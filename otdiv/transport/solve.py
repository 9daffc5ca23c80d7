"""Solve a transport problem and certify the answer: emd, solve."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from otdiv.core.options import RTOL, SolverOptions
from otdiv.core.progress import ProgressEvent
from otdiv.core.validation import invalid
from otdiv.costs import SparseCost, as_cost
from otdiv.measures.arguments import as_measures
from otdiv.measures.discrete import DiscreteMeasure
from otdiv.measures.row_labels import in_order_of
from otdiv.problem.transport_problem import TransportProblem
from otdiv.transport.certified_solve import solve_with
from otdiv.transport.result import TransportResult


def solve(
    problem: TransportProblem,
    method: str = "auto",
    *,
    rtol: float = RTOL,
    atol: float = 0.0,
    max_iter: int | None = None,
    time_limit: float | None = None,
    memory_limit: float | None = None,
    progress: bool | Callable[[ProgressEvent], None] = False,
    device: Any = "auto",
    threads: int | None = None,
    checkpoint: str | Path | None = None,
) -> TransportResult:
    """Solve a transport problem and certify the answer.

    POT's ``ot.solve(M, a, b)`` takes a cost matrix; here that is ``emd(a=a, b=b, cost=M)``.

    Parameters
    ----------
    problem : TransportProblem
    method : str
        One of "auto", "line", "grid", "multiscale", "few", "dense", "pot", "simplex", "primal", "dual", "primal-cvxpy",
        "dual-cvxpy".
        The method that proposes plan and potentials; "auto" is :func:`select_method`, and goes on to the linear
        program where the first proposal is not proved optimal.  The interval is proved whatever the method.
    rtol : float
        Relative gap, (upper - lower) / value, at which the status is OPTIMAL.
    atol : float
        Absolute gap, in the unit of the answer, at which it is OPTIMAL whatever the value; by default there is none.
    max_iter : int, optional
        Most pivots of POT's network simplex.
    time_limit : float, optional
        Seconds for all that is tried, after which grid, multiscale, few and simplex propose what they have (Ctrl-C does
        the same); the status is then STOPPED, and the interval is as wide as it was by then, and proved.  The audit
        comes on top.  POT and the linear programs have nothing to propose by then: their interval is that of the
        north-west plan.  Their compiled call is left behind and ends by itself.
    memory_limit : float, optional
        Bytes; by default what the machine has free.
    progress : bool or callable
        True: a line on standard error shows the interval closing (grid, multiscale, few, simplex).  A callable is
        given each :class:`otdiv.core.progress.ProgressEvent` instead.
    device : str or torch.device
        "cpu": otdiv's own compiled code.  The name of a torch device, such as "cuda": torch evaluates all pairs there,
        in searches of 2**18 pairs and more (the multiscale method and the audit of large clouds).  That is only a
        filter in single precision, what passes it is computed in float64, so that the proof is the same.  For the
        euclidean and sqeuclidean costs.  "auto": "cuda" for searches of 1e11 products (pairs times dimension) and
        more, where torch sees a card with 4 GiB free; else "cpu".  ``stats["device"]`` says where it was.
    threads : int, optional
        By default every processor that the process may use; the result has the same bits for any number.
    checkpoint : str or Path, optional
        A certificate file (.npz).  The multiscale method writes the interval reached so far to it, at most once a
        minute from the finest scale on, and every method its answer; it is replaced whole, and only by a narrower one.
        If the file is there already, the multiscale method goes on from its plan and potentials, and no answer is
        wider than its interval.  ``otdiv verify FILE`` proves that interval at any time.

    Returns
    -------
    TransportResult

    Raises
    ------
    InvalidInput
        Unknown method, or one that does not apply to this problem; a device that torch cannot use; a checkpoint for a
        cost that certificates do not know (p-norms and powers), or one that cannot be written.
    CertificateRefused
        The checkpoint is of another problem, or no certificate.
    MissingPackage
        A device without torch.
    Infeasible
        Forbidden arcs leave no plan; the witness names the sets that cannot be balanced.
    TooLarge
        The method would need more memory than the limit.
    SolverFailed
        A single method was asked for and gave nothing at all.
    """
    options = SolverOptions(
        rtol=rtol,
        atol=atol,
        time_limit=time_limit,
        memory_limit=memory_limit,
        progress=progress,
        max_iter=max_iter,
        device=device,
        threads=threads,
    )
    if checkpoint is not None:
        from otdiv.transport.saved_answers.checkpoint import solve_from_checkpoint  # reads and writes files

        return solve_from_checkpoint(problem, method, options, checkpoint)
    return solve_with(problem, method, options)


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
    atol: float = 0.0,
    max_iter: int | None = None,
    time_limit: float | None = None,
    memory_limit: float | None = None,
    progress: bool | Callable[[ProgressEvent], None] = False,
    device: Any = "auto",
    threads: int | None = None,
    checkpoint: str | Path | None = None,
) -> TransportResult:
    """Earth mover's distance between two weighted point sets, with its proof.

    EMD = min { sum_ij plan_ij c_ij : plan >= 0, row sums = a, column sums = b }
        = max { sum_i a_i f_i + sum_j b_j g_j : f_i + g_j <= c_ij for all i, j }

    Parameters
    ----------
    x, y : array_like [n, d], [m, d], or [n], [m] on the line; or DiscreteMeasure
        The points.  May be left out where ``cost`` is a matrix.
    a, b : array_like [n], [m], optional
        Non-negative weights of the same total; None is uniform, 1/n and 1/m.  A pandas Series is matched by its index
        to points, or to a cost matrix, that have one.
    cost : str, matrix [n, m], scipy.sparse matrix, callable or Cost
        Ground cost: "euclidean", "sqeuclidean", "cityblock", "chebyshev", "discrete", "minkowski:p"; a matrix, of which
        +inf forbids an arc, or a sparse one, of which a missing entry does; or a function of blocks of points,
        ``cost(x [k, d], y [m, d]) -> [k, m]``, called with some rows of x at a time, so that each entry depends on
        its two points only.  For a function of two single points: ``otdiv.costs.CallableCost.from_pairs(function)``.
    method, rtol, atol, max_iter, time_limit, memory_limit, progress, device, threads, checkpoint
        See :func:`solve`.
    normalize : bool
        Scale both weights to total 1.  Without it different totals are an error.

    Returns
    -------
    TransportResult
        ``value`` in units of cost times mass, ``lower <= true <= upper``, ``plan``, ``potentials`` (``f``, ``g``).

    Raises
    ------
    InvalidInput, Infeasible, TooLarge, CertificateRefused
        See :func:`solve`.

    Examples
    --------
    >>> result = emd([0.0, 1.0, 2.0], [0.0, 1.0, 2.0], [0.2, 0.2, 0.6], [0.5, 0.3, 0.2])
    >>> round(result.value, 9), result.status.label, result.gap < 1e-12
    (0.7, 'optimal', True)
    """
    ground = as_cost(cost)
    a, b = _in_order_of_matrix(cost, a, b)
    mu, nu = measures_of(x, y, a, b, cost=ground, normalize=normalize)
    if isinstance(ground, SparseCost) and x is not None and y is not None and mu.d == nu.d:
        ground.require_shape(mu.n, nu.n)
        ground.require_arcs_of_equal_points(mu.points, nu.points)
    return solve(
        TransportProblem(mu, nu, ground),
        method,
        rtol=rtol,
        atol=atol,
        max_iter=max_iter,
        time_limit=time_limit,
        memory_limit=memory_limit,
        progress=progress,
        device=device,
        threads=threads,
        checkpoint=checkpoint,
    )


def _in_order_of_matrix(cost: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """The weights in the order of the rows and columns of a cost matrix of pandas, where they have labels too."""
    if not hasattr(cost, "iloc"):
        return a, b
    remedy = "Give the matrix and its weights the same labels; or pass .to_numpy() of all, to match them by position."
    rows = in_order_of(cost, a, ("the rows of cost", "a"), remedy)
    return rows, in_order_of(cost.T, b, ("the columns of cost", "b"), remedy)


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
