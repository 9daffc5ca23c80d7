"""Discrete measures: where they come from, what is merged, what is refused and in which words."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otdiv import DiscreteMeasure, common_support, compare, emd, js, kl
from otdiv.core.validation import as_float_array
from otdiv.errors import InvalidInput
from otdiv.measures.support import binned


def test_samples_weigh_the_same_and_a_list_lies_on_the_line():
    mu = DiscreteMeasure.from_samples([3.0, 1.0, 1.0, 2.0])
    assert mu.points.shape == (4, 1) and mu.d == 1 and mu.n == 4
    assert mu.weights.tolist() == [0.25] * 4
    assert DiscreteMeasure.from_samples([[1, 2], [3, 4]], [1, 3]).weights.tolist() == [1, 3]


def test_pmf_must_sum_to_one():
    mu = DiscreteMeasure.from_pmf([0, 1, 2], [0.5, 0.3, 0.2])
    assert mu.mass == 1.0
    with pytest.raises(InvalidInput, match=r"^pmf must sum to 1; got 1\.1\. Divide it by its sum"):
        DiscreteMeasure.from_pmf([0, 1], [0.5, 0.6])
    with pytest.raises(InvalidInput, match=r"^pmf must be given; got None"):
        DiscreteMeasure.from_pmf([0, 1], None)
    assert DiscreteMeasure.from_pmf([0, 1], [0.5, 0.5 + 1e-10]).n == 2


def test_counts_are_divided_by_their_total_unless_told_otherwise():
    assert DiscreteMeasure.from_counts([5, 6], [1, 3]).weights.tolist() == [0.25, 0.75]
    kept = DiscreteMeasure.from_counts([5, 6], [1, 3], normalize=False)
    assert kept.weights.tolist() == [1, 3] and kept.mass == 4


def test_histogram_puts_the_counts_at_the_centres():
    data = np.array([0.1, 0.2, 0.7, 1.9])
    counts, edges = np.histogram(data, bins=4, range=(0, 2))
    mu = DiscreteMeasure.from_histogram(counts, edges)
    assert mu.points[:, 0].tolist() == [0.25, 0.75, 1.25, 1.75]
    assert mu.weights.tolist() == [0.5, 0.25, 0, 0.25]
    assert DiscreteMeasure.from_histogram(counts, edges, normalize=False).mass == 4


def test_histogram_of_two_coordinates():
    rng = np.random.default_rng(0)
    counts, edges = np.histogramdd(rng.random((50, 2)), bins=(2, 3), range=[(0, 1), (0, 3)])
    mu = DiscreteMeasure.from_histogram(counts, edges, normalize=False)
    assert mu.n == 6 and mu.d == 2
    for (x, y), weight in zip(mu.points, mu.weights, strict=True):
        assert weight == counts[int(x * 2), int(y)]


@pytest.mark.parametrize(
    ("counts", "edges", "message"),
    [
        ([1, 2], [0, 1], r"edges must be strictly increasing of length 3.*got shape \(2,\)"),
        ([1, 2], [0, 1, 1], "edges must be strictly increasing of length 3.*got edges that do not increase"),
        ([1, 2], [2, 1, 0], "do not increase"),
        ([1, 2], [0, 1, np.nan], r"edges must be finite; got nan at index \(2,\)"),
        ([[1, 2]], [[0, 1]], "edges must hold 2 arrays.*got 1"),
        ([[1, 2]], 3, "edges must hold 2 arrays"),
        (7, [0, 1], "edges must hold 0 arrays"),
        ([1, -2], [0, 1, 2], "counts must be non-negative; got -2.0 at index 1"),
        ([0, 0], [0, 1, 2], "counts must have a positive, finite total; got total 0.0"),
        ([], [0], "counts must hold at least one bin"),
        ([np.inf, 1], [0, 1, 2], r"counts must be finite; got inf at index \(0,\)"),
    ],
)
def test_histograms_that_are_refused(counts, edges, message):
    with pytest.raises(InvalidInput, match=message):
        DiscreteMeasure.from_histogram(counts, edges)


def test_image_is_a_measure_on_the_pixel_grid():
    image = np.array([[0, 10, 20], [30, 0, 40]])
    mu = DiscreteMeasure.from_image(image)
    assert mu.mass == 100 and mu.n == 6
    for (row, column), weight in zip(mu.points.astype(int), mu.weights, strict=True):
        assert weight == image[row, column]
    assert DiscreteMeasure.from_image(image, normalize=True).mass == 1
    with pytest.raises(InvalidInput, match=r"image must be a grey image of shape \[h, w\]; got shape \(2, 2, 3\)"):
        DiscreteMeasure.from_image(np.ones((2, 2, 3)))
    with pytest.raises(InvalidInput, match=r"image must be a grey image.*\(0, 4\)"):
        DiscreteMeasure.from_image(np.ones((0, 4)))
    with pytest.raises(InvalidInput, match=r"image must have a positive, finite total"):
        DiscreteMeasure.from_image(np.zeros((2, 2)))


def test_s1_push_forward_moves_mass_and_keeps_expectations():
    """S1: E over x ~ G#p_z of h(x) is E over z ~ p_z of h(G(z)), for any h."""
    rng = np.random.default_rng(1)
    z = DiscreteMeasure(rng.normal(size=(40, 3)), rng.random(40))
    image = z.push_forward(lambda p: np.round(p[:, :2]))
    assert image.d == 2 and image.n < z.n, "points that land together are merged"
    for h in (lambda x: x[:, 0] ** 2, lambda x: np.cos(x[:, 1]), lambda x: np.ones(len(x))):
        assert image.weights @ h(image.points) == pytest.approx(z.weights @ h(np.round(z.points[:, :2])), rel=1e-12)
    assert z.push_forward(lambda p: np.round(p[:, :2]), merge=False).n == z.n


def test_push_forward_onto_the_line_and_onto_one_point():
    mu = DiscreteMeasure([[0, 1], [2, 3]], [0.25, 0.75])
    assert mu.push_forward(lambda p: p.sum(axis=1)).points.tolist() == [[1], [5]]
    assert mu.push_forward(lambda p: p * 0).weights.tolist() == [1.0]


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        (lambda p: p[:1], "transform must return one point for each of the 2 points; got 1"),
        (lambda p: p / 0.0, r"transform\(points\) must be finite"),
        (lambda p: "north", r"transform\(points\) must hold real numbers"),
        (lambda p: None, r"transform\(points\) must have shape"),
    ],
)
def test_push_forwards_that_are_refused(transform, message):
    with np.errstate(all="ignore"), pytest.raises(InvalidInput, match=message):
        DiscreteMeasure([1.0, 2.0]).push_forward(transform)


def test_a_transform_cannot_write_into_the_measure():
    with pytest.raises(ValueError, match=r"read-only"):
        DiscreteMeasure([1.0, 2.0]).push_forward(lambda p: p.sort(axis=0))


def test_both_zeros_are_one_point():
    merged = DiscreteMeasure([0.0, -0.0, 1.0], [0.25, 0.5, 0.25]).merged()
    assert merged.points.tolist() == [[0], [1]] and merged.weights.tolist() == [0.75, 0.25]
    assert not np.signbit(merged.points).any()
    assert not np.signbit(DiscreteMeasure([-0.0, 0.0]).merged().points).any(), "whichever came first"
    plane = DiscreteMeasure([[-0.0, 0.0], [0.0, -0.0], [0, 1]]).merged()
    assert plane.n == 2 and not np.signbit(plane.points).any() and plane.weights[0] == pytest.approx(2 / 3)
    points, p, q = common_support(DiscreteMeasure([0.0]), DiscreteMeasure([-0.0]))
    assert len(points) == 1 and p.tolist() == q.tolist() == [1.0]


@given(st.lists(st.tuples(st.integers(-2, 2), st.integers(-2, 2), st.integers(1, 9)), min_size=1, max_size=12))
def test_merging_keeps_the_mass_of_every_point(atoms):
    mu = DiscreteMeasure([(x, y) for x, y, _ in atoms], [w for _, _, w in atoms]).merged()
    expected: dict = {}
    for x, y, w in atoms:
        expected[x, y] = expected.get((x, y), 0) + w
    assert [tuple(map(int, point)) for point in mu.points] == sorted(expected)
    assert {(int(x), int(y)): w for (x, y), w in zip(mu.points, mu.weights, strict=True)} == expected


def test_common_support_of_any_order_and_repetition():
    mu, nu = DiscreteMeasure([2, 0, 2, 1], [0.1, 0.2, 0.3, 0.4]), DiscreteMeasure([3, 1])
    points, p, q = common_support(mu, nu)
    assert points[:, 0].tolist() == [0, 1, 2, 3]
    assert p == pytest.approx([0.2, 0.4, 0.4, 0]) and q.tolist() == [0, 0.5, 0, 0.5]
    for array in (points, p, q):
        assert not array.flags.writeable
    with pytest.raises(
        InvalidInput, match=r"x and y must have points of the same dimension; got d = 1 and d = 2. Select"
    ):
        common_support(mu, DiscreteMeasure([[1, 2]]))


@pytest.mark.parametrize("bins", [1, 3, 10])
def test_binning_agrees_with_numpy(bins):
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=200), rng.normal(size=100) + 1
    p, q = binned(DiscreteMeasure(x), DiscreteMeasure(y), bins)
    both = np.concatenate([x, y])
    edges = np.linspace(both.min(), both.max(), bins + 1)
    centres = (edges[:-1] + edges[1:]) / 2
    for data, measure in ((x, p), (y, q)):
        counts = np.histogram(data, edges)[0]
        assert measure.mass == pytest.approx(1)
        placed = dict(zip(np.round(measure.points[:, 0], 9), measure.weights, strict=True))
        for centre, count in zip(np.round(centres, 9), counts, strict=True):
            assert placed.get(centre, 0.0) == pytest.approx(count / len(data))


def test_binning_each_coordinate_with_its_own_number():
    mu, nu = DiscreteMeasure([[0, 0], [4, 4]]), DiscreteMeasure([[1, 3]])
    p, _ = binned(mu, nu, (1, 2))
    assert p.points.tolist() == [[2, 1], [2, 3]]
    same, _ = binned(DiscreteMeasure([[0, 5], [4, 5]]), nu=DiscreteMeasure([[1, 5]]), bins=2)
    assert same.points[:, 0].tolist() == [1, 3], "a coordinate that never changes is one cell"


@pytest.mark.parametrize("bins", [0, -1, 2.5, "3", True, (2, 3), [], [2.7], None, 10**30])
def test_numbers_of_bins_that_are_refused(bins):
    with pytest.raises(InvalidInput, match=r"bins must be a positive integer, or 1 of them; got"):
        binned(DiscreteMeasure([0, 1]), DiscreteMeasure([2]), bins)


def test_bins_finer_than_the_rounding_of_the_points_are_refused():
    far = DiscreteMeasure(1e16 + np.array([0.0, 80, 160, 240]))
    assert binned(far, far, 3)[0].n == 3
    with pytest.raises(InvalidInput, match=r"bins must leave cells wider than the rounding of the coordinates"):
        binned(far, far, 60)


def test_normalized_keeps_the_shape():
    mu = DiscreteMeasure([0, 1, 2], [2, 6, 0])
    assert mu.normalized().weights.tolist() == [0.25, 0.75, 0]
    assert mu.weights.tolist() == [2, 6, 0]


def test_nothing_can_be_changed_afterwards():
    points, weights = np.array([[0.0], [1.0]]), np.array([0.5, 0.5])
    mu = DiscreteMeasure(points, weights)
    points[0], weights[0] = 9, 9
    assert mu.points[0, 0] == 0 and mu.weights[0] == 0.5
    for array in (mu.points, mu.weights, DiscreteMeasure([1, 2]).weights):
        with pytest.raises(ValueError, match=r"read-only"):
            array[0] = 7
    with pytest.raises(dataclasses.FrozenInstanceError):
        mu.points = points
    assert repr(mu) == "DiscreteMeasure(n=2, d=1, mass=1)"


@pytest.mark.parametrize(
    ("points", "weights", "message"),
    [
        ([], None, r"points must hold at least one point.*got shape \(0, 1\)\. Check where it was read"),
        (np.ones((3, 0)), None, r"points must hold at least one point of at least one coordinate; got shape \(3, 0\)"),
        (5.0, None, r"points must have shape \[n, d\] or \[n\]; got shape \(\)\. Reshape it"),
        (np.ones((2, 2, 2)), None, r"points must have shape \[n, d\] or \[n\]; got shape \(2, 2, 2\)"),
        ([0, np.nan], None, r"points must be finite; got nan at index \(1, 0\)\. Remove or repair"),
        ([0, -np.inf], None, r"points must be finite; got -inf at index \(1, 0\)"),
        ([np.inf, -np.inf], None, r"points must be finite; got inf at index \(0, 0\)"),
        ([[1, 2], [3]], None, "points must be rectangular; got rows of different lengths"),
        (["a", "b"], None, "points must hold real numbers; got dtype <U1"),
        ([1j], None, "points must hold real numbers; got dtype complex128"),
        ([True, False], None, "points must hold real numbers; got dtype bool"),
        (np.array(["1.5", 2], dtype=object), None, "points must hold numbers only; got objects that are not numbers"),
        (np.array([True, 2], dtype=object), None, "points must hold numbers only"),
        ([10**400], None, "points must hold numbers only"),
        ([2**53 + 1], None, r"points must fit into float64; got an integer beyond 2\*\*53\. Subtract an offset"),
        ([2**70 + 1, 0.5], None, r"points must fit into float64"),
        ([0, 1], [0.5], r"weights must have shape \[2\], one weight for each point; got shape \(1,\)"),
        ([0, 1], [[0.5, 0.5]], r"weights must have shape \[2\].*got shape \(1, 2\)"),
        ([0, 1], [1, -1e-300], "weights must be non-negative; got -1e-300 at index 1. A measure has no negative mass"),
        ([0, 1], [0, 0], "weights must have a positive, finite total; got total 0.0"),
        ([0, 1], [np.nan, 1], r"weights must be finite; got nan at index \(0,\)"),
        ([0, 1], [1e308, 1e308], "weights must have a positive, finite total; got total inf"),
    ],
)
def test_measures_that_are_refused(points, weights, message):
    with pytest.raises(InvalidInput, match=message):
        DiscreteMeasure(points, weights)


def test_the_argument_that_came_is_the_one_that_is_named():
    with pytest.raises(InvalidInput, match=r"^samples must be finite"):
        DiscreteMeasure.from_samples([np.nan])
    with pytest.raises(InvalidInput, match=r"^pmf must be non-negative"):
        DiscreteMeasure.from_pmf([0, 1], [2, -1])
    with pytest.raises(InvalidInput, match=r"^counts must have shape \[2\]"):
        DiscreteMeasure.from_counts([0, 1], [2])
    with pytest.raises(InvalidInput, match=r"^image must be non-negative"):
        DiscreteMeasure.from_image([[1, -1]])


def test_huge_finite_numbers_are_finite():
    """Their sum overflows; that is no reason to warn or to refuse."""
    mu = DiscreteMeasure([1e308, 1.5e308, -1e308])
    assert mu.points[:, 0].tolist() == [1e308, 1.5e308, -1e308]
    assert DiscreteMeasure([0, 1], [8e307, 8e307]).normalized().weights.tolist() == [0.5, 0.5]
    p, _ = binned(mu, DiscreteMeasure([0.0]), 5)
    assert p.n == 3 and np.isfinite(p.points).all()
    centres = DiscreteMeasure.from_histogram([1, 1], [-1.7e308, 0, 1.7e308]).points[:, 0]
    assert centres.tolist() == [-8.5e307, 8.5e307]
    with pytest.raises(InvalidInput, match=r"float64 to hold their distances.*Rescale the points"):
        emd(np.eye(2) * 1e308, -np.eye(2) * 1e308)


def test_smallest_positive_weights():
    assert DiscreteMeasure([0, 1], [5e-324, 5e-324]).normalized().weights.tolist() == [0.5, 0.5]


@pytest.mark.parametrize("value", [[Fraction(1, 4), Fraction(3, 4)], np.array([0.25, 0.75], dtype=np.float16)])
def test_numbers_of_other_kinds(value):
    assert as_float_array("x", value).tolist() == [0.25, 0.75]


def test_an_extended_float_beyond_the_range_is_refused_in_words():
    if np.finfo(np.longdouble).max > np.finfo(np.float64).max:
        with pytest.raises(InvalidInput, match=r"points must be finite"):
            DiscreteMeasure(np.array([1, 2], dtype=np.longdouble) * np.longdouble(10) ** 400)
    assert as_float_array("x", np.array([1, 2], dtype=np.longdouble)).tolist() == [1, 2]


def test_points_that_differ_by_rounding_are_the_same():
    """The same ten bins, added up or multiplied out."""
    sums, products = np.cumsum(np.full(10, 0.1)), np.arange(1, 11) * 0.1
    p, q = (DiscreteMeasure(z, np.full(10, 0.1)) for z in (sums, products))
    assert (sums != products).sum() == 5
    assert js(p, q) == 0.0 and kl(p, q) == 0.0
    points, a, b = common_support(p, q)
    assert len(points) == 10 and np.array_equal(a, b) and set(points[:, 0]) <= {*sums, *products}
    assert len(common_support(p, q, support_atol=0.0)[0]) == 15  # exact on request
    assert "5 points that differ from others by rounding only count as the same." in compare(p, q).table("").notes
    far = DiscreteMeasure(sums + 1e-13, np.full(10, 0.1))
    assert js(p, far) == pytest.approx(np.log(2)) and len(common_support(p, far)[0]) == 20
    assert len(common_support(p, far, support_atol=1e-12)[0]) == 10
    with pytest.raises(InvalidInput, match="support_atol must be a number >= 0"):
        common_support(p, q, support_atol=-1.0)


def test_a_chain_of_near_points_is_not_drawn_into_one():
    """Each is within reach of the next; groups are no wider than the tolerance."""
    z = DiscreteMeasure(np.arange(10) * 0.6)
    assert common_support(z, z, support_atol=1.0)[0][:, 0].tolist() == pytest.approx([0.0, 1.2, 2.4, 3.6, 4.8])


@pytest.mark.parametrize(
    ("p", "q"),
    [
        ([0.2, 0.3, 0.5], [0.5, 0.4, 0.1]),
        ([3, 0, 1, 2, 0, 4, 1, 1], [1, 1, 4, 0, 2, 1, 0, 3]),
    ],
)
def test_one_row_of_masses_is_asked_about(p, q):
    with pytest.raises(InvalidInput, match=r"x and y must be points, one in each row; got one row of \d non-negative"):
        emd([p], [q])
    as_points = emd(DiscreteMeasure([p]), DiscreteMeasure([q]))  # both remedies
    assert as_points.value == pytest.approx(np.linalg.norm(np.subtract(p, q)))
    bins = np.arange(len(p), dtype=float)
    assert emd(bins, bins, p, q).value == pytest.approx(np.abs(np.cumsum(np.subtract(p, q))).sum())


def test_single_points_are_points():
    assert emd([[1.0, 2.0, 3.0]], [[3.0, 2.0, 1.0]]).value == pytest.approx(np.sqrt(8))
    assert emd([[0.5, 0.5]], [[1.0, 0.0]]).value == pytest.approx(np.sqrt(0.5))
