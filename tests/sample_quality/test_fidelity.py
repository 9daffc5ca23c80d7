"""Fidelity and diversity: closed forms, what they must and must not see, and what input is refused.

Seeds are fixed; the tolerances are at least five standard deviations of the values over seeds.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

from otdiv.errors import InvalidInput, SolverFailed
from otdiv.sample_quality import fidelity_diversity
from otdiv.sample_quality.partial import fidelity as room
from otdiv.sample_quality.partial.decimals import count_decimals

RNG = 20


def normal(n, d, shift=0.0, sd=1.0, seed=0):
    return shift + sd * np.random.default_rng([RNG, seed]).standard_normal((n, d))


def measured(real, generated, **options):
    found = fidelity_diversity(real, generated, curves=False, **options)
    return found.fidelity, found.diversity


@pytest.mark.parametrize("d", [1, 3, 30])
def test_a_perfect_generator_reaches_one(d):
    fidelity, diversity = measured(normal(400, d), normal(400, d, seed=1))
    assert fidelity > 0.95 and diversity > 0.95


@pytest.mark.parametrize("d", [1, 3, 30])
def test_a_generator_elsewhere_reaches_nothing(d):
    assert max(measured(normal(400, d), normal(400, d, 6.0, seed=1))) < 0.02


def test_one_column_elsewhere_is_seen_among_many():
    generated = normal(200, 120, seed=1)
    generated[:, 7] += 6
    found = fidelity_diversity(normal(200, 120), generated, curves=False)
    assert max(found.fidelity, found.diversity) < 0.05
    views = {view.view: view.value for view in found.fidelity_views}
    assert views["points"] > 0.5 and views["column 7"] < 0.05 and views["column 8"] > 0.9


def test_a_collapsed_generator_is_faithful_and_not_diverse():
    fidelity, diversity = measured(normal(400, 5), normal(400, 5, 0.0, 0.05, seed=1))
    assert fidelity > 0.95 and diversity < 0.05


def test_a_wide_generator_is_neither():
    fidelity, diversity = measured(normal(400, 5), normal(400, 5, 0.0, 20.0, seed=1))
    assert fidelity < 0.05 and diversity < 0.05


def test_overlapping_uniform_distributions_give_the_overlap():
    """The shares of [0, 1] and [0.7, 1.7] that lie in the other one are 0.3; block 200, so within about 0.05."""
    real = np.random.default_rng(1).random((1600, 1))
    generated = 0.7 + np.random.default_rng(2).random((1600, 1))
    fidelity, diversity = measured(real, generated, block=200)
    assert fidelity == pytest.approx(0.3, abs=0.06) and diversity == pytest.approx(0.3, abs=0.06)


def test_capacities_are_the_two_ends_of_a_precision_recall_curve():
    """Real points half at 0 and half at 10, generated ones 1/10 at 10: sum min(cP, Q) and sum min(P, cQ)."""
    rng = np.random.default_rng(3)
    real = np.repeat([0.0, 10.0], 200)[:, None] + 0.1 * rng.random((400, 1))
    generated = np.repeat([0.0, 10.0], [360, 40])[:, None] + 0.1 * rng.random((400, 1))
    for c in (1.0, 1.5, 4.0):
        fidelity, diversity = measured(real, generated, fidelity_capacity=c, diversity_capacity=c, allowance=0.05)
        assert fidelity == pytest.approx(min(c * 0.5, 0.9) + 0.1, abs=0.12)
        assert diversity == pytest.approx(0.5 + min(0.5, c * 0.1), abs=0.12)


def test_rare_modes_lower_diversity_only():
    rng = np.random.default_rng(4)
    centres = 10.0 * np.arange(8)[:, None]
    real = centres[rng.integers(0, 8, 800)] + rng.normal(size=(800, 1))
    generated = centres[rng.integers(0, 4, 800)] + rng.normal(size=(800, 1))
    fidelity, diversity = measured(real, generated)
    assert fidelity > 0.95 and diversity == pytest.approx(0.5, abs=0.08)


def test_outliers_vouch_for_nothing():
    real = np.concatenate([normal(400, 2), [[8.0, 8.0]]])
    assert measured(real, normal(400, 2, 8.0, 0.1, seed=1))[0] < 0.02


def test_units_are_those_of_the_real_sample():
    scale = np.array([1e-6, 1.0, 1e6])
    real, generated = normal(200, 3), normal(200, 3, 0.3, seed=1)
    assert measured(real, generated, units="standard deviations") == pytest.approx(
        measured(real * scale, generated * scale, units="standard deviations"), abs=1e-12
    )
    assert measured(real, generated) != pytest.approx(measured(real * scale, generated * scale), abs=1e-3)


def test_constant_columns_do_not_hurt():
    real, generated = normal(200, 3), normal(200, 3, seed=1)
    real[:, 1] = generated[:, 1] = 4.0
    assert min(measured(real, generated)) > 0.9
    assert min(measured(real, generated, units="standard deviations")) > 0.9
    generated[:, 1] = 5.0
    assert max(measured(real, generated)) < 0.05


def test_decimals_of_a_table_are_seen_where_asked_for():
    real, generated = normal(400, 1, 0.0, 1000.0).round(), normal(400, 1, 0.0, 1000.0, seed=1)
    assert min(measured(real, generated)) > 0.9
    assert measured(real, generated, decimals=True) == (0.0, 0.0)
    assert min(measured(real, generated.round(), decimals=True)) > 0.9
    fidelity, diversity = measured(generated, real, decimals=True)
    assert fidelity > 0.9 and diversity == 0.0, "whole numbers are plausible, and leave most values out"


def test_count_decimals():
    assert count_decimals(np.array([0.1, 0.25, -3.0])) == 2
    assert count_decimals(np.array([1e-5])) is None


def test_curves_grow_and_hold_the_judged_point():
    found = fidelity_diversity(normal(200, 2), normal(200, 2, 1.0, seed=1))
    for curve, views in (
        (found.fidelity_curve, found.fidelity_views),
        (found.diversity_curve, found.diversity_views),
    ):
        points = next(view for view in views if view.view == "points")
        assert (np.diff(curve.generated) >= 0).all() and (np.diff(curve.real) >= 0).all()
        assert curve.distance[3] == points.distance and curve.generated[3] == pytest.approx(points.matched)
        assert curve.real[3] == pytest.approx(points.floor) and points.floor >= 0.98 - 0.01
    assert found.proofs >= 4 and json.dumps(found.to_dict(), allow_nan=False)
    assert "optima proved" in found.table().text()
    low, high = found.fidelity_views[0].spread
    assert low <= found.fidelity <= high and low < high


def test_blocks_are_disjoint_and_of_one_size():
    real, generated = np.arange(1100.0)[:, None], np.arange(330.0)[:, None]
    blocks = room.draw_blocks(real, generated, 100, np.random.default_rng(0))
    assert {len(block) for block in blocks.real + blocks.generated} == {100}
    assert len(blocks.real) == 8 and len(blocks.generated) == 3 and len(blocks.pairs) == 8
    assert len(np.unique(np.concatenate(blocks.real))) == 800
    assert room.draw_blocks(real[:90], generated, 100, np.random.default_rng(0)).size == 45


def test_seeds_repeat_and_differ():
    real, generated = normal(300, 2), normal(300, 2, 0.5, seed=1)
    assert measured(real, generated, rng=3) == measured(real, generated, rng=3)
    assert measured(real, generated, rng=3) != measured(real, generated, rng=4)


def test_a_share_that_is_not_proved_is_an_error(monkeypatch):
    real = room.greatest_matching

    def wrong(within, capacity, *, proved=True):
        return real(within & (np.arange(len(within)) > 20)[:, None], capacity, proved=proved)

    monkeypatch.setattr(room, "greatest_matching", wrong)
    with pytest.raises(SolverFailed, match="not proved"):
        measured(normal(100, 2), normal(100, 2, seed=1))


@pytest.mark.parametrize(
    ("real", "generated", "options", "sentence"),
    [
        (normal(100, 2), normal(100, 3), {}, "generated must have the columns of real; got 3 columns"),
        (normal(30, 2), normal(100, 2), {}, "real must hold at least 40 points; got 30"),
        (normal(100, 2), normal(10, 2), {}, "generated must hold at least 20 points; got 10"),
        (normal(100, 2), np.full((100, 2), np.nan), {}, "of generated: points must be finite"),
        (normal(100, 2), normal(100, 2), {"block": 5}, "block must be a whole number"),
        (normal(100, 2), normal(100, 2), {"allowance": 0.0}, "allowance must lie between"),
        (normal(100, 2), normal(100, 2), {"fidelity_capacity": 0.5}, "capacity must be a number of at least 1"),
        (normal(100, 2), normal(100, 2), {"diversity_capacity": np.inf}, "capacity must be a number"),
        (normal(100, 2), normal(100, 2), {"units": "metres"}, "units must be one of raw, standard deviations"),
        (normal(100, 2), normal(100, 2), {"rng": -1}, "rng must be"),
    ],
)
def test_wrong_input_is_one_sentence(real, generated, options, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        fidelity_diversity(real, generated, **options)
