"""Weights and pmfs with labels: matched by them, whatever their position."""

import numpy as np
import pandas as pd
import pytest

import otdiv
from otdiv import DiscreteMeasure
from otdiv.divergences import js, kl, total_variation
from otdiv.errors import InvalidInput

COLOURS = ["red", "green", "blue"]
P = pd.Series([0.5, 0.3, 0.2], index=COLOURS)
Q = pd.Series([0.6, 0.3, 0.1], index=["blue", "red", "green"])  # sorted by frequency, as value_counts does


@pytest.mark.parametrize("divergence", [kl, js, total_variation])
def test_pmfs_are_matched_by_their_labels(divergence):
    assert divergence(P, Q) == divergence(P.to_numpy(), [0.3, 0.1, 0.6])
    assert divergence(P, P.iloc[::-1]) == 0.0


def test_labels_that_differ_are_named_and_the_remedy_works():
    other = pd.Series([0.5, 0.5], index=["red", "pink"])
    with pytest.raises(
        InvalidInput, match=r"p and q must have the same index; got 'blue', 'green' only in p and 'pink'"
    ):
        js(P, other)
    both = P.index.union(other.index)
    value = js(P.reindex(both, fill_value=0), other.reindex(both, fill_value=0))
    assert value == pytest.approx(js([0.2, 0.3, 0.0, 0.5], [0.0, 0.0, 0.5, 0.5]))


def test_labels_that_occur_twice_are_matched_only_in_one_order():
    twice = pd.Series([0.5, 0.25, 0.25], index=["a", "a", "b"])
    assert js(twice, twice) == 0.0
    with pytest.raises(InvalidInput, match="a label twice"):
        js(twice, twice.iloc[::-1])


def test_weights_follow_the_points_of_a_frame():
    frame = pd.DataFrame({"u": [0.0, 1.0, 2.0], "v": [0.0, 0.0, 5.0]}, index=COLOURS)
    measure = DiscreteMeasure(frame, Q)
    assert measure.weights.tolist() == [0.3, 0.1, 0.6]
    assert DiscreteMeasure.from_pmf(frame, Q).weights.tolist() == [0.3, 0.1, 0.6]
    assert DiscreteMeasure.from_samples(frame, Q).weights.tolist() == [0.3, 0.1, 0.6]
    assert otdiv.emd(frame, frame, P, Q).value == pytest.approx(otdiv.emd(frame, frame, P, [0.3, 0.1, 0.6]).value)


def test_a_filtered_frame_and_weights_of_another_index_are_refused():
    frame = pd.DataFrame({"u": np.arange(5.0)})
    kept = frame[frame.u > 1]
    with pytest.raises(
        InvalidInput, match=r"points and weights must have the same index; got 3, 4 only in points and 0, 1"
    ):
        DiscreteMeasure(kept, pd.Series([0.2, 0.3, 0.5]))
    weights = pd.Series(np.arange(5.0), index=frame.index)
    assert DiscreteMeasure(kept, weights[frame.u > 1]).weights.tolist() == [2.0, 3.0, 4.0]
    assert DiscreteMeasure(kept, np.array([0.2, 0.3, 0.5])).weights.tolist() == [0.2, 0.3, 0.5]


def test_weights_follow_the_labels_of_a_cost_matrix():
    costs = pd.DataFrame([[0.0, 1.0, 4.0], [1.0, 0.0, 2.0], [4.0, 2.0, 0.0]], index=COLOURS, columns=COLOURS)
    by_label = otdiv.emd(cost=costs, a=P, b=Q).value
    assert by_label == pytest.approx(otdiv.emd(cost=costs.to_numpy(), a=P.to_numpy(), b=[0.3, 0.1, 0.6]).value)
    with pytest.raises(InvalidInput, match="the columns of cost and b must have the same index"):
        otdiv.emd(cost=costs, a=P, b=pd.Series([0.5, 0.3, 0.2]))
