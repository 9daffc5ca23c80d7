"""Generative adversarial networks: objectives on finite distributions, exactly."""

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

__all__ = [
    "EnergyOnLine",
    "InformationBound",
    "LogDIdentity",
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
    "log_d_identity",
    "log_partition",
    "marginal_discriminator_posterior",
    "marginal_generator_posterior",
    "non_saturating_loss",
    "non_saturating_slope",
    "optimal_discriminator",
    "optimal_gan_loss",
    "posterior_of_code",
    "posterior_real",
    "resampled_expectation",
    "sample_channel",
    "saturating_loss",
    "saturating_slope",
    "softmax_gradient",
]
