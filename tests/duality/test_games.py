"""Matrix games with proved bounds, and W1 as a game between a flow and one function (S44 to S47)."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otdiv.core.bounds import Status
from otdiv.core.results import Result
from otdiv.duality import GameSolution, MatrixGame, balanced_flow, critic_payoff, solve_game
from otdiv.errors import InvalidInput, SolverFailed
from otdiv.linear_programming import RationalProgram, solve_exact

PENNIES = MatrixGame([[3, -1], [-2, 4]])
P_R, P_G = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.2, 0.6])
PLACES = np.arange(3.0)
DISTANCE = np.abs(PLACES[:, None] - PLACES[None, :])
SQUARED = DISTANCE**2


def exact_value(payoff):
    """The value of a game by the exact simplex, on payoffs shifted to be positive."""
    shift = 1 - min(min(row) for row in payoff)
    columns = list(zip(*[[Fraction(v) + shift for v in row] for row in payoff], strict=True))
    answer = solve_exact(RationalProgram([1] * len(payoff), columns, [1] * len(columns), "inequality"))
    return 1 / answer.objective - shift


def transport(p, q, cost):
    """Transport cost by the exact simplex: the reference."""
    k = len(p)
    A = np.vstack([np.kron(np.eye(k), np.ones(k)), np.kron(np.ones(k), np.eye(k))]).astype(int)
    b = [Fraction(str(v)) for v in (*p, *q)]
    return float(solve_exact(RationalProgram(np.ravel(cost), A, b)).objective)


# S44: what the payoff is


def test_s44_expected_payoff_and_its_minimum_at_a_vertex():
    half = np.array([0.5, 0.5])
    np.testing.assert_allclose(half @ PENNIES.payoff, [0.5, 1.5])
    assert PENNIES.expected(half, half) == 1.0
    guaranteed = PENNIES.guaranteed_payoff(half)
    assert 0.5 in guaranteed and guaranteed.gap < 1e-15
    rng = np.random.default_rng(0)
    assert min(PENNIES.expected(half, y) for y in rng.dirichlet([1, 1], size=500)) >= guaranteed.lower


def test_s44_e63_the_payoff_is_a_sum_and_not_the_least_of_its_terms():
    half = np.array([0.5, 0.5])
    printed = min(float((y * (half @ PENNIES.payoff)).min()) for y in np.eye(2))
    assert printed == 0.0 and PENNIES.guaranteed_payoff(half).lower == pytest.approx(0.5)


def test_s44_e64_the_formula_needs_independent_strategies():
    half = np.array([0.5, 0.5])
    together = np.diag(half)  # both players follow one coin
    assert (together * PENNIES.payoff).sum() == 3.5 != PENNIES.expected(half, half)


# S45: the value


@pytest.mark.parametrize("backend", ["highs", "cvxpy"])
def test_s45_game_value_and_strategies(backend):
    solution = solve_game(PENNIES, backend=backend)
    assert solution.status is Status.OPTIMAL and 1.0 in solution.bounds and solution.bounds.gap < 1e-8
    np.testing.assert_allclose(solution.x, [0.6, 0.4], atol=1e-8)
    np.testing.assert_allclose(solution.y, [0.5, 0.5], atol=1e-8)
    assert (PENNIES.pure_maxmin, PENNIES.pure_minmax) == (-1, 3)


def test_s45_rock_paper_scissors_and_a_game_with_many_optimal_strategies():
    hands = solve_game([[0, -1, 1], [1, 0, -1], [-1, 1, 0]])
    assert 0.0 in hands.bounds and hands.value == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(hands.x, 1 / 3, atol=1e-9)
    rows = solve_game([[1, 4], [3, 2], [0, 5]])
    assert 2.5 in rows.bounds
    game = rows.game
    assert (
        game.guaranteed_payoff([0.25, 0.75, 0]).lower
        == game.guaranteed_payoff([0, 5 / 6, 1 / 6]).lower
        == pytest.approx(2.5)
    )


def test_s45_e65_without_mixing_and_without_concavity_max_min_is_less_than_min_max():
    """(x - y)^2 on [0, 1]: x gains 0 for sure, y loses 1/4; on a grid mixed strategies close that gap."""
    grid = np.linspace(0, 1, 21)
    game = MatrixGame((grid[:, None] - grid[None, :]) ** 2)
    assert (game.pure_maxmin, game.pure_minmax) == (0.0, 0.25)
    assert solve_game(game).value == pytest.approx(0.25, abs=1e-9), "y = 1/2 against x = 0 or 1 with equal chance"


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.integers(0, 10**6))
def test_s45_the_bounds_contain_the_exact_value(seed):
    rng = np.random.default_rng(seed)
    payoff = rng.integers(-9, 10, size=rng.integers(1, 6, size=2))
    solution = solve_game(payoff)
    value = exact_value(payoff.tolist())
    assert Fraction(solution.bounds.lower) <= value <= Fraction(solution.bounds.upper)
    assert solution.status is Status.OPTIMAL and solution.bounds.gap <= 1e-12
    assert solution.x.min() >= 0 and solution.x.sum() == pytest.approx(1)
    assert solution.game.pure_maxmin - 1e-12 <= solution.value <= solution.game.pure_minmax + 1e-12


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 10**6))
def test_any_two_strategies_enclose_the_value_exactly(seed):
    """No solver: for arbitrary x and y both bounds are checked in rational arithmetic."""
    rng = np.random.default_rng(seed)
    game = MatrixGame(rng.normal(size=rng.integers(1, 5, size=2)) * 10.0 ** rng.integers(-3, 4))
    m, n = game.payoff.shape
    x, y = rng.random(m) + 1e-3, rng.random(n) + 1e-3
    P = [[Fraction(v) for v in row] for row in game.payoff]
    X, Y = [Fraction(v) for v in x], [Fraction(v) for v in y]
    least = min(sum(X[i] * P[i][j] for i in range(m)) for j in range(n)) / sum(X)
    most = max(sum(P[i][j] * Y[j] for j in range(n)) for i in range(m)) / sum(Y)
    guaranteed, loss = game.guaranteed_payoff(x), game.worst_case_loss(y)
    assert Fraction(guaranteed.lower) <= least <= Fraction(guaranteed.upper)
    assert Fraction(loss.lower) <= most <= Fraction(loss.upper)
    assert guaranteed.lower <= loss.upper


def test_games_scale_and_degenerate_payoffs():
    big = solve_game(1e12 * PENNIES.payoff)
    assert big.status is Status.OPTIMAL and big.value == pytest.approx(1e12)
    shifted = solve_game(PENNIES.payoff + 1e6)
    assert shifted.value == pytest.approx(1e6 + 1, rel=1e-12)
    assert solve_game([[7.0]]).bounds.contains(7.0)
    assert solve_game(np.full((2, 3), -2.0)).bounds.contains(-2.0)
    nothing = solve_game(np.zeros((2, 1)))
    assert nothing.status is Status.OPTIMAL and nothing.bounds.lower == nothing.bounds.upper == 0.0
    saddle = solve_game([[2, 3], [1, 0]])
    assert saddle.game.pure_maxmin == saddle.game.pure_minmax == pytest.approx(saddle.value)


@pytest.mark.parametrize("payoff", [[1, 2], [[]], [[np.nan]], [[np.inf, 1]], [["a"]], [[-1e308, 1.7e308]]])
def test_bad_payoffs_are_refused(payoff):
    with pytest.raises(InvalidInput, match="payoff"):
        solve_game(payoff)
    with pytest.raises(InvalidInput, match="x must have shape"):
        PENNIES.guaranteed_payoff([1, 0, 0])
    with pytest.raises(InvalidInput, match="y must be non-negative"):
        PENNIES.worst_case_loss([-1, 2])


def test_a_solver_without_an_answer_raises(monkeypatch):
    from otdiv.linear_programming import backends as lp_backends
    from otdiv.linear_programming import solve as linear_program

    def silent(rows, *rest):
        return lp_backends.Answer("failed", None, None, "none", "no answer", 0.0, 0)

    monkeypatch.setattr(linear_program, "by_highs", silent)
    with pytest.raises(SolverFailed, match="no answer"):
        solve_game(PENNIES)
    with pytest.raises(SolverFailed, match="no answer"):
        balanced_flow(P_R, P_G, DISTANCE)


def test_wrong_strategies_give_a_wide_interval_and_never_a_wrong_value():
    assert PENNIES.guaranteed_payoff([1, 0]).lower == pytest.approx(-1) and PENNIES.worst_case_loss(
        [1, 0]
    ).upper == pytest.approx(3)
    assert PENNIES.guaranteed_payoff([1, 0]).lower < 1 < PENNIES.worst_case_loss([1, 0]).upper


# S46: the minimax reading of W1


def test_s46_balanced_flow_equals_w1_for_a_metric():
    for mass in (None, 1.0):
        flow = balanced_flow(P_R, P_G, DISTANCE, mass=mass)
        assert flow.value == pytest.approx(0.7, abs=1e-9)
        np.testing.assert_allclose(flow.gamma.sum(axis=1) - flow.gamma.sum(axis=0), P_R - P_G, atol=1e-9)
        assert (flow.f[:, None] - flow.f[None, :] + flow.level <= DISTANCE + 1e-9).all()
        assert (P_R - P_G) @ flow.f + flow.level * (mass or 0) == pytest.approx(0.7, abs=1e-9)
        assert critic_payoff(flow.f, P_R, P_G, DISTANCE) == pytest.approx(0.7, abs=1e-9), "sup inf = inf sup"


@pytest.mark.parametrize(
    "p, q, free, one", [([0, 0, 1], [1, 0, 0], 2, 4), (P_R, P_G, 0.7, 0.7)], ids=["two points", "three points"]
)
def test_s46_for_squared_cost_the_flow_goes_in_small_steps(p, q, free, one):
    assert balanced_flow(p, q, SQUARED).value == pytest.approx(free, abs=1e-9)
    assert balanced_flow(p, q, SQUARED, mass=1.0).value == pytest.approx(one, abs=1e-9)
    assert transport(p, q, SQUARED) == pytest.approx(4 if one == 4 else 0.9)


def test_s46_e66_sup_sup_is_not_inf_sup():
    """The printed middle line takes the supremum over gamma: with f = 0 the worst pair alone costs 2 > W = .7."""
    assert DISTANCE.max() == 2.0 > balanced_flow(P_R, P_G, DISTANCE).value
    rng = np.random.default_rng(0)
    payoffs = [critic_payoff(f, P_R, P_G, DISTANCE) for f in rng.normal(size=(2000, 3))]
    assert max(payoffs) <= 0.7 + 1e-12, "inf over gamma stays below W for every f"


def test_s46_e67_one_function_fixes_only_the_difference_of_the_marginals():
    gamma = np.array([[0.3, 0.2, 0.1], [0.0, 0.1, 0.3], [0.0, 0.0, 0.0]])
    rows, columns = gamma.sum(axis=1), gamma.sum(axis=0)
    np.testing.assert_allclose(rows, [0.6, 0.4, 0])
    np.testing.assert_allclose(columns, [0.3, 0.3, 0.4])
    np.testing.assert_allclose(rows - columns, P_R - P_G, atol=1e-15)
    assert gamma.sum() == pytest.approx(1) and (gamma * DISTANCE).sum() == pytest.approx(0.7)
    assert balanced_flow(P_R, P_G, DISTANCE, mass=1.0).value == pytest.approx((gamma * DISTANCE).sum())
    assert np.abs(rows - P_R).max() > 0.05, "an optimal flow of mass 1 which is no transport plan"


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 10**6))
def test_s46_flow_is_at_most_transport_and_equal_for_metrics(seed):
    rng = np.random.default_rng(seed)
    k = int(rng.integers(2, 5))
    p, q = (rng.multinomial(10, np.ones(k) / k) / 10 for _ in range(2))
    points = rng.integers(0, 6, size=(k, 2)).astype(float)
    metric = np.abs(points[:, None] - points[None]).sum(axis=2)
    assert balanced_flow(p, q, metric).value == pytest.approx(transport(p, q, metric), abs=1e-9)
    any_cost = rng.integers(0, 9, size=(k, k)).astype(float)
    assert balanced_flow(p, q, any_cost).value <= transport(p, q, any_cost) + 1e-9


# S47: what the Lipschitz bound does


def test_s47_a_1_lipschitz_function_has_its_best_pair_on_the_diagonal():
    for f in (PLACES, -PLACES, np.abs(PLACES - 1), np.zeros(3)):
        assert critic_payoff(f, P_R, P_G, DISTANCE) == pytest.approx((P_R - P_G) @ f)
    assert critic_payoff(-PLACES, P_R, P_G, DISTANCE) == pytest.approx(0.7)


def test_s47_e68_a_steeper_function_has_a_finite_payoff_below_w():
    assert critic_payoff(2 * PLACES, P_R, P_G, DISTANCE) == pytest.approx(-3.4)
    assert critic_payoff(-2 * PLACES, P_R, P_G, DISTANCE) == pytest.approx(-0.6)
    # With free mass the same f is worth -inf: the pair that costs -2 can be used without end.
    assert (DISTANCE - (2 * PLACES[:, None] - 2 * PLACES[None, :])).min() == -2


@pytest.mark.parametrize(
    "arguments, word",
    [
        ((P_R, P_G[:2], DISTANCE), "q must have shape"),
        ((P_R, P_G, DISTANCE[:2]), "cost must have shape"),
        ((P_R, 2 * P_G, DISTANCE), "equal mass"),
        ((P_R, P_G, -DISTANCE), "cost must be non-negative"),
        ((P_R, P_G, DISTANCE * np.nan), "cost must be finite"),
    ],
)
def test_bad_flows_are_refused(arguments, word):
    with pytest.raises(InvalidInput, match=word):
        balanced_flow(*arguments)


def test_a_flow_that_cannot_have_its_mass_raises():
    with pytest.raises(SolverFailed, match="infeasible"):
        balanced_flow([0, 0, 1], [1, 0, 0], DISTANCE, mass=0.5)
    with pytest.raises(InvalidInput, match="f must have shape"):
        critic_payoff([1, 2], P_R, P_G, DISTANCE)


def test_a_solution_is_a_result():
    solution = solve_game([[3, -1], [-2, 4]])
    assert isinstance(solution, Result)
    assert (solution.lower, solution.upper, solution.gap) == (
        solution.bounds.lower,
        solution.bounds.upper,
        solution.bounds.gap,
    )
    assert solution.lower <= solution.value <= solution.upper and solution.value == pytest.approx(1)
    assert solution.message == solution.status.message and solution.nit >= 1 and 0 < solution.seconds < 60
    by_hand = GameSolution(solution.game, solution.x, solution.y, solution.bounds, solution.status)
    assert by_hand.nit == 0 and np.isnan(by_hand.seconds)


@pytest.mark.parametrize(
    ("payoff", "value"),
    [
        # one row settles it: the value is an entry 15 decades below the largest
        ([[1e15, 1.0], [3.0, 2.0]], 2.0),
        # [[a, b], [c, d]] without a saddle: (a d - b c) / (a + d - b - c)
        ([[1e15, 1.0], [2.0, 3.0]], Fraction(3 * 10**15 - 2, 10**15)),
        ([[1e-15, -1.0], [-1e-15, 1.0]], None),
        ([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]], 0.0),
        ([[1e8, -1e-8], [-1e-8, 1e-15]], None),
    ],
)
def test_payoffs_that_differ_by_many_decades(payoff, value):
    if value is None:
        (a, b), (c, d) = [[Fraction(entry) for entry in row] for row in payoff]
        value = (a * d - b * c) / (a + d - b - c)
    solution = solve_game(payoff)
    assert solution.status is Status.OPTIMAL
    assert Fraction(solution.lower) <= value <= Fraction(solution.upper)
    assert solution.gap <= 1e-9 * abs(solution.value)


@pytest.mark.parametrize("seed", range(20))
def test_no_game_is_called_optimal_whose_interval_is_open(seed):
    rng = np.random.default_rng(seed)
    shape = rng.integers(1, 8, 2)
    payoff = rng.normal(size=shape) * 10.0 ** rng.uniform(-15, 15, shape)
    solution = solve_game(payoff)
    assert solution.status is Status.OPTIMAL and solution.gap <= 1e-9 * abs(solution.value)
    if solution.exact is not None:  # what both guarantee, in fractions
        P = [[Fraction(float(entry)) for entry in row] for row in payoff]
        x, y = solution.exact.x, solution.exact.y
        assert (
            min(sum(u * row[j] for u, row in zip(x, P, strict=True)) for j in range(shape[1])) == solution.exact.value
        )
        assert max(sum(v * w for v, w in zip(row, y, strict=True)) for row in P) == solution.exact.value


def test_a_large_game_of_value_zero_is_settled_by_an_absolute_gap():
    rng = np.random.default_rng(3)
    skew = rng.normal(size=(25, 25))
    skew -= skew.T
    assert solve_game(skew).status is Status.STOPPED
    settled = solve_game(skew, atol=1e-9)
    assert settled.status is Status.OPTIMAL and settled.bounds.contains(0.0)
    with pytest.raises(InvalidInput, match="atol must be a non-negative number"):
        solve_game(skew, atol=-1)
