"""f-divergences: every generator against the named divergence, its conjugate, its limits and its bound."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import otdiv.divergences as d
from otdiv.divergences import (
    GENERATORS,
    ConvexGenerator,
    alpha_generator,
    f_divergence,
    optimal_critic,
    variational_bound,
)
from otdiv.errors import InvalidInput
from otdiv.measures.discrete import DiscreteMeasure

SEEDED = settings(derandomize=True, deadline=None)
P, Q = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.2, 0.6])
ORDERS = (-1.5, 0.0, 0.3, 0.5, 1.0, 2.0, 3.5)
KNOWN = [*GENERATORS.values(), *map(alpha_generator, ORDERS)]
every = pytest.mark.parametrize("g", KNOWN, ids=lambda g: g.name)


def named(g: ConvexGenerator):
    """The divergence function that the generator must reproduce."""
    if g.name.startswith("alpha"):
        order = float(g.name[6:-1])
        return lambda p, q: d.alpha_divergence(p, q, order)
    return getattr(d, g.name)


pairs = st.integers(0, 2**32 - 1).map(lambda seed: np.random.default_rng(seed).dirichlet(np.full(5, 0.8), size=2))


@every
@given(pair=pairs)
@settings(SEEDED, max_examples=30)
def test_each_generator_gives_the_divergence_of_its_name(g, pair):
    p, q = pair
    assert f_divergence(p, q, g) == pytest.approx(named(g)(p, q), rel=1e-9, abs=1e-14)


@every
def test_mass_without_partner_costs_the_limits_of_f(g):
    p, q = [0.5, 0.25, 0.25, 0.0], [0.5, 0.25, 0.0, 0.25]
    value, direct = f_divergence(p, q, g), named(g)(p, q)
    assert value == pytest.approx(direct, rel=1e-12)
    assert value.reason == direct.reason
    assert value.singular_mass == direct.singular_mass


@every
def test_limits_of_f_are_limits(g):
    small, large = 1e-80, 1e80
    at_zero, far = float(g.f(np.array(small))), float(g.f(np.array(large))) / large
    if math.isinf(g.at_zero):
        assert at_zero > 100
    else:
        assert at_zero == pytest.approx(g.at_zero, abs=1e-9)
    if math.isinf(g.slope_at_infinity):
        assert far > 100
    else:
        assert far == pytest.approx(g.slope_at_infinity, abs=1e-9)


@every
def test_derivative_agrees_with_finite_differences(g):
    t = np.array([0.05, 0.4, 0.9, 1.3, 4.0, 30.0])
    h = 1e-6 * t
    assert g.derivative(t) == pytest.approx((g.f(t + h) - g.f(t - h)) / (2 * h), rel=1e-6, abs=1e-6)


@every
def test_conjugate_is_the_largest_of_st_minus_f(g):
    t = np.concatenate([[0.0], np.geomspace(1e-9, 1e9, 200_001)])
    with np.errstate(divide="ignore", invalid="ignore"):
        values = g.f(t)
    values[0] = g.at_zero
    slopes = g.derivative(np.array([0.02, 0.3, 0.8, 1.7, 6.0, 50.0]))
    for s in slopes:
        assert float(g.conjugate(s)) == pytest.approx(np.max(s * t - values), rel=1e-6, abs=1e-7)
    if math.isfinite(g.slope_at_infinity):
        assert g.conjugate(g.slope_at_infinity + 1e-9) == math.inf
    if g.at_zero < math.inf:
        assert float(g.conjugate(-math.inf)) == pytest.approx(-g.at_zero, rel=1e-15)  # the sup at t = 0


@every
@given(pair=pairs)
@settings(SEEDED, max_examples=20)
def test_the_bound_is_attained_by_the_optimal_critic(g, pair):
    p, q = pair
    best = variational_bound(optimal_critic(p, q, g), p, q, g)
    assert best == pytest.approx(f_divergence(p, q, g), rel=1e-6, abs=1e-9)


@every
@given(pair=pairs, seed=st.integers(0, 2**32 - 1))
@settings(SEEDED, max_examples=30)
def test_no_critic_exceeds_the_divergence(g, pair, seed):
    p, q = pair
    rng = np.random.default_rng(seed)
    value = f_divergence(p, q, g)
    for size in (0.1, 1.0, 10.0):
        critic = optimal_critic(p, q, g) + rng.normal(scale=size, size=p.size)
        assert variational_bound(critic, p, q, g) <= value * (1 + 1e-9) + 1e-12


def test_a_critic_off_the_optimum_is_strictly_below():
    best = optimal_critic(P, Q, "kl")
    assert variational_bound(best + np.array([0.3, 0, 0]), P, Q, "kl") < f_divergence(P, Q, "kl") - 1e-3


@every
def test_critics_at_the_edge_of_the_support(g):
    p, q = [0.75, 0.25, 0.0, 0.0], [0.75, 0.0, 0.25, 0.0]
    critic = optimal_critic(p, q, g)
    assert critic[1] == g.slope_at_infinity
    assert np.isnan(critic[3])
    assert variational_bound(critic, p, q, g) == pytest.approx(f_divergence(p, q, g), rel=1e-9)


def test_masses_within_the_tolerance_leave_no_trace():
    assert f_divergence([0.5, 0.5 + 0.9e-9], [0.5, 0.5], "kl") < 1e-15  # sum p log(p/q) alone is 9e-10


def test_a_critic_outside_the_domain_proves_nothing():
    assert variational_bound([math.inf, 0.0, 0.0], P, Q, "kl") == -math.inf
    assert variational_bound([1.0, 0.0, 0.0], P, Q, "total_variation") == -math.inf
    assert variational_bound([0.0, 0.0, 0.0], P, Q, "kl_reverse") == -math.inf


def test_a_bare_function_and_a_generator_of_ones_own():
    def triangular(t):
        return (t - 1) ** 2 / (t + 1)

    expected = float(np.sum((P - Q) ** 2 / (P + Q)))
    assert f_divergence(P, Q, triangular) == pytest.approx(expected, rel=1e-14)
    own = ConvexGenerator("triangular", triangular, at_zero=1.0, slope_at_infinity=1.0)
    assert f_divergence([1, 0], [0, 1], own) == 2.0
    assert f_divergence(P, Q, own).name == "D_triangular(P || Q)"
    tilted = ConvexGenerator("kl plus a line", lambda t: t * np.log(t) + 5 * (t - 1))  # adds 5 (1 - 1)
    assert f_divergence(P, Q, tilted) == pytest.approx(d.kl(P, Q), rel=1e-12)


def test_measures_and_normalize():
    mu, nu = DiscreteMeasure([0.0, 1.0], [3.0, 1.0]), DiscreteMeasure([1.0, 2.0], [1.0, 1.0])
    assert f_divergence(mu, nu, "total_variation", normalize=True) == 0.75
    with pytest.raises(InvalidInput, match=r"^p must sum to 1"):
        f_divergence(mu, nu, "total_variation")


def test_messages():
    with pytest.raises(InvalidInput, match=r"^generator must be one of kl, kl_reverse, .*; got 'kul'"):
        f_divergence(P, Q, "kul")
    with pytest.raises(InvalidInput, match=r"^generator must be a ConvexGenerator, a name or a function"):
        f_divergence(P, Q, 3)
    with pytest.raises(InvalidInput, match=r"^generator must satisfy f\(1\) = 0; got f\(1\) = 1"):
        f_divergence(P, Q, lambda t: t**2)
    with pytest.raises(InvalidInput, match=r"^generator must be convex with f\(1\) = 0; got the sum -0\."):
        f_divergence(P, Q, lambda t: 1 - t**2)
    with pytest.raises(InvalidInput, match=r"^generator must know f'\(inf\), its slope_at_infinity"):
        f_divergence([0.5, 0.5], [1.0, 0.0], lambda t: (t - 1) ** 2)
    with pytest.raises(InvalidInput, match=r"^generator must know f\(0\), its at_zero"):
        f_divergence([1.0, 0.0], [0.5, 0.5], lambda t: (t - 1) ** 2)
    bare = ConvexGenerator("bare", lambda t: (t - 1) ** 2)
    with pytest.raises(InvalidInput, match=r"^generator must have a derivative; got bare"):
        optimal_critic(P, Q, bare)
    with pytest.raises(InvalidInput, match=r"^generator must have a conjugate; got bare"):
        variational_bound([0, 0, 0], P, Q, bare)
    with pytest.raises(InvalidInput, match=r"^critic must have shape \(3,\)"):
        variational_bound([0, 0], P, Q, "kl")
    with pytest.raises(InvalidInput, match=r"^critic must be a number wherever there is mass; got NaN"):
        variational_bound([0, math.nan, 0], P, Q, "kl")
    with pytest.raises(InvalidInput, match=r"^order must be a finite number"):
        alpha_generator(math.inf)


def test_the_table_of_generators_cannot_be_changed():
    with pytest.raises(TypeError):
        GENERATORS["kl"] = GENERATORS["js"]
