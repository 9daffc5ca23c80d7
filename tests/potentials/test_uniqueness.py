"""Uniqueness of plan and potentials, against linear programs over the optimal faces."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog

from otdiv import emd
from otdiv.lecture import ten_states, three_points, two_bars


def faces(result):
    """Referee: how far plan and potentials can move at the same value, by HiGHS on random directions."""
    costs, a, b = result.problem.costs(), result.problem.a, result.problem.b
    n, m = costs.shape
    rows, columns = np.kron(np.eye(n), np.ones(m)), np.kron(np.ones(n), np.eye(m))
    equations = np.vstack([rows, columns, costs.ravel()[None]])[1:]
    right = np.concatenate([a, b, [result.value]])[1:]
    rng = np.random.default_rng(0)
    plan_moves = potential_moves = 0.0
    for _ in range(3):
        direction = rng.normal(size=n * m)
        ends = [
            linprog(s * direction, A_ub=np.vstack([costs.ravel()]), b_ub=[result.value + 1e-10], A_eq=equations[:-1],
                    b_eq=right[:-1], method="highs").fun
            for s in (1, -1)
        ]  # fmt: skip
        plan_moves = max(plan_moves, -sum(ends))
        direction = rng.normal(size=n + m) * np.concatenate([a > 0, b > 0])
        # project out the constant (1, -1) on positive atoms, along which every dual may move
        constant = np.concatenate([a > 0, -(b > 0).astype(float)])
        direction -= constant * (direction @ constant) / (constant @ constant)
        ends = [
            linprog(s * direction, A_ub=np.vstack([equations_t(n, m), -np.concatenate([a, b])[None]]),
                    b_ub=np.concatenate([costs.ravel(), [-result.value + 1e-10]]), bounds=(-100, 100),
                    method="highs").fun
            for s in (1, -1)
        ]  # fmt: skip
        potential_moves = max(potential_moves, -sum(ends))
    return plan_moves < 1e-6, potential_moves < 1e-6


def moderate_weights(rng, n):
    """Zeros and ties, but no tiny masses: next to them the reference's own tolerance would move potentials."""
    raw = rng.integers(0, 5, n).astype(float)
    raw[rng.integers(n)] += 1
    return raw / raw.sum()


def equations_t(n, m):
    return np.hstack([np.kron(np.eye(n), np.ones((m, 1))), np.kron(np.ones((n, 1)), np.eye(m))])


@pytest.mark.parametrize("seed", range(40))
def test_against_the_optimal_faces(seed):
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 7, 2)
    x = rng.integers(0, 3, (n, 2)).astype(float) if seed % 2 else rng.normal(size=(n, 2))
    y = rng.integers(0, 3, (m, 2)).astype(float) if seed % 2 else rng.normal(size=(m, 2))
    result = emd(
        x, y, moderate_weights(rng, n), moderate_weights(rng, m), cost=["euclidean", "sqeuclidean"][seed % 3 % 2]
    )
    found = result.uniqueness
    assert (found.plan, found.potentials) == faces(result), found


def test_lecture_examples():
    ten = emd(*ten_states()).uniqueness
    assert not ten.plan and ten.potentials and ten.components == 1
    three = emd(*three_points()).uniqueness
    assert not three.plan
    bars = emd(*two_bars(0.05, n=4)).uniqueness  # four separate moves, each with room to spare
    assert bars.plan and not bars.potentials and bars.components == 4


def test_the_sentence_says_what_the_record_says():
    result = emd([[0.0, 0], [10, 0]], [[0.0, 1], [10, 1], [5, 5]], None, [0.5, 0.5, 0.0])
    assert str(result.uniqueness) == (
        "The optimal plan is unique; the potentials can shift in 2 components separately; "
        "1 atoms of weight zero leave theirs open."
    )
    assert emd([0.0], [1.0]).uniqueness.potentials


def test_slackness_table_adds_up_to_the_gap():
    result = emd(*ten_states())
    table = result.slackness_table()
    assert len(table.rows) == len(result.plan) and "gap" in table.notes[0]
    assert sum(float(row[2]) for row in table.rows) == pytest.approx(1.0, abs=1e-5)
    short = result.slackness_table(most=3)
    assert len(short.rows) == 3 and f"{len(result.plan) - 3} more arcs" in short.notes[0]


def test_slackness_shows_a_plan_that_is_not_optimal():
    """A wasteful plan beside good potentials: its product comes first in the table."""
    from dataclasses import replace

    from otdiv import certify

    good = emd([0.0, 1.0, 2.0], [0.0, 1.0, 2.0])
    wasteful = certify(good.problem, np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]]) / 3, (good.f, good.g))
    bad = replace(good, certificate=wasteful)
    rows = bad.slackness_table().rows
    assert float(rows[0][6]) > 0.1 and bad.slackness == pytest.approx(bad.gap, rel=1e-6)
