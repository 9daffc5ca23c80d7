"""A metric of rows, a precomputed matrix and landmark coordinates: values, scikit-learn's own checks, pipelines."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pytest
from scipy.stats import wasserstein_distance
from sklearn.base import clone
from sklearn.cluster import DBSCAN
from sklearn.datasets import load_digits
from sklearn.metrics import pairwise_distances
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC
from sklearn.utils.estimator_checks import check_estimator

from otdiv import pairwise, wasserstein
from otdiv.embedding import HistogramLandmarks, HistogramMetric, SampleLandmarks, precomputed_distances
from otdiv.errors import InvalidInput, SolverFailed
from tests.distance_matrix.conftest import clouds

GRID = np.stack(np.meshgrid(np.arange(3.0), np.arange(3.0)), axis=-1).reshape(-1, 2)


def histograms(n, d, seed=0):
    masses = np.random.default_rng(seed).random((n, d))
    return masses / masses.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("support", [None, [3.0, 0.0, 1.0, 7.0, 2.5, 0.5, 9.0, 4.0, 8.0]])
def test_rows_on_the_line_are_held_against_scipy(support):
    rows, metric = histograms(6, 9), HistogramMetric(support)
    points = np.arange(9.0) if support is None else np.array(support)
    known = [[wasserstein_distance(points, points, a, b) for b in rows] for a in rows]
    np.testing.assert_allclose(pairwise_distances(rows, metric=metric), known, atol=1e-13)
    np.testing.assert_allclose(metric.matrix(rows), known, atol=1e-13)
    np.testing.assert_allclose(metric.matrix(rows[:2], rows), known[:2], atol=1e-13)


@pytest.mark.parametrize(("metric", "p"), [("euclidean", 1), ("euclidean", 2), ("cityblock", 1), ("chebyshev", 3)])
def test_rows_on_a_grid_are_held_against_single_solves(metric, p):
    rows, measured = histograms(4, 9), HistogramMetric(GRID, metric, p)
    known = [[wasserstein(GRID, GRID, a, b, metric=metric, p=p).value for b in rows] for a in rows]
    np.testing.assert_allclose(pairwise_distances(rows, metric=measured), known, atol=1e-9)
    np.testing.assert_allclose(measured.matrix(rows), known, atol=1e-9)


def test_counts_are_normalized_on_request_only():
    counts = np.array([[2.0, 0.0, 2.0], [0.0, 3.0, 0.0]])
    with pytest.raises(InvalidInput, match=r"row 0 of x must sum to 1; got 4 .*normalize=True"):
        HistogramMetric().matrix(counts)
    assert HistogramMetric(normalize=True)(*counts) == 1.0
    assert HistogramMetric(normalize=True).matrix(counts).tolist() == [[0.0, 1.0], [1.0, 0.0]]
    with pytest.raises(InvalidInput, match=r"row 1 of x must have a positive total"):
        HistogramMetric(normalize=True).matrix([[1.0, 2.0], [0.0, 0.0]])


def test_rows_that_differ_by_a_rounding_have_no_distance():
    """An interval of the size of rounding is narrow beside the support, though not beside 1e-17."""
    row = histograms(1, 9)[0]
    other = row.copy()
    other[[2, 5]] = np.nextafter(row[2], 1), np.nextafter(row[5], 0)
    for support in (None, GRID):
        assert HistogramMetric(support).matrix([row, other], [row, other]).max() < 1e-15
        assert HistogramMetric(support).matrix([row], [row]).tolist() == [[0.0]]


def test_an_interval_that_is_too_wide_is_no_distance(monkeypatch):
    from otdiv.embedding import precomputed

    def loose(*arguments, **options):
        found = pairwise(*arguments, **options)
        object.__setattr__(found, "upper", found.upper + 0.1)
        object.__setattr__(found, "status", np.full(found.shape, "stopped"))
        return found

    monkeypatch.setattr(precomputed, "pairwise", loose)
    with pytest.raises(SolverFailed, match="9 intervals are wider than asked for"):
        precomputed_distances(clouds(3, 4, 2))


def test_clouds_of_any_size_are_clustered_from_their_matrix():
    rng = np.random.default_rng(0)
    groups = np.arange(12) % 3
    measures = [rng.normal(10 * group, 1, size=(rng.integers(5, 20), 2)) for group in groups]
    matrix = precomputed_distances(measures)
    assert (matrix == pairwise(measures).values).all() and matrix.flags.writeable
    labels = DBSCAN(eps=6, min_samples=2, metric="precomputed").fit_predict(matrix)
    assert all((labels[i] == labels[j]) == (groups[i] == groups[j]) for i in range(12) for j in range(12))
    assert precomputed_distances(measures, measures[:2], p=2).shape == (12, 2)


@pytest.mark.parametrize("algorithm", ["brute", "ball_tree"])
def test_nearest_neighbours_search_by_the_metric(algorithm):
    rows, metric = histograms(30, 7), HistogramMetric()
    matrix = metric.matrix(rows)
    found = NearestNeighbors(n_neighbors=4, metric=metric, algorithm=algorithm).fit(rows)
    distance, index = found.kneighbors(rows)
    np.testing.assert_allclose(distance, np.sort(matrix, axis=1)[:, :4], atol=1e-12)
    np.testing.assert_allclose(np.take_along_axis(matrix, index, axis=1), distance, atol=1e-12)
    by_matrix = DBSCAN(eps=0.4, metric="precomputed").fit_predict(matrix)
    assert (DBSCAN(eps=0.4, metric=metric).fit_predict(rows) == by_matrix).all()


def test_digits_are_classified_by_their_columns():
    """The masses of the eight columns of an image are one histogram: W1 on the line of the columns."""
    images, labels = load_digits(return_X_y=True)
    columns = images[:300].reshape(-1, 8, 8).sum(axis=1)
    model = KNeighborsClassifier(3, metric=HistogramMetric(normalize=True)).fit(columns[:200], labels[:200])
    assert model.score(columns[200:], labels[200:300]) > 0.4  # chance: 0.1


def test_the_metric_is_pickled_and_keeps_its_support_apart():
    support = np.array([0.0, 1.0, 5.0])
    metric = HistogramMetric(support)
    support[2] = 100.0
    rows = [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    assert metric(*rows) == pickle.loads(pickle.dumps(metric))(*rows) == 5.0


@pytest.mark.slow
def test_every_check_of_scikit_learn_passes():
    """None is excused; that of the array API is skipped unless SciPy was imported with SCIPY_ARRAY_API=1."""
    for estimator in (SampleLandmarks(), SampleLandmarks(5, bandwidth=2.0, p=2)):
        results = check_estimator(estimator, on_skip=None)
        assert len(results) > 40
        others = {r["check_name"]: r["status"] for r in results if r["status"] != "passed"}
        assert others in ({}, {"check_array_api_input": "skipped"})


@pytest.mark.slow
def test_histograms_pass_all_but_the_row_without_mass():
    excused = {"check_estimators_dtypes": "its data hold a row of zeros"}
    results = check_estimator(HistogramLandmarks(normalize=True), expected_failed_checks=excused, on_skip=None)
    failed = [r for r in results if r["status"] == "xfail"]
    assert [r["check_name"] for r in failed] == ["check_estimators_dtypes"]
    assert "must have a positive total; got 0" in str(failed[0]["exception"])


def test_landmarks_cover_the_training_rows():
    rows = histograms(40, 6)
    model = HistogramLandmarks(7).fit(rows)
    found = model.transform(rows)
    np.testing.assert_allclose(found, HistogramMetric().matrix(rows, model.landmarks_), atol=1e-15)
    assert found.min(axis=1).max() == pytest.approx(model.radius_)
    between = HistogramMetric().matrix(model.landmarks_)[np.triu_indices(7, 1)]
    assert between.min() >= model.radius_  # eight rows so far apart: no seven balls of less than half of it hold them
    kernel = clone(model).set_params(bandwidth=0.3).fit(rows).transform(rows)
    np.testing.assert_allclose(kernel, np.exp(-found / 0.3))
    assert list(model.get_feature_names_out())[:2] == ["histogramlandmarks0", "histogramlandmarks1"]


def test_equal_rows_are_one_landmark():
    rows = np.repeat(histograms(3, 5), 4, axis=0)
    model = HistogramLandmarks(10).fit(rows)
    assert len(model.landmarks_) == 3 and model.radius_ == 0.0


@pytest.mark.parametrize("p", [1, 2, 4.5])
def test_samples_are_sorted_first(p):
    x = np.random.default_rng(0).normal(size=(6, 8))
    found = SampleLandmarks(3, p=p).fit(x)
    known = [[np.mean(np.abs(np.sort(a) - b) ** p) ** (1 / p) for b in found.landmarks_] for a in x]
    np.testing.assert_allclose(found.transform(x[:, ::-1]), known, rtol=1e-9, atol=1e-12)


@pytest.mark.slow
def test_a_pipeline_chooses_its_bandwidth():
    images, labels = load_digits(return_X_y=True)
    images, labels = images[:120], labels[:120]
    grid = np.stack(np.meshgrid(np.arange(8.0), np.arange(8.0)), axis=-1).reshape(-1, 2)
    features = HistogramLandmarks(12, support=grid, metric="cityblock", normalize=True)
    search = GridSearchCV(
        make_pipeline(features, LinearSVC()), {"histogramlandmarks__bandwidth": [0.2, 1.0]}, cv=2
    ).fit(images, labels)
    assert search.best_score_ > 0.6  # chance: 0.1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_landmarks": 0}, "n_landmarks must be a positive integer"),
        ({"n_landmarks": True}, "n_landmarks must be a positive integer"),
        ({"bandwidth": 0.0}, "bandwidth must be positive and finite, or None"),
        ({"bandwidth": "auto"}, "bandwidth must be positive and finite, or None"),
        ({"support": [0.0, 1.0]}, "X must have 2 columns"),
        ({"metric": "sqeuclidean"}, "metric must be one of"),
        ({"p": 0.5}, "p must be"),
    ],
)
def test_parameters_that_do_not_fit_are_named(arguments, message):
    with pytest.raises(InvalidInput, match=message):
        HistogramLandmarks(**arguments).fit(histograms(4, 3))


def test_rows_that_do_not_fit_are_named():
    metric = HistogramMetric()
    for rows, message in (
        ([[0.5, np.nan]], "x must be finite"),
        ([[1.5, -0.5]], "x must hold masses of at least 0"),
        (np.zeros((2, 0)), "x must be rows of masses"),
        ([1.0, 0.0], "x must be rows of masses"),
    ):
        with pytest.raises(InvalidInput, match=message):
            metric.matrix(rows)
    with pytest.raises(InvalidInput, match="y must have 3 columns as x"):
        metric.matrix(histograms(2, 3), histograms(2, 4))
    with pytest.raises(InvalidInput, match="b must have 2 columns as a; got 1"):
        metric([1.0, 0.0], [1.0])


@pytest.mark.slow
def test_scikit_learn_is_imported_with_the_transformers_only():
    code = (
        "import sys, otdiv, otdiv.embedding as e; e.HistogramMetric()([1.0, 0.0], [0.0, 1.0]);"
        "assert 'sklearn' not in sys.modules; e.SampleLandmarks; assert 'sklearn' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
