"""Intervals that rounding alone held open: outliers, cancellation, small values under large costs."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from otdiv import DiscreteMeasure, Status, TransportProblem, emd, emd_images, solve, verify, wasserstein
from otdiv.certificates.compensated_masses import compensated_masses
from otdiv.certificates.exact_masses import MOST_ARCS, exact_masses
from otdiv.certificates.narrowing import cancelling_potentials
from otdiv.certificates.plan_repair import exact_marginal_error, relative_mass_defect
from otdiv.certificates.potential_repair import feasible_potentials
from otdiv.core.rounding import accurate_dots_bounds
from otdiv.errors import InvalidInput
from otdiv.problem.plan import Plan

ANY = st.floats(allow_nan=False, allow_infinity=False, width=64)


@settings(max_examples=300, deadline=None)
@given(hnp.arrays(float, 12, elements=ANY), hnp.arrays(float, 12, elements=ANY))
def test_accurate_sums_hold_the_rational_truth(x, y):
    ((low, high),) = accurate_dots_bounds([(x, y)])
    truth = sum((Fraction(p) * Fraction(q) for p, q in zip(x.tolist(), y.tolist(), strict=True)), Fraction(0))
    assert low == -np.inf or Fraction(low) <= truth
    assert high == np.inf or truth <= Fraction(high)


@pytest.mark.parametrize("scale", [1e-290, 1.0, 1e290])
@pytest.mark.parametrize("n", [7, 5000])
def test_accurate_sums_survive_cancellation(n, scale):
    rng = np.random.default_rng(0)
    x = rng.normal(size=n) * 10.0 ** rng.integers(0, 15, n)
    terms = np.concatenate([x, -x, [1e-3]]) * scale
    rng.shuffle(terms)
    ((low, high),) = accurate_dots_bounds([(terms, np.ones(len(terms)))])
    assert low <= 1e-3 * scale <= high and high - low <= 1e-10 * scale


OUTLIERS = [("sqeuclidean", 1e6), ("sqeuclidean", 1e9), ("euclidean", 1e9), ("euclidean", 1e20), ("cityblock", 1e15)]


@pytest.mark.parametrize(("cost", "far"), OUTLIERS)
def test_an_outlier_in_both_samples_costs_no_digits(cost, far):
    """It stays where it is, at cost 0, so the value is that of the other points."""
    rng = np.random.default_rng(0)
    x, y = rng.random((60, 2)), rng.random((60, 2))
    table = cdist(x, y, cost)
    truth = table[linear_sum_assignment(table)].sum() / 61
    result = emd(np.vstack([x, [far, 0.0]]), np.vstack([y, [far, 0.0]]), cost=cost)
    assert result.status is Status.OPTIMAL and result.value == pytest.approx(truth, rel=1e-9)
    if far < 1e15:  # squares beyond take the exact checker's integers longer than a test may
        assert verify(result.proof(), level="exact")


def test_status_is_optimal_only_where_the_interval_is_as_narrow_as_asked():
    """Masses that differ in the last bit, and 1e18 for what has to move: the interval stays open, and that is said."""
    rng = np.random.default_rng(0)
    x, y = np.vstack([rng.random((20, 2)), [1e9, 0]]), np.vstack([rng.random((20, 2)), [1e9, 0]])
    a, b = rng.dirichlet(np.ones(21)), rng.dirichlet(np.ones(21))
    a[-1] = b[-1] = 0.25
    a, b = a / a.sum(), b / b.sum()
    result = emd(x, y, a, b, cost="sqeuclidean")
    assert (result.status is Status.OPTIMAL) == (result.gap <= 1e-9 * result.value)


def test_an_absolute_gap_counts_only_where_it_is_asked_for():
    x, y = np.random.default_rng(0).random((2, 30, 2))
    y = np.vstack([y[:-1], [1e150, 0]])
    x = np.vstack([x[:-1], [1e150, 0]])
    tiny = dict(x=[0.0], y=[1e-200], cost="sqeuclidean")  # the square falls below float64's range
    assert emd(**tiny).status is Status.STOPPED and emd(**tiny).gap < 1e-290
    assert emd(**tiny, atol=1e-250).status is Status.OPTIMAL
    assert emd(x, y, method="pot", max_iter=1).status is Status.STOPPED
    assert wasserstein(x[:5], y[:5], p=2, atol=10.0).status is Status.OPTIMAL
    for wrong in (-1.0, np.inf, np.nan):
        with pytest.raises(InvalidInput, match="atol must be a non-negative number"):
            emd(x, y, atol=wrong)


def test_identical_measures_are_at_distance_zero_exactly():
    rng = np.random.default_rng(1)
    z, w = rng.normal(size=(30, 3)), rng.dirichlet(np.ones(30))
    for cost in ("euclidean", "sqeuclidean", "cityblock", "minkowski:3"):
        result = emd(z, z, w, w, cost=cost)
        assert (result.lower, result.upper, result.status) == (0.0, 0.0, Status.OPTIMAL)
    assert emd(cost=np.zeros((3, 3))).status is Status.OPTIMAL


def test_small_distances_under_large_costs():
    x = np.random.default_rng(2).random((2000, 2)) * 1e-5 + np.random.default_rng(3).integers(0, 2, (2000, 1)) * 1e3
    y = x + 1e-7 * np.random.default_rng(4).normal(size=x.shape)
    for cost in ("euclidean", "sqeuclidean"):
        result = emd(x, y, cost=cost)
        assert result.status is Status.OPTIMAL and result.gap <= 1e-9 * result.value


@pytest.mark.parametrize("seed", range(6))
def test_masses_on_a_forest_have_the_marginals_of_the_weights(seed):
    rng = np.random.default_rng(seed)
    n, m = rng.integers(2, 12, 2)
    a, b = rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(m))
    problem = TransportProblem(DiscreteMeasure(rng.random((n, 2)), a), DiscreteMeasure(rng.random((m, 2)), b))
    plan = emd(problem.mu, problem.nu, method="pot").plan
    found, error = exact_masses(problem, plan)
    ratio = Fraction(sum(map(Fraction, a.tolist()))) / sum(map(Fraction, b.tolist()))
    off = Fraction(0)
    for index, weights, factor in ((found.rows, a, 1), (found.columns, b, ratio)):
        for i, weight in enumerate(weights.tolist()):
            stored = sum((Fraction(w) for w in found.mass[index == i].tolist()), Fraction(0))
            off += abs(stored - Fraction(weight) * factor)
    assert off <= Fraction(error) and error <= 1e-17 and found.mass.min() > 0
    assert error <= exact_marginal_error(problem, plan)
    cycle = Plan(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), np.full(4, 0.25), (n, m))
    assert exact_masses(problem, cycle) is None


@pytest.mark.parametrize("seed", range(6))
def test_masses_in_two_floats_are_the_exact_ones(seed):
    rng = np.random.default_rng(seed)
    n, m = rng.integers(2, 40, 2)
    a, b = rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(m)) * 10.0 ** rng.integers(-3, 4)
    problem = TransportProblem(
        DiscreteMeasure(rng.random((n, 2)), a), DiscreteMeasure(rng.random((m, 2)), b / b.sum() * (1 + 2.0**-51))
    )
    plan = emd(problem.mu, problem.nu, method="simplex").plan
    shaken = Plan(plan.rows, plan.columns, plan.mass * rng.uniform(0.9, 1.1, len(plan)), plan.shape)
    exact, _ = exact_masses(problem, plan)
    found = compensated_masses(problem, shaken)
    off = found.tocsr() - exact.tocsr()
    assert abs(off).max() <= 2.0**-53 * exact.mass.max() and found.mass.min() > 0
    assert exact_marginal_error(problem, found) <= 8 * 2.0**-53 < 2.0**-40 < exact_marginal_error(problem, shaken)
    cycle = Plan(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), np.full(4, 0.25), (n, m))
    assert compensated_masses(problem, cycle) is None


@pytest.mark.slow
def test_a_small_value_under_large_costs_between_many_points_is_certified():
    rng = np.random.default_rng(0)
    x = np.stack(np.meshgrid(np.arange(180.0), np.arange(180.0)), axis=-1).reshape(-1, 2)
    a, b = rng.uniform(size=(2, len(x)))
    plan = emd(x, x, a / a.sum(), b / b.sum(), cost="sqeuclidean", rtol=1e-10)
    assert len(plan.plan) > MOST_ARCS and plan.status is Status.OPTIMAL and plan.gap <= 1e-10 * plan.value


@pytest.mark.slow
def test_the_error_of_rounded_products_is_bounded():
    """Both sides in rational numbers."""
    for seed in range(10):
        rng = np.random.default_rng(seed)
        a, b = rng.dirichlet(np.ones(5000)), rng.dirichlet(np.ones(4100)) * (1 + seed * 2.0**-52)
        problem = TransportProblem(DiscreteMeasure(rng.random(5000), a), DiscreteMeasure(rng.random(4100), b))
        ratio = sum(map(Fraction, problem.mu.weights.tolist())) / sum(map(Fraction, problem.nu.weights.tolist()))
        off = sum(
            abs(Fraction(stored) - ratio * Fraction(given))
            for stored, given in zip(problem.b.tolist(), problem.nu.weights.tolist(), strict=True)
        )
        assert float(off) <= relative_mass_defect(problem) * problem.mu.mass * (1 + 1e-12) <= 1e-14


def test_a_plan_with_a_false_mass_is_not_taken_for_exact():
    problem = TransportProblem(DiscreteMeasure([0.0, 1.0]), DiscreteMeasure([0.0, 1.0]))
    at = np.arange(2)
    assert exact_marginal_error(problem, Plan(at, at, np.array([0.5, 0.5]), (2, 2))) == 0.0
    assert exact_marginal_error(problem, Plan(at, at, np.array([0.5, np.nextafter(0.5, 1)]), (2, 2))) >= 2.0**-53


@pytest.mark.parametrize("p", [1, 2, 3])
def test_distances_with_an_outlier_hold_their_interval(p):
    rng = np.random.default_rng(0)
    x, y = np.vstack([rng.random((30, 2)), [1e5, 0]]), np.vstack([rng.random((30, 2)), [1e5, 0]])
    answer = wasserstein(x, y, p=p)
    table = cdist(x, y) ** p
    truth = (table[linear_sum_assignment(table)].sum() / 31) ** (1 / p)
    assert answer.status is Status.OPTIMAL and answer.value == pytest.approx(truth, rel=1e-8)


def test_an_error_too_small_for_float64_is_not_0():
    from otdiv.certificates.exact_masses import _error_of

    assert _error_of([3], 2**1200, [], []) == 5e-324  # 3 * 2**-1200 without an arc
    assert _error_of([1], 4, [0, 0], [0.125, 0.125]) == 0.0
    assert 0.125 < _error_of([1], 4, [0], [0.125]) < 0.125 * (1 + 1e-15)


@pytest.mark.parametrize("part", [1e-3, 1e-6, 1e-9])
@pytest.mark.parametrize("spacing", [1.0, 0.1])
@pytest.mark.parametrize("cost", ["euclidean", "sqeuclidean", "cityblock", "chebyshev"])
def test_nearly_equal_images(cost, spacing, part):
    """Mass 1e-3 to 1e-9 of the brightest pixel moves one step; all else stays, and costs no digits."""
    rng = np.random.default_rng(0)
    first = rng.random((12, 15)) + 0.5
    first[5, 7] = 2.0
    second = first.copy()
    second[5, 7] -= 2.0 * part
    second[5, 8] += 2.0 * part
    result = emd_images(first, second, cost=cost, spacing=spacing, normalize=True)
    differences = [Fraction(p) - Fraction(q) for p, q in zip(result.problem.a, result.problem.b, strict=True)]
    moved, defect = float(sum(map(abs, differences)) / 2), float(abs(sum(differences)))
    step = spacing**2 if cost == "sqeuclidean" else spacing
    doubt = 1e-9 * moved * step + 2 * defect * result.problem.largest_cost
    assert result.value == pytest.approx(moved * step, abs=doubt)
    assert result.gap <= doubt
    assert verify(result.proof(), level="exact")


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.sampled_from(["euclidean", "sqeuclidean", "cityblock", "chebyshev", "minkowski:3"])
)
def test_potentials_that_cancel_are_feasible_in_real_arithmetic(seed, cost):
    rng = np.random.default_rng(seed)
    points = rng.permutation(np.indices((4, 4)).reshape(2, -1).T)[:12] * rng.choice([1.0, 0.1, 1e5])
    x, y = points[: rng.integers(4, 10)], points[rng.integers(1, 4) :]
    problem = TransportProblem(DiscreteMeasure(x), DiscreteMeasure(y), cost)
    costs = problem.costs()
    f, g = feasible_potentials(problem, rng.normal(size=len(x)) * costs.max() * rng.choice([1e-3, 1.0]), None)
    g -= rng.choice([0.0, 1e-13, 1e-12, 1e-10]) * costs.max() * rng.random(len(y))
    found = cancelling_potentials(problem, f, g, 1e-9)
    assume(found is not None)

    def violated(f, g):
        pairs = zip(*np.nonzero(np.isfinite(costs)), strict=True)
        return any(Fraction(f[i]) + Fraction(g[j]) > Fraction(costs[i, j]) for i, j in pairs)

    assert not violated(*found)
    assert np.any(found[0][:, None] + found[1] == 0.0), "somewhere they cancel"
    assert violated(found[0] + 1e-9 * costs.max(), found[1]), "the check sees potentials a little too high"


@pytest.mark.parametrize("cost", ["euclidean", "sqeuclidean", "cityblock"])
def test_nearly_equal_clouds_of_many_points(cost):
    """So many that the least cost between different points is found in a tree."""
    rng = np.random.default_rng(0)
    x = np.indices((50, 50)).reshape(2, -1).T[:2400] / 3  # the first two are neighbours
    a = rng.integers(1, 100, 2400) / 2.0**17
    b = a.copy()
    b[:2] += np.array([1, -1]) * 2.0**-45
    order = rng.permutation(2400)
    mu, nu = DiscreteMeasure(x, a), DiscreteMeasure(x[order], b[order])
    result = solve(TransportProblem(mu, nu, cost))
    truth = 2.0**-45 * cdist(x[:1], x[1:2], cost)[0, 0]
    assert result.status is Status.OPTIMAL and result.value == pytest.approx(truth, rel=1e-9)
    assert result.problem.keeps_matrix is False


def test_where_potentials_do_not_cancel():
    """No common points, points that occur twice, and slack that mass which stays would not have."""
    x = np.array([[0.0, 0.0], [1.0, 0.0], [3.0, 1.0]])

    def found(x, y, slack):
        problem = TransportProblem(DiscreteMeasure(x), DiscreteMeasure(y), "euclidean")
        return cancelling_potentials(problem, np.zeros(len(x)), np.full(len(y), -slack), 1e-9)

    assert found(x, x + 0.25, 0.0) is None
    assert found(x, x, 1e-3) is None
    assert found(x[[0, 0, 1]], x, 0.0) is None
    assert found(x, x[[2, 0]], 1e-13)[1].tolist() == [0.0, 0.0]


@pytest.mark.parametrize(("cost", "gap"), [("euclidean", 1e-170), ("euclidean", 1e-160), ("minkowski:50", 1e-7)])
def test_no_least_cost_where_powers_underflow(cost, gap):
    """Of 1500 points three are closer than the tree can tell: which of them are closest it does not know."""
    rng = np.random.default_rng(0)
    x = np.vstack([rng.random((1500, 2)) + 1.0, [[0.0, 0.0], [3 * gap, 0.0], [4 * gap, 0.0]]])
    problem = TransportProblem(DiscreteMeasure(x), DiscreteMeasure(x), cost)
    assert not problem.keeps_matrix
    assert cancelling_potentials(problem, np.zeros(1503), np.zeros(1503), 1e-9) is None
    plain = TransportProblem(DiscreteMeasure(x[:1500]), DiscreteMeasure(x[:1500]), "euclidean")
    assert cancelling_potentials(plain, np.zeros(1500), np.zeros(1500), 1e-9) is not None
