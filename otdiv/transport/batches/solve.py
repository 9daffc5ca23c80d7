"""Problems of two collections, solved in compiled batches; what these leave open goes to the general solver."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from otdiv.core.bounds import Status
from otdiv.core.options import SolverOptions
from otdiv.core.threads import count_threads
from otdiv.core.validation import Array, readonly
from otdiv.costs import Cost, as_cost
from otdiv.errors import InvalidInput
from otdiv.pricing.compiled_costs import metric_of
from otdiv.problem.plan import Plan
from otdiv.problem.transport_problem import TransportProblem
from otdiv.transport.batches.collection import Collection
from otdiv.transport.batches.parallel import efforts_of, run_in_chunks
from otdiv.transport.result import TransportResult
from otdiv.transport.solve import solve_with

_TABLE_ENTRIES = 2**24
"""Costs evaluated at a time where they are no norm that compiled code knows (128 MiB)."""


@dataclass(frozen=True, eq=False)
class Answers:
    """What is known of K problems.

    Attributes
    ----------
    lower, value, upper : ndarray [K]
    status : list of Status
    f, g : list of ndarray, or None
    plans : list of Plan, or None
    general : ndarray of int
        The problems that went to the general solver.
    """

    lower: Array
    value: Array
    upper: Array
    status: list[Status]
    f: list[Array] | None
    g: list[Array] | None
    plans: list[Plan] | None
    general: Array


class _Space:
    """The arrays that the compiled loop writes to, and where each problem's part begins."""

    def __init__(self, n: Array, m: Array, potentials: bool, plans: bool) -> None:
        k = len(n)
        self.n, self.m = n, m
        self.answers = (np.empty(k), np.empty(k), np.empty(k), np.empty(k, np.int64))
        self.starts = [np.concatenate([[0], np.cumsum(size)]).astype(np.int64) for size in (n, m, n * m)]
        at_f, at_g, at_plan = self.starts
        f, g = (np.empty(at[-1] if potentials else 0) for at in (at_f, at_g))
        masses = np.zeros(at_plan[-1] if plans else 0)
        self.wanted = (potentials, f, g, at_f, at_g, plans, masses, at_plan)

    def potentials(self) -> tuple[list[Array], list[Array]]:
        _, f, g, at_f, at_g, *_ = self.wanted
        return np.split(f, at_f[1:-1]), np.split(g, at_g[1:-1])

    def plans(self) -> list[Plan]:
        *_, masses, at = self.wanted
        shapes = zip(self.n.tolist(), self.m.tolist(), strict=True)
        return [
            Plan.from_dense(masses[s:t].reshape(shape)) for s, t, shape in zip(at[:-1], at[1:], shapes, strict=True)
        ]


def solve_pairs(
    x: Collection,
    y: Collection,
    pairs: Array,
    cost: Cost | list[Array],
    options: SolverOptions,
    *,
    potentials: bool = False,
    plans: bool = False,
    report: Callable[[float], None] | None = None,
) -> Answers:
    """Move measure pairs[0, k] of x onto measure pairs[1, k] of y, for every k.

    Parameters
    ----------
    x, y : Collection
        Masses of each pair agree within 1e-9.
    pairs : int64 ndarray [2, K]
    cost : Cost, or list of K matrices
        Of points, or for each problem the entries.
    options : SolverOptions
        ``rtol``, ``atol`` and ``threads``.
    potentials, plans : bool
        Whether they are kept.
    report : callable, optional
        Gets the share of the problems that is done.
    """
    n, m = x.sizes[pairs[0]], y.sizes[pairs[1]]
    space = _Space(n, m, potentials, plans)
    threads, efforts = count_threads(options.threads), efforts_of(n, m)
    run_in_chunks(_loop(x, y, pairs, cost, space), efforts, threads, report)
    lower, value, upper, count = space.answers
    narrow = upper - lower <= np.maximum(options.rtol * np.abs(value), options.atol)  # false for NaN
    general = np.flatnonzero(~(narrow & (count >= 0)))
    status = [Status.OPTIMAL] * len(n)
    f, g = space.potentials() if potentials else (None, None)
    kept = space.plans() if plans else None
    for k in general.tolist():
        result = _solve_one(x, y, pairs, cost, k, options)
        if result.upper - result.lower < upper[k] - lower[k] or not np.isfinite(value[k]):
            lower[k], value[k], upper[k] = result.lower, result.value, result.upper
            if f is not None and g is not None:
                f[k], g[k] = result.potentials
            if kept is not None:
                kept[k] = result.plan
        status[k] = result.status
    return Answers(lower, value, upper, status, f, g, kept, general)


def _loop(
    x: Collection, y: Collection, pairs: Array, cost: Cost | list[Array], space: _Space
) -> Callable[[int, int], object]:
    """The compiled loop over problems first ... end - 1."""
    from otdiv.transport.batches import kernels  # loads a compiler

    if isinstance(cost, list):
        return lambda first, end: _solve_tables(x, y, pairs, cost[first:end], (0.0, 0.0), space, first)
    errors = (cost.relative_error(x.d), cost.absolute_error(x.d))
    metric = metric_of(cost, x.d)
    if metric is not None:
        sources = (x.points, x.weights, x.start)
        targets = (readonly(y.points.T), y.weights, y.start)
        return lambda first, end: kernels.solve_pairs_of_points(
            metric, errors, sources, targets, pairs, first, end, space.answers, space.wanted
        )

    def by_tables(first: int, end: int) -> None:
        at = space.starts[2]
        while first < end:
            last = max(first + 1, int(np.searchsorted(at, at[first] + _TABLE_ENTRIES, "right")) - 1)
            last = min(last, end)
            tables = [
                cost.matrix(_points(x, pairs[0, k]), _points(y, pairs[1, k])).astype(np.float64)
                for k in range(first, last)
            ]
            _solve_tables(x, y, pairs, tables, errors, space, first)
            first = last

    return by_tables


def _solve_tables(
    x: Collection,
    y: Collection,
    pairs: Array,
    tables: list[Array],
    errors: tuple[float, float],
    space: _Space,
    first: int,
) -> None:
    """Problems first, first + 1, ... whose cost matrices are given."""
    from otdiv.transport.batches import kernels

    end = first + len(tables)
    entries = np.concatenate([table.ravel() for table in tables])
    weights = [
        np.concatenate([side.weights[side.start[i] : side.start[i + 1]] for i in pairs[s, first:end]])
        for s, side in enumerate((x, y))
    ]
    starts = [np.concatenate([[0], np.cumsum(size[first:end])]).astype(np.int64) for size in (space.n, space.m)]
    at = space.starts[2][first:end] - space.starts[2][first]
    potentials, f, g, at_f, at_g, plans, masses, at_plan = space.wanted
    part = slice(first, end)
    wanted = (potentials, f, g, at_f[part], at_g[part], plans, masses, at_plan[part])
    answers = tuple(answer[part] for answer in space.answers)
    kernels.solve_tables(
        errors, (entries, at), (weights[0], starts[0]), (weights[1], starts[1]), 0, len(tables), answers, wanted
    )


def _points(side: Collection, i: int) -> Array:
    return side.points[side.start[i] : side.start[i + 1]]


def _solve_one(
    x: Collection, y: Collection, pairs: Array, cost: Cost | list[Array], k: int, options: SolverOptions
) -> TransportResult:
    """Problem k by the general solver."""
    one = as_cost(cost[k]) if isinstance(cost, list) else cost
    try:
        problem = TransportProblem(x.measure(pairs[0, k]), y.measure(pairs[1, k]), one)
        return solve_with(problem, "auto", replace(options, progress=False))
    except InvalidInput as problem_found:
        problem_found.args = (f"in problem {k}: {problem_found}",)
        raise
