"""Figures drawn from records; nothing is computed here.

Every ``plot_*`` function returns a matplotlib Figure that belongs to no window; those of one panel draw on
``ax`` where it is given.  matplotlib is imported inside the functions.
"""

import typing as _typing

from otdiv._lazy import lazy_names as _lazy_names

if _typing.TYPE_CHECKING:
    from otdiv.plots.cones import plot_alternative, plot_nearest_point
    from otdiv.plots.critics import plot_audit, plot_norm_balls, plot_training
    from otdiv.plots.displacement import plot_displacement, plot_marginals
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
    from otdiv.plots.lines import plot_bars, plot_intervals, plot_lines
    from otdiv.plots.samples import plot_matching_curves, plot_modes, plot_samples
    from otdiv.plots.sliders import moving
    from otdiv.plots.style import BLUE, GREEN, GREY, ORANGE, RED, figure, png
    from otdiv.plots.transport import (
        plot_image_transport,
        plot_plan,
        plot_potentials,
        plot_rounds,
        plot_theta_sweep,
    )

__all__ = [
    "BLUE",
    "GREEN",
    "GREY",
    "ORANGE",
    "RED",
    "figure",
    "moving",
    "plot_alternative",
    "plot_audit",
    "plot_bars",
    "plot_changes",
    "plot_column",
    "plot_curves",
    "plot_displacement",
    "plot_game",
    "plot_gan",
    "plot_gan_strip",
    "plot_image_transport",
    "plot_intervals",
    "plot_lagrangian",
    "plot_lines",
    "plot_marginals",
    "plot_matching_curves",
    "plot_modes",
    "plot_nearest_point",
    "plot_norm_balls",
    "plot_plan",
    "plot_plan_and_slack",
    "plot_potentials",
    "plot_rounds",
    "plot_samples",
    "plot_slackness",
    "plot_squeeze",
    "plot_strong_duality",
    "plot_theta_sweep",
    "plot_training",
    "png",
    "save_gan_film",
]
_MODULES = {
    "BLUE": "otdiv.plots.style",
    "GREEN": "otdiv.plots.style",
    "GREY": "otdiv.plots.style",
    "ORANGE": "otdiv.plots.style",
    "RED": "otdiv.plots.style",
    "figure": "otdiv.plots.style",
    "moving": "otdiv.plots.sliders",
    "plot_alternative": "otdiv.plots.cones",
    "plot_audit": "otdiv.plots.critics",
    "plot_bars": "otdiv.plots.lines",
    "plot_changes": "otdiv.plots.drift",
    "plot_column": "otdiv.plots.drift",
    "plot_curves": "otdiv.plots.duality",
    "plot_displacement": "otdiv.plots.displacement",
    "plot_game": "otdiv.plots.duality",
    "plot_gan": "otdiv.plots.gans",
    "plot_gan_strip": "otdiv.plots.gans",
    "plot_image_transport": "otdiv.plots.transport",
    "plot_intervals": "otdiv.plots.lines",
    "plot_lagrangian": "otdiv.plots.duality",
    "plot_lines": "otdiv.plots.lines",
    "plot_marginals": "otdiv.plots.displacement",
    "plot_matching_curves": "otdiv.plots.samples",
    "plot_modes": "otdiv.plots.samples",
    "plot_nearest_point": "otdiv.plots.cones",
    "plot_norm_balls": "otdiv.plots.critics",
    "plot_plan": "otdiv.plots.transport",
    "plot_plan_and_slack": "otdiv.plots.duality",
    "plot_potentials": "otdiv.plots.transport",
    "plot_rounds": "otdiv.plots.transport",
    "plot_samples": "otdiv.plots.samples",
    "plot_slackness": "otdiv.plots.duality",
    "plot_squeeze": "otdiv.plots.duality",
    "plot_strong_duality": "otdiv.plots.duality",
    "plot_theta_sweep": "otdiv.plots.transport",
    "plot_training": "otdiv.plots.critics",
    "png": "otdiv.plots.style",
    "save_gan_film": "otdiv.plots.gans",
}
"""Where each public name is defined; imported when it is first used."""
__getattr__, __dir__ = _lazy_names("otdiv.plots", _MODULES)
