"""How good generated samples are, measured on the samples alone, whatever produced them."""

from otdiv.sample_quality.modes import ModeCoverage, mode_coverage, mode_labels
from otdiv.sample_quality.proportions import Proportion

__all__ = ["ModeCoverage", "Proportion", "mode_coverage", "mode_labels"]
