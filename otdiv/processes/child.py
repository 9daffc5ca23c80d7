"""Call a function in a child process, so that Ctrl-C and the time limit end it at once.

Compiled code of other packages heeds neither signals nor a clock.  A thread that runs it can be left behind but not
ended, and goes on for as long as it takes; a process can be ended.  Starting one takes some tenths of a second.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any, TypeVar

from otdiv.core.budget import Stopped
from otdiv.errors import SolverFailed

T = TypeVar("T")
_SERVE = "from otdiv.processes.serving import serve; serve()"


def call_in_child(function: Callable[..., T], *arguments: Any, time_limit: float | None = None) -> T:
    """function(*arguments), in a child process that is ended on Ctrl-C, at the time limit, and with its parent.

    Where no process can be started the function is called here.

    Parameters
    ----------
    function : callable
        A function of a module, found there by name in the child.
    *arguments
        What pickles; the child works on copies.
    time_limit : float, optional
        Seconds.

    Returns
    -------
    object
        What the function returned.

    Raises
    ------
    Stopped
        The time limit has passed.
    KeyboardInterrupt
        On Ctrl-C.
    SolverFailed
        The child died, for want of memory for example.
    """
    request = pickle.dumps((function, arguments), protocol=pickle.HIGHEST_PROTOCOL)
    paths = os.pathsep.join(path for path in sys.path if path)
    child = _started(paths)
    if child is None:
        return function(*arguments)
    with child:
        try:
            answer, _ = child.communicate(request, time_limit)
        except subprocess.TimeoutExpired:
            raise Stopped("the time limit") from None
        finally:
            child.kill()
            child.wait()
    if not answer:
        raise SolverFailed(
            f"{function.__name__} must end with an answer; got a process that ended with exit code {child.returncode}. "
            "Is there memory enough? Try method='auto'."
        )
    raised, result = pickle.loads(answer)  # written by our own child a moment ago
    if raised:
        raise result
    return result


def _started(paths: str) -> subprocess.Popen[bytes] | None:
    """The child, or None on systems and in programs where Python cannot start another Python."""
    if not sys.executable or getattr(sys, "frozen", False):
        return None
    try:
        return subprocess.Popen(
            [sys.executable, "-c", _SERVE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": paths},
            start_new_session=True,  # Ctrl-C at a terminal goes to the parent alone
        )
    except OSError:  # no process may be started here: the call is made in this one
        return None
