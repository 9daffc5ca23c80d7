"""Minima over rows, taken several entries at a time, against numpy; rows of any length, ties, infinite entries."""

from __future__ import annotations

import numpy as np
import pytest

from otdiv.network_flow.small.rows import (
    extent_of,
    first_equal,
    first_reduced,
    least_of,
    least_reduced,
    reduced_row,
    relax_row,
)

LENGTHS = [*range(1, 70), 127, 128, 129, 500]


def rows(n):
    """Rows and potentials: continuous ones, whole numbers with ties, signed zeros, and some infinite costs."""
    rng = np.random.default_rng(n)
    yield rng.normal(size=n), rng.normal(size=n)
    yield rng.integers(0, 3, n).astype(float), rng.integers(0, 3, n).astype(float)
    yield np.where(rng.random(n) < 0.5, 0.0, -0.0), np.zeros(n)
    yield np.where(rng.random(n) < 0.5, np.inf, rng.normal(size=n)), rng.normal(size=n)
    yield rng.normal(size=n), np.where(rng.random(n) < 0.5, -np.inf, rng.normal(size=n))


@pytest.mark.parametrize("n", LENGTHS)
def test_minima_and_their_places(n):
    for row, g in rows(n):
        reduced, out = row - g, np.empty(n)
        assert least_of(row) == row.min() and extent_of(row) == (row.min(), row.max())
        assert least_reduced(row, g) == reduced_row(row, g, out) == reduced.min()
        assert np.array_equal(out, reduced)
        for value in {row[0], row[-1], row.min(), row.max()}:
            assert first_equal(row, value) == np.flatnonzero(row == value)[0]
        for value in {reduced[0], reduced[-1], reduced.min()}:
            assert first_reduced(row, g, value) == np.flatnonzero(reduced == value)[0]
        assert first_equal(row, 1e300) == first_reduced(row, g, 1e300) == -1


@pytest.mark.parametrize("n", LENGTHS)
def test_distances_through_a_row(n):
    for row, g in rows(n):
        if np.isneginf(g).any():
            row = np.where(np.isinf(row), 0.0, row)
        rng = np.random.default_rng(n)
        distance, source = np.where(rng.random(n) < 0.3, np.inf, rng.normal(size=n)), rng.integers(0, 9, n)
        through = row - g - 0.25
        nearer = through < distance
        wanted = np.where(nearer, through, distance), np.where(nearer, 77, source)
        relax_row(row, 77, g, 0.25, distance, source)
        assert np.array_equal(distance, wanted[0]) and np.array_equal(source, wanted[1])
