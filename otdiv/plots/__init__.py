"""Figures drawn from records; nothing is computed here.

Every ``plot_*`` function returns a matplotlib Figure that belongs to no window; those of one panel draw on
``ax`` where it is given.  matplotlib is imported inside the functions.
"""

from otdiv.plots.cones import plot_alternative, plot_nearest_point
from otdiv.plots.critics import plot_audit, plot_training
from otdiv.plots.drift import plot_changes, plot_column
from otdiv.plots.duality import (
    plot_curves,
    plot_game,
    plot_lagrangian,
    plot_plan_and_slack,
    plot_slackness,
    plot_squeeze,
    plot_strong_duality,
)
from otdiv.plots.gans import plot_gan, plot_gan_strip, save_gan_film
from otdiv.plots.samples import plot_matching_curves, plot_modes, plot_samples
from otdiv.plots.style import BLUE, GREEN, GREY, ORANGE, RED, figure, png
from otdiv.plots.transport import plot_plan, plot_potentials, plot_theta_sweep

__all__ = [
    "BLUE",
    "GREEN",
    "GREY",
    "ORANGE",
    "RED",
    "figure",
    "plot_alternative",
    "plot_audit",
    "plot_changes",
    "plot_column",
    "plot_curves",
    "plot_game",
    "plot_gan",
    "plot_gan_strip",
    "plot_lagrangian",
    "plot_matching_curves",
    "plot_modes",
    "plot_nearest_point",
    "plot_plan",
    "plot_plan_and_slack",
    "plot_potentials",
    "plot_samples",
    "plot_slackness",
    "plot_squeeze",
    "plot_strong_duality",
    "plot_theta_sweep",
    "plot_training",
    "png",
    "save_gan_film",
]
