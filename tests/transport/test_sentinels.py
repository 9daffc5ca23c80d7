"""Where a cost matrix holds sentinels: the largest cost below the widest step, found without sorting."""

from __future__ import annotations

import numpy as np
import pytest

from otdiv.problem.transport_problem import SENTINEL_STEP, level_below_sentinels


def by_sorting(costs):
    levels = np.unique(costs)
    with np.errstate(over="ignore"):
        steps = levels[1:] / levels[:-1]
    cut = int(np.argmax(steps))
    return levels[cut] if steps[cut] > SENTINEL_STEP else None


@pytest.mark.parametrize("seed", range(5))
def test_as_by_sorting(seed):
    rng = np.random.default_rng(seed)
    found = 0
    for k in range(200):
        costs = 10.0 ** (rng.uniform(-1, 1, rng.integers(2, 12)) * rng.choice([1, 3, 8, 30, 150]))
        if k % 3 == 0:
            costs = np.append(rng.random(5) + 0.1, rng.random(2) * 10.0 ** rng.uniform(4, 9))
        level = level_below_sentinels(costs)
        assert level == by_sorting(costs)
        found += level is not None
    assert 20 < found < 180  # both kinds occur


def test_a_step_of_just_a_million_is_none():
    assert level_below_sentinels(np.array([1.0, SENTINEL_STEP])) is None
    assert level_below_sentinels(np.array([1.0, np.nextafter(SENTINEL_STEP, np.inf)])) == 1.0
    assert level_below_sentinels(np.array([1e-300, 1e300])) == 1e-300


@pytest.mark.parametrize("seed", range(3))
def test_signs_zeros_infinities_and_the_smallest_numbers(seed):
    """Only positive finite costs count, those below 2e-308 too."""
    rng = np.random.default_rng(seed)
    for _ in range(300):
        costs = rng.random(12) * 10.0 ** rng.integers(-320, -290, 12) * rng.choice([0.0, 1.0, 1.0, -1.0], 12)
        costs[0] = rng.choice([np.inf, np.nan, 1e-305, 1.0])
        positive = costs[(costs > 0) & np.isfinite(costs)]
        assert level_below_sentinels(costs) == (by_sorting(positive) if len(np.unique(positive)) > 1 else None)
    assert level_below_sentinels(np.zeros((2, 0))) is None and level_below_sentinels(np.full((2, 2), np.inf)) is None
