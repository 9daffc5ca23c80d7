"""Calls in a child process: what they answer, and that they end."""

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from otdiv.core.budget import Stopped
from otdiv.core.validation import InvalidInput
from otdiv.errors import SolverFailed
from otdiv.processes.child import call_in_child


def test_the_answer_is_that_of_the_function():
    a = np.arange(6.0).reshape(2, 3)
    assert np.array_equal(call_in_child(np.transpose, a), a.T)


def test_an_error_is_raised_here():
    from otdiv.core.validation import check_choice

    with pytest.raises(InvalidInput, match=r"method must be one of"):
        call_in_child(check_choice, "method", "none", ("pot",))


@pytest.mark.slow
def test_the_time_limit_ends_it():
    started = time.monotonic()
    with pytest.raises(Stopped, match="time limit"):
        call_in_child(time.sleep, 60, time_limit=0.3)
    assert time.monotonic() - started < 10


def test_a_child_that_dies_is_no_answer():
    with pytest.raises(SolverFailed, match=r"exit code 3"):
        call_in_child(os._exit, 3)


@pytest.mark.parametrize("executable", ["", "/nowhere/python"])
def test_where_no_process_can_be_started_the_call_is_made_here(monkeypatch, executable):
    monkeypatch.setattr(sys, "executable", executable)
    assert call_in_child(os.getpid) == os.getpid()


@pytest.mark.slow
def test_ctrl_c_ends_it():
    sender = threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT))
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        sender.start()
        call_in_child(time.sleep, 60)
    assert time.monotonic() - started < 10


# Whether a process without a parent has ended is seen in /proc only: elsewhere one that nobody has waited for still
# answers to signals.  Children end by themselves on every system; the tests above hold that without it.
@pytest.mark.slow
@pytest.mark.skipif(
    not os.path.isdir("/proc"), reason="ended processes are told from waiting ones in /proc, which Linux has"
)
def test_it_ends_when_its_parent_is_killed():
    calls = "from otdiv.processes.child import call_in_child; print('ready', flush=True); call_in_child(time.sleep, 60)"
    code = f"import time; {calls}"
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    parent.stdout.readline()
    deadline = time.monotonic() + 30
    while not (children := _children(parent.pid)) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1.0)  # so that the child has noted its parent
    parent.kill()
    parent.communicate()
    while _alive(children[0]) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _alive(children[0])


def _children(pid: int) -> list[int]:
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]


def _alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
