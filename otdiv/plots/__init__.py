"""Figures drawn from records; nothing is computed here."""

from otdiv.plots.transport import plot_plan, plot_potentials, plot_theta_sweep

__all__ = ["plot_plan", "plot_potentials", "plot_theta_sweep"]
