"""Sixty critics, good and bad, each with the verdict that it deserves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from otdiv import emd
from otdiv.critics import audit
from otdiv.datasets import shift
from otdiv.errors import InvalidInput
from tests.critics.gallery import networks as nets
from tests.critics.gallery.domains import domain, far, same

DOMAINS = ("line", "plane", "eight", "images")
REFUSED = "refused"
"""Expected in place of a verdict: an error, of which a part is given."""


def of_potential(name: str, change) -> tuple[Any, Any, Any]:
    """A critic made of the exact potential, and its points."""
    x, y, _, potential = domain(name)
    return (lambda z: change(potential(z), z)), x, y


def flat(z):
    return z.reshape(len(z), -1)


FUNCTIONS = {
    "exact": (lambda f, z: f, "agrees"),
    "wrong sign": (lambda f, z: -f, "agrees"),
    "shifted": (lambda f, z: f + 100.0, "agrees"),
    "three times too steep": (lambda f, z: 3 * f, "not 1-Lipschitz"),
    "a third of the scale": (lambda f, z: f / 3, "underfit"),
    "constant": (lambda f, z: 0 * f + 1.0, "underfit"),
    "rippled": (lambda f, z: f + 0.05 * np.sin(200 * flat(z)[:, 0]), "not 1-Lipschitz"),
}
FUNCTIONS["squashed"] = (lambda f, z: np.tanh(f) / 2, "underfit")

IN_EIGHT = {
    "linear layer": (lambda: nets.linear(8), "agrees"),
    "two ReLU units": (lambda: nets.wide(), "agrees"),
    "two ReLU units, too steep": (lambda: nets.wide(slope=2.0), "not 1-Lipschitz"),
    "half precision": (lambda: nets.linear(8).half(), "agrees"),
    "half precision, too steep": (lambda: nets.linear(8, 2.0).half(), "not 1-Lipschitz"),
    "bfloat16": (lambda: nets.linear(8).bfloat16(), "agrees"),
    "bfloat16, half the scale": (lambda: nets.linear(8, 0.5).bfloat16(), "underfit"),
    "double precision": (lambda: nets.linear(8).double(), "agrees"),
    "batch norm in evaluation": (lambda: nets.normalised(), "agrees"),
    "batch norm in evaluation, too steep": (lambda: nets.normalised(2.0), "not 1-Lipschitz"),
    "dropout in training": (lambda: nn.Sequential(nets.linear(8), nn.Dropout(0.5)), "agrees"),
    "dropout in training, too steep": (lambda: nn.Sequential(nets.linear(8, 2.0), nn.Dropout(0.5)), "not 1-Lipschitz"),
    "sigmoid at the end": (lambda: nets.Made(lambda s, z: torch.sigmoid(s)), "underfit"),
    "a hard decision": (lambda: nets.Made(lambda s, z: torch.sign(s - s.detach() + s)), "not 1-Lipschitz"),
    "zeros without a graph": (lambda: nets.Made(lambda s, z: torch.zeros(len(z))), "underfit"),
    "detached": (lambda: nets.Made(lambda s, z: s.detach()), "agrees"),
    "detached, too steep": (lambda: nets.Made(lambda s, z: 3 * s.detach()), "not 1-Lipschitz"),
    "no gradient at the origin": (lambda: nets.Made(lambda s, z: s + 0 * (z**2).sum(1).sqrt()), "agrees"),
    "data parallel": (lambda: nn.DataParallel(nets.linear(8)), "agrees"),
    "layer norm": (lambda: nn.Sequential(nn.LayerNorm(8), nets.linear(8, 0.1)), "underfit"),
    "layer norm, as steep as 1 / deviation": (
        lambda: nn.Sequential(nn.LayerNorm(8), nets.linear(8, 0.5)),
        "not 1-Lipschitz",
    ),
    "column of values": (lambda: nets.Made(lambda s, z: s[:, None]), "agrees"),
}

REFUSALS = {
    "batch norm in training": (
        lambda: nn.Sequential(nn.BatchNorm1d(8), nets.linear(8)),
        "no batch normalisation in training",
    ),
    "batch norm without statistics": (
        lambda: nn.Sequential(nn.BatchNorm1d(8, track_running_stats=False), nets.linear(8)).eval(),
        "no batch normalisation",
    ),
    "normalised by the batch": (lambda: nets.Made(lambda s, z: (s - s.mean()) / (1 + s.std())), "same value beside"),
    "dropout left on": (
        lambda: nets.Made(lambda s, z: nn.functional.dropout(s + 1, 0.4, training=True)),
        "same value beside",
    ),
    "NaN weight": (nets.poisoned, "finite weights"),
    "NaN values": (lambda: nets.Made(lambda s, z: s * float("nan")), "finite values"),
    "infinite in half precision": (lambda: nets.Made(lambda s, z: (70000 * (s + 5)).half()), "finite values"),
    "a tuple": (lambda: nets.several("tuple"), "a tuple of 2"),
    "a dict": (lambda: nets.several("dict"), "a dict with 'features', 'score'"),
    "nothing returned": (lambda: nets.several("none"), "None"),
    "features": (lambda: nets.Made(lambda s, z: z), "one value a point"),
    "complex": (lambda: nets.Made(lambda s, z: s + 1j), "return numbers"),
    "another input size": (lambda: nets.linear(7), "points of dimension 8"),
    "a fixed batch": (lambda: nets.Made(lambda s, z: s.reshape(60)), "points of dimension 8"),
    "without a size": (lambda: nn.LazyLinear(1), "lazy layer"),
    "without values": (lambda: nn.Linear(8, 1, device="meta"), "meta device"),
}


@pytest.mark.parametrize("where", DOMAINS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name, where):
    change, expected = FUNCTIONS[name]
    report = audit(*of_potential(where, change))
    assert report.verdict.word == expected, report.verdict.message
    assert report.exact == pytest.approx(domain(where).w1, rel=1e-6) and report.flipped is (name == "wrong sign")
    assert report.proved.lower <= report.exact * (1 + 1e-9)


@pytest.mark.parametrize("name", IN_EIGHT)
def test_modules(name):
    make, expected = IN_EIGHT[name]
    report = audit(make(), domain("eight").x, domain("eight").y)
    assert report.verdict.word == expected, report.verdict.message


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals(name):
    make, said = REFUSALS[name]
    torch.manual_seed(0)
    with pytest.raises(InvalidInput, match=said):
        audit(make(), domain("eight").x, domain("eight").y)


@pytest.mark.parametrize(("slope", "expected"), [(1.0, "agrees"), (2.0, "not 1-Lipschitz"), (0.4, "underfit")])
def test_convolutions(slope, expected):
    assert audit(nets.pixel(slope), domain("images").x, domain("images").y).verdict.word == expected


@pytest.mark.parametrize(("form", "output"), [("tuple", 1), ("dict", "score")])
def test_selected_outputs(form, output):
    report = audit(nets.several(form), domain("eight").x, domain("eight").y, output=output)
    assert report.verdict.word == "agrees"


@pytest.mark.parametrize(
    ("factor", "penalty", "expected"),
    [
        (1.1, 10.0, "not a distance"),
        (1.1, 1000.0, "not 1-Lipschitz"),
        (1.0, 1e6, "agrees"),
        (2.0, 1.0, "not a distance"),
    ],
)
def test_penalised_critics(factor, penalty, expected):
    """With penalty lambda the optimal critic is 1 + W / (2 lambda) times too steep: 1.1 for W = 2, lambda = 10."""
    report = audit(*of_potential("eight", lambda f, z: factor * f), penalty=penalty)
    assert report.verdict.word == expected, report.verdict.message


HELD_OUT = {
    "none": ("empirical", "agrees"),
    "new": ("empirical", "overfit"),
    "leaked": ("empirical", "agrees"),
    "leaked, of the distribution": ("population", "unchecked"),
    "new, of the distribution": ("population", "overfit"),
}


@pytest.mark.parametrize("name", HELD_OUT)
def test_a_critic_that_has_memorised_its_points(name):
    estimand, expected = HELD_OUT[name]
    sample, other = same()
    memorised, _ = emd(sample.x, sample.y).potential_functions()
    held_out = {"none": None, "new": (other.x, other.y), "leaked": (sample.x, sample.y)}[name.split(",")[0]]
    report = audit(memorised, sample.x, sample.y, held_out=held_out, estimand=estimand)
    assert report.verdict.word == expected, report.verdict.message
    assert any("among those of the audit" in note for note in report.notes) is name.startswith("leaked")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda f: f, "reference is biased"),
        (lambda f: 5 * f, "not 1-Lipschitz"),
        (lambda f: 1 + 0 * f, "reference is biased"),
    ],
    ids=["exact", "too steep", "constant"],
)
def test_of_distributions_in_high_dimension(change, expected):
    sample = far()
    report = audit(lambda z: change(shift(32, 1.0).potential(z)), sample.x, sample.y, estimand="population")
    assert report.verdict.word == expected and (report.verdict.standing == "unchecked") is (expected[:3] == "ref")


def test_a_constant_is_no_distance_of_distributions_where_the_samples_can_say_so():
    sample = shift(2, 3.0).independent(100, np.random.default_rng(3))
    report = audit(lambda z: np.ones(len(z)), sample.x, sample.y, estimand="population")
    assert report.verdict.word == "underfit" and "sampling error" in report.verdict.reason


def test_arrays_of_values():
    x, y, _, potential = domain("plane")
    assert audit((potential(x), potential(y)), x, y).verdict.word == "agrees"
    assert audit((2 * potential(x), 2 * potential(y)), x, y).verdict.word == "not 1-Lipschitz"
    with pytest.raises(InvalidInput, match="finite"):
        audit((potential(x) * np.nan, potential(y)), x, y)


def test_weighted_points():
    x, y, _, potential = domain("eight")
    a = np.random.default_rng(5).dirichlet(np.ones(60))
    assert audit(potential, x, y, a, a).verdict.word == "agrees"
    assert audit(lambda z: 3 * potential(z), x, y, a, a).verdict.word == "not 1-Lipschitz"


def test_the_gallery_has_sixty_critics():
    assert len(FUNCTIONS) * len(DOMAINS) + len(IN_EIGHT) + len(REFUSALS) + len(HELD_OUT) + 3 + 2 + 4 + 3 >= 60
