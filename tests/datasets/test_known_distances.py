"""Pairs with a known distance: held against exact transport, in and off the sample."""

from __future__ import annotations

import numpy as np
import pytest

from otdiv import emd
from otdiv.datasets import power_funnels
from otdiv.datasets.known_distances import embedded, funnels, identical, radial, shift, squares
from otdiv.errors import InvalidInput
from otdiv.lipschitz import on_points

MOVED = [shift(1, 0.5), shift(4, 2.0), radial(2), radial(8, 0.25), funnels(3), squares(12, 5), embedded(radial(2), 9)]
MOVED += [power_funnels(2), power_funnels(3, 16), power_funnels(8, 64), power_funnels(1, 3, power=2.0)]


@pytest.mark.parametrize("pair", MOVED, ids=lambda p: p.name)
def test_paired_then_shuffled_samples_have_the_stated_emd(pair):
    sample = pair.sample(150, np.random.default_rng(0))
    result = emd(sample.x, sample.y)
    assert result.value == pytest.approx(sample.w1, rel=1e-9)
    assert sample.x.shape == sample.y.shape == (150, pair.d)


@pytest.mark.parametrize("pair", MOVED, ids=lambda p: p.name)
def test_the_potential_is_1_lipschitz_and_attains_the_distance(pair):
    sample = pair.sample(150, np.random.default_rng(1))
    u = pair.potential
    assert u(sample.x).mean() - u(sample.y).mean() == pytest.approx(sample.w1, rel=1e-9)
    pooled = np.concatenate([sample.x, sample.y])
    assert on_points(u(pooled), pooled).value <= 1 + 1e-9
    assert on_points(2 * u(pooled), pooled).value > 1.5  # the check sees a steeper function


@pytest.mark.parametrize("pair", [p for p in MOVED if p.w1 is not None], ids=lambda p: p.name)
def test_the_laws_distance_is_the_mean_of_the_samples(pair):
    """Mean of 20 000 distances within 5 standard errors of W1: false alarm below 1e-6."""
    x = pair.draw(20_000 if pair.d < 50 else 200, np.random.default_rng(2))
    lengths = np.linalg.norm(x - pair.move(x), axis=1)
    assert abs(lengths.mean() - pair.w1) <= 5 * lengths.std() / np.sqrt(len(x)) + 1e-9


def test_identical_laws_and_independent_samples():
    sample = identical(3).sample(100, np.random.default_rng(3))
    assert sample.w1 is None and not np.array_equal(sample.x, sample.y) and identical(3).w1 == 0
    free = shift(2, 1.0).independent(200, np.random.default_rng(4))
    assert free.w1 is None and emd(free.x, free.y).value > 0.9


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: shift(0), "d must be at least 1"),
        (lambda: radial(2, -1.0), "factor must be positive"),
        (lambda: funnels(2, factor=1.0), r"factor must lie in \[0, 1\)"),
        (lambda: funnels(2, 0), "count must be at least 1"),
        (lambda: power_funnels(0), "d must be at least 1"),
        (lambda: power_funnels(2, 0), "count must be at least 1"),
        (lambda: power_funnels(2, power=0.5), "power must be at least 1"),
        (lambda: squares(8, 9), "side must lie between 1 and 8"),
        (lambda: embedded(shift(3), 2), "d must be at least 3"),
        (lambda: shift(2).sample(0, np.random.default_rng(0)), "n must be at least 1"),
    ],
)
def test_errors(call, message):
    with pytest.raises(InvalidInput, match=message):
        call()


def test_a_seed_or_a_generator_draws_the_same():
    pair = funnels(3)
    first, second = pair.sample(20, 7), pair.sample(20, rng=np.random.default_rng(7))
    assert np.array_equal(first.x, second.x) and np.array_equal(first.y, second.y) and first.w1 == second.w1
    assert np.array_equal(pair.independent(9, 1).y, pair.independent(9, np.random.default_rng(1)).y)
    assert not np.array_equal(pair.sample(20).x, pair.sample(20).x), "without a seed every call differs"
    assert np.array_equal(
        funnels(2, rng=3).move(first.x[:, :2]), funnels(2, rng=np.random.default_rng(3)).move(first.x[:, :2])
    )
    assert np.array_equal(embedded(shift(2), 5, rng=4).sample(6, 0).x, embedded(shift(2), 5, rng=4).sample(6, 0).x)
    with pytest.raises(InvalidInput, match="rng must be a non-negative integer"):
        pair.sample(5, -1)


def test_power_funnels_move_within_the_box_and_their_own_cells():
    """Every point keeps its cone and its ray, comes nearer to the tip, and in the far end the order stays."""
    pair = power_funnels(2, 16)
    x = pair.draw(2000, np.random.default_rng(0))
    y = pair.move(x)
    assert np.abs(y).max() <= 2.5 and np.allclose(pair.potential(x) - pair.potential(y), np.linalg.norm(x - y, axis=1))
    halfway = pair.potential((x + y) / 2)
    assert np.allclose(halfway, (pair.potential(x) + pair.potential(y)) / 2)
    same = power_funnels(2, 16, power=1.0)
    assert np.allclose(same.move(x), x)
    # a ray ends at the box or at another cone: points beyond the middle of the ray exist on both
    far = np.linalg.norm(x - y, axis=1)
    assert far.max() < 3.0 and 0.2 < far.mean() < 1.5
