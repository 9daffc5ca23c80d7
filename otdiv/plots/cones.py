"""Farkas' alternatives drawn: a cone in the plane, and a point inside or outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from otdiv.core.validation import Array, invalid
from otdiv.duality.farkas import FarkasAlternative
from otdiv.duality.nearest_point import NearestPoint
from otdiv.plots.style import BLUE, GREEN, GREY, ORANGE, RED, canvas, legible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot_alternative(
    A: Any, b: Any, answer: FarkasAlternative, *, reach: float = 4.0, ax: Axes | None = None
) -> Figure:
    """The cone of two-dimensional columns, b, and the witness.

    Case 1: the steps x_i a_i that lead to b.  Case 2: F, and the line h orthogonal to it with
    the cone on one side and b on the other.

    Parameters
    ----------
    A : array_like, shape [2, n]
    b : array_like, shape [2]
    answer : FarkasAlternative
    reach : float
        Half the width of the picture, in the unit of b.
    ax : matplotlib Axes, optional
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InvalidInput
        Columns that are not two-dimensional.
    """
    fig, ax, walls, _ = _draw_system(A, b, reach, ax)
    for wall in walls.T:
        length = float(np.hypot(*wall))
        if length > 0:
            end = wall / length * reach * 1.6
            ax.plot([0, end[0]], [0, end[1]], color=BLUE, lw=1, alpha=0.6)
    if answer.x is not None:
        place = np.zeros(2)
        for weight, wall in zip(answer.x, walls.T, strict=True):
            step = place + weight * wall
            ax.plot([place[0], step[0]], [place[1], step[1]], color=GREEN, lw=2, ls="--")
            place = step
        combination = " + ".join(f"{weight:.3g} a{i + 1}" for i, weight in enumerate(answer.x) if weight > 0)
        ax.set_title(f"(1) inside: b = {combination or '0'}", fontsize=10)
    elif answer.F is not None:
        F = answer.F / np.hypot(*answer.F)
        h = np.array([-F[1], F[0]])
        h = h if h @ walls.sum(axis=1) <= 0 else -h  # its label stands on the side without columns
        ax.plot(*(np.outer([-2 * reach, 2 * reach], h).T), color=GREY, lw=1.2, ls=":")
        name_x, name_y = 0.8 * reach * h - 0.06 * reach * F
        legible(ax.text(name_x, name_y, "h", color=GREY, ha="center", va="center"))
        _arrow(ax, (0, 0), 1.5 * F, RED, "F")
        ax.set_title("(2) outside: A'F ≤ 0 < b'F", fontsize=10)
    return fig


def plot_nearest_point(A: Any, b: Any, found: NearestPoint, *, reach: float = 4.0, ax: Axes | None = None) -> Figure:
    """The cone of two-dimensional columns, its point p nearest to b, and F = b - p, which turns away from every column.

    Parameters
    ----------
    A : array_like, shape [2, n]
    b : array_like, shape [2]
    found : NearestPoint
    reach : float
        Half the width of the picture, in the unit of b.
    ax : matplotlib Axes, optional
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InvalidInput
        Columns that are not two-dimensional.
    """
    fig, ax, _, target = _draw_system(A, b, reach, ax)
    point = np.array([float(value) for value in found.point])
    ax.plot(*point, "o", color=GREEN, ms=6)
    # on the side away from b, where no dashed line ends
    away = point - target if found.distance_squared else point
    _beside(ax, point, "p", GREEN, away)
    if not found.inside:
        ax.plot(*np.array([point, target]).T, color=RED, lw=1.2, ls="--")
        F = np.array([float(value) for value in found.F])
        _arrow(ax, (0, 0), F, RED, "F")
        circle = np.linspace(0, 2 * np.pi, 200)
        radius = float(np.hypot(*F))
        ax.plot(target[0] + radius * np.cos(circle), target[1] + radius * np.sin(circle), color=GREY, lw=0.8, ls=":")
    ax.set_title(f"distance {float(found.distance_squared) ** 0.5:.3g}, b'F = {found.distance_squared}", fontsize=10)
    return fig


def _draw_system(A: Any, b: Any, reach: float, ax: Axes | None) -> tuple[Figure, Axes, Array, Array]:
    """The cone of two-dimensional columns with its columns and b; figure, axes, columns and b as arrays."""
    walls, target = np.asarray(A, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if walls.ndim != 2 or walls.shape[0] != 2:
        raise invalid("A", "have shape [2, n] to be drawn", f"shape {walls.shape}", "A picture has two dimensions.")
    fig, ax = canvas(ax, 4.4, 4.4)
    _shade_cone(ax, walls, reach)
    for i, wall in enumerate(walls.T):
        _arrow(ax, (0, 0), wall, BLUE, f"a{i + 1}")
    _arrow(ax, (0, 0), target, ORANGE, "b")
    ax.plot(0, 0, "o", color="black", ms=3)
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    ax.tick_params(labelsize=8)
    return fig, ax, walls, target


def _shade_cone(ax: Axes, walls: Array, reach: float) -> None:
    """Shade all non-negative combinations of pairs of columns: together they are the cone."""
    far = 4 * reach
    units = [wall / np.hypot(*wall) for wall in walls.T if np.hypot(*wall) > 0]
    for i, u in enumerate(units):
        for v in units[i:]:
            if abs(u[0] * v[1] - u[1] * v[0]) > 1e-12:
                corners = np.array([[0, 0], far * u, far * (u + v), far * v])
                ax.fill(corners[:, 0], corners[:, 1], color=BLUE, alpha=0.10, lw=0)


def _arrow(ax: Axes, start: Any, vector: Array, colour: str, name: str) -> None:
    if np.hypot(*vector) > 0:
        ax.annotate("", xy=tuple(vector), xytext=start, arrowprops={"arrowstyle": "-|>", "color": colour, "lw": 2})
    _beside(ax, vector, name, colour)


def _beside(ax: Axes, place: Array, name: str, colour: str, side: Array | None = None) -> None:
    """A name beside a point, on the given side of it, else on that away from the origin."""
    side = place if side is None else side
    length = max(float(np.hypot(*side)), 1e-12)
    offset = tuple(11 * v / length for v in side)
    legible(
        ax.annotate(
            name, tuple(place), xytext=offset, textcoords="offset points", color=colour, ha="center", va="center"
        )
    )
