"""A critic that is a program runs in a process of its own, under limits of time and memory.

The process opens the file, and answers requests for values and gradients over
pipes.  Whatever it does - an endless loop, a size of 9**9**9**9, a crash - ends
in one sentence here.  That is no sandbox: a program can still read and write
files, so its author must be trusted.

A request is the letter v (values) or g (gradients), k and d as int64, and k d
float64.  An answer is the letter k and the float64 asked for, or e, a length as
int64 and a sentence in UTF-8.
"""

from __future__ import annotations

import contextlib
import os
import signal
import struct
import subprocess
import sys
import threading
import weakref
from pathlib import Path
from typing import IO

import numpy as np

from otdiv.core.memory import available_memory, row_blocks
from otdiv.core.validation import Array, invalid
from otdiv.errors import InvalidInput

SECONDS = 60.0
"""For opening the file, and for each block of points; what takes longer counts as endless."""
_ROWS_PER_REQUEST = 4096
_LONGEST_SENTENCE = 2000
_MEMORY_SHARE = 0.8
"""Of the memory that is free, which the process may take."""


class Program:
    """A critic file, opened in a process of its own that ends with this object.

    Parameters
    ----------
    path : Path
        TorchScript or an exported program whose author is trusted.
    d : int
        Dimension of the points.
    seconds : float
        Limit for opening it, and for each block of points.

    Raises
    ------
    InvalidInput
        It cannot be opened, as :func:`otdiv.critics.reading.module_file.load_module` says, or not within the limits.
    """

    def __init__(self, path: Path, d: int, seconds: float = SECONDS) -> None:
        self._name, self._seconds = path.name, seconds
        free = available_memory()
        limit = int(_MEMORY_SHARE * free) if np.isfinite(free) else -1
        command = [sys.executable, "-m", "otdiv.critics.reading.program_process", str(path), str(d), str(limit)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(entry or os.getcwd() for entry in sys.path)}
        self._process = subprocess.Popen(
            [*command, str(int(np.ceil(seconds)))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,  # an interrupt is for this process, which then ends the other
        )
        self._end = weakref.finalize(self, _end, self._process)
        self._receive(0, "opening it")

    def values(self, z: Array) -> Array:
        """f at the points z [k, d]: [k]."""
        return np.concatenate([self._ask(b"v", z[rows], 1) for rows in row_blocks(len(z), 1, _ROWS_PER_REQUEST)])

    def gradients(self, z: Array) -> Array:
        """grad f at the points z [k, d]: [k, d]."""
        d = z.shape[1]
        parts = [self._ask(b"g", z[rows], d) for rows in row_blocks(len(z), 1, _ROWS_PER_REQUEST)]
        return np.concatenate(parts).reshape(-1, d)

    def _ask(self, what: bytes, z: Array, entries: int) -> Array:
        pipe = self._process.stdin
        assert pipe is not None
        try:
            pipe.write(what + struct.pack("<qq", *z.shape) + np.ascontiguousarray(z, dtype="<f8").tobytes())
            pipe.flush()
        except (OSError, ValueError):  # the process has ended
            self._end()
            raise self._failed("a crash") from None
        return self._receive(len(z) * entries, f"evaluating {len(z)} points")

    def _receive(self, count: int, what: str) -> Array:
        pipe, late = self._process.stdout, threading.Event()
        assert pipe is not None

        def stop() -> None:
            late.set()
            _kill_group(self._process)

        timer = threading.Timer(self._seconds, stop)
        timer.start()
        try:
            answer = pipe.read(1)
            if answer == b"k":
                content = pipe.read(8 * count)
                if len(content) == 8 * count:
                    return np.frombuffer(content, dtype="<f8").astype(np.float64)
            elif answer == b"e":
                sentence = _sentence(pipe)
                self._end()
                raise InvalidInput(sentence)
        finally:
            timer.cancel()
        self._process.wait()
        self._end()
        if late.is_set() or self._process.returncode == -signal.SIGALRM:
            raise self._failed(f"no end of {what} within {self._seconds:g} s")
        raise self._failed(f"a crash while {what} (exit code {self._process.returncode}), or more memory than is free")

    def _failed(self, found: str) -> InvalidInput:
        return invalid(
            f"critic file {self._name}",
            "be a program that gives values",
            found,
            "Give its values at the points as two .npy files instead.",
        )


def _sentence(pipe: IO[bytes]) -> str:
    """The error that the process reports, whatever it really sends."""
    size = pipe.read(8)
    length = min(max(0, struct.unpack("<q", size)[0]), _LONGEST_SENTENCE) if len(size) == 8 else 0
    text = pipe.read(length).decode("utf-8", "replace")
    return "".join(c if c.isprintable() else " " for c in text)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """End the process and what it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (OSError, AttributeError):  # it has ended, or the system has no process groups
        process.kill()


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and close its pipes."""
    _kill_group(process)
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):  # what was still to be written goes nowhere
                pipe.close()
