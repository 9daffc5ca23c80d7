"""Divisions of a pool, ranks with ties, and the p-value of the least p-value."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from otdiv.two_sample.permutations import (
    count_as_large,
    count_divisions,
    draw_divisions,
    least_p_of,
    p_value,
    rank_by_least,
)


def test_random_divisions():
    divisions = draw_divisions(6, 10, 200, np.random.default_rng(0))
    assert divisions.labels.shape == (201, 16) and not divisions.exhaustive
    assert (divisions.labels.sum(axis=1) == 6).all()
    assert divisions.labels[0].tolist() == [True] * 6 + [False] * 10
    assert 0.2 < divisions.labels[1:, 0].mean() < 0.55
    signed = divisions.signed()
    np.testing.assert_allclose(signed.sum(axis=0), 0, atol=1e-15)
    assert signed[0, 0] == 1 / 6 and signed[-1, 0] == -1 / 10


@pytest.mark.parametrize(("n", "m"), [(3, 3), (2, 5)])
def test_all_divisions_where_there_are_few(n, m):
    divisions = draw_divisions(n, m, 999, np.random.default_rng(0))
    count = math.comb(n + m, n)
    assert divisions.exhaustive and divisions.count == count
    assert len({tuple(row) for row in divisions.labels}) == count
    assert divisions.labels[0].tolist() == [True] * n + [False] * m
    assert divisions.least_p_value(symmetric=False) == 1 / count
    assert divisions.least_p_value(symmetric=True) == (2 if n == m else 1) / count
    assert not draw_divisions(n, m, count - 2, np.random.default_rng(0)).exhaustive


def test_the_number_of_divisions():
    for n, m in ((1, 1), (3, 4), (10, 10), (2, 5000), (64, 2)):
        assert count_divisions(n, m) == math.comb(n + m, n)
    assert count_divisions(200_000, 200_000) == math.inf and math.comb(128, 64) > 2**64


def test_counts_by_comparing_all_pairs():
    values = np.random.default_rng(1).integers(0, 6, size=50).astype(float)
    expected = [sum(other >= value for other in values) for value in values]
    assert count_as_large(values).tolist() == expected
    assert count_as_large(np.array([1.0, 1.0 - 1e-14, 0.5]), 1e-12).tolist() == [2, 2, 3]
    assert count_as_large(np.array([1.0, 1.0 - 1e-14, 0.5])).tolist() == [1, 2, 3]
    assert p_value(np.array([2, 1, 4, 4])) == 0.5


def test_ties_count_against_rejection():
    assert p_value(count_as_large(np.zeros(100))) == 1.0


def test_the_least_p_value_is_exact_over_all_orders():
    """Among all divisions as the observed one, the share with p <= level is at most the level, and level for one."""
    statistics = np.random.default_rng(2).normal(size=(3, 40))
    counts = np.array([count_as_large(row) for row in statistics])
    p = [least_p_of(np.roll(counts, -k, axis=1))[0] for k in range(40)]
    for level in np.arange(1, 41) / 40:
        assert np.mean(np.array(p) <= level + 1e-12) <= level + 1e-12
    naive = counts.min(axis=0) / 40  # without the correction it is not
    assert any(np.mean(naive <= level) > level for level in np.arange(1, 41) / 40)


def test_equal_counts_share_the_last_rank():
    counts = np.array([[2, 1, 2, 4, 4], [5, 3, 5, 4, 4]])
    assert rank_by_least(counts).tolist() == [3, 1, 3, 5, 5]
    assert rank_by_least(counts[:, :1]).tolist() == [1]


def test_which_statistic_is_named():
    counts = np.array([[5, 1, 2], [2, 3, 1]])
    assert least_p_of(counts) == (1.0, 1)
    p, which = least_p_of(np.array([[1, 2, 3], [3, 2, 1]]))
    assert which == 0 and p == pytest.approx(2 / 3)


def test_exhaustive_p_value_by_hand():
    x, y = np.array([0.0, 1.0, 2.0]), np.array([5.0, 6.0, 9.0])
    pool = np.concatenate([x, y])
    divisions = draw_divisions(3, 3, 999, np.random.default_rng(0))
    values = np.array([abs(pool[row].mean() - pool[~row].mean()) for row in divisions.labels])
    expected = np.mean(
        [
            abs(pool[list(c)].mean() - np.delete(pool, c).mean()) >= abs(x.mean() - y.mean()) - 1e-12
            for c in itertools.combinations(range(6), 3)
        ]
    )
    assert p_value(count_as_large(values, 1e-12)) == expected == 0.1


def test_equal_least_counts_are_ordered_by_the_next_ones():
    """99 permutations and seven independent statistics: the least count is 1 for too many divisions to reject any."""
    statistics = np.random.default_rng(3).normal(size=(7, 100))
    counts = np.array([count_as_large(row) for row in statistics])
    least = counts.min(axis=0)
    assert np.mean(least <= 1) > 0.05, "the share of the least count alone never comes to 0.05"
    p = np.array([least_p_of(np.roll(counts, -k, axis=1))[0] for k in range(100)])
    assert np.mean(p <= 0.05) == 0.05 and len(np.unique(p)) == 100
    assert np.array_equal(rank_by_least(counts), np.rint(100 * p).astype(int))
    for k in range(100):  # against a sort of Python's tuples
        rows = [tuple(sorted(column)) for column in counts.T.tolist()]
        assert p[k] == np.mean([row <= rows[k] for row in rows])
