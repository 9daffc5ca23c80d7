"""Lecture items S42 to S47: from two potentials to one function, matrix games, and W1 as a game."""

from __future__ import annotations

import numpy as np

from otdiv.duality.transport_game import balanced_flow, critic_payoff
from otdiv.duality.zero_sum_games import MatrixGame, solve_game
from otdiv.lecture.examples import GENERATED, REAL
from otdiv.lecture.finite_differences import largest
from otdiv.lecture.record import Items, LectureRow, Rows
from otdiv.potentials.c_transform import c_transform
from otdiv.transport.solve import emd

PLACES = np.arange(3.0)
DISTANCE = np.abs(PLACES[:, None] - PLACES[None, :])
FIRST, LAST = np.array([1.0, 0, 0]), np.array([0, 0, 1.0])


QUASI_METRIC = np.array([[0.0, 1, 2], [3, 0, 1], [3, 3, 0]])  # the triangle inequality without symmetry


def s42() -> Rows:
    """One function replaces the two potentials where the triangle inequality holds, and only there."""
    g = emd(PLACES, PLACES, GENERATED, REAL, method="dual").g
    f = c_transform(g, cost=DISTANCE.T)
    excess = float((f[:, None] - f[None, :] - DISTANCE).max())
    yield LectureRow("S42", "Lipschitz excess of min over y of d(x, y) - f_r(y)", max(0.0, excess), 0.0)
    yield LectureRow("S42", "its value, sum p_g f - p_r f", float((GENERATED - REAL) @ f), 0.7)
    uniform = np.array([0.5, 0.5])
    for name, p, q, cost, two, one in (
        ("distance", GENERATED, REAL, DISTANCE, 0.7, 0.7),
        ("quasi-metric", GENERATED, REAL, QUASI_METRIC, 1.2, 1.2),
        ("squared, delta_0 and delta_2", FIRST, LAST, DISTANCE**2, 4.0, 2.0),
        ("squared, three points", GENERATED, REAL, DISTANCE**2, 0.9, 0.7),
        ("cost 1 on the diagonal", uniform, uniform, np.array([[1.0, 2], [2, 1]]), 1.0, 0.0),
    ):
        yield LectureRow("S42", f"{name}: two potentials", emd(a=p, b=q, cost=cost, method="dual").lower, two)
        yield LectureRow("S42", f"{name}: one function", balanced_flow(p, q, cost).value, one)


def s43() -> Rows:
    """W = max over 1-Lipschitz f of E_{p_r} f - E_{p_g} f."""
    yield LectureRow("S43", "max over f(x) - f(y) <= d(x, y)", balanced_flow(REAL, GENERATED, DISTANCE).value, 0.7)
    rng = np.random.default_rng(0)
    worst = 0.0
    for _ in range(10):
        points = rng.normal(size=(6, 2))
        p, q = rng.dirichlet(np.ones(6), size=2)
        distances = np.linalg.norm(points[:, None] - points[None], axis=2)
        worst = max(worst, abs(balanced_flow(p, q, distances).value - emd(points, points, p, q).value))
    yield LectureRow("S43", "10 random problems, largest difference from the primal", worst, 0.0)


def s44() -> Rows:
    """The payoff is the sum over j of y_j x'a_j, and its minimum over y sits on one column."""
    game = MatrixGame(np.array([[3.0, -1], [-2, 4]]))
    half = np.array([0.5, 0.5])
    yield LectureRow("S44", "x'A for x = (.5, .5), less (.5, 1.5)", largest(half @ game.payoff - [0.5, 1.5]), 0.0)
    yield LectureRow("S44", "min over y of x'Ay", game.guaranteed_payoff(half).lower, 0.5)
    yield LectureRow("S44", "x'Ay at y = (.5, .5)", game.expected(half, half), 1.0)
    # min over y and j of y_j x'a_j: some y_j is 0 at a vertex, so nothing is left of the game.
    literal = min(float((y * (half @ game.payoff)).min()) for y in np.eye(2))
    yield LectureRow("S44", "min over y and j of y_j x'a_j, as printed", literal, 0.0)


def s45() -> Rows:
    """The value by linear programming, between the guaranteed payoff of x and the worst-case loss of y."""
    pennies = solve_game([[3, -1], [-2, 4]])
    yield LectureRow("S45", "value of [[3,-1],[-2,4]], guaranteed by x", pennies.bounds.lower, 1.0)
    yield LectureRow("S45", "value of [[3,-1],[-2,4]], at most lost by y", pennies.bounds.upper, 1.0)
    yield LectureRow("S45", "x - (.6, .4)", largest(pennies.x - [0.6, 0.4]), 0.0)
    yield LectureRow("S45", "y - (.5, .5)", largest(pennies.y - [0.5, 0.5]), 0.0)
    yield LectureRow("S45", "pure maxmin", pennies.game.pure_maxmin, -1.0)
    yield LectureRow("S45", "pure minmax", pennies.game.pure_minmax, 3.0)
    hands = solve_game([[0, -1, 1], [1, 0, -1], [-1, 1, 0]])
    yield LectureRow("S45", "rock, paper, scissors", hands.value, 0.0)
    yield LectureRow("S45", "its x - 1/3", largest(hands.x - 1 / 3), 0.0)
    yield LectureRow("S45", "value of [[1,4],[3,2],[0,5]]", solve_game([[1, 4], [3, 2], [0, 5]]).value, 2.5)


def s46() -> Rows:
    """inf over flows = sup over f; equal to the transport cost for a metric, smaller for squared cost."""
    yield LectureRow("S46", "balanced flow, free mass", balanced_flow(REAL, GENERATED, DISTANCE).value, 0.7)
    with_mass = balanced_flow(REAL, GENERATED, DISTANCE, mass=1.0)
    yield LectureRow("S46", "balanced flow of mass 1", with_mass.value, 0.7)
    yield LectureRow("S46", "sup over f of the payoff", critic_payoff(with_mass.f, REAL, GENERATED, DISTANCE), 0.7)
    squared = DISTANCE**2
    for name, p, q, free, one, transport in (
        ("squared, delta_2 and delta_0", LAST, FIRST, 2.0, 4.0, 4.0),
        ("squared, three points", REAL, GENERATED, 0.7, 0.7, 0.9),
    ):
        yield LectureRow("S46", f"{name}: free mass", balanced_flow(p, q, squared).value, free)
        yield LectureRow("S46", f"{name}: mass 1", balanced_flow(p, q, squared, mass=1.0).value, one)
        yield LectureRow("S46", f"{name}: transport", emd(PLACES, PLACES, p, q, cost="sqeuclidean").value, transport)


def s47() -> Rows:
    """For a 1-Lipschitz f the best pair costs 0; otherwise it is negative, and the payoff still at most W."""
    for name, f, pair, payoff in (
        ("x", PLACES, 0.0, -0.7),
        ("-x", -PLACES, 0.0, 0.7),
        ("2x", 2 * PLACES, -2.0, -3.4),
        ("-2x", -2 * PLACES, -2.0, -0.6),
    ):
        value = critic_payoff(f, REAL, GENERATED, DISTANCE)
        least = value - float((REAL - GENERATED) @ f)
        yield LectureRow("S47", f"f = {name}: smallest d - (f(x1) - f(x2))", least, pair)
        yield LectureRow("S47", f"f = {name}: payoff", value, payoff)
    one_way = np.array([[100.0, 4], [100, 100]])  # only the pair (0, 1) is cheap, at distance 4
    for step, expected in ((3, 1.0), (-3, 7.0)):
        least = critic_payoff([step, 0], [0.5, 0.5], [0.5, 0.5], one_way)
        yield LectureRow("S47", f"distance 4, f(x1) - f(x2) = {step}", least, expected)


ITEMS: Items = {"S42": s42, "S43": s43, "S44": s44, "S45": s45, "S46": s46, "S47": s47}
