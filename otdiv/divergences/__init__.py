"""Kullback-Leibler, Jensen-Shannon and their relatives, and the discriminator of a GAN.

Imports errors and measures.
"""

from otdiv.divergences.discrete import jeffreys, js, js_distance, kl, kl_reverse
from otdiv.divergences.discriminator import (
    gan_loss,
    gan_loss_logit_gradient,
    optimal_discriminator,
    optimal_gan_loss,
    posterior_real,
)
from otdiv.divergences.f_divergences import f_divergence, optimal_critic, variational_bound
from otdiv.divergences.generator_losses import (
    LogDIdentity,
    kl_minus_2js,
    log_d_identity,
    non_saturating_loss,
    non_saturating_slope,
    saturating_loss,
    saturating_slope,
    softmax_gradient,
)
from otdiv.divergences.generators import GENERATORS, Generator, alpha_generator
from otdiv.divergences.information import cross_entropy, entropy, kl_integrand, kl_integrand_nonnegative
from otdiv.divergences.orders import alpha_divergence, renyi
from otdiv.divergences.pmf import DivergenceValue
from otdiv.divergences.variation import (
    chi_square,
    chi_square_reverse,
    hellinger,
    hellinger_squared,
    total_variation,
)

__all__ = [
    "GENERATORS",
    "DivergenceValue",
    "Generator",
    "LogDIdentity",
    "alpha_divergence",
    "alpha_generator",
    "chi_square",
    "chi_square_reverse",
    "cross_entropy",
    "entropy",
    "f_divergence",
    "gan_loss",
    "gan_loss_logit_gradient",
    "hellinger",
    "hellinger_squared",
    "jeffreys",
    "js",
    "js_distance",
    "kl",
    "kl_integrand",
    "kl_integrand_nonnegative",
    "kl_minus_2js",
    "kl_reverse",
    "log_d_identity",
    "non_saturating_loss",
    "non_saturating_slope",
    "optimal_critic",
    "optimal_discriminator",
    "optimal_gan_loss",
    "posterior_real",
    "renyi",
    "saturating_loss",
    "saturating_slope",
    "softmax_gradient",
    "total_variation",
    "variational_bound",
]
