"""How long and how fast a training goes, and where it stands."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from otdiv.neural.network_spec import require_positive, require_positive_integer

REPORTS = 40
"""Reports of a training, each of which measures the value, saves a checkpoint and tests for a plateau.  More of
them find a plateau sooner and cost an evaluation each."""

PATIENCE, PATIENCE_WITH_PENALTY = 5, 10
"""Reports without a gain that make a plateau; higher values train longer.  A penalty is known with noise only,
which needs more of them."""

MINIMAL_GAIN = 1e-4
"""Relative increase of the best objective that counts as a gain; higher values stop sooner."""

COOLING = 5.0
"""Factor by which the schedule runs faster after a plateau, so that learning rate and softness still end at 0."""


@dataclass(frozen=True)
class Schedule:
    """How long and how fast.

    Attributes
    ----------
    steps : int
        Most steps; fewer on a plateau.
    rate : float
        First learning rate; falls to 0 as a cosine.
    time_limit : float or None
        Seconds; the schedule is then completed in that time at the latest, and a seed no longer repeats a run.
    early_stop : bool
        Whether a plateau speeds the schedule up.
    reports : int
        Number of times that progress is measured.
    """

    steps: int
    rate: float
    time_limit: float | None = None
    early_stop: bool = True
    reports: int = REPORTS

    def __post_init__(self) -> None:
        require_positive_integer("steps", self.steps)
        require_positive("rate", self.rate)
        require_positive("time_limit", self.time_limit)


@dataclass(frozen=True)
class TrainingState:
    """Where a training stands; everything that a checkpoint keeps beside weights and generators.

    Attributes
    ----------
    step : int
    share : float
        Share of the schedule that is done, 0 to 1.
    pace : float
        Steps of the schedule per step of the training; above 1 after a plateau.
    seconds : float
    best : float
        Largest objective, value - penalty, of all reports.
    since_best : int
        Reports since then.
    penalties : (float, int)
        Sum and number of penalties since the last report.
    history : list of (step, value, penalty)
        One entry for each report.
    """

    step: int = 0
    share: float = 0.0
    pace: float = 1.0
    seconds: float = 0.0
    best: float = -math.inf
    since_best: int = 0
    penalties: tuple[float, int] = (0.0, 0)
    history: list[tuple[int, float, float]] = field(default_factory=list)

    def advance(self, penalty: float, seconds: float, schedule: Schedule) -> TrainingState:
        """The state after one more step, which had this penalty and ended at ``seconds``."""
        share = self.share + self.pace / schedule.steps
        if schedule.time_limit is not None:
            share = max(share, seconds / schedule.time_limit)
        if share > 1 - 1e-9:
            share = 1.0
        penalties = (self.penalties[0] + penalty, self.penalties[1] + 1)
        return replace(self, step=self.step + 1, share=share, seconds=seconds, penalties=penalties)

    def record(self, value: float, early_stop: bool) -> TrainingState:
        """The state after a report of this value; a plateau raises the pace."""
        entry = (self.step, value, self.penalties[0] / self.penalties[1])
        objective = entry[1] - entry[2]
        patience = PATIENCE if entry[2] == 0.0 else PATIENCE_WITH_PENALTY
        better = self.best == -math.inf or objective > self.best + MINIMAL_GAIN * abs(self.best)
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


@dataclass(frozen=True, eq=False)
class TrainingRun:
    """How a training went.

    Attributes
    ----------
    history : list of (step, value, penalty)
        In units of the training.
    steps : int
    seconds : float
    stopped : str
        "schedule", "plateau" or "time limit".
    """

    history: list[tuple[int, float, float]]
    steps: int
    seconds: float
    stopped: str
