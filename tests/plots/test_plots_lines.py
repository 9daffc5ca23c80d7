"""Lines, bars and intervals draw the numbers that they are given, and refuse what does not fit together."""

from __future__ import annotations

import numpy as np
import pytest

from otdiv.errors import InvalidInput
from otdiv.plots import plot_bars, plot_curves, plot_intervals, plot_lagrangian, plot_lines, plot_plan_and_slack


def names_of(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_lines_levels_and_marks():
    x = np.arange(30.0)
    fig = plot_lines(
        x,
        {"data": x, "square": x**2, "own": ([0.0, 5.0], [1.0, 2.0])},
        title="T",
        names=("time", "height"),
        level={"limit": 7.0},
        marks={"best": (3.0, 4.0)},
        filled="data",
    )
    (ax,) = fig.axes
    fig.draw_without_rendering()
    assert names_of(ax) == ["data", "square", "own", "limit", "best"]
    square, own, limit, best = ax.lines
    assert square.get_ydata().tolist() == (x**2).tolist() and square.get_marker() == ""
    assert own.get_xdata().tolist() == [0, 5] and own.get_marker() == "o"
    assert list(limit.get_ydata()) == [7, 7] and (best.get_xdata()[0], best.get_ydata()[0]) == (3, 4)
    assert len(ax.collections) == 1, "the area"
    assert (ax.get_title(), ax.get_xlabel(), ax.get_ylabel()) == ("T", "time", "height")


def test_a_logarithmic_axis_names_its_values():
    fig = plot_lines([20, 40, 170], {"W1": [0.4, 0.5, 1.5]}, scales=("log", "log"))
    fig.draw_without_rendering()
    (ax,) = fig.axes
    assert [label.get_text() for label in ax.get_xticklabels()] == ["20", "40", "170"]
    low, high = ax.get_ylim()
    shown = [
        label.get_text() for label, at in zip(ax.get_yticklabels(), ax.get_yticks(), strict=True) if low < at < high
    ]
    assert shown == ["0.5", "1"]
    wide = plot_lines([1, 2], {"W1": [1e-6, 1.0]}, scales=("linear", "log"))
    wide.draw_without_rendering()
    assert "10^" in wide.axes[0].get_yticklabels()[2].get_text()


def test_lines_that_do_not_fit_are_refused():
    with pytest.raises(InvalidInput, match=r"lines\['a'\] must have one value for each x; got \(2,\) and \(3,\)"):
        plot_lines([0.0, 1.0], {"a": [1.0, 2.0, 3.0]})
    with pytest.raises(InvalidInput, match="filled must be"):
        plot_lines([0.0, 1.0], {"a": [1.0, 2.0]}, filled="b")
    with pytest.raises(InvalidInput, match="scales must be"):
        plot_lines([0.0, 1.0], {"a": [1.0, 2.0]}, scales=("linear", "square"))


def test_bars_have_a_panel_for_each_kind_of_number():
    panels = {"slope": {"clip": 1.7, "spectral": 1.0}, "share of W": {"clip": 0.9, "spectral": 0.7}}
    fig = plot_bars(panels, level={"share of W": 1.0})
    fig.draw_without_rendering()
    left, right = fig.axes
    assert [bar.get_width() for bar in left.patches] == [1.7, 1.0]
    assert [text.get_text() for text in right.texts] == ["0.9", "0.7"]
    assert [label.get_text() for label in left.get_yticklabels()] == ["clip", "spectral"]
    assert not left.lines and list(right.lines[0].get_xdata()) == [1, 1]
    for bad in ({}, {"a": {}}, {"a": {"x": 1.0}, "b": {"y": 1.0}}):
        with pytest.raises(InvalidInput, match="same names in each panel"):
            plot_bars(bad)


def test_an_interval_without_the_truth_stands_out():
    (ax,) = plot_intervals({"good": (0.0, 1.0), "bad": (2.0, 3.0)}, truth=0.7, name="distance").axes
    assert [label.get_text() for label in ax.get_yticklabels()] == ["good", "bad"]
    lines = [line for line in ax.lines if line.get_linestyle() == "-" and line.get_marker() == "None"]
    assert [list(line.get_xdata()) for line in lines] == [[0, 1], [2, 3]]
    assert lines[0].get_color() != lines[1].get_color()
    low, high = ax.get_ylim()
    assert high < 0 and low > 1, "the first and the last one are whole, the first above"
    many = plot_intervals({str(k): (0.0, 1.0 + k) for k in range(60)}).axes[0]
    assert len(many.lines) == 60 and not many.get_yticklabels()


def test_titles_of_the_duality_figures():
    mass = np.eye(2) / 2
    for drawn in (
        plot_plan_and_slack(mass, 1 - np.eye(2), title="A"),
        plot_lagrangian(np.arange(2.0), {"L": np.arange(2.0)}, title="A"),
        plot_curves(np.arange(2.0), {"f": np.arange(2.0)}, title="A"),
    ):
        assert drawn.axes[0].get_title() == "A"
