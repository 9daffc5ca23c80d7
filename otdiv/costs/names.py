"""A cost from its name, a matrix or a function."""

from __future__ import annotations

from typing import Any

import numpy as np

from otdiv.core.validation import invalid, is_sparse
from otdiv.costs.base import Cost
from otdiv.costs.callable import CallableCost
from otdiv.costs.matrix import MatrixCost
from otdiv.costs.norms import Chebyshev, Cityblock, Discrete, Euclidean, Minkowski, SquaredEuclidean
from otdiv.costs.sparse import SparseCost

POINT_COSTS = ("euclidean", "sqeuclidean", "cityblock", "chebyshev", "discrete")
"""Names of the costs of two points that ``cost=`` takes, besides "minkowski:p"."""
_NAMED: dict[str, Cost] = {c.name: c for c in (Euclidean(), SquaredEuclidean(), Cityblock(), Chebyshev(), Discrete())}


def minkowski(p: float) -> Cost:
    """The cost of the p-norm: cityblock for 1, euclidean for 2, chebyshev for inf.

    Parameters
    ----------
    p : float
        1 <= p <= inf.

    Returns
    -------
    Cost
    """
    special = {1.0: "cityblock", 2.0: "euclidean", np.inf: "chebyshev"}
    return _NAMED[special[p]] if p in special else Minkowski(p)


def as_cost(cost: Any) -> Cost:
    """A Cost from its name, a matrix (dense or sparse), a callable, or a Cost.

    Names are euclidean, sqeuclidean, cityblock, chebyshev, discrete, and
    ``"minkowski:p"`` with a number p >= 1.  A scipy.sparse matrix stays sparse: what it does not
    store is forbidden (:class:`SparseCost`).  A callable is the slowest (:class:`CallableCost`).

    Parameters
    ----------
    cost : str, array_like [n, m], scipy.sparse matrix, callable or Cost

    Returns
    -------
    Cost

    Raises
    ------
    InvalidInput
        For an unknown name or an unusable matrix.
    """
    if isinstance(cost, str):
        if cost in _NAMED:
            return _NAMED[cost]
        head, _, tail = cost.partition(":")
        if head == "minkowski":
            try:
                return minkowski(float(tail))
            except ValueError as problem:
                raise invalid(
                    "cost", "give p as a number >= 1 in 'minkowski:p'", repr(cost), "For example 'minkowski:3'."
                ) from problem
        raise invalid(
            "cost",
            f"be one of {', '.join(_NAMED)}, 'minkowski:p', a matrix or a callable",
            repr(cost),
            "Check the spelling.",
        )
    if isinstance(cost, Cost):
        return cost
    if callable(cost):
        return CallableCost(cost)
    return SparseCost(cost) if is_sparse(cost) else MatrixCost(cost)
