"""What belongs to the whole process stays as it was: random generators, warning filters, numpy's error state."""

from __future__ import annotations

import threading
import warnings

import numpy as np
import pytest
import torch

import otdiv
from otdiv import emd
from otdiv.core.threads import without_warnings
from otdiv.critics import audit, estimate
from otdiv.neural.constraint_names import CONSTRAINTS


@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_a_training_moves_no_global_generator(constraint):
    points = np.random.default_rng(0).random((2, 20, 2))
    of_torch, of_numpy = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    estimate(*points, constraint=constraint, steps=2)
    assert torch.equal(torch.get_rng_state(), of_torch)
    assert np.array_equal(np.random.get_state()[1], of_numpy)  # noqa: NPY002


RNG = np.random.default_rng(0)
X, Y, A = RNG.random((40, 2)), RNG.random((40, 2)), RNG.dirichlet(np.ones(40))
FAR = [1e9, 0.0]
CALLS = {
    "uniform": lambda: otdiv.emd(X, Y),
    "weights": lambda: otdiv.emd(X, Y, A),
    "line": lambda: otdiv.emd(X[:, 0], Y[:, 0], A),
    "simplex": lambda: otdiv.emd(X, Y, A, method="simplex"),
    "multiscale": lambda: otdiv.emd(np.repeat(X, 20, axis=0), Y, method="multiscale"),
    "primal": lambda: otdiv.emd(X, Y, method="primal"),
    "dual-cvxpy": lambda: otdiv.emd(X, Y, method="dual-cvxpy"),
    "images": lambda: otdiv.emd_images(np.eye(20), np.eye(20)[::-1]),
    "forbidden": lambda: otdiv.emd(cost=np.where(np.eye(4) > 0, 1.0, np.inf)),
    "outlier": lambda: otdiv.emd(np.vstack([X, FAR]), np.vstack([Y, FAR]), cost="sqeuclidean"),
    "tiny": lambda: otdiv.emd(X * 1e-200, Y * 1e-200, cost="sqeuclidean"),
    "large order": lambda: otdiv.wasserstein(X, Y, p=300),
    "bottleneck": lambda: otdiv.wasserstein(X, Y, p=np.inf),
    "table": lambda: otdiv.compare(X, Y),
    "bins": lambda: otdiv.compare(X, Y, bins=4),
    "game": lambda: otdiv.solve_game(X),
    "divergences": lambda: (otdiv.kl([0.5, 0.5, 0], [0.2, 0.3, 0.5]), otdiv.js([1, 0], [0, 1])),
    "verify": lambda: otdiv.emd(X, Y).verify(level="float"),
    "gradients": lambda: otdiv.emd(X, Y).gradients.x,
    "audit": lambda: audit(lambda z: z[:, 0], X, Y),
    "estimate": lambda: estimate(X, Y, steps=3),
}


@pytest.mark.parametrize("name", CALLS)
def test_callers_that_raise_on_floating_point_errors_are_served(name):
    with np.errstate(all="raise"):
        CALLS[name]()
        assert np.geterr() == dict.fromkeys(("divide", "over", "under", "invalid"), "raise")


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
