"""Plans and potentials of a transport result, and KL, JS and W1 of two bars, drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from otdiv.core.validation import Array, invalid
from otdiv.plots.style import BLUE, GREEN, GREY, ORANGE, figure
from otdiv.transport.result import TransportResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from otdiv.core.progress import ProgressEvent

_FEW = 12
"""Places up to which each has its mark on the axis; more marks would overlap."""


def plot_theta_sweep(rows: Sequence[Mapping[str, float]]) -> Figure:
    """KL, JS and W1 of the two bars against theta.

    Parameters
    ----------
    rows : sequence of mappings with keys theta, kl, js, w1
        An infinite KL is drawn as arrows at the top.

    Returns
    -------
    matplotlib.figure.Figure
    """
    fig, (left, right) = figure(9, 3.8, columns=2)
    theta = np.array([row["theta"] for row in rows])
    w1, js, kl = (np.array([row[key] for row in rows]) for key in ("w1", "js", "kl"))
    left.plot(theta, w1, color=BLUE, lw=2)
    left.annotate("W1 = |θ|", (theta[-1], w1[-1]), xytext=(-8, -2), textcoords="offset points", color=BLUE, ha="right")
    left.set(xlabel="θ", ylabel="W1")
    left.set_title("W1 shrinks with the distance", fontsize=10)
    moved = theta != 0
    jump = ~moved
    right.plot(np.where(jump, np.nan, theta), np.where(jump, np.nan, js), color=ORANGE, lw=2)
    right.plot(theta[jump], js[jump], "o", color=ORANGE, ms=6)
    right.annotate(
        "JS = log 2", (theta[-1], math.log(2)), xytext=(0, 6), textcoords="offset points", color=ORANGE, ha="right"
    )
    top = 1.25
    infinite = np.isinf(kl)
    right.plot(theta[infinite], np.full(int(infinite.sum()), top), "^", color=GREEN, ms=4)
    right.annotate("KL = ∞", (theta[-1], top), xytext=(0, -14), textcoords="offset points", color=GREEN, ha="right")
    right.plot(theta[~infinite], kl[~infinite], "s", color=GREEN, ms=4)
    right.annotate("θ = 0: both are 0", (0, 0), xytext=(10, 4), textcoords="offset points", color=GREY)
    right.set(
        xlabel="θ",
        ylabel="divergence (nats)",
        ylim=(-0.06, top + 0.12),
    )
    right.set_title("KL and JS jump at θ = 0 and are flat elsewhere", fontsize=10)
    return fig


def plot_plan(
    result: TransportResult, *, labels: tuple[str, str] = ("x", "y"), axes_names: tuple[str, str] | None = None
) -> Figure:
    """The transport plan: lines between points of the plane, or the plan matrix for points of the line.

    Parameters
    ----------
    result : TransportResult
        Of points in one or two dimensions.
    labels : (str, str)
        Names of the two measures.
    axes_names : (str, str), optional
        Names of the two coordinates.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InvalidInput
        For points in more than two dimensions, which have no faithful picture here.
    """
    if result.d == 1:
        return _plot_plan_matrix(result, labels)
    if result.d > 2:
        raise invalid(
            "result",
            "be about points of the line or the plane to be drawn",
            f"d = {result.d}",
            "Draw two coordinates of your choice.",
        )
    fig, (ax,) = figure(6.4, 5.2)
    from matplotlib.collections import LineCollection

    plan, x, y = result.plan, result.problem.mu.points, result.problem.nu.points
    segments = np.stack([x[plan.rows], y[plan.columns]], axis=1)
    widths = 0.4 + 2.2 * plan.mass / plan.mass.max()
    ax.add_collection(LineCollection(segments.tolist(), linewidths=widths.tolist(), colors=GREY, alpha=0.6, zorder=1))
    for points, weights, color, marker, label in (
        (x, result.problem.a, BLUE, "o", labels[0]),
        (y, result.problem.b, ORANGE, "s", labels[1]),
    ):
        size = 12 + 60 * weights / max(result.problem.a.max(), result.problem.b.max())
        ax.scatter(points[:, 0], points[:, 1], s=size * 0.5, c=color, marker=marker, label=label, zorder=2, lw=0)
    ax.legend(frameon=False, fontsize=9)
    names = axes_names or ("first coordinate", "second coordinate")
    ax.set(title=f"Optimal plan: cost {result.value:.6g}, gap {result.gap:.1e}", xlabel=names[0], ylabel=names[1])
    ax.set_aspect("equal", adjustable="datalim")  # lengths are costs, in whichever direction
    return fig


def _plot_plan_matrix(result: TransportResult, labels: tuple[str, str]) -> Figure:
    fig, (ax,) = figure(5.6, 4.6)
    x, y = result.problem.mu.points[:, 0], result.problem.nu.points[:, 0]
    plan = result.plan
    low, high = min(x.min(), y.min()), max(x.max(), y.max())
    ax.plot([low, high], [low, high], color=GREY, lw=0.8, ls=":", zorder=1)
    drawn = ax.scatter(
        y[plan.columns],
        x[plan.rows],
        s=20 + 260 * plan.mass / plan.mass.max(),
        c=plan.mass,
        cmap="Blues",
        vmin=0,
        edgecolors=BLUE,
        zorder=2,
    )
    fig.colorbar(drawn, ax=ax, label="mass moved")
    ax.set(title=f"Optimal plan: cost {result.value:.6g}", xlabel=f"to ({labels[1]})", ylabel=f"from ({labels[0]})")
    places = np.unique(np.concatenate([x, y]))
    if len(places) <= _FEW:
        ax.set(xticks=places, yticks=places)
    ax.margins(0.12)  # whole dots at the ends
    return fig


def plot_potentials(result: TransportResult) -> Figure:
    """The potentials on the line, and the constraint f + g <= d as the slack of every pair.

    Parameters
    ----------
    result : TransportResult
        Of points on the line.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InvalidInput
        For points that do not lie on the line.
    """
    if result.d != 1:
        raise invalid(
            "result", "be about points of the line", f"d = {result.d}", "Draw result.f and result.g yourself."
        )
    fig, (left, right) = figure(9.6, 3.9, columns=2)
    x, y = result.problem.mu.points[:, 0], result.problem.nu.points[:, 0]
    ix, iy = np.argsort(x), np.argsort(y)
    left.plot(x[ix], result.f[ix], "o-", color=BLUE, ms=4, label="f on x")
    left.plot(y[iy], -result.g[iy], "s--", color=ORANGE, ms=4, label="−g on y")
    left.legend(frameon=False, fontsize=9)
    left.set(xlabel="place", ylabel="potential")
    left.set_title("Potentials: for a metric, one 1-Lipschitz function", fontsize=10)
    slack = np.maximum(result.problem.costs() - result.f[:, None] - result.g[None, :], 0)[np.ix_(ix, iy)]
    drawn = right.imshow(slack, origin="lower", cmap="Greys", aspect="auto")
    fig.colorbar(drawn, ax=right, label="slack  d − f − g  ≥ 0")
    rank_x, rank_y = np.argsort(ix), np.argsort(iy)
    right.plot(rank_y[result.plan.columns], rank_x[result.plan.rows], "o", color=ORANGE, ms=5)
    right.spines[["top", "right"]].set_visible(True)
    right.set(xlabel="y, in order", ylabel="x, in order")
    right.set_title("Mass (dots) moves only where the slack is 0", fontsize=10)
    if max(slack.shape) <= _FEW:
        right.set(xticks=range(slack.shape[1]), yticks=range(slack.shape[0]))
    return fig


def plot_rounds(events: Sequence[ProgressEvent], value: float) -> Figure:
    """The interval of a solve while it runs, and its width from round to round.

    Parameters
    ----------
    events : sequence of ProgressEvent
        As ``progress=`` was given them; those whose interval is still unbounded are left out.
    value : float
        The distance in the end.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InvalidInput
        No event with a bounded interval.
    """
    known = [event for event in events if np.isfinite(event.lower) and np.isfinite(event.upper)]
    if not known:
        raise invalid("events", "hold one with a bounded interval", f"{len(events)} events", "Solve without a limit.")
    fig, (left, right) = figure(9.6, 3.6, columns=2)
    seconds, lower, upper = (np.array([getattr(e, key) for e in known]) for key in ("seconds", "lower", "upper"))
    left.fill_between(seconds, lower, upper, color=BLUE, alpha=0.25, lw=0)
    left.plot(seconds, lower, "o-", color=BLUE, ms=3, label="lower bound")
    left.plot(seconds, upper, "s-", color=ORANGE, ms=3, label="upper bound")
    left.axhline(value, color=GREY, lw=1, ls=":")
    left.legend(frameon=False, fontsize=9)
    left.set(title="The interval while it runs", xlabel="seconds", ylabel="distance")
    rounds = np.arange(1, len(known) + 1)
    right.semilogy(rounds, np.maximum(upper - lower, 1e-17 * value) / value, "o-", color=BLUE, ms=4)
    right.set(title="Its width falls from round to round", xlabel="round", ylabel="width / value")
    if len(known) <= _FEW:
        right.set_xticks(rounds)
    return fig


def plot_image_transport(first: Array, second: Array, result: TransportResult) -> Figure:
    """What has to move between two images, and the potential that proves the distance.

    Parameters
    ----------
    first, second : ndarray [rows, columns]
        The images, as `emd_images` was given them.
    result : TransportResult
        Its f has one value for each pixel.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InvalidInput
        Images that are not two-dimensional, of different shapes, or of another size than f.
    """
    if first.ndim != 2 or first.shape != second.shape or result.f.size != first.size:
        shapes = f"{first.shape}, {second.shape} and {result.f.size} values of f"
        raise invalid("first and second", "be images [rows, columns] of the result's size", shapes, "Solve these two.")
    fig, (left, right) = figure(9.6, 4.2, columns=2)
    difference = first / first.sum() - second / second.sum()
    span = float(np.abs(difference).max())
    potential = result.f.reshape(first.shape)
    left.imshow(difference, cmap="RdBu", vmin=-span, vmax=span)
    left.set_title("What has to go (blue), and where to (red)", fontsize=10)
    right.imshow(potential, cmap="viridis")
    right.contour(potential, levels=14, colors="white", linewidths=0.6, linestyles="solid")
    right.set_title("The potential: mass runs down its slope", fontsize=10)
    for ax in (left, right):
        ax.set(xticks=[], yticks=[])
        ax.spines[["top", "right"]].set_visible(True)
    return fig
