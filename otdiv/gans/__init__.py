"""Generative adversarial networks: objectives on finite distributions, exactly."""

from otdiv.gans.exact.discriminator import (
    gan_loss,
    gan_loss_logit_gradient,
    optimal_discriminator,
    optimal_gan_loss,
    posterior_real,
)
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

__all__ = [
    "LogDIdentity",
    "gan_loss",
    "gan_loss_logit_gradient",
    "kl_minus_2js",
    "log_d_identity",
    "non_saturating_loss",
    "non_saturating_slope",
    "optimal_discriminator",
    "optimal_gan_loss",
    "posterior_real",
    "saturating_loss",
    "saturating_slope",
    "softmax_gradient",
]
