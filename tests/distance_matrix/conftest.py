"""What the tests of distance matrices share."""

from __future__ import annotations

import numpy as np
import pytest

from otdiv.distance_matrix import blocks


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of a few pairs, so that a matrix of ten measures has many."""
    monkeypatch.setattr(blocks, "_MOST_PAIRS", 7)
    monkeypatch.setattr(blocks, "_PAIRS_OF_FUNCTIONS", 3)


def clouds(k, n, d, seed=0):
    return np.random.default_rng(seed).normal(size=(k, n, d))


def equal(one, other):
    """Whether two results have the same bits."""
    return all((getattr(one, name) == getattr(other, name)).all() for name in ("values", "lower", "upper", "status"))
