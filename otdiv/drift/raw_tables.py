"""Tables as people have them, numbers beside text, dates and empty cells, as columns by name."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from otdiv.core.validation import Array, as_float_array, invalid
from otdiv.files.archives import read_npy
from otdiv.measures.files import numpy_arrays
from otdiv.measures.tables import NO_OPTIONS, TableOptions, column_number, delimiter_of, is_number, open_parquet

MISSING_CELLS = frozenset({"", "na", "n/a", "nan", "null", "none"})
"""Cells of a text table, in any case and with spaces around them, that hold no value."""


LARGEST_WHOLE = 2**53
"""Up to this size float64 holds all whole numbers; larger ones are kept as objects."""


@dataclass(frozen=True)
class RawTable:
    """Columns by name: floats, booleans, datetimes (numpy) or objects of which None is a missing value.

    Attributes
    ----------
    name : str
        Of the file, or "before" and "after".
    columns : dict of str to ndarray [n]
    text : bool
        Whether all cells came as text, so that numbers and dates are to be recognised.
    """

    name: str
    columns: dict[str, Array]
    text: bool

    @property
    def rows(self) -> int:
        """n."""
        return len(next(iter(self.columns.values())))


def is_frame(table: Any) -> bool:
    """Whether it is a data frame of pandas or polars, a lazy one too, or a table or record batch of pyarrow."""
    if _lazy_call(table) or _is_arrow(table):
        return True
    return hasattr(table, "columns") and (hasattr(table, "iloc") or hasattr(table, "to_dict"))


def as_raw_table(table: Any, name: str, options: TableOptions) -> RawTable:
    """The columns of a file, a data frame, a mapping of columns, or an array [n, d].

    Raises
    ------
    InvalidInput
        What is none of these; no rows, no columns, or names twice.
    """
    if isinstance(table, str | Path):
        found = _from_file(Path(table), options)
    elif _is_arrow(table):
        found = _by_name(name, zip(table.schema.names, map(_arrow_column, table.columns), strict=True))
    elif (call := _lazy_call(table)) is not None:
        raise invalid(name, "be a table with its rows at hand", f"a {type(table).__name__}", f"Pass its .{call}.")
    elif hasattr(table, "iloc") and hasattr(table, "columns"):
        found = _by_name(name, ((c, _pandas_column(table.iloc[:, k])) for k, c in enumerate(table.columns)))
    elif hasattr(table, "get_columns"):
        found = _by_name(name, ((c.name, _polars_column(c)) for c in table.get_columns()))
    elif isinstance(table, Mapping):
        found = _by_name(name, ((key, _any_column(column)) for key, column in table.items()))
    else:
        points = as_float_array(name, table)
        points = points[:, None] if points.ndim == 1 else points
        if points.ndim != 2:
            raise invalid(name, "be a table [n, d]", f"shape {points.shape}", "One row for each observation.")
        found = RawTable(name, {str(k): column for k, column in enumerate(points.T)}, False)
    return _selected(found, options)


def _by_name(name: str, columns: Iterable[tuple[Any, Array]]) -> RawTable:
    """A table of columns that came with their kinds.

    Raises
    ------
    InvalidInput
        Two columns of one name.
    """
    found: dict[str, Array] = {}
    for key, column in columns:
        if str(key) in found:
            raise invalid(name, "name every column once", f"{str(key)!r} twice", "Rename one of them.")
        found[str(key)] = column
    return RawTable(name, found, False)


def _selected(found: RawTable, options: TableOptions) -> RawTable:
    """The columns asked for, without the index."""
    lengths = {len(column) for column in found.columns.values()}
    if not found.columns or len(lengths) > 1 or lengths == {0}:
        received = "no columns" if not found.columns else f"columns of {sorted(lengths)} rows"
        raise invalid(found.name, "be a table with at least one row and one column", received, "Check its source.")
    names = list(found.columns)
    if options.index is not None:
        names.pop(column_number(Path(found.name), names, len(names), options.index, "index"))
    if options.columns is not None:
        names = [names[column_number(Path(found.name), names, len(names), c, "columns")] for c in options.columns]
    return RawTable(found.name, {name: found.columns[name] for name in names}, found.text)


def _from_file(path: Path, options: TableOptions) -> RawTable:
    suffix = path.suffix.lower()
    if not path.is_file():
        raise invalid("path", "name an existing file", repr(str(path)), "Check the spelling and the folder.")
    if suffix == ".parquet":
        with open_parquet(path, options) as (file, kept):
            arrow = file.read(columns=kept)
            return _by_name(path.name, ((c, _arrow_column(arrow.column(c))) for c in kept))
    if suffix == ".npy":
        return as_raw_table(numpy_arrays(path, read_npy), path.name, NO_OPTIONS)
    if suffix not in (".csv", ".tsv", ".txt"):
        remedy = "Save it as .csv, or compare measures with all=True."
        raise invalid(path.name, "be .csv, .tsv, .parquet or .npy", f"{suffix!r}", remedy)
    return _from_text(path, options)


def _from_text(path: Path, options: TableOptions) -> RawTable:
    delimiter = delimiter_of(path, options)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file, delimiter=delimiter) if row]
    except (UnicodeDecodeError, csv.Error) as problem:
        raise invalid(path.name, "be a text table in UTF-8", str(problem), "Save it as CSV in UTF-8.") from None
    if not rows:
        raise invalid(path.name, "hold at least one row", "an empty file", "Check where it was written.")
    width = len(rows[0])
    for k, row in enumerate(rows):
        if len(row) != width:
            other = next((c for c in ";\t|" if c != delimiter and c in "".join(rows[0])), None)
            remedy = f"Are the columns separated by {other!r}? Pass delimiter={other!r}." if other else "Repair it."
            raise invalid(path.name, f"have {width} columns in every row", f"{len(row)} in row {k + 1}", remedy)
    other = ";" if delimiter != ";" else ","
    if width == 1 and all(other in row[0] for row in rows):
        remedy = f"Are the columns separated by {other!r}? Pass delimiter={other!r}."
        raise invalid(path.name, "have its columns separated by the delimiter", f"{rows[0][0]!r} as one cell", remedy)
    names = _header(path, rows, options)
    if not rows:
        raise invalid(path.name, "hold at least one row below its header", "a header only", "Check its source.")
    cells = list(zip(*rows, strict=True))
    decimal = options.decimal
    return RawTable(path.name, {name: _cells(column, decimal) for name, column in zip(names, cells, strict=True)}, True)


def _header(path: Path, rows: list[list[str]], options: TableOptions) -> list[str]:
    """The names; taken from ``rows`` where the first one holds them."""
    first = [cell.strip() for cell in rows[0]]
    numbers = [is_number(cell) for cell in first]
    if options.header is None and all(numbers) and len(rows) > 1:
        counted = [str(k) for k in range(len(first))]
        if first in (counted, ["", *counted[:-1]]):
            received = f"a first row {', '.join(first)}, as programs number columns"
            remedy = "Pass header=True if it holds names, header=False if it is a row of data."
            raise invalid(path.name, "say what its first row is", received, remedy)
    holds_names = not any(numbers) if options.header is None else options.header
    if not holds_names:
        if any(numbers) and not all(numbers) and options.header is None:
            k = numbers.index(True)
            received = f"{first[k]!r} beside {first[numbers.index(False)]!r} in the first"
            remedy = "Pass header=True if it holds names, header=False if it is a row of data."
            raise invalid(path.name, "start with a row of names", received, remedy)
        return [str(k) for k in range(len(first))]
    del rows[0]
    twice = sorted({name for name in first if first.count(name) > 1})
    if twice:
        raise invalid(path.name, "name every column once", f"{twice[0]!r} twice", "Rename one of them.")
    return first


def _cells(column: tuple[str, ...], decimal: str) -> Array:
    """Numbers with NaN for empty cells, where there is nothing else; else texts, and None where a cell is missing."""
    if decimal == ".":
        with suppress(ValueError):  # then some cells are no numbers, and all are kept as texts below
            numbers = np.array([cell or "nan" for cell in column], dtype=np.float64)
            large = np.flatnonzero(np.abs(numbers) > LARGEST_WHOLE)
            if not any("_" in cell for cell in column) and not any(is_large_whole(column[k]) for k in large):
                return numbers
    found = np.empty(len(column), dtype=object)
    known = {cell: None if cell.strip().lower() in MISSING_CELLS else cell.strip() for cell in set(column)}
    found[:] = [known[cell] for cell in column]
    if decimal == ",":
        found[:] = [cell if cell is None else _with_point(cell) for cell in found]
    return found


def is_large_whole(value: Any) -> bool:
    """Whether it is a whole number, or the text of one, that float64 may not hold."""
    if isinstance(value, str):
        digits = value.strip().lstrip("+-")
        return digits.isdecimal() and int(digits) > LARGEST_WHOLE
    return isinstance(value, int) and abs(value) > LARGEST_WHOLE


def _with_point(cell: str) -> str:
    changed = cell.replace(",", ".")
    return changed if cell.count(",") == 1 and is_number(changed) else cell


def _pandas_column(column: Any) -> Array:
    kind = getattr(column.dtype, "kind", "O")
    if kind == "M" and getattr(column.dtype, "tz", None) is None:
        return np.asarray(column, dtype="datetime64[ns]")
    if kind in "fiu" and isinstance(column.dtype, np.dtype):
        return _numbers(np.asarray(column))
    if kind == "b" and isinstance(column.dtype, np.dtype):
        return np.asarray(column, dtype=bool)
    missing = np.asarray(column.isna(), dtype=bool)
    return _objects([None if gone else value for gone, value in zip(missing, column, strict=True)])


def _arrow_column(column: Any) -> Array:
    import pyarrow

    if pyarrow.types.is_floating(column.type) or (pyarrow.types.is_integer(column.type) and not column.null_count):
        array = column.combine_chunks() if isinstance(column, pyarrow.ChunkedArray) else column
        return _numbers(array.to_numpy(zero_copy_only=False))
    return _objects(column.to_pylist())


def _polars_column(column: Any) -> Array:
    in_numpy = column.dtype.is_integer() and "128" not in str(column.dtype)  # which has no integers so long
    if column.dtype.is_float() or (in_numpy and not column.null_count()):
        return _numbers(column.to_numpy())
    return _objects(column.to_list())


def _any_column(values: Any) -> Array:
    """A column of a mapping: numpy's own numbers, truth values and moments as they are, other values as objects."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "fiubM":
        return _numbers(values) if values.dtype.kind in "fiu" else values
    return _objects(list(values))


def _numbers(values: Array) -> Array:
    """float64, or objects where it does not hold some of the whole numbers."""
    if values.dtype.kind in "iu" and values.size and max(-int(values.min()), int(values.max())) > LARGEST_WHOLE:
        return _objects(values.tolist())
    return values.astype(np.float64)


def _objects(values: list[Any]) -> Array:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def _is_arrow(table: Any) -> bool:
    return type(table).__module__.split(".")[0] == "pyarrow" and hasattr(table, "schema")


def _lazy_call(table: Any) -> str | None:
    """What makes a table of a query of polars or dask; asked of the class, for some warn where they are asked."""
    kind = type(table)
    if hasattr(kind, "collect") and hasattr(kind, "columns"):
        return "collect()"
    return "compute()" if hasattr(kind, "compute") and hasattr(kind, "columns") else None
