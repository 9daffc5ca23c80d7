"""A transport result of one's own data, drawn at any size: where the mass is, and where it goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from otdiv.core.validation import Array, check_choice, invalid
from otdiv.plots.style import BLUE, GREY, ORANGE, figure
from otdiv.transport.result import TransportResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SINGLE_ARROWS_UP_TO = 300
"""Arcs of a plan that are drawn one by one; of more, the mean displacement in cells of a grid."""
POINTS_UP_TO = 1500
"""Points that are drawn one by one; of more, their density."""
CELLS = 24
"""Cells of that grid along the longer side; more show finer currents and more noise."""
BINS = 60
"""Bins of a density along the longer side."""
_UNEVEN = 1e-3
"""Share of a step by which the lines of a grid may be out of place."""
_MANY_LINES = 20
"""Lines of a grid in a bin from which on one more in some does not show."""
MARGINALS_UP_TO = 12
"""Columns whose marginals are drawn, those that move most first."""


def plot_displacement(
    result: TransportResult,
    *,
    labels: tuple[str, str] = ("x", "y"),
    columns: Sequence[int | str] | None = None,
) -> Figure:
    """Both measures, and between them how the optimal plan moves the mass.

    On the line: the distribution functions, whose distance is W1 for the distance as cost, and the plan as a map.
    In the plane and beyond: the two measures and the displacement of two coordinates, axes of equal scale; small plans
    arc by arc, larger ones as the mean displacement T(x) - x, T(x_i) = sum_j plan_ij y_j / a_i, in cells of a grid.

    Parameters
    ----------
    result : TransportResult
        Of points, in any dimension and at any size.
    labels : (str, str)
        Names of the two measures.
    columns : (int or str, int or str), optional
        The two coordinates, by number or name; by default those that move most, in standard deviations of both
        measures together.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InvalidInput
        A result of a cost matrix, whose points are only labels; columns that are not there, or not two.
    """
    _require_points(result)
    if result.d == 1:
        return _plot_line(result, labels)
    names = _names(result)
    first, second = _two_columns(result, names, columns)
    x, y = result.problem.mu.points[:, [first, second]], result.problem.nu.points[:, [first, second]]
    a, b = result.problem.a, result.problem.b
    box = _box(x, y)
    (left, right), (bottom, top) = box
    fig, axes = figure(12.6, float(np.clip(3.6 * (top - bottom) / (right - left) + 1.2, 2.6, 6.5)), columns=3)
    for ax, points, weights, colour, label in ((axes[0], x, a, BLUE, labels[0]), (axes[2], y, b, ORANGE, labels[1])):
        _draw_measure(ax, points, weights, colour, box)
        ax.set_title(f"{label}: {len(points):,} points".replace(",", " "), fontsize=10)
    _draw_arrows(axes[1], result, x, y, box)
    for ax in axes:
        ax.set(xlim=box[0], ylim=box[1], aspect="equal", xlabel=names[first], ylabel=names[second])
    others = "" if result.d == 2 else f"; 2 of {result.d} coordinates"
    fig.suptitle(f"Optimal plan: cost {result.value:.6g}, gap {result.gap:.1e}{others}", fontsize=11)
    return fig


def plot_marginals(result: TransportResult, *, labels: tuple[str, str] = ("x", "y")) -> Figure:
    """The marginals of both measures side by side, one panel for each coordinate, those that move most first.

    A panel's title says how far the plan moves that coordinate: sum_ij plan_ij |x_i - y_j| / mass, in its own unit.

    Parameters
    ----------
    result : TransportResult
        Of points.
    labels : (str, str)
        Names of the two measures.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InvalidInput
        A result of a cost matrix, whose points are only labels.
    """
    _require_points(result)
    names, moved = _names(result), _moved(result)
    order = np.argsort(-moved / _spread(result), kind="stable")[:MARGINALS_UP_TO]
    across = min(4, len(order))
    down = -(-len(order) // across)
    from matplotlib.figure import Figure

    from otdiv.plots.style import SCREEN_DPI, png

    fig = Figure(figsize=(3.1 * across + 0.4, 2.4 * down + 0.5), layout="constrained")
    fig._repr_png_ = lambda: png(fig, SCREEN_DPI)  # type: ignore[attr-defined]
    panels = fig.subplots(down, across, squeeze=False).ravel()
    for ax, k in zip(panels, order, strict=False):
        _draw_marginals(ax, result, int(k), labels)
        ax.set_title(f"{names[k]}: moved by {moved[k]:.3g}", fontsize=9)
    for ax in panels[len(order) :]:
        ax.set_axis_off()
    panels[0].legend(frameon=False, fontsize=8)
    left_out = f", {len(order)} of {result.d} coordinates" if result.d > len(order) else ""
    fig.suptitle(f"Marginals{left_out}; the plan costs {result.value:.6g} in all", fontsize=10)
    return fig


def _require_points(result: TransportResult) -> None:
    if result.problem.cost.shape is not None:
        raise invalid(
            "result", "be about points", "a cost matrix", "Give the points to emd, or use plot_plan_and_slack."
        )


def _names(result: TransportResult) -> tuple[str, ...]:
    given = result.problem.mu.names or result.problem.nu.names
    return given or tuple(f"coordinate {k}" for k in range(result.d))


def _spread(result: TransportResult) -> Array:
    """Standard deviation of each coordinate over both measures together; 1 where there is none."""
    points = np.concatenate([result.problem.mu.points, result.problem.nu.points])
    weights = np.concatenate([result.problem.a, result.problem.b])
    centre = np.average(points, axis=0, weights=weights)
    spread = np.sqrt(np.average((points - centre) ** 2, axis=0, weights=weights))
    return np.where(spread > 0, spread, 1.0)


def _moved(result: TransportResult) -> Array:
    """Mean distance by which the plan moves each coordinate [d]."""
    plan, x, y = result.plan, result.problem.mu.points, result.problem.nu.points
    return plan.mass @ np.abs(y[plan.columns] - x[plan.rows]) / plan.mass.sum()


def _two_columns(result: TransportResult, names: tuple[str, ...], columns: Sequence[Any] | None) -> tuple[int, int]:
    if columns is None:
        if result.d == 2:
            return 0, 1
        most = np.argsort(-_moved(result) / _spread(result), kind="stable")[:2]
        return int(most.min()), int(most.max())
    if isinstance(columns, str) or len(columns) != 2 or columns[0] == columns[1]:
        raise invalid("columns", "name two coordinates", repr(columns), "For example columns=(0, 1).")
    found = []
    for column in columns:
        if isinstance(column, str):
            found.append(names.index(check_choice("columns", column, names)))
        elif isinstance(column, int | np.integer) and 0 <= column < result.d:
            found.append(int(column))
        else:
            raise invalid("columns", f"count from 0 to {result.d - 1}", repr(column), "Or give names.")
    return found[0], found[1]


def _box(x: Array, y: Array) -> tuple[tuple[float, float], tuple[float, float]]:
    """Limits that hold both measures with a margin, (low, high) along each axis."""
    low, high = np.minimum(x.min(axis=0), y.min(axis=0)), np.maximum(x.max(axis=0), y.max(axis=0))
    margin = 0.04 * max(float((high - low).max()), 1e-300)
    return (float(low[0] - margin), float(high[0] + margin)), (float(low[1] - margin), float(high[1] + margin))


def _draw_measure(ax: Axes, points: Array, weights: Array, colour: str, box: Any) -> None:
    if len(points) <= POINTS_UP_TO:
        size = 36.0 * weights / weights.max() * min(1.0, 12 / np.sqrt(len(points))) + 1.0
        ax.scatter(points[:, 0], points[:, 1], s=size, c=colour, lw=0, alpha=0.8)
        return
    from matplotlib.colors import LinearSegmentedColormap, PowerNorm

    bins = [_edges(points[:, axis], box[axis], count) for axis, count in enumerate(_bins(box, BINS))]
    density, *edges = np.histogram2d(points[:, 0], points[:, 1], bins=bins, weights=weights)
    shades = LinearSegmentedColormap.from_list("density", ["white", colour])
    ax.pcolormesh(*edges, density.T, cmap=shades, norm=PowerNorm(0.5, vmin=0))  # the root shows thin parts as well


def _bins(box: Any, most: int) -> list[int]:
    """Bins along both axes, about square, ``most`` along the longer side."""
    sides = np.array([high - low for low, high in box])
    return [max(1, round(most * side / sides.max())) for side in sides]


def _edges(values: Array, limits: tuple[float, float], count: int) -> Array:
    """Borders of about ``count`` bins; on a grid each is whole steps wide, so that all hold as many of its lines."""
    low, high = limits
    width, places = (high - low) / count, np.unique(values)
    gaps = np.diff(places)
    if len(gaps) > 0 and width / _MANY_LINES <= gaps.min() <= 2 * width:
        steps = round((places[-1] - places[0]) / gaps.min())
        step = (places[-1] - places[0]) / steps
        if np.abs(gaps / step - np.round(gaps / step)).max() <= _UNEVEN:
            wide = max(1, round(width / step))
            return np.asarray(places[0] + step * (wide * np.arange(steps // wide + 2) - 0.5))
    return np.linspace(low, high, count + 1)


def _draw_arrows(ax: Axes, result: TransportResult, x: Array, y: Array, box: Any) -> None:
    plan = result.plan
    if len(plan) <= SINGLE_ARROWS_UP_TO:
        start, gap, mass = x[plan.rows], y[plan.columns] - x[plan.rows], plan.mass
        title = f"Every arc of the plan ({len(plan)})"
    else:
        start, gap, mass = _mean_displacement(plan.rows, plan.columns, plan.mass, x, y, box)
        title = f"Mean displacement in {len(mass)} cells"
    shade = 0.25 + 0.75 * np.sqrt(mass / mass.max())
    ax.quiver(*start.T, *gap.T, angles="xy", scale_units="xy", scale=1, width=0.0035, color=GREY, alpha=shade)
    ax.plot(*start.T, ".", ms=2.5, color=BLUE)
    ax.set_title(title, fontsize=10)


def _mean_displacement(
    rows: Array, columns: Array, mass: Array, x: Array, y: Array, box: Any
) -> tuple[Array, Array, Array]:
    """Mean place, mean displacement and mass of the sources in each cell that holds any."""
    bins = _bins(box, CELLS)
    cell = np.zeros(len(rows), np.int64)
    for axis, ((low, high), count) in enumerate(zip(box, bins, strict=True)):
        at = np.clip(((x[rows, axis] - low) / (high - low) * count).astype(np.int64), 0, count - 1)
        cell = cell * count + at
    _, cell = np.unique(cell, return_inverse=True)
    total = np.bincount(cell, weights=mass)
    start, end = (
        np.stack([np.bincount(cell, weights=mass * points[:, axis]) / total for axis in (0, 1)], axis=1)
        for points in (x[rows], y[columns])
    )
    return start, end - start, total


def _plot_line(result: TransportResult, labels: tuple[str, str]) -> Figure:
    fig, (left, right) = figure(9.6, 4.0, columns=2)
    x, y = result.problem.mu.points[:, 0], result.problem.nu.points[:, 0]
    name = _names(result)[0]
    places = np.unique(np.concatenate([x, y]))
    shares = []
    for points, weights, colour, label in (
        (x, result.problem.a, BLUE, labels[0]),
        (y, result.problem.b, ORANGE, labels[1]),
    ):
        order = np.argsort(points, kind="stable")
        sums = np.concatenate([[0.0], np.cumsum(weights[order])]) / weights.sum()
        shares.append(sums[np.searchsorted(points[order], places, side="right")])
        left.step(places, shares[-1], where="post", color=colour, lw=1.6, label=label)
    left.fill_between(places, shares[0], shares[1], step="post", color=GREY, alpha=0.18, lw=0)
    left.legend(frameon=False, fontsize=9)
    left.set(title="Distribution functions; W1 is the area between", xlabel=name, ylabel="share of the mass")
    plan = result.plan
    order = np.argsort(x[plan.rows], kind="stable")
    start, end = x[plan.rows][order], y[plan.columns][order]
    right.plot([places[0], places[-1]], [places[0], places[-1]], color=GREY, lw=0.8, ls=":")
    right.plot(start, end, "." if len(plan) <= POINTS_UP_TO else "-", ms=4, lw=1.4, color=BLUE)
    right.set(
        title=f"Optimal plan: cost {result.value:.6g}, gap {result.gap:.1e}",
        xlabel=f"from ({labels[0]})",
        ylabel=f"to ({labels[1]})",
        aspect="equal",
    )
    return fig


def _draw_marginals(ax: Axes, result: TransportResult, k: int, labels: tuple[str, str]) -> None:
    x, y = result.problem.mu.points[:, k], result.problem.nu.points[:, k]
    low, high = min(x.min(), y.min()), max(x.max(), y.max())
    edges = np.linspace(low, high if high > low else low + 1.0, 41).tolist()
    for points, weights, colour, label in (
        (x, result.problem.a, BLUE, labels[0]),
        (y, result.problem.b, ORANGE, labels[1]),
    ):
        ax.hist(points, edges, weights=weights, histtype="stepfilled", color=colour, alpha=0.35, lw=0, label=label)
        ax.hist(points, edges, weights=weights, histtype="step", color=colour, lw=1.2)
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.set_yticks([])
    ax.tick_params(labelsize=8)
