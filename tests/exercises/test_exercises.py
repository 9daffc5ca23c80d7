"""Each solution gets full marks, each of three wrong answers does not, and the mark says why."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from otdiv.errors import InvalidInput
from otdiv.exercises import EXERCISES, exercise, grade, grade_pair, grade_plan
from otdiv.exercises.problems import SQUARE, THREE

NAMES = [entry.name for entry in EXERCISES]


def test_three_for_each_notebook():
    assert [f"{notebook:02d}.{k}" for notebook in range(1, 9) for k in (1, 2, 3)] == NAMES
    assert all(len(entry.wrong) == 3 for entry in EXERCISES)


@pytest.mark.parametrize("name", NAMES)
def test_the_solution_gets_full_marks_and_wrong_answers_do_not(name):
    entry = exercise(name)
    found = entry.grade(entry.solution)
    assert found.full and str(found).startswith("Full marks."), str(found)
    if found.proved is not None:
        assert found.proved.gap <= 1e-9 * max(1.0, abs(found.proved.upper))
    for wrong in (*entry.wrong, None):
        mark = entry.grade(wrong)
        assert not mark.full and str(mark).startswith("Not yet.") and len(mark.reason) > 10, (wrong, str(mark))


@pytest.mark.parametrize(
    ("name", "answer", "words"),
    [
        ("02.1", [[0.25, 0.0, 0.25], [0.0, 0.25, 0.0], [0.0, 0.0, 0.5]], "Source 2 sends 0.5, and should send 0.25"),
        ("02.1", [[0.5, 0.25, -0.25], [-0.25, 0.0, 0.5], [0.0, 0.0, 0.25]], "negative: -0.25 from source"),
        ("02.2", ([1.0, 1.0, 1.0], [0.0, 0.0, 0.0]), "f + g <= c is violated at source 0, target 0: 1 + 0 > 0"),
        ("02.2", ([0.0, 0.0, 0.0], [0.0, 0.0, 0.0]), "0.5 more can be earned"),
        ("04.2", [2.0, 1.0], "A x must equal b; row 1 differs by 2"),
        ("05.1", lambda x: -2 * x[:, 0], "not 1-Lipschitz: between"),
        ("05.2", ([0.5, 0.5], [0.5, 0.5]), "Proved: [0, 1]"),
        ("02.3", ([[0.5, 0.0], [0.0, 0.5]], ([0.0, 0.0], [0.0, 0.0])), "a gap of 1 is left"),
        ("03.2", [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 2)], "On (1, 0) f + g is not d"),
        ("03.3", 3.0, "is then below 9"),
        ("01.1", None, "Give two lists of probabilities"),
        ("06.2", lambda x: x @ np.array([3.0, 4.0]) / 5, "With the other sign it finds more"),
        ("07.2", ([0.0, 0.0], [1.0, 0.0]), "slope between them is 1, and other pairs are steeper"),
        ("04.3", [1.0, -1.0], "not in the cone: its weights of the columns are [0.8, -0.6]"),
        ("04.3", [0.0, 0.0], "along the column [2.0, 1.0] comes nearer"),
        ("04.3", [0.8, 0.4], "k'(b - k) is -0.4"),
        ("05.3", 0.25, "never pays as much"),
        ("06.1", [2, 3, 4, 1], "Targets are numbered 0 to 3"),
        ("06.3", 0.8, "too little"),
        ("07.1", 5.0, "stretched to more"),
    ],
)
def test_the_mark_says_what_is_violated_and_where(name, answer, words):
    assert words in str(grade(name, answer))


def test_intervals_hold_the_truth():
    """Whatever the plan and the prices: the distance of THREE is 0.5."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        t = rng.random()
        plan = t * np.array(exercise("02.1").solution) + (1 - t) * np.outer(THREE.a, THREE.b)
        mark = grade_plan(THREE, plan)
        assert mark.proved.contains(0.5) and not mark.full
    assert grade_pair(SQUARE, [[0.5, 0.0], [0.0, 0.5]], [1.0, 0.0], [0.0, 0.9]).proved.contains(1.0)


def test_an_unknown_exercise():
    with pytest.raises(InvalidInput, match=r"name must be one of 01\.1"):
        grade("09.1")


def notebook_of(name):
    """The script of the notebook that asks an exercise."""
    return next((Path(__file__).parents[2] / "notebooks").glob(f"{name[:2]}_*.py")).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_the_notebook_asks_what_the_catalogue_asks(name):
    text = " ".join(notebook_of(name).replace("\n# ", " ").split())
    assert f"**{name[-1]}.** {exercise(name).statement} " in text
    assert "# % [markdown]" not in text, "a cell of code that should be one of words"


@pytest.mark.parametrize("name", NAMES)
def test_the_folded_solution_gets_full_marks(name):
    """The code in the folded solution, as a student would run it; nothing outside the fold holds an answer."""
    text = notebook_of(name)
    (line,) = re.findall(rf'^# print\((grade\("{name}", .*)\)$', text, re.M)
    fold = text[: text.index(line)].rpartition("<details>")[2]
    assert "<summary>Solution</summary>" in fold and "</details>" not in fold
    assert eval(line, {"np": np, "grade": grade}).full
    assert f'yours = None  # your answer\nprint(grade("{name}", yours))' in text
