"""The style that all figures share."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


BLUE, ORANGE, GREEN, GREY = "#1f5fa8", "#d9730d", "#2a8c5a", "#6b6b6b"


def figure(width: float = 7.0, height: float = 4.2, columns: int = 1) -> tuple[Figure, list[Axes]]:
    """A figure with ``columns`` axes side by side, in the style of this package."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(width, height), layout="constrained")
    axes = fig.subplots(1, columns, squeeze=False)[0]
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
        ax.tick_params(labelsize=9)
    fig._repr_png_ = lambda: _png(fig)  # type: ignore[attr-defined]  # shows in a notebook without pyplot
    return fig, list(axes)


def _png(fig: Figure) -> bytes:
    stream = io.BytesIO()
    fig.savefig(stream, format="png", dpi=100)
    return stream.getvalue()
