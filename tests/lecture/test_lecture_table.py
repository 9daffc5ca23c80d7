"""The table of lecture rows: its record, its registry, its red team, and the page docs/lecture.md."""

from __future__ import annotations

import importlib
import math
import re
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest

from otdiv import lecture
from otdiv.errors import InvalidInput
from otdiv.lecture import LectureRow, cited, kullback, transport
from otdiv.lecture.generative import bayesian, energy, gan, infogan

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "lecture.md"
CORE = [f"S{k}" for k in range(1, 25)] + ["R1", "R2", "R3"]


@pytest.fixture(scope="module")
def all_rows() -> list[LectureRow]:
    return lecture.rows()


# --- the rows ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_every_row_of_every_item_is_ok(all_rows):
    assert [row for row in all_rows if not row.ok] == []
    assert len(all_rows) >= 200


def test_rows_come_in_the_order_of_the_lecture(all_rows):
    order = list(dict.fromkeys(row.item for row in all_rows))
    assert order == lecture.item_names()
    assert [name for name in order if name in CORE] == CORE
    assert len(set(order)) == sum(len(chapter) for chapter in lecture.CHAPTERS)  # no item in two chapters


def test_names_tell_rows_apart(all_rows):
    names = [(row.item, row.name) for row in all_rows]
    assert len(names) == len(set(names))


def test_numbers_are_plain_floats(all_rows):
    for row in all_rows:
        assert type(row.computed) is type(row.expected) is type(row.tolerance) is float
        assert not math.isnan(row.computed)
        assert 0 <= row.tolerance <= 1e-6


def test_some_items_only():
    assert {row.item for row in lecture.rows(["S12", "R2"])} == {"S12", "R2"}
    assert lecture.rows("S12") == lecture.rows(["S12"])
    assert lecture.rows(["R2", "S12"])[0].item == "S12"
    with pytest.raises(InvalidInput, match=r"^items must name lecture items; got 'S99'\. Known: S1 to S\d+, "):
        lecture.rows(["S99"])


# --- red team: a wrong number is seen ---------------------------------------------------------------


def test_a_wrong_expectation_is_not_ok(all_rows):
    for row in all_rows:
        shift = 2 * row.tolerance + 1e-15 * abs(row.expected) + 1e-300
        if math.isfinite(row.expected):
            assert not replace(row, expected=row.expected + shift).ok or row.tolerance == 0 == row.expected == shift
            assert not replace(row, computed=math.inf).ok
        else:
            assert not replace(row, expected=-row.expected).ok
            assert not replace(row, computed=1e300).ok
        assert not replace(row, computed=math.nan).ok


def test_a_row_cannot_be_edited():
    row = LectureRow("S1", "one", 1.0, 1.0)
    assert row.ok
    with pytest.raises(FrozenInstanceError):
        row.computed = 2.0
    with pytest.raises(FrozenInstanceError):
        row.ok = True


def test_infinities_and_nan():
    assert LectureRow("S1", "", math.inf, math.inf).ok
    assert not LectureRow("S1", "", math.inf, -math.inf).ok
    assert not LectureRow("S1", "", math.inf, 1e308).ok
    assert not LectureRow("S1", "", math.nan, math.nan).ok
    assert not LectureRow("S1", "", 1.0, 1.0 + 2e-9).ok


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "function", "items"),
    [
        (kullback, "kl", ("S4", "S6", "S7")),
        (kullback, "js", ("S7", "S17")),
        (kullback, "kl_integrand", ("S4", "S5", "S6")),
        (gan, "gan_loss", ("S1", "S2", "S10")),
        (gan, "optimal_discriminator", ("S2", "S9", "S10", "S12", "S13")),
        (gan, "log_d_identity", ("S14",)),
        (gan, "softmax_gradient", ("S15",)),
        (gan, "optimal_gan_loss", ("S10", "S12", "S16")),
        (transport, "gan_loss_logit_gradient", ("S21",)),
        (cited, "total_variation", ("R1",)),
        (energy, "free_energy", ("S65",)),
        (energy, "log_partition", ("S65",)),
        (infogan, "infogan_objective", ("S66",)),
        (infogan, "mutual_information", ("S67", "S68")),
        (infogan, "conditional_entropy", ("S68",)),
        (infogan, "resampled_expectation", ("S71",)),
        (bayesian, "generator_posterior", ("S73",)),
        (bayesian, "discriminator_posterior", ("S74", "S76")),
        (bayesian, "marginal_generator_posterior", ("S75",)),
        (bayesian, "marginal_discriminator_posterior", ("S76",)),
    ],
)
def test_a_wrong_function_is_seen(monkeypatch, module, function, items):
    """The rows really come from the function: a version that is off by a thousandth fails."""
    true = getattr(module, function)

    def off(*args, **kwargs):
        value = true(*args, **kwargs)
        if function == "log_d_identity":
            return replace(value, loss=1.001 * value.loss, js=1.001 * value.js)
        return 0.999 * value

    monkeypatch.setattr(module, function, off)
    for item in items:
        assert not all(row.ok for row in lecture.rows([item])), item


def test_a_wrong_transport_is_seen(monkeypatch):
    true = transport.emd

    class Off:
        def __init__(self, result):
            self.value, self.plan, self.upper, self.lower = (
                1.001 * result.value,
                result.plan,
                result.upper,
                0.999 * result.lower,
            )

    monkeypatch.setattr(transport, "emd", lambda *args, **kwargs: Off(true(*args, **kwargs)))
    monkeypatch.setattr(cited, "emd", lambda *args, **kwargs: Off(true(*args, **kwargs)))
    for item in ("S18", "S19", "S20", "S22", "S24", "R1", "R2", "R3"):
        assert not all(row.ok for row in lecture.rows([item])), item


# --- the page ---------------------------------------------------------------------------------------


def table_of(text: str) -> dict[str, list[str]]:
    """Item -> the cells of its row."""
    cells = [
        [c.strip() for c in line.strip("|").split("|")] for line in text.splitlines() if re.match(r"\| [SXR]\d+ ", line)
    ]
    assert all(len(row) == 6 for row in cells), "every row has six cells"
    assert len({row[0] for row in cells}) == len(cells), "no item twice"
    return {row[0]: row for row in cells}


def exists(reference: str) -> bool:
    """Whether a dotted name, or a path with ::test, is really there."""
    if "::" in reference:
        path, test = reference.split("::")
        return (ROOT / path).is_file() and f"def {test}(" in (ROOT / path).read_text()
    if "/" in reference:
        return (ROOT / reference).is_file()
    module, _, name = reference.rpartition(".")
    try:
        return hasattr(importlib.import_module(module), name)
    except ImportError:
        return False


def test_every_item_has_a_row_in_the_page():
    table = table_of(PAGE.read_text())
    assert set(lecture.item_names()) | {"X1", "X2", "X3"} <= set(table)
    for item, (_, statement, functions, tests, notebook, errata) in table.items():
        assert len(statement) > 10, item
        for cell in (functions, tests):
            references = re.findall(r"`([^`]+)`", cell)
            assert references, item
            assert [r for r in references if not exists(r)] == [], item
        assert notebook == "-" or all(exists(n) for n in re.findall(r"`([^`]+)`", notebook)), item
        assert re.fullmatch(r"-|E\d+(, E\d+)*", errata), item


def test_the_page_check_sees_what_is_missing():
    assert exists("otdiv.divergences.kl")
    assert not exists("otdiv.divergences.kul")
    assert not exists("otdiv.nowhere.kl")
    assert not exists("tests/lecture/test_lecture_gan.py::test_s99_nothing")
    assert not exists("notebooks/99_nothing.py")
    with pytest.raises(AssertionError, match="six cells"):
        table_of("| S1 | too | few |")
    with pytest.raises(AssertionError, match="no item twice"):
        table_of("| S1 | a | b | c | d | e |\n| S1 | a | b | c | d | e |")


def test_each_item_has_a_test_with_its_number():
    names = " ".join(
        re.findall(r"def (test_\w+)", "\n".join(p.read_text() for p in (ROOT / "tests").rglob("test_*.py")))
    )
    for item in CORE:
        assert re.search(
            rf"\btest_{item[0].lower()}{int(item[1:]):02d}_" if item[0] == "S" else rf"\btest_{item.lower()}_", names
        ), item
