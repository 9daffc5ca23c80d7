"""How a transport problem is solved: limits, progress, device and threads, in one record."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from otdiv.core.budget import Budget, StopRequest
from otdiv.core.memory import BLOCK_ENTRIES
from otdiv.core.progress import Progress, ProgressEvent
from otdiv.core.threads import count_threads
from otdiv.core.validation import invalid

RTOL = 1e-9
"""Relative gap at which an answer counts as optimal."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """Sizes at which algorithms change.  Results are proved whatever they are; tests make them small.

    Attributes
    ----------
    coarsest_pairs : int
        Pairs of clusters; coarsening ends when there are no more than this many, and all of them are arcs.
        Smaller: more scales.
    pivots_per_batch : int
        Pivots of the network simplex between two checks of the time limit.  Smaller: stops sooner, slower.
    scans_per_batch : int
        Arcs scanned between two such checks.
    auction_scans : float
        Scans of each arc in one auction of a transportation problem before it is given up; about 200 are usual.
    auction_easy : float
        Scans of each arc; a second round of auctions is run only where the first one took fewer.
        Larger: more rounds.
    device_above : int
        Pairs; smaller searches over all pairs stay on the CPU even where a device was asked for.
    block_entries : int
        Entries of a matrix that are computed at a time.
    checkpoint_seconds : float
        Least time between two checkpoints.  Smaller: less is lost by a kill, more time goes into audits and files.
    clock : callable
        Seconds, for the time limit.
    """

    coarsest_pairs: int = 2**16
    pivots_per_batch: int = 5000
    scans_per_batch: int = 20_000_000
    auction_scans: float = 1500
    auction_easy: float = 50
    device_above: int = 2**18
    block_entries: int = BLOCK_ENTRIES
    checkpoint_seconds: float = 60.0
    clock: Callable[[], float] = time.monotonic


class Keeper(Protocol):
    """Keeps what a solve has found so far."""

    def due(self) -> bool:
        """Whether it is time again."""
        ...

    def keep(self, proposal: Any) -> None:
        """Keep a :class:`otdiv.problem.transport_problem.Proposal`."""
        ...


@dataclass(frozen=True, slots=True)
class SolverOptions:
    """Everything about a solve that is not the problem; passed to every method and to the auditor.

    Attributes
    ----------
    rtol : float
        Relative gap, (upper - lower) / value, at which the status is OPTIMAL.
    atol : float
        Absolute gap, in the unit of the answer, at which the status is OPTIMAL whatever the value; 0 for none.
    time_limit : float or None
        Seconds.
    memory_limit : float or None
        Bytes; None is what the machine has free.
    progress : bool or callable
        See :data:`otdiv.core.progress.Progress`.
    max_iter : int or None
        Pivots of POT's network simplex.
    device : str or torch.device
        See :func:`otdiv.core.devices.transport_device`.
    threads : int or None
        None is every processor that the process may use; no result depends on it.
    tuning : Tuning
    interrupted : StopRequest or None
        Set where the solve shall end with what it has.
    start : Proposal or None
        Plan and potentials of an earlier solve of the same problem, from which methods go on that can (multiscale);
        its relative gap is ``stats["gap"]``.
    keeper : Keeper or None
        Is offered plan and potentials from time to time, for a checkpoint.

    Raises
    ------
    InvalidInput
        A limit that is negative or no number.
    """

    rtol: float = RTOL
    time_limit: float | None = None
    memory_limit: float | None = None
    progress: Progress = False
    max_iter: int | None = None
    device: Any = "auto"
    threads: int | None = None
    atol: float = 0.0
    tuning: Tuning = Tuning()  # frozen, so that one may serve all
    interrupted: StopRequest | None = None
    start: Any = None
    keeper: Keeper | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.rtol < np.inf:
            raise invalid("rtol", "be a non-negative number", repr(self.rtol), "For example 1e-9.")
        if not 0 <= self.atol < np.inf:
            raise invalid("atol", "be a non-negative number", repr(self.atol), "In the unit of the answer.")
        if self.time_limit is not None and not self.time_limit >= 0:
            raise invalid(
                "time_limit", "be a number of seconds, at least 0", repr(self.time_limit), "Leave it out for no limit."
            )
        if self.max_iter is not None and self.max_iter < 1:
            raise invalid("max_iter", "be a positive integer", repr(self.max_iter), "Leave it out for no limit.")
        if self.threads is not None:
            count_threads(self.threads)

    def budget(self, stage: str, callback: Callable[[ProgressEvent], None] | None) -> Budget:
        """The clock of a method that starts now, which also hears the interrupt."""
        return Budget(stage, self.time_limit, callback, self.tuning.clock, self.interrupted)


DEFAULTS = SolverOptions()
"""The options where none are given."""
