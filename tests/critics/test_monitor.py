"""A monitor inside a training loop: when it audits, what it hands over, what it costs, when it stops."""

from __future__ import annotations

import csv
import pickle
import time

import numpy as np
import pytest
import torch
from torch import nn

from otdiv.critics import Monitor, TrainingStopped, audit
from otdiv.errors import InvalidInput

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 2))
Y = X + [2.0, 0.0]


def perfect(z):
    return -z[:, 0]


def steep(z):
    return -3 * z[:, 0]


def test_it_audits_every_so_many_steps_and_hands_over_plain_values():
    seen = []
    monitor = Monitor(every=3, share=1.0, on_report=seen.append)
    answers = [monitor(perfect, X, Y) for _ in range(7)]
    assert [answer is not None for answer in answers] == [False, False, True, False, False, True, False]
    assert seen == monitor.reports and [report["step"] for report in seen] == [3, 6]
    report = seen[0]
    assert report["verdict"] == "agrees" and report["value"] == pytest.approx(2)
    assert report["lower"] <= 2 + 1e-9 and report["upper"] >= 2 - 1e-9 and report["exact"] == pytest.approx(2)
    assert all(value is None or type(value) in (int, float, str) for value in report.values())


def test_its_numbers_are_those_of_an_audit_of_the_same_points():
    report = Monitor(every=1, share=1.0)(steep, X, Y)
    by_hand = audit(steep, X, Y)
    assert (report["value"], report["slope_between_points"]) == (by_hand.value, by_hand.secant)
    assert (report["lower"], report["verdict"]) == (by_hand.proved.lower, "not 1-Lipschitz")


def test_the_bias_of_a_penalty_is_removed():
    report = Monitor(every=1, share=1.0, penalty=1.0)(lambda z: -2 * z[:, 0], X, Y)
    assert report["value"] == pytest.approx(4) and report["debiased"] == pytest.approx(2)
    assert report["verdict"] == "not a distance"


def test_of_many_points_some_are_drawn():
    x = np.random.default_rng(1).normal(size=(3000, 2))
    monitor = Monitor(every=1, share=1.0, points=50, rng=5)
    first, second = monitor(perfect, x, x + [2.0, 0.0]), monitor(perfect, x, x + [2.0, 0.0])
    assert first["value"] != second["value"]
    again = Monitor(every=1, share=1.0, points=50, rng=5)(perfect, x, x + [2.0, 0.0])
    assert again["value"] == first["value"]


def test_audits_take_no_more_than_their_share():
    monitor = Monitor(every=1, share=0.2)
    started = time.perf_counter()
    while time.perf_counter() - started < 1.0:
        monitor(perfect, X, Y)
        time.sleep(0.001)
    spent = sum(report["audit_seconds"] for report in monitor.reports)
    longest = max(report["audit_seconds"] for report in monitor.reports)
    # an audit starts below the share and may end one audit above it
    assert spent <= 0.2 * (time.perf_counter() - started) + longest
    assert monitor.skipped > 0


def test_a_verdict_warns_or_stops_on_request():
    with pytest.warns(UserWarning, match=r"step 1: Verdict: not 1-Lipschitz"):
        Monitor(every=1, share=1.0, on_verdict="warn")(steep, X, Y)
    with pytest.raises(TrainingStopped, match=r"step 1: Verdict: not 1-Lipschitz") as stopped:
        Monitor(every=1, share=1.0, on_verdict="stop")(steep, X, Y)
    assert stopped.value.report["value"] == pytest.approx(6)
    assert pickle.loads(pickle.dumps(stopped.value)).report == stopped.value.report
    assert Monitor(every=1, share=1.0, on_verdict="stop")(perfect, X, Y)["verdict"] == "agrees"


def test_reports_become_rows_of_a_file(tmp_path):
    file = tmp_path / "critic.csv"
    monitor = Monitor(every=1, share=1.0, csv_file=file)
    monitor(perfect, X, Y)
    monitor(steep, X, Y)
    with file.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["verdict"] for row in rows] == ["agrees", "not 1-Lipschitz"]
    assert float(rows[1]["value"]) == monitor.reports[1]["value"]


def test_a_module_in_training_is_left_as_it_is():
    net = nn.Sequential(nn.Linear(2, 8), nn.Dropout(0.5), nn.ReLU(), nn.Linear(8, 1))
    loss = net(torch.from_numpy(X).float()).mean()
    loss.backward()
    before = [p.grad.clone() for p in net.parameters()]
    fake = (torch.from_numpy(Y).float()).requires_grad_(True) * 1.0
    assert Monitor(every=1, share=1.0)(net, torch.from_numpy(X).float(), fake) is not None
    assert net.training and all(torch.equal(p.grad, g) for p, g in zip(net.parameters(), before, strict=True))


def test_settings_are_checked(tmp_path):
    for settings, said in (
        ({"every": 0}, "every must be"),
        ({"points": -1}, "points must be"),
        ({"share": 0.0}, "share must lie"),
        ({"on_verdict": "shout"}, "on_verdict must be one of"),
        ({"csv_file": tmp_path / "none" / "c.csv"}, "csv_file"),
    ):
        with pytest.raises(InvalidInput, match=said):
            Monitor(**settings)
