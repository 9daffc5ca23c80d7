"""``otdiv pairwise``: a folder of files in, one matrix out."""

from __future__ import annotations

import numpy as np
import pytest

from otdiv import wasserstein
from otdiv.distance_matrix import PairwiseDistances


@pytest.fixture
def folder(tmp_path):
    """Three measures in the plane: a table, an array, an archive with weights; and a file of another kind."""
    place = tmp_path / "in"
    place.mkdir()
    rng = np.random.default_rng(0)
    x, y, z = rng.normal(size=(3, 4, 2))
    np.savetxt(place / "a.csv", x, delimiter=",", header="u,v", comments="")
    np.save(place / "b.npy", y)
    np.savez(place / "c.npz", points=z, weights=[0.1, 0.2, 0.3, 0.4])
    (place / "notes.txt").write_text("not a measure")
    return place, x, y, z


def test_a_folder_of_files(run, folder, tmp_path):
    place, x, y, z = folder
    out = place / "D.npz"
    for _ in range(2):  # the second time the matrix lies among the measures, and is no measure
        code, printed, _ = run("pairwise", place, "--out", out, "--p", "2", "--store", tmp_path / "s")
        assert code == 0 and "3 measures, 3 pairs" in printed
    found = PairwiseDistances.load(out)
    assert abs(found.values[0, 1] - wasserstein(x, y, p=2).value) < 1e-12
    assert abs(found.values[1, 2] - wasserstein(y, z, b=[0.1, 0.2, 0.3, 0.4], p=2).value) < 1e-12
    with np.load(out, allow_pickle=False) as content:
        assert content["files"].tolist() == ["a.csv", "b.npy", "c.npz"]
    code, printed, _ = run("pairwise", place, "--out", out, "--metric", "energy")
    assert code == 0 and "metric energy" in printed


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("nothing", "--out", "D.npz"), "DIR must be a folder"),
        ((".", "--out", "D.npz"), "DIR must hold at least two files"),
        ((".", "--out", "D.csv"), "--out must end in .npz"),
    ],
)
def test_bad_input_is_one_sentence(run, tmp_path, monkeypatch, argv, message):
    monkeypatch.chdir(tmp_path)
    code, _, errors = run("pairwise", *argv)
    assert code == 2 and message in errors and errors.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--scheduler", "nonsense"), "scheduler must be the address of a dask scheduler that answers; got 'nonsense'"),
        (("--scheduler", "tcp://127.0.0.1:8786", "--workers", "2"), "workers must be left out beside a scheduler"),
    ],
)
def test_a_scheduler_that_cannot_be_is_one_sentence(run, folder, options, message):
    pytest.importorskip("distributed", reason="distributed is not installed: pip install 'otdiv[dask]'")
    place, *_ = folder
    code, _, errors = run("pairwise", place, "--out", place / "D.npz", *options)
    assert code == 2 and message in errors and errors.count("\n") == 1
    assert not (place / "D.npz").exists()
