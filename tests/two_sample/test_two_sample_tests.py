"""The tests themselves: statistics against SciPy and POT, level, power, errors, records."""

from __future__ import annotations

import itertools
import json
import pickle

import numpy as np
import ot
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score
from sklearn.tree import DecisionTreeClassifier

import otdiv
from otdiv.errors import InvalidInput
from otdiv.two_sample import (
    TestResult,
    capped_wasserstein_test,
    classifier_test,
    energy_test,
    js_test,
    mmd_test,
    two_sample_test,
    wasserstein_test,
)
from otdiv.two_sample.cell_tests import halved_cells
from otdiv.two_sample.permutations import draw_divisions

TESTS = {
    "wasserstein": wasserstein_test,
    "capped wasserstein": capped_wasserstein_test,
    "energy": energy_test,
    "mmd": mmd_test,
    "classifier": classifier_test,
    "js": js_test,
}


def samples(n=30, m=20, d=2, shift=0.0, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), rng.normal(size=(m, d)) + shift


def test_wasserstein_statistic_and_proof():
    x, y = samples()
    result = wasserstein_test(x, y, permutations=19, rng=0)
    expected = ot.emd2([], [], ot.dist(x, y, metric="euclidean"))
    assert result.statistic == pytest.approx(expected, rel=1e-12)
    assert result.bounds.lower <= expected * (1 + 1e-14) and expected * (1 - 1e-14) <= result.bounds.upper
    assert result.bounds.gap < 1e-9 and result.gap < 1e-12
    city = wasserstein_test(x, y, metric="cityblock", permutations=19, rng=0)
    assert city.statistic == pytest.approx(ot.emd2([], [], ot.dist(x, y, metric="cityblock")), rel=1e-12)


def test_wasserstein_on_the_line_is_that_of_scipy_and_of_the_plane():
    x, y = samples(25, 40, 1)
    line = wasserstein_test(x[:, 0], y[:, 0], permutations=99, rng=0)
    assert line.statistic == pytest.approx(stats.wasserstein_distance(x[:, 0], y[:, 0]), rel=1e-12)
    plane = wasserstein_test(np.c_[x, 0 * x], np.c_[y, 0 * y], permutations=99, rng=0)
    assert plane.p_value == line.p_value and plane.statistic == pytest.approx(line.statistic, rel=1e-12)


def test_the_discrete_metric_on_the_line_is_total_variation():
    x, y = [0.0, 0.0, 1.0, 5.0], [0.0, 1.0, 1.0, 9.0, 9.0]
    result = wasserstein_test(x, y, metric="discrete", rng=0)
    assert result.statistic == pytest.approx(0.3 + 0.25, rel=1e-12) and result.exhaustive
    assert result.gap < 1e-12


def test_capped_statistic():
    x, y = samples()
    result = capped_wasserstein_test(x, y, caps=0.5, permutations=19, rng=0)
    assert result.statistic == pytest.approx(ot.emd2([], [], np.minimum(ot.dist(x, y, "euclidean"), 0.5)), rel=1e-12)
    assert "up to 0.5" in result.meaning
    whole = capped_wasserstein_test(x, y, caps=np.inf, permutations=99, rng=0)
    assert (whole.p_value, whole.statistic) == (
        (same := wasserstein_test(x, y, permutations=99, rng=0)).p_value,
        same.statistic,
    )


def test_energy_statistic_in_the_plane_and_on_the_line():
    x, y = samples(25, 40)
    assert energy_test(x, y, rng=0).statistic == pytest.approx(otdiv.divergences.energy_distance(x, y), rel=1e-9)
    line = energy_test(x[:, 0], y[:, 0], rng=0)
    assert line.statistic == pytest.approx(stats.energy_distance(x[:, 0], y[:, 0]), rel=1e-9)
    plane = energy_test(np.c_[x[:, 0], np.zeros(25)], np.c_[y[:, 0], np.zeros(40)], rng=0)
    assert plane.p_value == line.p_value


@pytest.mark.parametrize("kernel", ["gaussian", "laplace"])
def test_mmd_statistic(kernel):
    x, y = samples(25, 40)
    result = mmd_test(x, y, kernels=kernel, bandwidths=0.8, permutations=99, rng=0)

    def mean(a, b):
        d = np.linalg.norm(a[:, None] - b[None], axis=2) / 0.8
        return np.exp(-(d**2) / 2 if kernel == "gaussian" else -d).mean()

    assert result.statistic**2 == pytest.approx(mean(x, x) + mean(y, y) - 2 * mean(x, y), rel=1e-9)


def test_mmd_by_hand_over_all_divisions():
    """Both aggregations from kernel matrices and all 70 divisions of eight points."""
    x, y = samples(4, 4)
    pool, bandwidths = np.concatenate([x, y]), [0.3, 1.5]
    distance = np.linalg.norm(pool[:, None] - pool[None], axis=2)
    matrices = [np.exp(-((distance / h) ** 2) / 2) for h in bandwidths]
    weights = [np.where(np.isin(np.arange(8), chosen), 0.25, -0.25) for chosen in itertools.combinations(range(8), 4)]
    squares = np.array([[w @ matrix @ w for w in weights] for matrix in matrices])
    counts = (squares[:, None, :] >= squares[:, :, None] - 1e-12).sum(axis=2)
    least = [tuple(sorted(column)) for column in counts.T.tolist()]
    by_least = np.array([sum(other <= one for other in least) for one in least])
    norms = [np.linalg.norm(matrix - np.eye(8)) for matrix in matrices]
    largest = ((squares - squares.mean(axis=1, keepdims=True)) / np.array(norms)[:, None]).max(axis=0)
    by_largest = (largest[None, :] >= largest[:, None] - 1e-12).sum(axis=1)
    both = [tuple(sorted(pair)) for pair in zip(by_least.tolist(), by_largest.tolist(), strict=True)]
    expected = np.mean([other <= both[0] for other in both])
    result = mmd_test(x, y, kernels="gaussian", bandwidths=bandwidths)
    assert result.exhaustive and result.p_value == pytest.approx(expected, abs=1e-12)


def test_mmd_with_one_kernel_is_its_own_p_value():
    x, y = samples(25, 40)
    result = mmd_test(x, y, kernels="laplace", bandwidths=0.8, permutations=99, rng=5)
    divisions = draw_divisions(25, 40, 99, np.random.default_rng(5))
    matrix = np.exp(-np.linalg.norm((pool := np.concatenate([x, y]))[:, None] - pool[None], axis=2) / 0.8)
    squares = np.einsum("ir,ij,jr->r", divisions.signed(), matrix, divisions.signed())
    assert result.p_value == np.mean(squares >= squares[0] - 1e-13)


def test_mmd_where_no_kernel_sees_two_points_together():
    x, y = samples(25, 40)
    blind = mmd_test(x, y, bandwidths=1e-9, permutations=99, rng=0)
    assert blind.p_value == 1.0
    seeing = mmd_test(x, y, bandwidths=[1e-9, 0.8], permutations=99, rng=0)
    assert seeing.p_value < 1.0


@pytest.mark.slow
def test_mmd_sees_fine_structure_and_a_shift():
    """Of 30 pairs of waves the least p-value alone rejects 12, the normalised maximum 17, both together 16; of 30
    shifts by 0.35 standard deviations they reject 25, 18 and 24."""
    rng = np.random.default_rng(7)
    rejected = np.zeros(2)
    for _ in range(30):
        drawn = rng.uniform(size=(2500, 3))
        density = 1 + np.sin(4 * np.pi * drawn[:, 0]) * np.sin(4 * np.pi * drawn[:, 1])
        waves = drawn[2 * drawn[:, 2] < density, :2][:250]
        normal = rng.normal(size=(2, 250, 2)) + np.array([[[0.0, 0.0]], [[0.35, 0.0]]])
        for k, (x, y) in enumerate(((waves, rng.uniform(size=(250, 2))), normal)):
            rejected[k] += mmd_test(x, y, permutations=99, rng=rng).p_value <= 0.05
    assert rejected[0] >= 15 and rejected[1] >= 22


def test_js_statistic():
    x, y = samples(60, 50)
    result = js_test(x, y, levels=3, rng=0)
    cells = halved_cells(np.concatenate([x, y]), 3)[2]
    p, q = (np.bincount(part, minlength=8) / len(part) for part in (cells[:60], cells[60:]))
    assert result.statistic == pytest.approx(float(otdiv.js(p, q)), rel=1e-12)
    sizes = np.bincount(cells)
    assert len(sizes) == 8 and sizes.min() >= 13 and sizes.max() <= 15


def test_cells_keep_equal_values_together():
    points = np.random.default_rng(0).integers(0, 3, size=(50, 1)).astype(float)
    for cells in halved_cells(points, 4):
        for value in range(3):
            assert len(np.unique(cells[points[:, 0] == value])) == 1


def test_classifier_statistic():
    x, y = samples(40, 30, shift=1.0)
    model = DecisionTreeClassifier(max_depth=2, random_state=0)
    result = classifier_test(x, y, classifier=model, rng=3)
    assert not hasattr(model, "tree_")  # the one given is cloned
    rng = np.random.default_rng(3)
    learned = np.concatenate([rng.permutation(40) < 20, rng.permutation(30) < 15])
    pool, label = np.concatenate([x, y]), np.arange(70) >= 40
    scores = model.fit(pool[learned], label[learned]).predict_proba(pool[~learned])[:, 1]
    assert result.statistic == pytest.approx(roc_auc_score(label[~learned], scores), rel=1e-12)
    assert "DecisionTreeClassifier on 35 held-out" in result.meaning


@pytest.mark.parametrize("name", TESTS)
def test_a_clear_difference_is_seen_and_none_is_not(name):
    x, y = samples(40, 40, shift=1.5)
    result = TESTS[name](x, y, permutations=99, rng=0)
    assert result.reject(0.05)
    assert TESTS[name](x, x[::-1], permutations=99, rng=0).p_value > (0.05 if name == "classifier" else 0.9)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name == "capped wasserstein" else name for name in TESTS]
)
def test_level(name):
    """Pairs of one distribution at level 0.1: false alarms within 4.5 standard deviations (7e-6 by chance for each).

    Too many mean a wrong p-value, too few a test that cannot see: with 19 permutations the level is met exactly.
    """
    count, alarms = (80 if "wasserstein" in name or name == "classifier" else 300), 0
    for seed in range(count):
        x, y = samples(12, 12, 2, seed=seed)
        alarms += TESTS[name](x, y, permutations=19, rng=seed).reject(0.1)
    spread = 4.5 * np.sqrt(0.1 * 0.9 * count)
    assert abs(alarms - 0.1 * count) < spread
    assert abs(count - 0.1 * count) > spread  # a test that always alarms fails this check


@pytest.mark.parametrize("name", TESTS)
def test_seeds_repeat_and_order_of_the_samples_does_not_matter(name):
    x, y = samples(shift=0.3)
    first, again = (TESTS[name](x, y, permutations=49, rng=5) for _ in range(2))
    assert first == again
    state = np.random.default_rng(5)
    assert TESTS[name](x, y, permutations=49, rng=state) == first
    shuffled = np.random.default_rng(1).permutation(len(x))
    if name in ("wasserstein", "energy"):  # the others choose by p-values, or split at random
        assert TESTS[name](x[shuffled], y, permutations=49, rng=5).statistic == pytest.approx(first.statistic, rel=1e-9)


@pytest.mark.parametrize("name", TESTS)
def test_identical_points_reject_nothing(name):
    result = TESTS[name](np.ones((10, 2)), np.ones((12, 2)), permutations=19, rng=0)
    assert result.p_value == 1.0 and not result.reject(0.9)


@pytest.mark.parametrize("name", TESTS)
@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ([[0.0, np.nan], [1, 2]], [[0.0, 1], [1, 2]], "of x: points must be finite"),
        ([0.0, 1.0, 2.0, 3.0], [1.0, np.inf], "of y: points must be finite"),
        ([0.0], [1.0, 2.0], "x must hold at least 2 points; got 1"),
        (np.zeros((5, 2)), np.zeros((5, 3)), "x and y must have points of the same dimension"),
        (["a", "b"], [1.0, 2.0], "must hold real numbers"),
        (otdiv.DiscreteMeasure([0.0, 1.0], [0.3, 0.7]), [1.0, 2.0], "x must be a sample, all of whose points count"),
        (
            pd.DataFrame({"a": [1.0, 2.0]}),
            pd.DataFrame({"b": [1.0, 2.0]}),
            "x and y must have columns of the same names",
        ),
    ],
)
def test_bad_samples_are_refused(name, x, y, message):
    with pytest.raises(InvalidInput, match=message):
        TESTS[name](x, y, rng=0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x, y: energy_test(x, y, permutations=0), "permutations must be a positive integer; got 0"),
        (lambda x, y: energy_test(x, y, permutations=True), "permutations must be a positive integer; got True"),
        (lambda x, y: energy_test(x, y, rng="a"), "rng must be a non-negative integer"),
        (lambda x, y: mmd_test(x, y, bandwidths=-1.0), "bandwidths must be one or more positive, finite numbers"),
        (lambda x, y: mmd_test(x, y, bandwidths=np.inf), "bandwidths must be one or more positive, finite numbers"),
        (lambda x, y: mmd_test(x, y, kernels="cauchy"), "kernels must be one of gaussian, laplace"),
        (lambda x, y: mmd_test(x, y, kernels=()), "kernels must be one of gaussian, laplace"),
        (lambda x, y: capped_wasserstein_test(x, y, caps=[0.0]), "caps must be one or more positive numbers"),
        (lambda x, y: capped_wasserstein_test(x, y, caps=[]), "caps must be one or more positive numbers"),
        (lambda x, y: wasserstein_test(x, y, metric="sqeuclidean"), "metric must be a metric of points"),
        (lambda x, y: wasserstein_test(x, y, metric=np.ones((30, 20))), "metric must be a metric of points"),
        (lambda x, y: wasserstein_test(x, y, threads=0), "threads must be a positive integer"),
        (lambda x, y: js_test(x, y, levels=[0]), "levels must be whole numbers from 1 to 20"),
        (lambda x, y: classifier_test(x, y, classifier="svm"), "classifier must be one of auto, logistic, boosting"),
        (lambda x, y: classifier_test(x, y, classifier=3), "classifier must have fit and predict_proba; got int"),
        (lambda x, y: classifier_test(x, y, train_fraction=1.5), "train_fraction must lie between 0 and 1"),
        (lambda x, y: classifier_test(x[:3], y), "x must leave two observations to learn from and two to judge"),
        (lambda x, y: two_sample_test(x, y, "t-test"), "method must be one of auto, wasserstein"),
        (lambda x, y: energy_test(x, y, permutations=19).reject(0.0), "level must lie between 0 and 1"),
        (lambda x, y: energy_test(x, y, permutations=19).reject(True), "level must lie between 0 and 1"),
    ],
)
def test_bad_options_are_refused(call, message):
    with pytest.raises(InvalidInput, match=message):
        call(*samples())


def test_too_few_divisions_are_said():
    result = energy_test([0.0, 1.0, 2.0], [10.0, 11.0, 12.0], rng=0)
    assert result.exhaustive and result.permutations == 19 and result.p_value == result.least_p_value == 0.1
    assert "no data of this size can give p below 0.1" in str(result) and not result.reject(0.05)
    assert "no data" not in str(energy_test(*samples(), rng=0))
    assert "no data of this size" in str(energy_test(*samples(), permutations=9, rng=0))


def test_columns_are_matched_by_name():
    x, y = samples(shift=0.5)
    frame = pd.DataFrame(y, columns=["a", "b"])[["b", "a"]]
    result = energy_test(pd.DataFrame(x, columns=["a", "b"]), frame, rng=0)
    assert result == energy_test(x, y, rng=0)
    assert result != energy_test(x, frame.to_numpy(), rng=0)


def test_the_record():
    result = wasserstein_test(*samples(shift=2.0), permutations=99, rng=0)
    assert isinstance(result, TestResult) and pickle.loads(pickle.dumps(result)) == result
    fields = json.loads(json.dumps(result.to_dict()))
    assert fields["p_value"] == result.p_value == 0.01 and fields["bounds"][0] <= fields["statistic"]
    with pytest.raises(AttributeError):
        result.p_value = 0.5
    text = str(result)
    assert "p = 0.01" in text and "n = 30, m = 20, 99 permutations" in text and "proved to lie in" in text


def test_the_choice_says_its_reason():
    x, y = samples()
    result = two_sample_test(x, y, rng=0, permutations=19)
    assert result.method == "mmd" and "chosen because" in str(result)
    large = two_sample_test(np.zeros((3000, 1)), np.ones((3000, 1)), rng=0, permutations=19)
    assert large.method == "js" and "6000 points" in large.reason and large.p_value == 0.05
    for name, test in TESTS.items():
        same = test(x, y, permutations=19, rng=1)
        assert two_sample_test(x, y, name, permutations=19, rng=1) == same and same.reason == ""


def test_a_cap_sees_inside_far_groups_what_w1_does_not():
    """Two groups 1000 apart with random weights; within one of them the spread halves."""
    rng = np.random.default_rng(0)

    def draw(spread):
        right = rng.integers(2, size=80)
        return np.where(right, 1000 + spread * rng.normal(size=80), rng.normal(size=80))[:, None] * np.ones(2)

    x, y = draw(1.0), draw(0.2)
    assert capped_wasserstein_test(x, y, permutations=99, rng=0).p_value <= 0.02
    assert wasserstein_test(x, y, permutations=99, rng=0).p_value > 0.05
