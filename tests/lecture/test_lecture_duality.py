"""Every row of the lecture's duality part agrees with its known number."""

import numpy as np
import pytest

from otdiv import DiscreteMeasure, common_support, emd
from otdiv.duality.transport_game import balanced_flow
from otdiv.lecture.duality import ITEMS
from otdiv.potentials.c_transform import c_transform

HERE = [f"S{k}" for k in range(25, 48)]


@pytest.mark.parametrize("item", sorted(ITEMS, key=lambda name: int(name[1:])))
def test_s25_to_s47_rows_agree(item):
    rows = list(ITEMS[item]())
    assert rows, "an item without a row shows nothing"
    for row in rows:
        assert row.item == item
        assert row.ok, f"{row.name}: {row.computed!r} instead of {row.expected!r}"
    assert len({row.name for row in rows}) == len(rows)


def test_no_item_is_missing():
    assert sorted(ITEMS, key=lambda name: int(name[1:])) == HERE


P_G, P_R = np.array([0.2, 0.2, 0.6]), np.array([0.5, 0.3, 0.2])
PLACES = np.arange(3.0)
DISTANCE = np.abs(PLACES[:, None] - PLACES[None, :])


# S39: one list of points


def test_s39_e56_the_index_of_a_point_is_not_the_point():
    """Bars at 0 and 1/2 with four heights each: index by index they look equal, on their union they are 1/2 apart."""
    heights = (np.arange(4) + 0.5) / 4
    p = DiscreteMeasure(np.column_stack([np.zeros(4), heights]))
    q = DiscreteMeasure(np.column_stack([np.full(4, 0.5), heights]))
    assert np.abs(p.weights - q.weights).max() == 0, "sum over n of p(n) f(n) - q(n) f(n) would be 0 for every f"
    points, on_p, on_q = common_support(p, q)
    assert len(points) == 8 and set(on_p) == set(on_q) == {0.0, 0.25}
    assert emd(points, points, on_p, on_q).value == pytest.approx(0.5) == pytest.approx(emd(p, q).value)


# S42: one function for two


@pytest.mark.parametrize(
    "cost", [DISTANCE, np.array([[0.0, 1, 2], [3, 0, 1], [3, 3, 0]])], ids=["metric", "quasi-metric"]
)
def test_s42_the_reduction_to_one_function_needs_only_the_triangle_inequality(cost):
    result = emd(a=P_G, b=P_R, cost=cost, method="dual")
    f = c_transform(result.g, cost=cost.T)
    assert (f[:, None] - f[None, :] <= cost + 1e-12).all() and (f >= result.f - 1e-12).all()
    assert (f <= -result.g + 1e-12).all(), "so (f, -f) is feasible and no worse than (f_g, f_r)"
    assert (P_G - P_R) @ f == pytest.approx(result.value, abs=1e-9)


@pytest.mark.parametrize(
    "p, q, cost, two, one",
    [
        ([1, 0, 0], [0, 0, 1], DISTANCE**2, 4.0, 2.0),
        (P_G, P_R, DISTANCE**2, 0.9, 0.7),
        ([0.5, 0.5], [0.5, 0.5], np.array([[1.0, 2], [2, 1]]), 1.0, 0.0),
    ],
)
def test_s42_e58_without_the_triangle_inequality_one_function_is_worth_less(p, q, cost, two, one):
    """A pointwise argument would prove the two numbers equal, for it never uses the cost between points."""
    assert emd(a=p, b=q, cost=cost).value == pytest.approx(two)
    assert balanced_flow(p, q, cost).value == pytest.approx(one)


def test_s42_e58_raising_one_potential_to_minus_the_other_breaks_other_constraints():
    f_r = np.array([0.0, 3, 0])
    f_g = c_transform(f_r, cost=DISTANCE.T)
    np.testing.assert_array_equal(f_g, [-2, -3, -2])
    assert (f_g[:, None] + f_r[None, :] <= DISTANCE).all() and P_G @ f_g + P_R @ f_r == pytest.approx(-1.3)
    raised = -f_r
    assert (raised[:, None] + f_r[None, :] - DISTANCE).max() == 2.0
    assert P_G @ raised + P_R @ f_r == pytest.approx(0.3), "a better objective, at a point that is not feasible"


def test_s42_e59_the_constraints_between_different_points_bear_on_the_objective():
    alone = np.full((3, 3), 100.0)
    np.fill_diagonal(alone, 0)
    assert emd(a=P_G, b=P_R, cost=DISTANCE).value == pytest.approx(0.7)
    assert emd(a=P_G, b=P_R, cost=alone).value == pytest.approx(40), "the same diagonal, other distances, another value"


def test_s42_e60_the_printed_chain_does_not_bound_what_a_fixed_maximum_allows():
    p1, p2, t1, t2 = 0.2, 0.5, -5, 3
    least, middle, most = p2 * t1 + p1 * t2, p2 * t2 + p1 * t1, p2 * t2 - p1 * t2
    assert (least, middle, most) == pytest.approx((-1.9, 0.5, 0.9))
    grid = np.linspace(-5, 5, 101)
    reachable = max(p1 * s + p2 * t for s in grid for t in grid if s + t <= 1e-12)
    assert reachable == pytest.approx(5 * abs(p1 - p2)) and reachable > most


# S43: Kantorovich and Rubinstein


def test_s43_the_single_function_program_equals_the_primal():
    rng = np.random.default_rng(0)
    for _ in range(50):
        points = rng.normal(size=(6, 2))
        p, q = rng.dirichlet(np.ones(6), size=2)
        distances = np.linalg.norm(points[:, None] - points[None], axis=2)
        assert balanced_flow(p, q, distances).value == pytest.approx(emd(points, points, p, q).value, abs=1e-12)


def test_s43_e62_exchanging_the_expectations_turns_f_into_minus_f():
    one, other = balanced_flow(P_R, P_G, DISTANCE), balanced_flow(P_G, P_R, DISTANCE)
    assert one.value == pytest.approx(other.value)
    assert (P_G - P_R) @ -one.f == pytest.approx(other.value)
