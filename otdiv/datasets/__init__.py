"""Distributions to try things on: pairs whose distance is known, and small real data."""

from otdiv.datasets.bundled import digits, wines
from otdiv.datasets.known_distances import embedded, funnels, identical, radial, shift, squares
from otdiv.datasets.known_pair import KnownPair, Sample
from otdiv.datasets.modal_data import MODAL_DATA, ModalData, modal_data
from otdiv.datasets.power_funnels import power_funnels

__all__ = [
    "MODAL_DATA",
    "KnownPair",
    "ModalData",
    "Sample",
    "digits",
    "embedded",
    "funnels",
    "identical",
    "modal_data",
    "power_funnels",
    "radial",
    "shift",
    "squares",
    "wines",
]
