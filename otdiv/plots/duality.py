"""Duality drawn: the squeeze of strong duality, slackness, the dual function, a game."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from otdiv.core.validation import Array, invalid
from otdiv.duality.strong_duality import StrongDuality
from otdiv.duality.zero_sum_games import GameSolution
from otdiv.plots.style import BLUE, GREEN, GREY, ORANGE, RED, canvas
from otdiv.transport.result import TransportResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot_strong_duality(proof: StrongDuality, *, ax: Axes | None = None) -> Figure:
    """The interval (z* - eps, z*] and the dual value F/alpha in it, for each eps.

    The vertical axis is the distance below z*; both axes are logarithmic, zero at the bottom.

    Parameters
    ----------
    proof : StrongDuality
    ax : matplotlib Axes, optional
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib.figure.Figure
    """
    fig, ax = canvas(ax)
    eps = np.array([float(step.eps) for step in proof.steps])
    below = np.array([abs(float(step.z_star - step.value)) for step in proof.steps])
    floor = eps.min() / 10
    order = np.argsort(eps)
    ax.fill_between(eps[order], floor, eps[order], color=BLUE, alpha=0.12, lw=0)
    ax.plot(eps[order], eps[order], color=BLUE, lw=1.5, ls="--")
    for kind, marker, colour in (("solver", "o", ORANGE), ("constructed", "s", GREEN)):
        which = np.array([step.certificate == kind for step in proof.steps])
        if which.any():
            label = "F/α found by a solver" if kind == "solver" else "F/α = F*, verified exactly"
            ax.plot(eps[which], np.maximum(below[which], floor), marker, color=colour, ms=6, label=label, clip_on=False)
    middle = eps[order][len(eps) // 2]
    ax.annotate("z* − ε", (middle, middle), xytext=(-6, 6), textcoords="offset points", color=BLUE, ha="right")
    ax.set(xscale="log", yscale="log", xlabel="ε", ylabel="z* − value (bottom: 0)", ylim=(floor, 3 * eps.max()))
    ax.set_title("b'F/α lies in (z* − ε, z*] for every ε", fontsize=10)
    ax.legend(fontsize=8, loc="upper left", frameon=False)
    return fig


def plot_squeeze(optimum: float, values: dict[float, list[float]], *, ax: Axes | None = None) -> Figure:
    """For each eps the interval (z* - eps, z*] in which the value of every certificate lies, and some of the values.

    Parameters
    ----------
    optimum : float
        z*.
    values : dict
        eps -> values b'F/alpha of some certificates at that eps.
    ax : matplotlib Axes, optional
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib.figure.Figure
    """
    fig, ax = canvas(ax)
    for level, (eps, reached) in enumerate(values.items()):
        ax.plot([optimum - eps, optimum], [level, level], color=BLUE, lw=2)
        ax.plot(optimum - eps, level, "o", color=BLUE, mfc="white", ms=7)  # open: z* - eps itself is not reached
        ax.plot(optimum, level, "o", color=BLUE, ms=7)
        ax.plot(reached, [level] * len(reached), "|", color=ORANGE, ms=12, mew=2)
    ax.axvline(optimum, color=GREY, lw=1, ls=":")
    ax.set_yticks(range(len(values)), [f"ε = {eps:g}" for eps in values])
    ax.set(ylim=(len(values) - 0.5, -0.5), xlabel="b'F/α")
    ax.set_title("Every certificate's value lies in (z* − ε, z*]: the interval closes on z*", fontsize=10)
    return fig


def plot_plan_and_slack(mass: Array, slack: Array, *, title: str = "", ax: Axes | None = None) -> Figure:
    """A plan beside its slack: where mass moves, the slack d - f - g must vanish.

    Parameters
    ----------
    mass : ndarray [n, m]
        The plan.
    slack : ndarray [n, m]
        d_ij - f_i - g_j >= 0.
    title : str
        Above the picture.
    ax : matplotlib Axes, optional
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib.figure.Figure
    """
    n, m = mass.shape
    fig, ax = canvas(ax, 1.2 + 1.1 * m, 1.2 + 0.9 * n)
    largest, widest = max(float(mass.max()), 1e-300), max(float(slack.max()), 1e-300)
    for i in range(n):
        for j in range(m):
            moved, open_ = float(mass[i, j]), float(slack[i, j])
            ax.add_patch(_box(j - 0.48, i - 0.48, 0.96, 0.47, BLUE, 0.85 * moved / largest))
            ax.add_patch(_box(j - 0.48, i - 0.01, 0.96, 0.49, ORANGE, 0.6 * max(open_, 0.0) / widest))
            ax.text(j, i - 0.24, f"γ = {moved:.2g}", ha="center", va="center", fontsize=8)
            ax.text(j, i + 0.24, f"slack {abs(open_):.2g}", ha="center", va="center", fontsize=8)
    ax.set(xlim=(-0.5, m - 0.5), ylim=(n - 0.5, -0.5), xticks=range(m), yticks=range(n), xlabel="to j", ylabel="from i")
    ax.tick_params(length=0)
    ax.set_title(title, fontsize=10)
    return fig


def plot_slackness(result: TransportResult, *, ax: Axes | None = None) -> Figure:
    """Plan and slack of a small transport result side by side; see :func:`plot_plan_and_slack`.

    Parameters
    ----------
    result : TransportResult
        Of at most 12 sources and 12 targets.
    ax : matplotlib Axes, optional
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InvalidInput
        More than 12 sources or targets: the cells could not be read.
    """
    if max(result.n, result.m) > 12:
        size = f"{result.n} and {result.m}"
        raise invalid(
            "result", "have at most 12 sources and targets to be drawn", size, "Use result.slackness_table()."
        )
    slack = result.problem.costs() - result.f[:, None] - result.g
    fig = plot_plan_and_slack(result.plan.toarray(), slack, ax=ax)
    (fig.axes[0] if ax is None else ax).set_title("mass moves only where the slack is 0", fontsize=10)
    return fig


def plot_lagrangian(distances: Array, values: dict[str, Array], *, title: str = "", ax: Axes | None = None) -> Figure:
    """The Lagrangian along rays.

    Parameters
    ----------
    distances : ndarray [k]
    values : dict of ndarray [k]
        By name: the Lagrangian at each distance, as `DualValue.along` or `lagrangian` give it.
    title : str
        Above the picture.
    ax : matplotlib Axes, optional
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib.figure.Figure
    """
    fig, ax = canvas(ax)
    for (name, line), colour in zip(values.items(), (RED, GREEN, BLUE, ORANGE), strict=False):
        ax.plot(distances, line, color=colour, lw=2, label=name)
    ax.axhline(0, color=GREY, lw=0.8)
    ax.set(xlabel="t, distance along one coordinate of x", ylabel="Lagrangian")
    ax.legend(fontsize=8, frameon=False, loc="lower left")
    ax.set_title(title, fontsize=10)
    return fig


def plot_game(solution: GameSolution, *, ax: Axes | None = None) -> Figure:
    """A game with two rows: the payoff against each column as x1 runs from 0 to 1, and the guaranteed payoff.

    Parameters
    ----------
    solution : GameSolution
    ax : matplotlib Axes, optional
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InvalidInput
        A game that does not have two rows.
    """
    payoff = solution.game.payoff
    if payoff.shape[0] != 2:
        raise invalid("the game", "have two rows to be drawn", f"shape {payoff.shape}", "Transpose it, or take a part.")
    fig, ax = canvas(ax)
    x1 = np.linspace(0, 1, 201)
    lines = np.outer(x1, payoff[0]) + np.outer(1 - x1, payoff[1])
    for j, colour in zip(range(payoff.shape[1]), (BLUE, GREEN, GREY, RED), strict=False):
        ax.plot(x1, lines[:, j], color=colour, lw=1.2)
        k, side = (20, "left") if lines[0, j] > lines[-1, j] else (180, "right")  # at the line's upper end
        place = (float(x1[k]), float(lines[k, j]))
        ax.annotate(f"column {j + 1}", place, xytext=(0, 8), textcoords="offset points", color=colour, ha=side)
    ax.plot(x1, lines.min(axis=1), color=ORANGE, lw=3, alpha=0.8)
    ax.plot(solution.x[0], solution.value, "o", color="black", ms=6)
    ax.set(xlabel="x1, how often row 1 is played", ylabel="payoff to the row player", xlim=(0, 1))
    name = f"value {solution.value:.3g} at x = ({solution.x[0]:.3g}, {solution.x[1]:.3g})"
    ax.set_title(f"{name}: the least of the lines, at its highest", fontsize=10)
    return fig


def plot_curves(places: Array, curves: dict[str, Array], *, title: str = "", ax: Axes | None = None) -> Figure:
    """Functions on points of the line.

    Parameters
    ----------
    places : ndarray [k]
    curves : dict of ndarray [k]
        By name: the values of a function at the places.
    title : str
        Above the picture.
    ax : matplotlib Axes, optional
        Where to draw; None makes a new figure.

    Returns
    -------
    matplotlib.figure.Figure
    """
    fig, ax = canvas(ax)
    widths = (6, 4, 2, 1)  # curves that coincide stay visible
    for (name, values), colour, width in zip(curves.items(), (BLUE, ORANGE, GREEN, RED), widths, strict=False):
        ax.plot(places, values, marker="o", color=colour, lw=width, ms=width + 3, label=name)
    ax.axhline(0, color=GREY, lw=0.8)
    ax.set(xlabel="x")
    ax.legend(fontsize=8, frameon=False)
    ax.set_title(title, fontsize=10)
    return fig


def _box(x: float, y: float, width: float, height: float, colour: str, alpha: float) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x, y), width, height, color=colour, alpha=alpha, lw=0)
