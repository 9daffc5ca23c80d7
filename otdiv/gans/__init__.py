"""Generative adversarial networks: their objectives on finite distributions, exactly, and the family, trained.

``train`` and what else needs torch is imported when it is first used; torch objectives are in
``otdiv.gans.objectives``.
"""

import typing as _typing
from importlib import import_module as _import_module

from otdiv.gans.exact.bayesian import (
    discriminator_posterior,
    generator_posterior,
    marginal_discriminator_posterior,
    marginal_generator_posterior,
)
from otdiv.gans.exact.discriminator import (
    gan_loss,
    gan_loss_logit_gradient,
    optimal_discriminator,
    optimal_gan_loss,
    posterior_real,
)
from otdiv.gans.exact.energy import EnergyOnLine, energy_on_line, free_energy, gibbs, log_partition
from otdiv.gans.exact.generator_losses import (
    LogDIdentity,
    kl_minus_2js,
    log_d_identity,
    non_saturating_loss,
    non_saturating_slope,
    saturating_loss,
    saturating_slope,
    softmax_gradient,
)
from otdiv.gans.exact.infogan import (
    InformationBound,
    infogan_objective,
    information_bound,
    joint_of_channel,
    posterior_of_code,
    resampled_expectation,
    sample_channel,
)
from otdiv.gans.model_names import ABOUT, MODELS, GanSettings

if _typing.TYPE_CHECKING:
    from otdiv.gans import objectives
    from otdiv.gans.fitted import FittedGenerator, load_generator
    from otdiv.gans.training.record import Snapshot, TrainingRecord
    from otdiv.gans.training.train import train, train_seeds

__all__ = [
    "ABOUT",
    "MODELS",
    "EnergyOnLine",
    "FittedGenerator",
    "GanSettings",
    "InformationBound",
    "LogDIdentity",
    "Snapshot",
    "TrainingRecord",
    "discriminator_posterior",
    "energy_on_line",
    "free_energy",
    "gan_loss",
    "gan_loss_logit_gradient",
    "generator_posterior",
    "gibbs",
    "infogan_objective",
    "information_bound",
    "joint_of_channel",
    "kl_minus_2js",
    "load_generator",
    "log_d_identity",
    "log_partition",
    "marginal_discriminator_posterior",
    "marginal_generator_posterior",
    "non_saturating_loss",
    "non_saturating_slope",
    "objectives",
    "optimal_discriminator",
    "optimal_gan_loss",
    "posterior_of_code",
    "posterior_real",
    "resampled_expectation",
    "sample_channel",
    "saturating_loss",
    "saturating_slope",
    "softmax_gradient",
    "train",
    "train_seeds",
]

_LAZY = {
    "FittedGenerator": "otdiv.gans.fitted",
    "Snapshot": "otdiv.gans.training.record",
    "TrainingRecord": "otdiv.gans.training.record",
    "load_generator": "otdiv.gans.fitted",
    "train": "otdiv.gans.training.train",
    "train_seeds": "otdiv.gans.training.train",
}
"""Where the names that need torch are defined."""


def __getattr__(name: str) -> _typing.Any:
    if name == "objectives":
        return _import_module("otdiv.gans.objectives")
    if name in _LAZY:
        return getattr(_import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'otdiv.gans' has no attribute {name!r}")
