"""What kind of values a column holds, decided from both tables, and the values in that kind."""

from __future__ import annotations

import datetime
import decimal
import fractions
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from otdiv.core.validation import Array, check_choice, invalid
from otdiv.drift.raw_tables import RawTable, is_large_whole
from otdiv.drift.spelling import unusual_spelling
from otdiv.measures.tables import is_number


class Kind(Enum):
    """How a column is compared."""

    NUMBER = "number"
    DATE = "date"
    CATEGORY = "category"
    IDENTIFIER = "identifier"
    CONSTANT = "constant"
    EMPTY = "empty"

    @property
    def measured(self) -> bool:
        """Whether a distance is taken."""
        return self in (Kind.NUMBER, Kind.DATE, Kind.CATEGORY)


KINDS = ("number", "date", "category", "identifier")
"""What a caller may declare a column to be."""
_MOSTLY = 0.5
"""Share of numbers among the cells of a text column from which the others are taken for damage, and refused."""
_IDENTIFYING = 0.9
"""Share of distinct values among texts from which they name rows rather than say something about them."""
_FEWEST_TO_IDENTIFY = 20
"""Rows below which distinct texts, and numbers one apart, may be chance."""
_NAMED_IDENTIFIER = re.compile(r"(.*[_ ])?(id|uuid|guid|key|index|rowid|row)|unnamed: \d+|", re.IGNORECASE)
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?)?(Z|[+-]\d{2}:?\d{2})?")
_DAY = 86_400e9
_REAL = (int, float, np.number, decimal.Decimal, fractions.Fraction)
_NESTED = (list, tuple, dict, set, np.ndarray)


@dataclass(frozen=True, eq=False)
class Column:
    """One column of both tables.

    Attributes
    ----------
    name : str
    kind : Kind
    before, after : ndarray [n], [m]
        Numbers; days since 1970 for dates; for categories the number of the level; NaN where missing.
    levels : tuple of str
        Of a category, the most frequent first.
    """

    name: str
    kind: Kind
    before: Array
    after: Array
    levels: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[int, int]:
        """How many values are missing before and after."""
        return int(np.isnan(self.before).sum()), int(np.isnan(self.after).sum())


def matched_columns(first: RawTable, second: RawTable, kinds: Mapping[str, str]) -> list[Column]:
    """The columns of both tables, matched by name, in the order of the first.

    Raises
    ------
    InvalidInput
        Different names; kinds that differ between the tables; damaged numbers; unknown names or kinds in ``kinds``.
    """
    if set(first.columns) != set(second.columns):
        only = [sorted(set(a.columns) - set(b.columns)) for a, b in ((first, second), (second, first))]
        received = " and ".join(
            f"{names} only in {t.name}" for names, t in zip(only, (first, second), strict=True) if names
        )
        shared = not set(first.columns).isdisjoint(second.columns)
        remedy = "Rename them" + (", or pass columns= with those to compare." if shared else ": no name is in both.")
        raise invalid("the tables", "have columns of the same names", received, remedy)
    for name, kind in kinds.items():
        if name not in first.columns:
            raise invalid("kinds", "name columns of the tables", repr(name), f"There are {list(first.columns)}.")
        check_choice(f"the kind of {name!r}", kind, KINDS)
    pairs = {name: (first.columns[name], second.columns[name]) for name in first.columns}
    return [_column(name, *pair, first, second, kinds.get(name)) for name, pair in pairs.items()]


def _column(name: str, x: Array, y: Array, first: RawTable, second: RawTable, asked: str | None) -> Column:
    if asked == "category":
        return _as_categories(name, x, y, declared=True)
    for values, table in ((x, first), (y, second)):
        nested = next((v for v in values if isinstance(v, _NESTED)), None) if values.dtype == object else None
        if nested is not None and asked is None:
            remedy = f"Unnest it, leave it out by columns=, or declare it: kinds={{{name!r}: 'category'}}."
            received = f"a {type(nested).__name__} in {table.name}"
            raise invalid(f"column {name!r}", "hold one value in each cell", received, remedy)
    found = [_as_numbers(values, table.text) for values, table in ((x, first), (y, second))]
    if asked == "identifier":
        return Column(name, Kind.IDENTIFIER, _absent(x), _absent(y))
    for values, table, (numbers, kind, damaged) in zip((x, y), (first, second), found, strict=True):
        wanted = "date" if asked == "date" else "number"
        if asked is not None and damaged is None and kind not in (Kind(wanted), Kind.EMPTY):
            damaged = next(v for v in values if not _is_missing(v))
        if numbers is None and kind is not Kind.EMPTY and (spelt := unusual_spelling(values)):
            received = f"{spelt.example!r} in {table.name}"
            remedy = f"{spelt.remedy}, or declare the column: kinds={{{name!r}: 'category'}}."
            raise invalid(f"column {name!r}", spelt.requirement, received, remedy)
        if damaged is not None and (asked is not None or kind is not None):
            received = f"{damaged!r} in row {_row_of(values, damaged)} of {table.name}"
            remedy = f"Repair that cell, or declare the column: kinds={{{name!r}: 'category'}}."
            held = wanted if asked is not None or kind is None else kind.value
            raise invalid(f"column {name!r}", f"hold {held}s only", received, remedy)
    kinds = {kind for _, kind, _ in found if kind is not Kind.EMPTY}
    if not kinds:
        return Column(name, Kind.EMPTY, _absent(x), _absent(y))
    if len(kinds) > 1:
        said = [("text" if kind is None else kind.value) for _, kind, _ in found]
        said = [f"{kind} in {table.name}" for kind, table in zip(said, (first, second), strict=True)]
        remedy = f"Repair one, or declare the column: kinds={{{name!r}: 'category'}}."
        raise invalid(f"column {name!r}", "be of one kind in both tables", f"{said[0]} and {said[1]}", remedy)
    kind = kinds.pop()
    if kind is None:
        column = _as_categories(name, x, y, declared=False)
        if column.kind is Kind.CATEGORY:
            _require_one_spelling(name, x, y, first, second)
        return column
    a, b = (np.full(len(v), np.nan) if n is None else n for v, (n, _, _) in zip((x, y), found, strict=True))
    if asked is None and kind is Kind.NUMBER and _counts_rows(name, a, b):
        return Column(name, Kind.IDENTIFIER, a, b)
    return Column(name, _constant_or(kind, a, b), a, b)


def _as_numbers(values: Array, text: bool) -> tuple[Array | None, Kind | None, Any]:
    """The values as numbers and their kind; (None, None, None) for texts; the first damaged cell of mostly numbers."""
    if values.dtype.kind == "f":
        return values, Kind.EMPTY if np.isnan(values).all() else Kind.NUMBER, None
    if values.dtype.kind == "M":
        return _days(values), Kind.DATE, None
    if values.dtype.kind == "b":
        return None, None, None
    present = [v for v in values if v is not None]
    if not present:
        return np.full(len(values), np.nan), Kind.EMPTY, None
    counts = Counter(present) if text else None  # most texts are few, many times over
    if any(map(is_large_whole, present if counts is None else counts)):  # of which floats would make others
        return None, None, None
    if all(isinstance(v, datetime.timedelta | np.timedelta64) for v in present):
        return _length_in_days(values), Kind.NUMBER, None
    if all(isinstance(v, datetime.date) for v in present):
        naive = [None if v is None else _naive(v) for v in values]
        return _days(np.array(naive, dtype="datetime64[ns]")), Kind.DATE, None
    if counts is None:
        real = all(isinstance(v, _REAL) and not isinstance(v, bool | np.bool_) for v in present)
        return (_floats(values), Kind.NUMBER, None) if real else (None, None, None)
    for kind, fits in ((Kind.NUMBER, is_number), (Kind.DATE, _is_iso_date)):
        others = {v for v in counts if not fits(v)}
        if not others:
            return _floats(values) if kind is Kind.NUMBER else _parsed_days(values, counts), kind, None
        if len(present) - sum(counts[v] for v in others) >= _MOSTLY * len(present):
            return None, kind, next(v for v in present if v in others)
    return None, None, None


def _require_one_spelling(name: str, x: Array, y: Array, first: RawTable, second: RawTable) -> None:
    """Refuse levels that are in one table only and in the other only in other letters, small or capital.

    Raises
    ------
    InvalidInput
    """
    mine, other = ({v for v in values if isinstance(v, str)} for values in (x, y))
    theirs = {level.casefold(): level for level in sorted(other - mine)}
    for level in sorted(mine - other):
        if level.casefold() in theirs:
            received = f"{level!r} only in {first.name} and {theirs[level.casefold()]!r} only in {second.name}"
            remedy = f"Write them alike, or declare the column: kinds={{{name!r}: 'category'}}."
            raise invalid(f"column {name!r}", "spell its levels alike in both tables", received, remedy)


def _is_iso_date(cell: str) -> bool:
    return _ISO_DATE.fullmatch(cell) is not None


def _parsed_days(values: Array, cells: Iterable[str]) -> Array:
    """Days since 1970 of ISO dates, each of ``cells`` read once; NaN where missing."""
    known = {cell: _naive(datetime.datetime.fromisoformat(cell)) for cell in cells}
    return _days(np.array([known.get(v) for v in values], dtype="datetime64[ns]"))


def _as_categories(name: str, x: Array, y: Array, *, declared: bool) -> Column:
    """Levels by frequency in both tables; texts that are nearly all distinct are names of rows."""
    texts = [[v if type(v) is str else None if _is_missing(v) else _label(v) for v in values] for values in (x, y)]
    present = [[v for v in values if v is not None] for values in texts]
    distinct = all(len(set(v)) >= _IDENTIFYING * len(v) for v in present)
    if not declared and distinct and max(map(len, present)) >= _FEWEST_TO_IDENTIFY:
        return Column(name, Kind.IDENTIFIER, _absent(x), _absent(y))
    levels, counts = np.unique(np.array(present[0] + present[1], dtype=str), return_counts=True)
    ordered = [str(level) for level in levels[np.argsort(-counts, kind="stable")]]
    number = {level: float(k) for k, level in enumerate(ordered)}
    a, b = (np.array([np.nan if v is None else number[v] for v in values]) for values in texts)
    return Column(name, _constant_or(Kind.CATEGORY, a, b), a, b, tuple(ordered))


def _constant_or(kind: Kind, a: Array, b: Array) -> Kind:
    both = np.concatenate([a, b])
    if not np.isfinite(both[~np.isnan(both)]).all():
        return kind
    return Kind.CONSTANT if np.nanmin(both) == np.nanmax(both) else kind


def _counts_rows(name: str, a: Array, b: Array) -> bool:
    """Whether whole numbers, each once in a table, count the rows or are called an identifier."""
    for values in (a, b):
        if len(values) < 2 or np.isnan(values).any() or np.any(values != np.floor(values)):
            return False
        if len(np.unique(values)) < len(values):
            return False
    long = min(len(a), len(b)) >= _FEWEST_TO_IDENTIFY
    in_steps = long and all(np.array_equal(np.diff(v), np.ones(len(v) - 1)) for v in (a, b))
    return in_steps or _NAMED_IDENTIFIER.fullmatch(name) is not None


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float | np.floating) and np.isnan(value))


def _label(value: Any) -> str:
    return str(int(value)) if isinstance(value, float | np.floating) and value == int(value) else str(value)


def _floats(values: Array) -> Array:
    return np.array([np.nan if v is None else float(v) for v in values])


def _naive(moment: datetime.date) -> datetime.datetime:
    """The moment in UTC where it has a zone, as it stands where it has none."""
    if not isinstance(moment, datetime.datetime):
        return datetime.datetime(moment.year, moment.month, moment.day)
    return moment if moment.tzinfo is None else moment.astimezone(datetime.UTC).replace(tzinfo=None)


def _days(moments: Array) -> Array:
    """Days since 1970, NaN where missing."""
    nanoseconds = moments.astype("datetime64[ns]").astype(np.int64).astype(np.float64)
    return np.where(np.isnat(moments), np.nan, nanoseconds / _DAY)


def _length_in_days(values: Array) -> Array:
    """Lengths of time in days, NaN where missing."""
    return np.array(
        [
            np.nan
            if v is None
            else v / np.timedelta64(1, "D")
            if isinstance(v, np.timedelta64)
            else v / datetime.timedelta(days=1)
            for v in values
        ]
    )


def _row_of(values: Array, cell: Any) -> int:
    return next(k for k, value in enumerate(values) if value is cell or value == cell) + 1


def _absent(values: Array) -> Array:
    return np.full(len(values), np.nan)
