"""Numbers drawn: lines over x, bars by name, and intervals, with what they are to be compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from otdiv.core.validation import check_choice, invalid
from otdiv.plots.style import BLUE, GREEN, GREY, ORANGE, RED, canvas, figure, legible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

_MARKED = 12
"""Lines of at most so many values show each of them as a dot; more dots hide the line."""
_NAMED = 24
"""Intervals up to which each is named beside the axis; more names would overlap."""
_SCALES = ("linear", "log")
_COLOURS = (BLUE, ORANGE, GREEN, RED, GREY)


def plot_lines(
    x: Any,
    lines: Mapping[str, Any],
    *,
    title: str = "",
    names: tuple[str, str] = ("x", ""),
    scales: tuple[str, str] = ("linear", "linear"),
    level: Mapping[str, float] | None = None,
    marks: Mapping[str, tuple[float, float]] | None = None,
    filled: str | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Lines over x, each named in the legend.

    Parameters
    ----------
    x : array_like [k]
    lines : mapping of array_like [k], or of pairs of array_like
        By name: the values over x, or (x, values) of a line that has an x of its own.
    title : str
    names : (str, str)
        Of the two axes.
    scales : (str, str)
        "linear" or "log", of the two axes.  At most 12 values of x are named each, where x is
        logarithmic or counts by ones.
    level : mapping of float, optional
        By name: heights to compare with, as dotted lines.
    marks : mapping of (float, float), optional
        By name: points that stand out.
    filled : str, optional
        Name of a line that is drawn as a grey area.
    ax : matplotlib Axes, optional
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InvalidInput
        A line that has not as many values as its x, or a name of ``filled`` that is none of the lines.
    """
    for scale in scales:
        check_choice("scales", scale, _SCALES)
    if filled is not None:
        check_choice("filled", filled, tuple(lines))
    fig, ax = canvas(ax, 6.4, 3.4)
    colours = iter(_COLOURS * (1 + len(lines) // len(_COLOURS)))
    for name, line in lines.items():
        along, values = _over(x, line, name)
        if name == filled:
            ax.fill_between(along, values, color=GREY, alpha=0.3, lw=0, label=name)
        else:
            marker = "o" if len(values) <= _MARKED else ""
            ax.plot(along, values, color=next(colours), marker=marker, ms=4, lw=1.8, label=name)
    for name, height in (level or {}).items():
        ax.axhline(height, color=GREY, lw=1.2, ls=":", label=name)
    for (name, place), colour in zip((marks or {}).items(), (GREY, ORANGE, GREEN, RED), strict=False):
        ax.plot(*place, "o", color=colour, ms=8, zorder=3, ls="", label=name)
    ax.set(xlabel=names[0], ylabel=names[1], xscale=scales[0], yscale=scales[1])
    ax.set_title(title, fontsize=10)
    whole = bool((np.diff(x) == 1).all())
    if (scales[0] == "log" or whole) and np.size(x) <= _MARKED:
        ax.set_xticks(np.asarray(x), [f"{value:g}" for value in np.asarray(x)])
        ax.minorticks_off()
    if scales[1] == "log":
        _plain_decades(ax.yaxis)
    ax.legend(fontsize=8, frameon=False)
    return fig


def plot_bars(
    panels: Mapping[str, Mapping[str, float]], *, level: Mapping[str, float] | None = None, unit: str = ""
) -> Figure:
    """Numbers by name as bars, each kind of number in a panel of its own with an axis of its own.

    Parameters
    ----------
    panels : mapping of mapping of float
        By title, and in each panel by name; the same names in all panels.
    level : mapping of float, optional
        By title of a panel: a number that its bars are to be compared with, a dotted line.
    unit : str
        Below the axes.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InvalidInput
        Panels with different names, or none.
    """
    rows = [list(panel) for panel in panels.values()]
    if not rows or not rows[0] or any(row != rows[0] for row in rows):
        raise invalid("panels", "have the same names in each panel, at least one", repr(rows), "Name what is missing.")
    fig, axes = figure(max(5.8, 3.3 * len(rows)), 1.1 + 0.36 * len(rows[0]), columns=len(rows))
    for ax, (title, panel) in zip(axes, panels.items(), strict=True):
        values = list(panel.values())
        drawn = ax.barh(range(len(values)), values, 0.62, color=BLUE)
        for text in ax.bar_label(drawn, [f"{value:.3g}" for value in values], padding=4, fontsize=8):
            legible(text)
        compared = (level or {}).get(title)
        if compared is not None:
            ax.axvline(compared, color=ORANGE, lw=1.5, ls=":")
        ax.set_yticks(range(len(values)), rows[0] if ax is axes[0] else [""] * len(values))
        ax.invert_yaxis()
        ax.margins(x=0.16)  # room for the number beside the longest bar
        ax.locator_params(axis="x", nbins=4)
        ax.set_title(title, fontsize=10)
        ax.set_xlabel(unit)
    return fig


def plot_intervals(
    intervals: Mapping[str, Sequence[float]], *, truth: float | None = None, title: str = "", name: str = ""
) -> Figure:
    """Intervals below one another, beside the truth: those that do not hold it stand out.

    Parameters
    ----------
    intervals : mapping of (lower, upper)
        By name, from above to below; more than 24 are drawn without names.
    truth : float, optional
        What they are about.
    title : str
    name : str
        Of the axis.

    Returns
    -------
    matplotlib.figure.Figure
    """
    count = len(intervals)
    fig, (ax,) = figure(6.8, 1.3 + (0.36 if count <= _NAMED else 0.045) * count)
    for level, (lower, upper) in enumerate(intervals.values()):
        holds = truth is None or lower <= truth <= upper
        ax.plot([lower, upper], [level, level], color=BLUE if holds else ORANGE, lw=3 if count <= _NAMED else 1.5)
        if count <= _NAMED:
            ax.plot([lower, upper], [level, level], "|", color=BLUE if holds else ORANGE, ms=12, mew=2)
    if truth is not None:
        ax.axvline(truth, color=GREY, lw=1, ls=":", zorder=0)
    ax.set_yticks(range(count) if count <= _NAMED else [], list(intervals) if count <= _NAMED else [])
    ax.set(ylim=(count - 0.4, -0.6), xlabel=name)
    ax.set_title(title, fontsize=10)
    return fig


def _over(x: Any, line: Any, name: str) -> tuple[Any, Any]:
    """The x and the values of a line."""
    along, values = line if isinstance(line, tuple) and len(line) == 2 else (x, line)
    along, values = np.asarray(along, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if along.ndim != 1 or along.shape != values.shape:
        shapes = f"{along.shape} and {values.shape}"
        raise invalid(
            f"lines[{name!r}]", "have one value for each x", shapes, "Give (x, values) for a line of its own."
        )
    return along, values


def _plain_decades(axis: Axis) -> None:
    """Numbers such as 0.5 on a logarithmic axis of less than two decades, where powers of ten would be too few."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = axis.get_view_interval()
    if high < 100 * low:
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())
