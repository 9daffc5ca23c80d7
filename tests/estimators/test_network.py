"""A neural network among the discriminator's classifiers: what it finds, that it is asked for, and its seeds."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from otdiv.errors import InvalidInput, MissingPackage
from otdiv.estimators import estimate_divergence, estimate_divergences
from otdiv.estimators.arguments import as_samples
from otdiv.estimators.discriminator import CrossFit
from otdiv.estimators.divergence import _by_discriminator
from otdiv.estimators.generators import as_generator
from otdiv.estimators.network import network_learner
from otdiv.estimators.one_step import one_step

PARITY_KL = 0.693145
"""Of the pair below, by Gauss-Hermite quadrature; log 2 less what the overlap of groups of sd 0.2 takes."""


def parity(n, seed, d=3):
    """Three of d coordinates around +-1, sd 0.2, all turned: the signs of the first sample multiply to +1."""
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.normal(size=(d, d)))[0]
    signs, z = rng.choice([-1.0, 1.0], size=(2, n, 3)), rng.normal(size=(2, n, d))
    signs[0, :, 2] = signs[0, :, 0] * signs[0, :, 1]
    z[:, :, :3] = signs + 0.2 * z[:, :, :3]
    return z @ turn


def logits(seed=0, decay=1.0, points=300):
    x, y = parity(points, 0)
    labels = np.repeat([1.0, 0.0], points)
    fresh = np.concatenate(parity(500, 0))
    return network_learner(seed, decay)(np.concatenate([x, y]), labels)(fresh)


@pytest.mark.slow
def test_it_learns_what_no_two_columns_show():
    pytest.importorskip("torch")
    found = logits()
    right = (found > 0) == (np.arange(1000) < 500)
    assert right[:500].mean() > 0.85 and 0.35 < right[500:].mean() < 0.65  # half of the second sample has parity +1


@pytest.mark.slow
def test_a_seed_repeats_and_no_global_generator_moves():
    torch = pytest.importorskip("torch")
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    assert (logits(1, points=60) == logits(1, points=60)).all() and (logits(1, points=60) != logits(2, points=60)).any()
    assert (torch.get_rng_state() == torch_state).all()
    assert (np.random.get_state()[1] == numpy_state).all()  # noqa: NPY002


@pytest.mark.long
def test_the_estimate_takes_it_where_it_has_the_least_loss():
    pytest.importorskip("torch")
    x, y = parity(500, 3, d=5)
    without = estimate_divergence(x, y, lower_bound=False, rng=0)
    found, js = estimate_divergences(x, y, ["kl", "js"], lower_bound=False, network=True, rng=0)
    assert "neural network" in found.reason and "neural network" not in without.reason
    assert found.lower < PARITY_KL < found.upper
    assert without.details["held_out"] < found.details["held_out"] < PARITY_KL  # of these each is a lower bound
    assert found.details["log_loss"] < without.details["log_loss"]
    assert any("held-out mean" in flag for flag in found.flags) == (
        found.details["fitted"] > 3 * found.details["held_out"]
    )
    assert 0 < js.lower <= js.value <= js.upper <= np.log(2)


def test_it_is_used_when_asked_for_only():
    code = (
        "import sys, numpy as np; from otdiv.estimators import estimate_divergence;"
        "z = np.random.default_rng(0).normal(size=(2, 40)); estimate_divergence(z[0], z[1], lower_bound=False, rng=0);"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_without_torch_the_remedy_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    x, y = np.random.default_rng(0).normal(size=(2, 500, 2))
    assert estimate_divergence(x[:40], y[:40], lower_bound=False, rng=0).method == "discriminator"
    with pytest.raises(MissingPackage, match=r"pip install 'otdiv\[torch\]'"):
        estimate_divergence(x, y, network=True, lower_bound=False, rng=0)


@pytest.mark.parametrize("method", ["knn", "gaussian"])
def test_it_belongs_to_the_discriminator(method):
    x, y = np.random.default_rng(0).normal(size=(2, 40, 2))
    with pytest.raises(InvalidInput, match=r"network must be left out; got True for method="):
        estimate_divergence(x, y, method=method, network=True)
    with pytest.raises(InvalidInput, match=r"network must be left out below 1000 points; got True for 80"):
        estimate_divergence(x, y, network=True)
    with pytest.raises(InvalidInput, match=r"network must be left out; got True for method='histogram'"):
        estimate_divergence([0, 1] * 20, [0, 1] * 20, network=True)


@pytest.mark.parametrize(("half", "flagged"), [(0.45, False), (0.0, True)])
def test_a_value_that_is_mostly_extrapolated_is_flagged(half, flagged):
    """Log ratios +-0.5 held out, and +-``half`` from half of the data; on each side 5/8 of the signs are right."""
    signs = np.array([1.0, 1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0] * 25)
    fit = CrossFit("boosting", (0.5 * signs, -0.5 * signs), (half * signs, -half * signs), True, 0.65)
    x, y = np.random.default_rng(0).normal(size=(2, 200, 1))
    found = _by_discriminator(as_samples(x, y, 20), as_generator("kl"), fit, 0.95, "asked for", None, lambda: 1.0)
    assert any("half of the data teach" in flag for flag in found.flags) == flagged != found.reliable
    assert found.details["fitted"] > found.details["held_out"] > 0


def test_a_classifier_that_half_of_the_data_mislead_counts_as_the_constant_one():
    """Wrong log ratios have a mean below 0, that of the ratio 1; what is gained since is not more than all of it."""
    signs = np.array([1.0, 1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0] * 25)
    held_out, generator = (0.5 * signs, -0.5 * signs), as_generator("kl")
    nothing, misled = (one_step(generator, held_out, (half * signs, -half * signs), True, 0.95) for half in (0.0, -2.0))
    assert nothing == misled and nothing.fitted > 3 * nothing.held_out > 0
