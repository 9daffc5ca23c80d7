"""Kullback-Leibler, Jensen-Shannon and their relatives; energy distance and Kolmogorov-Smirnov."""

from otdiv.divergences.convex_generators import GENERATORS, ConvexGenerator, alpha_generator
from otdiv.divergences.energy_distance import energy_distance, kolmogorov_smirnov
from otdiv.divergences.f_divergences import f_divergence, optimal_critic, variational_bound
from otdiv.divergences.information import cross_entropy, entropy, kl_integrand, kl_integrand_nonnegative
from otdiv.divergences.joint import conditional_entropy, mutual_information
from otdiv.divergences.kl_js import jeffreys, js, js_distance, kl, kl_reverse
from otdiv.divergences.pmf import DivergenceValue
from otdiv.divergences.renyi_alpha import alpha_divergence, renyi
from otdiv.divergences.total_variation import (
    chi_square,
    chi_square_reverse,
    hellinger,
    hellinger_squared,
    total_variation,
)

__all__ = [
    "GENERATORS",
    "ConvexGenerator",
    "DivergenceValue",
    "alpha_divergence",
    "alpha_generator",
    "chi_square",
    "chi_square_reverse",
    "conditional_entropy",
    "cross_entropy",
    "energy_distance",
    "entropy",
    "f_divergence",
    "hellinger",
    "hellinger_squared",
    "jeffreys",
    "js",
    "js_distance",
    "kl",
    "kl_integrand",
    "kl_integrand_nonnegative",
    "kl_reverse",
    "kolmogorov_smirnov",
    "mutual_information",
    "optimal_critic",
    "renyi",
    "total_variation",
    "variational_bound",
]
