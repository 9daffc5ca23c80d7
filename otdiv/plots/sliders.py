"""A picture with a slider, in notebooks where ipywidgets is installed."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from otdiv.core.validation import invalid

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_POSITIONS = 40
"""Steps of a slider from its low to its high end; more make it finer."""


def moving(draw: Callable[[float], Figure], name: str, low: float, high: float, start: float) -> Any:
    """A slider that draws anew wherever it stands; without ipywidgets, a sentence and the picture at its start.

    Parameters
    ----------
    draw : callable
        Number to figure.
    name : str
        Of the number, beside the slider.
    low, high : float
        Its ends.
    start : float
        Where it stands first.

    Returns
    -------
    ipywidgets.Widget or matplotlib.figure.Figure
        The last value of a notebook's cell, which shows it.

    Raises
    ------
    InvalidInput
        A start that does not lie between the ends.
    """
    if not low <= start <= high or low == high:
        raise invalid("start", f"lie between low = {low:g} and high = {high:g}", f"{start:g}", "Give low < high.")
    if find_spec("ipywidgets") is None:
        print(f"Where ipywidgets is installed a slider moves {name} here; it stands at {start:g}.")
        return draw(start)
    widgets = importlib.import_module("ipywidgets")
    slider = widgets.FloatSlider(start, min=low, max=high, step=(high - low) / _POSITIONS, description=name)
    return widgets.interactive(draw, **{draw.__code__.co_varnames[0]: slider})
