"""Tables with names: columns are matched by them, and what a first row or column is, is not guessed in silence."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from otdiv import DiscreteMeasure, TransportProblem, compare, emd, js, read_measure
from otdiv.cli.main import main
from otdiv.critics import fit
from otdiv.errors import InvalidInput

TABLE = pd.DataFrame({"age": [0.0, 1.0], "income": [10.0, 11.0]})
TURNED = TABLE[["income", "age"]]


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as stop:
        main([str(argument) for argument in arguments])
    return (stop.value.code, *capsys.readouterr())


def test_columns_in_another_order_are_matched_by_name():
    mu, nu = DiscreteMeasure(TABLE), DiscreteMeasure(TURNED)
    assert mu.names == ("age", "income") and nu.names == ("income", "age")
    assert emd(TABLE, TURNED).value == emd(mu, nu).value == TransportProblem(mu, nu).costs()[0, 0] == 0.0
    assert js(mu, nu) == 0.0 and compare(TABLE, TURNED, all=True).transport.value == 0.0
    assert TransportProblem(mu, nu).nu.names == ("age", "income")
    assert fit(TABLE, TURNED, steps=2)(TABLE).tolist() == fit(TABLE, TABLE, steps=2)(TABLE).tolist()
    assert mu.normalized().names == mu.names
    assert emd(TABLE, TURNED.to_numpy()).value > 10  # without names columns are compared by position


def test_columns_of_other_names_are_refused_with_both_lists():
    other = TABLE.rename(columns={"age": "height"})
    for act in (emd, lambda x, y: js(DiscreteMeasure(x), DiscreteMeasure(y)), lambda x, y: fit(x, y, steps=2)):
        with pytest.raises(
            InvalidInput, match=r"columns of the same names; got \['age', 'income'\] and \['height', 'inc"
        ):
            act(TABLE, other)
    twice = DiscreteMeasure(np.eye(3), None, ("x", "x", "y"))
    assert emd(twice, twice).value == 0.0
    with pytest.raises(InvalidInput, match="a name twice"):
        emd(twice, DiscreteMeasure(np.eye(3), None, ("y", "x", "x")))


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_files_are_matched_by_name_and_it_is_said(tmp_path, capsys, kind):
    for name, table in (("a", TABLE), ("b", TURNED), ("c", TABLE.rename(columns={"age": "height"}))):
        path = tmp_path / f"{name}.{kind}"
        table.to_csv(path, index=False) if kind == "csv" else table.to_parquet(path)
    a, b, c = (tmp_path / f"{name}.{kind}" for name in "abc")
    code, out, err = run(capsys, "emd", a, b)
    assert code == 0 and "EMD        0" in out
    assert err == f"otdiv: the columns of b.{kind} are matched by name: age, income.\n"
    code, out, err = run(capsys, "emd", a, c)
    assert code == 2 and "columns of the same names" in err and out == ""
    code, out, err = run(capsys, "emd", a, c, "--columns", "income")
    assert code == 0 and err == ""
    assert run(capsys, "emd", a, a)[2] == ""


INDEXED = {
    "R": '"","x"\n"1",5\n"2",7\n"3",9\n',
    "pandas": ",x\n2,9.0\n0,5.0\n1,7.0\n",
    "read and written": "Unnamed: 0,x\n0,5\n1,7\n2,9\n",
    "names": ",x\nfirst,5\nsecond,7\nthird,9\n",
    "numbers for names": ",0,1\n0,5,5\n1,7,7\n2,9,9\n",
}


@pytest.mark.parametrize("name", INDEXED)
def test_a_column_that_may_be_an_index_is_asked_about(tmp_path, capsys, name):
    path = tmp_path / "a.csv"
    path.write_text(INDEXED[name])
    with pytest.raises(InvalidInput, match=r"as programs name row names or row numbers. If it is that, pass index=0"):
        read_measure(path)
    assert sorted(read_measure(path, index=0).points[:, 0]) == [5, 7, 9]
    code, _, err = run(capsys, "emd", path, path)
    assert code == 2 and "add --index 0" in err
    assert run(capsys, "emd", path, path, "--index", "0")[0] == 0  # the remedy, followed


def test_the_index_that_pandas_stores_in_parquet_is_no_coordinate(tmp_path):
    path = tmp_path / "a.parquet"
    TABLE.set_axis([7, 3]).to_parquet(path)
    measure = read_measure(path)
    assert measure.names == ("age", "income") and measure.points.tolist() == TABLE.to_numpy().tolist()
    TABLE.set_index("age").to_parquet(path)
    assert read_measure(path).names == ("income",)


def test_a_header_of_numbers(tmp_path, capsys):
    path = tmp_path / "a.csv"
    pd.DataFrame(100.0 + np.arange(4.0).reshape(2, 2)).to_csv(path, index=False)
    assert read_measure(path).points.tolist() == [[100, 101], [102, 103]]  # all below it is written with decimals
    assert read_measure(path, header=False).n == 3
    path.write_text("0,1\n5,6\n7,8\n")
    with pytest.raises(InvalidInput, match="say whether its first row holds names or numbers; got 0, 1, which may be"):
        read_measure(path)
    assert read_measure(path, header=True).n == 2 and read_measure(path, header=False).n == 3
    code, _, err = run(capsys, "emd", path, path)
    assert code == 2 and "Add --header if it holds names, --no-header if it is a point" in err
    assert run(capsys, "emd", path, path, "--no-header")[0] == run(capsys, "emd", path, path, "--header")[0] == 0
    path.write_text("0\n1\n2\n")  # one column of whole numbers is points
    assert read_measure(path).n == 3
    path.write_text("0,1\n5.5,6\n")  # and so are rows that are not all of one kind
    assert read_measure(path).n == 2


OTHER_FORMATS = [
    ("a.csv", "x;y\n1,5;2,5\n3,5;4,5\n"),
    ("a.csv", "1,5;2,5\n3,5;4,5\n"),
    ("a.csv", "x;y\n1.5;2.5\n3.5;4.5\n"),
    ("a.tsv", "x\ty\n1,5\t2,5\n3,5\t4,5\n"),
    ("a.csv", 'x,y\n"1,5","2,5"\n"3,5","4,5"\n'),
    ("a.csv", "x y\n1.5 2.5\n3.5 4.5\n"),
    ("a.csv", "x\ty\n1.5\t2.5\n3.5\t4.5\n"),
]


@pytest.mark.parametrize(("name", "text"), OTHER_FORMATS)
def test_the_remedy_for_other_separators_works_when_followed(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    options: dict[str, str] = {}
    for _ in range(2):
        try:
            measure = read_measure(path, **options)
        except InvalidInput as problem:
            found = dict(re.findall(r"(delimiter|decimal)='(\\t|.)'", str(problem)))
            assert found and not set(found.items()) <= set(options.items()), problem
            if name == "a.csv" and text.startswith("x,y"):
                found.pop("delimiter", None)
            options |= found
        else:
            break
    else:
        measure = read_measure(path, **options)
    assert measure.points.tolist() == [[1.5, 2.5], [3.5, 4.5]]


def test_thousands_and_missing_values_name_their_cell(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('x,y\n"1,234,567.5",2\n')
    with pytest.raises(InvalidInput, match=r"got '1,234,567.5' in line 2, column 1. Write it without separators of th"):
        read_measure(path)
    path.write_text("x,y\n,\n1,2\n")
    with pytest.raises(InvalidInput, match="got an empty cell in line 2, column 1"):
        read_measure(path)


def test_columns_are_selected_by_name_and_number(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("id,x,y,w\nu,1,2,0.25\nv,3,4,0.75\n")
    measure = read_measure(path, columns=["y", "x"], index="id", weights="w")
    assert measure.names == ("y", "x") and measure.points.tolist() == [[2, 1], [4, 3]]
    assert measure.weights.tolist() == [0.25, 0.75]
    assert read_measure(path, index=0, columns=[2]).points.tolist() == [[2], [4]]
    for options, message in (
        (dict(index="id", columns=["z"]), "columns must name one column"),
        (dict(index="id", columns=["x", "x"]), "each once"),
        (dict(index="id", columns=["w"], weights="w"), "other columns than weights and index"),
        (dict(index="nothing"), "index must name one column"),
        (dict(delimiter=";;"), "delimiter must be one character"),
        (dict(decimal="x"), "decimal must be"),
    ):
        with pytest.raises(InvalidInput, match=message):
            read_measure(path, **options)
    np.save(tmp_path / "a.npy", np.arange(6.0).reshape(2, 3))
    assert read_measure(tmp_path / "a.npy", columns=[2, 0]).points.tolist() == [[2, 0], [5, 3]]
    with pytest.raises(InvalidInput, match=r"header must be left out for .npy"):
        read_measure(tmp_path / "a.npy", header=True)


def test_columns_that_are_not_asked_for_may_hold_text(tmp_path):
    path = tmp_path / "mixed.csv"
    path.write_text("name,age,w\nAnn,30,1\nBob,40,3\n")
    chosen = read_measure(path, columns=["age"], weights="w")
    assert chosen.points.ravel().tolist() == [30.0, 40.0] and chosen.weights.tolist() == [1.0, 3.0]
    with pytest.raises(InvalidInput, match="got 'Ann' in line 2, column 1"):
        read_measure(path)
