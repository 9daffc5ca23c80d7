"""``otdiv gan``: what it prints, writes and refuses."""

from __future__ import annotations

import json

import numpy as np
import pytest

FAST = ("--steps", "6", "--width", "16", "--batch", "64", "--no-progress")


@pytest.mark.slow
def test_one_training_prints_its_measures_and_writes_its_files(run, tmp_path):
    out = tmp_path / "out"
    code, text, err = run("gan", "ring8", "--model", "sngan", *FAST, "--out", str(out))
    assert code == 0, err
    assert "sngan on ring8" in text and "exact W1" in text and "modes captured" in text
    names = {file.name for file in out.iterdir()}
    assert names == {"generator.pt", "samples.npy", "record.json", "training.png", "film.gif"}
    assert np.load(out / "samples.npy").shape == (2000, 2)
    from PIL import Image

    with Image.open(out / "film.gif") as film:
        assert film.n_frames == 6


@pytest.mark.slow
def test_json_carries_the_common_measures_and_the_models_own(run):
    code, text, _ = run("gan", "ring8", "--model", "infogan", *FAST, "--json")
    assert code == 0
    content = json.loads(text)
    wanted = {"model", "data", "modes", "high_quality", "js", "reverse_kl", "w1", "w1_floor", "seconds"}
    assert wanted | {"information_bound", "code_entropy", "version"} <= set(content)


@pytest.mark.slow
def test_what_is_trained_is_written_although_a_later_seed_fails(run, tmp_path, monkeypatch):
    from otdiv.errors import SolverFailed
    from otdiv.gans.training import train

    def fails_second(training):
        if training.settings.seed == 1:
            raise SolverFailed("the training diverged at step 3")
        return plain(training)

    plain = train._run
    monkeypatch.setattr(train, "_run", fails_second)
    code, _, err = run("gan", "ring8", "--model", "gan-logd", *FAST, "--seeds", "2", "--out", str(tmp_path))
    assert code != 0 and "diverged at step 3" in err
    assert (tmp_path / "gan-logd-0" / "generator.pt").exists() and not (tmp_path / "gan-logd-1").exists()


@pytest.mark.slow
def test_several_seeds_give_medians_with_their_range(run):
    code, text, _ = run("gan", "ring8", "--model", "gan-logd", *FAST, "--seeds", "2", "--json")
    assert code == 0
    (summary,) = json.loads(text)["summary"]
    assert summary["seeds"] == 2 and summary["w1"]["least"] <= summary["w1"]["median"] <= summary["w1"]["largest"]
    values = [entry["w1"] for entry in json.loads(text)["trainings"]]
    assert values[0] != values[1] and summary["w1"]["median"] == pytest.approx(np.mean(values))


@pytest.mark.long
def test_compare_trains_every_model_and_prints_one_table(run):
    code, text, err = run("gan", "compare", "ring8", *FAST)
    assert code == 0, err
    for model in ("gan-minimax", "wgan-clip", "exact-ot", "meg", "bayesian"):
        assert model in text
    assert "W1 of as many real points" in text


@pytest.mark.slow
def test_points_of_a_file_and_images_of_a_folder(run, tmp_path):
    rng = np.random.default_rng(0)
    table = tmp_path / "points.csv"
    table.write_text("a,b\n" + "\n".join(f"{x},{y}" for x, y in rng.normal(size=(60, 2))))
    code, text, err = run("gan", str(table), "--model", "gan-logd", *FAST)
    assert code == 0, err
    assert "exact W1" in text and "modes" not in text
    from PIL import Image

    folder = tmp_path / "images"
    folder.mkdir()
    for k in range(25):
        Image.fromarray(rng.integers(0, 255, size=(8, 8), dtype=np.uint8)).save(folder / f"{k}.png")
    code, text, err = run("gan", str(folder), "--model", "gan-logd", *FAST)
    assert code == 0, err
    assert "gan-logd on images" in text
    Image.fromarray(np.zeros((9, 8), dtype=np.uint8)).save(folder / "z.png")
    code, _, err = run("gan", str(folder), "--model", "gan-logd", *FAST)
    assert code == 2 and "z.png" in err and "one size" in err
    (folder / "z.png").write_bytes(b"no picture")
    code, _, err = run("gan", str(folder), "--model", "gan-logd", *FAST)
    assert code == 2 and "z.png" in err and "can be read" in err


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("ring9",), "Known: ring8, grid25"),
        (("ring8", "--model", "gpt"), "model must be one of gan-minimax"),
        (("ring8", "--device", "abacus"), "device must be 'auto' or name a device"),
        (("ring8", "--steps", "0"), "steps must be a positive integer"),
        (("ring8", "--seeds", "0"), "seeds must be a positive integer"),
        (("ring8", "--constraint", "tight"), "constraint must be one of clipping"),
        (("a", "b"), "compare and one DATA"),
        (("none.csv",), "none.csv"),
        (("compare", "ring8", "--checkpoint", "c.pt"), "belong to one training"),
    ],
)
def test_what_is_wrong_is_one_sentence(run, argv, said):
    code, _, err = run("gan", *argv, "--no-progress")
    assert code == 2 and said in err and "Traceback" not in err


def test_nan_in_a_file_is_refused(run, tmp_path):
    file = tmp_path / "x.npy"
    np.save(file, np.array([[0.0, np.nan]] * 30))
    code, _, err = run("gan", str(file), "--no-progress")
    assert code == 2 and "nan" in err.lower()
