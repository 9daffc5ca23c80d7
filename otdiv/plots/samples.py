"""Figures of generated samples: where the points lie, how much is matched at what distance, what the modes hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from otdiv.plots.style import BLUE, GREY, ORANGE, canvas, figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from otdiv.sample_quality import FidelityDiversity, JudgeResult, ModeCoverage

_MOST_POINTS = 2000
"""Points of each sample that are drawn; more make the picture larger and no clearer."""
_BINS = 40
"""Bars of a histogram, for points on the line."""


def plot_samples(result: JudgeResult, ax: Axes | None = None) -> Figure:
    """Real and generated points: a histogram on the line, else the plane in which real points vary most.

    Parameters
    ----------
    result : JudgeResult
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib.figure.Figure
    """
    fig, ax = canvas(ax, 5.4, 4.4)
    real, generated = result.points
    if real.shape[1] == 1:
        edges = np.histogram_bin_edges(np.concatenate([real[:, 0], generated[:, 0]]), _BINS)
        for points, name, colour in ((real, "real", BLUE), (generated, "generated", ORANGE)):
            ax.stairs(np.histogram(points[:, 0], edges)[0] / len(points), edges, color=colour, label=name)
        ax.set_ylabel("share of the points")
    else:
        axes, labels = np.eye(2), ("column 0", "column 1")
        if real.shape[1] > 2:
            axes = np.linalg.svd(real - real.mean(axis=0), full_matrices=False)[2][:2]
            labels = ("first principal component of real points", "second")
        for points, name, colour in ((real, "real", BLUE), (generated, "generated", ORANGE)):
            shown = points[:_MOST_POINTS] @ axes.T
            ax.plot(shown[:, 0], shown[:, 1], ".", color=colour, markersize=2.5, alpha=0.5, label=name)
        ax.set_xlabel(labels[0], fontsize=9)
        ax.set_ylabel(labels[1], fontsize=9)
    ax.legend(frameon=False, fontsize=8, markerscale=4)
    return fig


def plot_matching_curves(found: FidelityDiversity) -> Figure:
    """Share that can be matched by distance, for fidelity and for diversity, beside real points against real ones.

    Parameters
    ----------
    found : FidelityDiversity
        With its curves.

    Returns
    -------
    matplotlib.figure.Figure
    """
    fig, both = figure(8.0, 3.4, 2)
    sides = (("fidelity", found.fidelity_curve), ("diversity", found.diversity_curve))
    for ax, (name, curve) in zip(both, sides, strict=True):
        if curve is not None:
            ax.plot(curve.distance, curve.generated, "o-", color=ORANGE, markersize=3, label="generated")
            ax.plot(curve.distance, curve.real, "o-", color=BLUE, markersize=3, label="real points to real points")
            ax.legend(frameon=False, fontsize=8)
        ax.set_ylim(0, 1.03)
        ax.set_xlabel("within a distance of", fontsize=9)
        ax.set_title(f"{name}: share that can be matched", fontsize=9, loc="left")
    return fig


def plot_modes(found: ModeCoverage, ax: Axes | None = None) -> Figure:
    """Share of every mode with its interval, beside its weight.

    Parameters
    ----------
    found : ModeCoverage
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib.figure.Figure
    """
    fig, ax = canvas(ax, 7.0, 3.2)
    modes = np.arange(len(found.shares))
    reach = np.stack([found.shares - found.lower, found.upper - found.shares])
    ax.bar(modes, found.weights, 0.8, color=GREY, alpha=0.35, label="weight of the mode")
    ax.errorbar(modes, found.shares, yerr=reach, fmt="o", color=ORANGE, markersize=3, capsize=2, label="generated")
    ax.set_xlabel("mode", fontsize=9)
    ax.set_ylabel("share of the points", fontsize=9)
    ax.legend(frameon=False, fontsize=8)
    return fig
