"""Distributions to try things on: pairs whose distance is known, and small real data."""

from otdiv.datasets.bundled import digits, wines
from otdiv.datasets.known_distances import embedded, funnels, identical, radial, shift, squares
from otdiv.datasets.known_pair import KnownPair, Sample

__all__ = ["KnownPair", "Sample", "digits", "embedded", "funnels", "identical", "radial", "shift", "squares", "wines"]
