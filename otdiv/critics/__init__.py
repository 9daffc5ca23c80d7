"""Neural critics: what they estimate, and whether the estimate can be believed.

Importing this room does not import torch; training a critic does.
"""

from otdiv.critics.auditing.audit import audit
from otdiv.critics.auditing.report import CriticReport
from otdiv.critics.choice import ESTIMANDS, ConstraintChoice, select_constraint
from otdiv.critics.debias import Debiased, penalty_bias, remove_bias
from otdiv.critics.estimate import CriticEstimate, estimate, fit, load
from otdiv.critics.monitor import Monitor, TrainingStopped
from otdiv.critics.reading.builder import build_critic
from otdiv.critics.reading.layer_files import load_layers, save_layers
from otdiv.neural.constraint_names import CONSTRAINTS

__all__ = [
    "CONSTRAINTS",
    "ESTIMANDS",
    "ConstraintChoice",
    "CriticEstimate",
    "CriticReport",
    "Debiased",
    "Monitor",
    "TrainingStopped",
    "audit",
    "build_critic",
    "estimate",
    "fit",
    "load",
    "load_layers",
    "penalty_bias",
    "remove_bias",
    "save_layers",
    "select_constraint",
]
