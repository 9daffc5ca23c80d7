"""Kinds of columns, missing values, names and files: each as documented, or refused by name."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet
import pytest

from otdiv import compare
from otdiv.drift import Kind, TableComparison, compare_tables
from otdiv.errors import InvalidInput
from otdiv.measures.tables import TableOptions

N = 40
CITIES = np.array(["A", "B", "C"])


def table(seed=0, n=N, **changes):
    rng = np.random.default_rng(seed)
    columns = {
        "id": [f"u{seed}-{k}" for k in range(n)],
        "age": rng.normal(40, 9, n).round(1),
        "city": rng.choice(CITIES, n),
        "member": rng.random(n) < 0.4,
        "since": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, n), unit="D"),
        "country": ["DE"] * n,
    }
    return pd.DataFrame({**columns, **changes})


def kinds(found):
    every = [change.column for change in found.changes] + list(found.unmeasured)
    return {column.name: column.kind for column in every}


EXPECTED = {
    "id": Kind.IDENTIFIER,
    "age": Kind.NUMBER,
    "city": Kind.CATEGORY,
    "member": Kind.CATEGORY,
    "since": Kind.DATE,
    "country": Kind.CONSTANT,
}


@pytest.mark.parametrize("source", ["pandas", "csv", "tsv", "parquet", "arrow", "mapping"])
def test_kinds_are_recognised_in_every_source(source, tmp_path):
    def given(frame, name):
        if source == "pandas":
            return frame
        if source == "mapping":
            return {key: column.tolist() for key, column in frame.items()}
        if source == "arrow":
            return pyarrow.Table.from_pandas(frame)
        path = tmp_path / f"{name}.{source}"
        if source == "parquet":
            frame.to_parquet(path)
        else:
            frame.to_csv(path, index=False, sep="\t" if source == "tsv" else ",")
        return path

    found = compare_tables(given(table(0), "a"), given(table(1), "b"))
    assert kinds(found) == EXPECTED
    by_frames = compare_tables(table(0), table(1))
    assert found["age"].distance == pytest.approx(by_frames["age"].distance)
    assert found["city"].distance == by_frames["city"].distance
    assert found["since"].distance == pytest.approx(by_frames["since"].distance)


def test_compare_of_frames_is_the_comparison_of_tables():
    assert isinstance(compare(table(0), table(1)), TableComparison)
    numbers = table(0)[["age"]]
    assert not isinstance(compare(numbers, numbers, all=True), TableComparison)
    assert not isinstance(compare(numbers.to_numpy(), numbers.to_numpy()), TableComparison)


def test_columns_are_matched_by_name():
    first, second = table(0), table(1)
    assert (
        compare_tables(first, second[second.columns[::-1]])["age"].distance
        == compare_tables(first, second)["age"].distance
    )


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (
            table(0),
            table(1).rename(columns={"age": "years"}),
            r"\['age'\] only in before and \['years'\] only in after",
        ),
        (
            table(0),
            table(1, age=["old"] * N),
            r"column 'age' must be of one kind in both tables; got number in before and text in after",
        ),
        (
            table(0)[["id", "country"]],
            table(1)[["id", "country"]],
            r"a column that can be measured; got id \(identifier\)",
        ),
        (table(0), table(1).head(1), "after must have at least 2 rows; got 1"),
        (table(0), table(1, age=[np.nan, np.inf] * 20), "column 'age' must be finite; got inf in row 2 of after"),
        (table(0)[["country"]], table(1)[["country"]], "Constant and empty columns hold nothing to compare"),
        (table(0)[["age"]], table(1)[["city"]], "Rename them: no name is in both"),
        (table(0).head(0), table(1), "at least one row"),
    ],
)
def test_tables_that_do_not_fit_are_refused(first, second, said):
    with pytest.raises(InvalidInput, match=said):
        compare_tables(first, second)


def test_missing_values_are_refused_dropped_or_a_value():
    ages = table(0)["age"].where(np.arange(N) % 4 > 0)
    cities = table(1)["city"].where(np.arange(N) % 5 > 0)
    first, second = table(0, age=ages), table(1, city=cities)
    with pytest.raises(InvalidInput, match=r"in before and after: age 10 and 0, city 0 and 8.*missing='drop'"):
        compare_tables(first, second)
    dropped = compare_tables(first, second, missing="drop")
    assert dropped.rows == (30, 32) and "10 of 40 and 8 of 40" in dropped.notes[0]
    whole = compare_tables(first[np.arange(N) % 4 > 0], second[np.arange(N) % 5 > 0])
    assert dropped["age"].distance == whole["age"].distance
    counted = compare_tables(first, second, missing="category")
    assert counted.rows == (40, 40) and counted["city"].column.levels[-1] == "(missing)"
    shares = counted["city"].column.after == len(counted["city"].column.levels) - 1
    assert shares.mean() == 0.2
    with_gaps = compare_tables(table(0), table(0, age=ages), missing="category")["age"]
    assert with_gaps.distance >= 0.25, "a quarter of the values went missing"
    with pytest.raises(InvalidInput, match="have a row without missing values"):
        compare_tables(table(0, age=[np.nan] * N), table(1, age=[1.0] + [2.0] * (N - 1)), missing="drop")


def text_table(path, header, rows):
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_damaged_cells_of_a_column_of_numbers_are_named(tmp_path):
    good = text_table(tmp_path / "a.csv", "age,x", [f"{k},{k % 7}" for k in range(60)])
    bad = text_table(tmp_path / "b.csv", "age,x", [f"{k if k != 17 else 'old'},{k % 7}" for k in range(60)])
    with pytest.raises(InvalidInput, match=r"column 'age' must hold numbers only; got 'old' in row 18 of b.csv"):
        compare_tables(good, bad)
    found = compare_tables(good, bad, kinds={"age": "category"})
    assert found["age"].column.kind is Kind.CATEGORY


def test_dates_of_other_forms_are_asked_about(tmp_path):
    files = [text_table(tmp_path / f"{n}.csv", "day,x", [f"{k % 28 + 1}/02/2025,{k}" for k in range(30)]) for n in "ab"]
    with pytest.raises(InvalidInput, match=r"column 'day' must hold dates in the ISO form; got '1/02/2025' in a.csv"):
        compare_tables(*files)
    assert compare_tables(*files, kinds={"day": "category"})["day"].distance == 0.0


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["12.5 kg", "13 kg"], r"plain numbers; got '12.5 kg' in a.csv. Write 12.5, and the unit 'kg' into the column"),
        (["$3", "$4.50"], r"plain numbers; got '\$3' in a.csv. Write 3, and the unit '\$'"),
        (["40%", "45%"], r"got '40%' in a.csv. Write 40, and the unit '%'"),
        (["1,204.50", "12,001.00"], r"got '1,204.50' in a.csv. Write 1204.50, without separators, or declare"),
        (["1,204", "950"], r"got '1,204' in a.csv. Write 1204, without separators, or pass decimal=','"),
        (["0,25", "3"], r"with a decimal point; got '0,25' in a.csv. Pass decimal=','"),
    ],
)
def test_numbers_of_other_forms_are_asked_about(tmp_path, cells, said):
    files = [text_table(tmp_path / f"{n}.csv", "size;x", [f"{cells[k % 2]};{k}" for k in range(30)]) for n in "ab"]
    options = TableOptions(delimiter=";")
    with pytest.raises(InvalidInput, match=f"column 'size' must hold .*{said}"):
        compare_tables(*files, options=options)
    assert compare_tables(*files, kinds={"size": "category"}, options=options)["size"].distance == 0.0


@pytest.mark.parametrize(
    "cells", [["A1", "A2"], ["K 12", "K 13"], ["1st", "2nd"], ["12 a", "12 b"], ["10-20", "20-30"]]
)
def test_texts_with_digits_remain_texts(tmp_path, cells):
    path = text_table(tmp_path / "a.csv", "size,x", [f"{cells[k % 2]},{k}" for k in range(30)])
    assert compare_tables(path, path)["size"].column.kind is Kind.CATEGORY


def test_a_table_compared_with_itself_says_so_and_its_intervals_are_not_points():
    found = compare_tables(table(0), table(0))
    assert "is one file compared with itself" in found.notes[-1]
    for change in found.changes:
        assert change.distance == change.lower == 0.0 and change.upper > 0.1
    assert "compared with itself" not in str(compare_tables(table(0), table(1)))


def test_few_rows_are_said_to_be_few():
    said = "The intervals need more rows than 3 in after; go by p."
    assert said in str(compare_tables(table(0), table(1).head(3)))
    assert "more rows" not in str(compare_tables(table(0), table(1)))
    assert compare_tables(table(0), table(1).head(3)).unmeasured[0].kind is Kind.IDENTIFIER


def test_dates_with_time_and_zone_are_one_moment():
    utc = [datetime.datetime(2025, 1, k + 1, 12, tzinfo=datetime.UTC) for k in range(20)]
    east = [moment.astimezone(datetime.timezone(datetime.timedelta(hours=5))) for moment in utc]
    found = compare_tables({"at": utc, "k": [0, 1] * 10}, {"at": east, "k": [0, 1] * 10})
    assert found["at"].distance == 0.0 and found["at"].column.kind is Kind.DATE


def test_first_rows_of_numbers(tmp_path):
    numbered = text_table(tmp_path / "n.csv", "0,1", ["3,4", "5,6"])
    with pytest.raises(InvalidInput, match=r"say what its first row is.*header=True"):
        compare_tables(numbered, numbered)
    plain = text_table(tmp_path / "p.csv", "7,1", ["3,4", "5,6"])
    assert [change.name for change in compare_tables(plain, plain).changes] == ["0", "1"]
    mixed = text_table(tmp_path / "m.csv", "age,1", ["3,4", "5,6"])
    with pytest.raises(InvalidInput, match=r"start with a row of names; got '1' beside 'age'"):
        compare_tables(mixed, mixed)
    semicolons = text_table(tmp_path / "s.csv", "age;x", ["3,5;4", "5;6"])
    with pytest.raises(InvalidInput, match=r"have 1 columns? in every row; got 2 in row 2. .*delimiter=';'"):
        compare_tables(semicolons, semicolons)
    whole = text_table(tmp_path / "w.csv", "age;x", ["3;4", "5;6"])
    with pytest.raises(InvalidInput, match=r"separated by the delimiter; got 'age;x' as one cell. .*delimiter=';'"):
        compare_tables(whole, whole)
    read = compare_tables(semicolons, semicolons, options=TableOptions(delimiter=";", decimal=","))
    assert read["age"].column.before.tolist() == [3.5, 5.0]


@pytest.mark.parametrize("name", ["row", "user_id", "Unnamed: 0"])
def test_numbers_that_count_rows_are_identifiers(name):
    found = compare_tables({name: range(N), "x": [0.0, 1.0] * 20}, {name: range(N, 2 * N), "x": [0.0, 1.0] * 20})
    assert kinds(found)[name] is Kind.IDENTIFIER and "identifier" in str(found)
    asked = compare_tables(
        {name: range(N), "x": [0.0, 1.0] * 20}, {name: range(N, 2 * N), "x": [0.0, 1.0] * 20}, kinds={name: "number"}
    )
    assert kinds(asked)[name] is Kind.NUMBER and asked.changed() == (name,)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"missing": "no"}, "missing must be one of"),
        ({"units": "metres"}, "units must be one of"),
        ({"kinds": {"height": "number"}}, "kinds must name columns of the tables; got 'height'"),
        ({"kinds": {"age": "colour"}}, "the kind of 'age' must be one of"),
        ({"weights": {"country": 1.0}}, "weights must name measured columns; got 'country'"),
        ({"weights": {"age": 0.0}}, "the weight of 'age' must be positive"),
        ({"columns": ["height"]}, "columns must name one column"),
    ],
)
def test_options_that_do_not_fit_are_refused(options, said):
    with pytest.raises(InvalidInput, match=said):
        compare_tables(table(0), table(1), **options)


def test_numbers_are_read_as_python_reads_them(tmp_path):
    cells = ["1", " 2.5 ", "-3e2", "", "NA", "nan", "4"]
    path = text_table(tmp_path / "a.csv", "x,y", [f"{cell},{k}.5" for k, cell in enumerate(cells)])
    found = compare_tables(path, path, missing="category")
    read = found["x"].column.before
    assert read[[0, 1, 2, 6]].tolist() == [1.0, 2.5, -300.0, 4.0] and np.isnan(read[[3, 4, 5]]).all()
    under = text_table(tmp_path / "b.csv", "x", ["1_000", "2_000", "1_000"])
    assert compare_tables(under, under)["x"].column.levels == ("1_000", "2_000"), "no number in plain notation"


def test_one_column_and_a_constant_one():
    found = compare_tables({"x": [1.0, 2.0, 3.0]}, {"x": [2.0, 3.0, 4.0]})
    assert found["x"].distance == pytest.approx(1 / np.std([1, 2, 3, 2, 3, 4])) and found["x"].joint_share == 1.0
    with pytest.raises(InvalidInput, match=r"a column that can be measured; got x \(constant\)"):
        compare_tables({"x": [1.0, 1.0]}, {"x": [1.0, 1.0]})
    moved = compare_tables({"x": [1.0] * 30}, {"x": [2.0] * 30})
    assert moved["x"].distance == pytest.approx(2.0) and moved.changed() == ("x",)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.npy", b"garbage", "x.npy must be a numpy file of plain numbers"),
        ("x.parquet", b"garbage", "x.parquet must be a parquet table"),
        ("x.csv", b"\xff\xfe\x00", "x.csv must be a text table in UTF-8"),
        ("x.csv", b"", "x.csv must hold at least one row"),
        ("x.csv", b"age\n", "hold at least one row below its header"),
        ("x.png", b"garbage", "x.png must be .csv, .tsv, .parquet or .npy"),
    ],
)
def test_files_that_are_no_tables_are_one_sentence(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidInput, match=said):
        compare_tables(tmp_path / name, tmp_path / name)


def test_nothing_is_unpickled(tmp_path):
    np.save(tmp_path / "x.npy", np.array([{}], dtype=object))
    with pytest.raises(InvalidInput, match=r"x\.npy must be a numpy file of plain numbers"):
        compare_tables(tmp_path / "x.npy", tmp_path / "x.npy")


def test_an_index_that_pandas_stored_in_parquet_is_left_out(tmp_path):
    for name, seed in (("a", 0), ("b", 1)):
        table(seed).sample(frac=1, random_state=seed).to_parquet(tmp_path / f"{name}.parquet")
    assert set(kinds(compare_tables(tmp_path / "a.parquet", tmp_path / "b.parquet"))) == set(EXPECTED)


def test_levels_in_other_letters_are_asked_about():
    first, second = {"ok": ["TRUE", "FALSE", "yes"] * 10}, {"ok": ["True", "False", "yes"] * 10}
    said = (
        "column 'ok' must spell its levels alike in both tables; got 'FALSE' only in before and 'False' only in after"
    )
    with pytest.raises(InvalidInput, match=said):
        compare_tables(first, second)
    assert compare_tables(first, second, kinds={"ok": "category"})["ok"].distance == pytest.approx(2 / 3)
    both = {"ok": ["A", "a", "B"] * 10}
    assert compare_tables(both, {"ok": ["A", "a", "a"] * 10})["ok"].distance == pytest.approx(1 / 3)


def test_what_went_missing_is_in_the_sentence():
    ages = table(1)["age"].where(np.arange(N) % 4 > 0)
    found = compare_tables(table(0), table(1, age=ages), missing="category")["age"]
    assert found.sentence.endswith("; missing 0 % to 25 %")


def test_a_column_without_a_name_is_named_so(tmp_path):
    path = text_table(tmp_path / "a.csv", ",x", [f"{k},{k % 5}" for k in range(30)])
    assert "Not measured: a column without a name (identifier)." in str(compare_tables(path, path))
