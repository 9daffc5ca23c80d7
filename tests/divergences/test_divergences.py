"""Discrete divergences: known values, independent computations, identities, hostile floats, messages."""

from __future__ import annotations

import copy
import math
import pickle
import re
from fractions import Fraction
from itertools import pairwise

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.special import rel_entr
from scipy.stats import entropy as scipy_entropy

from otdiv.divergences import (
    DivergenceValue,
    alpha_divergence,
    chi_square,
    chi_square_reverse,
    cross_entropy,
    energy_distance,
    entropy,
    hellinger,
    hellinger_squared,
    jeffreys,
    js,
    js_distance,
    kl,
    kl_integrand,
    kl_integrand_nonnegative,
    kl_reverse,
    kolmogorov_smirnov,
    renyi,
    total_variation,
)
from otdiv.divergences.kl_js import within
from otdiv.errors import InvalidInput, OtdivError
from otdiv.measures.discrete import DiscreteMeasure

SEEDED = settings(derandomize=True, deadline=None)
P, Q = [0.5, 0.3, 0.2], [0.2, 0.2, 0.6]
ALL = {
    "kl": kl,
    "kl_reverse": kl_reverse,
    "jeffreys": jeffreys,
    "js": js,
    "js_distance": js_distance,
    "total_variation": total_variation,
    "hellinger_squared": hellinger_squared,
    "hellinger": hellinger,
    "chi_square": chi_square,
    "chi_square_reverse": chi_square_reverse,
    "alpha 0.3": lambda p, q, **k: alpha_divergence(p, q, 0.3, **k),
    "alpha 3": lambda p, q, **k: alpha_divergence(p, q, 3.0, **k),
    "alpha -1.5": lambda p, q, **k: alpha_divergence(p, q, -1.5, **k),
    "renyi 0": lambda p, q, **k: renyi(p, q, 0.0, **k),
    "renyi 0.5": lambda p, q, **k: renyi(p, q, 0.5, **k),
    "renyi 2": lambda p, q, **k: renyi(p, q, 2.0, **k),
    "renyi inf": lambda p, q, **k: renyi(p, q, math.inf, **k),
}
SYMMETRIC = ("jeffreys", "js", "js_distance", "total_variation", "hellinger_squared", "hellinger", "renyi 0.5")
BOUNDED = {
    "js": math.log(2),
    "js_distance": math.sqrt(math.log(2)),
    "total_variation": 1.0,
    "hellinger_squared": 1.0,
    "hellinger": 1.0,
}
every = pytest.mark.parametrize("name", ALL)


@st.composite
def pmfs(draw, count=2, zeros=True, largest=8):
    """``count`` pmfs on one support, as rows, with zeros and tiny entries among them."""
    n = draw(st.integers(1, largest))
    rows = []
    for _ in range(count):
        low = 0 if zeros else 1
        weights = draw(st.lists(st.integers(low, 1000), min_size=n, max_size=n).filter(any))
        scale = np.array(weights, dtype=float) ** draw(st.sampled_from([1.0, 1.0, 4.0]))
        rows.append(scale / scale.sum())
    return rows


# --- against independent computations ---------------------------------------------------------------


@given(pmfs())
@SEEDED
def test_kl_agrees_with_scipy(pair):
    p, q = pair
    assert kl(p, q) == pytest.approx(scipy_entropy(p, q), rel=1e-12, abs=1e-14)
    assert kl_reverse(p, q) == pytest.approx(float(rel_entr(q, p).sum()), rel=1e-12, abs=1e-14)
    assert kl(p, q, base=2) == pytest.approx(scipy_entropy(p, q, base=2), rel=1e-12, abs=1e-14)
    assert entropy(p) == pytest.approx(scipy_entropy(p), rel=1e-12, abs=1e-14)


@given(pmfs())
@SEEDED
def test_js_distance_is_scipys_and_js_its_square(pair):
    p, q = pair
    for base in (None, 2.0, 10.0):
        with np.errstate(invalid="ignore"):
            scipys = jensenshannon(p, q, base=base)
        if scipys**2 > 1e-10:  # below, SciPy's own rounding shows
            assert js_distance(p, q, base=base) == pytest.approx(scipys, rel=1e-6)
        assert js(p, q, base=base) == pytest.approx(float(js_distance(p, q, base=base)) ** 2, rel=1e-14, abs=1e-300)


def test_values_in_fractions():
    p, q = [Fraction(1, 2), Fraction(3, 10), Fraction(1, 5)], [Fraction(1, 5), Fraction(1, 5), Fraction(3, 5)]
    exact = {
        "chi_square": sum((a - b) ** 2 / b for a, b in zip(p, q, strict=True)),
        "chi_square_reverse": sum((a - b) ** 2 / a for a, b in zip(p, q, strict=True)),
        "total_variation": sum(abs(a - b) for a, b in zip(p, q, strict=True)) / 2,
        "alpha 3": (sum(a**3 / b**2 for a, b in zip(p, q, strict=True)) - 1) / 6,
    }
    for name, value in exact.items():
        assert ALL[name](P, Q) == pytest.approx(float(value), rel=1e-15)
    assert renyi(P, Q, 2) == pytest.approx(math.log1p(exact["chi_square"]), rel=1e-15)
    assert hellinger_squared(P, Q) == pytest.approx(1 - math.sqrt(0.1) - math.sqrt(0.06) - math.sqrt(0.12), rel=1e-14)


@pytest.mark.parametrize("closeness", [1.0, 1e-1, 1e-3, 1e-5])
@pytest.mark.parametrize("seed", range(3))
def test_relative_accuracy_against_fifty_digits(closeness, seed):
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(6))
    q = np.abs(p * (1 + closeness * rng.normal(size=6)))
    q /= q.sum()
    with mp.workdps(50):
        a, b = (
            [mp.mpf(float(x)) / mp.fsum(map(mp.mpf, map(float, p))) for x in p],
            [mp.mpf(float(x)) / mp.fsum(map(mp.mpf, map(float, q))) for x in q],
        )

        def power(order):
            order = mp.mpf(order)
            return (mp.fsum(s**order * t ** (1 - order) for s, t in zip(a, b, strict=True)) - 1) / (order * (order - 1))

        def relative(s, t):
            return mp.fsum(x * mp.log(x / y) for x, y in zip(s, t, strict=True))

        middle = [(x + y) / 2 for x, y in zip(a, b, strict=True)]
        tilted = [(3 * x + 7 * y) / 10 for x, y in zip(a, b, strict=True)]
        exact = {
            kl(p, q): relative(a, b),
            kl_reverse(p, q): relative(b, a),
            js(p, q): (relative(a, middle) + relative(b, middle)) / 2,
            js(p, q, weight=0.3): (3 * relative(a, tilted) + 7 * relative(b, tilted)) / 10,
            hellinger_squared(p, q): power("0.5") / 4,
            chi_square(p, q): 2 * power(2),
            chi_square_reverse(p, q): 2 * power(-1),
            alpha_divergence(p, q, 1 + 2**-20): power(1 + mp.mpf(2) ** -20),
            alpha_divergence(p, q, 2**-30): power(mp.mpf(2) ** -30),
            renyi(p, q, 3): mp.log1p(6 * power(3)) / 2,
            renyi(p, q, 0.25): mp.log1p(power("0.25") * mp.mpf(-3) / 16) / (-mp.mpf(3) / 4),
        }
        for found, value in exact.items():
            assert abs(found / value - 1) < 1e-12, (found.name, float(value))


# --- what the theory says ---------------------------------------------------------------------------


@pytest.mark.slow
@every
@given(pair=pmfs())
@settings(SEEDED, max_examples=40)
def test_never_negative_and_zero_on_the_diagonal(name, pair):
    p, q = pair
    assert ALL[name](p, q) >= 0
    assert ALL[name](p, p) == pytest.approx(0, abs=1e-15)
    assert ALL[name](p, q) <= BOUNDED.get(name, math.inf)


@every
def test_symmetric_or_not_as_documented(name):
    forth, back = ALL[name](P, Q), ALL[name](Q, P)
    symmetric = forth == pytest.approx(back, rel=1e-13)
    assert symmetric == (name in SYMMETRIC or name == "renyi 0")  # both supports are full, so order 0 is 0


@pytest.mark.slow
@every
@given(pair=pmfs(zeros=True), data=st.data())
@settings(SEEDED, max_examples=25)
def test_data_processing_merging_atoms_never_increases(name, pair, data):
    p, q = pair
    labels = np.array(data.draw(st.lists(st.integers(0, 2), min_size=len(p), max_size=len(p))))
    merged = [np.bincount(labels, weights=w, minlength=3) for w in (p, q)]
    assert ALL[name](*merged) <= ALL[name](p, q) * (1 + 1e-12) + 1e-15


@every
@given(pair=pmfs(), data=st.data())
@settings(SEEDED, max_examples=15)
def test_order_of_the_atoms_and_empty_atoms_do_not_matter(name, pair, data):
    p, q = pair
    order = data.draw(st.permutations(range(len(p))))
    value = ALL[name](p, q)
    assert ALL[name](p[order], q[order]) == value  # correctly rounded sums do not depend on the order
    assert ALL[name](np.append(p, 0.0), np.append(q, 0.0)) == value


@given(pmfs())
@SEEDED
def test_inequalities_between_them(pair):
    p, q = pair
    tv, h2, k, room = total_variation(p, q), hellinger_squared(p, q), kl(p, q), 1 + 1e-12
    assert 2 * tv**2 <= k * room + 1e-15  # Pinsker
    assert tv <= math.sqrt(max(1 - math.exp(-k), 0)) * room + 1e-12  # Bretagnolle and Huber
    assert h2 <= tv * room + 1e-15
    assert tv <= math.sqrt(h2 * (2 - h2)) * room + 1e-15
    assert k <= math.log1p(chi_square(p, q)) * room + 1e-15
    assert js(p, q) <= math.log(2) * tv * room + 1e-15
    assert jeffreys(p, q) == pytest.approx(k + kl_reverse(p, q), rel=1e-12, abs=1e-15)


@given(pmfs(count=3))
@SEEDED
def test_the_metrics_satisfy_the_triangle_inequality(triple):
    p, q, r = triple
    for distance in (js_distance, total_variation, hellinger):
        assert distance(p, r) <= distance(p, q) + distance(q, r) + 1e-12


@given(pmfs(zeros=False))
@SEEDED
def test_orders_meet_the_named_divergences(pair):
    p, q = pair
    assert alpha_divergence(p, q, 1) == kl(p, q)
    assert alpha_divergence(p, q, 0) == kl(q, p)
    assert alpha_divergence(p, q, 2) * 2 == chi_square(p, q)
    assert alpha_divergence(p, q, -1) * 2 == chi_square_reverse(p, q)
    assert alpha_divergence(p, q, 0.5) == pytest.approx(4 * hellinger_squared(p, q), rel=1e-12, abs=1e-30)
    assert alpha_divergence(p, q, 0.3) == pytest.approx(alpha_divergence(q, p, 0.7), rel=1e-12, abs=1e-30)
    assert renyi(p, q, 1) == kl(p, q)
    assert renyi(p, q, 2) == pytest.approx(math.log1p(chi_square(p, q)), rel=1e-12)
    assert renyi(p, q, math.inf) == pytest.approx(math.log(np.max(p / q)), rel=1e-12, abs=1e-15)


@given(pmfs())
@settings(SEEDED, max_examples=50)
def test_renyi_grows_with_its_order(pair):
    p, q = pair
    values = [renyi(p, q, order) for order in (0, 0.2, 0.5, 0.999999, 1, 1.000001, 2, 5, 50, math.inf)]
    for lower, higher in pairwise(values):
        assert lower <= higher * (1 + 1e-9) + 1e-12


def test_js_with_a_weight():
    value = js(P, Q, weight=0.3)
    middle = 0.3 * np.array(P) + 0.7 * np.array(Q)
    assert value == pytest.approx(0.3 * scipy_entropy(P, middle) + 0.7 * scipy_entropy(Q, middle), rel=1e-14)
    assert value == pytest.approx(js(Q, P, weight=0.7), rel=1e-14)
    assert js([1, 0], [0, 1], weight=0.3) == pytest.approx(entropy([0.3, 0.7]), rel=1e-15)


def test_cross_entropy_is_entropy_plus_kl():
    assert cross_entropy(P, Q) == pytest.approx(entropy(P) + kl(P, Q), rel=1e-14)
    assert cross_entropy(P, P) == pytest.approx(entropy(P), rel=1e-14)
    infinite = cross_entropy([0.5, 0.5], [1, 0])
    assert infinite == math.inf
    assert "mass 0.5 on 1 atom" in infinite.reason


def test_integrands():
    p, q = np.array(P), np.array(Q)
    assert kl_integrand(p, q).sum() == pytest.approx(kl(p, q), rel=1e-14)
    assert kl_integrand_nonnegative(p, q).sum() == pytest.approx(kl(p, q), rel=1e-14)
    assert kl_integrand([0, 0, 1], [0, 1, 0]).tolist() == [0, 0, math.inf]
    assert kl_integrand_nonnegative([0, 0, 1], [0, 1, 0]).tolist() == [0, 1, math.inf]
    assert kl_integrand(np.ones((2, 1)), np.ones(3)).shape == (2, 3)


# --- infinite, and why ------------------------------------------------------------------------------


def test_an_infinite_value_names_the_mass_outside_the_support():
    value = kl([0.1, 0.2, 0.3, 0.1, 0.3], [1, 0, 0, 0, 0])
    assert value == math.inf
    assert value.singular_mass == pytest.approx(0.9, rel=1e-15)
    assert value.reason == "P puts mass 0.9 on 4 atoms where Q has none: index 1, 2, 3 and more."
    assert repr(value) == f"inf ({value.reason})"
    assert str(value) == "inf"
    assert f"{value:.2f}" == "inf"


@pytest.mark.parametrize(
    ("name", "p_outside", "q_outside"),
    [
        ("kl", True, False),
        ("kl_reverse", False, True),
        ("jeffreys", True, True),
        ("js", False, False),
        ("total_variation", False, False),
        ("hellinger", False, False),
        ("chi_square", True, False),
        ("chi_square_reverse", False, True),
        ("alpha 0.3", False, False),
        ("alpha 3", True, False),
        ("alpha -1.5", False, True),
        ("renyi 0.5", False, False),
        ("renyi 2", True, False),
        ("renyi inf", True, False),
    ],
)
def test_which_side_makes_which_divergence_infinite(name, p_outside, q_outside):
    wide, narrow = [0.75, 0.25], [1.0, 0.0]
    for first, second, infinite, side in ((wide, narrow, p_outside, "P"), (narrow, wide, q_outside, "Q")):
        value = ALL[name](first, second)
        assert (value == math.inf) == infinite
        assert (value.reason is not None) == infinite
        assert value.singular_mass == (0.25 if infinite else 0.0)
        if infinite:
            assert value.reason.startswith(f"{side} puts mass 0.25 on 1 atom where")


def test_jeffreys_names_both_sides():
    value = jeffreys([0.75, 0.25, 0], [0.5, 0, 0.5])
    assert value.singular_mass == 0.75
    assert "P puts mass 0.25" in value.reason
    assert "Q puts mass 0.5" in value.reason


def test_renyi_below_one_is_infinite_only_without_a_shared_atom():
    assert renyi([1, 0], [0, 1], 0.5) == math.inf
    assert renyi([1, 0], [0, 1], 0) == math.inf
    assert renyi([1, 0], [0, 1], 0).reason.startswith("P puts mass 1 ")
    assert renyi([0.5, 0.5], [0.5, 0.5], 0) == 0
    assert renyi([1, 0], [0.25, 0.75], 0) == pytest.approx(math.log(4))


def test_measures_are_brought_onto_their_common_support():
    mu = DiscreteMeasure([0.0, 1.0, 1.0], [0.5, 0.25, 0.25])
    nu = DiscreteMeasure([1.0, 2.0], [0.5, 0.5])
    assert total_variation(mu, nu) == 0.5
    assert entropy(mu) == pytest.approx(math.log(2))
    value = kl(mu, nu)
    assert value.reason == "P puts mass 0.5 on 1 atom where Q has none: point (0)."
    assert kl(DiscreteMeasure([[0.0, 0.5]]), DiscreteMeasure([[0.0, 1.5]])).reason.endswith("point (0, 0.5).")


def test_the_value_is_a_float_in_every_way():
    value = kl(P, Q)
    assert isinstance(value, float)
    assert value + 1 == float(value) + 1
    assert type(value * 2) is float
    assert repr(value) == repr(float(value))
    assert value.name == "KL(P || Q)"
    assert value.reason is None
    infinite = kl([1, 0], [0, 1])
    for twin in (copy.deepcopy(infinite), pickle.loads(pickle.dumps(infinite))):
        assert (twin, twin.reason, twin.name, twin.singular_mass) == (math.inf, infinite.reason, infinite.name, 1.0)
    with pytest.raises(AttributeError):
        value.reason = "changed"


# --- hostile floats ---------------------------------------------------------------------------------


def test_tiny_masses_and_denormals():
    smallest = 5e-324
    p, q = [1.0, smallest], [smallest, 1.0]
    assert kl(p, q) == pytest.approx(1074 * math.log(2), rel=1e-14)
    assert js(p, q) == pytest.approx(math.log(2), rel=1e-15)
    assert js([1.0, smallest], [1.0, 0.0]) == 0.0  # half of the smallest float is no float
    assert hellinger_squared(p, q) == pytest.approx(1, rel=1e-15)
    assert renyi(p, q, 2) == pytest.approx(1074 * math.log(2), rel=1e-14)
    assert kl([1 - 1e-300, 1e-300], [1e-310, 1.0]) == pytest.approx(310 * math.log(10), rel=1e-12)
    assert kl([0.5, 0.5, 1e-320], [0.5, 0.5, 2e-320]) >= 0


def test_a_value_beyond_float64_says_so():
    value = chi_square([1.0, 0.0], [5e-324, 1.0])
    assert value == math.inf
    assert value.singular_mass == 0.0
    assert value.reason == "chi^2(P || Q) exceeds the range of float64, though no mass lies outside the common support."
    product = alpha_divergence([1e-300, 1.0], [1e-310, 1.0], 40.0)  # (p/q)**39 overflows, p times it does not
    assert product == pytest.approx(1e90 / (40 * 39), rel=1e-9)


@given(st.integers(1, 50), st.integers(0, 2**32 - 1))
@settings(SEEDED, max_examples=40)
def test_rounding_noise_gives_tiny_nonnegative_values(n, seed):
    p = np.random.default_rng(seed).dirichlet(np.ones(n))
    q = np.nextafter(p, 1.0)
    first_order = ("js_distance", "hellinger", "total_variation", "renyi 0", "renyi inf")
    for name, divergence in ALL.items():
        value = divergence(p, q)
        assert 0 <= value < (1e-14 if name in first_order else 1e-28)


def test_no_floating_point_exception_whatever_the_zeros():
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        for p in ([1, 0, 0], [0.5, 0.5, 0], [0, 0, 1], [1 / 3, 1 / 3, 1 / 3]):
            for q in ([1, 0, 0], [0, 0.5, 0.5], [1e-320, 1, 0]):
                for divergence in ALL.values():
                    assert divergence(p, q) >= 0


# --- what is refused --------------------------------------------------------------------------------


@every
def test_mass_other_than_one_is_refused_and_normalize_is_the_remedy(name):
    with pytest.raises(InvalidInput, match=r"^p must sum to 1; got 10\. Pass normalize=True"):
        ALL[name]([5, 3, 2], Q)
    with pytest.raises(InvalidInput, match=r"^q must sum to 1"):
        ALL[name](P, [0.2, 0.2, 0.5])
    assert ALL[name]([5, 3, 2], [1, 1, 3], normalize=True) == pytest.approx(
        float(ALL[name](P, Q)), rel=1e-12, abs=1e-15
    )


def test_mass_is_accepted_within_its_tolerance_only():
    inside, outside = [0.5, 0.5 + 0.9e-9], [0.5, 0.5 + 1.1e-9]
    assert kl(inside, [0.5, 0.5]) >= 0
    assert js([1 + 0.9e-9, 0], [0, 1 + 0.9e-9]) == math.log(2)
    assert entropy([1 + 0.9e-9]) == 0.0
    with pytest.raises(InvalidInput, match="sum to 1"):
        kl(outside, [0.5, 0.5])


@pytest.mark.parametrize(
    ("p", "q", "message"),
    [
        ([0.5, 0.5], [1.0], r"^p and q must have the same length; got 2 and 1\. Give both on the same atoms"),
        ([[0.5, 0.5]], [1.0], r"^p must be a pmf of shape \[n\] with n >= 1; got shape \(1, 2\)"),
        ([], [], r"^p must be a pmf of shape \[n\] with n >= 1; got shape \(0,\)"),
        ([1.5, -0.5], [0.5, 0.5], r"^p must be non-negative; got -0\.5 at index 1"),
        ([0.5, 0.5], [math.nan, 1.0], r"^q must be finite; got nan at index \(0,\)"),
        ([0.5, math.inf], [0.5, 0.5], r"^p must be finite; got inf at index \(1,\)"),
        (["a", "b"], [0.5, 0.5], r"^p must hold real numbers"),
        (None, [1.0], r"^p must be a pmf of shape \[n\]; got None"),
        (DiscreteMeasure([0.0]), [1.0], r"^p and q must be of one kind; got DiscreteMeasure and list"),
        (DiscreteMeasure([0.0]), DiscreteMeasure([[0.0, 1.0]]), "dimension"),
    ],
)
def test_messages_name_the_argument(p, q, message):
    with pytest.raises(InvalidInput, match=message):
        kl(p, q)


def test_messages_of_the_options():
    for base in (1.0, 0.5, -2, math.inf, math.nan):
        with pytest.raises(InvalidInput, match=r"^base must be a finite number above 1; got " + re.escape(repr(base))):
            kl(P, Q, base=base)
    for weight in (0.0, 1.0, -1, math.nan):
        with pytest.raises(InvalidInput, match=r"^weight must lie strictly between 0 and 1"):
            js(P, Q, weight=weight)
    for order in (math.inf, math.nan):
        with pytest.raises(InvalidInput, match=r"^order must be a finite number.*Use renyi"):
            alpha_divergence(P, Q, order)
    for order in (-0.5, math.nan):
        with pytest.raises(InvalidInput, match=r"^order must be a number >= 0, or inf"):
            renyi(P, Q, order)
    with pytest.raises(InvalidInput, match=r"^q must be non-negative"):
        kl_integrand(1.0, -1.0)
    with pytest.raises(
        InvalidInput, match=r"^p and q must have shapes that broadcast together; got shapes \(2,\) and \(3,\)"
    ):
        kl_integrand([1, 2], [1, 2, 3])
    with pytest.raises(InvalidInput, match=r"^p must sum to 1"):
        entropy([0.5, 0.6])


def test_js_outside_its_range_is_an_error_not_a_number():
    assert within("JS", -5e-13, 0.7, 0.69) == 0.0
    assert within("JS", 0.7, 0.7, 0.69) == 0.69
    for tampered in (-2e-12, 0.7 + 2e-12, math.nan, math.inf):
        with pytest.raises(OtdivError, match="outside"):
            within("JS", tampered, 0.7, 0.7)


def test_the_bare_value_can_be_made_by_hand():
    assert DivergenceValue(0.5) == 0.5
    assert DivergenceValue(0.5).reason is None


# --- distances of the difference: energy, Kolmogorov-Smirnov ---------------------------------------------


@pytest.mark.parametrize("distance", [energy_distance, kolmogorov_smirnov])
def test_differences_take_arrays_or_measures(distance):
    x, y, a, b = [0.0, 1.0, 4.0], [2.0, 3.0], [0.5, 0.25, 0.25], [0.1, 0.9]
    value = distance(x, y, a, b)
    assert value == distance(DiscreteMeasure(x, a), DiscreteMeasure(y, b)) == distance(np.array(x)[:, None], y, a, b)
    assert value == pytest.approx(distance(x, y, np.array(a) * 7, np.array(b) * 3, normalize=True), rel=1e-14)
    assert distance(x, y, np.array(a) * 2, np.array(b) * 2) == pytest.approx(2 * value, rel=1e-14)
    assert distance(x, x) == 0


@pytest.mark.parametrize("distance", [energy_distance, kolmogorov_smirnov])
def test_differences_that_are_refused(distance):
    with pytest.raises(InvalidInput, match=r"weights of x and y must have the same total; got 2 and 1\. Pass norm"):
        distance([0.0, 1.0], [2.0], [1.0, 1.0])
    with pytest.raises(InvalidInput, match=r"the weights of x must be left out for a DiscreteMeasure"):
        distance(DiscreteMeasure([0.0]), [2.0], [1.0])
    with pytest.raises(InvalidInput, match=r"x and y must have points of the same dimension"):
        distance([0.0], [[2.0, 1.0]])
    with pytest.raises(InvalidInput, match=r"of y: points must be finite"):
        distance([0.0], [math.nan])
