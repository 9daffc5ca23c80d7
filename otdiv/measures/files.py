"""Reading measures from files: .npy, .npz, .csv, .tsv, .parquet, and grey images.

Nothing is ever unpickled.  Optional packages are imported inside the reader
that needs them.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from otdiv.core.validation import Array, invalid
from otdiv.errors import InvalidInput
from otdiv.files.archives import names_in_npz, read_npy, read_npz
from otdiv.measures.discrete import DiscreteMeasure
from otdiv.measures.pictures import IMAGES, read_grey
from otdiv.measures.tables import NO_OPTIONS, TableOptions, column_number, read_delimited, read_parquet

_READABLE = ".npy, .npz, .csv, .tsv, .parquet or an image (.png, .pgm, .bmp, .tif, .jpg)"


def read_measure(
    path: str | Path,
    *,
    weights: str | int | None = None,
    columns: Sequence[str | int] | None = None,
    index: str | int | None = None,
    header: bool | None = None,
    delimiter: str | None = None,
    decimal: str = ".",
) -> DiscreteMeasure:
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
    columns : sequence of str or int, optional
        The columns of a table that are coordinates, in this order; without it all but weights and index.
    index : str or int, optional
        A column of row names or row numbers, which is left out.  The index that pandas stores in .parquet is
        left out by itself.
    header : bool, optional
        Whether the first row of a text table holds names; without it, if it is not all numbers.
    delimiter : str, optional
        Between the columns of a text table: a comma, in .tsv a tab.
    decimal : {".", ","}
        The decimal point of a text table.

    Returns
    -------
    DiscreteMeasure
        With the names of the columns where the file has them; two measures are matched by them.

    Raises
    ------
    InvalidInput
        No such file, an unknown kind, text where numbers belong, pickled content, a colour image; a first row or
        column of which the file does not say what it is.
    MissingPackage
        .parquet without pyarrow, an image without Pillow.
    """
    options = TableOptions(weights, columns, index, header, delimiter, decimal)
    path = Path(path)
    if not os.path.isfile(path):
        received = f"the folder {str(path)!r}" if os.path.isdir(path) else repr(str(path))
        raise invalid("path", "name an existing file", received, "Check the spelling and the folder.")
    try:
        return _read(path, path.suffix.lower(), options)
    except InvalidInput as problem:
        if path.name in str(problem):
            raise
        raise InvalidInput(f"{path.name}: {problem}") from None
    except OSError as problem:
        reason = problem.strerror or str(problem)
        raise invalid(path.name, "be readable", reason, "Check its permissions.") from None


def _read(path: Path, kind: str, options: TableOptions) -> DiscreteMeasure:
    if kind in IMAGES:
        if options.weights is not None:
            raise invalid(
                "weights", "be left out for an image", repr(options.weights), "Its grey values are the weights."
            )
        _require_no_options(path, replace(options, weights=None))
        return DiscreteMeasure.from_image(read_grey(path))
    if kind in (".npy", ".npz"):
        return _from_numpy(path, options)
    if kind in (".csv", ".tsv"):
        names, table = read_delimited(path, options)
    elif kind == ".parquet":
        _require_no_options(path, replace(options, weights=None, columns=None, index=None))
        names, table = read_parquet(path, options)
    else:
        raise invalid("path", f"end in {_READABLE}", repr(path.name), "Convert the file, or load it in Python.")
    return _from_table(path, names, table, options)


def _require_no_options(path: Path, options: TableOptions) -> None:
    """Refuse options that say nothing about a file of this kind."""
    given = [field.name for field in fields(options) if getattr(options, field.name) != getattr(NO_OPTIONS, field.name)]
    if given:
        raise invalid(given[0], f"be left out for {path.suffix}", repr(getattr(options, given[0])), "It is for tables.")


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
    content = numpy_arrays(path, read_npy)
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
    from scipy import sparse

    path = Path(path)
    if not path.is_file() or path.suffix.lower() not in (".npy", ".npz"):
        raise invalid("cost", "name an existing .npy or .npz file", repr(str(path)), "Or give the name of a cost.")
    if path.suffix.lower() == ".npy":
        return numpy_arrays(path, read_npy)
    numpy_arrays(path, read_npz)  # the parts are plain and of plausible sizes
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


def numpy_arrays(path: Path, read: Callable[[Path], Any]) -> Any:
    """What ``read`` finds in an .npy or .npz file, or one sentence on the file."""
    try:
        return read(path)
    except (ValueError, MemoryError) as problem:
        raise invalid(
            path.name,
            "be a numpy file of plain numbers",
            f"one that cannot be read: it holds {problem}",
            "Save it with numpy.save or numpy.savez and without objects.",
        ) from None


def _from_numpy(path: Path, options: TableOptions) -> DiscreteMeasure:
    if zipfile.is_zipfile(path):
        _require_no_options(path, replace(options, weights=None))
        return _from_archive(path, options.weights)
    content = numpy_arrays(path, read_npy)
    _require_no_options(path, replace(options, weights=None, columns=None, index=None))
    if content.ndim == 2:
        return _from_table(path, None, content, options)
    _require_no_options(path, replace(options, weights=None))
    if options.weights is not None:
        raise invalid(
            "weights",
            "name a column of a table [n, d]",
            f"{options.weights!r} for shape {content.shape}",
            "Save points and weights in one .npz.",
        )
    return DiscreteMeasure(content)


def _from_archive(path: Path, weights: str | int | None) -> DiscreteMeasure:
    """Points and weights of an .npz; arrays that are not asked for are not unpacked."""
    names = numpy_arrays(path, names_in_npz)
    weighing = "weights" if weights is None and "weights" in names else weights
    if weighing is not None and weighing not in names:
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
    arrays = numpy_arrays(path, lambda path: read_npz(path, {chosen, str(weighing)}))
    return DiscreteMeasure(arrays[chosen], None if weighing is None else arrays[str(weighing)])  # type: ignore[arg-type]


def _from_table(path: Path, names: Sequence[str] | None, table: Array, options: TableOptions) -> DiscreteMeasure:
    """The measure of a table's rows: the columns asked for, without index and weights."""
    width = table.shape[1]

    def number(column: str | int, option: str) -> int:
        return column_number(path, names, width, column, option)

    weights = None if options.weights is None else number(options.weights, "weights")
    index = None if options.index is None else number(options.index, "index")
    if options.columns is None:
        chosen = [k for k in range(width) if k not in (weights, index)]
    else:
        chosen = [number(column, "columns") for column in options.columns]
        if len(set(chosen)) < len(chosen) or {weights, index} & set(chosen):
            raise invalid(
                "columns",
                "name other columns than weights and index, each once",
                f"{list(options.columns)}",
                "Leave one out.",
            )
    if not chosen:
        raise invalid(
            path.name, "have a column of coordinates beside the weights", "one column", "Add the coordinates."
        )
    points = table if len(chosen) == width and chosen == sorted(chosen) else table[:, chosen]
    kept = None if names is None else tuple(names[k] for k in chosen)
    return DiscreteMeasure(points, None if weights is None else table[:, weights], kept)  # type: ignore[arg-type]
