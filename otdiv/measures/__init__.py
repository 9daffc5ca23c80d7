"""Discrete measures, and the files they are read from."""

from otdiv.measures.discrete import DiscreteMeasure, binned, common_support
from otdiv.measures.files import read_measure

__all__ = ["DiscreteMeasure", "binned", "common_support", "read_measure"]
