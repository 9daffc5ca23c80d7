"""Figures of a comparison of tables: each column before and after, and the distance of every column."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from otdiv.drift import ColumnChange, Kind, TableComparison
from otdiv.plots.style import BLUE, GREY, ORANGE, canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BINS = 40
"""Bars of a histogram, over the middle 99 % of the values."""
_TITLE_WIDTH, _LONGEST_NAME = 72, 24
"""Characters of a line of a title; of the name of a column or level beside an axis."""
_MOST_LEVELS = 12
"""Levels of a category that are drawn, the most frequent first."""


def plot_column(change: ColumnChange, names: tuple[str, str] = ("before", "after"), ax: Axes | None = None) -> Figure:
    """One column before and after: shares of its values or levels.

    Parameters
    ----------
    change : ColumnChange
    names : tuple of str
        Of the tables.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib.figure.Figure
    """
    fig, ax = canvas(ax, 5.6, 2.8)
    column = change.column
    sides = [side[~np.isnan(side)] for side in (column.before, column.after)]
    if column.kind is Kind.CATEGORY:
        shown = min(len(column.levels), _MOST_LEVELS)
        for k, (side, name, colour) in enumerate(zip(sides, names, (BLUE, ORANGE), strict=True)):
            share = np.bincount(side.astype(int), minlength=len(column.levels))[:shown] / max(1, len(side))
            ax.barh(np.arange(shown) + 0.4 * k - 0.2, share, 0.38, color=colour, label=name)
        ax.set_yticks(np.arange(shown), [_short(level) for level in column.levels[:shown]])
        ax.invert_yaxis()
        ax.set_xlabel("share of the rows")
    else:
        low, high = np.quantile(np.concatenate(sides), (0.005, 0.995))
        edges = np.linspace(low, high if high > low else low + 1, _BINS + 1)
        for side, name, colour in zip(sides, names, (BLUE, ORANGE), strict=True):
            share = np.histogram(np.clip(side, edges[0], edges[-1]), edges)[0] / max(1, len(side))
            ax.stairs(share, edges, color=colour, fill=True, alpha=0.35)
            ax.stairs(share, edges, color=colour, label=name)
        ax.set_ylabel("share of the rows")
        if column.kind is Kind.DATE:
            ticks = np.linspace(edges[0], edges[-1], 4)
            ax.set_xticks(ticks, [str(np.datetime64(int(day), "D")) for day in ticks])
    ax.set_title(textwrap.fill(f"{change.name}: {change.sentence}", _TITLE_WIDTH), fontsize=9, loc="left")
    ax.legend(frameon=False, fontsize=8)
    return fig


def plot_changes(found: TableComparison, ax: Axes | None = None) -> Figure:
    """The distance of every column with its 95 % interval, and the floor that samples show without a change.

    Parameters
    ----------
    found : TableComparison
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib.figure.Figure
    """
    fig, ax = canvas(ax, 7.0, 1.2 + 0.28 * len(found.changes))
    for k, change in enumerate(found.changes):
        colour = ORANGE if change.name in found.changed() else GREY
        ax.plot([change.lower, change.upper], [k, k], color=colour, linewidth=2)
        ax.plot([change.distance], [k], "o", color=colour)
        ax.plot([change.floor], [k], "|", color=BLUE, markersize=9)
    ax.set_yticks(np.arange(len(found.changes)), [_short(change.name) for change in found.changes])
    ax.set_ylim(len(found.changes) - 0.5, -0.5)
    ax.set_xlim(left=0)
    ax.set_xlabel("distance in sd, or share of rows; | : the mean without a change", fontsize=9)
    return fig


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "\u2026"
