"""Distances of transport between the distributions behind two samples."""

from otdiv.estimators.wasserstein.companions import CompanionDistances, companion_distances
from otdiv.estimators.wasserstein.distance import estimate_wasserstein

__all__ = ["CompanionDistances", "companion_distances", "estimate_wasserstein"]
