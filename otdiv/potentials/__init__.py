"""Potentials of a plan: transforms, extensions, gradients, and whether they are the only ones."""

from otdiv.potentials.c_transform import (
    LipschitzPotential,
    PotentialFunction,
    c_transform,
    double_transform,
    mcshane,
    to_lipschitz,
)
from otdiv.potentials.gradients import Gradients, gradients
from otdiv.potentials.uniqueness import Uniqueness, uniqueness

__all__ = [
    "Gradients",
    "LipschitzPotential",
    "PotentialFunction",
    "Uniqueness",
    "c_transform",
    "double_transform",
    "gradients",
    "mcshane",
    "to_lipschitz",
    "uniqueness",
]
