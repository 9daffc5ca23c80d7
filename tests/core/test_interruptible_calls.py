"""Work in a thread of its own: its answer, its errors, and how it is left."""

import os
import signal
import threading
import time

import numpy as np
import pytest

from otdiv import Status, emd
from otdiv.core.budget import Budget, Stopped, StopRequest
from otdiv.core.threads import call_interruptibly, run_in_parts
from otdiv.pricing.pricing import Pricing


def test_answer_and_error_are_those_of_the_work():
    assert call_interruptibly(lambda: 3) == 3
    with pytest.raises(ZeroDivisionError):
        call_interruptibly(lambda: 1 // 0)


def test_the_work_sees_the_callers_numpy_state():
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        call_interruptibly(lambda: np.float64(1) / np.float64(0))


def test_work_past_the_limit_is_left():
    over = threading.Event()
    started = time.monotonic()
    with pytest.raises(Stopped, match="the time limit"):
        call_interruptibly(lambda: over.wait(60), time_limit=0.05)
    assert time.monotonic() - started < 5
    over.set()


@pytest.mark.parametrize("heeds", [True, False])
def test_ctrl_c_reaches_work_that_heeds_it_and_leaves_other_work(heeds):
    interrupted, over = StopRequest(), threading.Event()
    interrupted.running.set()

    def work():  # the signal is sent by the work itself, so that it cannot come before the caller listens
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGINT)
        return (interrupted if heeds else over).wait(60) and "what it has"

    if heeds:
        assert call_interruptibly(work, interrupted=interrupted) == "what it has"
    else:
        with pytest.raises(KeyboardInterrupt):
            call_interruptibly(work, interrupted=interrupted)
        over.set()
    assert interrupted.is_set()


def test_a_budget_hears_the_interrupt():
    interrupted = StopRequest()
    budget = Budget("solve", interrupted=interrupted)
    budget.require_time()
    interrupted.set()
    with pytest.raises(Stopped, match="interrupted"):
        budget.require_time()


def test_work_that_has_heard_the_limit_takes_its_time_to_end():
    interrupted = StopRequest()
    budget = Budget("solve", time_limit=0.05, interrupted=interrupted)

    def work():
        with pytest.raises(Stopped, match="the time limit"):
            while True:
                budget.require_time()
        time.sleep(0.5)  # longer than the grace
        return "what it has"

    assert call_interruptibly(work, 0.05, interrupted, grace=0.2) == "what it has"
    assert interrupted.heard.is_set()


def test_work_whose_code_is_still_being_loaded_is_waited_for():
    interrupted = StopRequest()
    budget = Budget("solve", time_limit=0.05, interrupted=interrupted)

    def work():
        time.sleep(0.6)  # longer than limit and grace
        with pytest.raises(Stopped, match="the time limit"):
            budget.require_time()
        return "what it has"

    assert call_interruptibly(work, 0.05, interrupted, grace=0.1) == "what it has"


def test_work_that_never_minds_the_limit_is_left(monkeypatch):
    from otdiv.core import threads

    monkeypatch.setattr(threads, "_LOADING", 0.1)
    over = threading.Event()
    with pytest.raises(Stopped, match="the time limit"):
        call_interruptibly(lambda: over.wait(60), 0.05, StopRequest(), grace=0.1)
    over.set()


@pytest.mark.parametrize("count", [1, 2])
def test_work_in_parts_ends_between_two_of_them_and_what_comes_after_goes_on(count):
    interrupted, done = StopRequest(), []

    def work(first, end):
        done.append(first)
        interrupted.set()

    with pytest.raises(Stopped, match="interrupted"):
        run_in_parts(work, 10_000, count, interrupted)
    assert 1 <= len(done) <= count and interrupted.heard.is_set()
    done.clear()
    run_in_parts(work, 10_000, count, interrupted)
    assert sum(1 for _ in done) > 10


def test_a_finished_budget_lets_no_part_stop():
    interrupted = StopRequest()
    Budget("solve", interrupted=interrupted).finish()
    interrupted.set()
    done = []
    run_in_parts(lambda first, end: done.append(first), 10_000, 2, interrupted)
    assert len(done) > 10


def test_a_stop_in_the_midst_of_pricing_keeps_what_was_found(monkeypatch):
    """The limit passes in the first long search over the points, which no time is left to wait for."""
    from otdiv.transport import certified_solve

    rng = np.random.default_rng(0)
    x, y, a = rng.normal(size=(3000, 2)), rng.normal(size=(3000, 2)) + 0.5, rng.random(3000)
    asked = []

    def search(self, g, by_tree, by_filter):
        request = self.options.interrupted
        if request is not None and len(self.x) == len(x) and not request.heard.is_set():
            asked.append(len(self.y))
            request.set()
        return plain(self, g, by_tree, by_filter)

    plain = Pricing._search
    monkeypatch.setattr(Pricing, "_search", search)
    monkeypatch.setattr(certified_solve, "GRACE", 0.0)
    monkeypatch.setattr(certified_solve, "_GRACE_PER_POINT", 0.0)
    answer = emd(x, y, a / a.sum(), method="multiscale")
    assert asked and answer.status is Status.STOPPED
    assert "multiscale network simplex: interrupted" in answer.stats["message"]
    assert answer.lower <= emd(x, y, a / a.sum(), method="dense").value <= answer.upper < 1.5 * answer.lower
