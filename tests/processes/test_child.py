"""Calls in a child process: what they answer, and that they end."""

import os
import signal
import socket
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


@pytest.mark.slow
def test_it_ends_when_its_parent_is_killed():
    """The child holds a connection to this process, which ends when the child does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        address = server.getsockname()
        child = f"import socket, time; held = socket.create_connection({address!r}); held.send(b'1'); time.sleep(60)"
        code = f"from otdiv.processes.child import call_in_child; call_in_child(exec, {child!r})"
        with subprocess.Popen([sys.executable, "-c", code]) as parent:
            held, _ = server.accept()
            with held:
                held.settimeout(30)
                assert held.recv(1) == b"1"
                time.sleep(1.0)  # so that the child has noted its parent
                parent.kill()
                assert held.recv(1) == b"", "closed by the child's end, not by the time limit"
