"""Constants in the plane from all linear pieces: those that linear programs and breakpoints give, and never below."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from otdiv.lipschitz import Layer, activation, box_constant
from otdiv.lipschitz import linear_pieces as module
from otdiv.lipschitz.layers import evaluate
from otdiv.lipschitz.linear_pieces import steepest_pieces

RELU, LEAKY, IDENTITY = activation("relu"), activation("leaky_relu", 0.2), activation("identity")
LOW, HIGH = np.array([-1.0, -1.0]), np.array([1.0, 1.0])


def network(*sizes, sigma=RELU, seed=0, weights=None):
    rng = np.random.default_rng(seed)
    layers = []
    for k, (p, q) in enumerate(zip(sizes, sizes[1:], strict=False)):
        W, b = (rng.normal(size=(q, p)) / np.sqrt(p), rng.normal(size=q) / 2) if weights is None else weights[k]
        layers.append(Layer(W, b, IDENTITY if k == len(sizes) - 2 else sigma))
    return layers


def inner_radius(rows, limits):
    """Radius of the largest disc in {z: rows z <= limits} within the box, by a linear program; -1 where it is empty."""
    sides = np.vstack([rows, np.eye(2), -np.eye(2)])
    bounds = np.concatenate([limits, HIGH, -LOW])
    found = linprog(
        [0, 0, -1], np.column_stack([sides, np.linalg.norm(sides, axis=1)]), bounds, bounds=[(None, None)] * 3
    )
    return found.x[2] if found.status == 0 else -1.0


def by_linear_programs(layers, least=1e-7):
    """The largest slope over all patterns of signs that hold on a disc of at least this radius."""
    hidden = layers[:-1]
    best = 0.0
    for pattern in product([0, 1], repeat=sum(len(one.bias) for one in hidden)):
        A, b, rows, limits, at = np.eye(2), np.zeros(2), [], [], 0
        for one in hidden:
            A, b = one.weight @ A, one.weight @ b + one.bias
            on = np.array(pattern[at : at + len(b)])
            at += len(b)
            sign = np.where(on, -1.0, 1.0)  # on: -(A z + b) <= 0
            rows.append(sign[:, None] * A)
            limits.append(-sign * b)
            low, high = one.activation.two_slopes
            slope = np.where(on, high, low)
            A, b = slope[:, None] * A, slope * b
        if inner_radius(np.vstack(rows), np.concatenate(limits)) > least:
            best = max(best, float(np.linalg.norm(layers[-1].weight @ A, 2)))
    return best


def constant(layers, low=LOW, high=HIGH):
    upper, lower = box_constant(layers, low, high)
    assert upper.how.startswith("all ") and "linear pieces" in upper.how
    return upper.value, lower.value


@pytest.mark.parametrize("sigma", [RELU, LEAKY], ids=["relu", "leaky"])
@pytest.mark.parametrize("sizes", [(2, 5, 1), (2, 3, 3, 1), (2, 3, 3, 2), (2, 2, 2, 2, 1)])
def test_the_constant_is_that_of_all_patterns_that_a_linear_program_finds(sizes, sigma):
    for seed in range(3):
        layers = network(*sizes, sigma=sigma, seed=seed)
        upper, lower = constant(layers)
        assert upper == pytest.approx(by_linear_programs(layers), rel=1e-9)
        assert lower == pytest.approx(upper, rel=1e-9) and lower <= upper


numbers = st.integers(-2, 2).map(float)


@pytest.mark.slow
@given(st.lists(numbers, min_size=23, max_size=23))
def test_lines_that_coincide_vanish_or_meet_in_one_point(values):
    """Whole weights: units that are 0 everywhere, equal or opposite ones, many lines through a point."""
    v = np.array(values)
    weights = [
        (v[:6].reshape(3, 2), v[6:9]),
        (v[9:15].reshape(2, 3), v[15:17]),
        (np.array([[1.0, -1.0]]) + v[17:19] * 0.5, v[19:20]),
    ]
    layers = network(2, 3, 2, 1, weights=weights)
    upper, lower = (bound.value for bound in box_constant(layers, LOW, HIGH))  # boxes, where all is 0
    assert lower <= upper * (1 + 1e-12)
    assert by_linear_programs(layers) <= upper * (1 + 1e-9)
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-1, 1, size=(2, 500, 2))
    x[::2] = y[::2] + 1e-3 * (x[::2] - y[::2])
    rise = np.abs(evaluate(layers, x)[0] - evaluate(layers, y)[0])[:, 0]
    assert (rise <= upper * np.linalg.norm(x - y, axis=1) * (1 + 1e-9) + 1e-12).all()


def test_on_a_line_the_slopes_between_breakpoints_are_gone_through():
    layers = network(1, 8, 8, 1, seed=4)
    upper, lower = constant(layers, np.array([-2.0]), np.array([3.0]))
    grid = np.linspace(-2, 3, 400_001)
    values = evaluate(layers, grid[:, None])[0][:, 0]
    assert upper == pytest.approx(np.abs(np.diff(values)).max() / (grid[1] - grid[0]), rel=1e-6)
    assert lower == pytest.approx(upper, rel=1e-9)


def test_a_steep_spot_that_a_grid_misses_is_found():
    """A bump of width 2e-5 and slope 1000 in a function of slope 1."""
    bump = np.array([1.0, -2.0, 1.0]) * 1000
    hidden = Layer(np.array([[1.0, 0], [1.0, 0], [1.0, 0], [0, 1.0]]), np.array([-0.3, -0.30001, -0.30002, 0]), RELU)
    layers = [hidden, Layer(np.array([[*bump, 1.0]]), np.zeros(1), IDENTITY)]
    upper, lower = constant(layers)
    assert upper == pytest.approx(np.hypot(1000, 1)) and lower == pytest.approx(upper)


def test_slopes_do_not_depend_on_where_and_how_large_the_box_is():
    layers = network(2, 6, 6, 1, seed=5)
    first = layers[0]
    for scale, shift in [(1e-6, 0.0), (1e6, 0.0), (1.0, 1e5), (1e-3, 10.0)]:
        moved = Layer(first.weight / scale, first.bias - first.weight @ np.full(2, shift / scale), first.activation)
        upper, _ = constant([moved, *layers[1:]], LOW * scale + shift, HIGH * scale + shift)
        assert upper * scale == pytest.approx(constant(layers)[0], rel=1e-6)


def test_what_one_weight_changes_is_seen():
    layers = network(2, 4, 3, 1, seed=6)
    changed = layers[-1].weight.copy()
    changed[0, int(np.argmax(np.abs(changed)))] *= 1.01
    other = [*layers[:-1], Layer(changed, layers[-1].bias, IDENTITY)]
    assert constant(other)[0] != pytest.approx(constant(layers)[0], rel=1e-4)
    assert constant(other)[0] == pytest.approx(by_linear_programs(other), rel=1e-9)


def test_a_part_that_is_left_out_lowers_the_constant(monkeypatch):
    """What the search rests on: cut without the parts where a unit is on, and the bound is too low."""
    layers = network(2, 6, 1, seed=1)
    whole = constant(layers)[0]

    def only_off(polygons, corners, A, *rest):
        count = cut(polygons, corners, A, *rest)
        rest[3][:count] = False
        return count

    cut = module.cut
    monkeypatch.setattr(module, "cut", only_off)
    assert constant(layers)[0] < whole * 0.999


def test_too_many_pieces_and_hidden_signs_are_left_to_boxes():
    layers = network(2, 16, 16, 1)
    exact = box_constant(layers, LOW, HIGH)[0]
    upper, lower = box_constant(layers, LOW, HIGH, most_pieces=10, most_boxes=2000)
    assert "interval Jacobians" in upper.how and lower.value <= exact.value <= upper.value
    assert steepest_pieces(layers, LOW + 1e9, LOW + 1e9 + 1e-3, 10_000) is None  # the box is as narrow as rounding
    assert steepest_pieces(layers, LOW, LOW, 10_000) is None
    huge = [Layer(one.weight * 1e300, one.bias, RELU) for one in layers[:2]]
    assert steepest_pieces([*huge, layers[2]], LOW, HIGH, 10_000) is None


def test_a_last_layer_with_an_activation_is_cut_too():
    layers = [*network(2, 4, 1, seed=2)[:1], Layer(np.ones((1, 4)), np.array([-0.7]), RELU)]
    followed = [*layers, Layer(np.eye(1), np.zeros(1), IDENTITY)]
    assert constant(layers)[0] == pytest.approx(constant(followed)[0], rel=1e-9)
    assert constant(layers)[0] == pytest.approx(by_linear_programs(followed), rel=1e-9)


def test_affine_layers_between_are_passed_through():
    a, b, c = network(2, 4, 3, 1, seed=3)
    middle = Layer(np.array([[1.0, 2, 0], [0, 1, 0], [0.5, 0, 1]]), np.array([1.0, -1, 0]), IDENTITY)
    folded = Layer(middle.weight @ b.weight, middle.weight @ b.bias + middle.bias, RELU)
    pair = [a, Layer(b.weight, b.bias, IDENTITY), Layer(middle.weight, middle.bias, RELU), c]
    assert constant(pair)[0] == pytest.approx(constant([a, folded, c])[0], rel=1e-9)
    alone = [Layer(a.weight, a.bias, IDENTITY)]
    assert constant(alone)[0] == pytest.approx(np.linalg.norm(a.weight, 2), rel=1e-9)
