"""otdiv compare of two tables: what it prints, its page, its JSON, its exit codes."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(0)
    for name, shift in (("before", 0.0), ("after", 0.8)):
        frame = pd.DataFrame(
            {
                "id": [f"{name}{k}" for k in range(120)],
                "age": rng.normal(40 + 9 * shift, 9, 120).round(2),
                "city": rng.choice(["A", "B"], 120),
                "when": pd.date_range("2025-01-01", periods=120),
            }
        )
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    return str(tmp_path / "before.csv"), str(tmp_path / "after.csv")


def test_the_answer_on_one_screen(run, files):
    code, out, err = run("compare", *files)
    assert code == 0 and err == "" and len(out.splitlines()) <= 24
    assert "Changed (p = " in out and "1 of 3 columns, age." in out
    assert re.search(r"age +number .* sd\)", out) and "Not measured: id (identifier)." in out


def test_json(run, files):
    found = json.loads(run("compare", *files, "--json")[1])
    assert found["changed"] == ["age"] and found["p"] < 0.01 and found["files"] == list(files)
    assert found["joint"]["lower"] <= found["joint"]["value"] <= found["joint"]["upper"]
    assert {c["name"]: c["kind"] for c in found["columns"]} == {"age": "number", "city": "category", "when": "date"}


@pytest.mark.parametrize(
    ("condition", "code"),
    [("p < 0.01", 1), ("p>0.01", 0), ("distance >= 0.1", 1), ("distance > 10", 0), (" p <= 1e-30 ", 0)],
)
def test_a_pipeline_fails_where_it_is_asked_to(run, files, condition, code):
    assert run("compare", *files, "--fail-if", condition)[0] == code


@pytest.mark.parametrize("condition", ["q < 1", "p", "p < x", "p == 1", "p < 1 or p > 2"])
def test_conditions_that_cannot_be_read_are_refused(run, files, condition):
    code, out, err = run("compare", *files, "--fail-if", condition)
    assert code == 2 and out == "" and "--fail-if must be 'p < NUMBER'" in err


def test_the_page_holds_everything(run, files, tmp_path):
    page = tmp_path / "out.html"
    assert run("compare", *files, "--report", page)[0] == 0
    text = page.read_text()
    assert text.count("data:image/png;base64,") == 2 and "Changed (p" in text and "age" in text
    assert not re.search(r"(src|href)=.(https?:)?//", text)
    code, _, err = run("compare", *files, "--report", tmp_path / "out.pdf")
    assert code == 2 and "--report" in err and "out.html" in err


def test_remedies_are_in_the_words_of_the_command(run, files, tmp_path):
    frame = pd.read_csv(files[0])
    frame.loc[3, "age"] = np.nan
    frame.to_csv(tmp_path / "holes.csv", index=False)
    code, _, err = run("compare", tmp_path / "holes.csv", files[1])
    assert code == 2 and "age 1 and 0" in err and "--missing drop" in err and "--missing category" in err
    for policy in ("drop", "category"):
        assert run("compare", tmp_path / "holes.csv", files[1], "--missing", policy)[0] == 0
    frame = pd.read_csv(files[0], dtype=str)
    frame.loc[3, "age"] = "old"
    frame.to_csv(tmp_path / "damaged.csv", index=False)
    code, _, err = run("compare", tmp_path / "damaged.csv", files[1])
    assert code == 2 and "'old' in row 4" in err and "--category age" in err
    assert run("compare", tmp_path / "damaged.csv", files[1], "--category", "age")[0] == 0
    code, _, err = run("compare", files[0], tmp_path / "picture.png")
    assert code == 2 and "name an existing file" in err


def test_columns_can_be_selected(run, files):
    found = json.loads(run("compare", *files, "--columns", "city,age", "--json")[1])
    assert sorted(c["name"] for c in found["columns"]) == ["age", "city"]


def test_every_distance_is_one_option_away(run, files):
    code, out, _ = run("compare", *files, "--columns", "age", "--all")
    assert code == 0 and "W1, primal program" in out


def test_remedies_can_be_typed_as_they_are_said(run, tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.csv").write_text("net weight,id\n" + "".join(f"{k % 7} kg,{k}\n" for k in range(40)))
    paths = [str(tmp_path / f"{name}.csv") for name in "ab"]
    code, _, err = run("compare", *paths)
    assert code == 2 and "the unit 'kg' into the column's name" in err and "--category 'net weight'" in err
    code, out, _ = run("compare", *paths, "--category", "net weight")
    assert code == 0 and "id (identifier)" in out and "compared with itself" in out
    code, out, _ = run("compare", *paths, "--category", "net weight", "--number", "id", "--units", "raw")
    assert code == 0 and "Not measured" not in out and "in their own unit, dates in days," in out


def test_the_page_says_each_sentence_once(run, files, tmp_path):
    page = tmp_path / "out.html"
    run("compare", *files, "--report", page)
    text = page.read_text()
    assert text.count("Joint distance of all rows") == 1 and text.count("Changed (p = ") == 1
    assert 'name="viewport"' in text
