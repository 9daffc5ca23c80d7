"""How good a generator's points are: exact W1 beside its floor, and the modes where they are known."""

from __future__ import annotations

from typing import Any

import numpy as np

from otdiv.core.validation import Array
from otdiv.datasets.modal_data import ModalData
from otdiv.gans.training.data import TrainingData
from otdiv.sample_quality import ModeCoverage, mode_coverage, mode_labels
from otdiv.transport.solve import emd

POINTS = 2000
"""Points of each side of the last exact W1."""
RUNNING_POINTS = 500
"""Points of each side of the running W1 while a training goes on."""
FAIR_SHARE = 0.25
"""Of its fair share, that a mode must hold to count as captured, where that share is at least ``FAIR_POINTS``."""
FAIR_POINTS = 100
"""Points; below it, with a thousand modes, one point captures a mode, as is usual for stacked digits."""
POINTS_PER_MODE = 25
"""Points of a mode, on average, over which modes are counted where there are many."""


def coverage(points: Array, modal: ModalData) -> ModeCoverage:
    """How points [n, d] are spread over known modes."""
    if modal.centres is not None:
        labels, high_quality = mode_labels(points, modal.centres, modal.sd)
    else:
        assert modal.classify is not None
        labels, high_quality = modal.classify(points), None
    least = FAIR_SHARE if len(points) / modal.modes >= FAIR_POINTS else 0.0
    return mode_coverage(labels, modal.modes, high_quality, least)


def mode_points(modal: ModalData) -> int:
    """Points over which modes are counted."""
    return max(POINTS, POINTS_PER_MODE * modal.modes)


def distance(points: Array, data: TrainingData, reference: Array) -> float:
    """Exact W1 of points [n, d] from the reference, in the data's unit."""
    return emd(points / data.unit, reference / data.unit).value


def judged(points: Array, data: TrainingData, seed: int) -> dict[str, Any]:
    """The measures of a generator's points [n, d] in own units.

    Parameters
    ----------
    points : ndarray [n, d]
    data : TrainingData
    seed : int
        Of the reference and of the real points that give the floor.

    Returns
    -------
    dict
        w1, w1_floor: exact, of points and of as many real points, from one reference.  With known modes also modes,
        of, high_quality (None where quality has no meaning), js, reverse_kl and their floors.
    """
    reference = data.reference(POINTS, np.random.default_rng([seed, 12]))
    real = data.fresh(min(POINTS, len(points)), np.random.default_rng([seed, 13]))
    found: dict[str, Any] = {}
    if data.modal is not None:
        modes = coverage(points, data.modal)
        quality = modes.high_quality
        found = {
            "modes": modes.modes_captured,
            "of": modes.of,
            "high_quality": None if quality is None else quality.value,
            "js": float(modes.js),
            "reverse_kl": float(modes.reverse_kl),
            "js_floor": modes.js_floor,
            "reverse_kl_floor": modes.reverse_kl_floor,
        }
    found["w1"] = distance(points[:POINTS], data, reference)
    found["w1_floor"] = distance(real, data, reference)
    return found
