"""Ground costs: their entries against scipy and fifty digits, what they claim of themselves, what is refused."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from scipy import sparse
from scipy.spatial.distance import cdist

from otdiv import DiscreteMeasure, TransportProblem, emd
from otdiv.costs import (
    POINT_COSTS,
    CallableCost,
    Chebyshev,
    Cityblock,
    Cost,
    Discrete,
    Euclidean,
    MatrixCost,
    Minkowski,
    PointCost,
    Power,
    SparseCost,
    SquaredEuclidean,
    TableCost,
    as_cost,
    as_point_cost,
    metric_defect,
    minkowski,
    power_of,
    quadrangle_defect,
)
from otdiv.errors import InvalidInput, TooLarge

EVERY = [
    Euclidean(),
    SquaredEuclidean(),
    Cityblock(),
    Chebyshev(),
    Discrete(),
    Minkowski(1.5),
    Minkowski(3),
    Minkowski(40.0),
    Power(Euclidean(), 3),
    Power(Cityblock(), 1.5),
]
NAMES = [cost.name for cost in EVERY]
SCIPY = {
    "euclidean": {"metric": "euclidean"},
    "sqeuclidean": {"metric": "sqeuclidean"},
    "cityblock": {"metric": "cityblock"},
    "chebyshev": {"metric": "chebyshev"},
    "minkowski:1.5": {"metric": "minkowski", "p": 1.5},
    "minkowski:3": {"metric": "minkowski", "p": 3},
}


def digits_of(name: str, u, v) -> Decimal:
    """The cost of two points to fifty digits, written out here once more."""
    gaps = [abs(Fraction(float(s)) - Fraction(float(t))) for s, t in zip(u, v, strict=True)]
    gaps = [Decimal(gap.numerator) / Decimal(gap.denominator) for gap in gaps]
    head, _, tail = name.partition("**")
    if tail:
        return digits_of(head, u, v) ** Decimal(tail)
    if head == "discrete":
        return Decimal(int(any(gaps)))
    if head == "chebyshev":
        return max(gaps)
    p = {"euclidean": 2, "sqeuclidean": 2, "cityblock": 1}.get(head) or Decimal(head.partition(":")[2])
    total = sum((gap ** Decimal(p) for gap in gaps if gap), Decimal(0))
    return total if head == "sqeuclidean" or not total else total ** (1 / Decimal(p))


def points(n: int, d: int, seed: int, scale: float = 1.0, offset: float = 0.0):
    return np.random.default_rng(seed).normal(size=(n, d)) * scale + offset


@pytest.mark.parametrize("name", SCIPY)
def test_entries_against_scipy(name):
    x, y = points(7, 3, 0), points(5, 3, 1)
    assert as_cost(name).matrix(x, y) == pytest.approx(cdist(x, y, **SCIPY[name]), rel=1e-14)


def test_entries_against_whole_numbers():
    x, y = np.array([[0.0, 0, 0]]), np.array([[2.0, -3, 6], [0, 0, 0]])
    expected = {"euclidean": 7, "sqeuclidean": 49, "cityblock": 11, "chebyshev": 6, "discrete": 1}
    assert tuple(expected) == POINT_COSTS
    for name, value in expected.items():
        assert as_cost(name).matrix(x, y).tolist() == [[value, 0]]
    assert Power(Euclidean(), 2.0).matrix(x, y).tolist() == [[49, 0]]


@pytest.mark.parametrize("d", [1, 2, 7])
@pytest.mark.parametrize("cost", EVERY, ids=NAMES)
def test_paired_equals_matrix(cost, d):
    x, y = points(6, d, 2), points(6, d, 3)
    y[0] = x[0]
    matrix, paired = cost.matrix(x, y), cost.elementwise(x, y)
    assert paired[0] == matrix[0, 0] == 0
    # both lie within the claimed error of the truth
    assert np.all(np.abs(paired - np.diag(matrix)) <= 2 * cost.relative_error(d) * paired)


@pytest.mark.parametrize("scale, offset", [(1.0, 0.0), (1.0, 1e8), (1e-150, 0.0), (1e-9, 1.0), (1e100, 0.0)])
@pytest.mark.parametrize("cost", EVERY, ids=NAMES)
def test_the_claimed_error_holds_to_fifty_digits(cost, scale, offset):
    powered = isinstance(cost, SquaredEuclidean | Power)
    scale = {1e-150: 1e-50}.get(scale, scale) if powered else scale
    x, y = points(4, 5, 4, scale, offset), points(4, 5, 5, scale, offset)
    matrix, paired = cost.matrix(x, y), cost.elementwise(x, y)
    relative, absolute = Decimal(cost.relative_error(5)), Decimal(cost.absolute_error(5))
    with localcontext() as context:
        context.prec = 60
        context.Emin, context.Emax = -999999, 999999
        for i in range(4):
            for j in range(4):
                truth = digits_of(cost.name, x[i], y[j])
                assert abs(Decimal(matrix[i, j]) - truth) <= relative * truth + absolute
                assert truth == 0 or truth > 1000 * absolute, "the bound would say nothing"
            truth = digits_of(cost.name, x[i], y[i])
            assert abs(Decimal(paired[i]) - truth) <= relative * truth + absolute


def test_a_smaller_claim_would_be_false():
    """The check above can fail: entries off by a few more units in the last place are seen."""
    x, y = points(4, 5, 4), points(4, 5, 5)
    cost = Euclidean()
    tampered = cost.matrix(x, y) * (1 + 3 * cost.relative_error(5))
    with localcontext() as context:
        context.prec = 60
        truth = digits_of("euclidean", x[0], y[0])
        assert abs(Decimal(tampered[0, 0]) - truth) > Decimal(cost.relative_error(5)) * truth


@pytest.mark.parametrize("p", [1.0, 1.001, 2.0, 7.5, 50.0, 200.0])
@pytest.mark.parametrize("scale", [1e-300, 1.0, 1e300])
def test_p_norms_neither_overflow_nor_vanish(p, scale):
    x, y = np.zeros((1, 4)), np.array([[1.0, 2.0, 3.0, 4.0]]) * scale
    cost = Minkowski(p)
    with localcontext() as context:
        context.prec = 60
        truth = float(sum(Decimal(k) ** Decimal(p) for k in (1, 2, 3, 4)) ** (1 / Decimal(p)))
    for value in (cost.matrix(x, y)[0, 0], cost.elementwise(x, y)[0]):
        assert value == pytest.approx(truth * scale, rel=1e-14, abs=0)


def test_p_norms_fall_from_the_sum_to_the_largest():
    x, y = points(5, 3, 6), points(5, 3, 7)
    before = Cityblock().matrix(x, y) * (1 + 1e-14)
    for p in (1.5, 2.0, 3.0, 10.0, 200.0):
        now = Minkowski(p).matrix(x, y)
        assert np.all(now < before)
        before = now
    assert np.all(before >= Chebyshev().matrix(x, y))
    assert isinstance(minkowski(1), Cityblock) and isinstance(minkowski(2.0), Euclidean)
    assert isinstance(minkowski(np.inf), Chebyshev) and minkowski(3) == Minkowski(3.0)


@pytest.mark.parametrize("p", [0.5, -1, np.nan, np.inf])
def test_p_below_one_is_no_norm(p):
    with pytest.raises(InvalidInput, match=r"p must be at least 1 and finite; got .*Use cost='chebyshev' for p = inf"):
        Minkowski(p)


@pytest.mark.parametrize("p", [1, 0.5, np.inf, np.nan])
def test_powers_that_are_refused(p):
    with pytest.raises(InvalidInput, match=r"p must be a finite number above 1"):
        Power(Euclidean(), p)


def test_power_knows_its_line_power():
    assert Power(Euclidean(), 3).line_power == 3 and Power(SquaredEuclidean(), 2).line_power == 4
    assert Power(Discrete(), 2).line_power is None
    assert Power(Euclidean(), 2.5).name == "euclidean**2.5"
    table = power_of(MatrixCost([[1.0, 2.0], [3.0, np.inf]]), 2)
    assert isinstance(table, TableCost) and table.by_entries and not power_of(Euclidean(), 2).by_entries
    assert table.name == "matrix**2" and not table.is_metric and table.shape is None
    assert table.matrix(np.zeros((2, 1)), np.zeros((2, 1))).tolist() == [[1, 4], [9, np.inf]]
    with pytest.raises(InvalidInput, match=r"cost must be a function of two points; got 'matrix'"):
        Power(MatrixCost([[1.0]]), 2)
    with pytest.raises(InvalidInput, match=r"p must be a finite number above 1"):
        power_of(MatrixCost([[1.0]]), 1)


def test_overflowing_distances_are_refused_in_words():
    x, y = np.array([[1.7e308, 0.0]]), np.array([[-1.7e308, 0.0]])
    high, wide = np.full((1, 8), 1e308), np.zeros((1, 8))
    third = np.array([[1e200]])
    for cost, s, t in (
        (Euclidean(), x, y),
        (Euclidean(), x[:, :1], y[:, :1]),
        (Cityblock(), x, y),
        (Cityblock(), high, wide),
        (Chebyshev(), x, y),
        (Minkowski(1.5), high, wide),
        (SquaredEuclidean(), third, -third),
        (Power(Euclidean(), 3), third, -third),
    ):
        for compute in (cost.matrix, cost.elementwise):
            with pytest.raises(InvalidInput, match=r"points must lie close enough .*Rescale the points"):
                compute(s, t)


@pytest.mark.parametrize("cost", [Euclidean(), Cityblock(), Chebyshev(), Minkowski(3)], ids=lambda c: c.name)
def test_tiny_and_huge_coordinates_in_one_problem(cost):
    """Rescaling for the far point must not erase the near one."""
    x, y = np.array([[0.0, 0.0]]), np.array([[1e-110, 0.0], [1e200, 0.0]])
    assert cost.matrix(x, y)[0] == pytest.approx([1e-110, 1e200], rel=1e-14, abs=0)
    assert cost.elementwise(np.repeat(x, 2, axis=0), y) == pytest.approx([1e-110, 1e200], rel=1e-14, abs=0)


@pytest.mark.parametrize("name", [name for name in SCIPY if name != "sqeuclidean"])
def test_a_far_offset_costs_no_digits(name):
    x, y = np.round(points(5, 3, 8) * 2**10) / 2**10, np.round(points(5, 3, 9) * 2**10) / 2**10
    offset = 2.0**36  # every shifted coordinate is still exact
    near, far = as_cost(name).matrix(x, y), as_cost(name).matrix(x + offset, y + offset)
    assert np.array_equal(near, far)
    formula = np.sqrt(
        np.abs(((x + offset) ** 2).sum(1)[:, None] + ((y + offset) ** 2).sum(1) - 2 * (x + offset) @ (y + offset).T)
    )
    assert np.abs(formula - near).max() > 0.1 or name != "euclidean", "where |x|^2 + |y|^2 - 2 x.y loses them all"


def test_discrete_sees_any_difference():
    x = np.array([[0.0, 1.0], [0.0, 1.0 + 2**-52], [-0.0, 1.0]])
    expected = [[0, 1, 0], [1, 0, 1], [0, 1, 0]]
    assert Discrete().matrix(x, x).tolist() == expected
    assert Discrete().elementwise(x, x[[1, 1, 0]]).tolist() == [1, 0, 0]


@pytest.mark.parametrize("cost", EVERY, ids=NAMES)
def test_metrics_are_metrics_and_the_others_are_not(cost):
    """`is_metric` against the axioms on three points of a line and five of the plane."""
    defects = [metric_defect(cost.matrix(p, p)) for p in (np.array([[0.0], [1], [2]]), points(5, 2, 10))]
    assert cost.is_metric is (max(defects) == 0)


def tampered_metrics():
    table = cdist(points(6, 2, 11), points(6, 2, 11))
    kinds = {"asymmetry": (1, 2, 1.01), "triangle": (0, 3, None), "zero off the diagonal": (4, 5, 0.0)}
    for kind, (i, j, factor) in kinds.items():
        changed = table.copy()
        if factor is None:
            changed[i, j] = changed[j, i] = 100.0
        else:
            changed[i, j] *= factor
            changed[j, i] *= factor if factor == 0 else 1
        yield pytest.param(changed, id=kind)
    negative, diagonal = table - 2 * table.max() * (1 - np.eye(6)), table + 0.5 * np.eye(6)
    yield pytest.param(negative, id="negative")
    yield pytest.param(diagonal, id="diagonal")
    twice = np.vstack([points(3, 2, 11), points(3, 2, 11)])
    yield pytest.param(cdist(twice, twice), id="a point twice, every triangle holding")
    infinite = table.copy()
    infinite[0, 1] = np.inf
    yield pytest.param(infinite, id="infinite")


@pytest.mark.parametrize("table", list(tampered_metrics()))
def test_a_tampered_metric_is_found(table):
    assert metric_defect(table) > 0
    assert MatrixCost(table).is_metric is False


def test_an_untouched_metric_has_no_defect():
    table = cdist(points(6, 2, 11), points(6, 2, 11))
    assert metric_defect(table) == 0 and MatrixCost(table).is_metric is True
    assert metric_defect(np.array([[0.0]])) == 0
    assert metric_defect(table * 1e307) == 0, "sums beyond the range are no violation"
    straight = points(20, 1, 14) * [1, 1 / 3]
    rounded = cdist(straight, straight)
    excess = max((rounded - (rounded[:, j, None] + rounded[None, j])).max() for j in range(20))
    assert excess > 0 and metric_defect(rounded) == 0, "triangles that fail by rounding are no defect"
    assert MatrixCost(np.ones((2, 3))).is_metric is None
    for bad in (np.ones((2, 3)), np.ones(4), np.ones((0, 0))):
        with pytest.raises(InvalidInput, match=r"table must be a square matrix; got shape"):
            metric_defect(bad)


def test_distances_between_two_sets_have_no_defect():
    x, y = points(7, 2, 1), points(9, 2, 2)
    for metric in ("euclidean", "cityblock", "chebyshev"):
        assert quadrangle_defect(cdist(x, y, metric)) == 0
    assert quadrangle_defect(np.ones((1, 1))) == 0
    u, v = points(700, 2, 3), points(800, 2, 4)
    assert quadrangle_defect(cdist(u, v)) == 0


@pytest.mark.parametrize("shape", [(7, 9), (700, 800)])
def test_a_detour_that_is_shorter_is_found(shape):
    x, y = points(shape[0], 2, 1), points(shape[1], 2, 2)
    table = cdist(x, y)
    squares, negative, endless = table**2, table - 2 * table.max(), table.copy()
    endless[0, 0] = np.inf
    brute = max(
        squares[i, j] - squares[i, b] - squares[k, b] - squares[k, j]
        for i in range(7)
        for j in range(9)
        for k in range(7)
        for b in range(9)
    )
    found = quadrangle_defect(squares)
    assert found == pytest.approx(brute) if shape == (7, 9) else found > 0
    assert quadrangle_defect(negative) > 0 and quadrangle_defect(endless) == np.inf


def test_matrix_dense_and_sparse():
    dense = MatrixCost([[1, np.inf], [0, 2]])
    stored = sparse.coo_array(([1.0, 0.0, 1.5, 0.5], ([0, 1, 1, 1], [0, 0, 1, 1])), shape=(2, 2))
    for given in (stored, stored.tocsr(), stored.tocsc(), sparse.coo_matrix(stored)):
        assert MatrixCost(given).entries.tolist() == dense.entries.tolist()
    assert stored.nnz == 4, "the caller's matrix stays as it was"
    assert dense.matrix(np.zeros((2, 1)), np.zeros((2, 1))) is dense.entries and not dense.entries.flags.writeable
    assert dense.relative_error(9) == 0 and dense.by_entries


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([[1, np.nan]], r"cost must hold numbers, or \+inf to forbid an arc; got nan at index \(0, 1\)"),
        ([[1], [-np.inf]], r"cost must hold numbers.*got -inf at index \(1, 0\)"),
        ([1, 2], r"cost must be a matrix \[n, m\]; got shape \(2,\)"),
        (np.ones((0, 3)), r"cost must be a matrix \[n, m\]; got shape \(0, 3\)"),
        (np.ones((2, 2, 2)), r"cost must be a matrix \[n, m\]"),
        (sparse.coo_array(([np.nan], ([0], [1])), shape=(1, 2)), r"got nan at index \(0, 1\)"),
        (sparse.coo_array(([True], ([0], [1])), shape=(1, 2)), r"cost must hold real numbers; got dtype bool"),
        (None, r"cost must be a matrix"),
        ([["a"]], r"cost must hold real numbers"),
    ],
)
def test_matrices_that_are_refused(entries, message):
    with pytest.raises(InvalidInput, match=message):
        as_cost(entries)


def test_matrix_of_another_shape_than_the_points():
    with pytest.raises(InvalidInput, match=r"cost must have shape \[2, 3\], sources by targets; got shape \(3, 2\)"):
        emd([0, 1], [0, 1, 2], cost=np.ones((3, 2)))


def test_tables_are_no_functions_of_two_points():
    for cost in (MatrixCost([[1.0]]), SparseCost(sparse.coo_array([[1.0]])), CallableCost(cdist)):
        assert isinstance(cost, TableCost) and cost.by_entries and not hasattr(cost, "elementwise")
        with pytest.raises(InvalidInput, match=r"cost must be a function of two points; got .*by index"):
            as_point_cost(cost)
        with pytest.raises(InvalidInput, match=r"cost must have a gradient"):
            cost.gradient(np.zeros((1, 1)), np.zeros((1, 1)))
    for cost in EVERY:
        assert isinstance(cost, PointCost) and as_point_cost(cost) is cost and not cost.by_entries
    problem = TransportProblem(DiscreteMeasure([0, 1]), DiscreteMeasure([5, 7]), [[1.0, 2], [3, 4]])
    assert problem.arc_costs(np.array([1, 0]), np.array([0, 1])).tolist() == [3, 2]


def test_callables_of_all_points_and_of_pairs():
    x, y = points(4, 2, 12), points(3, 2, 13)
    whole = as_cost(lambda s, t: cdist(s, t) ** 2)
    assert isinstance(whole, CallableCost) and whole.is_metric is None
    pairs = CallableCost.from_pairs(lambda u, v: float(((u - v) ** 2).sum()), metric=False)
    assert pairs.is_metric is False
    expected = SquaredEuclidean().matrix(x, y)
    for cost in (whole, pairs):
        assert cost.matrix(x, y) == pytest.approx(expected, rel=1e-14)
        assert emd(x, y, cost=cost).value == pytest.approx(emd(x, y, cost="sqeuclidean").value, rel=1e-12)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda u, v: 3.0, r"for blocks of points x \[2, 1\] and y \[3, 1\]; got a float"),
        (lambda x, y: cdist(y, x), r"cost must return shape \[2, 3\].*got shape \(3, 2\).*CallableCost.from_pairs"),
        (lambda x, y: np.full((len(x), len(y)), np.nan), r"cost must hold numbers.*got nan at index \(0, 0\)"),
    ],
)
def test_callables_that_are_refused(function, message):
    with pytest.raises(InvalidInput, match=message):
        emd([0.0, 1], [0.0, 1, 2], cost=function)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("euclid", r"cost must be one of euclidean, .*, 'minkowski:p', a matrix or a callable; got 'euclid'"),
        (
            "minkowski",
            r"cost must give p as a number >= 1 in 'minkowski:p'; got 'minkowski'\. For example 'minkowski:3'",
        ),
        ("minkowski:0.5", r"cost must give p as a number >= 1"),
        ("minkowski:nan", r"cost must give p as a number >= 1"),
        ("minkowski:three", r"cost must give p as a number >= 1"),
        ("", r"cost must be one of"),
    ],
)
def test_names_that_are_refused(name, message):
    with pytest.raises(InvalidInput, match=message):
        as_cost(name)


def test_names_and_costs_pass_through():
    assert as_cost("minkowski:3") == Minkowski(3.0) and as_cost("minkowski:inf").name == "chebyshev"
    assert [as_cost(name).name for name in POINT_COSTS] == list(POINT_COSTS)
    mine = Euclidean()
    assert as_cost(mine) is mine
    with pytest.raises(TypeError, match=r"abstract"):
        Cost()


def test_a_function_is_called_with_blocks_of_rows():
    x, y, sizes = points(23, 2, 12), points(6, 2, 13), []

    def cost(s, t):
        sizes.append(len(s) * len(t))
        return cdist(s, t) ** 2

    def in_blocks(function):
        return CallableCost(function, block_entries=20)

    assert np.array_equal(in_blocks(cost).matrix(x, y), cdist(x, y) ** 2)
    assert max(sizes) <= 20 and len(sizes) == 2 * 8
    result = emd(x, y, cost=in_blocks(cost))
    assert result.value == pytest.approx(emd(x, y, cost="sqeuclidean").value, rel=1e-12)
    assert "the cost is a function" in result.stats["reason"]
    with pytest.raises(InvalidInput, match="same cost whatever other points it is called with"):
        emd(x, y, cost=in_blocks(lambda s, t: cdist(s, t) / cdist(s, t).max()))
    with pytest.raises(InvalidInput, match=r"got nan at index \(7, 2\)"):
        emd(x, y, cost=in_blocks(lambda s, t: np.where((s == x[7]).all(1)[:, None] & (t == y[2]).all(1), np.nan, 1)))
    forbidding = emd(x, y, cost=in_blocks(lambda s, t: sparse.csr_array(cdist(s, t))))
    assert forbidding.value == pytest.approx(emd(x, y).value)


def test_the_memory_of_all_values_is_asked_for_first():
    x = points(200, 2, 12)
    with pytest.raises(TooLarge, match=r"entry by entry .* needs about .*A named cost needs no matrix"):
        emd(x, x, cost=lambda s, t: cdist(s, t), memory_limit=2**18)
