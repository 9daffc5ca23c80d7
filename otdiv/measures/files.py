"""Reading measures from files: .npy, .npz, .csv, .tsv, .parquet, and grey images.

Nothing is ever unpickled.  Optional packages are imported inside the reader
that needs them.
"""

from __future__ import annotations

import csv
import itertools
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from scipy import sparse

from otdiv.core.threads import without_warnings
from otdiv.core.validation import Array, as_float_array, invalid, optional_import
from otdiv.errors import InvalidInput
from otdiv.files.archives import read_npy, read_npz
from otdiv.measures.discrete import DiscreteMeasure
from otdiv.measures.pictures import IMAGES, read_grey

_LINES_AT_A_TIME = 2**14
"""Lines of a text table that are held as text at a time, a few MiB of a table of ten columns."""
_READABLE = ".npy, .npz, .csv, .tsv, .parquet or an image (.png, .pgm, .bmp, .tif, .jpg)"


def read_measure(path: str | Path, *, weights: str | int | None = None) -> DiscreteMeasure:
    """Read a discrete measure from a file.

    Parameters
    ----------
    path : str or Path
        ``.npy``: points [n, d] or [n].  ``.npz``: an array ``points`` (or the only array there is) and
        optionally ``weights``.  ``.csv`` / ``.tsv`` / ``.parquet``: one point a row, with or without a
        header.  An image: a grey one, as masses on its pixel grid.
    weights : str or int, optional
        The column (its name, or its number from 0) or, for .npz, the array that holds the weights;
        the other columns are the coordinates.  Without it every row weighs the same.

    Returns
    -------
    DiscreteMeasure

    Raises
    ------
    InvalidInput
        No such file, an unknown kind, text where numbers belong, pickled content, a colour image.
    MissingPackage
        .parquet without pyarrow, an image without Pillow.
    """
    path = Path(path)
    if not os.path.isfile(path):
        received = f"the folder {str(path)!r}" if os.path.isdir(path) else repr(str(path))
        raise invalid("path", "name an existing file", received, "Check the spelling and the folder.")
    try:
        return _read(path, path.suffix.lower(), weights)
    except InvalidInput as problem:
        if path.name in str(problem):
            raise
        raise InvalidInput(f"{path.name}: {problem}") from None
    except OSError as problem:
        reason = problem.strerror or str(problem)
        raise invalid(path.name, "be readable", reason, "Check its permissions.") from None


def _read(path: Path, kind: str, weights: str | int | None) -> DiscreteMeasure:
    if kind in IMAGES:
        if weights is not None:
            raise invalid("weights", "be left out for an image", repr(weights), "Its grey values are the weights.")
        return DiscreteMeasure.from_image(read_grey(path))
    if kind in (".npy", ".npz"):
        return _from_numpy(path, weights)
    if kind in (".csv", ".tsv"):
        names, table = _delimited(path, "\t" if kind == ".tsv" else ",")
    elif kind == ".parquet":
        names, table = _parquet(path)
    else:
        raise invalid("path", f"end in {_READABLE}", repr(path.name), "Convert the file, or load it in Python.")
    return _from_table(path, names, table, weights)


def read_values(path: str | Path) -> Array:
    """Read one array of numbers [k] (or [k, 1]) from an .npy file; never unpickled.

    Raises
    ------
    InvalidInput
        No such file, not .npy, pickled content, or another shape.
    """
    path = Path(path)
    if not path.is_file() or path.suffix.lower() != ".npy":
        raise invalid("values", "name an existing .npy file", repr(str(path)), "Save the values with numpy.save.")
    content = _arrays(path, read_npy)
    if content.ndim not in (1, 2) or content.size != len(content):
        raise invalid(path.name, "hold one value a point", f"shape {content.shape}", "Save an array [k].")
    return content.reshape(-1)


def read_cost(path: str | Path) -> Any:
    """Read a cost matrix [n, m]: a dense one from .npy, a sparse one as scipy.sparse.save_npz writes it from .npz.

    Raises
    ------
    InvalidInput
        No such file, another kind, pickled content, or a file that cannot be read.
    """
    path = Path(path)
    if not path.is_file() or path.suffix.lower() not in (".npy", ".npz"):
        raise invalid("cost", "name an existing .npy or .npz file", repr(str(path)), "Or give the name of a cost.")
    if path.suffix.lower() == ".npy":
        return _arrays(path, read_npy)
    _arrays(path, read_npz)  # the parts are plain and of plausible sizes
    try:
        matrix = sparse.load_npz(path)
        if matrix.format in ("csr", "csc", "bsr"):
            matrix.check_format(full_check=True)  # indices from outside the matrix would be used unseen
        if matrix.dtype.kind not in "biuf":
            raise ValueError("other entries than numbers")
    except Exception:  # arrays that make no matrix fail in scipy, each in its own way
        raise invalid(
            path.name,
            "be a matrix saved by numpy.save or scipy.sparse.save_npz",
            "arrays that make none",
            "Save it again.",
        ) from None
    return matrix


def _arrays(path: Path, read: Callable[[Path], Any]) -> Any:
    """What ``read`` finds, or one sentence on the file."""
    try:
        return read(path)
    except (ValueError, MemoryError) as problem:
        raise invalid(
            path.name,
            "be a numpy file of plain numbers",
            f"one that cannot be read: it holds {problem}",
            "Save it with numpy.save or numpy.savez and without objects.",
        ) from None


def _from_numpy(path: Path, weights: str | int | None) -> DiscreteMeasure:
    content = _arrays(path, read_npz if zipfile.is_zipfile(path) else read_npy)
    if isinstance(content, dict):
        return _from_arrays(path, content, weights)
    if content.ndim == 2:
        return _from_table(path, None, content, weights)
    if weights is not None:
        raise invalid(
            "weights",
            "name a column of a table [n, d]",
            f"{weights!r} for shape {content.shape}",
            "Save points and weights in one .npz.",
        )
    return DiscreteMeasure(content)


def _from_arrays(path: Path, arrays: dict[str, Array], weights: str | int | None) -> DiscreteMeasure:
    names = list(arrays)
    weighing = "weights" if weights is None and "weights" in arrays else weights
    if weighing is not None and weighing not in arrays:
        raise invalid(
            "weights",
            f"name one of the arrays of {path.name}",
            f"{weights!r}, where it has {names}",
            "Check the spelling.",
        )
    others = [name for name in names if name != weighing]
    chosen = "points" if "points" in others else others[0] if len(others) == 1 else None
    if chosen is None:
        raise invalid(path.name, "hold an array called points", f"arrays {names}", "Name the array of points 'points'.")
    if weighing is None:
        return DiscreteMeasure(arrays[chosen])
    return DiscreteMeasure(arrays[chosen], arrays[str(weighing)])


def _delimited(path: Path, delimiter: str) -> tuple[list[str] | None, Array]:
    """Header (if the first row holds names) and the table below it."""
    names, table = _plain_numbers(path, delimiter) or _checked_numbers(path, delimiter)
    if names is not None and not names[0] and np.array_equal(table[:, 0], np.arange(len(table))):
        raise invalid(
            path.name,
            "hold coordinates and weights only",
            "a first column without a name that counts the rows",
            "Write it with index=False, or name that column.",
        )
    return names, table


def _plain_numbers(path: Path, delimiter: str) -> tuple[list[str] | None, Array] | None:
    """Header and table by numpy's parser, ten times as fast; None where it does not find numbers only."""
    try:
        with open(path, encoding="utf-8-sig") as stream, without_warnings():  # of a header alone
            first = next(stream)
            names = _header(path, next(csv.reader([first], delimiter=delimiter)))
            table = _parsed(stream if names is not None else itertools.chain([first], stream), delimiter)
    except (ValueError, StopIteration, csv.Error, InvalidInput):  # what is wrong is found, and said, row by row
        return None
    fits = table.size > 0 and (names is None or len(names) == table.shape[1])
    return (names, table) if fits else None


def _parsed(lines: Iterable[str], delimiter: str) -> Array:
    return np.loadtxt(lines, delimiter=delimiter, quotechar='"', comments=None, ndmin=2)


def _checked_numbers(path: Path, delimiter: str) -> tuple[list[str] | None, Array]:
    """Header and table a block of lines at a time; the first row that is wrong is named."""
    names: list[str] | None = None
    width, blocks = 0, []
    try:
        with open(path, newline="", encoding="utf-8-sig") as stream:
            for line, lines in _line_blocks(stream):
                plain = _plain_block(lines, delimiter, width) if width else None
                if plain is not None:
                    blocks.append(plain)
                    continue
                reader = csv.reader(lines, delimiter=delimiter)
                rows = [(line + reader.line_num, row) for row in reader if row and row != [""]]
                if rows and not width:
                    width, names = len(rows[0][1]), _header(path, rows[0][1])
                    rows = rows if names is None else rows[1:]
                if rows:
                    blocks.append(_numbers(path, rows, width))
    except (UnicodeDecodeError, csv.Error) as problem:
        raise invalid(
            path.name, "be a text file in UTF-8", f"other bytes ({problem})", "Save it as plain CSV."
        ) from None
    if width == 0:
        raise invalid(path.name, "hold at least one row", "an empty file", "Check where it was written.")
    if not blocks:
        raise invalid(path.name, "hold numbers below its header", "a header only", "Check where it was written.")
    return names, np.concatenate(blocks)


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
    """The numbers of a block if there is nothing else in it."""
    try:
        with without_warnings():
            table = _parsed(lines, delimiter)
    except ValueError:
        return None
    return table if table.size and table.shape[1] == width else None


def _numbers(path: Path, rows: list[tuple[int, list[str]]], width: int) -> Array:
    for line, row in rows:
        if len(row) != width:
            plural = "column" if width == 1 else "columns"
            raise invalid(path.name, f"have {width} {plural} in every row", f"{len(row)} in line {line}", "Repair it.")
    try:
        return np.array([row for _, row in rows], dtype=np.float64)
    except ValueError:
        line, j, cell = next(
            (line, j, cell) for line, row in rows for j, cell in enumerate(row) if not _is_number(cell)
        )
        remedy = "Separate the columns by commas." if ";" in cell else "Remove or fill that cell."
        what = repr(cell) if cell.strip() else "an empty cell"
        raise invalid(path.name, "hold numbers only", f"{what} in line {line}, column {j + 1}", remedy) from None


def _header(path: Path, row: list[str]) -> list[str] | None:
    """The names in the first row; None if it holds numbers."""
    numeric = [_is_number(cell) for cell in row]
    if all(numeric):
        return None
    names = [cell.strip() for cell in row]
    if any(numeric) and names[0]:  # a damaged row of numbers must not pass for names and vanish
        k = numeric.index(False)
        raise invalid(
            path.name,
            "start with a row of names or a row of numbers",
            f"{row[k]!r} beside {row[numeric.index(True)]!r} in the first",
            "Repair that cell, or rename the columns.",
        )
    return names


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _parquet(path: Path) -> tuple[list[str], Array]:
    parquet = optional_import("pyarrow.parquet", "Reading .parquet", "parquet")
    try:
        table = parquet.read_table(path)
        read = [(name, column.to_numpy()) for name, column in zip(table.column_names, table.columns, strict=True)]
    except (ValueError, TypeError, OSError, NotImplementedError) as problem:
        reason = (str(problem).splitlines() or [type(problem).__name__])[0][:200]
        raise invalid(path.name, "be a parquet table of numbers", reason, "Select the numeric columns.") from None
    if not read:
        raise invalid(path.name, "hold at least one column", "none", "Check where it was written.")
    columns = [as_float_array(f"column {name!r} of {path.name}", column) for name, column in read]
    return list(table.column_names), np.stack(columns, axis=1)


def _from_table(path: Path, names: Sequence[str] | None, table: Array, weights: str | int | None) -> DiscreteMeasure:
    if weights is None:
        return DiscreteMeasure(table)
    width = table.shape[1]
    column = _column(path, names, width, weights)
    if width == 1:
        raise invalid(
            path.name, "have a column of coordinates beside the weights", "one column", "Add the coordinates."
        )
    return DiscreteMeasure(np.delete(table, column, axis=1), table[:, column])


def _column(path: Path, names: Sequence[str] | None, width: int, weights: str | int) -> int:
    if names is not None and list(names).count(str(weights)) == 1:
        return list(names).index(str(weights))
    if str(weights).isdecimal() and int(weights) < width and (names is None or str(weights) not in names):
        return int(weights)
    have = f"columns {list(names)}" if names is not None else f"{width} columns without names"
    raise invalid(
        "weights",
        f"name one column of {path.name}, or give its number from 0",
        f"{weights!r}, where the file has {have}",
        "Check the spelling.",
    )
