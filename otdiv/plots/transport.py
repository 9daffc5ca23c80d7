"""Plans and potentials of a transport result, and KL, JS and W1 of two bars, drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from otdiv.core.validation import invalid
from otdiv.plots.style import BLUE, GREEN, GREY, ORANGE, figure
from otdiv.transport.result import TransportResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
    left.set(title="W1 shrinks with the distance", xlabel="θ", ylabel="W1")
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
        title="KL and JS jump at θ = 0 and are flat elsewhere",
        xlabel="θ",
        ylabel="divergence (nats)",
        ylim=(-0.06, top + 0.12),
    )
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
    left.set(title="Potentials: for a metric, one 1-Lipschitz function", xlabel="place", ylabel="potential")
    slack = np.maximum(result.problem.costs() - result.f[:, None] - result.g[None, :], 0)[np.ix_(ix, iy)]
    drawn = right.imshow(slack, origin="lower", cmap="Greys", aspect="auto")
    fig.colorbar(drawn, ax=right, label="slack  d − f − g  ≥ 0")
    rank_x, rank_y = np.argsort(ix), np.argsort(iy)
    right.plot(rank_y[result.plan.columns], rank_x[result.plan.rows], "o", color=ORANGE, ms=5)
    right.spines[["top", "right"]].set_visible(True)
    right.set(title="Mass (dots) moves only where the slack is 0", xlabel="y, in order", ylabel="x, in order")
    return fig
