"""Matrix games with proved value bounds.

Rows maximise, columns minimise x'P y over mixed strategies.  Any x guarantees at least
min_j (x'P)_j and any y loses at most max_i (P y)_i, so two strategies enclose the value,
wherever they come from.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from otdiv.core.bounds import Bounds, Status
from otdiv.core.options import RTOL, SolverOptions
from otdiv.core.results import HasBounds
from otdiv.core.rounding import dot_bounds
from otdiv.core.validation import Array, ReadOnlyCopies, as_float_array, as_weights, invalid, readonly, require_finite
from otdiv.duality.exact_games import MOST_EXACT_PAYOFFS, ExactStrategies, enclosing_floats, solve_game_exactly
from otdiv.errors import SolverFailed
from otdiv.linear_programming.program import LinearProgram
from otdiv.linear_programming.solve import solve_lp


@dataclass(frozen=True, slots=True, eq=False)
class MatrixGame(ReadOnlyCopies):
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
        object.__setattr__(self, "payoff", readonly(payoff))

    @property
    def pure_maxmin(self) -> float:
        """The guaranteed payoff of the row player without mixing: max_i min_j payoff[i, j]."""
        return float(self.payoff.min(axis=1).max())

    @property
    def pure_minmax(self) -> float:
        """The worst-case loss of the column player without mixing: min_j max_i payoff[i, j]."""
        return float(self.payoff.max(axis=0).min())

    def expected(self, x: Any, y: Any) -> float:
        """Expected payoff sum_ij x_i payoff[i, j] y_j of independent mixed strategies."""
        return float(as_float_array("x", x) @ self.payoff @ as_float_array("y", y))

    def guaranteed_payoff(self, x: Any) -> Bounds:
        """An interval, as wide as rounding, around min over y of x'P y = min_j (x'P)_j.

        The minimum over the simplex is attained at a vertex: no y does better than the best column.

        Parameters
        ----------
        x : array_like, shape [m]
            Non-negative weights, normalised here.
        """
        return _extreme(self.payoff.T, as_weights("x", x, self.payoff.shape[0]), np.min)

    def worst_case_loss(self, y: Any) -> Bounds:
        """An interval around max over x of x'P y = max_i (P y)_i; y is normalised here."""
        return _extreme(self.payoff, as_weights("y", y, self.payoff.shape[1]), np.max)


@dataclass(frozen=True, slots=True, eq=False)
class GameSolution(ReadOnlyCopies, HasBounds):
    """Both strategies and the interval they prove for the value.

    Attributes
    ----------
    game : MatrixGame
    x : ndarray [m], y : ndarray [n]
        Mixed strategies of the row and the column player; often not unique.
    bounds : Bounds
        x guarantees ``bounds.lower``, y loses at most ``bounds.upper``, rounding included (the strategies of
        ``exact`` where there are some).
    status : Status
        OPTIMAL where the gap is at most the larger of rtol * |value| and atol, otherwise STOPPED.
    nit : int
        Iterations of the solver.
    seconds : float
        Time of the solver; NaN for a record put together by hand.
    exact : ExactStrategies or None
        Where floats do not settle the value: both strategies and the value in fractions, of which x, y and the bounds
        are the nearest floats.
    value, lower, upper, gap, message
        Middle and ends of ``bounds``, and the status as a sentence.
    """

    game: MatrixGame
    x: Array
    y: Array
    bounds: Bounds
    status: Status
    nit: int = 0
    seconds: float = math.nan
    exact: ExactStrategies | None = None

    @property
    def value(self) -> float:
        """Middle of the interval."""
        return 0.5 * (self.bounds.lower + self.bounds.upper)


def solve_game(
    game: MatrixGame | Any, *, backend: str = "highs", rtol: float = RTOL, atol: float = 0.0
) -> GameSolution:
    """Solve max over x of min over y of x'P y, and prove the value.

    Parameters
    ----------
    game : MatrixGame or array_like, shape [m, n]
    backend : {"highs", "cvxpy"}
        The solver that proposes the strategies.
    rtol, atol : float
        Relative and absolute gap, the latter in the unit of the payoffs, at which the game counts as solved.  A game
        that floats do not solve so closely, for want of digits or because its value is 0, is solved in exact
        arithmetic if it has at most 400 payoffs.

    Returns
    -------
    GameSolution

    Raises
    ------
    InvalidInput
        The payoff is not a finite matrix; a tolerance is negative.
    SolverFailed
        The linear program was not solved.

    Notes
    -----
    With all payoffs made positive (Q = P shifted and scaled into [1, 2]) the program
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
    SolverOptions(rtol=rtol, atol=atol)  # refuses what is no tolerance
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
    bounds = Bounds(game.guaranteed_payoff(x).lower, game.worst_case_loss(y).upper)
    exact = None
    if not _settled(bounds, rtol, atol) and m * n <= MOST_EXACT_PAYOFFS:
        exact = solve_game_exactly(game.payoff)
        x, y, bounds = np.array(exact.x, float), np.array(exact.y, float), Bounds(*enclosing_floats(exact.value))
    status = Status.OPTIMAL if _settled(bounds, rtol, atol) else Status.STOPPED
    nit, seconds = int(answer.stats["iterations"]), float(answer.stats["seconds"])
    return GameSolution(game, readonly(x), readonly(y), bounds, status, nit, seconds, exact)


def _settled(bounds: Bounds, rtol: float, atol: float) -> bool:
    return bounds.gap <= max(rtol * min(abs(bounds.lower), abs(bounds.upper)), atol)


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
