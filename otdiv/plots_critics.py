"""The audit of a critic, drawn.  Imports plots and the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from otdiv.critics.report import CriticReport
from otdiv.plots import BLUE, GREY, ORANGE, figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_audit(report: CriticReport) -> Figure:
    """Left: critic against exact potential at the points; right: gradient norms, which should be at most 1."""
    fig, axes = figure(9.4, 4.0, columns=2 if len(report.curves["gradient_norms"]) else 1)
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
        right.annotate("1", (1.0, 1.0), xycoords=("data", "axes fraction"), color=ORANGE, ha="center", va="bottom")
        right.set(title=f"|grad f|, largest found {report.gradient_max:.4g}", xlabel="|grad f|", ylabel="places")
    return fig
