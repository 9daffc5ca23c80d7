"""Repair of proposed potentials into feasible ones: the lower bound's half of the audit.

For any f the c-transform g_j = min_i (c_ij - f_i), followed by
f_i = min_j (c_ij - g_j), satisfies f_i + g_j <= c_ij for all pairs; rounding the
last step down makes that hold for the stored floats, in real arithmetic.
Small problems evaluate all pairs; large ones of points find the same minima by search
(:mod:`otdiv.pricing`), those on the line in sorted order (:mod:`otdiv.certificates.line_potentials`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from otdiv.certificates.grid_potentials import find_grid_transform
from otdiv.certificates.line_potentials import line_potentials
from otdiv.core.options import DEFAULTS, SolverOptions
from otdiv.core.rounding import below
from otdiv.core.validation import Array
from otdiv.errors import CertificateRefused
from otdiv.pricing.compiled_costs import priceable
from otdiv.problem.potentials import least_over_sources, least_over_targets
from otdiv.problem.transport_problem import TransportProblem

LINE_ABOVE = 2**20
"""Pairs above which problems on the line are audited in sorted order, in time n log n instead of n m."""
_EXACT_ROUNDING_UP_TO = 2**16
"""Pairs up to which the rounding of every difference is examined, so that f is lowered only where it must be."""
_AS_GOOD = 1e-14
"""Share of the value that may be lost to rounding where potentials are taken as they were given."""


def feasible_potentials(
    problem: TransportProblem, f: Array | None, g: Array | None, options: SolverOptions = DEFAULTS
) -> tuple[Array, Array]:
    """Potentials with f_i + g_j <= c_ij for the computed costs, as good as those given or better.

    Parameters
    ----------
    problem : TransportProblem
    f, g : ndarray [n], [m] or None
        Either may be missing; with both missing the start is f = 0.
    options : SolverOptions
        Device, threads and tuning of a search over all pairs.

    Raises
    ------
    CertificateRefused
        Wrong shape, NaN or infinity.
    """
    f, g = _require_potential("f", f, problem.n), _require_potential("g", g, problem.m)
    if problem.on_line and problem.n * problem.m > LINE_ABOVE:
        return line_potentials(problem, f, g)
    grid = find_grid_transform(problem)
    if grid is not None:
        return _alternate(problem.a, f, g, grid.over_targets, grid.over_sources)
    if not problem.keeps_matrix and priceable(problem.cost, problem.d, problem.largest_cost):
        return _by_search(problem, f, g, options)
    if f is None:
        f = np.zeros(problem.n) if g is None else least_over_targets(problem, g)
    # the dual is indifferent to (f + t, g - t); a centred f keeps rounding small, and an outlier has no say in a median
    f = f - float(np.median(f))
    g = least_over_sources(problem, f)
    return _rounded_down(problem, g), g


def _by_search(
    problem: TransportProblem, f: Array | None, g: Array | None, options: SolverOptions
) -> tuple[Array, Array]:
    """The same minima over all pairs of the computed costs, found by pricing."""
    from otdiv.pricing.pricing import Pricing, ordered  # loads a compiler, which small problems do without

    at_x, at_y = (ordered(measure.points, options.threads) for measure in (problem.mu, problem.nu))
    x, y = problem.mu.points[at_x], problem.nu.points[at_y]
    by_targets = Pricing(x, y, problem.cost, problem.largest_cost, options)
    hints = np.zeros(problem.n, np.int64)

    def over_targets(sorted_g: Array) -> Array:
        return below(by_targets.minima(sorted_g, hints)[0])

    def over_sources(sorted_f: Array) -> Array:
        sorted_g, nearest = Pricing(y, x, problem.cost, problem.largest_cost, options).minima(sorted_f)
        hints[nearest] = np.arange(problem.m)  # a pair that is tight for y is a good first guess for x
        return sorted_g

    f, g = (None if f is None else f[at_x]), (None if g is None else g[at_y])
    f, g = _alternate(problem.a[at_x], f, g, over_targets, over_sources)
    return _restore_order(f, at_x), _restore_order(g, at_y)


def _alternate(
    a: Array,
    f: Array | None,
    g: Array | None,
    over_targets: Callable[[Array], Array],
    over_sources: Callable[[Array], Array],
) -> tuple[Array, Array]:
    """Feasible f and g by the two minima: f_i = min_j c_ij - g_j, rounded down, and g_j = min_i c_ij - f_i.

    One of them is enough, in half the time, where f and g are given and turn out feasible but for rounding: g stays,
    and f rises wherever it can.  Methods that end at the optimum propose such a pair.
    """
    if g is not None:
        start = over_targets(g)
        if f is not None:
            lost = a @ np.maximum(f - start, 0.0)
            if lost <= _AS_GOOD * (a @ np.abs(f)):
                return start, g.copy()
            start = f
    else:
        start = np.zeros(len(a)) if f is None else f
    g = over_sources(start - float(np.median(start)))
    return over_targets(g), g


def _restore_order(values: Array, at: Array) -> Array:
    """Values of the points ``at``, back in the order of the points."""
    potential = np.empty(len(values))
    potential[at] = values
    return potential


def _require_potential(name: str, potential: Array | None, size: int) -> Array | None:
    if potential is None:
        return None
    if potential.shape != (size,):
        raise CertificateRefused(
            f"the potential {name} must have shape [{size}]; got {potential.shape}. Give one value for each point."
        )
    if not np.isfinite(potential.sum()) and not np.isfinite(potential).all():
        raise CertificateRefused(
            f"the potential {name} must be finite; got NaN or infinity. No bound can come from it."
        )
    return potential


def _rounded_down(problem: TransportProblem, g: Array) -> Array:
    """f_i <= min_j (c_ij - g_j) in real arithmetic, one float lower only where rounding went up."""
    if problem.n * problem.m > _EXACT_ROUNDING_UP_TO or problem.sparse is not None:
        return below(least_over_targets(problem, g))
    costs = problem.costs()
    differences = costs - g
    f = differences.min(axis=1)
    with np.errstate(invalid="ignore"):  # forbidden arcs give inf - inf, which compares as false
        part = differences - costs
        error = (costs - (differences - part)) - (g + part)  # exact: costs - g = differences + error
        too_high = ((differences == f[:, None]) & (error < 0)).any(axis=1)
    if np.count_nonzero(too_high):
        f[too_high] = below(f[too_high])
    f[f == np.inf] = 0.0  # a source whose arcs are all forbidden has no constraint
    return f
