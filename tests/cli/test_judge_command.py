"""otdiv judge: one screen, JSON, the page, and damaged files as one sentence."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

CENTRES = np.array([[0.0, 0.0], [6.0, 0.0], [0.0, 6.0]])


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(0)
    for name, k in (("real", 3), ("generated", 2), ("train", 3)):
        np.save(tmp_path / f"{name}.npy", CENTRES[rng.integers(0, k, 100)] + 0.3 * rng.normal(size=(100, 2)))
    np.savetxt(tmp_path / "centres.csv", CENTRES, delimiter=",", header="a,b", comments="")
    return {path.stem: path for path in tmp_path.iterdir()}


def test_one_screen(run, files):
    code, out, err = run("judge", files["real"], files["generated"], "--permutations", 19)
    assert code == 0 and err == "" and len(out.splitlines()) <= 24
    assert "generated.npy against real.npy: 100 and 100 points, d = 2" in out
    assert re.search(r"fidelity +0\.\d+|fidelity +1\.000", out) and "its floor" in out


@pytest.mark.slow
def test_everything_and_the_page(run, files, tmp_path):
    page = tmp_path / "out.html"
    more = ("--train", files["train"], "--centres", files["centres"], "--sd", 0.3, "--permutations", 19)
    code, out, err = run("judge", files["real"], files["generated"], *more, "--report", page)
    assert code == 0 and err == "" and "2 of 3" in out and "nearer to train" in out and len(out.splitlines()) <= 32
    text = page.read_text()
    assert text.count("data:image/png;base64,") == 3 and "Memorisation" in text
    assert not re.search(r"(src|href)=.(https?:)?//", text)


def test_json_and_seeds(run, files):
    call = ("judge", files["real"], files["generated"], "--permutations", 19, "--json")
    found = json.loads(run(*call)[1])
    assert found["bounds"][0] <= found["w1"] <= found["bounds"][1] and found["status"] == "optimal"
    assert {"fidelity", "diversity", "w1_floor", "estimate", "test", "version", "files"} <= set(found)
    again, other = json.loads(run(*call)[1]), json.loads(run(*call, "--seed", 1)[1])
    assert again["matching"] == found["matching"] and other["matching"] != found["matching"]


def test_columns_are_matched_by_name(run, files, tmp_path):
    real, generated = np.load(files["real"]), np.load(files["generated"])
    np.savetxt(tmp_path / "r.csv", real, delimiter=",", header="a,b", comments="")
    np.savetxt(tmp_path / "g.csv", generated[:, ::-1], delimiter=",", header="b,a", comments="")
    code, out, err = run("judge", tmp_path / "r.csv", tmp_path / "g.csv", "--permutations", 0, "--json")
    direct = run("judge", files["real"], files["generated"], "--permutations", 0, "--json")[1]
    assert code == 0 and "matched by name" in err
    assert json.loads(out)["w1"] == pytest.approx(json.loads(direct)["w1"], rel=1e-12)


def test_damaged_input_is_one_sentence(run, files, tmp_path):
    holes = np.load(files["generated"])
    holes[3, 1] = np.nan
    np.save(tmp_path / "holes.npy", holes)
    np.save(tmp_path / "wide.npy", np.zeros((50, 3)))
    np.savez(tmp_path / "weighted.npz", points=holes[:3], weights=[1.0, 2.0, 3.0])
    np.savez(tmp_path / "uneven.npz", points=np.zeros((50, 2)), weights=np.arange(1.0, 51.0))
    calls = [
        (("judge", files["real"], tmp_path / "holes.npy"), "holes.npy: points must be finite; got nan at index (3, 1)"),
        (("judge", files["real"], tmp_path / "wide.npy"), "wide.npy must have the columns of real.npy; got 3"),
        (("judge", files["real"], tmp_path / "none.npy"), "must name an existing file"),
        (("judge", files["real"], tmp_path / "uneven.npz"), "points that count the same"),
        (("judge", files["real"], files["generated"], "--sd", 1), "--sd must stand beside --centres"),
        (("judge", files["real"], files["generated"], "--report", "x.pdf"), "--report"),
        (
            ("judge", files["real"], files["generated"], "--train", tmp_path / "wide.npy"),
            "wide.npy must have the columns",
        ),
        (("judge", files["real"], files["generated"], "--weights", "0"), "--weights must be left out"),
        (("judge", files["real"], files["generated"], "--units", "feet"), "standard deviations"),
    ]
    for call, sentence in calls:
        code, out, err = run(*call)
        assert code == 2 and out == "" and sentence in err and len(err.strip().splitlines()) == 1, err


@pytest.mark.slow
def test_a_saved_generator_is_judged(run, files, tmp_path):
    pytest.importorskip("torch")
    from otdiv.gans import load_generator, train
    from otdiv.sample_quality import judge

    record = train(np.load(files["train"]), "exact-ot", steps=2, plan=64, reports=1)
    saved = record.generator.save(tmp_path / "model.pt")
    code, out, err = run("judge", files["real"], saved, "--permutations", 0, "--points", 60, "--json")
    found = json.loads(out)
    assert code == 0 and err == "" and found["m"] == 60
    direct = judge(np.load(files["real"]), load_generator(saved), permutations=0, n=60)
    assert found["w1"] == direct.value
    np.save(tmp_path / "wide.npy", np.zeros((50, 3)))
    for call, sentence in (
        ((tmp_path / "wide.npy", saved), "model.pt must have the columns of wide.npy; got 2, where it has 3"),
        ((files["real"], files["generated"], "--points", 5), "--points must be left out"),
    ):
        code, _, err = run("judge", *call)
        assert code == 2 and sentence in err and len(err.strip().splitlines()) == 1
    (tmp_path / "broken.pt").write_bytes(b"no generator")
    code, _, err = run("judge", files["real"], tmp_path / "broken.pt")
    assert code == 2 and len(err.strip().splitlines()) == 1
