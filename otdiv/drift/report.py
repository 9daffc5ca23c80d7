"""What has changed between two tables: the record, its table and its sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from otdiv.core.text_tables import Table, number
from otdiv.core.validation import invalid
from otdiv.drift.columns import Column
from otdiv.drift.joint_distance import JointDistance

LEVEL = 0.05
"""Adjusted p-value up to which a column is said to have changed."""
FEW_ROWS = 20
"""Rows of a table below which the intervals, which rest on the limit of many rows, are said to need more."""


@dataclass(frozen=True, eq=False)
class ColumnChange:
    """How far one column has moved.

    Attributes
    ----------
    column : Column
    distance : float
        W1 in pooled standard deviations for numbers and dates (in their own unit where asked for), total variation
        for categories.
    lower, upper : float
        A 95 % interval about the distance of the distributions behind the tables.
    floor : float
        The mean distance that samples of these sizes show without any change.
    p_value, adjusted_p : float
        Of equal distributions; adjusted by Holm for all columns and the joint test.
    joint_share : float
        The part of this column in the joint distance; all parts sum to 1.
    sentence : str
        What moved.
    """

    column: Column
    distance: float
    lower: float
    upper: float
    floor: float
    p_value: float
    adjusted_p: float
    joint_share: float
    sentence: str

    @property
    def name(self) -> str:
        """Of the column."""
        return self.column.name

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        fields = ("distance", "lower", "upper", "floor", "p_value", "adjusted_p", "joint_share", "sentence")
        return {"name": self.name, "kind": self.column.kind.value} | {name: getattr(self, name) for name in fields}


@dataclass(frozen=True, eq=False)
class TableComparison:
    """Whether two tables come from one distribution, how far they are apart, and where.

    Attributes
    ----------
    names : tuple of str
        Of the tables.
    rows : tuple of int
        Their rows, after those with missing values were left out where that was asked for.
    changes : tuple of ColumnChange
        Of the measured columns, the clearest first.
    joint : JointDistance
    joint_adjusted_p : float
        Of the joint test, adjusted with those of the columns.
    unmeasured : tuple of Column
        Identifiers, constants and empty columns.
    notes : tuple of str
        What was done to the data.
    unit : str
        Of the distances of numbers.
    divergences : mapping
        Estimates of divergences by name (:class:`otdiv.estimators.Estimate`), where they were asked for.
    """

    names: tuple[str, str]
    rows: tuple[int, int]
    changes: tuple[ColumnChange, ...]
    joint: JointDistance
    joint_adjusted_p: float
    unmeasured: tuple[Column, ...]
    notes: tuple[str, ...]
    unit: str
    divergences: Mapping[str, Any]

    def __getitem__(self, name: str) -> ColumnChange:
        for change in self.changes:
            if change.name == name:
                return change
        known = f"There are {[change.name for change in self.changes]}."
        raise invalid("name", "be that of a measured column", repr(name), known)

    @property
    def p_value(self) -> float:
        """Of no change at all: the least adjusted p-value, valid for all tests together."""
        return min([self.joint_adjusted_p, *(change.adjusted_p for change in self.changes)])

    @property
    def distance(self) -> float:
        """The mean distance of the measured columns."""
        return sum(change.distance for change in self.changes) / len(self.changes)

    def changed(self, level: float = LEVEL) -> tuple[str, ...]:
        """Names of the columns whose adjusted p-value is at most ``level``."""
        return tuple(change.name for change in self.changes if change.adjusted_p <= level)

    @property
    def verdict(self) -> str:
        """Did it change, as a sentence."""
        moved = self.changed()
        if self.p_value > LEVEL:
            return f"No change was found: p = {number(self.p_value, 3)}."
        if not moved:
            said = "no column by itself, but the columns together have"
            return f"Changed (p = {number(self.p_value, 3)}): {said}."
        which = ", ".join(moved[:4]) + (f" and {len(moved) - 4} more" if len(moved) > 4 else "")
        return f"Changed (p = {number(self.p_value, 2)}): {len(moved)} of {len(self.changes)} columns, {which}."

    @property
    def extent(self) -> str:
        """How much, as a sentence."""
        joint = self.joint
        of = f"random samples of {len(joint.rows[0])} and {len(joint.rows[1])} rows" if joint.sampled else "all rows"
        return (
            f"Joint distance of {of}: {number(joint.value, 4)}, of which {number(joint.floor, 4)} is what such samples "
            f"show without any change (p = {number(joint.p_value, 3)}); exact, proved within {joint.transport.gap:.1g}."
        )

    def table(self, title: str | None = None) -> Table:
        """One row for each measured column."""
        rows = [
            [
                change.name,
                change.column.kind.value,
                number(change.distance, 3),
                f"{number(change.lower, 3)} to {number(change.upper, 3)}",
                number(change.adjusted_p, 2),
                f"{100 * change.joint_share:.0f} %",
                change.sentence if change.adjusted_p <= LEVEL else "no change found",
            ]
            for change in self.changes
        ]
        if title is None:
            title = f"{self.names[0]} against {self.names[1]}: {self.rows[0]} and {self.rows[1]} rows"
        headers = ("column", "kind", "distance", "95 % interval", "p", "of joint", "what moved")
        return Table(title, headers, rows, self._said(), (2, 3, 4, 5))

    def _said(self) -> list[str]:
        left = [f"{c.name or 'a column without a name'} ({c.kind.value})" for c in self.unmeasured]
        unmeasured = [f"Not measured: {', '.join(left)}."] if left else []
        standard = self.unit == "standard deviations"
        unit = "in pooled standard deviations (sd)" if standard else "in their own unit, dates in days,"
        distances = (
            f"Distances: W1 {unit} for numbers and dates, difference of shares for categories; "
            "p is adjusted for all of them by Holm."
        )
        few = [f"{n} in {name}" for n, name in zip(self.rows, self.names, strict=True) if n < FEW_ROWS]
        if few:
            distances += f" The intervals need more rows than {' and '.join(few)}; go by p."
        estimates = [str(found).splitlines()[0] for found in self.divergences.values()]
        if estimates:
            estimates = ["Divergences of the rows: " + "; ".join(estimates) + "."]
        return [self.verdict, self.extent, *estimates, *unmeasured, *self.notes, distances]

    def to_dict(self) -> dict[str, Any]:
        """Everything but the data, ready for JSON."""
        joint = self.joint
        return {
            "p": self.p_value,
            "changed": list(self.changed()),
            "distance": self.distance,
            "verdict": self.verdict,
            "rows": list(self.rows),
            "unit": self.unit,
            "columns": [change.to_dict() for change in self.changes],
            "joint": {
                "value": joint.value,
                "lower": joint.transport.lower,
                "upper": joint.transport.upper,
                "floor": joint.floor,
                "p_value": joint.p_value,
                "adjusted_p": self.joint_adjusted_p,
                "sampled": joint.sampled,
                "rows": [len(rows) for rows in joint.rows],
                "moved_rows": [list(arc) for arc in joint.moved_rows()],
            },
            "not_measured": {c.name: c.kind.value for c in self.unmeasured},
            "divergences": {name: found.to_dict() for name, found in self.divergences.items()},
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        return self.table().text(140)

    def _repr_html_(self) -> str:
        return self.table().html()
