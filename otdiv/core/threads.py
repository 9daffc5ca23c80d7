"""How many threads may work at once, and calls made in one before their results are needed.

No result depends on the number of threads.
"""

from __future__ import annotations

import contextvars
import os
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from types import TracebackType
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

from otdiv.core.budget import Stopped, StopRequest
from otdiv.core.validation import invalid

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

T = TypeVar("T")

_SERIAL_BELOW = 512
"""Rows; below it starting threads costs more than it saves."""
_PARTS = 64
"""Most parts that rows are cut into: a matter of the rows alone, so that results have the same bits on any machine."""
_ROWS_PER_PART = 256
"""Fewest rows of a part."""
_HEARD_WITHIN = 0.1
"""Seconds after which an interrupt or the time limit is heard at the latest while other code runs."""
GRACE = 0.3
"""Seconds that work is given to hear that it shall stop."""
_LOADING = 5.0
"""Seconds that work is given until its compiled code is loaded, before that."""
_FILTERS = threading.RLock()
"""Held while the warning filters are changed."""


def count_threads(threads: int | None) -> int:
    """The number asked for; None is every processor that this process may use.

    Raises
    ------
    InvalidInput
        Not a positive integer.
    """
    if threads is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not (isinstance(threads, int | np.integer) and not isinstance(threads, bool) and threads >= 1):
        raise invalid("threads", "be a positive integer", repr(threads), "Leave it out to use all processors.")
    return int(threads)


@contextmanager
def without_warnings() -> Iterator[None]:
    """Ignore warnings inside the block, one thread at a time: Python's filters are of the whole process.

    Two threads that change and restore them in overlapping blocks would leave them changed.
    """
    with _FILTERS, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def limited_blas(threads: int = 1) -> Iterator[None]:
    """Matrix products of so many threads inside the block: on busy processors small ones take ten times as long on two.

    The limit is of the whole process while the block runs.
    """
    with _libraries_of(len(sys.modules)).limit(limits=threads, user_api="blas"):
        yield


@lru_cache(maxsize=1)
def _libraries_of(modules: int) -> ThreadpoolController:
    """The libraries that this process has loaded; they are sought again, in a millisecond, when modules were added."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def call_interruptibly(
    work: Callable[[], T],
    time_limit: float | None = None,
    interrupted: StopRequest | None = None,
    grace: float = GRACE,
) -> T:
    """work() in a thread of its own, while this one listens for Ctrl-C and keeps the time.

    Compiled code heeds neither; this thread does.  Work that cannot be stopped is left behind: it goes on until it
    ends by itself, and what it finds is dropped.

    Parameters
    ----------
    work : callable
        Shares nothing that is written to.
    time_limit : float, optional
        Seconds.
    interrupted : StopRequest, optional
        Set on Ctrl-C and past the limit, for work that heeds it.
    grace : float
        Seconds that such work, once it is running, is given to hear it; then it may take its time to end with what it
        has, until a second Ctrl-C.

    Returns
    -------
    object
        What ``work`` returned.

    Raises
    ------
    Stopped
        The time limit has passed.
    KeyboardInterrupt
        On Ctrl-C.
    """
    found: list[T] = []
    raised: list[BaseException] = []
    ended, context = threading.Event(), contextvars.copy_context()

    def run() -> None:
        try:
            found.append(context.run(work))
        except BaseException as error:  # raised below, in the caller's thread
            raised.append(error)
        finally:
            ended.set()

    threading.Thread(target=run, name="otdiv-compiled-call").start()
    try:
        if not _ends_within(time_limit, ended):
            raise Stopped("the time limit")
    except (Stopped, KeyboardInterrupt) as stop:
        if interrupted is None:
            raise
        interrupted.reason = str(stop) or "interrupted"
        interrupted.set()
        _ends_within(_LOADING, ended, interrupted.running)
        if not (_ends_within(grace, ended, interrupted.heard) and _ends_within(None, ended)):
            raise
    if raised:
        raise raised[0]
    return found[0]


def _ends_within(seconds: float | None, *events: threading.Event) -> bool:
    """Whether one of the events comes before so many seconds have passed; None: it is waited for."""
    last = float("inf") if seconds is None else time.monotonic() + seconds
    while not any(event.is_set() for event in events):
        left = last - time.monotonic()
        if left <= 0:
            return False
        events[0].wait(min(_HEARD_WITHIN, left))
    return True


def run_in_parts(
    work: Callable[[int, int], object], n: int, threads: int, interrupted: StopRequest | None = None
) -> None:
    """Call ``work(first, end)`` over consecutive parts of [0, n); compiled kernels release the interpreter lock.

    Raises
    ------
    Stopped
        Between two parts, where that is asked for.
    """
    parts = min(_PARTS, max(16, n // _ROWS_PER_PART))
    borders = np.linspace(0, n, parts + 1).astype(int)
    if n < _SERIAL_BELOW:
        work(0, n)
        return

    stopped = threading.Event()  # only one of the threads raises: it says so to the others

    def heeding(first: int, end: int) -> None:
        if interrupted is not None and interrupted.is_set() and not interrupted.heard.is_set():
            stopped.set()
            interrupted.heed()
        if not stopped.is_set():
            work(first, end)

    if threads == 1:
        for first, end in zip(borders[:-1], borders[1:], strict=True):
            heeding(first, end)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(heeding, borders[:-1], borders[1:]))


class CalledAhead(Generic[T]):
    """The results of ``count`` calls of a function, made one after the other in a thread, each before it is needed.

    Use it as a context, which ends the thread: on Ctrl-C at once, else when the call under way has ended, so that
    afterwards nothing calls the function, and without an error it has been called so often whatever the time it takes.

    Parameters
    ----------
    call : callable
        Its results are returned in order; what it raises is raised by :meth:`next`.
    count : int
        Calls in all.
    """

    def __init__(self, call: Callable[[], T], count: int) -> None:
        self._call, self._left = call, count
        self._waiting: Future[T] | None = None
        self._context = contextvars.copy_context()

    def __enter__(self) -> CalledAhead[T]:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="otdiv-ahead")
        self._order()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        interrupted = kind is not None and not issubclass(kind, Exception)
        self._thread.shutdown(wait=not interrupted, cancel_futures=kind is not None)

    @property
    def waiting(self) -> bool:
        """Whether there is a next result, or will be."""
        return self._waiting is not None

    def next(self) -> T:
        """The next result, when it is there; the call after it begins."""
        assert self._waiting is not None
        found = self._waiting.result()
        self._order()
        return found

    def _order(self) -> None:
        self._waiting = None
        if self._left > 0:
            self._left -= 1
            self._waiting = self._thread.submit(self._context.run, self._call)
