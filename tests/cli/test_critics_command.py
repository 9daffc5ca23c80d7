"""otdiv critic, otdiv compare --critic, and compare(critic=...)."""

from __future__ import annotations

import json

import numpy as np
import pytest

from otdiv import compare, critics
from otdiv.cli.main import main
from otdiv.errors import InvalidInput


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "a.npy", rng.normal(size=(40, 2)))
    np.save(tmp_path / "b.npy", rng.normal(size=(30, 2)) + 1)
    return str(tmp_path / "a.npy"), str(tmp_path / "b.npy")


def call(*argv):
    with pytest.raises(SystemExit) as stop:
        main([*argv])
    return stop.value.code


@pytest.mark.slow
def test_critic_prints_json(files, capsys, tmp_path):
    saved = tmp_path / "critic.pt"
    assert call("critic", *files, "--json", "--steps", "400", "--seed", "3", "--save", str(saved)) == 0
    answer = json.loads(capsys.readouterr().out)
    for key in ("estimate", "lower", "upper", "exact", "raw", "estimand", "verdict", "constraint", "device", "seconds"):
        assert key in answer
    assert answer["lower"] <= answer["exact"] <= answer["upper"] * (1 + 1e-12)
    assert answer["estimate"] == pytest.approx(answer["exact"], rel=0.01) and answer["verdict"] == "agrees"
    assert critics.load(saved).seed == 3


def test_critic_prints_a_table(files, capsys):
    assert call("critic", *files, "--steps", "200") == 0
    out = capsys.readouterr().out
    assert "estimate" in out and "proved" in out and "Verdict: agrees" in out


def test_a_poor_critic_ends_with_the_code_of_its_standing(files, capsys):
    argv = ("critic", *files, "--constraint", "frobenius", "--estimand", "population", "--steps", "1", "--json")
    code = call(*argv)
    answer = json.loads(capsys.readouterr().out)
    assert code == {"believed": 0, "not believed": 1, "unchecked": 3}[answer["standing"]] != 0
    assert answer["estimate"] < 0.5 and answer["estimand"] == "population"


def test_bad_input_ends_with_code_2(files, capsys):
    assert call("critic", *files, "--steps", "0") == 2
    assert "steps must be a positive integer" in capsys.readouterr().err
    assert call("critic", *files, "--constraint", "hope") == 2
    assert call("critic", files[0], "missing.npy") == 2


def test_a_saved_critic_is_audited_from_its_file(files, tmp_path, capsys):
    saved = str(tmp_path / "critic.pt")
    assert call("critic", *files, "--steps", "300", "--constraint", "min-max", "--save", saved) == 0
    capsys.readouterr()
    assert call("audit", *files, "--critic", saved, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["verdict"] == "agrees" and report["critic"] == "min-max critic" and report["constant"] == 1.0
    penalised = critics.fit(*(np.load(file) for file in files), constraint="one-sided-penalty", steps=20, width=8)
    penalised.save(saved)
    call("audit", *files, "--critic", saved, "--json")
    assert "de-biased value" in json.loads(capsys.readouterr().out)["debiased"]  # the weight is in the file


def test_figures_are_written_and_their_names_checked_before_the_work(files, tmp_path, capsys):
    picture = tmp_path / "training.svg"
    assert call("critic", *files, "--steps", "100", "--figure", str(picture)) == 0
    assert picture.read_text().count("<path") > 10
    np.save(tmp_path / "fx.npy", np.load(files[0])[:, 0])
    np.save(tmp_path / "fy.npy", np.load(files[1])[:, 0])
    values = ("--values", str(tmp_path / "fx.npy"), str(tmp_path / "fy.npy"))
    call("audit", *files, *values, "--figure", str(tmp_path / "audit.png"))
    assert (tmp_path / "audit.png").read_bytes().startswith(b"\x89PNG")
    capsys.readouterr()
    for command in (("critic", *files), ("audit", *files, *values)):
        assert call(*command, "--figure", str(tmp_path / "curve.doc")) == 2
        printed = capsys.readouterr()
        assert "--figure must end in .png, .svg or .pdf" in printed.err and printed.out == ""


@pytest.mark.slow
def test_compare_with_a_critic(files, capsys):
    code = call("compare", *files, "--critic", "--json")
    table = json.loads(capsys.readouterr().out)
    rows = table["distances"]
    assert code == 0 and table["critic"]["verdict"] == "agrees"
    assert rows["w1_critic_bound"]["value"] <= rows["w1_primal"]["value"] * (1 + 1e-9)
    assert rows["w1_critic"]["value"] == pytest.approx(rows["w1_dual"]["value"], rel=0.01)
    assert call("compare", *files, "--json") == 0
    assert "critic" not in json.loads(capsys.readouterr().out)


def test_compare_takes_options_for_the_critic_and_only_the_euclidean_cost():
    x, y = [0.0, 1.0], [2.0, 4.0]
    table = compare(x, y, critic={"steps": 60, "rng": 2, "constraint": "min-max"})
    assert table.critic.critic.seed == 2 and "min-max: agrees" in repr(table)
    with pytest.raises(InvalidInput, match="metric must be euclidean for a critic"):
        compare(x, y, metric="cityblock", critic=True)
