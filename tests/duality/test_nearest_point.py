"""The nearest point of a cone, exactly: against non-negative least squares and Farkas' alternatives."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import nnls

from otdiv.duality import farkas, independent_combinations, nearest_in_cone, verify_farkas
from otdiv.errors import InvalidInput
from otdiv.plots import plot_nearest_point


def systems(count=60):
    rng = np.random.default_rng(0)
    for _ in range(count):
        m, n = rng.integers(1, 4), rng.integers(1, 6)
        yield rng.integers(-3, 4, size=(m, n)), rng.integers(-4, 5, size=m)


def test_it_is_the_nearest_and_decides_as_farkas_does():
    outside = 0
    for A, b in systems():
        found = nearest_in_cone(A, b)
        _, distance = nnls(A.astype(float), b.astype(float))
        assert float(found.distance_squared) ** 0.5 == pytest.approx(distance, abs=1e-7)
        # the conditions of the nearest point, as they stand: exact
        assert all(wall <= 0 for wall in found.walls) and all(w >= 0 for w in found.weights)
        assert sum(p * f for p, f in zip(found.point, found.F, strict=True)) == 0
        assert sum(int(v) * f for v, f in zip(b, found.F, strict=True)) == found.distance_squared
        answer = farkas(A.tolist(), b.tolist(), exact=True)
        assert answer.inside == found.inside
        if not found.inside:
            outside += 1
            assert verify_farkas(A, b, F=[float(value) for value in found.F]) is not None
    assert 15 < outside < 55


def test_no_other_point_of_the_cone_is_nearer():
    rng = np.random.default_rng(1)
    for A, b in systems(20):
        found = nearest_in_cone(A, b)
        for _ in range(20):
            other = A @ [Fraction(int(k), 7) for k in rng.integers(0, 30, size=A.shape[1])]
            assert sum((int(v) - p) ** 2 for v, p in zip(b, other, strict=True)) >= found.distance_squared


def test_members_are_combinations_of_independent_columns():
    for A, b in systems():
        sets = independent_combinations(A, b)
        assert bool(sets) == nearest_in_cone(A, b).inside
        for chosen in sets:
            part = A[:, list(chosen)]
            assert np.linalg.matrix_rank(part) == len(chosen) if chosen else not b.any()
            weights = np.linalg.lstsq(part, b, rcond=None)[0] if chosen else np.zeros(0)
            assert np.allclose(part @ weights, b) and (weights > 0).all()


def test_a_wrong_point_breaks_a_condition():
    A, b = [[2, 1], [1, 3]], [1, -1]
    found = nearest_in_cone(A, b)
    assert found.point == (Fraction(2, 5), Fraction(1, 5)) and found.distance_squared == Fraction(9, 5)
    off = replace(found, weights=(Fraction(1, 2), Fraction(0)))
    F = [Fraction(v) - 2 * off.weights[0] * c for v, c in zip(b, (1, Fraction(1, 2)), strict=True)]
    assert 2 * F[0] + F[1] != 0  # not orthogonal to the column that it uses


def test_bad_systems_are_refused():
    with pytest.raises(InvalidInput, match="b must have 2 entries"):
        nearest_in_cone([[1, 0], [0, 1]], [1, 2, 3])
    with pytest.raises(InvalidInput, match="sets of columns to search"):
        nearest_in_cone(np.ones((6, 30)), np.ones(6))
    with pytest.raises(InvalidInput):
        nearest_in_cone([1, 2], [1])


def test_the_picture_shows_p_and_F():
    found = nearest_in_cone([[2, 1], [1, 3]], [1, -1])
    ax = plot_nearest_point([[2, 1], [1, 3]], [1, -1], found).axes[0]
    assert "9/5" in ax.get_title()
    assert {text.get_text() for text in ax.texts} >= {"a1", "a2", "b", "p", "F"}
    inside = nearest_in_cone([[2, 1], [1, 3]], [3, 4])
    assert "b'F = 0" in plot_nearest_point([[2, 1], [1, 3]], [3, 4], inside).axes[0].get_title()
    with pytest.raises(InvalidInput, match=r"shape \[2, n\]"):
        plot_nearest_point(np.eye(3), np.ones(3), found)
