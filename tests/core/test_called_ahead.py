"""Calls made in a thread before their results are needed."""

from __future__ import annotations

import threading

import pytest

from otdiv.core.threads import CalledAhead


def counter(limit: int | None = None):
    """A function that counts its calls and refuses after ``limit`` of them; and the names of its threads."""
    names = []

    def call():
        if limit is not None and len(names) >= limit:
            raise ValueError(f"no more than {limit}")
        names.append(threading.current_thread().name)
        return len(names)

    return call, names


def test_results_come_in_order_and_no_more_calls_are_made_than_asked_for():
    call, names = counter()
    with CalledAhead(call, 5) as ahead:
        found = []
        while ahead.waiting:
            found.append(ahead.next())
    assert found == [1, 2, 3, 4, 5] and len(names) == 5
    assert all(name.startswith("otdiv-ahead") for name in names)


def test_one_call_is_under_way_while_a_result_is_used():
    begun, go_on = threading.Event(), threading.Event()

    def call():
        begun.set()
        assert go_on.wait(30)
        return 1

    with CalledAhead(call, 2) as ahead:
        assert begun.wait(30)  # before anything was asked for
        begun.clear()
        go_on.set()
        assert ahead.next() == 1
        assert begun.wait(30)


def test_an_error_of_the_function_is_raised_where_its_result_is_taken():
    call, names = counter(limit=2)
    with CalledAhead(call, 5) as ahead:
        assert [ahead.next(), ahead.next()] == [1, 2]
        with pytest.raises(ValueError, match="no more than 2"):
            ahead.next()
    assert len(names) == 2


@pytest.mark.parametrize("error", [None, RuntimeError])
def test_after_the_block_nothing_calls_the_function(error):
    call, names = counter()
    try:
        with CalledAhead(call, 1000) as ahead:
            ahead.next()
            if error is not None:
                raise error
    except RuntimeError:
        pass
    made = len(names)
    assert made == 2 or (error is not None and made == 1)
    assert not any(thread.name.startswith("otdiv-ahead") for thread in threading.enumerate())


def test_an_interrupt_does_not_wait_for_the_call_under_way():
    go_on, ended = threading.Event(), threading.Event()

    def call():
        assert go_on.wait(30)
        ended.set()

    with pytest.raises(KeyboardInterrupt), CalledAhead(call, 1):
        raise KeyboardInterrupt
    assert not ended.is_set()
    go_on.set()
    assert ended.wait(30)


def test_nothing_is_called_for_no_results():
    call, names = counter()
    with CalledAhead(call, 0) as ahead:
        assert not ahead.waiting
    assert names == []
