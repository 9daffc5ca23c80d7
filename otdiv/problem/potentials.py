"""Potentials of a problem from one another: c-transforms over all arcs, and those of atoms without mass."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from otdiv.core.validation import Array
from otdiv.problem.transport_problem import TransportProblem


def least_over_sources(problem: TransportProblem, f: Array) -> Array:
    """g_j = min_i (c_ij - f_i); 0 where every arc is forbidden, since any finite value satisfies no constraint."""
    if problem.sparse is not None:
        arcs = problem.sparse
        return _fill_unconstrained(arcs.minima_of_columns(arcs.values - f[arcs.rows]))
    if problem.keeps_matrix:
        return _fill_unconstrained((problem.costs() - f[:, None]).min(axis=0))
    g = np.full(problem.m, np.inf)
    for rows, block in problem.cost_blocks():
        np.minimum(g, (block - f[rows, None]).min(axis=0), out=g)
    return _fill_unconstrained(g)


def least_over_targets(problem: TransportProblem, g: Array) -> Array:
    """f_i = min_j (c_ij - g_j); 0 where every arc is forbidden."""
    if problem.sparse is not None:
        arcs = problem.sparse
        return _fill_unconstrained(arcs.minima_of_rows(arcs.values - g[arcs.columns]))
    if problem.keeps_matrix:
        return _fill_unconstrained((problem.costs() - g).min(axis=1))
    return _fill_unconstrained(np.concatenate([(block - g).min(axis=1) for _, block in problem.cost_blocks()]))


def extend_potentials(
    problem: TransportProblem,
    sources: Array,
    targets: Array,
    f: Array,
    g: Array,
    over_targets: Callable[[Array], Array] | None = None,
    over_sources: Callable[[Array], Array] | None = None,
) -> tuple[Array, Array]:
    """Potentials of all atoms from those of the atoms with mass, by the c-transform.

    Parameters
    ----------
    problem : TransportProblem
    sources, targets : ndarray of int
        The atoms with mass.
    f, g : ndarray
        Their potentials.
    over_targets, over_sources : callable, optional
        The minima for given other sources or targets, where pricing computes them faster.

    Returns
    -------
    f [n], g [m] : ndarray
    """
    whole_f, whole_g = np.empty(problem.n), np.full(problem.m, -np.inf)
    whole_f[sources], whole_g[targets] = f, g
    if len(sources) < problem.n:
        rest = np.setdiff1d(np.arange(problem.n), sources)
        whole_f[rest] = least_over_targets(problem, whole_g)[rest] if over_targets is None else over_targets(rest)
    if len(targets) < problem.m:
        rest = np.setdiff1d(np.arange(problem.m), targets)
        whole_g[rest] = least_over_sources(problem, whole_f)[rest] if over_sources is None else over_sources(rest)
    return whole_f, whole_g


def _fill_unconstrained(potential: Array) -> Array:
    potential[potential == np.inf] = 0.0
    return potential
