"""Memorisation and the test of samples: exact distances, p-values that are valid, copies that are found."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from otdiv.errors import InvalidInput
from otdiv.sample_quality import memorisation
from otdiv.sample_quality.exchange_test import w1_test


def w1(x, y):
    cost = cdist(x, y)
    return cost[linear_sum_assignment(cost)].mean()


def test_distances_are_exact():
    rng = np.random.default_rng(0)
    g, x, y = rng.normal(size=(3, 30, 2))
    found = memorisation(g, x, y, permutations=19)
    assert found.to_train.lower == pytest.approx(w1(g, x), rel=1e-12)
    assert found.to_test.lower == pytest.approx(w1(g, y), rel=1e-12)
    nearest = cdist(g, x).min(axis=1) < cdist(g, y).min(axis=1)
    assert found.nearer_to_train.count == nearest.sum() and found.size == 30


def test_copies_are_found():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 60, 2))
    g = np.concatenate([x[:20], rng.normal(size=(40, 2))])
    found = memorisation(g, x, y)
    assert found.copies == 20 and found.p_nearest < 0.03 and found.nearer_to_train.lower > 0.5
    assert memorisation(rng.normal(size=(60, 2)), x, y).copies == 0
    assert "20 exact copies" in str(found) and json.dumps(found.to_dict(), allow_nan=False)


def test_p_values_are_those_of_all_divisions():
    """The p-values of 499 random divisions against a count over fresh ones, within 6 standard errors of both."""
    rng = np.random.default_rng(2)
    g, x, y = 0.8 * rng.normal(size=(12, 1)), 0.9 * rng.normal(size=(12, 1)), rng.normal(size=(12, 1)) + 0.3
    found, pool = memorisation(g, x, y, permutations=499), np.concatenate([x, y])

    def statistic(first):
        second = np.setdiff1d(np.arange(24), first)
        return w1(g, pool[second]) - w1(g, pool[first])

    observed = statistic(np.arange(12))
    draws = [statistic(rng.permutation(24)[:12]) for _ in range(1000)]
    assert found.p_value == pytest.approx(np.mean(np.array(draws) >= observed - 1e-12), abs=6 * 0.5 * 0.055)
    assert 0.001 < found.p_value < 0.999


@pytest.mark.slow
def test_p_values_are_uniform_without_memorisation():
    """60 seeds at level 0.2: the number of rejections is Binomial(60, <= 0.2); above 24 less than 1 in 5 000."""
    rejected = [0, 0]
    for seed in range(60):
        rng = np.random.default_rng([seed, 3])
        found = memorisation(*rng.normal(size=(3, 20, 2)), permutations=49, rng=seed)
        rejected[0] += found.p_value <= 0.2
        rejected[1] += found.p_nearest <= 0.2
    assert max(rejected) <= 24


def test_the_test_of_samples_by_all_divisions():
    """Four points a side: the p-value by counting all 70 divisions."""
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(4, 1)), rng.normal(size=(4, 1)) + 1
    found, pool = w1_test(x, y, 999, np.random.default_rng(0)), np.concatenate([x, y])
    values = [
        w1(pool[list(first)], np.delete(pool, list(first), axis=0)) for first in itertools.combinations(range(8), 4)
    ]
    assert found.exhaustive and found.permutations == 69
    assert found.p_value == pytest.approx(np.mean(np.array(values) >= w1(x, y) - 1e-12), abs=1e-12)
    assert found.statistic == pytest.approx(w1(x, y), rel=1e-12) and found.gap < 1e-9


@pytest.mark.parametrize(
    ("shapes", "sentence"),
    [
        (((20, 2), (20, 2), (20, 3)), "test must have the columns of generated; got 3"),
        (((20, 2), (20, 1), (20, 2)), "train must have the columns of generated; got 1"),
        (((20, 2), (5, 2), (20, 2)), "every sample must hold at least 10 points; got 5"),
    ],
)
def test_wrong_input_is_one_sentence(shapes, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        memorisation(*(np.zeros(shape) for shape in shapes))
    with pytest.raises(InvalidInput, match="permutations"):
        memorisation(*np.zeros((3, 20, 2)), permutations=0)
