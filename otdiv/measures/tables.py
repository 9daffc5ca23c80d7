"""Tables of numbers from text (.csv, .tsv) and parquet files: header, names, index and the numbers below.

What a first row or column is, is never guessed in silence: where the file alone
does not decide it, an error names the option that does.
"""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from otdiv.core.threads import without_warnings
from otdiv.core.validation import Array, as_float_array, invalid, optional_import
from otdiv.errors import InvalidInput
from otdiv.files.archives import require_plausible

_LINES_AT_A_TIME = 2**14
"""Lines of a text table that are held as text at a time, a few MiB of a table of ten columns."""
_NAMELESS = re.compile(r"|Unnamed: \d+|__index_level_\d+__")
"""Names that programs give to a column of row names or row numbers."""
_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+(e[-+]?\d+)?", re.IGNORECASE)
_THOUSANDS = re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d*)?|[-+]?\d{1,3}([ '_]\d{3})+([.,]\d*)?")


@dataclass(frozen=True)
class TableOptions:
    """What a file of a table does not say itself.

    Attributes
    ----------
    weights : str or int or None
        The column of weights: its name, or its number from 0.
    columns : sequence of str or int, or None
        The columns that are coordinates, in this order; None is all others.
    index : str or int or None
        A column of row names, which is left out.
    header : bool or None
        Whether the first row holds names; None: if it is not all numbers.
    delimiter : str or None
        Between the columns of a text table; None is a comma, in .tsv a tab.
    decimal : str
        The decimal point, "." or ",".
    """

    weights: str | int | None = None
    columns: Sequence[str | int] | None = None
    index: str | int | None = None
    header: bool | None = None
    delimiter: str | None = None
    decimal: str = "."

    def __post_init__(self) -> None:
        if self.delimiter == "\\t":  # as a command line spells a tab
            object.__setattr__(self, "delimiter", "\t")
        if self.delimiter is not None and (not isinstance(self.delimiter, str) or len(self.delimiter) != 1):
            raise invalid("delimiter", "be one character", repr(self.delimiter), "For example ';'.")
        if self.decimal not in (".", ",") or self.decimal == self.delimiter:
            raise invalid("decimal", "be '.' or ',', and not the delimiter", repr(self.decimal), "For example ','.")


NO_OPTIONS = TableOptions()
"""The options where none are given."""


def read_delimited(path: Path, options: TableOptions) -> tuple[list[str] | None, Array]:
    """Names, if the first row holds such, and the table [n, k] of numbers below.

    Raises
    ------
    InvalidInput
        Text where numbers belong, rows of different lengths, no rows, other encodings; a first row or column of
        which the file does not say what it is.
    """
    return _plain_numbers(path, options) or _checked_numbers(path, options)


def read_parquet(path: Path, options: TableOptions) -> tuple[list[str], Array]:
    """Names and columns of a parquet file of numbers; an index that pandas stored as such is left out."""
    with open_parquet(path, options) as (file, kept):
        row_names = None if options.index is None else column_number(path, kept, len(kept), options.index, "index")
        table, first = np.zeros((file.metadata.num_rows, len(kept))), 0
        for batch in file.iter_batches(columns=kept):
            for k, name in enumerate(kept):
                if k != row_names:
                    cells = batch.column(name).to_numpy(zero_copy_only=False)
                    table[first : first + len(cells), k] = as_float_array(f"column {name!r} of {path.name}", cells)
            first += batch.num_rows
    return kept, table


@contextmanager
def open_parquet(path: Path, options: TableOptions) -> Iterator[tuple[Any, list[str]]]:
    """An open parquet file of plausible size, and its columns without an index that pandas stored as such.

    Raises
    ------
    InvalidInput
        No such file, or another error while it is open, as one sentence.
    MissingPackage
        Without pyarrow.
    """
    parquet = optional_import("pyarrow.parquet", "Reading .parquet", "parquet")
    try:
        with parquet.ParquetFile(path) as file:
            stored = (file.schema_arrow.pandas_metadata or {}).get("index_columns", [])
            kept = [name for name in file.schema_arrow.names if name not in stored or name == options.index]
            require_plausible(8 * file.metadata.num_rows * len(kept), path.stat().st_size)
            if not kept:
                raise invalid(path.name, "hold at least one column", "none", "Check where it was written.")
            yield file, kept
    except InvalidInput:
        raise
    except (ValueError, TypeError, KeyError, OSError, NotImplementedError, AttributeError) as problem:
        reason = (str(problem).splitlines() or [type(problem).__name__])[0][:200]
        raise invalid(path.name, "be a parquet table of numbers", reason, "Select the numeric columns.") from None


def column_number(path: Path, names: Sequence[str] | None, width: int, column: str | int, option: str) -> int:
    """Where a column stands, by its name or its number from 0; ``option`` is what asks for it, for the error."""
    number = int(column) if str(column).isdecimal() and int(column) < width else None
    if number is not None and (isinstance(column, int) or names is None or _NAMELESS.fullmatch(names[number])):
        return number
    if names is not None and list(names).count(str(column)) == 1:
        return list(names).index(str(column))
    if number is not None and names is not None and str(column) not in names:
        return number
    have = f"columns {list(names)}" if names is not None else f"{width} columns without names"
    raise invalid(
        option,
        f"name one column of {path.name}, or give its number from 0",
        f"{column!r}, where the file has {have}",
        "Check the spelling.",
    )


def delimiter_of(path: Path, options: TableOptions) -> str:
    """What is between the columns of a text table."""
    return options.delimiter or ("\t" if path.suffix.lower() == ".tsv" else ",")


def _plain_numbers(path: Path, options: TableOptions) -> tuple[list[str] | None, Array] | None:
    """Header and table by numpy's parser, ten times as fast; None where it does not find numbers only."""
    if options.index is not None or options.decimal != ".":
        return None
    delimiter = delimiter_of(path, options)
    try:
        with open(path, encoding="utf-8-sig") as stream, without_warnings():  # of a header alone
            first = next(stream)
            numbers = _plain_block([first], delimiter, 0)
            if numbers is None or options.header:
                names = _header(path, next(csv.reader([first], delimiter=delimiter)), options)
            elif options.header is None and np.array_equal(numbers[0], np.arange(numbers.shape[1])):
                return None  # numbers that may be names are judged as text
            else:
                names = None
            table = _parsed(stream if names is not None else itertools.chain([first], stream), delimiter)
    except (ValueError, StopIteration, csv.Error, InvalidInput):  # what is wrong is found, and said, row by row
        return None
    fits = table.size > 0 and (names is None or len(names) == table.shape[1])
    return (names, table) if fits else None


def _parsed(lines: Iterable[str], delimiter: str) -> Array:
    return np.loadtxt(lines, delimiter=delimiter, quotechar='"', comments=None, ndmin=2)


def _checked_numbers(path: Path, options: TableOptions) -> tuple[list[str] | None, Array]:
    """Header and table a block of lines at a time; the first row that is wrong is named."""
    names: list[str] | None = None
    width, blocks, delimiter = 0, [], delimiter_of(path, options)
    ignored: frozenset[int] = frozenset()
    try:
        with open(path, newline="", encoding="utf-8-sig") as stream:
            for line, lines in _line_blocks(stream):
                plain = _plain_block(lines, delimiter, width) if width and options == NO_OPTIONS else None
                if plain is not None:
                    blocks.append(plain)
                    continue
                reader = csv.reader(lines, delimiter=delimiter)
                rows = [(line + reader.line_num, row) for row in reader if row and row != [""]]
                if rows and not width:
                    width, names = len(rows[0][1]), _header(path, rows[0][1], options)
                    if names is None and options.header is None and _is_header_of_numbers(path, rows):
                        names = rows[0][1]
                    ignored = _ignored(path, names, width, options)
                    rows = rows if names is None else rows[1:]
                if rows:
                    blocks.append(_numbers(path, rows, width, ignored, options))
    except (UnicodeDecodeError, csv.Error) as problem:
        raise invalid(
            path.name, "be a text file in UTF-8", f"other bytes ({problem})", "Save it as plain CSV."
        ) from None
    if width == 0:
        raise invalid(path.name, "hold at least one row", "an empty file", "Check where it was written.")
    if not blocks:
        raise invalid(path.name, "hold numbers below its header", "a header only", "Check where it was written.")
    return names, np.concatenate(blocks)


def _ignored(path: Path, names: list[str] | None, width: int, options: TableOptions) -> frozenset[int]:
    """The columns whose cells need not be numbers: row names, and what ``columns`` and ``weights`` leave out."""
    if options.columns is None:
        return (
            frozenset()
            if options.index is None
            else frozenset([column_number(path, names, width, options.index, "index")])
        )
    asked = [(column, "columns") for column in options.columns]
    asked += [] if options.weights is None else [(options.weights, "weights")]
    wanted = {column_number(path, names, width, column, option) for column, option in asked}
    return frozenset(range(width)) - wanted


def _line_blocks(stream: IO[str]) -> Iterator[tuple[int, list[str]]]:
    """Blocks of whole rows with the number of lines before each; text takes ten times the memory of its numbers."""
    line = 0
    while lines := list(itertools.islice(stream, _LINES_AT_A_TIME)):
        quotes = sum(text.count('"') for text in lines)
        while quotes % 2 and (more := stream.readline()):  # a cell that goes on in the next line
            lines.append(more)
            quotes += more.count('"')
        yield line, lines
        line += len(lines)


def _plain_block(lines: list[str], delimiter: str, width: int) -> Array | None:
    """The numbers of a block of ``width`` columns (0: any) if there is nothing else in it."""
    try:
        with without_warnings():
            table = _parsed(lines, delimiter)
    except ValueError:
        return None
    return table if table.size and width in (0, table.shape[1]) else None


def _numbers(
    path: Path, rows: list[tuple[int, list[str]]], width: int, ignored: frozenset[int], options: TableOptions
) -> Array:
    """The numbers of some rows; those of columns that are not asked for are 0."""
    for line, row in rows:
        if len(row) != width:
            plural = "column" if width == 1 else "columns"
            remedy = _remedy_of_width(row, width, options)
            raise invalid(path.name, f"have {width} {plural} in every row", f"{len(row)} in line {line}", remedy)
    cells = [row for _, row in rows]
    if ignored:
        cells = [["0" if k in ignored else cell for k, cell in enumerate(row)] for row in cells]
    if options.decimal == ",":
        cells = [[cell.replace(",", ".") for cell in row] for row in cells]
    try:
        return np.array(cells, dtype=np.float64)
    except ValueError:
        line, j, cell = next(
            (line, j, cell)
            for (line, _), row in zip(rows, cells, strict=True)
            for j, cell in enumerate(row)
            if not is_number(cell)
        )
        what = repr(cell) if cell.strip() else "an empty cell"
        raise invalid(
            path.name, "hold numbers only", f"{what} in line {line}, column {j + 1}", _remedy(cell, path, options)
        ) from None


def _remedy_of_width(row: list[str], width: int, options: TableOptions) -> str:
    """What to do about a row with another number of cells than the first."""
    if options.delimiter is None and any(";" in cell for cell in row):
        return "The columns are separated by semicolons: pass delimiter=';', and decimal=',' for decimal commas."
    if options.delimiter is None and len(row) == 2 * width:
        return "Repair it; numbers with decimal commas are read with delimiter=';' and decimal=','."
    if len(row) == width + 1:
        return "Repair it; a column of row names needs a name in the header, too."
    return "Repair it."


def _remedy(cell: str, path: Path, options: TableOptions) -> str:
    """What to do about a cell that is no number."""
    text, delimiter = cell.strip(), delimiter_of(path, options)
    for other, name in ((";", "semicolons"), ("\t", "tabs"), (" ", "spaces")):
        parts = text.split() if other == " " else text.split(other)
        if other != delimiter and len(parts) > 1 and not _THOUSANDS.fullmatch(text):
            comma = ", decimal=','" if any("," in part for part in parts) else ""
            return f"The columns are separated by {name}: pass delimiter={other!r}{comma}."
    if _DECIMAL_COMMA.fullmatch(text) and not _THOUSANDS.fullmatch(text):
        return "It has a decimal comma: pass decimal=','."
    if _THOUSANDS.fullmatch(text):
        return "Write it without separators of thousands."
    return "Remove or fill that cell."


def _header(path: Path, row: list[str], options: TableOptions) -> list[str] | None:
    """The names in the first row; None if it holds numbers."""
    numeric = [is_number(cell.replace(",", ".") if options.decimal == "," else cell) for cell in row]
    if options.header is False or (options.header is None and all(numeric)):
        return None
    names = [cell.strip() for cell in row]
    if _NAMELESS.fullmatch(names[0]) and options.index is None and len(names) > 1:
        raise invalid(
            path.name,
            "hold coordinates and weights only",
            f"a first column {names[0]!r}, as programs name row names or row numbers",
            "If it is that, pass index=0; if not, give it a name.",
        )
    if options.header is None and any(numeric) and names[0]:
        k = numeric.index(False)  # a damaged row of numbers must not pass for names and vanish
        semicolons = "; or are the columns separated by semicolons? Pass delimiter=';'" if ";" in row[k] else ""
        raise invalid(
            path.name,
            "start with a row of names or a row of numbers",
            f"{row[k]!r} beside {row[numeric.index(True)]!r} in the first",
            f"Repair that cell, or rename the columns{semicolons}.",
        )
    return names


def _counts(row: list[str]) -> bool:
    """Whether a row counts 0, 1, 2 and so on, as pandas names columns that have no names."""
    return [cell.strip() for cell in row] == [str(k) for k in range(len(row))]


def _is_header_of_numbers(path: Path, rows: list[tuple[int, list[str]]]) -> bool:
    """Whether a first row 0, 1, 2, ... holds the names of columns: if all below is written with decimals.

    Raises
    ------
    InvalidInput
        Two or more columns, and whole numbers below: the file does not say.
    """
    first, below = rows[0][1], [cell for _, row in rows[1:] for cell in row]
    if not _counts(first) or not below:
        return False
    if all(is_number(cell) and not cell.strip().lstrip("+-").isdecimal() for cell in below):
        return True
    if len(first) == 1 or any(not cell.strip().lstrip("+-").isdecimal() for cell in below):
        return False
    raise invalid(
        path.name,
        "say whether its first row holds names or numbers",
        f"{', '.join(first[:5])}, which may be either",
        "Pass header=True if it holds names, header=False if it is a point.",
    )


def is_number(cell: str) -> bool:
    """Whether a cell is a number in plain notation, without underscores between digits."""
    if "_" in cell:
        return False
    try:
        float(cell)
    except ValueError:
        return False
    return True
