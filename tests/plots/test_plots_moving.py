"""A picture moves where ipywidgets is installed, and stands still with a sentence where it is not."""

from __future__ import annotations

import importlib.machinery
import sys
import types

import pytest

from otdiv.errors import InvalidInput
from otdiv.plots import moving, plot_lines


def picture(theta):
    return plot_lines([0.0, 1.0], {"line": [0.0, theta]})


def test_without_the_package_the_picture_stands_at_its_start(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    monkeypatch.setattr("otdiv.plots.sliders.find_spec", lambda name: None)
    fig = moving(picture, "theta", -1, 1, 0.5)
    assert fig.axes[0].lines[0].get_ydata().tolist() == [0, 0.5]
    assert "a slider moves theta here; it stands at 0.5" in capsys.readouterr().out


def test_with_the_package_the_slider_draws(monkeypatch):
    """Stands in for ipywidgets, which need not be installed: what it is given, and what it draws."""
    package = types.ModuleType("ipywidgets")
    package.__spec__ = importlib.machinery.ModuleSpec("ipywidgets", None)
    package.FloatSlider = lambda value, **options: types.SimpleNamespace(value=value, **options)
    package.interactive = lambda draw, **sliders: (draw, sliders)
    monkeypatch.setitem(sys.modules, "ipywidgets", package)
    draw, sliders = moving(picture, "angle", -1, 1, 0.5)
    slider = sliders["theta"]
    assert (slider.value, slider.min, slider.max, slider.step, slider.description) == (0.5, -1, 1, 0.05, "angle")
    assert draw(theta=slider.max).axes[0].lines[0].get_ydata().tolist() == [0, 1]


def test_a_start_outside_is_refused():
    with pytest.raises(InvalidInput, match="start must lie between low = -1 and high = 1; got 2"):
        moving(picture, "theta", -1, 1, 2)
