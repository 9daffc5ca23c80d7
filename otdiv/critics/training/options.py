"""How a critic is trained: everything that is not data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from otdiv.core.validation import check_choice, invalid
from otdiv.neural.constraints import CONSTRAINTS
from otdiv.neural.mlp import ACTIVATIONS


@dataclass(frozen=True)
class Options:
    """Everything that is not data; the first few as in :func:`otdiv.critics.fit`.

    Attributes
    ----------
    rate : float, optional
        First learning rate; None is that of the constraint.
    width, depth : int
        Hidden units (None is max(128, 2 d)) and hidden layers of a network of layers.
    groups, pieces : int
        Of a min-max network: so many groups of so many pieces, or one group of as many cones in all.
    activation : str
    clip : float
        Largest weight under "clipping".
    early_stop : bool
        Whether a plateau ends the run sooner.
    start : str
        "random"; for min-max also "exact", the exact potential of a small sample; "auto" tries both.
    """

    constraint: str
    device: str = "auto"
    seed: int = 0
    steps: int = 3000
    batch: int = 512
    time_limit: float | None = None
    rate: float | None = None
    penalty_weight: float = 10.0
    width: int | None = None
    depth: int = 3
    groups: int = 16
    pieces: int = 32
    activation: str = "relu"
    clip: float = 0.05
    early_stop: bool = True
    start: str = "auto"

    def __post_init__(self) -> None:
        check_choice("constraint", self.constraint, tuple(CONSTRAINTS))
        check_choice("activation", self.activation, tuple(ACTIVATIONS))
        check_choice("start", self.start, ("auto", *CONSTRAINTS[self.constraint].starts))
        for name in ("steps", "batch", "depth", "groups", "width"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, int | np.integer) and value >= 1):
                raise invalid(name, "be a positive integer", repr(value), "Leave it out for the default.")
        if not (isinstance(self.pieces, int) and self.pieces >= 4):
            raise invalid("pieces", "be an integer from 4", repr(self.pieces), "Two cones and two planes at least.")
        for name in ("time_limit", "rate", "penalty_weight", "clip"):
            value = getattr(self, name)
            if value is not None and not 0 < value < np.inf:
                raise invalid(name, "be a positive number", repr(value), "Leave it out for the default.")


def chosen_device(device: str) -> str:
    """ "auto": CUDA where torch sees it, else the CPU.

    Raises
    ------
    InvalidInput
        A device that torch does not have.
    """
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as problem:
        raise invalid(
            "device", "be auto or one that torch has", repr(device), f"Use 'cpu' ({str(problem).splitlines()[0]})."
        ) from None
    return device
