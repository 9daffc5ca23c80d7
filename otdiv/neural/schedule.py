"""How long and how fast a training goes, and where it stands."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

REPORTS = 40
"""How often a run reports, saves itself and looks for a plateau, unless the schedule says otherwise."""


PATIENCE, PATIENCE_WITH_PENALTY = 5, 10
"""So many reports without a gain make a plateau; a penalty is known with noise only, which asks for more."""


COOLING = 5.0
"""On a plateau the schedule runs this much faster, so that learning rate and softness still end at 0."""


@dataclass(frozen=True)
class Schedule:
    """How long and how fast.

    Attributes
    ----------
    steps : int
        Most steps; fewer on a plateau.
    rate : float
        First learning rate; falls to 0 as a cosine.
    weight : float
        lambda, in units of the training.
    time_limit : float or None
        Seconds; the schedule is then run through in that time at the latest, and a seed no longer repeats a run.
    early_stop : bool
        Whether a plateau speeds the schedule up.
    reports : int
        How often progress is measured.
    """

    steps: int
    rate: float
    weight: float
    time_limit: float | None = None
    early_stop: bool = True
    reports: int = REPORTS


@dataclass(frozen=True)
class Progress:
    """Where a run stands; everything that a checkpoint keeps beside weights and generators."""

    step: int = 0
    progress: float = 0.0
    pace: float = 1.0
    seconds: float = 0.0
    best: float = -math.inf
    since_best: int = 0
    penalties: tuple[float, int] = (0.0, 0)
    history: list[tuple[int, float, float]] = field(default_factory=list)

    def after(self, penalty: float, seconds: float, schedule: Schedule) -> Progress:
        progress = self.progress + self.pace / schedule.steps
        if schedule.time_limit is not None:
            progress = max(progress, seconds / schedule.time_limit)
        if progress > 1 - 1e-9:
            progress = 1.0
        penalties = (self.penalties[0] + penalty, self.penalties[1] + 1)
        return replace(self, step=self.step + 1, progress=progress, seconds=seconds, penalties=penalties)

    def reported(self, value: float, early_stop: bool) -> Progress:
        entry = (self.step, value, self.penalties[0] / self.penalties[1])
        objective = entry[1] - entry[2]
        patience = PATIENCE if entry[2] == 0.0 else PATIENCE_WITH_PENALTY
        better = self.best == -math.inf or objective > self.best + 1e-4 * abs(self.best)
        since = 0 if better else self.since_best + 1
        pace = COOLING if early_stop and since >= patience else self.pace
        return replace(
            self,
            best=max(self.best, objective),
            since_best=since,
            pace=pace,
            penalties=(0.0, 0),
            history=[*self.history, entry],
        )
