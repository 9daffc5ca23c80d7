"""Distances against closed forms and SciPy, intervals and p-values against their promise."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
from scipy import stats

from otdiv import emd
from otdiv.drift import compare_tables
from otdiv.drift.column_distance import category_moved, number_moved


def test_distances_of_columns_are_exact():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=300), rng.gamma(2, size=200)
    found = number_moved(x, y, rng)
    assert found.distance == pytest.approx(stats.wasserstein_distance(x, y), rel=1e-12)
    p, q = rng.integers(0, 4, 100), rng.integers(0, 3, 150)
    tv = np.abs(np.bincount(p, minlength=4) / 100 - np.bincount(q, minlength=4) / 150).sum() / 2
    assert category_moved(p, q, 4, rng).distance == pytest.approx(tv)


@pytest.mark.slow
@pytest.mark.parametrize("n", [30, 200])
def test_level_of_the_p_values(n):
    """300 pairs without a change: at most 5 % + 4 standard errors of them below 0.05 (chance of a failure 3e-5)."""
    rng = np.random.default_rng(n)
    numbers = [number_moved(rng.normal(size=n), rng.normal(size=n + 7), rng, 99).p_value for _ in range(300)]
    levels = [category_moved(rng.integers(0, 5, n), rng.integers(0, 5, n + 7), 5, rng, 99).p_value for _ in range(300)]
    for p in (numbers, levels):
        assert np.mean(np.array(p) <= 0.05) <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / 300)
        assert min(p) > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("second", "truth"),
    [
        (lambda rng, n: rng.normal(size=n), 0.0),
        (lambda rng, n: rng.normal(0.3, 1, n), 0.3),
        (lambda rng, n: 1.5 * rng.normal(size=n), 0.5 * np.sqrt(2 / np.pi)),
    ],
)
@pytest.mark.parametrize("n", [60, 600])
def test_intervals_of_numbers_cover(second, truth, n):
    """200 pairs: covered at least 95 % less 4 standard errors (chance of a failure 3e-5)."""
    rng = np.random.default_rng(n)
    covered = 0
    for _ in range(200):
        found = number_moved(rng.normal(size=n), second(rng, n), rng, 49)
        covered += found.lower <= truth <= found.upper
    assert covered / 200 >= 0.95 - 4 * np.sqrt(0.95 * 0.05 / 200)


@pytest.mark.slow
@pytest.mark.parametrize("levels", [3, 60])
def test_intervals_of_categories_cover(levels):
    """As above, with levels that are rare too."""
    rng = np.random.default_rng(levels)
    p = np.ones(levels) / levels
    q = p + np.where(np.arange(levels) == 0, 0.2, -0.2 / (levels - 1))
    q = np.maximum(q, 0) / np.maximum(q, 0).sum()
    truth = np.abs(p - q).sum() / 2
    covered = 0
    for _ in range(200):
        found = category_moved(rng.choice(levels, 80, p=p), rng.choice(levels, 90, p=q), levels, rng, 49)
        covered += found.lower <= truth <= found.upper
    assert covered / 200 >= 0.95 - 4 * np.sqrt(0.95 * 0.05 / 200)


def changed_tables(n=400, shift=0.6):
    rng = np.random.default_rng(1)
    make = lambda d: {"a": rng.normal(d, 2, n), "b": rng.normal(size=n), "c": rng.choice(["u", "v"], n).tolist()}  # noqa: E731
    return make(0.0), make(2 * shift)


def test_the_column_that_moved_is_found_and_described():
    found = compare_tables(*changed_tables())
    assert found.changed() == ("a",) and found.p_value < 1e-6
    assert found.changes[0].name == "a" and found["a"].lower < 0.6 < found["a"].upper
    assert found["a"].sentence.startswith("mean ") and " sd)" in found["a"].sentence
    assert found.verdict.startswith("Changed") and "1 of 3 columns, a." in found.verdict
    assert "no change found" in str(found)


def test_the_joint_distance_is_exact_and_split_over_the_columns():
    tables = changed_tables()
    found = compare_tables(*tables)
    assert sum(change.joint_share for change in found.changes) == pytest.approx(1.0)
    joint = found.joint
    coordinates = []
    for rows, side in zip(joint.rows, tables, strict=True):
        units = [np.std(np.concatenate([t[k] for t in tables])) for k in "ab"]
        city = np.array([[0.5 * (c == "u"), 0.5 * (c == "v")] for c in side["c"]])
        coordinates.append(np.column_stack([side["a"] / units[0], side["b"] / units[1], city])[rows])
    assert joint.value == pytest.approx(emd(*coordinates, cost="cityblock").value, rel=1e-9)
    assert joint.columns.sum() == pytest.approx(joint.value, rel=1e-9)
    assert joint.transport.status.certified and joint.excess > 0
    assert sum(share for *_, share in joint.moved_rows(10**6)) == pytest.approx(1.0)


def test_a_change_of_dependence_alone_is_found_by_the_joint_test():
    rng = np.random.default_rng(3)
    z, e = rng.normal(size=(2, 400)), rng.normal(size=(2, 400))
    found = compare_tables({"u": z[0], "v": z[0] + 0.1 * e[0]}, {"u": z[1], "v": e[1] * np.sqrt(1.01)}, rng=0)
    assert found.changed() == () and found.joint_adjusted_p < 0.05
    assert "the columns together have" in found.verdict


def test_no_change_is_not_called_one():
    first, second = changed_tables(shift=0.0)
    found = compare_tables(first, second)
    assert found.p_value > 0.05 and found.verdict.startswith("No change was found")


@pytest.mark.slow
def test_the_same_seed_gives_the_same_answer_and_it_keeps():
    tables = changed_tables(n=700)
    one, two = compare_tables(*tables, rng=5), compare_tables(*tables, rng=5)
    assert one.to_dict() == two.to_dict() == pickle.loads(pickle.dumps(one)).to_dict()
    assert one.joint.sampled and "random samples of 500 and 500 rows" in one.extent
    assert json.loads(json.dumps(one.to_dict()))["columns"][0]["name"] == "a"


@pytest.mark.slow
def test_raw_units_and_weights():
    tables = changed_tables()
    raw, standard = compare_tables(*tables, units="raw"), compare_tables(*tables)
    unit = np.std(np.concatenate([t["a"] for t in tables]))
    assert raw["a"].distance == pytest.approx(standard["a"].distance * unit)
    heavy = compare_tables(*tables, weights={"a": 10.0})
    assert heavy["a"].distance == pytest.approx(standard["a"].distance)
    assert heavy["a"].joint_share > standard["a"].joint_share


@pytest.mark.slow
def test_divergences_on_request():
    found = compare_tables(*changed_tables(n=150), divergences=["js"], rng=0)
    assert 0 < found.divergences["js"].value < np.log(2) and "JS(P, Q) = " in str(found)
    assert found.to_dict()["divergences"]["js"]["method"]
