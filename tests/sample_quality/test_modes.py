"""Modes against closed forms, SciPy and brute force; wrong input is one sentence."""

from __future__ import annotations

import copy
import itertools
import json
import math

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import cdist, jensenshannon

from otdiv.errors import InvalidInput
from otdiv.sample_quality import mode_coverage, mode_labels
from otdiv.sample_quality.modes import perfect_divergences
from otdiv.sample_quality.proportions import binomial_interval

RING = np.stack([np.cos(np.arange(8) * np.pi / 4), np.sin(np.arange(8) * np.pi / 4)], axis=1)


def ring(n, rng, sd=0.05, modes=8):
    return RING[rng.integers(0, modes, n)] + sd * rng.standard_normal((n, 2))


def test_labels_are_nearest_centres_and_quality_is_a_distance():
    rng = np.random.default_rng(0)
    points, sds = rng.normal(size=(500, 2)), rng.uniform(0.05, 0.3, 8)
    labels, good = mode_labels(points, RING, sds, within=2.0)
    apart = cdist(points, RING)
    assert np.array_equal(labels, apart.argmin(axis=1))
    assert np.array_equal(good, apart.min(axis=1) <= 2.0 * sds[labels])
    assert 0 < good.sum() < 500


def test_a_point_on_the_line_between_two_modes_goes_to_the_first():
    assert mode_labels([0.5], [[0.0], [1.0]], 0.1)[0].tolist() == [0]


def test_the_high_quality_share_of_a_perfect_generator_is_that_of_chi_squared():
    """Clopper-Pearson at 0.9999: a false alarm in at most 1 of 10 000 seeds."""
    labels, good = mode_labels(ring(20_000, np.random.default_rng(1)), RING, 0.05)
    found = mode_coverage(labels, 8, good, confidence=0.9999)
    truth = stats.chi2(2).cdf(9)
    assert found.high_quality.lower <= truth <= found.high_quality.upper
    worse = mode_coverage(*mode_labels(ring(20_000, np.random.default_rng(1)), RING, 0.04)[:1], 8, good[::-1] & False)
    assert worse.high_quality.upper < truth and worse.modes_captured == 0


def test_divergences_of_a_collapsed_generator():
    found = mode_coverage(np.arange(1000) % 2, 8)
    assert (found.modes_captured, found.of) == (2, 8)
    assert found.reverse_kl == pytest.approx(math.log(4), abs=1e-14)
    assert found.js == pytest.approx(jensenshannon(found.shares, np.full(8, 1 / 8)) ** 2, abs=1e-14)
    assert found.counts.tolist() == [500, 500, 0, 0, 0, 0, 0, 0]


def test_modes_without_weight_are_not_asked_for_and_make_the_reverse_divergence_infinite():
    found = mode_coverage([0, 0, 1, 2], [0.5, 0.5, 0.0])
    assert (found.modes_captured, found.of) == (2, 2)
    assert found.reverse_kl == math.inf and json.dumps(found.to_dict(), allow_nan=False)


def test_a_mode_is_captured_by_its_share_of_good_points():
    labels = [0] * 60 + [1] * 38 + [2] * 2
    assert mode_coverage(labels, 3).modes_captured == 3
    assert mode_coverage(labels, 3, least_share=0.5).captured.tolist() == [True, True, False]
    assert mode_coverage(labels, [0.5, 0.46, 0.04], least_share=0.5).modes_captured == 3
    good = np.ones(100, dtype=bool)
    good[60:98] = False  # mode 1 has points of low quality only
    assert mode_coverage(labels, 3, good).captured.tolist() == [True, False, True]


def test_intervals_are_those_of_scipy():
    counts = np.array([0, 1, 17, 40])
    lower, upper = binomial_interval(counts, 40, 0.9)
    for k, count in enumerate(counts):
        ours = stats.binomtest(int(count), 40).proportion_ci(1 - 0.1 / 4, method="exact")
        assert (lower[k], upper[k]) == pytest.approx((ours.low, ours.high), abs=1e-10)


def test_intervals_hold_together():
    """400 seeds at 90 %: fewer than 335 would be a false alarm of less than 1 in 1000 (they cover more than asked)."""
    rng, weights = np.random.default_rng(3), np.array([0.4, 0.3, 0.2, 0.05, 0.05])
    hits = 0
    for counts in rng.multinomial(60, weights, size=400):
        lower, upper = binomial_interval(counts, 60, 0.9)
        hits += bool(np.all((lower <= weights) & (weights <= upper)))
    assert hits >= 335


@pytest.mark.parametrize("weights", [[0.5, 0.3, 0.2], [0.25, 0.25, 0.5]])
def test_the_floors_are_exact_means(weights):
    """Every multinomial sample of 6 draws, with its probability."""
    w, js, kl = np.array(weights), 0.0, 0.0
    for counts in itertools.product(range(7), repeat=3):
        if sum(counts) == 6:
            chance, p = stats.multinomial(6, w).pmf(counts), np.array(counts) / 6
            js += chance * jensenshannon(p, w) ** 2
            kl += chance * stats.entropy(p, w)
    assert perfect_divergences(w, 6) == pytest.approx((js, kl), abs=1e-12)
    assert perfect_divergences(w, 7) != pytest.approx((js, kl), abs=1e-3)


def test_the_floors_for_many_points_are_those_of_chi_squared():
    js, kl = perfect_divergences(np.full(1000, 1e-3), 200_000)
    assert (js, kl) == pytest.approx((999 / 1.6e6, 999 / 4e5), rel=2e-2)


def test_records_print_and_are_read_only():
    found = mode_coverage([0, 1, 1, 1], 2, np.array([True, True, False, True]))
    assert "2 of 2 modes captured, high quality 75.0 %" in str(found)
    assert "25.00 %" in found.table("ring").text()
    with pytest.raises(ValueError, match="read-only"):
        found.shares[0] = 1
    with pytest.raises(ValueError, match="read-only"):
        copy.deepcopy(found).counts[0] = 1


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: mode_coverage([0, 8], 8), "whole numbers from 0 to 7; got 8 at index 1"),
        (lambda: mode_coverage([0.5], 8), "whole numbers"),
        (lambda: mode_coverage([np.nan], 8), "whole numbers"),
        (lambda: mode_coverage([], 8), r"shape \[n\]"),
        (lambda: mode_coverage([0], 0), "at least 1"),
        (lambda: mode_coverage([0], [0.5, 0.6]), "modes"),
        (lambda: mode_coverage([0], 1, [1]), "truth values"),
        (lambda: mode_coverage([0], 1, np.ones(2, dtype=bool)), "1 truth values"),
        (lambda: mode_coverage([0], 1, least_share=2), "between 0 and 1"),
        (lambda: mode_coverage([0], 1, confidence=1), "confidence"),
        (lambda: mode_labels([[0.0]], [[0.0, 1.0]], 1.0), "as many coordinates"),
        (lambda: mode_labels([[0.0]], [[0.0]], 0.0), "sd must be a positive number"),
        (lambda: mode_labels([[0.0]], [[0.0]], [1.0, 2.0]), "one for each centre"),
        (lambda: mode_labels([[0.0]], [[0.0]], 1.0, within=-1), "within"),
        (lambda: mode_labels([[np.nan]], [[0.0]], 1.0), "points must be finite"),
    ],
)
def test_wrong_input_is_one_sentence(call, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        call()
