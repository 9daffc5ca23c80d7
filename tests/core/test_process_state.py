"""What belongs to the whole process stays as it was: random generators, warning filters."""

from __future__ import annotations

import threading
import warnings

import numpy as np
import pytest
import torch

from otdiv import emd
from otdiv.core.threads import without_warnings
from otdiv.critics import estimate
from otdiv.neural.constraint_names import CONSTRAINTS


@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_a_training_moves_no_global_generator(constraint):
    points = np.random.default_rng(0).random((2, 20, 2))
    of_torch, of_numpy = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    estimate(*points, constraint=constraint, steps=2)
    assert torch.equal(torch.get_rng_state(), of_torch)
    assert np.array_equal(np.random.get_state()[1], of_numpy)  # noqa: NPY002


def test_threads_leave_the_warning_filters_as_they_were():
    x, before = np.random.default_rng(0).random((2, 6, 2)), list(warnings.filters)

    def work() -> None:
        for _ in range(8):
            emd(*x, method="primal")
            emd(*x, method="primal-cvxpy")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert warnings.filters == before


def test_warnings_may_be_ignored_inside_a_block_that_ignores_them():
    """One reader calls another: the lock that keeps threads apart must not stop a thread at itself."""
    done = []

    def work() -> None:
        with without_warnings(), without_warnings():
            done.append(True)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(10)
    assert done
