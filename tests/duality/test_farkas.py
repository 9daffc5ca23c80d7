"""Farkas' lemma, cones and hulls, their geometry, the exact simplex, and why no transport plan exists (S30 to S32)."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import linprog

from otdiv.certificates.infeasibility import transport_witness, verify_transport_witness
from otdiv.core.bounds import Status
from otdiv.duality.cone import cone_shape, in_cone, in_convex_hull, separation
from otdiv.duality.farkas import box_certificate, farkas, verify_farkas
from otdiv.errors import CertificateRefused, InvalidInput
from otdiv.linear_programming import LinearProgram, RationalProgram, solve_exact, solve_lp
from otdiv.linear_programming.rational import dot, times, transposed_times

WALLS = [[2, 1], [1, 3]]  # a1 = (2, 1), a2 = (1, 3)
TRIANGLE = [[1, 3, 2], [1, 1, 3]]

small = st.integers(-3, 3)


@st.composite
def systems(draw):
    m, n = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    A = draw(st.lists(st.lists(small, min_size=n, max_size=n), min_size=m, max_size=m))
    return A, draw(st.lists(small, min_size=m, max_size=m))


# S30: combinations


@pytest.mark.parametrize("exact", [False, True])
def test_s30_convex_and_conic_combinations(exact):
    inside = in_convex_hull(TRIANGLE, [2, 1.5], exact=exact)
    np.testing.assert_allclose(inside.weights, [0.375, 0.375, 0.25], atol=1e-12)
    for point, hull, cone in (
        ([2, 1.5], True, True),
        ([4, 4], False, True),
        ([1, 3], False, False),
        ([-1, 1], False, False),
    ):
        in_hull, conic = in_convex_hull(TRIANGLE, point, exact=exact), in_cone(TRIANGLE, point, exact=exact)
        assert (in_hull.inside, conic.inside) == (hull, cone)
        if not hull:  # the functional separates: all columns on one side, the point on the other
            assert (in_hull.functional @ TRIANGLE <= in_hull.offset + 1e-9).all()
            assert in_hull.functional @ point > in_hull.offset + 1e-6
        if not cone:
            assert (conic.functional @ TRIANGLE <= 1e-9).all() and conic.functional @ point > 1e-6
        if cone:
            np.testing.assert_allclose(np.array(TRIANGLE) @ conic.weights, point, atol=1e-9)
            assert conic.weights.min() >= 0


def test_s30_e41_three_columns_need_not_make_a_triangle_nor_a_wedge():
    on_a_line = [[0, 1, 2], [0, 1, 2]]
    assert not in_convex_hull(on_a_line, [1, 0.5], exact=True).inside
    assert in_convex_hull(on_a_line, [1.5, 1.5], exact=True).inside
    assert cone_shape([[1, -1, 0], [0, 0, 1]]).name == "half-plane"
    assert cone_shape([[1, -1, 0], [0, 1, -1]]).name == "plane"


# S31: the lemma


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("b, alternative", [((3, 4), 1), ((1, -1), 2), ((2, 1), 1), ((0, 0), 1), ((-1, 1), 2)])
def test_s31_farkas_alternatives_of_the_two_walls(b, alternative, exact):
    answer = farkas(WALLS, b, exact=exact)
    assert answer.alternative == alternative
    if answer.inside:
        assert answer.F is None and answer.x.min() >= 0
        np.testing.assert_allclose(np.array(WALLS) @ answer.x, b, atol=1e-9)
    else:
        assert answer.x is None and answer.gain == pytest.approx(answer.F @ b)
        assert (answer.F @ WALLS <= 1e-9).all() and answer.F @ b > 0


def test_s31_the_printed_witnesses_hold():
    assert verify_farkas(WALLS, [3, 4], x=[1, 1]).inside
    assert verify_farkas(WALLS, [2, 1], x=[1, 0]).inside, "the boundary belongs to the cone"
    assert verify_farkas(WALLS, [1, -1], F=[1, -2]).gain == 3
    assert verify_farkas(WALLS, [-1, 1], F=[-1, Fraction(1, 3)], exact=True).gain == 4 / 3


@pytest.mark.slow
def test_s31_farkas_400_random_integer_systems():
    rng = np.random.default_rng(0)
    cases = []
    for _ in range(400):
        A, b = rng.integers(-3, 4, size=(3, 4)), rng.integers(-3, 4, size=3)
        exact, float_answer = farkas(A, b, exact=True), farkas(A, b)
        reference = linprog(np.zeros(4), A_eq=A, b_eq=b, bounds=(0, None))
        assert exact.alternative == float_answer.alternative == {0: 1, 2: 2}[reference.status]
        cases.append(exact.alternative)
    assert (cases.count(1), cases.count(2)) == (124, 276)


@pytest.mark.slow
@settings(max_examples=300, deadline=None, derandomize=True)
@given(systems())
def test_s31_farkas_exactly_one_alternative_in_exact_arithmetic(system):
    A, b = system
    answer = farkas(A, b, exact=True)
    rows = [[Fraction(v) for v in row] for row in A]
    if answer.alternative == 1:
        assert min(answer.exact) >= 0
        assert [sum(v * x for v, x in zip(row, answer.exact, strict=True)) for row in rows] == b
        # The other alternative would need some F with A'F <= 0, b'F > 0; but b'F = x'(A'F) <= 0 for every F in the box.
        assert box_certificate(A, b)[1] == pytest.approx(0, abs=1e-9)
    else:
        assert all(
            sum(v * f for v, f in zip(column, answer.exact, strict=True)) <= 0 for column in zip(*rows, strict=True)
        )
        assert sum(v * f for v, f in zip(b, answer.exact, strict=True)) > 0
        assert box_certificate(A, b)[1] > 1e-6


def test_s31_e42_F_has_one_entry_for_each_row_and_x_one_for_each_column():
    A = [[1, 0, 2], [0, 1, 1]]
    assert farkas(A, [1, 1]).x.shape == (3,) and farkas(A, [-1, -1]).F.shape == (2,)


def test_s31_a_wall_missed_by_1e_12_is_decided_exactly():
    missed = [[1.0], [1.0]]
    assert farkas(missed, [1.0, 1.0], exact=True).alternative == 1
    off = [1.0, 1.0 + 2**-40]
    answer = farkas(missed, off, exact=True)
    assert answer.alternative == 2 and 0 < answer.gain < 1e-12 and np.abs(answer.F).max() == 1


def test_the_box_certificate_is_the_distance_to_the_cone():
    """min |A x - b|_1 over x >= 0, computed by another program, equals the best F of the box."""
    rng = np.random.default_rng(3)
    for _ in range(20):
        A, b = rng.normal(size=(3, 4)), rng.normal(size=3)
        F, value = box_certificate(A, b)
        columns = np.hstack([A, np.eye(3), -np.eye(3)])
        cost = np.concatenate([np.zeros(4), np.ones(6)])
        assert value == pytest.approx(linprog(cost, A_eq=columns, b_eq=b).fun, abs=1e-9)
        assert np.abs(F).max() <= 1 + 1e-9 and (A.T @ F).max() <= 1e-9
        assert box_certificate(sparse.csc_array(A), b)[1] == pytest.approx(value, abs=1e-9)


def test_sparse_and_cvxpy_give_the_same_alternative():
    for b, alternative in (((3, 4), 1), ((1, -1), 2)):
        assert farkas(sparse.csr_array(np.array(WALLS, float)), b).alternative == alternative
        assert farkas(WALLS, b, backend="cvxpy").alternative == alternative
        assert farkas(sparse.csr_array(np.array(WALLS)), b, exact=True).alternative == alternative


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize(
    "b, witness, word",
    [
        ((3, 4), {"x": [1, 2]}, "A x must equal b"),
        ((3, 4), {"x": [-1, 5]}, "non-negative"),
        ((3, 4), {"x": [1]}, "must be 2"),
        ((1, -1), {"F": [1, 0]}, "column 0"),
        ((1, -1), {"F": [-1, 0]}, "must be positive"),
        ((1, -1), {"F": [1, -2, 0]}, "must be 2"),
        ((3, 4), {"F": [1, -2]}, "must be positive"),
        ((3, 4), {}, "exactly one"),
        ((3, 4), {"x": [1, 1], "F": [1, 1]}, "exactly one"),
    ],
)
def test_a_tampered_witness_is_refused(b, witness, word, exact):
    with pytest.raises(CertificateRefused, match=word):
        verify_farkas(WALLS, b, exact=exact, **witness)


def test_exact_verification_has_no_tolerance():
    verify_farkas([[1]], [1], x=[1 + 1e-12])
    with pytest.raises(CertificateRefused, match="row 0"):
        verify_farkas([[1]], [1], x=[1 + 1e-12], exact=True)
    with pytest.raises(CertificateRefused, match="finite"):
        verify_farkas([[1]], [1], x=[float("nan")])


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize(
    "A, b", [([[1, 2]], [1, 2]), ([1, 2], [1]), ([[np.nan]], [1]), ([[1], [1, 2]], [1, 2]), ([[1]], ["x"])]
)
def test_farkas_refuses_what_is_no_system(A, b, exact):
    with pytest.raises(InvalidInput):
        farkas(A, b, exact=exact)


# S32: geometry


def test_s32_angles_and_the_separating_line():
    geometry = separation(WALLS, [1, -1], [1, -2])
    np.testing.assert_allclose(geometry.wall_angles, [90, 135], atol=1e-9)
    assert geometry.b_angle == pytest.approx(18.434948822922, abs=1e-9)
    assert geometry.h.shape == (2, 1) and abs(geometry.h[:, 0] @ [1, -2]) < 1e-12


@settings(max_examples=100, deadline=None, derandomize=True)
@given(systems())
def test_s32_every_functional_stands_at_least_90_from_the_walls_and_less_from_b(system):
    A, b = system
    answer = farkas(A, b, exact=True)
    if not answer.inside:
        geometry = separation(A, b, answer.F)
        angles = geometry.wall_angles[~np.isnan(geometry.wall_angles)]
        assert (angles >= 90 - 1e-9).all() and geometry.b_angle < 90
        assert geometry.h.shape == (len(b), len(b) - 1)
        np.testing.assert_allclose(geometry.h.T @ answer.F, 0, atol=1e-12 * max(1, np.abs(answer.F).max()))


def test_s32_e43_zero_satisfies_the_weak_inequalities_and_proves_nothing():
    """With b'F >= 0 instead of > 0, F = 0 would be a witness beside x, and both alternatives would hold."""
    b = [3, 4]
    assert farkas(WALLS, b).inside
    zero = np.zeros(2)
    assert (np.array(WALLS).T @ zero <= 0).all() and zero @ b >= 0
    with pytest.raises(CertificateRefused, match="must be positive"):
        verify_farkas(WALLS, b, F=zero)
    with pytest.raises(InvalidInput, match="different from 0"):
        separation(WALLS, b, zero)


def test_s32_e44_beside_a_line_every_certificate_is_orthogonal_to_the_walls():
    line = np.array([[1, -1], [0, 0]])
    answer = farkas(line, [0, 1], exact=True)
    assert answer.alternative == 2
    assert all(value == 0 for value in transposed_times(((1, -1), (0, 0)), answer.exact)), "never strictly below 0"
    np.testing.assert_allclose(separation(line, [0, 1], answer.F).wall_angles, 90, atol=1e-9)
    with pytest.raises(CertificateRefused):
        verify_farkas(line, [0, 1], F=[-0.001, 1], exact=True)


def test_s32_e45_h_is_orthogonal_to_F_and_not_to_b():
    h = separation(WALLS, [1, -1], [1, -2]).h[:, 0]
    assert abs(h @ [1, -2]) < 1e-12
    assert abs(h @ [1, -1]) == pytest.approx(1 / np.sqrt(5)), "h = (2, 1) / sqrt 5 up to sign, and h . b = 1 / sqrt 5"


def test_s32_e46_there_is_no_such_F_when_b_is_inside():
    rng = np.random.default_rng(0)
    doors = [F for F in rng.normal(size=(400, 2)) if (np.array(WALLS).T @ F <= 0).all()]
    assert len(doors) > 50 and max(F @ [3, 4] for F in doors) < 0


@pytest.mark.parametrize(
    "A, name",
    [
        ([[0], [0]], "zero"),
        ([[1, 2], [0, 0]], "ray"),
        ([[1, -1], [0, 0]], "line"),
        (WALLS, "wedge"),
        ([[1, -1, 0], [0, 0, 1]], "half-plane"),
        ([[1, -1, 0], [1, 0, -1]], "plane"),
        ([[1, 0, 0], [0, 1, 0], [0, 0, 1]], "pointed cone"),
        ([[1, -1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], "cone with lineality"),
        ([[1, -1, 0, 0, 0, 0], [0, 0, 1, -1, 0, 0], [0, 0, 0, 0, 1, -1]], "subspace"),
    ],
)
def test_s32_degenerate_cones_are_named(A, name):
    assert cone_shape(A).name == name


@pytest.mark.parametrize("A", [[[0], [0]], [[1, -1], [0, 0]], [[1, -1, 0], [0, 0, 1]], [[1, -1, 0], [1, 0, -1]]])
@pytest.mark.parametrize("exact", [False, True])
def test_farkas_on_degenerate_cones(A, exact):
    for b in ([0, 0], [1, 0], [-1, 0], [0, 1], [0, -1], [1, 1]):
        answer = farkas(A, b, exact=exact)
        expected = linprog(np.zeros(len(A[0])), A_eq=A, b_eq=b).status == 0
        assert answer.inside == expected


# the exact simplex


@pytest.mark.slow
@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.integers(0, 10**6))
def test_the_exact_simplex_proves_every_answer(seed):
    rng = np.random.default_rng(seed)
    m, n = rng.integers(1, 5, size=2)
    form = ("equality", "inequality")[seed % 2]
    c, A, b = rng.integers(-3, 4, size=n), rng.integers(-2, 3, size=(m, n)), rng.integers(-3, 4, size=m)
    program = RationalProgram(c, A, b, form)
    answer, floats = solve_exact(program), solve_lp(program.to_float())
    assert answer.status is floats.status
    if answer.status is Status.OPTIMAL:
        residual = [u - v for u, v in zip(times(program.A, answer.x), program.b, strict=True)]
        assert min(answer.x) >= 0 and (not any(residual) if form == "equality" else min(residual) >= 0)
        assert all(u <= v for u, v in zip(transposed_times(program.A, answer.y), program.c, strict=True))
        assert form == "equality" or min(answer.y) >= 0
        assert dot(program.c, answer.x) == dot(program.b, answer.y) == answer.objective
        assert float(answer.objective) == pytest.approx(floats.objective, abs=1e-9)
    elif answer.status is Status.INFEASIBLE:
        assert max(transposed_times(program.A, answer.ray)) <= 0 < dot(program.b, answer.ray)
        assert form == "equality" or min(answer.ray) >= 0
    else:
        moved = times(program.A, answer.ray)
        assert min(answer.ray) >= 0 > dot(program.c, answer.ray)
        assert not any(moved) if form == "equality" else min(moved) >= 0


def test_the_exact_simplex_does_not_cycle():
    """Beale's example, on which the largest-coefficient rule returns to its start."""
    c = ["-3/4", 150, "-1/50", 6, 0, 0, 0]
    A = [["1/4", -60, "-1/25", 9, 1, 0, 0], ["1/2", -90, "-1/50", 3, 0, 1, 0], [0, 0, 1, 0, 0, 0, 1]]
    assert solve_exact(RationalProgram(c, A, [0, 0, 1])).objective == Fraction(-1, 20)


def test_floats_are_taken_literally():
    assert sum(map(Fraction, [0.1, 0.1, 0.8])) - sum(map(Fraction, [0.2, 0.3, 0.5])) == Fraction(1, 2**54)
    program = RationalProgram.of(LinearProgram([1.0], [[3.0]], [0.1]))
    assert solve_exact(program).x == (Fraction(0.1) / 3,)
    with pytest.raises(InvalidInput, match="finite numbers"):
        RationalProgram([np.inf], [[1]], [1])
    with pytest.raises(InvalidInput, match=r"b must have shape \[1\]"):
        RationalProgram([1], [[1]], [1, 2])


# why no transport plan exists


def test_s24_unequal_masses_have_a_witness_of_all_sources_or_all_targets():
    a, b = np.array([0.2, 0.2, 0.6]), np.array([0.5, 0.3, 0.2])
    assert transport_witness(a, b) is None
    heavy = transport_witness(a, 1.01 * b)
    assert heavy.side == "targets" and heavy.excess == pytest.approx(0.01)
    np.testing.assert_array_equal(heavy.f, -np.ones(3))
    np.testing.assert_array_equal(heavy.g, np.ones(3))
    assert "targets 0, 1, 2" in heavy.sentence
    assert transport_witness(1.01 * a, b).side == "sources"


def test_forbidden_arcs_name_the_sets_whose_mass_cannot_get_out():
    allowed = np.array([[1, 0, 0], [1, 0, 0], [1, 1, 1]], bool)
    witness = transport_witness([0.4, 0.4, 0.2], [0.5, 0.3, 0.2], allowed)
    assert (witness.side, witness.sources, witness.targets) == ("sources", (0, 1), (0,))
    assert witness.excess == pytest.approx(0.3)
    assert set(witness.to_dict()) == {"f", "g", "sources", "targets", "side", "excess"}
    assert "sources 0, 1 may only go to targets 0" in witness.sentence


def test_a_source_without_any_arc_and_no_arcs_at_all():
    witness = transport_witness([1, 1], [1, 1], [[0, 0], [1, 1]])
    assert witness.sources == (0,) and witness.targets == () and witness.excess == 1
    assert "(none)" in witness.sentence
    assert transport_witness([1.0], [1.0], [[0]]).excess == 1
    assert transport_witness([0.0, 1.0], [1.0], [[0], [1]]) is None, "a source of mass zero needs no arc"


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.integers(0, 10**6))
def test_a_transport_witness_exists_exactly_when_no_plan_does(seed):
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 6, size=2)
    total = int(rng.integers(max(n, m), 12))
    a, b = (rng.multinomial(total, np.ones(k) / k).astype(float) for k in (n, m))
    allowed = rng.random((n, m)) < 0.6
    rows, columns = allowed.nonzero()
    if len(rows):
        ends = np.zeros((n + m, len(rows)))
        ends[rows, np.arange(len(rows))] = ends[n + columns, np.arange(len(rows))] = 1
        feasible = linprog(np.zeros(len(rows)), A_eq=ends, b_eq=np.r_[a, b]).status == 0
    else:
        feasible = False
    for form in (allowed, sparse.csr_array(allowed)):
        witness = transport_witness(a, b, form)
        assert (witness is None) == feasible
        if witness is not None:
            assert verify_transport_witness(a, b, form, witness.f, witness.g) == pytest.approx(witness.excess)


@pytest.mark.parametrize(
    "f, g, word",
    [
        ([1, 1], [-1, -0.5], "arc"),
        ([0, 0], [0, 0], "positive"),
        ([1], [-1, -1], "finite numbers"),
        ([np.nan, 1], [-1, -1], "finite"),
    ],
)
def test_a_tampered_transport_witness_is_refused(f, g, word):
    assert verify_transport_witness([2, 1], [1, 1], None, [1, 1], [-1, -1]) == 1
    with pytest.raises(CertificateRefused, match=word):
        verify_transport_witness([2, 1], [1, 1], None, f, g)


def test_transport_witness_refuses_bad_input():
    with pytest.raises(InvalidInput, match="allowed must have shape"):
        transport_witness([1], [1], [[1, 1]])
    with pytest.raises(InvalidInput, match="a must be non-negative"):
        transport_witness([-1, 2], [1])
