"""A comparison of two tables as one self-contained page."""

from __future__ import annotations

from dataclasses import replace

from otdiv.core.text_tables import Table
from otdiv.drift import TableComparison
from otdiv.plots.drift import plot_changes, plot_column
from otdiv.report.html import Section, page

_MOST_PICTURES = 12
"""Columns that are drawn one by one."""


def drift_page(found: TableComparison) -> str:
    """The page: the answer, where it moved, the columns before and after, and the rows that moved furthest.

    Parameters
    ----------
    found : TableComparison

    Returns
    -------
    str
        HTML without references to anything outside.
    """
    first, second = found.names
    shown = [change for change in found.changes if change.name in found.changed()] or list(found.changes)
    pictures = [
        (f"{change.name} in {first} and {second}", plot_column(change, found.names))
        for change in shown[:_MOST_PICTURES]
    ]
    arcs = [(str(i), str(j), f"{100 * share:.2f} %") for i, j, share in found.joint.moved_rows(10)]
    moved = Table("", (f"row of {first}", f"row of {second}", "share of the joint distance"), arcs, (), (0, 1, 2))
    answer = found.table("")
    answer = replace(answer, notes=[note for note in answer.notes if note not in (found.verdict, found.extent)])
    drawn = "The columns that changed, the clearest first." if found.changed() else "No column changed by itself."
    return page(
        f"{first} against {second}",
        [
            Section(found.verdict, found.extent, [answer], [("distances", plot_changes(found))]),
            Section("Before and after", drawn, figures=pictures),
            Section("Rows that move furthest", "By the optimal plan; rows count from 0.", [moved]),
        ],
    )
