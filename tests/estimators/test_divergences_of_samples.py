"""KL, JS, total variation and Hellinger of samples: every method against closed forms, and what is refused.

The draws are seeded; a bound that holds with confidence 1 - a is asked to hold for the seeds here, which a correct
method would miss with probability a for each.
"""

from __future__ import annotations

import json
import math
import pickle

import numpy as np
import pytest
from scipy.stats import norm

import otdiv
from otdiv.divergences import GENERATORS, ConvexGenerator, js, kl
from otdiv.errors import InvalidInput
from otdiv.estimators import Estimate, divergence_lower_bound, estimate_divergence, estimate_divergences
from otdiv.measures.discrete import DiscreteMeasure

TRUE = {
    "kl": 0.5,
    "reverse_kl": 0.5,
    "js": 0.11142,
    "tv": 2 * norm.cdf(0.5) - 1,
    "hellinger": 1 - math.exp(-1 / 8),
    "chi_square": math.e - 1,
}
"""Of two normal distributions of variance 1, one apart."""


def shifted(n: int, d: int = 1, length: float = 1.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    draws = np.random.default_rng(seed).normal(size=(2, n, d))
    return draws[0], draws[1] + length / math.sqrt(d)


@pytest.fixture(scope="module")
def one_apart() -> tuple[Estimate, ...]:
    return estimate_divergences(*shifted(800), list(TRUE), rng=0)


@pytest.mark.parametrize("place", range(len(TRUE)), ids=list(TRUE))
def test_the_discriminator_covers_closed_forms(one_apart, place):
    found, truth = one_apart[place], list(TRUE.values())[place]
    assert found.method == "discriminator"
    assert found.lower < truth < found.upper  # missed by 5 % of all seeds
    assert found.lower <= found.value <= found.upper
    assert found.lower_bound is not None
    assert 0 < found.lower_bound.value < truth  # missed by 5 % of all seeds
    assert abs(found.value - truth) < 4 * found.standard_error


def test_one_and_several_agree():
    alone = estimate_divergence(*shifted(150), "kl", lower_bound=False, rng=0)
    assert alone == estimate_divergences(*shifted(150), ["js", "kl"], lower_bound=False, rng=0)[1]


@pytest.mark.parametrize("method", ["knn", "gaussian"])
@pytest.mark.parametrize("name", ["kl", "reverse_kl", "js", "tv", "hellinger"])
def test_neighbours_are_near_closed_forms(method, name):
    found = estimate_divergence(*shifted(800, seed=1), name, method=method, lower_bound=False, rng=0)
    assert abs(found.value - TRUE[name]) < 4 * found.standard_error + 0.01  # 0.01: their bias on the line


def test_a_generator_is_taken_as_it_is():
    generator = ConvexGenerator(
        "squares", lambda t: (t - 1) ** 2, at_zero=1.0, slope_at_infinity=math.inf, derivative=lambda t: 2 * (t - 1)
    )
    samples = shifted(150)
    given = estimate_divergence(*samples, generator, lower_bound=False, rng=0)
    named = estimate_divergence(*samples, "chi_square", lower_bound=False, rng=0)
    assert given.value == pytest.approx(named.value, rel=1e-12)
    assert given.name == "D_squares(P || Q)"


def test_reverse_kl_is_kl_of_exchanged_samples():
    x, y = shifted(1000, seed=2)
    reverse = estimate_divergence(x, y, "reverse_kl", method="knn", lower_bound=False)
    assert reverse.value == pytest.approx(estimate_divergence(y, x, "kl", method="knn", lower_bound=False).value)


@pytest.mark.slow
@pytest.mark.parametrize("d", [10, pytest.param(20, marks=pytest.mark.long)])
def test_the_bias_in_high_dimension_is_at_most_half_of_the_neighbours(d):
    """Mean of three samples: its standard error is 0.05, a third of the limit; false alarm below 1 %."""
    errors = {"knn": 0.0, "discriminator": 0.0}
    for method in errors:
        for seed in range(3):
            x, y = shifted(1000, d, math.sqrt(2), seed=seed)
            found = estimate_divergence(x, y, method=method, lower_bound=False, rng=seed)
            errors[method] += (found.value - 1) / 3
    assert errors["knn"] < -0.15
    assert abs(errors["discriminator"]) < 0.5 * abs(errors["knn"])


def test_equal_distributions_have_zero_in_the_interval():
    for seed in range(2):
        for found in estimate_divergences(*shifted(150, 2, 0.0, seed), ["kl", "js", "tv", "hellinger"], rng=seed):
            assert found.lower == 0.0 and found.value < 0.15
            assert found.lower_bound is not None and found.lower_bound.value == 0.0


def test_separated_samples_say_that_the_upper_end_is_open():
    x, y = shifted(100, 1, 40.0)
    found, bounded = estimate_divergences(x, y, ["kl", "js"], rng=0)
    assert found.upper == math.inf and not found.reliable and "open" in found.flags[0]
    assert found.value <= found.ceiling and found.lower_bound is not None and found.lower_bound.value > 1.0
    assert bounded.reliable and bounded.upper <= math.log(2) + 1e-12
    assert bounded.value > 0.9 * math.log(2)


def test_ceilings():
    x, y = shifted(200)
    ceilings = [found.ceiling for found in estimate_divergences(x, y, ["kl", "js", "tv"], lower_bound=False, rng=0)]
    assert ceilings[0] == pytest.approx(math.log(200), abs=0.1)
    assert ceilings[1:] == pytest.approx([math.log(2), 1.0])


@pytest.mark.parametrize("method", ["knn", "discriminator", "auto", "gaussian"])
def test_rounded_data_stay_near_the_truth(method):
    """Normal, 2 apart, rounded to 0.1: KL = 2; nearest neighbours without care return 10 or 328."""
    x, y = shifted(1000, 1, 2.0, seed=3)
    found = estimate_divergence(np.round(x, 1), np.round(y, 1), method=method, lower_bound=False, rng=0)
    assert 1.5 < found.value < 2.5
    if method in ("knn", "gaussian"):
        assert "ties" in found.reason


def test_repeated_points_and_constants():
    x, y = (np.repeat(side, 2, axis=0) for side in shifted(50))
    found = estimate_divergence(x, y, method="discriminator", lower_bound=False, rng=0)
    assert found.lower < 0.5 < found.upper
    with pytest.raises(InvalidInput, match="vary, for a ratio of densities"):
        estimate_divergence(np.zeros(50), np.ones(50), method="knn")


P, Q = np.array([0.5, 0.3, 0.2]), np.array([0.3, 0.3, 0.4])


@pytest.mark.parametrize(("name", "exact"), [("kl", float(kl(P, Q))), ("js", float(js(P, Q))), ("tv", 0.2)])
def test_the_histogram_of_categories(name, exact):
    rng = np.random.default_rng(4)
    x, y = rng.choice(3, size=2000, p=P), rng.choice(3, size=2000, p=Q)
    found = estimate_divergence(x, y, name, rng=0)
    assert found.method == "histogram" and found.reliable
    assert found.lower < exact < found.upper  # missed by 5 % of all seeds
    assert found.details["p_value"] < 1e-6


def test_the_correction_removes_the_bias_under_equality():
    rng, values, plugged = np.random.default_rng(5), [], []
    for _ in range(200):
        x, y = rng.integers(20, size=(2, 400))
        found = estimate_divergence(x, y, "js", method="histogram", lower_bound=False)
        values.append(found.details["plug_in"] - found.details["bias"])
        plugged.append(found.details["plug_in"])
    expected = 19 / 8 * (2 / 400)
    error = np.std(values) / math.sqrt(200)
    assert np.mean(plugged) == pytest.approx(expected, abs=5 * error)  # false alarm below 1e-6
    assert abs(np.mean(values)) < 5 * error
    assert abs(np.mean(plugged)) > 5 * error  # without the correction it is seen


def test_the_g_test_is_level():
    rng = np.random.default_rng(6)
    draws = [rng.integers(5, size=(2, 200)) for _ in range(400)]
    p = [estimate_divergence(*pair, "js", method="histogram", lower_bound=False).details["p_value"] for pair in draws]
    rejected = np.mean(np.array(p) <= 0.05)
    assert 0.0 < rejected < 0.05 + 5 * math.sqrt(0.05 * 0.95 / 400)  # false alarm below 1e-6


def test_a_value_on_one_side_only_opens_the_upper_end():
    x, y = np.repeat([0, 1, 2], 100), np.repeat([0, 1], 150)
    found = estimate_divergence(x, y, lower_bound=False)
    assert found.method == "histogram" and found.upper == math.inf and not found.reliable
    assert estimate_divergence(x, y, "js", lower_bound=False).reliable


def test_bins_on_the_line():
    x, y = shifted(2000, seed=7)
    found = estimate_divergence(x, y, bins=16, lower_bound=False)
    assert found.method == "histogram" and "16 bins" in found.name and found.lower < 0.5 < found.upper
    with pytest.raises(InvalidInput, match="bins"):
        estimate_divergence(*shifted(50, 2), bins=8)
    with pytest.raises(InvalidInput, match="bins"):
        estimate_divergence(x, y, bins=8, method="knn")


def test_the_record_prints_pickles_and_goes_into_json(one_apart):
    found = one_apart[0]
    again = pickle.loads(pickle.dumps(found))
    assert again == found and float(found) == found.value
    with pytest.raises(TypeError):
        again.details["effective"] = 1.0
    text = str(found)
    for part in ("KL(P || Q) =", "95% interval", "assumption", "lower bound", "ceiling"):
        assert part in text
    stored = json.loads(json.dumps(found.to_dict()))
    assert stored["value"] == found.value and stored["lower_bound"]["confidence"] == 0.95


def test_named_columns_are_matched():
    pd = pytest.importorskip("pandas")
    x, y = shifted(60, 2)
    y[:, 1] *= 3
    plain = estimate_divergence(x, y, "js", lower_bound=False, rng=0)
    named = estimate_divergence(
        pd.DataFrame(x, columns=["a", "b"]),
        pd.DataFrame(y, columns=["a", "b"])[["b", "a"]],
        "js",
        lower_bound=False,
        rng=0,
    )
    assert named == plain


X, Y = shifted(30)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((X[:5], Y), {}, "x must hold at least 20 points"),
        ((X, Y[:19]), {}, "y must hold at least 20 points"),
        ((np.where(X > 0, np.nan, X), Y), {}, "be finite"),
        ((np.hstack([X, X]), Y), {}, "same dimension"),
        ((DiscreteMeasure(X, np.arange(1.0, 31.0)), Y), {}, "weights of x must be equal"),
        ((np.hstack([X, np.ones_like(X)]), np.hstack([Y, Y])), {}, "column 1 of x must vary"),
        ((1e200 * X, 1e200 * Y), {}, "differ by 1e-100 to 1e100"),
        ((1e-200 * X, 1e-200 * Y), {}, "differ by 1e-100 to 1e100"),
        ((X, Y, "kullback"), {}, "divergence must be one of"),
        ((X, Y, 3), {}, "be a name or a ConvexGenerator"),
        ((X, Y, ConvexGenerator("bare", lambda t: t - 1)), {}, "have a derivative"),
        ((X, Y), {"method": "magic"}, "method must be one of"),
        ((X, Y), {"confidence": 1.0}, "confidence"),
        ((X, Y), {"confidence": True}, "confidence"),
        ((X, Y), {"rng": -1}, "rng"),
        ((X, Y), {"method": "knn", "k": 0}, "k must be"),
        ((X, Y), {"method": "knn", "k": 30}, "k must be"),
        ((X, Y), {"method": "histogram", "bins": 1}, "bins must be"),
    ],
)
def test_bad_input_is_named(arguments, options, message):
    with pytest.raises(InvalidInput, match=message):
        estimate_divergence(*arguments, **options)


def test_several_need_a_sequence():
    for wrong in ("kl", [], GENERATORS["kl"]):
        with pytest.raises(InvalidInput, match="divergences"):
            estimate_divergences(X, Y, wrong)


def test_a_seed_repeats_and_the_global_one_is_left_alone():
    np.random.seed(1)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first, second = (divergence_lower_bound(X, Y + 2, "tv", rng=3) for _ in range(2))
    assert first == second and (np.random.get_state()[1] == before).all()  # noqa: NPY002
    assert otdiv.estimators.estimate_divergence is estimate_divergence


@pytest.mark.slow
@pytest.mark.parametrize("turned", [True, False])
def test_a_difference_that_no_classifier_expresses_is_said(turned):
    """A ring in a plane that is turned through ten columns; without the ring nothing is said."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 1000, 10))
    if turned:
        angle = rng.uniform(0, 2 * np.pi, 1000)
        x[:, :2] = np.sqrt(2) * np.c_[np.cos(angle), np.sin(angle)] + 0.1 * x[:, :2]
    rotation, _ = np.linalg.qr(rng.normal(size=(10, 10)))
    found = estimate_divergences(x @ rotation, y @ rotation, ["kl", "js"], lower_bound=False, rng=0)
    for estimate, largest in zip(found, (math.inf, math.log(2)), strict=True):
        assert any("test by MMD" in flag for flag in estimate.flags) == turned
        assert (estimate.upper == pytest.approx(largest)) == turned
        assert estimate.lower == 0.0 and estimate.value < 0.1
