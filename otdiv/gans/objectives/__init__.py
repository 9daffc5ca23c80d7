"""Objectives on batches of what torch networks returned; importing this package imports torch."""

from otdiv.gans.objectives.losses import (
    critic_loss,
    discriminator_log_posterior,
    discriminator_loss,
    energy_loss,
    entropic_generator_loss,
    generator_log_posterior,
    gradient_penalty,
    information_bound,
    log_d_loss,
    log_prior,
    minimax_loss,
    shared_information,
    transport_loss,
    wasserstein_loss,
)

__all__ = [
    "critic_loss",
    "discriminator_log_posterior",
    "discriminator_loss",
    "energy_loss",
    "entropic_generator_loss",
    "generator_log_posterior",
    "gradient_penalty",
    "information_bound",
    "log_d_loss",
    "log_prior",
    "minimax_loss",
    "shared_information",
    "transport_loss",
    "wasserstein_loss",
]
