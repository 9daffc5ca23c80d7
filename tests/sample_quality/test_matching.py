"""Greatest matchings: closed forms, brute force, linear programs and POT; proofs that can fail."""

from __future__ import annotations

import dataclasses
import itertools
from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.spatial.distance import cdist

from otdiv import emd
from otdiv.errors import CertificateRefused, InvalidInput
from otdiv.problem.plan import Plan
from otdiv.sample_quality.partial.line import least_line_distance, line_share
from otdiv.sample_quality.partial.matching import greatest_matching, mass_units, verify_matching
from otdiv.sample_quality.partial.views import InSpace, OnLine, View, least_distance


def by_linear_program(within, capacity):
    n, m = within.shape
    arcs = np.argwhere(within)
    if not len(arcs):
        return 0.0
    rows = np.zeros((n + m, len(arcs)))
    rows[arcs[:, 0], np.arange(len(arcs))] = 1
    rows[n + arcs[:, 1], np.arange(len(arcs))] = 1
    limits = np.concatenate([np.full(n, 1 / n), np.full(m, capacity / m)])
    return -linprog(-np.ones(len(arcs)), A_ub=rows, b_ub=limits).fun


@pytest.mark.parametrize("capacity", [1.0, 2.0, 2.5, 50.0])
@pytest.mark.parametrize("seed", range(3))
def test_shares_are_those_of_a_linear_program(capacity, seed):
    rng = np.random.default_rng(seed)
    for n, m in ((12, 12), (9, 15), (20, 8)):
        within = rng.random((n, m)) < 0.12
        found = greatest_matching(within, capacity)
        supply, takes = mass_units(n, m, capacity)
        expected = by_linear_program(within, takes * m / (supply * n))
        assert float(found.share) == pytest.approx(expected, abs=1e-9)
        assert float(found.share) == pytest.approx(float(greatest_matching(within, capacity, proved=False).share))
        assert found.bounds.contains(float(found.share)) and found.bounds.gap < 1e-15


def test_one_to_one_matching_is_transport_with_a_cost_of_0_and_1():
    """W_c of uniform weights with c = 1[distance > t], proved by otdiv's auditor."""
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(40, 2)), rng.normal(size=(40, 2)) + 0.5
    for t in (0.2, 0.5, 1.0):
        within = cdist(x, y) <= t
        result = emd(cost=np.where(within, 0.0, 1.0))
        assert result.status.certified
        assert 1 - float(greatest_matching(within, 1.0).share) == pytest.approx(result.value, abs=1e-12)


@pytest.mark.slow
def test_pot_agrees_on_partial_transport():
    """The least cost of moving the matched mass is 0, and any more mass costs something."""
    ot = pytest.importorskip("ot")
    rng = np.random.default_rng(2)
    within = rng.random((15, 15)) < 0.1
    share = float(greatest_matching(within, 1.0).share)
    a, cost = np.full(15, 1 / 15), np.where(within, 0.0, 1.0)
    assert ot.partial.partial_wasserstein2(a, a, cost, m=share - 1e-9) == pytest.approx(0, abs=1e-7)
    assert ot.partial.partial_wasserstein2(a, a, cost, m=share + 0.05) == pytest.approx(0.05, abs=1e-6)


def test_every_small_matching_by_brute_force():
    for bits in list(itertools.product((False, True), repeat=9))[::3]:
        within = np.array(bits).reshape(3, 3)
        best = max(sum(within[i, j] for i, j in enumerate(order)) for order in itertools.permutations(range(3)))
        assert greatest_matching(within, 1.0).share == Fraction(best, 3)


def test_capacity_closed_forms():
    within = np.zeros((10, 10), dtype=bool)
    within[:, 0] = True  # one target near all sources
    assert greatest_matching(within, 1.0).share == Fraction(1, 10)
    assert greatest_matching(within, 4.0).share == Fraction(4, 10)
    assert greatest_matching(within, 50.0).share == 1
    assert greatest_matching(np.zeros((4, 5), dtype=bool), 2.0).share == 0
    with pytest.raises(InvalidInput, match="capacity"):
        greatest_matching(within, 0.0)


@pytest.fixture
def proved():
    within = np.random.default_rng(4).random((30, 30)) < 0.05
    found = greatest_matching(within, 2.0)
    assert 0 < found.share < 1
    return within, found


def tampered(found, change):
    rows, columns, mass = found.plan.rows.copy(), found.plan.columns.copy(), found.plan.mass.copy()
    return dataclasses.replace(found, plan=Plan(*change(rows, columns, mass), found.plan.shape))


def test_a_tampered_proof_is_refused(proved):
    within, found = proved
    verify_matching(found, within)
    forged = [
        dataclasses.replace(found, share=found.share + Fraction(1, 30)),
        dataclasses.replace(found, witness=None),
        tampered(found, lambda r, c, m: (r[1:].copy(), c[1:].copy(), m[1:].copy())),
        tampered(found, lambda r, c, m: (r, c, 2 * m)),
        tampered(found, lambda r, c, m: (r, c, -m)),
        tampered(found, lambda r, c, m: (r, (c + 1) % 30, m)),
        tampered(found, lambda r, c, m: (np.r_[r, r], np.r_[c, c], np.r_[m, m])),
    ]
    for one in forged:
        with pytest.raises(CertificateRefused):
            verify_matching(one, within)
    more = within.copy()
    left = sorted(set(range(30)) - set(found.plan.rows.tolist()))[0]
    more[left] = True  # a source that was left over has neighbours now: the witness no longer proves anything
    with pytest.raises(CertificateRefused):
        verify_matching(found, more)


@pytest.mark.parametrize("capacity", [1.0, 3.0, 50.0])
def test_the_line_agrees_with_the_flow(capacity):
    rng = np.random.default_rng(5)
    for n, m in ((30, 30), (20, 33)):
        x, y = np.sort(rng.normal(size=n)), np.sort(rng.normal(size=m).round(1))
        for distance in (0.0, 0.01, 0.1, 0.5):
            line = OnLine(x, y)
            expected = float(greatest_matching(line.within(distance), capacity).share)
            assert line_share(x, y, mass_units(n, m, capacity), distance) == pytest.approx(expected, abs=1e-12)
            keep = rng.random(m) < 0.6
            expected = float(greatest_matching(line.within(distance) & keep, capacity).share)
            assert line.share(distance, capacity, keep) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("capacity", [1.0, 4.0])
def test_the_least_distance_is_the_least(capacity):
    rng = np.random.default_rng(6)
    x, y = rng.normal(size=(3, 40)), rng.normal(size=(3, 40))
    lines, clouds = [OnLine(*pair) for pair in zip(x, y, strict=True)], []
    for share in (0.5, 0.9, 1.0):
        distance = least_distance(lines, capacity, share)
        reached = np.mean([line.share(distance, capacity, None) for line in lines])
        below = np.mean([line.share(distance * (1 - 1e-9), capacity, None) for line in lines])
        assert below < share - 1e-12 <= reached
        clouds = [InSpace(np.abs(a[:, None] - b)) for a, b in zip(x, y, strict=True)]
        assert least_distance(clouds, capacity, share) == pytest.approx(distance, rel=1e-9)


def test_no_distance_is_enough_for_a_capacity_too_small():
    assert least_line_distance(np.zeros((1, 4)), np.zeros((1, 4)), (2, 1), 1.0) == np.inf
    assert least_line_distance(np.zeros((1, 4)), np.zeros((1, 4)), (1, 1), 1.0) == 0.0


def test_nearest_points_on_the_line():
    rng = np.random.default_rng(7)
    x, y = rng.normal(size=50), rng.normal(size=20)
    assert np.array_equal(OnLine(x, y).nearest(), np.abs(x[:, None] - y).min(axis=1))


def test_a_real_point_without_real_neighbours_vouches_for_nothing():
    first, second = np.array([0.0, 1.0, 2.0, 90.0]), np.array([0.1, 1.1, 2.1, 3.0])
    generated = np.array([0.0, 90.0, 90.02, 90.05])
    real = [OnLine(first, second), OnLine(second, first)]
    view = View("points", real, [OnLine(generated, first)], [(0,)], [(1,), (0,)])
    assert view.evaluate(4.0, 0.3).per_pair == (0.25,)
    without = View("points", real, [OnLine(generated, first)])
    assert without.evaluate(4.0, 0.3).per_pair == (1.0,), "the outlier at 90 vouches for three points"
