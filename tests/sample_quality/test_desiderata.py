"""The public sanity suite as made again in benchmarks: its rows, its criteria on curves made by hand, a few checks."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="module")
def suite():
    path = Path(__file__).parents[2] / "benchmarks" / "desiderata.py"
    if not path.exists():
        pytest.skip("the benchmarks are not here")
    spec = importlib.util.spec_from_file_location("desiderata", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["desiderata"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["desiderata"]


def curve(*values):
    return dict(enumerate(map(float, values)))


def test_there_are_30_rows(suite):
    assert len(suite.CHECKS) == 15 and sum(len(check.desiderata) for check in suite.CHECKS) == 30


def test_shapes_are_recognised(suite):
    bell = suite.bell(1)
    assert bell(curve(0, 1, 0)) and not bell(curve(0.9, 1, 0)) and not bell(curve(0, 1, 0, 1.2, 0))
    assert suite.falls(curve(1, 0.5, 0)) and not suite.falls(curve(1, 0.9)) and not suite.falls(curve(0.5, 1, 0))
    assert suite.rises(curve(0, 1)) and not suite.rises(curve(1, 0))
    assert suite.flat(curve(1, 0.96)) and not suite.flat(curve(1, 0.94))
    assert suite.converges({100.0: 0.0, 2000.0: 1.0, 9000.0: 1.0})
    assert not suite.converges({100.0: 1.0, 2000.0: 0.9, 9000.0: 1.0})
    assert suite.falls_by(1)(curve(1, 0.85, 0)) and not suite.falls_by(1)(curve(1, 0.95, 0))
    assert suite.at("max", suite.one)(curve(0, 0.96)) and not suite.at("min", suite.one)(curve(0.94, 1))
    assert suite.low_or_high(0.97) == "high" and suite.low_or_high(0.01) == "low" and not suite.low_or_high(0.5)


def test_low_in_one_dimension_and_high_in_another_is_no_pass(suite):
    check = next(check for check in suite.CHECKS if check.name == "sd difference")
    low, high = {0.1: 0.0, 1.0: 1.0, 10.0: 0.0}, {0.1: 0.0, 1.0: 1.0, 10.0: 1.0}
    both = {1: {"diversity": low}, 8: {"diversity": high}}
    assert suite.verdict(check, "bounds", {1: {"diversity": low}, 8: {"diversity": low}}, "diversity") == (True, "")
    assert suite.verdict(check, "bounds", both, "diversity") == (False, "low and high")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["scaling one column", "mean difference + Pareto"])
def test_fidelity_and_diversity_pass(suite, name):
    check = next(check for check in suite.CHECKS if check.name == name)
    measured = suite.run_check(check, 1)
    for desideratum in check.desiderata:
        assert suite.verdict(check, desideratum, measured, "fidelity") == (True, "")
        assert suite.verdict(check, desideratum, measured, "diversity") == (True, "")
    swapped = {
        group: {"fidelity": {-x: 1 - v for x, v in curves["fidelity"].items()}} for group, curves in measured.items()
    }
    assert not all(suite.verdict(check, d, swapped, "fidelity")[0] for d in check.desiderata)


def test_samples_are_what_they_say(suite):
    rng = np.random.default_rng(0)
    torus, ball = suite.torus(rng, 500), suite.ball(rng, 500, 3, 0.8)
    from_axis = np.hypot(torus[:, 0], torus[:, 1]) - 1
    assert (np.hypot(from_axis, torus[:, 2]) <= 0.1 + 1e-12).all() and (np.linalg.norm(ball, axis=1) <= 0.8).all()
    assert np.linalg.norm(suite.sphere(rng, 50, 16, 2.0), axis=1) == pytest.approx(np.full(50, 2.0))
