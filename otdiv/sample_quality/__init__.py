"""How good generated samples are, measured on the samples alone, whatever produced them."""

from otdiv.sample_quality.modes import ModeCoverage, mode_coverage, mode_labels
from otdiv.sample_quality.neighbours import NeighbourMeasures, neighbour_measures
from otdiv.sample_quality.partial.fidelity import FidelityDiversity, MatchingCurve, fidelity_diversity
from otdiv.sample_quality.partial.views import ViewShare
from otdiv.sample_quality.proportions import Proportion

__all__ = [
    "FidelityDiversity",
    "MatchingCurve",
    "ModeCoverage",
    "NeighbourMeasures",
    "Proportion",
    "ViewShare",
    "fidelity_diversity",
    "mode_coverage",
    "mode_labels",
    "neighbour_measures",
]
