"""Before the first test: Ctrl-C; and once for all workers the kernels of small problems, which say if they compile."""

from __future__ import annotations

import signal

import numpy as np

import otdiv


def pytest_configure(config):
    # a shell without job control starts what runs in its background deaf to Ctrl-C, which tests send to themselves
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if not hasattr(config, "workerinput"):  # the process that starts the workers
        points = np.array([[0.0, 1.0], [2.0, 3.0]])
        otdiv.emd(points, points + 1.0)
        otdiv.emd(cost=points)
