"""Draws the pictures of README.md and docs/how-it-works.md from real solves: ``python docs/images/draw.py``."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from otdiv import DiscreteMeasure, TransportProblem, certify, emd
from otdiv.datasets.bundled import wine_tables
from otdiv.drift import compare_tables
from otdiv.network_flow.integer_masses import integer_masses
from otdiv.plots import plot_changes
from otdiv.plots.style import BLUE, GREEN, GREY, ORANGE, figure, save_figure
from otdiv.pricing.pricing import ordered
from otdiv.transport.methods.multiscale.scales import build_scales

FOLDER = Path(__file__).parent


def draw_multiscale() -> None:
    """The scales of two clouds with the optimal plan of each, and how many of all pairs are ever arcs."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=(1024, 2)) * [1.0, 0.5]
    y = rng.normal(size=(1024, 2)) * [0.5, 1.0] + [2.2, 0.6]
    x, y = x[ordered(x)], y[ordered(y)]
    a, b = integer_masses(np.full(1024, 1.0), np.full(1024, 1.0))
    scales = build_scales(x, y, a, b, 256)
    chosen = [scales[2], scales[1], scales[0]]
    fig, axes = figure(12.4, 4.1, columns=3)
    for ax, scale in zip(axes, chosen, strict=True):
        result = emd(scale.x, scale.y, scale.a / scale.a.sum(), scale.b / scale.b.sum())
        plan = result.plan
        shown = rng.permutation(len(plan))[:128]
        for k in shown:
            ax.plot(*np.stack([scale.x[plan.rows[k]], scale.y[plan.columns[k]]]).T, color=GREY, lw=0.7, zorder=1)
        size = 26 * (len(scales[2].x) / len(scale.x)) ** 0.5
        ax.scatter(*scale.x.T, s=size, c=BLUE, lw=0, zorder=2, label="sources")
        ax.scatter(*scale.y.T, s=size, c=ORANGE, marker="s", lw=0, zorder=2, label="targets")
        ax.set(
            title=f"{len(scale.x)} {'points' if scale is scales[0] else 'clusters'} a side: {result.value:.4f}",
            aspect="equal",
            xticks=[],
            yticks=[],
            xlim=(x[:, 0].min() - 0.2, y[:, 0].max() + 0.2),
            ylim=(y[:, 1].min() - 0.2, y[:, 1].max() + 0.2),
        )
        ax.spines[:].set_visible(False)
    axes[0].legend(frameon=False, fontsize=9, loc="upper left")
    fig.savefig(FOLDER / "multiscale.png", dpi=110)


def draw_audit() -> None:
    """A rough proposal and what the auditor makes of it: a feasible plan above, feasible potentials below."""
    x, y = np.array([0.0, 1.0, 2.5, 4.0]), np.array([0.5, 2.0, 3.0, 5.0])
    problem = TransportProblem(DiscreteMeasure(x), DiscreteMeasure(y), "sqeuclidean")
    rough = 0.25 * np.eye(4)
    rough[0, 0], rough[2, 1] = 0.15, 0.05
    f = np.zeros(4)
    proof, exact = certify(problem, rough, (f, None)), emd(x, y, cost="sqeuclidean")
    fig, (left, middle, right) = figure(12.4, 3.9, columns=3)
    for ax, plan, title in (
        (left, rough, "proposed plan: marginals are off"),
        (middle, proof.plan.toarray(), "repaired plan: its cost is an upper bound"),
    ):
        ax.imshow(plan, cmap="Blues", vmin=0, vmax=0.25)
        for i, j in np.ndindex(4, 4):
            if plan[i, j] > 0:
                color = "white" if plan[i, j] > 0.15 else "black"
                ax.text(j, i, f"{plan[i, j]:.3g}", ha="center", va="center", fontsize=9, color=color)
        sums = [f"{s:.3g}" for s in plan.sum(axis=1)]
        ax.set(title=title, xlabel="target", ylabel="source, with its row sum", xticks=range(4))
        ax.set_yticks(range(4), sums)
    low, high = proof.bounds.lower, proof.bounds.upper
    right.plot([low, high], [0, 0], color=GREEN, lw=7, solid_capstyle="butt")
    right.plot([exact.value] * 2, [-0.35, 0.35], color=ORANGE, lw=2)
    right.text(exact.value, 0.42, f"optimum {exact.value:.4g}", color=ORANGE, ha="center")
    right.text(low, -0.2, f"a·f + b·g\n= {low:.4g}", color=GREEN, ha="center", va="top")
    right.text(high, -0.2, f"Σ plan·cost\n= {high:.4g}", color=GREEN, ha="center", va="top")
    margin = 0.35 * (high - low)
    right.set(title="the interval that both prove", yticks=[], ylim=(-1, 1), xlim=(low - margin, high + margin))
    right.spines["left"].set_visible(False)
    fig.savefig(FOLDER / "audit.png", dpi=110)


def draw_changes() -> None:
    """The first picture of README.md: the distances of the columns of two tables."""
    with TemporaryDirectory() as folder:
        found = compare_tables(*wine_tables(Path(folder)))
    save_figure(plot_changes(found), FOLDER / "changes.png")


if __name__ == "__main__":
    draw_changes()
    draw_multiscale()
    draw_audit()
