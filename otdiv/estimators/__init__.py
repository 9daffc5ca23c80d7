"""Distances of the distributions behind two samples, each with an interval whose assumption is named."""

from otdiv.estimators.divergence import estimate_divergence, estimate_divergences
from otdiv.estimators.estimate import Estimate, LowerBound
from otdiv.estimators.lower_bounds import divergence_lower_bound
from otdiv.estimators.wasserstein import CompanionDistances, companion_distances, estimate_wasserstein

__all__ = [
    "CompanionDistances",
    "Estimate",
    "LowerBound",
    "companion_distances",
    "divergence_lower_bound",
    "estimate_divergence",
    "estimate_divergences",
    "estimate_wasserstein",
]
