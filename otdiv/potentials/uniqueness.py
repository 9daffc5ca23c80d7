"""Is the optimal plan the only one? Are the potentials?

From one optimal pair: all optimal plans live on the tight arcs (slack 0), and
two differ by circulations in the residual graph, whose arcs are i -> j where
tight and j -> i where the plan has mass.  So the plan is unique exactly when
that graph has no directed cycle but i -> j -> i.  The potentials are unique up
to one constant exactly when the arcs used by some optimal plan connect all
atoms of positive weight.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from otdiv.core.validation import Array
from otdiv.problem.plan import Plan
from otdiv.problem.transport_problem import TransportProblem

if TYPE_CHECKING:
    from scipy import sparse

TIGHT = 1e-11
"""Arcs whose slack is at most this share of the largest cost count as tight; a larger one calls fewer plans unique."""


@dataclass(frozen=True)
class Uniqueness:
    """What is determined by the problem, and what is one choice among many.

    Attributes
    ----------
    plan : bool
        Whether the optimal plan is unique.
    potentials : bool
        Whether f and g are unique on atoms of positive weight, up to (f + t, g - t).
    components : int
        Connected components of the arcs that some optimal plan uses; each may shift on its own.
    undetermined : int
        Atoms of weight zero, whose potentials the value does not fix.
    tolerance : float
        Slack up to which an arc counted as tight; near-ties below it are read as ties.
    """

    plan: bool
    potentials: bool
    components: int
    undetermined: int
    tolerance: float

    def __str__(self) -> str:
        plan = "The optimal plan is unique" if self.plan else "There are other optimal plans"
        potentials = (
            "the potentials are unique up to one constant"
            if self.potentials
            else f"the potentials can shift in {self.components} components separately"
        )
        idle = f"; {self.undetermined} atoms of weight zero leave theirs open" if self.undetermined else ""
        return f"{plan}; {potentials}{idle}."


def uniqueness(problem: TransportProblem, plan: Plan, f: Array, g: Array) -> Uniqueness:
    """Decide uniqueness from an optimal plan and optimal potentials; one pass over all pairs.

    Parameters
    ----------
    problem : TransportProblem
    plan : Plan
        Optimal.
    f, g : ndarray [n] and [m]
        Optimal potentials.

    Returns
    -------
    Uniqueness

    Examples
    --------
    >>> from otdiv import emd
    >>> result = emd([0.0, 1.0], [2.0, 3.0])
    >>> print(uniqueness(result.problem, result.plan, result.f, result.g))
    There are other optimal plans; the potentials are unique up to one constant.
    """
    from scipy import sparse
    from scipy.sparse.csgraph import connected_components

    n, m = problem.n, problem.m
    scale = max(problem.largest_cost, float(np.abs(f).max()), float(np.abs(g).max()))
    tolerance = TIGHT * scale
    tight_rows, tight_columns = _tight_arcs(problem, f, g, tolerance)
    residual_mass = 1e-12 * problem.mu.mass / max(n, m)
    used = plan.mass > residual_mass
    carried = sparse.csr_array((np.ones(int(used.sum())), (plan.rows[used], plan.columns[used])), shape=(n, m))
    carried.data[:] = 1.0
    tails = np.concatenate([tight_rows, plan.rows[used], n + plan.columns[used]])
    heads = np.concatenate([n + tight_columns, n + plan.columns[used], plan.rows[used]])
    residual = sparse.csr_array((np.ones(len(tails)), (tails, heads)), shape=(n + m, n + m))
    _, strong = connected_components(residual, directed=True, connection="strong")

    inside = strong[tight_rows] == strong[n + tight_columns]
    idle = np.asarray(carried[tight_rows, tight_columns]).ravel() == 0
    pieces, labels = connected_components(_bipartite(n, m, plan.rows[used], plan.columns[used]), directed=False)
    forest = carried.nnz == n + m - pieces
    plan_unique = bool(forest and not np.any(inside & idle))

    some_plan = inside | ~idle
    arcs = _bipartite(
        n,
        m,
        np.concatenate([tight_rows[some_plan], plan.rows[used]]),
        np.concatenate([tight_columns[some_plan], plan.columns[used]]),
    )
    _, labels = connected_components(arcs, directed=False)
    significant = np.concatenate([problem.a > 0, problem.b > 0])
    components = len(np.unique(labels[significant]))
    return Uniqueness(plan_unique, components == 1, components, int((~significant).sum()), tolerance)


def _tight_arcs(problem: TransportProblem, f: Array, g: Array, tolerance: float) -> tuple[Array, Array]:
    if problem.sparse is not None:
        arcs = problem.sparse
        near = arcs.values - g[arcs.columns] <= f[arcs.rows] + tolerance
        near &= (problem.a[arcs.rows] > 0) & (problem.b[arcs.columns] > 0)
        return arcs.rows[near].astype(np.intp), arcs.columns[near].astype(np.intp)
    found: list[tuple[Array, Array]] = []
    for rows, block in problem.cost_blocks():
        near = block - g <= f[rows, None] + tolerance
        # an atom of weight zero moves nothing: no plan uses its arcs
        near &= (problem.a[rows, None] > 0) & (problem.b > 0)
        i, j = near.nonzero()
        found.append((i + rows.start, j))
    return np.concatenate([i for i, _ in found]), np.concatenate([j for _, j in found])


def _bipartite(n: int, m: int, rows: Array, columns: Array) -> sparse.csr_array:
    from scipy import sparse

    return sparse.csr_array((np.ones(len(rows)), (rows, n + columns)), shape=(n + m, n + m))
