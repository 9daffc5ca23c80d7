"""All costs of two clouds at once: the bits of SciPy's, tile by tile."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from otdiv.costs import as_cost
from otdiv.pricing.compiled_costs import metric_of
from otdiv.pricing.compiled_distances import TILE_COORDINATES, TILE_TARGETS, distance_table


@pytest.mark.parametrize("cost", ["euclidean", "sqeuclidean", "cityblock", "chebyshev"])
@pytest.mark.parametrize("d", [1, 2, 3, 4, 7, TILE_COORDINATES, 2 * TILE_COORDINATES + 3])
def test_the_bits_are_those_of_scipy(cost, d):
    rng = np.random.default_rng(d)
    for n, m in ((1, 1), (5, 7), (3, TILE_TARGETS), (4, TILE_TARGETS + 1)):
        x, y = rng.normal(size=(n, d)), rng.normal(size=(m, d))
        costs = np.full((n, m), np.nan)
        distance_table(metric_of(as_cost(cost), d), x, y, costs)
        assert (costs == cdist(x, y, cost)).all()


def test_powers_and_other_norms():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(6, 3)), rng.normal(size=(5, 3))
    costs = np.empty((6, 5))
    distance_table(metric_of(as_cost("minkowski:3"), 3), x, y, costs)
    assert np.allclose(costs, cdist(x, y, "minkowski", p=3), rtol=1e-14)
