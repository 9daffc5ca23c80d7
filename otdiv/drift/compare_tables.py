"""Compare two tables: did the distribution change, how far, in which columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from otdiv.core.text_tables import number
from otdiv.core.validation import as_rng, invalid
from otdiv.drift.column_distance import Moved, category_moved, number_moved
from otdiv.drift.columns import Column, Kind, matched_columns
from otdiv.drift.encoding import UNITS, EncodedColumn, encode, without_missing
from otdiv.drift.joint_distance import MOST_ROWS, joint_distance
from otdiv.drift.raw_tables import as_raw_table
from otdiv.drift.report import ColumnChange, TableComparison
from otdiv.measures.tables import TableOptions
from otdiv.two_sample import adjust_p_values

_MOSTLY_SHIFT = 0.5
"""Share of a number's W1 that the shift of its mean explains, from which the sentence is about the mean."""
FEWEST_ROWS = 2
"""Rows that either table needs."""


def compare_tables(
    before: Any,
    after: Any,
    *,
    columns: Sequence[str] | None = None,
    kinds: Mapping[str, str] | None = None,
    missing: str = "refuse",
    units: str = UNITS[0],
    weights: Mapping[str, float] | None = None,
    divergences: Sequence[str] = (),
    most_rows: int = MOST_ROWS,
    rng: Any = 0,
    options: TableOptions | None = None,
) -> TableComparison:
    """Did the distribution of the rows change from one table to another; how far, and in which columns?

    Parameters
    ----------
    before, after : path, data frame (pandas, polars), pyarrow.Table, mapping of columns, or array [n, d]
        Independent rows; columns are matched by name.  A path is a .csv, .tsv, .parquet or .npy.
    columns : sequence of str, optional
        Those to compare; by default all.
    kinds : mapping of str to {"number", "date", "category", "identifier"}, optional
        Of columns of which the values do not say it: numbers that are codes, say.  By default numbers are numbers,
        ISO dates dates, other texts and booleans categories; texts that are nearly all distinct, and whole numbers
        that count the rows or are called an id, are identifiers and not measured.
    missing : {"refuse", "drop", "category"}
        An error with the counts; leave rows with missing values out; or count a gap as a value of its own: a level of a
        category, and for a number at distance |x - median| / s + 1.
    units : {"standard deviations", "raw"}
        Of numbers and dates; raw dates are in days.
    weights : mapping of str to float, optional
        Of columns in the joint distance.
    divergences : sequence of str
        Of the rows, estimated with intervals: "js", "tv", "kl", "hellinger", as
        :func:`otdiv.estimators.estimate_divergence`; takes seconds each.
    most_rows : int
        Rows of either table, drawn at random, that joint distance and divergences are taken of.  The columns by
        themselves are always compared by all rows.
    rng : int, numpy.random.Generator or None
        Source of permutations and samples.
    options : TableOptions, optional
        What a text table does not say itself: header, delimiter, decimal, index.

    Returns
    -------
    TableComparison
        ``p_value``, ``verdict``, ``changes`` ranked, ``table()``, ``to_dict()``; indexed by a column's name.

    Raises
    ------
    InvalidInput
        Names that differ, kinds that differ, damaged cells, missing values under "refuse", no column to measure, fewer
        than two rows.

    Notes
    -----
    The joint cost of two rows is the sum over columns of |x - y| / s for numbers and dates and of 1 for different
    levels, a metric; its optimal plan splits the distance over columns and rows.  p-values are by permutation and
    Kolmogorov-Smirnov or chi-square, adjusted by Holm for all columns and the joint test.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> before = {"age": rng.normal(40, 9, 200), "city": ["A", "B"] * 100}
    >>> after = {"age": rng.normal(47, 9, 200), "city": ["A", "B"] * 100}
    >>> found = compare_tables(before, after)
    >>> found.changed(), found["age"].sentence
    (('age',), 'mean 40.14 to 46.2 (+0.64 sd)')
    """
    options = options or TableOptions(columns=columns)
    first, second = as_raw_table(before, "before", options), as_raw_table(after, "after", options)
    for table in (first, second):
        if table.rows < FEWEST_ROWS:
            raise invalid(table.name, f"have at least {FEWEST_ROWS} rows", f"{table.rows}", "One row shows no spread.")
    names = (first.name, second.name) if first.name != second.name else ("before", "after")
    found, notes = without_missing(matched_columns(first, second, kinds or {}), missing, names)
    generator = as_rng(rng)
    encoded = encode(found, units, weights)
    joint = joint_distance(encoded, generator, most_rows)
    moved = [_moved(column, generator) for column in encoded]
    adjusted = adjust_p_values([*(m.p_value for m in moved), joint.p_value], "holm")
    total = float(joint.columns.sum()) or 1.0
    changes = [
        ColumnChange(
            e.column,
            m.distance / e.unit,
            m.lower / e.unit,
            m.upper / e.unit,
            m.floor / e.unit,
            m.p_value,
            float(p),
            float(part) / total,
            _sentence(e, m),
        )
        for e, m, p, part in zip(encoded, moved, adjusted, joint.columns, strict=False)
    ]
    changes.sort(key=lambda change: (change.adjusted_p, change.p_value, -change.distance))
    sizes = len(encoded[0].before), len(encoded[0].after)
    unmeasured = tuple(column for column in found if not column.kind.measured)
    estimates = _estimates(encoded, joint.rows, divergences, generator)
    if all(np.array_equal(e.before, e.after) for e in encoded):
        notes.append("All measured values are the same, row by row: is one file compared with itself?")
    said = tuple(notes)
    return TableComparison(names, sizes, tuple(changes), joint, float(adjusted[-1]), unmeasured, said, units, estimates)


def _moved(encoded: EncodedColumn, rng: np.random.Generator) -> Moved:
    column = encoded.column
    if column.kind is Kind.CATEGORY:
        return category_moved(column.before.astype(int), column.after.astype(int), len(column.levels), rng)
    if encoded.gaps is None:
        return number_moved(column.before, column.after, rng)
    shares = category_moved(encoded.gaps[0].astype(int), encoded.gaps[1].astype(int), 2, rng)
    known = [side[~gap] for side, gap in zip((column.before, column.after), encoded.gaps, strict=True)]
    if not len(known[0]) or not len(known[1]):
        values = Moved(0.0, 0.0, 0.0, 0.0, 1.0)
    else:
        values = number_moved(known[0], known[1], rng)
    unit = encoded.unit
    return Moved(
        values.distance + unit * shares.distance,
        values.floor + unit * shares.floor,
        values.lower + unit * shares.lower,
        values.upper + unit * shares.upper,
        min(1.0, 2 * min(values.p_value, shares.p_value)),
    )


def _estimates(
    encoded: Sequence[EncodedColumn], rows: tuple[Any, Any], wanted: Sequence[str], rng: np.random.Generator
) -> dict[str, Any]:
    if not wanted:
        return {}
    from otdiv.estimators import estimate_divergences

    x, y = (
        np.hstack([getattr(c, side) for c in encoded])[r] for side, r in zip(("before", "after"), rows, strict=True)
    )
    varies = np.ptp(np.concatenate([x, y]), axis=0) > 0
    found = estimate_divergences(x[:, varies], y[:, varies], list(wanted), rng=rng)
    return dict(zip(wanted, found, strict=True))


def _sentence(encoded: EncodedColumn, moved: Moved) -> str:
    """What moved in a column, in numbers of before and after."""
    column = encoded.column
    if column.kind is Kind.CATEGORY:
        return _shares(column)
    gone = ""
    if encoded.gaps is not None:
        before, after = (100 * float(gap.mean()) for gap in encoded.gaps)
        gone = f"; missing {before:.3g} % to {after:.3g} %"
    return _numbers_moved(column, moved) + gone


def _numbers_moved(column: Column, moved: Moved) -> str:
    x, y = (side[~np.isnan(side)] for side in (column.before, column.after))
    if not len(x) or not len(y):
        return "all values are missing in one table"
    spread = float(np.std(np.concatenate([x, y]))) or 1.0
    shift = (float(np.mean(y)) - float(np.mean(x))) / spread
    spreads = float(np.std(x)), float(np.std(y))
    doubled = max(spreads) > 2 * min(spreads)
    if column.kind is Kind.DATE:
        days = float(np.mean(y)) - float(np.mean(x))
        return f"from {_day(x.min())} .. {_day(x.max())} to {_day(y.min())} .. {_day(y.max())}, mean {days:+.4g} days"
    if abs(shift) * spread >= _MOSTLY_SHIFT * moved.distance and not (doubled and abs(shift) < 0.1):
        return f"mean {number(float(np.mean(x)), 4)} to {number(float(np.mean(y)), 4)} ({shift:+.2f} sd)"
    if max(spreads) > 1.1 * min(spreads):
        return f"spread {number(spreads[0], 4)} to {number(spreads[1], 4)}, mean {number(float(np.mean(y)), 4)}"
    low, high = (np.quantile(side, (0.05, 0.95)) for side in (x, y))
    return (
        f"shape; 5 % to 95 %: {number(float(low[0]), 4)} .. {number(float(low[1]), 4)} to "
        f"{number(float(high[0]), 4)} .. {number(float(high[1]), 4)}"
    )


def _shares(column: Column) -> str:
    """The level whose share has changed most."""
    sizes = [np.bincount(side.astype(int), minlength=len(column.levels)) for side in (column.before, column.after)]
    before, after = sizes[0] / sizes[0].sum(), sizes[1] / sizes[1].sum()
    k = int(np.argmax(np.abs(after - before)))
    level = column.levels[k] if len(column.levels[k]) <= 24 else column.levels[k][:21] + "..."
    return f"share of {level} {100 * before[k]:.3g} % to {100 * after[k]:.3g} %"


def _day(days: float) -> str:
    return str(np.datetime64(int(np.floor(days)), "D"))
