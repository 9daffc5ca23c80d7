"""The command: what it prints, its exit codes, and one readable sentence for every kind of bad input."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import pytest
from PIL import Image

import otdiv
from otdiv import cli, emd, lecture

SCRIPT = Path(sys.executable).parent / "otdiv"


@pytest.fixture
def pair(tmp_path):
    """Two small measures in the plane, as .csv and .npz."""
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("x,y,w\n0,0,0.5\n1,0,0.3\n0,1,0.2\n")
    second.write_text("x,y,w\n1,1,0.6\n2,0,0.4\n5,5,0\n")
    return first, second


def refused(result):
    """The one sentence of a refusal: exit code 2, nothing on stdout, no traceback."""
    code, out, err = result
    assert code == 2 and out == ""
    assert err.startswith("otdiv: ") and err.endswith("\n") and err.count("\n") == 1
    assert "Traceback" not in err and "Warning" not in err and len(err) < 400
    return err


def test_emd_prints_the_value_with_its_proof(run, pair):
    code, out, err = run("emd", *pair, "--weights", "w")
    assert code == 0 and err == ""
    assert out.splitlines()[0] == "EMD        1.26568542495"
    assert "Certified optimal" in out and "3 against 3 points in dimension 2, cost euclidean" in out


def test_emd_goes_on_from_a_checkpoint(run, pair, tmp_path):
    file = tmp_path / "c.npz"
    code, first, err = run("emd", *pair, "--checkpoint", file)
    assert code == 0 and err == "" and run("verify", file)[0] == 0
    code, again, err = run("emd", *pair, "--checkpoint", file)
    assert code == 0 and err == "" and "the checkpoint c.npz is the answer" in again
    assert first.splitlines()[0] == again.splitlines()[0]
    code, out, err = run("emd", pair[1], pair[0], "--checkpoint", file)
    assert code == 2 and out == "" and "another problem" in err


def test_emd_as_json(run, pair):
    code, out, err = run("emd", *pair, "--weights", "w", "--json")
    answer = json.loads(out)
    assert code == 0 and err == ""
    assert set(answer) >= {"value", "lower", "upper", "gap", "status", "method", "n", "m", "d"}
    assert answer["value"] == pytest.approx(0.7 + 0.4 * 2**0.5, rel=1e-12)
    assert answer["lower"] <= answer["value"] <= answer["upper"]
    assert answer["gap"] == answer["upper"] - answer["lower"] and answer["status"] == "optimal"
    assert (answer["n"], answer["m"], answer["d"]) == (3, 3, 2)


@pytest.mark.parametrize("cost", ["euclidean", "sqeuclidean", "cityblock", "chebyshev", "discrete", "minkowski:3"])
def test_every_cost_by_name(run, pair, cost):
    code, out, _ = run("emd", *pair, "--cost", cost, "--json", "--weights", 2)
    x, y = (np.loadtxt(path, delimiter=",", skiprows=1) for path in pair)
    assert code == 0
    assert json.loads(out)["value"] == pytest.approx(emd(x[:, :2], y[:, :2], x[:, 2], y[:, 2], cost=cost).value)
    assert json.loads(out)["cost"] == cost


@pytest.mark.parametrize("method", ["pot", "primal", "dual", "primal-cvxpy", "dual-cvxpy"])
def test_every_method_by_name(run, pair, method):
    code, out, _ = run("emd", *pair, "--method", method, "--json")
    assert code == 0 and json.loads(out)["method"] == method


def test_normalize(run, pair, tmp_path):
    double = tmp_path / "double.csv"
    double.write_text("1,1,1.2\n2,0,0.8\n")
    assert "same total mass; got 1 and 2" in refused(run("emd", pair[0], double, "--weights", 2))
    code, out, _ = run("emd", pair[0], double, "--weights", 2, "--normalize", "--json")
    assert code == 0 and json.loads(out)["value"] == pytest.approx(0.7 + 0.4 * 2**0.5)


def test_compare_prints_every_distance(run, pair):
    code, out, err = run("compare", *pair, "--weights", "w")
    assert code == 0 and err == ""
    assert out.startswith("a.csv against b.csv: 3 and 3 points, d = 2")
    for label in ("W1, primal program", "W1, dual program", "W2", "KL(x || y)", "JS", "Hellinger", "total variation"):
        assert label in out
    assert "share none" in out and "inf" in out and "gap" in out
    assert "--bins k" in out and "bins=k" not in out, "a remedy that can be typed here"


def test_compare_as_json(run, pair):
    code, out, err = run("compare", *pair, "--weights", "w", "--json")
    answer = json.loads(out)
    assert code == 0 and err == ""
    distances = answer["distances"]
    assert set(distances) >= {"w1_primal", "w1_dual", "w2", "kl", "kl_reverse", "js", "tv", "hellinger"}
    assert distances["kl"]["value"] == distances["kl_reverse"]["value"] == "inf"
    assert distances["js"]["value"] == pytest.approx(np.log(2))
    assert distances["w1_primal"]["value"] == pytest.approx(distances["w1_dual"]["value"], rel=1e-9)


@pytest.mark.slow
def test_compare_with_bins_makes_kl_finite(run, tmp_path):
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        np.save(tmp_path / f"{name}.npy", rng.random(200))
    files = (tmp_path / "a.npy", tmp_path / "b.npy")
    raw = json.loads(run("compare", *files, "--all", "--json")[1])["distances"]
    binned = json.loads(run("compare", *files, "--bins", 4, "--json")[1])["distances"]
    assert raw["kl"]["value"] == "inf" and 0 < binned["kl"]["value"] < 0.1
    assert raw["w1_primal"] == binned["w1_primal"]


def test_images(run, tmp_path):
    grey = np.zeros((4, 4), np.uint8)
    for name, column in (("a", 0), ("b", 3)):
        image = grey.copy()
        image[1, column] = 200
        Image.fromarray(image).save(tmp_path / f"{name}.png")
    code, out, _ = run("emd", tmp_path / "a.png", tmp_path / "b.png", "--json")
    assert code == 0 and json.loads(out)["value"] == pytest.approx(600)
    code, out, _ = run("emd", tmp_path / "a.png", tmp_path / "b.png", "--json", "--normalize")
    assert json.loads(out)["value"] == pytest.approx(3)
    Image.fromarray(np.ones((4, 4, 3), np.uint8)).save(tmp_path / "c.png")
    assert "c.png must be a grey image" in refused(run("emd", tmp_path / "a.png", tmp_path / "c.png"))
    assert "sum to 1; got 200. Pass --normalize" in refused(
        run("compare", tmp_path / "a.png", tmp_path / "b.png", "--all")
    )


def test_lecture_rows_as_json(run):
    code, out, err = run("lecture", "S2", "R3", "--json")
    answer = json.loads(out)
    assert code == 0 and err == "" and answer["ok"] is True
    assert {row["item"] for row in answer["rows"]} == {"S2", "R3"}
    for row in answer["rows"]:
        assert set(row) == {"item", "name", "computed", "expected", "ok"} and row["ok"] is True
    assert any(row["computed"] == row["expected"] == "inf" for row in answer["rows"])


def test_lecture_prints_a_table(run):
    code, out, _ = run("lecture", "S12")
    assert code == 0 and out.startswith("The lecture's examples") and "3 rows, all ok." in out


def test_a_lecture_mismatch_ends_with_1(run, monkeypatch):
    rows = lecture.rows(["S12"])
    wrong = [dataclasses.replace(rows[0], expected=rows[0].computed + 1e-3), *rows[1:]]
    monkeypatch.setattr(lecture, "rows", lambda items=None: wrong)
    code, out, _ = run("lecture")
    assert code == 1 and "NO" in out and "1 of 3 rows do not match." in out
    code, out, _ = run("lecture", "--json")
    assert code == 1 and json.loads(out)["ok"] is False


def test_stopped_by_max_iter_ends_with_1(run, tmp_path):
    rng = np.random.default_rng(1)
    for name in ("a", "b"):
        np.save(tmp_path / f"{name}.npy", rng.random((300, 2)))
    code, out, err = run("emd", tmp_path / "a.npy", tmp_path / "b.npy", "--max-iter", 50, "--json")
    answer = json.loads(out)
    assert code == 1 and answer["status"] == "stopped" and answer["gap"] > 1e-3 and err == ""
    code, out, _ = run("emd", tmp_path / "a.npy", tmp_path / "b.npy", "--max-iter", 50)
    assert code == 1 and "Stopped early" in out


def test_bad_input_is_one_sentence(run, pair, tmp_path):
    a, b = pair
    (tmp_path / "nan.csv").write_text("0,0\nnan,1\n")
    (tmp_path / "line.csv").write_text("0\n1\n")
    (tmp_path / "negative.csv").write_text("x,y,w\n0,0,1.5\n1,1,-0.5\n")
    for argv, words in (
        (("emd", a, tmp_path / "no.csv"), "must name an existing file"),
        (("emd", a, tmp_path), "the folder"),
        (("emd", a, tmp_path / "nan.csv"), "nan.csv: points must be finite; got nan at index (1, 0)"),
        (("emd", a, b, "--weights", "v"), "name one column of a.csv"),
        (("emd", a, tmp_path / "negative.csv", "--weights", "w"), "negative.csv: weights must be non-negative"),
        (("emd", a, tmp_path / "line.csv"), "same dimension; got d = 3 and d = 1"),
        (("emd", a, b, "--cost", "euclid"), "cost must be one of"),
        (("emd", a, b, "--cost", "minkowski:0"), "p as a number >= 1"),
        (("emd", a, b, "--method", "line"), "method must fit the problem"),
        (("emd", a, b, "--method", "magic"), "Invalid value for '--method'"),
        (("emd", a, b, "--rtol", "-1"), "rtol must be a non-negative number"),
        (("emd", a, b, "--rtol", "nan"), "rtol must be a non-negative number"),
        (("emd", a, b, "--rtol", "few"), "not a valid float"),
        (("emd", a, b, "--max-iter", "0"), "max_iter must be a positive integer"),
        (("emd", a, b, "--memory-limit", "-1"), "--memory-limit must be a positive number of GiB"),
        (("emd", a, b, "--memory-limit", "nan"), "--memory-limit must be a positive number of GiB"),
        (("emd", a, b, "--method", "primal", "--memory-limit", "1e-9"), "GiB; the limit is 1e-09 GiB"),
        (("emd", a), "Missing argument 'B'"),
        (("emd", a, b, b), "unexpected extra argument"),
        (("emd", a, b, "--colour"), "No such option"),
        (("compare", a, b, "--bins", "0"), "bins must be a positive integer"),
        (("compare", a, b, "--bins", "2.5"), "not a valid integer"),
        (("compare", a, b, "--cost", "sqeuclidean"), "cost must be a metric on points; got 'sqeuclidean'"),
        (("lecture", "S999"), "items must name lecture items; got 'S999'"),
        (("frobnicate",), "No such command 'frobnicate'"),
        (("demo", "--output", a / "below"), "cannot be written"),
    ):
        assert words in refused(run(*argv)), argv


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (("nowhere.csv",), "InvalidInput"),
        (("{b}", "--cost", "manhatten"), "InvalidInput"),
        (("{b}", "--nothing"), "UsageError"),
    ],
)
def test_under_json_errors_are_json_too(run, pair, arguments, kind):
    code, out, err = run("emd", pair[0], *(part.format(b=pair[1]) for part in arguments), "--json")
    found = json.loads(out)
    assert code == found["error"]["exit_code"] == 2 and found["error"]["kind"] == kind
    assert err == f"otdiv: {found['error']['message']}\n" and found["version"] == otdiv.__version__


@pytest.mark.parametrize("command", ["emd", "compare"])
def test_json_names_files_version_and_seconds(run, pair, command):
    found = json.loads(run(command, *pair, "--json")[1])
    assert (
        found["files"] == [str(file) for file in pair]
        and found["version"] == otdiv.__version__
        and 0 < found["seconds"] < 60
    )


def test_a_loose_tolerance_is_not_said_to_be_met_by_the_bounds(run, tmp_path):
    rng = np.random.default_rng(0)
    for name in ("x.npy", "y.npy"):
        np.save(tmp_path / name, rng.random((4000, 2)))
    files = str(tmp_path / "x.npy"), str(tmp_path / "y.npy")
    code, out, _ = run("emd", *files, "--rtol", "0.5")
    gap = re.search(r"within the 50 % asked for: the bounds differ by ([\d.]+) %", out)
    assert code == 0 and gap is not None and 0 < float(gap[1]) <= 100
    assert "Certified optimal" not in out


@pytest.mark.parametrize("command", [(), ("emd",), ("compare",), ("lecture",), ("demo",)])
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_of_every_command(run, command, flag):
    code, out, err = run(*command, flag)
    assert code == 0 and err == "" and out.startswith("Usage: otdiv")
    if command:
        assert "--json" in out
    else:
        assert all(name in out for name in ("emd", "compare", "lecture", "demo"))


def test_every_option_has_a_help_text():
    for name in cli.COMMANDS:
        command = cli.app.get_command(None, name)
        assert command.help and command.name == name
        for option in command.params:
            described = getattr(option, "help", None) or isinstance(option.type, click.Choice)
            assert described or isinstance(option, click.Argument), f"{name} {option.name}"


def test_no_command_shows_the_help(run):
    code, out, err = run()
    assert code == 2 and "Usage: otdiv" in out + err and "Traceback" not in err


def test_interrupted_ends_with_130(run, monkeypatch):
    def stop(items=None):
        raise KeyboardInterrupt

    monkeypatch.setattr(lecture, "rows", stop)
    code, out, err = run("lecture")
    assert code == 130 and out == "" and err.strip() == "otdiv: interrupted."


def test_a_failing_solver_ends_with_1(run, pair, monkeypatch):
    def fail(*args, **kwargs):
        raise otdiv.errors.SolverFailed("method 'pot' gave no answer.")

    monkeypatch.setattr("otdiv.cli.emd.emd", fail)
    assert run("emd", *pair) == (1, "", "otdiv: method 'pot' gave no answer.\n")


def test_no_memory_is_said_in_words(run, pair, monkeypatch):
    def fail(*args, **kwargs):
        raise MemoryError("Unable to allocate 1 TiB")

    monkeypatch.setattr("otdiv.cli.emd.emd", fail)
    assert "not enough memory" in refused(run("emd", *pair))


def test_an_error_of_our_own_is_not_hidden(pair, monkeypatch):
    """Only what a user can mend becomes a sentence; a bug keeps its traceback."""
    monkeypatch.setattr("otdiv.cli.emd.emd", lambda *args, **kwargs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        cli.main(["emd", *map(str, pair)])


@pytest.mark.parametrize(("mismatches", "certified", "expected"), [(0, True, 0), (1, True, 1), (0, False, 1)])
def test_demo_exit_codes(run, tmp_path, monkeypatch, mismatches, certified, expected):
    from otdiv.report import demo

    asked = []

    def quick(folder, show):
        asked.append(folder)
        return demo.DemoResult(mismatches, certified, folder / "index.html")

    monkeypatch.setattr(demo, "run_demo", quick)
    code, out, _ = run("demo", "--output", tmp_path / "d", "--json")
    assert code == expected
    page = str(tmp_path / "d" / "index.html")
    content = json.loads(out)
    assert {key: content[key] for key in ("mismatches", "certified", "page")} == {
        "mismatches": mismatches,
        "certified": certified,
        "page": page,
    }
    code, out, _ = run("demo", "--output", tmp_path / "d")
    assert code == expected and page in out and asked == [tmp_path / "d"] * 2


def environment():
    """As most users have it: warnings shown, output buffered."""
    return {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"} | {"PYTHONWARNINGS": "default"}


@pytest.mark.slow
def test_as_a_module_and_as_a_script(pair):
    module = subprocess.run(
        [sys.executable, "-m", "otdiv", "emd", *pair, "--json"], capture_output=True, text=True, env=environment()
    )
    assert module.returncode == 0 and module.stderr == "" and json.loads(module.stdout)["status"] == "optimal"
    script = subprocess.run([SCRIPT, "--version"], capture_output=True, text=True, env=environment())
    assert (script.returncode, script.stdout, script.stderr) == (0, f"otdiv, version {otdiv.__version__}\n", "")


@pytest.mark.slow
def test_a_reader_that_leaves_early_causes_no_traceback(tmp_path):
    with open(tmp_path / "err", "w+") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "otdiv", "lecture", "S2"], stdout=subprocess.PIPE, stderr=errors, env=environment()
        )
        process.stdout.close()  # before a word is printed
        assert process.wait(60) == 141
        errors.seek(0)
        assert errors.read() == ""
