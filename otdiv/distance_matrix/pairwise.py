"""``pairwise``: the distances of all pairs of many measures."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from otdiv._version import __version__
from otdiv.core.memory import require_memory
from otdiv.core.options import RTOL, SolverOptions
from otdiv.core.progress import ProgressEvent, reporting
from otdiv.core.validation import Array, invalid
from otdiv.distance_matrix.blocks import STATUSES, BlockWork, layout_of
from otdiv.distance_matrix.dask_scheduler import require_scheduler, run_on_scheduler
from otdiv.distance_matrix.executors import require_workers, run_blocks
from otdiv.distance_matrix.line import CommonSupport, SortedSamples, of_equal_size, on_common_support
from otdiv.distance_matrix.measured_by import Measured, as_measured
from otdiv.distance_matrix.result import PairwiseDistances
from otdiv.distance_matrix.store import Store, open_store
from otdiv.measures.discrete import MASS_TOLERANCE
from otdiv.transport.batches.collection import Collection, as_collection

_BYTES_PER_ENTRY = 120.0
"""Of the matrices, the numbers of all pairs, and the text of a status."""


def pairwise(
    measures: Any,
    others: Any = None,
    *,
    metric: Any = "euclidean",
    p: float = 1.0,
    weights: Any = None,
    other_weights: Any = None,
    symmetric: bool | None = None,
    normalize: bool = False,
    rtol: float = RTOL,
    store: str | Path | None = None,
    progress: bool | Callable[[ProgressEvent], None] = False,
    threads: int | None = None,
    workers: int | None = None,
    scheduler: Any = None,
    memory_limit: float | None = None,
) -> PairwiseDistances:
    """Distances of all pairs of measures: W_p with a proved interval for each, or another distance.

    D_ij = W_p(mu_i, nu_j) = (min_plan sum plan d(x, y)^p)^(1/p)

    Parameters
    ----------
    measures : array_like [k, n, d], or list of k array_like [n_i, d] (or [n_i]) or DiscreteMeasure
    others : as ``measures``, l of them; optional
        None: the measures among themselves, each pair once where the distance is symmetric.
    metric : str, Cost or callable
        A metric of points: "euclidean", "cityblock", "chebyshev", "discrete", "minkowski:p" or a Cost, for W_p.
        Of measures: "energy", "kolmogorov_smirnov", "kl", "js", "js_distance", "total_variation", "hellinger", or
        a function ``(x, y) -> value`` of two DiscreteMeasure; these come without an interval.
    p : float
        Order of W_p, 1 <= p < inf.
    weights, other_weights : array_like [k, n], or list of k array_like [n_i] or None; optional
        None is uniform.  Each must sum to 1 within 1e-9, unless ``normalize``.
    symmetric : bool, optional
        Of a function: True promises that (x, y) and (y, x) have one value, and (x, x) has 0.
    normalize : bool
        Divide every measure's weights by their total first.
    rtol : float
        Relative width of an interval at which its status is optimal.
    store : str or Path, optional
        A folder that keeps the results as they come.  The same call resumes there after an interruption; a store of
        other measures or options is refused.
    progress : bool or callable
        True: a line on standard error; a callable is given each event.
    threads : int, optional
        Of this process; by default every processor.  The values have the same bits for any number.
    workers : int, optional
        Processes of joblib instead: those of this machine, or of the back end that ``joblib.parallel_config`` names
        around the call (dask, ray, spark).  The values have the same bits as without; a killed worker loses only
        its own block, which is computed again.
    scheduler : str or distributed.Client, optional
        A dask scheduler whose workers compute the blocks: its address, such as "tcp://127.0.0.1:8786", or a client,
        which stays open.  It and its workers need this version of otdiv; with the same numpy and numba on the same kind
        of processor the values have the same bits as without.  A killed worker loses only its own block.
    memory_limit : float, optional
        Bytes; by default what the machine has free.

    Returns
    -------
    PairwiseDistances

    Raises
    ------
    InvalidInput
        What :class:`DiscreteMeasure` refuses, with the measure by its place; weights that do not sum to 1; a store
        of something else; a scheduler that does not answer, or has no worker.
    TooLarge
        A matrix that does not fit into memory.
    SolverFailed
        Workers end again and again.
    MissingPackage
        For a scheduler: dask and distributed.

    Notes
    -----
    On the line, histograms on one support (p = 1) and as many equal masses in every measure have closed forms; the
    others are solved in compiled batches (:func:`emd_many`).

    Examples
    --------
    >>> distances = pairwise([[0.0, 1.0], [2.0, 3.0], [0.0, 5.0]])
    >>> distances.values.round(9).tolist()
    [[0.0, 2.0, 2.0], [2.0, 0.0, 2.0], [2.0, 2.0, 0.0]]
    """
    started = time.perf_counter()
    measured, workers = as_measured(metric, p, symmetric), require_workers(workers)
    require_scheduler(scheduler, workers)
    elsewhere = workers is not None or scheduler is not None
    options = SolverOptions(rtol, threads=1 if elsewhere else threads, memory_limit=memory_limit)
    x, y = _collections(measures, others, weights, other_weights, normalize)
    layout = layout_of(x, y, measured)
    require_memory(_BYTES_PER_ENTRY * layout.rows * layout.columns, memory_limit, "the matrix of all pairs")
    work = BlockWork(x, y, measured, layout, options, _closed_form(x, y, measured))
    kept = None if store is None else open_store(store, _fingerprint(work))
    with reporting(progress) as callback:

        def report(done: int) -> None:
            if callback is not None:
                share = done / max(1, layout.blocks)
                callback(ProgressEvent("pairs", time.perf_counter() - started, share=share))

        found = _all_blocks(work, kept, workers, scheduler, report)
    return _assembled(work, found, time.perf_counter() - started)


def _collections(
    measures: Any, others: Any, weights: Any, other_weights: Any, normalize: bool
) -> tuple[Collection, Collection]:
    """Both collections, one and the same where there are no others; every mass is 1."""
    x = as_collection("measures", measures, "weights", weights)
    if others is None and other_weights is not None:
        raise invalid("other_weights", "be left out without others", "weights", "Pass weights=.")
    y = x if others is None else as_collection("others", others, "other_weights", other_weights)
    if x.d != y.d:
        found = f"d = {x.d} and d = {y.d}"
        raise invalid("measures and others", "have points of one dimension", found, "Select the same columns of both.")
    if normalize:
        x, y = (x.normalized(),) * 2 if y is x else (x.normalized(), y.normalized())
    for name, side in (("measures", x), ("others", y)):
        wrong = np.flatnonzero(~(np.abs(side.masses - 1) <= MASS_TOLERANCE))
        if wrong.size:
            i = int(wrong[0])
            subject = f"the weights of {name}[{i}]"
            raise invalid(subject, "sum to 1", f"{side.masses[i]:.10g}", "Pass normalize=True.")
    return x, y


def _closed_form(x: Collection, y: Collection, measured: Measured) -> CommonSupport | SortedSamples | None:
    cost = measured.cost
    if cost is None or x.d != 1 or cost.line_power != measured.p:
        return None
    samples = of_equal_size(x, y, measured.p)
    return samples if samples is not None or measured.p != 1 else on_common_support(x, y)


def _fingerprint(work: BlockWork) -> str:
    """A text that differs for different measures, distances, options and versions."""
    about = f"otdiv pairwise 1|{__version__}|{work.measured.identity}|{work.layout}|{work.options.rtol!r}"
    content = hashlib.sha256(about.encode())
    for side in (work.x, work.y):
        for array in (side.points, side.weights, side.start):
            content.update(f"|{array.dtype.str}|{array.shape}|".encode())
            content.update(np.ascontiguousarray(array).tobytes())
    return content.hexdigest()


def _all_blocks(
    work: BlockWork, kept: Store | None, workers: int | None, scheduler: Any, report: Callable[[int], None]
) -> dict[int, dict[str, Array]]:
    """Every block, from the store or computed, and then kept there."""
    names = {"value"} if work.measured.function is not None else {"value", "lower", "upper", "status"}
    found: dict[int, dict[str, Array]] = {}
    for block in [] if kept is None else kept.finished():
        arrays = kept.load(block) if kept is not None else {}
        span = work.layout.span(block)
        if set(arrays) != names or any(array.shape != (span.stop - span.start,) for array in arrays.values()):
            raise invalid("store", "hold blocks of this matrix", f"another in block {block}", "Delete that file.")
        found[block] = arrays
    report(len(found))
    left = [block for block in range(work.layout.blocks) if block not in found]
    coming = run_blocks(work, left, workers) if scheduler is None else run_on_scheduler(work, left, scheduler)
    for block, arrays in coming:
        if kept is not None:
            kept.save(block, arrays)
        found[block] = arrays
        report(len(found))
    return found


def _assembled(work: BlockWork, found: dict[int, dict[str, Array]], seconds: float) -> PairwiseDistances:
    layout = work.layout

    def matrix(name: str) -> Array:
        table = np.zeros((layout.rows, layout.columns), np.int8 if name == "status" else np.float64)
        for block, arrays in found.items():
            i, j = layout.pairs(layout.span(block))
            table[i, j] = arrays[name]
            if layout.triangle:
                table[j, i] = arrays[name]
        return table

    measured = work.measured
    if measured.function is not None:
        return PairwiseDistances(matrix("value"), None, None, None, measured.name, measured.p, seconds)
    labels = np.array([status.label for status in STATUSES])
    lower, value, upper = matrix("lower"), matrix("value"), matrix("upper")
    return PairwiseDistances(value, lower, upper, labels[matrix("status")], measured.name, measured.p, seconds)
