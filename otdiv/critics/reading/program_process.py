"""The process in which a critic file that is a program runs, started by :mod:`otdiv.critics.reading.program`.

Its input and output are taken from the program, so that it can neither read
requests nor write answers by printing.
"""

from __future__ import annotations

import os
import signal
import struct
import sys
from pathlib import Path
from typing import IO

import numpy as np

from otdiv.core.validation import invalid
from otdiv.critics.reading.module_file import load_module
from otdiv.critics.reading.modules import critic_of_module
from otdiv.errors import OtdivError


def serve(path: Path, d: int, requests: IO[bytes], answers: IO[bytes], seconds: int) -> None:
    """Open the file, then answer requests until there are no more.

    Parameters
    ----------
    path : Path
    d : int
    requests, answers : binary streams
        See :mod:`otdiv.critics.reading.program`.
    seconds : int
        The system ends this process when opening or a request takes longer, even if its parent has died.
    """
    signal.alarm(seconds + 5)
    critic = critic_of_module(load_module(path, trust=True), d, f"file {path.name}")
    _send(answers, b"k")
    while True:
        signal.alarm(0)
        head = requests.read(17)
        if len(head) < 17:
            return
        signal.alarm(seconds + 5)
        k, columns = struct.unpack("<qq", head[1:])
        z = np.frombuffer(requests.read(8 * k * columns), dtype="<f8").reshape(k, columns)
        if head[:1] == b"g" and critic.gradients is None:
            remedy = "Give its values at the points as two .npy files instead."
            raise invalid("critic", "have gradients", "values without a graph of derivatives", remedy)
        found = critic.gradients(z) if head[:1] == b"g" and critic.gradients else critic.values(z)
        _send(answers, b"k" + np.ascontiguousarray(found, dtype="<f8").tobytes())


def _send(answers: IO[bytes], content: bytes) -> None:
    answers.write(content)
    answers.flush()


def _limit_memory(limit: int) -> None:
    if limit > 0:
        import resource  # not on every system

        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def main() -> None:
    """Serve; an error becomes the last answer."""
    path, d, limit, seconds = sys.argv[1:]
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1):
        os.dup2(nothing, descriptor)
    try:
        _limit_memory(int(limit))
        serve(Path(path), int(d), requests, answers, int(seconds))
    except OtdivError as problem:
        sentence = str(problem).encode()
        _send(answers, b"e" + struct.pack("<q", len(sentence)) + sentence)
    except Exception as problem:  # whatever a program raises is its answer
        sentence = f"critic file {Path(path).name} must give values; got an error ({type(problem).__name__}).".encode()
        _send(answers, b"e" + struct.pack("<q", len(sentence)) + sentence)


if __name__ == "__main__":
    main()
