"""The ROC area of an energy and the bound of mutual information, against scikit-learn, closed forms and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from otdiv import emd
from otdiv.errors import InvalidInput
from otdiv.sample_quality import energy_auroc, mutual_information_bound, split_by_modes


@pytest.mark.parametrize("decimals", [8, 0])
def test_the_area_is_that_of_scikit_learn(decimals):
    rng = np.random.default_rng(0)
    real, other = rng.normal(size=50).round(decimals), (rng.normal(size=80) + 1).round(decimals)
    labels = np.r_[np.zeros(50), np.ones(80)]
    assert energy_auroc(real, other).value == pytest.approx(roc_auc_score(labels, np.r_[real, other]), abs=1e-12)
    swapped = energy_auroc(other, real)
    assert swapped.value == pytest.approx(1 - energy_auroc(real, other).value, abs=1e-12)


def test_the_standard_error_is_that_of_repeats():
    """N(0, 1) against N(1, 1): area Phi(1 / sqrt 2); 400 repeats give the deviation to 5 sd = 18 %."""
    rng = np.random.default_rng(1)
    found = [energy_auroc(rng.normal(size=60), rng.normal(size=40) + 1) for _ in range(400)]
    values, truth = np.array([f.value for f in found]), norm.cdf(1 / np.sqrt(2))
    assert values.mean() == pytest.approx(truth, abs=5 * values.std() / 20)
    assert np.mean([f.standard_error for f in found]) == pytest.approx(values.std(), rel=0.18)
    assert np.mean([f.lower <= truth <= f.upper for f in found]) > 0.88


def test_perfect_separation_has_an_honest_interval():
    found = energy_auroc(np.arange(20.0), np.arange(20.0) + 100)
    assert found.value == 1.0 and found.upper == 1.0 and found.lower == pytest.approx(0.025 ** (1 / 20))
    assert energy_auroc(np.arange(20.0) + 100, np.arange(20.0)).upper == pytest.approx(1 - 0.025 ** (1 / 20))
    same = energy_auroc(np.zeros(9), np.zeros(5))
    assert same.value == 0.5


def test_the_bound_is_the_mutual_information_for_the_true_posterior():
    """A code of two values seen through a channel with error 0.1: I = log 2 - H(0.1)."""
    rng = np.random.default_rng(2)
    wrong = rng.random(20_000) < 0.1
    found = mutual_information_bound(np.log(np.where(wrong, 0.1, 0.9)), np.log(2))
    truth = np.log(2) + 0.1 * np.log(0.1) + 0.9 * np.log(0.9)
    assert found.value == pytest.approx(truth, abs=5 * found.standard_error) and found.standard_error < 0.006
    worse = mutual_information_bound(np.log(np.where(wrong, 0.4, 0.6)), np.log(2))
    assert worse.upper < truth
    certain = mutual_information_bound(np.zeros(10), np.log(10))
    assert certain.value == pytest.approx(np.log(10)) and certain.standard_error == 0


def test_a_split_adds_up_to_the_distance():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(60, 2)), rng.normal(size=(50, 2)) + 0.5
    labels = (x[:, 0] > 0).astype(int), (y[:, 0] > 0).astype(int)
    result = emd(x, y)
    split = split_by_modes(result, *labels)
    assert split.within + split.between == pytest.approx(result.value, rel=1e-12)
    dense, apart = result.plan.toarray(), np.linalg.norm(x[:, None] - y[None], axis=2)
    crossing = labels[0][:, None] != labels[1][None]
    assert split.between == pytest.approx((dense * apart)[crossing].sum(), rel=1e-12)
    assert split.mass_between == pytest.approx(dense[crossing].sum(), rel=1e-12)
    assert split.least_between == pytest.approx(abs(labels[0].mean() - labels[1].mean()), abs=1e-12)
    assert split.mass_between >= split.least_between - 1e-12


def test_modes_far_apart_exchange_no_more_than_they_must():
    x = np.r_[np.zeros(6), np.full(4, 100.0)] + np.linspace(0, 1, 10)
    y = np.r_[np.zeros(3), np.full(7, 100.0)] + np.linspace(0, 1, 10)
    split = split_by_modes(emd(x, y), (x > 50).astype(int), (y > 50).astype(int))
    assert split.mass_between == pytest.approx(0.3) == split.least_between
    assert "30.0 % of the mass" in str(split)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: energy_auroc([1.0], [1.0, 2.0]), r"energy_real must have shape \[n\] with n >= 2"),
        (lambda: energy_auroc([1.0, np.nan], [1.0, 2.0]), "energy_real must be finite"),
        (lambda: energy_auroc([1.0, 2.0], np.ones((2, 2))), "energy_other"),
        (lambda: energy_auroc([1.0, 2.0], [1.0, 2.0], confidence=2), "confidence"),
        (lambda: mutual_information_bound([-np.inf, 0.0], 1.0), "log_q must be finite"),
        (lambda: mutual_information_bound([0.0, 0.0], np.inf), "entropy must be finite"),
        (lambda: split_by_modes(emd([0.0, 1.0], [0.0]), [0], [0]), "labels_x must be 2 integers"),
        (lambda: split_by_modes(emd([0.0], [0.0]), [0], [-1]), "labels_y must be 1 integers"),
        (lambda: split_by_modes(emd([0.0], [0.0]), [0.5], [0]), "labels_x"),
    ],
)
def test_wrong_input_is_one_sentence(call, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        call()
