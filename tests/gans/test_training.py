"""Every model trains, measures itself, is saved, resumed and read again; what is wrong is refused by name."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from otdiv import emd
from otdiv.datasets import modal_data
from otdiv.datasets.modal_data import normal_modes
from otdiv.errors import InvalidInput, SolverFailed
from otdiv.gans import MODELS, GanSettings, TrainingRecord, load_generator, train
from otdiv.gans.model_names import ABOUT
from otdiv.gans.models.table import MODEL_BY_NAME
from otdiv.lipschitz import spectral_norm
from otdiv.neural.mlp import linear_layers

torch.set_num_threads(1)

SMOKE = {
    "width": 64,
    "depth": 2,
    "steps": 250,
    "rate": 1e-3,
    "critic_rate": 4e-3,
    "plan": 256,
    "batch": 128,
    "generators": 3,
    "reports": 2,
}
"""Small networks that learn fast and roughly."""
SMOKE_OF = {
    "wgan-clip": {"clip": 0.1},
    "bayesian": {"rate": 1e-4, "critic_rate": 1e-3},
    "meg": {"penalty": 1.0, "entropy": 1.0},
}
NORMAL = normal_modes("normal", "one normal mode in the plane", np.zeros((1, 2)), 1.0)


def smoke(model, data="ring8", **changed):
    return train(data, model, **{**SMOKE, **SMOKE_OF.get(model, {}), **changed})


@pytest.fixture(scope="module")
def quick() -> TrainingRecord:
    """One short training that many tests look into."""
    return smoke("sngan", steps=30)


def test_names_and_tables_agree():
    assert tuple(MODEL_BY_NAME) == MODELS == tuple(ABOUT)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("model", MODELS)
def test_every_model_improves_on_its_start(model, seed):
    record = smoke(model, NORMAL, seed=seed)
    assert record.measures["w1"] < 0.8 * record.before["w1"]
    assert len(record.history) == 2 and record.history[-1]["step"] == 250
    if model == "infogan":
        assert record.measures["information_bound"] > record.before["information_bound"] + 0.1
        assert record.measures["information_bound"] <= record.measures["code_entropy"]
    if model == "meg":
        assert record.measures["energy_auroc"] > record.before["energy_auroc"] + 0.1
    if model == "sngan":
        assert record.measures["largest_norm"] == pytest.approx(1, abs=1e-3)
        assert record.measures["least_norm"] == pytest.approx(1, abs=1e-3)
    if model == "exact-ot":
        assert record.measures["batch_bias"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("constraint", ["one-sided-penalty", "spectral", "frobenius", "orthonormal", "min-max"])
def test_a_wgan_takes_every_constraint_of_the_critics(constraint):
    record = smoke("wgan-gp", constraint=constraint, steps=40, critic_steps=2)
    assert np.isfinite(record.measures["critic_value"])
    if constraint in ("spectral", "orthonormal", "min-max"):
        assert record.measures["lipschitz_bound"] <= 1 + 1e-6
        # a 1-Lipschitz critic proves a lower bound of the distance, up to the noise of two thousand points
        assert record.measures["critic_value"] < record.measures["w1"] + 0.1


def test_spectral_norms_are_one(quick):
    layers = linear_layers(quick.generator.state.networks["discriminator"])
    norms = [spectral_norm(layer.weight.double().numpy(force=True)).value for layer in layers]
    assert norms == pytest.approx([1.0] * len(norms), abs=1e-6)


def test_the_measures_are_what_they_say(quick):
    """W1 of the record, computed again from its points and the reference."""
    data = modal_data("ring8")
    points = quick.generator.sample(2000, np.random.default_rng([0, 16]))
    reference = data.draw_balanced(2000, np.random.default_rng([0, 12]))
    assert quick.measures["w1"] == pytest.approx(emd(points, reference).value, abs=1e-12)
    nearest = np.linalg.norm(points[:, None] - data.centres, axis=2)
    assert quick.measures["high_quality"] == np.mean(nearest.min(axis=1) <= 3 * data.sd)
    assert quick.measures["w1_floor"] < 0.06


def test_the_same_seed_gives_the_same_points(quick):
    again = smoke("sngan", steps=30)
    assert np.array_equal(quick.sample(50, 3), again.sample(50, 3))
    assert not np.array_equal(quick.sample(50, 3), smoke("sngan", steps=30, seed=1).sample(50, 3))
    assert not np.array_equal(quick.sample(50, 3), quick.sample(50, 4))


def test_the_record_prints_and_is_json(quick):
    text = str(quick)
    assert "sngan on ring8" in text and "exact W1" in text and "modes captured" in text
    content = json.loads(json.dumps(quick.to_dict(), allow_nan=False))
    wanted = {"model", "data", "modes", "high_quality", "js", "reverse_kl", "w1", "w1_floor", "seconds"}
    assert wanted <= set(content)
    assert content["settings"]["steps"] == 30


@pytest.mark.slow
@pytest.mark.parametrize("model", ["wgan-gp", "exact-ot", "bayesian", "infogan"])
def test_an_interrupted_training_goes_on_to_the_same_bit(model, tmp_path):
    whole = smoke(model, steps=40, reports=4)
    file = tmp_path / "run.pt"

    class Stopped(Exception):
        pass

    def stop(event):
        if event.counts["step"] == 20:
            raise Stopped

    # the checkpoint of step 10 stands when the report of step 20 fails
    with pytest.raises(Stopped):
        smoke(model, steps=40, reports=4, checkpoint=file, progress=stop)
    resumed = smoke(model, steps=40, reports=4, checkpoint=file)
    assert [entry["step"] for entry in resumed.history] == [10, 20, 30, 40]
    assert np.array_equal(resumed.sample(20, 0), whole.sample(20, 0))


def test_checkpoints_of_another_training_and_damaged_ones_are_refused(tmp_path):
    file = tmp_path / "run.pt"
    smoke("gan-logd", steps=2, reports=1, checkpoint=file)
    with pytest.raises(InvalidInput, match="checkpoint must belong to this very training"):
        smoke("gan-logd", steps=2, reports=1, checkpoint=file, seed=5)
    file.write_bytes(file.read_bytes()[:-200])
    with pytest.raises(InvalidInput, match="checkpoint must be a file that a training of generators wrote"):
        smoke("gan-logd", steps=2, reports=1, checkpoint=file)


@pytest.mark.slow
def test_a_saved_generator_is_read_by_another_process(quick, tmp_path):
    folder = quick.save(tmp_path / "out", n=100)
    assert sorted(file.name for file in folder.iterdir()) == ["generator.pt", "record.json", "samples.npy"]
    assert np.array_equal(np.load(folder / "samples.npy", allow_pickle=False), quick.sample(100, 0))
    code = (
        "import sys, numpy as np\nfrom otdiv.gans import load_generator\n"
        "print(repr(float(load_generator(sys.argv[1]).sample(100, 0).sum())))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder / "generator.pt")], capture_output=True, text=True, timeout=120
    )
    assert float(done.stdout) == pytest.approx(float(quick.sample(100, 0).sum()), rel=1e-9), done.stderr


def test_a_generator_file_is_data_only(quick, tmp_path):
    file = quick.generator.save(tmp_path / "g.pt")
    content = torch.load(file, weights_only=True)
    for tampered in (
        {**content, "kind": "another"},
        {**content, "settings": content["settings"].replace("sngan", "gpt")},
        {**content, "scale": -content["scale"]},
        {**content, "d": 3},
        {k: v for k, v in content.items() if k != "mean"},
    ):
        torch.save(tampered, file)
        with pytest.raises(InvalidInput, match="be a generator that otdiv saved"):
            load_generator(file)
    torch.save({"f": print}, file)  # a global: not tensors and numbers alone
    with pytest.raises(InvalidInput, match="be a generator that otdiv saved"):
        load_generator(file)
    with pytest.raises(InvalidInput, match="be a generator that otdiv saved"):
        load_generator(tmp_path / "none.pt")


@pytest.mark.slow
def test_points_of_a_user_come_back_in_their_own_units():
    rng = np.random.default_rng(0)
    points = np.column_stack([1e6 + 1e4 * rng.normal(size=400), 1e-3 * rng.normal(size=400), np.full(400, 7.0)])
    record = smoke("exact-ot", points, steps=60)
    drawn = record.sample(300, 0)
    assert drawn[:, 0].mean() == pytest.approx(1e6, abs=5e3)
    assert np.all(drawn[:, 2] == pytest.approx(7.0, abs=3.0))
    assert "modes" not in record.measures and record.measures["w1"] < record.before["w1"]
    # the reference is the fifth that was held out, in units of each column's spread
    assert 0.1 < record.measures["w1_floor"] < 1


@pytest.mark.slow
def test_images_are_drawn_within_their_levels():
    record = smoke("infogan", "digits", steps=10)
    drawn = record.sample(20, 0)
    assert drawn.shape == (20, 64) and np.abs(drawn).max() <= 1
    rng = np.random.default_rng(0)
    conv = smoke("wgan-gp", rng.uniform(-1, 1, size=(60, 784)), shape=(1, 28, 28), steps=2, critic_steps=1, batch=16)
    assert conv.sample(3, 0).shape == (3, 784) and np.abs(conv.sample(3, 0)).max() <= 1
    assert "Conv" in str(conv.generator.state.networks["generator"])


@pytest.mark.slow
def test_what_is_wrong_is_refused_by_name():
    with pytest.raises(InvalidInput, match=r"model must be one of gan-minimax, .*; got 'gan'"):
        train("ring8", "gan")
    with pytest.raises(InvalidInput, match=r"data must be one of ring8, .*; got 'ring9'"):
        train("ring9", "meg")
    with pytest.raises(InvalidInput, match="device must be 'auto' or name a device"):
        train("ring8", "meg", device="abacus")
    with pytest.raises(InvalidInput, match=r"settings must be known; got 'stepz'.*steps"):
        train("ring8", "meg", stepz=3)
    for name, value in (("steps", 0), ("batch", -1), ("rate", 0.0), ("entropy", -1.0), ("friction", 2.0), ("seed", -1)):
        with pytest.raises(InvalidInput, match=f"^{name} "):
            train("ring8", "meg", **{name: value})
    with pytest.raises(InvalidInput, match=r"constraint must be one of clipping.*; got 'semi-discrete'"):
        smoke("wgan-gp", constraint="semi-discrete")
    with pytest.raises(InvalidInput, match="data must have at least 20 points"):
        train(np.zeros((3, 2)), "meg")
    with pytest.raises(InvalidInput, match="data"):
        train(np.full((30, 2), np.nan), "meg")
    with pytest.raises(InvalidInput, match=r"shape must multiply to 4"):
        train(np.zeros((30, 4)), "meg", shape=(1, 3, 3))
    with pytest.raises(InvalidInput, match=r"levels in \[-1, 1\]"):
        train(np.full((30, 4), 7.0), "meg", shape=(1, 2, 2))
    with pytest.raises(InvalidInput, match="reports"):
        train("ring8", "meg", reports=0)


def test_divergence_is_said_with_its_step_and_remedy():
    with pytest.raises(SolverFailed, match=r"training diverged at step \d+: .*(nan|inf).* smaller learning rates"):
        smoke("wgan-gp", rate=1e18, critic_rate=1e18, steps=60)


def test_defaults_belong_to_the_model():
    assert GanSettings.of("wgan-gp").critic_steps > GanSettings.of("gan-logd").critic_steps
    assert GanSettings.of("wgan-gp", critic_steps=None, steps=7).steps == 7
