"""Reading measures from files: .npy, .npz, .csv, .tsv, .parquet, and grey images.

Nothing is ever unpickled.  Optional packages are imported inside the reader
that needs them.  Imports errors and measures.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from otdiv.errors import Array, InvalidInput, invalid, optional_import
from otdiv.measures import DiscreteMeasure

IMAGES = (".png", ".pgm", ".bmp", ".tif", ".tiff", ".jpg", ".jpeg", ".gif")
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

    Raises
    ------
    InvalidInput
        No such file, an unknown kind, text where numbers belong, pickled content, a colour image.
    MissingPackage
        .parquet without pyarrow, an image without Pillow.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if not path.is_file():
        raise invalid("path", "name an existing file", repr(str(path)), "Check the spelling and the folder.")
    if kind in IMAGES:
        if weights is not None:
            raise invalid("weights", "be left out for an image", repr(weights), "Its grey values are the weights.")
        return DiscreteMeasure.from_image(_grey(path))
    if kind in (".npy", ".npz"):
        return _from_numpy(path, weights)
    if kind in (".csv", ".tsv"):
        names, table = _delimited(path, "\t" if kind == ".tsv" else ",")
    elif kind == ".parquet":
        names, table = _parquet(path)
    else:
        raise invalid("path", f"end in {_READABLE}", repr(path.name), "Convert the file, or load it in Python.")
    return _from_table(path, names, table, weights)


def _from_numpy(path: Path, weights: str | int | None) -> DiscreteMeasure:
    try:
        content: Any = np.load(path, allow_pickle=False)
        if path.suffix.lower() == ".npy":
            if isinstance(content, np.ndarray) and content.ndim == 2:
                return _from_table(path, None, content, weights)
            if weights is not None:
                raise invalid(
                    "weights",
                    "name a column of a table [n, d]",
                    f"{weights!r} for shape {content.shape}",
                    "Save points and weights in one .npz.",
                )
            return DiscreteMeasure(content)
        with content:
            arrays = {name: content[name] for name in content.files}
    except InvalidInput:
        raise
    except (ValueError, OSError, EOFError) as problem:
        raise invalid(
            path.name,
            "be a numpy file of plain numbers",
            f"one that cannot be read ({problem})",
            "Save it with numpy.save and without objects.",
        ) from None
    names = list(arrays)
    weighing = "weights" if weights is None and "weights" in arrays else weights
    if weighing is not None and weighing not in arrays:
        raise invalid("weights", f"name one of the arrays {names}", repr(weights), "Check the spelling.")
    others = [name for name in names if name != weighing]
    chosen = "points" if "points" in others else others[0] if len(others) == 1 else None
    if chosen is None:
        raise invalid(path.name, "hold an array called points", f"arrays {names}", "Name the array of points 'points'.")
    return DiscreteMeasure(arrays[chosen], None if weighing is None else arrays[str(weighing)])


def _delimited(path: Path, delimiter: str) -> tuple[list[str] | None, Array]:
    """Header (if the first row is not all numbers) and the table below it."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as stream:
            rows = [row for row in csv.reader(stream, delimiter=delimiter) if row]
    except (UnicodeDecodeError, csv.Error) as problem:
        raise invalid(
            path.name, "be a text file in UTF-8", f"other bytes ({problem})", "Save it as plain CSV."
        ) from None
    if not rows:
        raise invalid(path.name, "hold at least one row", "an empty file", "Check where it was written.")
    names = None if all(_is_number(cell) for cell in rows[0]) else [cell.strip() for cell in rows[0]]
    body = rows if names is None else rows[1:]
    if not body:
        raise invalid(path.name, "hold numbers below its header", "a header only", "Check where it was written.")
    width = len(rows[0])
    first = 1 if names is None else 2
    for k, row in enumerate(body):
        if len(row) != width:
            raise invalid(
                path.name, f"have {width} columns in every row", f"{len(row)} in row {k + first}", "Repair that row."
            )
    try:
        return names, np.array(body, dtype=np.float64)
    except ValueError:
        k, j = next((k, j) for k, row in enumerate(body) for j, cell in enumerate(row) if not _is_number(cell))
        raise invalid(
            path.name,
            "hold numbers only",
            f"{body[k][j]!r} in row {k + first}, column {j + 1}",
            "Remove or fill that cell.",
        ) from None


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
        columns = [table.column(name).to_numpy().astype(np.float64) for name in table.column_names]
    except (ValueError, TypeError, OSError) as problem:
        raise invalid(path.name, "be a parquet table of numbers", f"{problem}", "Select the numeric columns.") from None
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
    if names is not None and weights in names:
        return list(names).index(str(weights))
    if isinstance(weights, int) or weights.lstrip("-").isdigit():
        number = int(weights)
        if 0 <= number < width:
            return number
    have = f"columns {list(names)}" if names is not None else f"{width} columns without names"
    raise invalid(
        "weights",
        f"name a column of {path.name} or its number from 0",
        f"{weights!r}, where the file has {have}",
        "Check the spelling.",
    )


def _grey(path: Path) -> Array:
    image_module = optional_import("PIL.Image", "Reading an image", "images")
    try:
        with image_module.open(path) as image:
            bands = image.getbands()
            if len(bands) > 1:
                raise invalid(
                    path.name, "be a grey image", f"one with bands {', '.join(bands)}", "Convert it to grey first."
                )
            return np.asarray(image, dtype=np.float64)
    except OSError as problem:
        raise invalid(
            path.name, "be an image", f"one that cannot be read ({problem})", "Save it again as .png."
        ) from None
