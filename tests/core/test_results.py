"""Every answer with an interval offers the same names, and progress and budgets behave alike for all."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import otdiv
from otdiv.core.bounds import Status
from otdiv.core.budget import Budget, Stopped
from otdiv.core.memory import row_blocks
from otdiv.core.progress import ProgressEvent, reporting
from otdiv.core.results import Result
from otdiv.core.validation import as_rng
from otdiv.duality import solve_game
from otdiv.errors import InvalidInput
from otdiv.lipschitz import spectral_norm

X, Y = [[0.0, 0.0], [1.0, 0.0]], [[0.0, 1.0], [1.0, 2.0]]
ANSWERS = {
    "emd": lambda: otdiv.emd(X, Y),
    "wasserstein": lambda: otdiv.wasserstein(X, Y, p=2),
    "compare": lambda: otdiv.compare(X, Y)["w1_primal"],
    "a divergence": lambda: otdiv.compare(X, Y)["js"],
    "game": lambda: solve_game([[3, -1], [-2, 4]]),
    "spectral norm": lambda: spectral_norm([[1.0, 2.0], [3.0, 4.0]]),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_a_result(name):
    answer = ANSWERS[name]()
    assert isinstance(answer, Result)
    rounding = 1e-12 * abs(answer.value)
    assert answer.lower - rounding <= answer.value <= answer.upper + rounding
    assert answer.gap == pytest.approx(answer.upper - answer.lower) and answer.gap >= 0
    assert answer.status is Status.OPTIMAL and len(answer.message) > 5
    assert answer.nit >= 0 and (answer.seconds > 0 or np.isnan(answer.seconds))


def test_a_bare_number_is_no_result():
    assert not isinstance(1.0, Result) and not isinstance(otdiv.Bounds(0.0, 1.0), Result)


def test_a_budget_stops_reports_and_counts():
    events, ticks = [], map(float, itertools.count())
    budget = Budget("work", 2.5, events.append, ticks.__next__)
    budget.require_time()
    budget.report(1.0, 2.0, points=7)
    assert events == [ProgressEvent("work", 2.0, 1.0, 2.0, events[0].share, {"points": 7})]
    with pytest.raises(Stopped, match="the time limit"):
        budget.require_time()
    with budget.timed("part"), budget.timed("part"):
        pass
    assert budget.stats["parts"]["part"] >= 0
    assert Budget("work").deadline == np.inf


def test_an_event_is_one_line():
    event = ProgressEvent("multiscale", 1.25, 0.5, 0.75, counts={"points": 1200, "arcs": 3})
    assert event.line == "multiscale: 1.2 s, 1200 points, 3 arcs, in [0.5, 0.75]"
    assert ProgressEvent("training", 2.0, share=0.5).line == "training: 2.0 s, 50 %"


def test_progress_goes_where_it_is_sent(capsys):
    seen = []
    with reporting(seen.append) as report:
        report(ProgressEvent("a", 0.0))
    with reporting(False) as report:
        assert report is None
    assert len(seen) == 1 and capsys.readouterr().err == ""
    with reporting(True) as report:
        report(ProgressEvent("a", 0.0))
    assert "otdiv a: 0.0 s" in capsys.readouterr().err


@pytest.mark.parametrize("entries", [1, 10, 100, 10**9])
def test_blocks_of_rows_join(entries):
    blocks = list(row_blocks(37, 10, entries))
    assert [k for rows in blocks for k in range(rows.start, rows.stop)] == list(range(37))
    assert all((rows.stop - rows.start) * 10 <= max(entries, 10) for rows in blocks)


def test_rng_is_what_scipy_takes():
    generator = np.random.default_rng(0)
    assert as_rng(generator) is generator
    assert as_rng(3).random() == np.random.default_rng(3).random()
    assert as_rng(None).random() != as_rng(None).random()
    for wrong in (-1, 1.5, True, "seed", np.random):
        with pytest.raises(InvalidInput, match="rng must be a non-negative integer"):
            as_rng(wrong)
