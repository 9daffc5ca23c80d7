"""The reference of an audit: which sizes are solved exactly, what is said, and the exit codes that follow."""

from __future__ import annotations

import json

import numpy as np
import pytest

from otdiv import DiscreteMeasure, TransportProblem
from otdiv.cli.main import main
from otdiv.cli.networks._standing import EXIT_CODES, EXIT_CODES_HELP
from otdiv.critics import audit, estimate
from otdiv.critics.auditing import reference
from otdiv.critics.auditing.diagnostics import slopes
from otdiv.critics.auditing.verdict import Evidence, judge
from otdiv.datasets import shift
from otdiv.transport.solve import solve

RNG = np.random.default_rng(0)


def problem_of(n, m, d, weights=None):
    x, y = np.random.default_rng(1).normal(size=(n, d)), np.random.default_rng(2).normal(size=(m, d))
    return TransportProblem(DiscreteMeasure(x, weights), DiscreteMeasure(y))


@pytest.mark.parametrize(
    ("n", "m", "d", "seconds"),
    [(3000, 3000, 3, 0.18), (10_000, 10_000, 2, 1.0), (10_000, 10_000, 64, 3.0), (10_000, 100, 3, 0.0355)],
)
def test_the_rule_is_the_measured_table(n, m, d, seconds):
    assert reference.predicted_seconds(problem_of(n, m, d)) == pytest.approx(seconds, rel=0.05)


def test_the_rule_knows_the_line_the_weights_and_the_dimension():
    line = problem_of(1000, 1000, 1)
    assert reference.predicted_seconds(line) < 0.001 < reference.predicted_seconds(problem_of(1000, 1000, 2))
    weighted = problem_of(1000, 1000, 2, np.random.default_rng(0).dirichlet(np.ones(1000)))
    assert reference.predicted_seconds(weighted) == pytest.approx(
        3 * reference.predicted_seconds(problem_of(1000, 1000, 2))
    )
    wide, wider = (reference.predicted_seconds(problem_of(100, 100, d)) for d in (64, 128))
    assert wider == pytest.approx(2 * wide)


@pytest.mark.slow
def test_three_thousand_points_in_space_are_checked_exactly():
    sample = shift(3).sample(3000, RNG)
    report = audit(shift(3).potential, sample.x, sample.y)
    assert report.reference == "exact transport of 3 000 and 3 000 points in 3-D" and report.reference in repr(report)
    assert report.exact == pytest.approx(sample.w1, rel=1e-9) and report.verdict.standing == "believed"


@pytest.mark.slow
def test_beyond_the_limit_an_interval_is_the_reference_and_is_said(monkeypatch):
    sample = shift(2).sample(400, RNG)
    monkeypatch.setattr(reference, "AFFORDABLE_SECONDS", 1e-4)
    report = audit(shift(2).potential, sample.x, sample.y)
    assert "proved interval" in report.reference and "exact transport would take about" in report.reference
    found = reference.find_reference(TransportProblem(DiscreteMeasure(sample.x), DiscreteMeasure(sample.y)))
    assert found.result.lower <= sample.w1 * (1 + 1e-9) and sample.w1 <= found.result.upper * (1 + 1e-9)
    answer = estimate(sample.x[:50], sample.y[:50], steps=5)
    assert answer.exact is None and answer.verdict.standing == "unchecked" and "would take" in answer.message


def test_an_interval_too_wide_leaves_the_critic_unchecked():
    known = {
        "estimand": "empirical", "value": 1.0, "error": 0.1, "held_out": None, "exact": 1.0, "scale": 1.0,
        "secant": 1.0, "proved_lower": 1.0, "null_floor": 0.1, "debiased": None,
    }  # fmt: skip
    assert judge(Evidence(**known)).standing == "believed"
    assert judge(Evidence(**known, exact_gap=0.01)).standing == "believed"
    assert judge(Evidence(**known, exact_gap=0.2)).standing == "unchecked"
    constant = known | {"estimand": "population", "value": 0.0, "error": 0.0, "null_floor": 0.3}
    assert judge(Evidence(**constant)).standing == "not believed"  # the samples' own error explains 0.6 of it
    assert judge(Evidence(**constant | {"null_floor": 0.6})).standing == "unchecked"


def test_of_many_points_the_pairs_of_the_plan_are_always_scanned(monkeypatch):
    from otdiv.critics.auditing import diagnostics

    monkeypatch.setattr(diagnostics, "SCANNED", 20)
    problem = problem_of(300, 300, 2)
    exact = solve(problem)
    fx, fy = exact.f.copy(), -exact.g
    k = int(
        np.argmax(np.linalg.norm(problem.mu.points[exact.plan.rows] - problem.nu.points[exact.plan.columns], axis=1))
    )
    fx[exact.plan.rows[k]] += 5.0
    steepest, broken = slopes(exact, fx, fy)
    assert steepest > 1.5 and 0 <= broken <= 1


def test_exit_codes_tell_unchecked_from_believed(tmp_path, capsys):
    pair = shift(32, 1.0)
    free = pair.independent(100, np.random.default_rng(2))
    names = {}
    for name, array in (("a", free.x), ("b", free.y), ("fx", pair.potential(free.x)), ("fy", pair.potential(free.y))):
        names[name] = str(tmp_path / f"{name}.npy")
        np.save(names[name], array)

    def run(*argv):
        with pytest.raises(SystemExit) as stop:
            main(list(argv))
        return stop.value.code

    command = ("audit", names["a"], names["b"], "--values", names["fx"], names["fy"], "--json")
    assert run(*command, "--estimand", "population") == EXIT_CODES["unchecked"] == 3
    assert json.loads(capsys.readouterr().out)["standing"] == "unchecked"
    assert run(*command) == EXIT_CODES["not believed"] == 1
    assert json.loads(capsys.readouterr().out)["verdict"] == "underfit"
    for name in ("audit", "critic"):
        assert run(name, "--help") == 0
        assert "3: unchecked" in capsys.readouterr().out.replace("\n", " ") and "3: unchecked" in EXIT_CODES_HELP
