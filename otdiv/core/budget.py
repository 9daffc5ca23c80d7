"""The time that one solve may take, its reports and its counters."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from otdiv.core.progress import ProgressEvent


class Stopped(Exception):
    """The time limit has passed, or an interrupt has come; the message says which in a few words."""


class StopRequest(threading.Event):
    """Set where work in another thread shall end.

    Attributes
    ----------
    reason : str
        Why, in a few words.
    running : threading.Event
        Set by the work once its code is loaded and it minds the request.
    heard : threading.Event
        Set by the work once it ends with what it has.
    """

    def __init__(self) -> None:
        super().__init__()
        self.reason = "interrupted"
        self.running, self.heard = threading.Event(), threading.Event()

    def heed(self) -> None:
        """End the work where that is asked for, in the midst of a long part of it; what comes after goes on.

        Raises
        ------
        Stopped
        """
        if self.is_set() and not self.heard.is_set():
            self.heard.set()
            raise Stopped(self.reason)


class Budget:
    """Clock, callback and counters of one solve.

    Parameters
    ----------
    stage : str
        Name of the method, for the reports.
    time_limit : float or None
        Seconds from now on; None is no limit.
    callback : callable or None
        Called with each :class:`ProgressEvent`.
    clock : callable
        Seconds.
    interrupted : StopRequest, optional
        Set by another thread where the solve shall end.

    Attributes
    ----------
    stats : dict
        Counters that end in the result's ``stats``; ``stats["parts"]`` holds the seconds of each part of the work.
    """

    def __init__(
        self,
        stage: str,
        time_limit: float | None = None,
        callback: Callable[[ProgressEvent], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        interrupted: StopRequest | None = None,
    ) -> None:
        self.stage, self.callback, self.clock, self.interrupted = stage, callback, clock, interrupted
        self.started = clock()
        self.deadline = np.inf if time_limit is None else self.started + time_limit
        self.stats: dict[str, Any] = {"pivots": 0, "arcs": 0, "parts": {}}

    @property
    def seconds(self) -> float:
        """Since the start."""
        return self.clock() - self.started

    def require_time(self) -> None:
        """Stop where the time limit has passed, or on an interrupt.

        Raises
        ------
        Stopped
        """
        if self.interrupted is not None:
            self.interrupted.running.set()
        asked = self.interrupted is not None and self.interrupted.is_set()
        if not asked and self.clock() <= self.deadline:
            return
        if self.interrupted is not None:
            self.interrupted.heard.set()
        raise Stopped(self.interrupted.reason if asked and self.interrupted is not None else "the time limit")

    def finish(self) -> None:
        """No request stops what is left to do, which is to hand over what was found."""
        if self.interrupted is not None:
            self.interrupted.heard.set()

    def report(self, lower: float = -np.inf, upper: float = np.inf, **counts: float) -> None:
        """Report the interval reached and some counts."""
        if self.callback is not None:
            self.callback(ProgressEvent(self.stage, self.seconds, lower, upper, counts=counts))

    @contextmanager
    def timed(self, part: str) -> Iterator[None]:
        """Add the time spent inside to that part of the work."""
        started = time.perf_counter()
        try:
            yield
        finally:
            parts = self.stats["parts"]
            parts[part] = parts.get(part, 0.0) + time.perf_counter() - started
