"""What all figures share: the palette, empty figures, and the PNG encoder."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from otdiv.files.writing import require_writable, write_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text


BLUE, ORANGE, GREEN, GREY, RED = "#1f5fa8", "#d9730d", "#2a8c5a", "#6b6b6b", "#b22222"
"""The figures' colours, as hexadecimal RGB."""
PICTURES = (".png", ".svg", ".pdf")
"""Endings of the figure files that can be written."""
SCREEN_DPI = 100
"""Pixels per inch of a figure in a notebook; more are sharper and make larger files."""


def figure(width: float = 7.0, height: float = 4.2, columns: int = 1) -> tuple[Figure, list[Axes]]:
    """A figure of ``width`` x ``height`` inches that belongs to no window, with ``columns`` axes side by side.

    Parameters
    ----------
    width, height : float
        In inches.
    columns : int
        Number of axes side by side.

    Returns
    -------
    matplotlib.figure.Figure, list of matplotlib Axes
    """
    from matplotlib.figure import Figure

    fig = Figure(figsize=(width, height), layout="constrained")
    axes = fig.subplots(1, columns, squeeze=False)[0]
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
        ax.tick_params(labelsize=9)
    fig._repr_png_ = lambda: png(fig, SCREEN_DPI)  # type: ignore[attr-defined]  # shows in a notebook without pyplot
    return fig, list(axes)


def canvas(ax: Axes | None, width: float = 6.4, height: float = 3.8) -> tuple[Figure, Axes]:
    """The axes to draw on and their figure: those given, or a new figure of one."""
    if ax is None:
        fig, (ax,) = figure(width, height)
        return fig, ax
    return ax.get_figure(root=True), ax  # type: ignore[return-value]


def legible(text: Text) -> None:
    """A white edge about the letters, so that no line strikes them out."""
    from matplotlib.patheffects import withStroke

    text.set_path_effects([withStroke(linewidth=3, foreground="white")])
    text.set_zorder(10)


def png(figure: Figure, dpi: int = 130) -> bytes:
    """A figure as the bytes of a PNG.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    dpi : int
        Pixels per inch.

    Returns
    -------
    bytes
    """
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=dpi)
    return stream.getvalue()


def save_figure(figure: Figure, path: str | Path, dpi: int = 150) -> None:
    """Write a figure whole or not at all; the name's ending (.png, .svg, .pdf) says in which format.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : str or Path
    dpi : int
        Pixels per inch of a PNG.

    Raises
    ------
    InvalidInput
        Another ending, or a file that cannot be written; an older one then stands as it was.
    """
    target, drawn = require_writable(path, "path", PICTURES), io.BytesIO()
    figure.savefig(drawn, format=target.suffix[1:].lower(), dpi=dpi)
    with write_whole(target) as stream:
        stream.write(drawn.getbuffer())
