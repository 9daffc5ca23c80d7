"""How good generated samples are, measured on the samples alone, whatever produced them."""

from otdiv.sample_quality.judge import judge
from otdiv.sample_quality.memorisation import Memorisation, memorisation
from otdiv.sample_quality.mode_split import ModeSplit, split_by_modes
from otdiv.sample_quality.modes import ModeCoverage, mode_coverage, mode_labels
from otdiv.sample_quality.neighbours import NeighbourMeasures, neighbour_measures
from otdiv.sample_quality.partial.fidelity import FidelityDiversity, MatchingCurve, fidelity_diversity
from otdiv.sample_quality.partial.views import ViewShare
from otdiv.sample_quality.proportions import Proportion
from otdiv.sample_quality.real_floor import RealFloor
from otdiv.sample_quality.result import JudgeResult
from otdiv.sample_quality.scores import energy_auroc, mutual_information_bound

__all__ = [
    "FidelityDiversity",
    "JudgeResult",
    "MatchingCurve",
    "Memorisation",
    "ModeCoverage",
    "ModeSplit",
    "NeighbourMeasures",
    "Proportion",
    "RealFloor",
    "ViewShare",
    "energy_auroc",
    "fidelity_diversity",
    "judge",
    "memorisation",
    "mode_coverage",
    "mode_labels",
    "mutual_information_bound",
    "neighbour_measures",
    "split_by_modes",
]
