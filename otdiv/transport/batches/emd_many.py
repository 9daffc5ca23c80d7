"""``emd_many``: the earth mover's distance of many pairs of measures, a certificate each."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from otdiv.core.memory import require_memory
from otdiv.core.options import RTOL, SolverOptions
from otdiv.core.progress import ProgressEvent, reporting
from otdiv.core.validation import Array, as_float_array, invalid
from otdiv.costs import Cost, as_cost
from otdiv.costs.base import as_entries
from otdiv.errors import InvalidInput
from otdiv.measures.discrete import MASS_TOLERANCE
from otdiv.problem.transport_problem import TransportProblem
from otdiv.transport.batches.collection import Collection, as_collection
from otdiv.transport.batches.result import TransportBatch
from otdiv.transport.batches.solve import solve_pairs


def emd_many(
    xs: Any = None,
    ys: Any = None,
    a: Any = None,
    b: Any = None,
    *,
    cost: Any = "euclidean",
    normalize: bool = False,
    rtol: float = RTOL,
    atol: float = 0.0,
    potentials: bool = False,
    plans: bool = False,
    progress: bool | Callable[[ProgressEvent], None] = False,
    memory_limit: float | None = None,
    threads: int | None = None,
) -> TransportBatch:
    """Earth mover's distances of many pairs of weighted point sets at once, each with its proof.

    EMD_k = min { sum_ij plan_ij c_ij : plan >= 0, row sums = a_k, column sums = b_k },   k = 1 ... K

    Parameters
    ----------
    xs, ys : array_like [K, n, d], or list of K array_like [n_k, d] (or [n_k]) or DiscreteMeasure
        Problem k moves xs[k] onto ys[k].  May be left out where ``cost`` is a stack of matrices.
    a, b : array_like [K, n], or list of K array_like [n_k] or None; optional
        Non-negative weights; None is uniform.  The masses of each pair must agree to 1e-9, unless ``normalize``.
    cost : str, callable or Cost; or array_like [K, n, m], or list of K matrices [n_k, m_k]
        As in :func:`emd`; or the costs of each problem.
    normalize : bool
        Divide every measure's weights by their total first.
    rtol, atol : float
        As in :func:`emd`.
    potentials, plans : bool
        Whether the answer holds them.
    progress : bool or callable
        True: a line on standard error; a callable is given each event.
    memory_limit : float, optional
        Bytes; by default what the machine has free.
    threads : int, optional
        By default every processor that the process may use; the answer has the same bits for any number.

    Returns
    -------
    TransportBatch

    Raises
    ------
    InvalidInput
        What :func:`emd` refuses, with the problem by its number from 0.
    TooLarge
        Plans that would not fit into memory.

    Notes
    -----
    Equal masses are an assignment, solved by shortest augmenting paths in O(n^3) after reductions; other masses by
    the network simplex in whole units of mass.  Meant for up to a few hundred points a side: one pair of large clouds
    is a matter for :func:`emd`.  A problem whose interval is wider than asked, or with forbidden arcs, is solved by
    :func:`emd` instead.

    Examples
    --------
    >>> batch = emd_many([[0.0, 1.0], [0.0, 2.0]], [[2.0, 3.0], [1.0, 1.0]])
    >>> batch.values.round(9).tolist(), batch.certified.all().item()
    ([2.0, 1.0], True)
    """
    started = time.perf_counter()
    options = SolverOptions(rtol, atol=atol, threads=threads, memory_limit=memory_limit)
    x, y, costs = _arguments(xs, ys, a, b, cost)
    if normalize:
        x, y = x.normalized(), y.normalized()
    _require_equal_masses(x, y, costs)
    if plans:
        require_memory(16.0 * float(x.sizes @ y.sizes), memory_limit, "the plans of all problems; for one a time")
    pairs = np.tile(np.arange(len(x), dtype=np.int64), (2, 1))
    with reporting(progress) as callback:

        def report(share: float) -> None:
            if callback is not None:
                callback(ProgressEvent("problems", time.perf_counter() - started, share=share))

        found = solve_pairs(x, y, pairs, costs, options, potentials=potentials, plans=plans, report=report)
    return TransportBatch(
        values=found.value,
        lower=found.lower,
        upper=found.upper,
        status=np.array([status.label for status in found.status]),
        general=found.general,
        potentials=None if found.f is None or found.g is None else tuple(zip(found.f, found.g, strict=True)),
        plans=None if found.plans is None else tuple(found.plans),
        seconds=time.perf_counter() - started,
    )


def _arguments(xs: Any, ys: Any, a: Any, b: Any, cost: Any) -> tuple[Collection, Collection, Cost | list[Array]]:
    """Both collections, and the cost of points or the matrices."""
    if isinstance(cost, str | Cost) or callable(cost):
        x, y = as_collection("xs", xs, "a", a), as_collection("ys", ys, "b", b)
        if len(x) != len(y):
            found = f"{len(x)} and {len(y)}"
            raise invalid("xs and ys", "hold as many measures", found, "For all pairs use otdiv.pairwise.")
        if x.d != y.d:
            found = f"d = {x.d} and d = {y.d}"
            raise invalid("xs and ys", "have points of the same dimension", found, "Select the same columns of both.")
        return x, y, as_cost(cost)
    if xs is not None or ys is not None:
        raise invalid("xs and ys", "be left out beside matrices of costs", "both", "Pass a, b and cost.")
    tables = [_table(k, one) for k, one in enumerate(cost)]
    if not tables:
        raise invalid("cost", "hold at least one matrix", "none", "Pass an array [K, n, m].")
    x = as_collection("cost", [np.zeros(len(table)) for table in tables], "a", a)
    y = as_collection("cost", [np.zeros(table.shape[1]) for table in tables], "b", b)
    return x, y, tables


def _table(k: int, one: Any) -> Array:
    try:
        return np.ascontiguousarray(as_entries(as_float_array("cost", one)))
    except InvalidInput as problem:
        raise InvalidInput(f"of problem {k}: {problem}") from None


def _require_equal_masses(x: Collection, y: Collection, cost: Cost | list[Array]) -> None:
    """Refuse the first pair of masses that differ by more than 1e-9 of them."""
    mass, other = x.masses, y.masses
    wrong = np.flatnonzero(np.abs(mass - other) > MASS_TOLERANCE * np.maximum(mass, other))
    if wrong.size:
        k = int(wrong[0])
        try:
            TransportProblem(x.measure(k), y.measure(k), cost[k] if isinstance(cost, list) else cost)  # type: ignore[arg-type]
        except InvalidInput as problem:
            problem.args = (f"in problem {k}: {problem}",)
            raise
