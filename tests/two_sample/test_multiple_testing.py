"""Holm and Benjamini-Hochberg against their step-wise definitions."""

from __future__ import annotations

import numpy as np
import pytest

from otdiv.errors import InvalidInput
from otdiv.two_sample import adjust_p_values


def rejected_by_steps(p, alpha, method):
    """The sets of rejections as the papers define them, step by step."""
    order = np.argsort(p, kind="stable")
    k = len(p)
    rejected = np.zeros(k, dtype=bool)
    if method == "holm":
        for step, index in enumerate(order):
            if p[index] > alpha / (k - step):
                break
            rejected[index] = True
    else:
        passing = [step for step, index in enumerate(order) if p[index] <= alpha * (step + 1) / k]
        rejected[order[: max(passing, default=-1) + 1]] = True
    return rejected


@pytest.mark.parametrize("method", ["holm", "benjamini-hochberg"])
def test_adjusted_values_reject_the_same(method):
    rng = np.random.default_rng(0)
    for k in (1, 2, 5, 30):
        for _ in range(20):
            p = rng.uniform(size=k) ** 3
            adjusted = adjust_p_values(p, method)
            assert np.all(adjusted >= p) and np.all(adjusted <= 1)
            for alpha in (0.0123, 0.05, 0.31):
                np.testing.assert_array_equal(adjusted <= alpha, rejected_by_steps(p, alpha, method))


def test_known_values():
    np.testing.assert_allclose(adjust_p_values([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(
        adjust_p_values([0.01, 0.04, 0.03, 0.005], "benjamini-hochberg"), [0.02, 0.04, 0.04, 0.02]
    )


@pytest.mark.parametrize(
    ("p", "method", "message"),
    [
        ([0.1, 1.2], "holm", "p must hold numbers between 0 and 1"),
        ([0.1, np.nan], "holm", "p must hold numbers between 0 and 1"),
        ([], "holm", r"p must have shape \[k\]"),
        ([[0.1]], "holm", r"p must have shape \[k\]"),
        ([0.1], "bonferroni", "method must be one of holm, benjamini-hochberg"),
    ],
)
def test_what_is_refused(p, method, message):
    with pytest.raises(InvalidInput, match=message):
        adjust_p_values(p, method)
