"""All pairs of many measures: values, closed forms on the line, other distances, interruption and workers."""

from __future__ import annotations

import os
import signal
from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

import otdiv
from otdiv import DiscreteMeasure, pairwise, wasserstein
from otdiv.core.progress import ProgressEvent
from otdiv.distance_matrix import PairwiseDistances
from otdiv.distance_matrix.blocks import Layout
from otdiv.distance_matrix.executors import run_blocks
from otdiv.distance_matrix.store import open_store
from otdiv.errors import InvalidInput, SolverFailed, TooLarge
from tests.distance_matrix.conftest import clouds, equal
from tests.helpers.exact_reference import exact_cost, exact_emd


@pytest.mark.parametrize("p", [1, 2, 3.5])
@pytest.mark.parametrize("metric", ["euclidean", "cityblock", "minkowski:3", "discrete"])
def test_each_entry_is_the_wasserstein_distance(metric, p, small_blocks):
    measures = [*clouds(3, 4, 2), *clouds(2, 5, 2, seed=1)]
    weights = [None, None, [0.1, 0.2, 0.3, 0.4], None, None]
    found = pairwise(measures, metric=metric, p=p, weights=weights)
    assert (found.values == found.values.T).all() and not np.diag(found.values).any() and found.certified.all()
    for i in range(5):
        for j in range(i):
            one = wasserstein(measures[j], measures[i], weights[j], weights[i], metric=metric, p=p)
            assert abs(found.values[i, j] - one.value) <= 1e-9 * one.value
            assert found.lower[i, j] <= one.upper and one.lower <= found.upper[i, j]


def test_rows_against_others(small_blocks):
    x, y = clouds(3, 4, 2), clouds(5, 6, 2, seed=1)
    found = pairwise(x, y)
    assert found.shape == (3, 5)
    assert abs(found.values[2, 4] - wasserstein(x[2], y[4]).value) < 1e-12
    assert np.asarray(found).shape == (3, 5)


def test_histograms_on_one_support():
    rng = np.random.default_rng(2)
    masses, z = rng.random((6, 9)), rng.permutation(np.cumsum(rng.random(9)))
    masses[1] = masses[0]
    found = pairwise([z] * 6, weights=masses, normalize=True)
    for i in range(6):
        for j in range(6):
            known = wasserstein_distance(z, z, masses[i], masses[j])
            assert abs(found.values[i, j] - known) < 1e-13
            if i != j:
                a, b = (DiscreteMeasure(z, masses[k]).normalized().weights for k in (min(i, j), max(i, j)))
                truth = exact_emd(a, b, exact_cost(z[:, None], z[:, None], "cityblock"))
                assert Fraction(found.lower[i, j]) <= truth <= Fraction(found.upper[i, j])
    assert found.upper[0, 1] < 1e-12 and found.upper[0, 2] - found.lower[0, 2] < 1e-12


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("scale", [1e-80, 1.0, 1e80])
def test_samples_of_one_size_on_the_line(p, scale):
    measures = np.round(clouds(4, 6, 1), 1) * scale
    found = pairwise(measures, p=p)
    for i in range(4):
        for j in range(i):
            gap = [
                abs(Fraction(s) - Fraction(t)) ** p
                for s, t in zip(np.sort(measures[i, :, 0]), np.sort(measures[j, :, 0]), strict=True)
            ]
            truth = sum(gap) / 6 * 6 * Fraction(1 / 6)  # of six masses 1/6 as floats
            assert Fraction(found.lower[i, j]) ** p <= truth <= Fraction(found.upper[i, j]) ** p
    assert found.certified.all()


def test_closed_forms_agree_with_compiled_batches():
    x = clouds(4, 5, 1)
    on_line, in_plane = pairwise(x), pairwise(np.concatenate([x, np.zeros_like(x)], axis=2))
    np.testing.assert_allclose(on_line.values, in_plane.values, rtol=1e-12)
    assert (on_line.lower <= in_plane.upper).all() and (in_plane.lower <= on_line.upper).all()


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("energy", otdiv.divergences.energy_distance),
        ("js", otdiv.js),
        ("kl", otdiv.kl),
        ("hellinger", otdiv.divergences.hellinger),
    ],
)
def test_divergences_by_name_and_by_function(name, function, small_blocks):
    masses = np.random.default_rng(3).random((5, 4)) + 0.1
    measures = [DiscreteMeasure(np.arange(4.0), w / w.sum()) for w in masses]
    named, called = pairwise(measures, metric=name), pairwise(measures, metric=function)
    assert named.lower is None and named.status is None and named.certified is None
    np.testing.assert_allclose(named.values, called.values, atol=1e-15)
    assert named.values[1, 3] == float(function(measures[1], measures[3]))
    assert (named.values == named.values.T).all() == (name != "kl")


def test_a_function_is_called_in_both_orders_unless_symmetric(small_blocks):
    calls = []

    def first_minus_second(x, y):
        calls.append(1)
        return float(x.points.mean() - y.points.mean())

    measures = clouds(4, 3, 1)
    both = pairwise(measures, metric=first_minus_second)
    assert len(calls) == 16 and both.values[1, 2] == -both.values[2, 1]
    pairwise(measures, metric=first_minus_second, symmetric=True)
    assert len(calls) == 16 + 6


@pytest.mark.parametrize("rows", [1, 2, 3, 7])
def test_every_pair_has_one_number(rows):
    triangle = Layout(rows, rows, True, 4)
    pairs = np.concatenate(
        [np.empty((2, 0), int)] + [triangle.pairs(triangle.span(b)) for b in range(triangle.blocks)], 1
    )
    assert pairs.T.tolist() == [[i, j] for i in range(rows) for j in range(i + 1, rows)]
    square = Layout(rows, 3, False, 4)
    pairs = np.concatenate([square.pairs(square.span(b)) for b in range(square.blocks)], axis=1)
    assert pairs.T.tolist() == [[i, j] for i in range(rows) for j in range(3)]


def test_one_measure_has_a_matrix():
    assert pairwise([[1.0, 2.0]]).values.tolist() == [[0.0]]


def test_an_interrupted_matrix_is_resumed(tmp_path, small_blocks):
    measures, whole = clouds(9, 4, 2), pairwise(clouds(9, 4, 2))

    def stop(event: ProgressEvent) -> None:
        if event.share > 0.4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pairwise(measures, store=tmp_path / "s", progress=stop)
    kept = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "s").glob("block-*")}
    assert 0 < len(kept) < 6
    shares = []
    resumed = pairwise(measures, store=tmp_path / "s", progress=lambda event: shares.append(event.share))
    assert equal(resumed, whole) and shares[0] == len(kept) / 6
    assert {name: (tmp_path / "s" / name).stat().st_mtime_ns for name in kept} == kept  # not computed again
    assert not list((tmp_path / "s").glob(".*"))


@pytest.mark.parametrize(
    "change",
    [
        {"p": 2},
        {"metric": "cityblock"},
        {"rtol": 1e-6},
        {"others": clouds(5, 4, 2)},
        {"weights": np.full((5, 4), 0.25) * [1.1, 0.9, 1, 1]},
    ],
    ids=str,
)
def test_a_store_of_something_else_is_refused(tmp_path, change):
    pairwise(clouds(5, 4, 2), store=tmp_path / "s")
    with pytest.raises(InvalidInput, match="belong to these measures and options"):
        pairwise(clouds(5, 4, 2), store=tmp_path / "s", **change)
    measures = clouds(5, 4, 2)
    measures[3, 2, 1] = np.nextafter(measures[3, 2, 1], 9)
    with pytest.raises(InvalidInput, match="belong to these measures and options"):
        pairwise(measures, store=tmp_path / "s")


def test_a_changed_or_foreign_store_is_refused(tmp_path):
    pairwise(clouds(5, 4, 2), store=tmp_path / "s")
    block = tmp_path / "s" / "block-000000.npz"
    content = dict(np.load(block))
    np.savez(block, **(content | {"value": content["value"] * 2}))
    with pytest.raises(InvalidInput, match="a digest that does not fit"):
        pairwise(clouds(5, 4, 2), store=tmp_path / "s")
    block.write_bytes(b"nothing")
    with pytest.raises(InvalidInput, match="block-000000"):
        pairwise(clouds(5, 4, 2), store=tmp_path / "s")
    store = open_store(tmp_path / "s", str(np.load(tmp_path / "s" / "header.npy")))
    store.save(0, {"value": np.zeros(3)})  # a digest that fits, and other arrays than asked for
    with pytest.raises(InvalidInput, match="hold blocks of this matrix"):
        pairwise(clouds(5, 4, 2), store=tmp_path / "s")
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "mine.txt").write_text("x")
    with pytest.raises(InvalidInput, match="new or an empty folder"):
        pairwise(clouds(5, 4, 2), store=tmp_path / "f")
    (tmp_path / "f" / "header.npy").write_bytes(b"\x80pickled")
    with pytest.raises(InvalidInput, match="readable header"):
        pairwise(clouds(5, 4, 2), store=tmp_path / "f")


def test_saved_distances_are_read_back(tmp_path):
    found = pairwise(clouds(4, 3, 2))
    found.save(tmp_path / "D.npz")
    again = PairwiseDistances.load(tmp_path / "D.npz")
    assert equal(found, again) and (again.metric, again.p) == ("euclidean", 1.0)
    with pytest.raises(ValueError, match="read-only"):
        again.values[0, 0] = 1.0
    np.savez(tmp_path / "E.npz", values=np.zeros(3))
    with pytest.raises(InvalidInput, match="hold distances"):
        PairwiseDistances.load(tmp_path / "E.npz")
    with pytest.raises(InvalidInput, match="readable"):
        PairwiseDistances.load(tmp_path / "nothing.npz")


def killed_once(x, y):
    """The difference of the means; the process that first sees the tenth measure is killed."""
    marker = os.environ["OTDIV_TEST_KILLED"]
    if x.points[0, 0] == 9.0 and not os.path.exists(marker):
        open(marker, "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    return abs(float(x.points.mean() - y.points.mean()))


@pytest.mark.slow
def test_a_killed_worker_loses_nothing(tmp_path, monkeypatch, small_blocks):
    monkeypatch.setenv("OTDIV_TEST_KILLED", str(tmp_path / "killed"))
    measures = [[float(k), k + 0.1] for k in range(14)]
    found = pairwise(measures, metric=killed_once, symmetric=True, workers=2, store=tmp_path / "s")
    assert (tmp_path / "killed").exists()
    alone = pairwise(measures, metric=killed_once, symmetric=True)
    assert (found.values == alone.values).all() and len(list((tmp_path / "s").glob("block-*"))) == 31


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
def test_workers_give_the_same_bits(backend, small_blocks):
    joblib = pytest.importorskip("joblib")
    measures = clouds(8, 5, 2)
    with joblib.parallel_config(backend=backend):
        assert equal(pairwise(measures, workers=2), pairwise(measures))


def always_killed(block):
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.slow
def test_workers_that_always_end_are_given_up():
    with pytest.raises(SolverFailed, match="ended 3 times"):
        list(run_blocks(always_killed, [0, 1], 2))


def test_bad_input_is_named():
    good = clouds(3, 4, 2)
    for arguments, message in (
        ({"weights": np.ones((3, 4))}, r"the weights of measures\[0\] must sum to 1"),
        ({"metric": "sqeuclidean"}, "metric must be one of"),
        ({"metric": otdiv.costs.SquaredEuclidean()}, "metric must be a metric"),
        ({"metric": np.eye(3)}, "metric must be a function of two points"),
        ({"metric": "energy", "p": 2}, "p must be left out"),
        ({"metric": "energy", "symmetric": True}, "symmetric must be left out"),
        ({"p": 0.5}, "p must be a finite number"),
        ({"workers": 0}, "workers must be"),
        ({"other_weights": np.ones((3, 4))}, "other_weights must be left out"),
        ({"others": clouds(2, 3, 1)}, "points of one dimension"),
    ):
        with pytest.raises(InvalidInput, match=message):
            pairwise(good, **arguments)
    with pytest.raises(TooLarge, match="matrix of all pairs"):
        pairwise(good, memory_limit=10.0)


def test_an_error_of_a_function_says_for_which_pair():
    def broken(x, y):
        raise ZeroDivisionError("no")

    with pytest.raises(ZeroDivisionError) as caught:
        pairwise(clouds(2, 3, 1), metric=broken)
    assert any("measures 0 and 0" in note for note in caught.value.__notes__)
