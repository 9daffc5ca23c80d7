"""Blocks of work on the workers of a dask scheduler: the only file that knows it.

The work itself is a task of the scheduler, so that it comes back to life with the workers that held it; and a block
whose worker ends is given to another one by the scheduler.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from otdiv._version import __version__
from otdiv.core.validation import Array, invalid, optional_import
from otdiv.errors import MissingPackage, SolverFailed

CONNECT_SECONDS = 5.0
"""Seconds to wait for a scheduler and for its first worker; more bear with a slower start."""
ROUNDS_WITHOUT_PROGRESS = 3
"""How often in a row a scheduler may drop all of the work before it is given up."""
LOST_SECONDS = 30.0
"""Seconds without any worker after which the work is given up; more bear with a longer restart of all of them."""
_LOOK_SECONDS = 0.01
"""Seconds between two questions for finished blocks."""
_ENDED = ("error", "cancelled")
"""States of a block that will have no result."""
_LARGEST_GRAPH = "1TB"
"""Size of the measures from which dask would warn; they are sent once, so at no size."""
Block = dict[str, Array]


def run_on_scheduler(
    work: Callable[[int], Block], blocks: Sequence[int], scheduler: Any
) -> Iterator[tuple[int, Block]]:
    """Each block with its result, in the order in which they are done.

    Parameters
    ----------
    work : callable
        Of the number of a block; picklable.
    blocks : sequence of int
    scheduler : str or distributed.Client
        An address such as "tcp://127.0.0.1:8786", or a client, which stays open.

    Raises
    ------
    InvalidInput
        No scheduler answers there, it has no workers, or they have another version of otdiv.
    MissingPackage
        If distributed is not installed, here or on a worker.
    SolverFailed
        A block whose workers end again and again, no worker for half a minute, or a scheduler that ends.
    """
    distributed = optional_import("distributed", "A scheduler", "dask")
    dask = optional_import("dask", "A scheduler", "dask")
    with _connected(distributed, scheduler) as client, dask.config.set(_quiet()):
        _require_worker(client)
        left, rounds = list(blocks), 0
        while left:
            before = len(left)
            for block, result in _one_round(distributed, client, work, left):
                left.remove(block)
                yield block, result
            rounds = 0 if len(left) < before else rounds + 1
            if rounds >= ROUNDS_WITHOUT_PROGRESS:
                raise SolverFailed(f"the scheduler has dropped the work {rounds} times; {len(left)} blocks are left.")


def require_scheduler(scheduler: Any, workers: int | None) -> None:
    """Refuse what is neither an address nor a client, and one beside ``workers``.

    Raises
    ------
    InvalidInput
    """
    if scheduler is None:
        return
    if workers is not None:
        remedy = "A scheduler has workers of its own."
        raise invalid("workers", "be left out beside a scheduler", repr(workers), remedy)
    is_client = all(hasattr(scheduler, name) for name in ("submit", "scheduler_info", "cancel"))
    if not (isinstance(scheduler, str) or is_client):
        remedy = "For example 'tcp://127.0.0.1:8786', or distributed.Client()."
        raise invalid("scheduler", "be an address or a client of dask", type(scheduler).__name__, remedy)


@contextmanager
def _connected(distributed: Any, scheduler: Any) -> Iterator[Any]:
    """A client of the scheduler; closed at the end if it was opened here."""
    if not isinstance(scheduler, str):
        yield scheduler
        return
    try:
        client = distributed.Client(scheduler, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as problem:  # nothing answers; no address
        remedy = "Start one with 'dask scheduler' and workers with 'dask worker ADDRESS', or check the address."
        received = f"{scheduler!r} ({str(problem).splitlines()[0] if str(problem) else type(problem).__name__})"
        raise invalid("scheduler", "be the address of a dask scheduler that answers", received, remedy) from None
    try:
        yield client
    finally:
        client.close()


def _require_worker(client: Any) -> None:
    try:
        client.wait_for_workers(1, timeout=CONNECT_SECONDS)
    except TimeoutError:
        remedy = "Start some with 'dask worker ADDRESS'."
        raise invalid("scheduler", "have a worker", f"none in {CONNECT_SECONDS:g} s", remedy) from None


def _one_round(
    distributed: Any, client: Any, work: Callable[[int], Block], blocks: Sequence[int]
) -> Iterator[tuple[int, Block]]:
    """The blocks handed to the scheduler once; without those that it drops when workers end."""
    held = client.submit(_same, work, pure=False)
    futures = {client.submit(_block_of, held, block, __version__, pure=False): block for block in blocks}
    # results come in the background: to ask for one waits without end where its worker has left with it
    coming = distributed.as_completed(list(futures), loop=client.loop, with_results=True, raise_errors=False)
    running, alone = set(futures), _Alone(client)
    try:
        while running:
            batch = coming.next_batch(block=False) or [(future, None) for future in running if future.status in _ENDED]
            if not batch:
                alone.wait(len(running))
            for future, result in batch:
                if future not in running:
                    continue
                running.discard(future)
                if future.status == "error":
                    _raise_error_of(future)
                if isinstance(result, dict):  # not None or CancelledError, of one that was dropped
                    yield futures[future], result
    finally:  # also where the caller stops listening
        if client.status == "running":
            client.cancel([*futures, held])


class _Alone:
    """Waits for results, but not without workers for longer than LOST_SECONDS."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._since: float | None = None

    def wait(self, left: int) -> None:
        """Sleep for a moment, or raise that the ``left`` blocks will not come."""
        if self._client.status not in ("running", "connecting"):
            raise SolverFailed(f"the connection to the scheduler has ended; {left} blocks are left.")
        if self._client.status == "running" and self._client.scheduler_info().get("workers"):
            self._since = None
        elif self._since is None:
            self._since = time.monotonic()
        elif time.monotonic() - self._since > LOST_SECONDS:
            raise SolverFailed(f"the scheduler has had no worker for {LOST_SECONDS:g} s; {left} blocks are left.")
        time.sleep(_LOOK_SECONDS)


def _raise_error_of(future: Any) -> None:
    """Raise the error that a block has ended with."""
    from distributed.comm import CommClosedError
    from distributed.scheduler import KilledWorker

    try:
        future.result()
    except CommClosedError as problem:
        raise SolverFailed(f"the connection to the scheduler has ended ({problem}).") from None
    except KilledWorker as problem:
        raise SolverFailed(f"workers have ended again and again on one block ({problem}).") from None
    except ModuleNotFoundError as problem:
        raise MissingPackage(f"scheduler and workers need otdiv {__version__}: install it there ({problem}).") from None


def _quiet() -> dict[str, str]:
    return {"distributed.admin.large-graph-warning-threshold": _LARGEST_GRAPH}


def _same(work: Callable[[int], Block]) -> Callable[[int], Block]:
    return work


def _block_of(work: Callable[[int], Block], block: int, version: str) -> Block:
    """On a worker: the result of a block, if this is the version of the caller."""
    if version != __version__:
        remedy = "Install the same version everywhere."
        raise invalid("scheduler", f"have workers with otdiv {version}", f"otdiv {__version__}", remedy)
    return work(block)
