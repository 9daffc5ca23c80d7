"""What a child of :mod:`otdiv.processes.child` does: read one call, answer it, end."""

from __future__ import annotations

import os
import pickle
import sys
import threading
import time

_CHECK_PARENT_EVERY = 1.0
"""Seconds between two checks that the parent is alive."""


def serve() -> None:
    """Answer the call that stands on standard input, on standard output: (False, result) or (True, exception)."""
    answers = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)  # what a library prints is no answer
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    function, arguments = pickle.load(sys.stdin.buffer)  # written by our own parent
    try:
        answer = (False, function(*arguments))
    except Exception as error:  # handed to the parent
        answer = (True, error)
    answers.write(pickle.dumps(answer, protocol=pickle.HIGHEST_PROTOCOL))
    answers.close()
    os._exit(0)  # solvers' own threads need not be waited for


def _end_with(parent: int) -> None:
    """End this process when its parent has ended."""
    while os.getppid() == parent:
        time.sleep(_CHECK_PARENT_EVERY)
    os._exit(1)
