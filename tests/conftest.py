"""Before the first test: the kernels of small problems are compiled, which is announced once on a fresh machine."""

from __future__ import annotations

import numpy as np
import pytest

import otdiv


@pytest.fixture(scope="session", autouse=True)
def compiled_kernels():
    points = np.array([[0.0, 1.0], [2.0, 3.0]])
    otdiv.emd(points, points + 1.0)
    otdiv.emd(cost=points)
