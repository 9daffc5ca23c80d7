"""Columns as coordinates, so that the joint distance of two rows is the sum of what their columns differ by.

A number becomes one coordinate, x / s with the pooled standard deviation s; a category one coordinate of 1/2 for
each level, so that different levels are at distance 1.  The 1-norm of all coordinates is the joint cost, a metric.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from otdiv.core.validation import Array, check_choice, invalid
from otdiv.drift.columns import Column, Kind

UNITS = ("standard deviations", "raw")
MISSING = ("refuse", "drop", "category")
MISSING_LEVEL = "(missing)"
"""Name of the level that missing values of a category form, where they are one."""


@dataclass(frozen=True, eq=False)
class EncodedColumn:
    """One column as coordinates.

    Attributes
    ----------
    column : Column
        Without missing values, unless they are a level or an indicator.
    unit : float
        What one unit of the coordinates is, in the unit of the column: the pooled standard deviation; 1 for categories.
    weight : float
        Of the column in the joint cost.
    before, after : ndarray [n, k], [m, k]
        Coordinates; the weight is in them.
    gaps : tuple of ndarray of bool, or None
        Where numbers are missing, if that is a coordinate of its own.
    """

    column: Column
    unit: float
    weight: float
    before: Array
    after: Array
    gaps: tuple[Array, Array] | None = None


def without_missing(columns: Sequence[Column], policy: str, names: tuple[str, str]) -> tuple[list[Column], list[str]]:
    """The columns, treated for missing values as the policy says, and what is to be said about it.

    Raises
    ------
    InvalidInput
        Missing values under "refuse"; rows of which none is whole under "drop".
    """
    check_choice("missing", policy, MISSING)
    for column in columns:
        if column.kind.measured and column.kind is not Kind.CATEGORY:
            for values, name in zip((column.before, column.after), names, strict=True):
                if np.isinf(values).any():
                    k = int(np.isinf(values).argmax())
                    remedy = "Repair that cell, or leave it empty and choose missing='drop'."
                    raise invalid(
                        f"column {column.name!r}", "be finite", f"{values[k]} in row {k + 1} of {name}", remedy
                    )
    holed = [column for column in columns if column.kind.measured and any(column.missing)]
    if not holed:
        return list(columns), []
    counts = ", ".join(f"{c.name} {c.missing[0]} and {c.missing[1]}" for c in holed)
    if policy == "refuse":
        received = f"missing ones in {names[0]} and {names[1]}: {counts}"
        remedy = "Pass missing='drop' to leave those rows out, missing='category' to count a gap as a value."
        raise invalid("the tables", "have a value in every cell", received, remedy)
    if policy == "category":
        return [_with_gaps_as_level(column) for column in columns], [f"Missing values count as a value: {counts}."]
    return _rows_without_gaps(columns, holed, names)


def _rows_without_gaps(
    columns: Sequence[Column], holed: Sequence[Column], names: tuple[str, str]
) -> tuple[list[Column], list[str]]:
    whole = [~np.any([np.isnan(side) for side in sides], axis=0) for sides in _sides(holed)]
    for kept, name in zip(whole, names, strict=True):
        if not kept.any():
            remedy = "Pass missing='category', or columns= without those that are mostly empty."
            raise invalid(name, "have a row without missing values", f"none of {len(kept)}", remedy)
    dropped = [int((~kept).sum()) for kept in whole]
    said = (
        f"Rows with missing values are left out: {dropped[0]} of {len(whole[0])} and {dropped[1]} of {len(whole[1])}."
    )
    return [replace(c, before=c.before[whole[0]], after=c.after[whole[1]]) for c in columns], [said]


def _sides(columns: Sequence[Column]) -> tuple[list[Array], list[Array]]:
    return [column.before for column in columns], [column.after for column in columns]


def _with_gaps_as_level(column: Column) -> Column:
    if column.kind is not Kind.CATEGORY or not any(column.missing):
        return column
    last = float(len(column.levels))
    filled = [np.where(np.isnan(side), last, side) for side in (column.before, column.after)]
    return replace(column, before=filled[0], after=filled[1], levels=(*column.levels, MISSING_LEVEL))


def encode(
    columns: Sequence[Column], units: str = "standard deviations", weights: Mapping[str, float] | None = None
) -> list[EncodedColumn]:
    """The measured columns as coordinates.

    Parameters
    ----------
    columns : sequence of Column
        Missing values dealt with by :func:`without_missing`.
    units : {"standard deviations", "raw"}
        Of numbers and dates; "raw" leaves them as they are, dates in days.
    weights : mapping of str to float, optional
        Of columns in the joint cost; 1 for those it does not name.

    Raises
    ------
    InvalidInput
        Unknown units, a weight that is negative or of no measured column, no column that could be measured.
    """
    check_choice("units", units, UNITS)
    measured = [column for column in columns if column.kind.measured]
    if not measured:
        kinds = ", ".join(f"{c.name} ({c.kind.value})" for c in columns)
        named = next((c.name for c in columns if c.kind is Kind.IDENTIFIER), None)
        remedy = "Are these the right files? Constant and empty columns hold nothing to compare."
        if named is not None:
            remedy = f"If one of them says more than which row it is, declare it: kinds={{{named!r}: 'category'}}."
        raise invalid("the tables", "have a column that can be measured", kinds, remedy)
    weights = dict(weights or {})
    for name, weight in weights.items():
        if name not in {column.name for column in measured}:
            raise invalid("weights", "name measured columns", repr(name), f"There are {[c.name for c in measured]}.")
        if not 0 < weight < np.inf:
            raise invalid(f"the weight of {name!r}", "be positive", repr(weight), "Leave the column out by columns=.")
    return [_encoded(column, units, float(weights.get(column.name, 1.0))) for column in measured]


def _encoded(column: Column, units: str, weight: float) -> EncodedColumn:
    if column.kind is Kind.CATEGORY:
        halves = 0.5 * weight * np.eye(len(column.levels))
        return EncodedColumn(column, 1.0, weight, halves[column.before.astype(int)], halves[column.after.astype(int)])
    both = np.concatenate([column.before, column.after])
    gaps = np.isnan(both)
    known = both[~gaps]
    centre = float(np.median(known))
    unit = float(np.std(known - centre)) if units == UNITS[0] else 1.0
    unit = unit if unit > 0 else 1.0
    coordinates = weight * ((np.where(gaps, centre, both) - centre) / unit)[:, None]
    n = len(column.before)
    if not gaps.any():
        return EncodedColumn(column, unit, weight, coordinates[:n], coordinates[n:])
    coordinates = np.hstack([coordinates, weight * gaps[:, None].astype(float)])
    return EncodedColumn(column, unit, weight, coordinates[:n], coordinates[n:], (gaps[:n], gaps[n:]))
