"""Precision, recall, density and coverage against their definitions; the traps of other packages."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors

from otdiv.errors import InvalidInput
from otdiv.sample_quality import neighbour_measures
from otdiv.sample_quality.neighbours import expected_coverage, kth_distances, usual_k


def by_definition(x, y, k):
    def radii(points):
        return NearestNeighbors(n_neighbors=k + 1, algorithm="brute").fit(points).kneighbors(points)[0][:, k]

    apart = cdist(x, y)
    precision = np.mean([(apart[:, j] <= radii(x)).any() for j in range(len(y))])
    recall = np.mean([(apart[i] <= radii(y)).any() for i in range(len(x))])
    density = np.mean([(apart[:, j] <= radii(x)).sum() for j in range(len(y))]) / k
    coverage = np.mean([(apart[i] <= radii(x)[i]).any() for i in range(len(x))])
    return precision, recall, density, coverage


@pytest.mark.parametrize("k", [1, 3, 5])
def test_values_follow_the_definitions(k):
    rng = np.random.default_rng(k)
    x, y = rng.normal(size=(60, 3)), 0.5 + 0.7 * rng.normal(size=(45, 3))
    found = neighbour_measures(x, y, k_precision=k, k_density=k)
    values = found.precision, found.recall, found.density, found.coverage
    assert values == pytest.approx(by_definition(x, y, k), abs=1e-12)
    assert found.precision != found.recall, "the pair tells a swap apart"


def test_precision_and_recall_are_not_swapped():
    rng = np.random.default_rng(0)
    found = neighbour_measures(rng.normal(size=(200, 2)), 0.01 * rng.normal(size=(200, 2)))
    assert found.precision > 0.95 and found.recall < 0.05 and found.coverage < 0.1


def test_constant_columns_and_duplicates_are_no_reason_for_zero():
    rng = np.random.default_rng(1)
    x = np.c_[rng.normal(size=100), np.full(100, 7.0)]
    y = np.c_[rng.normal(size=100), np.full(100, 7.0)]
    assert neighbour_measures(x, y).coverage > 0.8
    same = neighbour_measures(np.ones((30, 2)), np.ones((30, 2)))
    assert (same.precision, same.recall, same.coverage, same.duplicates) == (1.0, 1.0, 1.0, 30)
    digits = rng.integers(0, 3, size=(200, 1)) * 1.0
    assert neighbour_measures(digits, digits[::-1]).coverage == 1.0


def test_a_point_is_not_its_own_neighbour():
    assert kth_distances(np.array([[0.0], [1.0], [3.0]]), 1).tolist() == [1.0, 1.0, 2.0]


def test_the_mean_coverage_of_a_perfect_generator():
    """By counting: which of the n + m - 1 other points the k nearest are, every choice as likely."""
    n, m, k = 4, 3, 2
    others = ["real"] * (n - 1) + ["generated"] * m
    choices = list(itertools.combinations(range(len(others)), k))
    none = np.mean([all(others[i] == "real" for i in chosen) for chosen in choices])
    assert expected_coverage(n, m, k) == pytest.approx(1 - none)
    assert usual_k(1000, 1000) == 5 and usual_k(3, 3) == 2


@pytest.mark.parametrize(
    ("x", "y", "options", "sentence"),
    [
        (np.zeros((10, 1)), np.zeros((10, 1)), {"k_density": 10}, "k_density must be a whole number from 1 to 9"),
        (np.zeros((10, 1)), np.zeros((3, 1)), {}, "k_precision must be a whole number from 1 to 2; got 3"),
        (np.zeros((10, 1)), np.zeros((10, 2)), {}, "generated must have the columns of real"),
        (np.zeros((1, 1)), np.zeros((10, 1)), {}, "real must hold at least 2 points"),
        (np.full((10, 1), np.inf), np.zeros((10, 1)), {}, "of real: points must be finite"),
    ],
)
def test_wrong_input_is_one_sentence(x, y, options, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        neighbour_measures(x, y, **options)
