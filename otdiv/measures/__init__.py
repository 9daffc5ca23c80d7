"""Discrete measures, and the files they are read from."""

from otdiv.measures.discrete import DiscreteMeasure
from otdiv.measures.files import read_measure
from otdiv.measures.support import binned, common_support

__all__ = ["DiscreteMeasure", "binned", "common_support", "read_measure"]
