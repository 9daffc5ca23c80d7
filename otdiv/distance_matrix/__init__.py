"""Distances between all pairs of many measures: computed once each, kept on disk as they come, resumed."""

from otdiv.distance_matrix.pairwise import pairwise
from otdiv.distance_matrix.result import PairwiseDistances

__all__ = ["PairwiseDistances", "pairwise"]
