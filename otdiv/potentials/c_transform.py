"""Transforms of potentials: c-transform, double transform, one Lipschitz function, extension off the sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from otdiv.core.memory import row_blocks
from otdiv.core.validation import Array, as_float_array, as_points, invalid, readonly, require_finite
from otdiv.costs import Cost, MatrixCost, SparseCost, as_cost
from otdiv.lipschitz import on_points
from otdiv.measures.discrete import DiscreteMeasure
from otdiv.measures.support import common_support
from otdiv.problem.transport_problem import TransportProblem


def c_transform(f: Any, x: Any = None, y: Any = None, *, cost: Any = "euclidean") -> Array:
    """The c-transform g(y) = min over x of c(x, y) - f(x).

    The largest g with f(x) + g(y) <= c(x, y) for all pairs.

    Parameters
    ----------
    f : array_like [n]
        Potential on the points x.
    x, y : array_like [n, d], [m, d], optional
        Points; left out where ``cost`` is a matrix [n, m].
    cost : str, matrix, callable or Cost
        Ground cost; +inf forbids an arc.  To transform back, exchange x and y, or transpose the matrix.

    Returns
    -------
    ndarray [m]
        In units of the cost; +inf where every arc is forbidden.

    Raises
    ------
    InvalidInput
        Shapes that do not fit, NaN or infinity in f.

    Examples
    --------
    >>> c_transform([0.0, -1.0, -2.0], cost=[[0, 1, 2], [1, 0, 1], [2, 1, 0]]).tolist()
    [0.0, 1.0, 2.0]
    """
    ground = as_cost(cost)
    values = _values("f", f)
    if ground.shape is not None and x is None and y is None:
        x, y = (np.arange(size, dtype=np.float64) for size in ground.shape)
    points, targets = _points("x", x), _points("y", y)
    if len(values) != len(points):
        raise invalid("f", f"have one value for each of the {len(points)} points x", f"{len(values)}", "Pass f on x.")
    if isinstance(ground, MatrixCost):
        return np.asarray((ground.matrix(points, targets) - values[:, None]).min(axis=0))
    if isinstance(ground, SparseCost):
        ground.require_shape(len(points), len(targets))
        return ground.minima_of_columns(ground.values - values[ground.rows])
    return PotentialFunction(points, values, ground, reverse=True)(targets)


def double_transform(f: Any, x: Any = None, y: Any = None, *, cost: Any = "euclidean") -> tuple[Array, Array]:
    """The pair (f'', g) with g the c-transform of f and f'' that of g: feasible, with f'' >= f.

    Parameters, errors and units as :func:`c_transform`; a point cost has to be symmetric.

    Parameters
    ----------
    f, x, y, cost
        As in :func:`c_transform`.

    Returns
    -------
    f2 : ndarray [n]
    g : ndarray [m]

    Examples
    --------
    >>> f, g = double_transform([-5.0, 0.0], [0.0, 1.0], [0.0, 1.0])
    >>> f.tolist(), g.tolist()
    ([-1.0, 0.0], [1.0, 0.0])
    """
    g = c_transform(f, x, y, cost=cost)
    ground = as_cost(cost)
    if isinstance(ground, MatrixCost):
        return c_transform(g, cost=ground.entries.T), g
    if isinstance(ground, SparseCost):
        return ground.minima_of_rows(ground.values - g[ground.columns]), g
    return c_transform(g, y, x, cost=ground), g


@dataclass(frozen=True, eq=False)
class PotentialFunction:
    """A potential as a function of the whole space: z -> min over k of c(z, p_k) - v_k.

    With p = y and v = g it extends f off the sample (c-transform extension); with v = -u it is the
    largest 1-Lipschitz extension of u (McShane).  For a metric cost it is 1-Lipschitz.

    Attributes
    ----------
    points : ndarray [k, d]
    values : ndarray [k]
    cost : Cost
    reverse : bool
        Take c(p_k, z) instead of c(z, p_k).
    """

    points: Array
    values: Array
    cost: Cost
    reverse: bool = False

    def __call__(self, z: Any) -> Array:
        """Values [n] at the points z [n, d] (or [n] on the line)."""
        places = as_points("z", z)
        if places.shape[1] != self.points.shape[1]:
            raise invalid(
                "z", f"have points of dimension {self.points.shape[1]}", f"{places.shape[1]}", "Use the same columns."
            )
        blocks = [places[rows] for rows in row_blocks(len(places), len(self.points))]
        if self.reverse:
            return np.concatenate(
                [(self.cost.matrix(self.points, b) - self.values[:, None]).min(axis=0) for b in blocks]
            )
        return np.concatenate([(self.cost.matrix(b, self.points) - self.values).min(axis=1) for b in blocks])


def mcshane(u: Any, points: Any, *, cost: Any = "euclidean") -> PotentialFunction:
    """The largest L-Lipschitz extension with L = 1: z -> min over k of u_k + d(z, p_k).

    It agrees with u on the points exactly when u is 1-Lipschitz there.

    Parameters
    ----------
    u : array_like [k]
    points : array_like [k, d]
    cost : str or Cost
        A metric.

    Returns
    -------
    PotentialFunction

    Raises
    ------
    InvalidInput
        A cost that is no metric, or shapes that do not fit.

    Examples
    --------
    >>> mcshane([0.0, 1.0], [0.0, 1.0])([-1.0, 0.5, 3.0]).tolist()
    [1.0, 0.5, 3.0]
    """
    ground = _metric(cost)
    places, values = _points("points", points), _values("u", u)
    if len(values) != len(places):
        raise invalid(
            "u", f"have one value for each of the {len(places)} points", f"{len(values)}", "Pass u on the points."
        )
    return PotentialFunction(places, -values, ground)


@dataclass(frozen=True, eq=False)
class LipschitzPotential:
    """Two potentials made into one 1-Lipschitz function.

    Attributes
    ----------
    points : ndarray [k, d]
        The common support.
    u : ndarray [k]
        The function; (u, -u) is feasible.
    value : float
        sum (p - q) u over the common support: at least ``before`` but for rounding.
    before : float
        sum a f + sum b g of the pair that came in.
    slope : float
        Largest slope of u on the common support: 1 or less but for rounding.
    """

    points: Array
    u: Array
    value: float
    before: float
    slope: float


def to_lipschitz(problem: TransportProblem, f: Any, g: Any) -> LipschitzPotential:
    """Reduce a feasible pair (f, g) to one 1-Lipschitz function that is worth at least as much.

    u(z) = min over y of d(z, y) - g(y).  Then u >= f on the sources since the pair is feasible;
    u is 1-Lipschitz by the triangle inequality; and u(y) <= d(y, y) - g(y) = -g(y).  So (u, -u) is
    feasible, and sum a u - sum b u >= sum a f + sum b g.

    Parameters
    ----------
    problem : TransportProblem
        With a metric as its cost.
    f, g : array_like [n] and [m]
        Feasible potentials.

    Returns
    -------
    LipschitzPotential

    Raises
    ------
    InvalidInput
        A cost that is no metric: for the squared distance from 0 to 2 the pair is worth 4, one
        function only 2.  Shapes that do not fit.

    Examples
    --------
    >>> from otdiv import emd
    >>> result = emd([0.0, 1.0, 2.0], [0.0, 1.0, 2.0], [0.2, 0.2, 0.6], [0.5, 0.3, 0.2])
    >>> one = to_lipschitz(result.problem, result.f, result.g)
    >>> round(one.value, 9), one.slope
    (0.7, 1.0)
    """
    ground = _metric(problem.cost)
    values_f, values_g = _values("f", f), _values("g", g)
    for name, values, size in (("f", values_f, problem.n), ("g", values_g, problem.m)):
        if len(values) != size:
            raise invalid(name, f"have shape [{size}]", f"shape {values.shape}", "Pass the potentials of this problem.")
    points, p, q = common_support(problem.mu, DiscreteMeasure(problem.nu.points, problem.b), support_atol=0.0)
    u = PotentialFunction(problem.nu.points, values_g, ground)(points)
    before = float(problem.a @ values_f + problem.b @ values_g)
    return LipschitzPotential(points, readonly(u), float((p - q) @ u), before, on_points(u, points, cost=ground).value)


def _metric(cost: Any) -> Cost:
    ground = as_cost(cost)
    if ground.by_entries or not ground.is_metric:
        raise invalid("cost", "be a metric on points", repr(ground.name), "The argument needs the triangle inequality.")
    return ground


def _points(name: str, value: Any) -> Array:
    if value is None:
        raise invalid(name, "be given unless cost is a matrix", "None", "Pass the points.")
    return as_points(name, value)


def _values(name: str, value: Any) -> Array:
    array = as_float_array(name, value)
    if array.ndim != 1:
        raise invalid(name, "be one-dimensional", f"shape {array.shape}", "Pass one value for each point.")
    require_finite(name, array)
    return array
