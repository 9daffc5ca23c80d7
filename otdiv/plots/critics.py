"""The training and the audit of a critic, and the norms that bound its slope, drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from otdiv.core.validation import Array, invalid
from otdiv.critics.auditing.report import CriticReport
from otdiv.critics.result import CriticEstimate
from otdiv.lipschitz import dual_norm
from otdiv.plots.style import BLUE, GREEN, GREY, ORANGE, figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot_audit(report: CriticReport) -> Figure:
    """Critic against exact potential; gradient norms, at most 1 if all is well; in the plane rays with gradients.

    Parameters
    ----------
    report : CriticReport

    Returns
    -------
    matplotlib.figure.Figure
        One panel, and one more each where gradients and where rays of the plane are at hand.
    """
    rays = report.curves["rays"]
    flat = rays.shape[1] > 0 and rays.shape[2] == 2
    columns = 1 + bool(len(report.curves["gradient_norms"])) + flat
    fig, axes = figure((7.0, 9.4, 13.2)[columns - 1], 4.0, columns=columns)
    left = axes[0]
    exact = np.concatenate([report.curves["exact_fx"], report.curves["exact_fy"]])
    fx, fy = report.curves["fx"], report.curves["fy"]
    shift = float(np.median(np.concatenate([fx, fy]) - exact))
    left.plot(report.curves["exact_fx"], fx - shift, "o", color=BLUE, ms=4, label="x")
    left.plot(report.curves["exact_fy"], fy - shift, "s", color=ORANGE, ms=4, label="y")
    ends = [float(exact.min()), float(exact.max())]
    left.plot(ends, ends, color=GREY, lw=1, ls=":")
    left.legend(frameon=False, fontsize=9)
    left.set(
        title=f"{report.verdict.word}: V = {report.value:.4g}, exact {report.exact:.4g}",
        xlabel="exact potential",
        ylabel="critic (shifted)",
    )
    if len(axes) > 1:
        norms, right = report.curves["gradient_norms"], axes[1]
        # from 0, so that gradients that are all alike show as one bar
        right.hist(norms, bins=np.linspace(0, 1.1 * max(1.0, float(norms.max())), 45).tolist(), color=BLUE)
        right.axvline(1.0, color=ORANGE, lw=1.5)
        right.text(1.0, 0.99, " 1", transform=right.get_xaxis_transform(), color=ORANGE, ha="left", va="top")
        right.set(title=f"|grad f|, largest found {report.gradient_max:.4g}", xlabel="|grad f|", ylabel="points")
    if flat:
        _draw_rays(axes[2], rays, report.ray_cosine or 0.0)
    return fig


def _draw_rays(ax: Axes, rays: Array, cosine: float) -> None:
    """Rays of transport from x (dot) to y, and at one point of each -grad f, which at the optimum follows the ray."""
    starts, ends, points, gradients = rays
    for start, end in zip(starts, ends, strict=True):
        ax.plot(*np.stack([start, end]).T, color=GREY, lw=0.8, zorder=1)
    ax.plot(*starts.T, "o", color=GREY, ms=2.5, zorder=2)
    extent = float(np.ptp(np.concatenate([starts, ends]), axis=0).max())
    longest = max(float(np.linalg.norm(gradients, axis=1).max()), 1e-300)
    arrows = -gradients * (0.12 * extent / longest)
    ax.quiver(*points.T, *arrows.T, angles="xy", scale_units="xy", scale=1, color=ORANGE, width=0.005, zorder=3)
    tips = points + arrows  # arrows do not count for the limits by themselves
    ax.update_datalim(tips)
    ax.autoscale_view()
    ax.set_title(f"−grad f on the rays of transport: cosine {cosine:.3f}", fontsize=10)
    ax.set_aspect("equal", adjustable="datalim")


def plot_training(answer: CriticEstimate) -> Figure:
    """The critic's value while it was trained, inside the interval that it reached in the end.

    Parameters
    ----------
    answer : CriticEstimate
        Its interval is the band: proved for points, 95 % for distributions.  An interval without an upper end is
        drawn as its lower end.

    Returns
    -------
    matplotlib.figure.Figure
    """
    fig, (ax,) = figure(7.2, 4.0)
    steps, values, _ = (np.array(column) for column in zip(*answer.critic.history, strict=True))
    what = "proved interval" if answer.estimand == "empirical" else "95 % interval"
    finite = np.isfinite(answer.upper)
    ax.axhline(answer.lower, color=GREEN, lw=1)
    if finite:
        ax.axhspan(answer.lower, answer.upper, color=GREEN, alpha=0.15, lw=0, label=what)
        ax.axhline(answer.upper, color=GREEN, lw=1)
    else:
        ax.plot([], [], color=GREEN, lw=1, label="lower end of the " + what)
    ax.plot(steps, values, color=BLUE, lw=1.8, label="value as trained, on fixed points")
    if answer.exact is not None and answer.estimand == "empirical":
        ax.axhline(answer.exact, color=GREY, lw=1, ls=":", label="exact")
    ax.plot(steps[-1], answer.value, "o", color=ORANGE, ms=6, label="estimate", clip_on=False, zorder=3)
    ax.set_xlim(0, steps[-1])
    ax.legend(frameon=False, fontsize=9, loc="best")
    ax.set(
        title=f"{answer.verdict.word}: {answer.value:.5g}, {what} [{answer.lower:.5g}, {answer.upper:.5g}]",
        xlabel="step",
        ylabel="W1",
    )
    return fig


def plot_norm_balls(z: Array, orders: Sequence[float] = (1, 2, float("inf"))) -> Figure:
    """Unit balls of p-norms in the plane, and in each the point where z'x is largest: the dual norm of z.

    Parameters
    ----------
    z : ndarray [2]
        Not 0; its direction is drawn.
    orders : sequence of float
        p >= 1, or infinity.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InvalidInput
        A vector that is not of the plane, or 0.
    """
    if np.shape(z) != (2,) or not np.any(z):
        raise invalid("z", "be a vector of the plane, not 0", repr(z), "A picture has two dimensions.")
    fig, axes = figure(3.2 * len(orders), 3.4, columns=len(orders))
    angle = np.linspace(0, 2 * np.pi, 2001)
    circle = np.stack([np.cos(angle), np.sin(angle)])
    tip = 1.35 * np.asarray(z) / np.abs(z).max()
    for ax, p in zip(axes, orders, strict=True):
        ball, best = circle / np.linalg.norm(circle, ord=p, axis=0), dual_norm(z, p)
        ax.fill(*ball, color=BLUE, alpha=0.15, lw=0)
        ax.plot(*ball, color=BLUE)
        normal = np.array([-z[1], z[0]]) / np.hypot(*z)
        line = np.outer([-3, 3], normal) + best.at
        ax.plot(*line.T, color=ORANGE, lw=1, ls=":")
        ax.annotate("", tip, (0, 0), arrowprops={"arrowstyle": "-|>", "color": GREY})
        ax.annotate("z", tip, xytext=tuple(7 * np.sign(tip)), textcoords="offset points", color=GREY, ha="center")
        ax.plot(*best.at, "o", color=ORANGE, ms=8)
        ax.set(aspect="equal", xlim=(-1.7, 1.7), ylim=(-1.7, 1.7))
        ax.set_title(f"p = {'∞' if np.isinf(p) else format(p, 'g')}: dual norm {best.value:.4g}", fontsize=10)
    return fig
