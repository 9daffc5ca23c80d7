"""Tests column by column: ranking, names, adjustment, units."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from otdiv.errors import InvalidInput
from otdiv.two_sample import adjust_p_values, column_tests, wasserstein_test


@pytest.fixture(scope="module")
def frames():
    rng = np.random.default_rng(0)
    x = pd.DataFrame(rng.normal(size=(60, 4)), columns=["same", "moved", "wide", "constant"])
    y = pd.DataFrame(rng.normal(size=(50, 4)), columns=["same", "moved", "wide", "constant"])
    y["moved"] += 2
    x["wide"] *= 1000
    y["wide"] *= 2500
    x["constant"] = y["constant"] = 3.0
    return x, y[["wide", "constant", "same", "moved"]]


def test_rows(frames):
    x, y = frames
    result = column_tests(x, y, permutations=199, rng=0)
    assert set(result.names) == set(x.columns) and len(result) == 4
    assert result.names[0] == "moved" and result.rejected(0.05) == result.names[:2]
    assert result["moved"].statistic == pytest.approx(stats.wasserstein_distance(x["moved"], y["moved"]), rel=1e-12)
    pooled = np.concatenate([x["wide"], y["wide"]])
    assert result["wide"].effect == pytest.approx(result["wide"].statistic / pooled.std(), rel=1e-12)
    assert result["constant"].p_value == 1 and result["constant"].effect == 0
    ranked = [row.p_value for row in result]
    assert ranked == sorted(ranked)
    np.testing.assert_allclose([row.adjusted_p for row in result], adjust_p_values(ranked, "holm"))
    shares = column_tests(x, y, permutations=199, adjustment="benjamini-hochberg", rng=0)
    np.testing.assert_allclose(
        [row.adjusted_p for row in shares], adjust_p_values([row.p_value for row in shares], "benjamini-hochberg")
    )


def test_the_record(frames):
    result = column_tests(*frames, permutations=39, rng=0)
    assert pickle.loads(pickle.dumps(result)) == result
    assert json.loads(json.dumps(result.to_dict()))["rows"][0]["name"] == result.names[0]
    assert "moved" in str(result) and "With 4 columns no adjusted p can be below 0.1" in str(result)
    assert "With 4 columns" not in str(column_tests(*frames, permutations=199, rng=0))
    with pytest.raises(InvalidInput, match="name must be one of"):
        result["other"]


def test_arrays_are_named_by_number():
    x = np.random.default_rng(0).normal(size=(20, 3))
    assert sorted(column_tests(x, x + 1, "energy", permutations=19, rng=0).names) == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "t-test"}, "method must be one of"),
        ({"adjustment": "none"}, "adjustment must be one of holm, benjamini-hochberg"),
    ],
)
def test_what_is_refused(options, message):
    with pytest.raises(InvalidInput, match=message):
        column_tests([[0.0], [1.0]], [[0.0], [1.0]], **options)


def test_each_column_is_the_test_of_that_column(frames):
    x, y = frames
    rows = column_tests(x[["wide", "moved"]], y[["wide", "moved"]], permutations=99, rng=0)
    assert rows["wide"].test == wasserstein_test(x["wide"], y["wide"], permutations=99, rng=0)
    assert rows["moved"].test == wasserstein_test(x["moved"], y["moved"], permutations=99, rng=0)  # same divisions
