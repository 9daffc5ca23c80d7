"""Data frames of polars and tables of pyarrow: every type of column is what it is in pandas, or refused by name."""

from __future__ import annotations

import datetime
import decimal
import fractions

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from otdiv import compare
from otdiv.drift import Kind, compare_tables
from otdiv.errors import InvalidInput
from tests.drift.test_tables_as_people_have_them import kinds

pl = pytest.importorskip("polars", reason="polars is not installed")
N = 40
EXPECTED = {
    "height": Kind.NUMBER,
    "floor": Kind.NUMBER,
    "member": Kind.CATEGORY,
    "city": Kind.CATEGORY,
    "since": Kind.DATE,
    "seen": Kind.DATE,
    "price": Kind.NUMBER,
    "stay": Kind.NUMBER,
}


def columns(seed, n=N):
    """Lists of Python's values, as every package takes them."""
    rng = np.random.default_rng(seed)
    day, moment = datetime.date(2024, 1, 1), datetime.datetime(2024, 1, 1)
    return {
        "height": rng.normal(size=n).tolist(),
        "floor": rng.integers(0, 9, n).tolist(),
        "member": (rng.random(n) < 0.4).tolist(),
        "city": rng.choice(["A", "B", "C"], n).tolist(),
        "since": [day + datetime.timedelta(days=int(k)) for k in rng.integers(0, 300, n)],
        "seen": [moment + datetime.timedelta(seconds=int(k)) for k in rng.integers(0, 10**7, n)],
        "price": [decimal.Decimal(int(k)) / 100 for k in rng.integers(0, 10**4, n)],
        "stay": [datetime.timedelta(hours=int(k)) for k in rng.integers(0, 99, n)],
    }


MAKERS = {
    "polars": pl.DataFrame,
    "arrow table": pa.table,
    "record batch": pa.RecordBatch.from_pydict,
    "arrow in chunks": lambda c: pa.concat_tables([pa.table(c).slice(0, 7), pa.table(c).slice(7)]),
    "pandas": pd.DataFrame,
    "pandas of arrow": lambda c: pa.table(c).to_pandas(types_mapper=pd.ArrowDtype),
}


@pytest.mark.parametrize("maker", MAKERS)
def test_every_package_gives_one_answer(maker):
    plain = compare_tables(columns(0), columns(1))
    assert kinds(plain) == EXPECTED
    found = compare(MAKERS[maker](columns(0)), MAKERS[maker](columns(1)))
    assert kinds(found) == EXPECTED
    for name in EXPECTED:
        one, other = found[name], plain[name]
        assert (one.distance, one.lower, one.upper, one.p_value) == (
            other.distance,
            other.lower,
            other.upper,
            other.p_value,
        ), name
        np.testing.assert_array_equal(one.column.before, other.column.before)
    assert found.joint.transport.value == plain.joint.transport.value


def test_two_packages_in_one_comparison():
    found = compare(MAKERS["polars"](columns(0)), MAKERS["arrow table"](columns(1)))
    assert kinds(found) == EXPECTED


def test_lengths_of_time_are_in_days_and_exact_numbers_are_floats():
    stays = compare_tables(columns(0), columns(1))["stay"].column.before
    assert stays.tolist() == [stay / datetime.timedelta(days=1) for stay in columns(0)["stay"]]
    thirds = {"x": [fractions.Fraction(k, 3) for k in range(N)]}
    assert compare_tables(thirds, thirds, kinds={"x": "number"})["x"].column.before[1] == 1 / 3
    pandas = pd.DataFrame({"x": pd.to_timedelta(np.arange(N) % 7 * 12, unit="h")})
    assert compare(pandas, pandas)["x"].column.before[:3].tolist() == [0.0, 0.5, 1.0]


def one_column(values, second=None):
    """A column of polars or pyarrow beside a number, compared with itself or another one."""
    make = pl.DataFrame if isinstance(values, pl.Series) else pa.table
    numbers = [0.0, 1.0] * (N // 2)
    return make({"x": values, "k": numbers}), make({"x": values if second is None else second, "k": numbers})


CITIES = ["A", "B", "A", "C"] * 10
MOMENTS = columns(3)["seen"]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (pl.Series(CITIES, dtype=pl.Categorical), Kind.CATEGORY),
        (pl.Series(CITIES, dtype=pl.Enum(["A", "B", "C"])), Kind.CATEGORY),
        (pl.Series([datetime.time(k % 7) for k in range(N)]), Kind.CATEGORY),
        (pl.Series([b"a", b"b"] * 20), Kind.CATEGORY),
        (pl.Series([k % 7 for k in range(N)], dtype=pl.Int128), Kind.NUMBER),
        (pl.Series([k % 7 for k in range(N)], dtype=pl.UInt8), Kind.NUMBER),
        (pl.Series([k % 7 for k in range(N)], dtype=pl.Float32), Kind.NUMBER),
        (pl.Series([k % 7 for k in range(N)]).cast(pl.Decimal(9, 2)), Kind.NUMBER),
        (pl.Series(MOMENTS).dt.replace_time_zone("Europe/Berlin"), Kind.DATE),
        (pl.Series(MOMENTS).cast(pl.Datetime("ns")), Kind.DATE),
        (pl.Series([None] * N), Kind.EMPTY),
        (pl.Series(["same"] * N), Kind.CONSTANT),
        (pl.Series([f"u{k}" for k in range(N)]), Kind.IDENTIFIER),
        (pa.array(CITIES).dictionary_encode(), Kind.CATEGORY),
        (pa.array(CITIES, pa.large_string()), Kind.CATEGORY),
        (pa.array(CITIES, pa.string_view()), Kind.CATEGORY),
        (pa.array([True, False] * 20), Kind.CATEGORY),
        (pa.array(np.arange(N) % 7, pa.float16()), Kind.NUMBER),
        (pa.array([k % 7 for k in range(N)], pa.decimal256(40, 2)), Kind.NUMBER),
        (pa.array(MOMENTS, pa.timestamp("ns")), Kind.DATE),
        (pa.array(MOMENTS, pa.timestamp("us", tz="Europe/Berlin")), Kind.DATE),
        (pa.array(columns(3)["since"], pa.date64()), Kind.DATE),
        (pa.nulls(N), Kind.EMPTY),
    ],
    ids=lambda value: str(getattr(value, "dtype", getattr(value, "type", value))),
)
def test_types_of_polars_and_arrow(values, kind):
    found = compare(*one_column(values))
    assert kinds(found)["x"] is kind
    if kind.measured:
        assert found["x"].distance == 0.0


@pytest.mark.parametrize("make", [pl.Series, pa.array], ids=["polars", "arrow"])
@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_nulls_are_missing_values_of_every_type(make, name):
    values = columns(0)[name]
    gaps = make([None if k % 5 == 0 else value for k, value in enumerate(values)])
    tables = one_column(make(values), gaps)
    with pytest.raises(InvalidInput, match=r"missing ones in before and after: x 0 and 8"):
        compare(*tables)
    dropped = compare(*tables, missing="drop")
    assert dropped.rows == (40, 32) and dropped["x"].column.kind is EXPECTED[name]
    assert compare(*tables, missing="category")["x"].distance >= 0.2


def test_whole_numbers_that_floats_do_not_hold_stay_apart(tmp_path):
    """2^60 and 2^60 + 1 are one float64; as labels they are two."""
    large = [2**60 + k % 2 for k in range(N)]
    other = [2**60] * N
    for first, second in (
        one_column(pl.Series(large), pl.Series(other)),
        one_column(pa.array(large), pa.array(other)),
        ({"x": np.array(large)}, {"x": np.array(other)}),
        (pd.DataFrame({"x": large}), pd.DataFrame({"x": other})),
    ):
        found = compare_tables(first, second)
        assert found["x"].column.kind is Kind.CATEGORY and found["x"].distance == 0.5
    for path, values in ((tmp_path / "a.csv", large), (tmp_path / "b.csv", other)):
        path.write_text("x,k\n" + "".join(f"{value},{k % 3}\n" for k, value in enumerate(values)))
    assert compare_tables(tmp_path / "a.csv", tmp_path / "b.csv")["x"].distance == 0.5
    names = [2**60 + k for k in range(N)]
    assert kinds(compare(*one_column(pl.Series(names))))["x"] is Kind.IDENTIFIER
    with pytest.raises(InvalidInput, match=r"column 'x' must hold numbers only; got 1152921504606846976 in row 1"):
        compare(*one_column(pl.Series(large)), kinds={"x": "number"})


@pytest.mark.parametrize(
    ("values", "received"),
    [
        (pl.Series([[k, k] for k in range(N)]), "a list in before"),
        (pl.Series([{"a": k} for k in range(N)]), "a dict in before"),
        (pa.array([[k] for k in range(N)]), "a list in before"),
    ],
)
def test_nested_columns_are_refused_by_name(values, received):
    with pytest.raises(InvalidInput, match=rf"column 'x' must hold one value in each cell; got {received}.*'category'"):
        compare(*one_column(values))
    assert compare(*one_column(values), columns=["k"])["k"].distance == 0.0


def test_tables_that_are_not_at_hand_or_not_well_named():
    lazy = pl.DataFrame(columns(0)).lazy()
    with pytest.raises(InvalidInput, match=r"rows at hand; got a LazyFrame. Pass its .collect\(\)"):
        compare(lazy, lazy)
    twice = pa.table([pa.array([1.0, 2.0]), pa.array([1.0, 3.0])], names=["x", "x"])
    with pytest.raises(InvalidInput, match="before must name every column once; got 'x' twice"):
        compare(twice, twice)
    pandas = pd.DataFrame([[1.0, 2.0], [3.0, 4.0]], columns=["x", "x"])
    with pytest.raises(InvalidInput, match="before must name every column once; got 'x' twice"):
        compare(pandas, pandas)
    empty = pl.DataFrame(columns(0)).head(0)
    with pytest.raises(InvalidInput, match="at least one row"):
        compare(empty, empty)


def test_a_declared_kind_that_a_column_does_not_have_is_refused():
    first, second = pl.DataFrame(columns(0)), pl.DataFrame(columns(1))
    for name, kind in (("city", "number"), ("city", "date"), ("height", "date"), ("since", "number")):
        with pytest.raises(InvalidInput, match=rf"column '{name}' must hold {kind}s only; got .* in row 1 of before"):
            compare(first, second, kinds={name: kind})
