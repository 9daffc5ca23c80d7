r"""Matrix games with proved value bounds, and the minimax reading of W1.

Rows maximise, columns minimise x'P y over mixed strategies.  Any x guarantees
min_j (x'P)_j and any y concedes max_i (P y)_i, so two strategies are an interval
for the value, whoever proposed them.

The minimax reading writes W1 as a game between a flow gamma and one function f:
    inf_gamma sup_f  E_gamma[d(u, v) - (f(u) - f(v))] + E_p f - E_q f.
One function only fixes the *difference* of gamma's marginals, which is enough for a
metric d and not for other costs.  Imports errors, bounds, rounding, linear_program.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from otdiv.bounds import Bounds, Status
from otdiv.errors import Array, SolverFailed, as_float_array, as_weights, frozen, invalid, require_finite
from otdiv.linear_program import LinearProgram, solve_lp
from otdiv.rounding import dot_bounds

MET = 1e-9  # relative gap at which the bounds of a game count as met


@dataclass(frozen=True, slots=True, eq=False)
class MatrixGame:
    """A zero-sum game: the row player receives ``payoff[i, j]`` from the column player.

    Parameters
    ----------
    payoff : array_like, shape [m, n]

    Raises
    ------
    InvalidInput
        Not a matrix, empty, NaN or infinity.

    Examples
    --------
    >>> game = MatrixGame([[3, -1], [-2, 4]])
    >>> game.pure_maxmin, game.pure_minmax
    (-1.0, 3.0)
    """

    payoff: Array

    def __post_init__(self) -> None:
        payoff = as_float_array("payoff", self.payoff)
        if payoff.ndim != 2 or 0 in payoff.shape:
            received = f"shape {payoff.shape}"
            raise invalid("payoff", "have shape [m, n]", received, "One row and one column for each pure strategy.")
        require_finite("payoff", payoff)
        object.__setattr__(self, "payoff", frozen(payoff))

    @property
    def pure_maxmin(self) -> float:
        """What the row player can secure without mixing: max_i min_j payoff[i, j]."""
        return float(self.payoff.min(axis=1).max())

    @property
    def pure_minmax(self) -> float:
        """What the column player can hold the row player to without mixing: min_j max_i payoff[i, j]."""
        return float(self.payoff.max(axis=0).min())

    def expected(self, x: Any, y: Any) -> float:
        """Expected payoff sum_ij x_i payoff[i, j] y_j of independent mixed strategies."""
        return float(as_float_array("x", x) @ self.payoff @ as_float_array("y", y))

    def secured(self, x: Any) -> Bounds:
        """An interval, as wide as rounding, around min over y of x'P y = min_j (x'P)_j.

        The minimum over the simplex is attained at a vertex: no y does better than the best column.

        Parameters
        ----------
        x : array_like, shape [m]
            Non-negative weights, normalised here.
        """
        return _extreme(self.payoff.T, as_weights("x", x, self.payoff.shape[0]), np.min)

    def conceded(self, y: Any) -> Bounds:
        """An interval around max over x of x'P y = max_i (P y)_i; y is normalised here."""
        return _extreme(self.payoff, as_weights("y", y, self.payoff.shape[1]), np.max)


@dataclass(frozen=True, slots=True, eq=False)
class GameSolution:
    """Both strategies and the interval they prove for the value.

    Attributes
    ----------
    game : MatrixGame
    x : ndarray [m], y : ndarray [n]
        Mixed strategies of the row and the column player; often not unique.
    bounds : Bounds
        x secures ``bounds.lower``, y concedes at most ``bounds.upper``, rounding included.
    status : Status
        OPTIMAL when the ends meet to 1e-9 of the payoffs' range, otherwise STOPPED.
    """

    game: MatrixGame
    x: Array
    y: Array
    bounds: Bounds
    status: Status

    @property
    def value(self) -> float:
        """Middle of the interval."""
        return 0.5 * (self.bounds.lower + self.bounds.upper)


def solve_game(game: MatrixGame | Any, *, backend: str = "highs") -> GameSolution:
    """Solve max over x of min over y of x'P y, and prove the value.

    Parameters
    ----------
    game : MatrixGame or array_like, shape [m, n]
    backend : {"highs", "cvxpy"}
        Who proposes the strategies.

    Returns
    -------
    GameSolution

    Raises
    ------
    InvalidInput
        The payoff is not a finite matrix.
    SolverFailed
        The linear program was not solved.

    Notes
    -----
    With all payoffs made positive (Q = P shifted and scaled into [1, 2]) the lecture's program
    max v, v <= a_j'x, sum x = 1 becomes min sum u, Q'u >= 1, u >= 0 with x = u / sum u; its dual
    max sum w, Q w <= 1, w >= 0 is the other player's program.

    Examples
    --------
    >>> solution = solve_game([[3, -1], [-2, 4]])
    >>> round(solution.value, 9), solution.x.round(9).tolist(), solution.y.round(9).tolist()
    (1.0, [0.6, 0.4], [0.5, 0.5])

    References
    ----------
    J. von Neumann, Zur Theorie der Gesellschaftsspiele, 1928.
    """
    game = game if isinstance(game, MatrixGame) else MatrixGame(game)
    m, n = game.payoff.shape
    low, high = float(game.payoff.min()), float(game.payoff.max())
    spread = high - low
    if not np.isfinite(spread):
        raise invalid("payoff", "have a range that float64 holds", f"[{low}, {high}]", "Rescale the payoffs.")
    Q = (game.payoff - low) / spread + 1.0 if spread > 0 else np.ones((m, n))
    answer = solve_lp(LinearProgram(np.ones(m), Q.T, np.ones(n), "inequality"), backend)
    if answer.x is None or answer.y is None:
        raise SolverFailed(f"the game could not be solved: {answer.stats['message']}")
    x, y = answer.x / answer.x.sum(), answer.y / answer.y.sum()
    bounds = Bounds(game.secured(x).lower, game.conceded(y).upper)
    met = bounds.gap <= MET * max(spread, abs(low), abs(high)) or bounds.gap == 0.0
    return GameSolution(game, frozen(x), frozen(y), bounds, Status.OPTIMAL if met else Status.STOPPED)


@dataclass(frozen=True, slots=True, eq=False)
class BalancedFlow:
    """The flow side of the minimax reading of W1, and the function that pays for it.

    Attributes
    ----------
    value : float
        Least cost of gamma >= 0 on pairs (u, v) whose marginals differ by p - q.
    gamma : ndarray [k, k]
        The flow, its marginals need not be p and q.
    f : ndarray [k]
        Multiplier: f(u) - f(v) + level <= cost(u, v), value = sum (p - q) f + level mass.
    level : float
        Multiplier of the total mass; 0 when the mass is free.
    """

    value: float
    gamma: Array
    f: Array
    level: float


def balanced_flow(p: Any, q: Any, cost: Any, *, mass: float | None = None) -> BalancedFlow:
    """min sum cost gamma subject to gamma >= 0 and (row sums) - (column sums) = p - q.

    This is inf over gamma of the minimax formula: sup over one function f is +inf unless the
    marginals of gamma differ by p - q.  For a metric the value is W1(p, q); for other costs it
    may be smaller, since the flow may pass through points in between.

    Parameters
    ----------
    p, q : array_like, shape [k]
        Weights of equal mass on the same k points.
    cost : array_like, shape [k, k]
        Cost of moving from point u to point v, non-negative.
    mass : float, optional
        Total mass of gamma; None leaves it free.

    Raises
    ------
    InvalidInput
        Shapes that do not fit, unequal masses, or a negative cost.
    SolverFailed
        The program has no optimum, for example a mass that no such flow has.

    Examples
    --------
    >>> flow = balanced_flow([0, 0, 1], [1, 0, 0], [[0, 1, 4], [1, 0, 1], [4, 1, 0]])
    >>> round(flow.value, 9)                  # two steps of squared length 1 instead of one of 4
    2.0
    """
    p, q, cost = _common_points(p, q, cost)
    if cost.min() < 0:
        raise invalid("cost", "be non-negative", f"an entry {cost.min()}", "A negative cycle would be free gain.")
    k = p.size
    eye, ones = sparse.eye_array(k), np.ones((1, k))
    rows: Any = sparse.kron(eye, ones) - sparse.kron(ones, eye)
    b = p - q
    if mass is not None:
        rows, b = sparse.vstack([rows, np.ones((1, k * k))]), np.append(b, mass)
    answer = solve_lp(LinearProgram(cost.ravel(), rows, b))
    if answer.x is None or answer.y is None:
        raise SolverFailed(f"the balanced flow has no optimum ({answer.status.word}): {answer.stats['message']}")
    level = float(answer.y[k]) if mass is not None else 0.0
    return BalancedFlow(answer.objective, frozen(answer.x.reshape(k, k)), frozen(answer.y[:k]), level)


def critic_payoff(f: Any, p: Any, q: Any, cost: Any) -> float:
    """inf over probability gamma of E_gamma[cost - (f(u) - f(v))] + E_p f - E_q f.

    The infimum over gamma sits on one pair, so it is the smallest cost(u, v) - (f(u) - f(v)); for
    a 1-Lipschitz f that is 0, on the diagonal.  For any f the payoff is at most the transport cost.

    Parameters
    ----------
    f : array_like, shape [k]
    p, q : array_like, shape [k]
        Weights of equal mass on the same points.
    cost : array_like, shape [k, k]

    Examples
    --------
    >>> d = [[0, 1, 2], [1, 0, 1], [2, 1, 0]]
    >>> round(critic_payoff([0, 2, 4], [.5, .3, .2], [.2, .2, .6], d), 9)
    -3.4
    """
    p, q, cost = _common_points(p, q, cost)
    f = as_float_array("f", f)
    if f.shape != p.shape:
        raise invalid("f", f"have shape [{p.size}]", f"shape {f.shape}", "Give one value per point.")
    require_finite("f", f)
    return float((cost - (f[:, None] - f[None, :])).min() + (p - q) @ f)


def _common_points(p: Any, q: Any, cost: Any) -> tuple[Array, Array, Array]:
    p, cost = as_weights("p", p, np.size(p)), as_float_array("cost", cost)
    q = as_weights("q", q, p.size)
    if cost.shape != (p.size, p.size):
        raise invalid(
            "cost", f"have shape [{p.size}, {p.size}]", f"shape {cost.shape}", "p and q live on one point list."
        )
    require_finite("cost", cost)
    if abs(p.sum() - q.sum()) > 1e-9 * p.sum():
        raise invalid("p and q", "have equal mass", f"{p.sum()} and {q.sum()}", "Normalise them first.")
    return p, q, cost


def _extreme(rows: Array, weights: Array, which: Any) -> Bounds:
    """The least or greatest weighted mean of the rows, between two floats that are proved to enclose it."""
    total = dot_bounds(weights, np.ones_like(weights))
    ends = []
    for row in rows:
        low, high = dot_bounds(row, weights)
        # Divide by the larger total where that lowers the quotient, by the smaller where it raises it; 0 stays 0.
        down, up = min(low / total[0], low / total[1]), max(high / total[0], high / total[1])
        ends.append((np.nextafter(down, -np.inf) if low else 0.0, np.nextafter(up, np.inf) if high else 0.0))
    lows, highs = zip(*ends, strict=True)
    return Bounds(float(which(lows)), float(which(highs)))
