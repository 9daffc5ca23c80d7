"""Every distance in one table: its values, what it says of them, and what it refuses."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import cdist

from otdiv import DiscreteMeasure, divergences, emd, wasserstein
from otdiv.comparison import Comparison, compare
from otdiv.comparison.all_distances import LP_PAIRS, POT_PAIRS
from otdiv.costs import CallableCost, Power, as_cost
from otdiv.divergences import energy_distance, kolmogorov_smirnov
from otdiv.errors import InvalidInput

REQUIRED = {"w1_primal", "w1_dual", "w2", "kl", "kl_reverse", "js", "tv", "hellinger"}
LINE = ([0.0, 1.0, 2.0], [0.0, 1.0, 2.0], [0.2, 0.2, 0.6], [0.5, 0.3, 0.2])


def random_pair(seed, n=12, d=2, support=4):
    """Two measures on a small grid, so that their supports overlap in part."""
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, support, (n, d)).astype(float), rng.integers(0, support, (n, d)).astype(float)
    a, b = rng.random(n), rng.random(n)
    return x, y, a / a.sum(), b / b.sum()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("cost", ["euclidean", "cityblock", "minkowski:3", "discrete"])
def test_values_agree_with_the_functions_that_make_them(seed, cost):
    x, y, a, b = random_pair(seed)
    table = compare(x, y, a, b, metric=cost)
    exact = emd(x, y, a, b, cost=cost)
    for key in ("w1_primal", "w1_dual", "w1_pot"):
        assert table[key].value == pytest.approx(exact.value, rel=1e-9)
        assert table[key].lower <= exact.upper and exact.lower <= table[key].upper
    assert table["w2"].value == pytest.approx(wasserstein(x, y, a, b, p=2, metric=cost).value, rel=1e-9)
    mu, nu = DiscreteMeasure(x, a), DiscreteMeasure(y, b)
    for key, function in (
        ("kl", divergences.kl),
        ("kl_reverse", divergences.kl_reverse),
        ("jeffreys", divergences.jeffreys),
        ("js", divergences.js),
        ("js_distance", divergences.js_distance),
        ("tv", divergences.total_variation),
        ("hellinger", divergences.hellinger),
        ("chi_square", divergences.chi_square),
        ("chi_square_reverse", divergences.chi_square_reverse),
    ):
        assert table[key].value == function(mu, nu)
    if cost == "discrete":
        assert table["w1_primal"].value == pytest.approx(table["tv"].value, rel=1e-9), "transport with cost 0/1 is TV"


@pytest.mark.parametrize("seed", range(3))
def test_energy_and_kolmogorov_smirnov_against_scipy(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=40).round(1), rng.normal(size=30).round(1) + 0.3
    table = compare(x, y)
    assert table["energy"].value == pytest.approx(stats.energy_distance(x, y), rel=1e-12)
    assert table["ks"].value == pytest.approx(stats.ks_2samp(x, y).statistic, rel=1e-12)


@pytest.mark.parametrize("block", [2**21, 50])
def test_energy_in_the_plane_against_its_definition(block):
    x, y, a, b = random_pair(5)
    square = 2 * a @ cdist(x, y) @ b - a @ cdist(x, x) @ a - b @ cdist(y, y) @ b
    table = compare(x, y, a, b)
    assert table["energy"].value == pytest.approx(math.sqrt(square), rel=1e-12)
    assert energy_distance(x, y, a, b, block_entries=block) == pytest.approx(math.sqrt(square), rel=1e-12)
    assert "ks" not in table.to_dict()["distances"]
    embedded = energy_distance(DiscreteMeasure(x[:, :1] * [1, 0], a), DiscreteMeasure(y[:, :1] * [1, 0], b))
    assert embedded == pytest.approx(energy_distance(DiscreteMeasure(x[:, 0], a), DiscreteMeasure(y[:, 0], b)))
    assert energy_distance(DiscreteMeasure(x, a), DiscreteMeasure(x[::-1], a[::-1])) == 0
    with pytest.raises(InvalidInput, match=r"x and y must lie on the line; got d = 2 and d = 2"):
        kolmogorov_smirnov(table.mu, table.nu)


def test_the_lecture_example():
    table = compare(*LINE)
    assert table["w1_primal"].value == pytest.approx(0.7) and table["w1_dual"].value == pytest.approx(0.7)
    assert table["js"].value == pytest.approx(0.0905658499553)
    assert table.transport.gap < 1e-12


@pytest.mark.parametrize("seed", range(6))
def test_symmetric_means_that_exchange_changes_nothing(seed):
    x, y, a, b = random_pair(seed, n=30)
    there, back = compare(x, y, a, b), compare(y, x, b, a)
    for one, other in zip(there.distances, back.distances, strict=True):
        same = one.value == pytest.approx(other.value, rel=1e-9)
        assert same or not one.symmetric, one.key


def test_what_is_not_called_symmetric_is_not():
    there, back = compare(*LINE), compare(LINE[1], LINE[0], LINE[3], LINE[2])
    for one, other in zip(there.distances, back.distances, strict=True):
        assert (one.value == pytest.approx(other.value, rel=1e-9)) is one.symmetric, one.key


@pytest.mark.slow
def test_metric_means_the_triangle_inequality():
    """On 200 random triples each metric obeys it, and each distance not called so breaks it somewhere."""
    rng = np.random.default_rng(7)
    broken = set()
    for k in range(200):
        width = 0.02 if k % 2 else 1.0
        p, r = rng.dirichlet([width + 0.05] * 3), rng.dirichlet([width + 0.05] * 3)
        q = (p + r) / 2 if k % 4 < 2 else rng.dirichlet([1.0] * 3)
        mu, nu, between = (DiscreteMeasure([0, 1, 3], w) for w in (p + 1e-12, r + 1e-12, q + 1e-12))
        mu, nu, between = mu.normalized(), nu.normalized(), between.normalized()
        pairs = [_divergences_and_line(*pair) for pair in ((mu, nu), (mu, between), (between, nu))]
        for key, (value, is_metric) in pairs[0].items():
            if value > pairs[1][key][0] + pairs[2][key][0] + 1e-9:
                assert not is_metric, key
                broken.add(key)
    table = compare(*LINE)
    assert broken == {d.key for d in table.distances if not d.metric}


def _divergences_and_line(mu, nu):
    """The flags of the table with values from the functions, since a hundred tables would take long."""
    values = {
        "kl": divergences.kl(mu, nu),
        "kl_reverse": divergences.kl_reverse(mu, nu),
        "jeffreys": divergences.jeffreys(mu, nu),
        "js": divergences.js(mu, nu),
        "js_distance": divergences.js_distance(mu, nu),
        "tv": divergences.total_variation(mu, nu),
        "hellinger": divergences.hellinger(mu, nu),
        "chi_square": divergences.chi_square(mu, nu),
        "chi_square_reverse": divergences.chi_square_reverse(mu, nu),
        "w1_primal": emd(mu, nu).value,
        "w2": wasserstein(mu, nu, p=2).value,
        "energy": energy_distance(mu, nu),
        "ks": kolmogorov_smirnov(mu, nu),
    }
    flags = {d.key: d.metric for d in _FLAGS.distances}
    return {key: (float(value), flags[key]) for key, value in values.items()}


_FLAGS = compare(*LINE)


def test_finite_is_what_the_value_says():
    for table in (compare(*LINE), compare([0.0, 1.0], [2.0, 3.0])):
        for distance in table.distances:
            assert distance.finite == (distance.value < math.inf) == (distance.to_dict()["value"] != "inf")
            assert bool(distance.note) is (not distance.finite), "an infinity is explained, and nothing else"
    assert {d.key for d in table.distances if not d.finite} == {
        "kl", "kl_reverse", "jeffreys", "chi_square", "chi_square_reverse"
    }  # fmt: skip


def test_no_common_support_is_explained():
    rng = np.random.default_rng(0)
    table = compare(rng.random(20), rng.random(30))
    (note,) = table.notes
    assert note.startswith("x and y share none of their 50 points: KL = inf and JS = log 2 = 0.6931")
    assert "Use W1" in note and "bins=k" in note
    assert table["js"].value == pytest.approx(math.log(2), rel=1e-12) and table["tv"].value == 1
    assert table["kl"].value == table["kl_reverse"].value == math.inf


def test_partial_support_names_the_mass():
    table = compare([0, 1], [1, 2], [0.25, 0.75], [0.9, 0.1])
    assert table.notes[0] == "KL(x || y) = inf: mass 0.25 of x lies on points where y has none."
    assert table.notes[1] == "KL(y || x) = inf: mass 0.1 of y lies on points where x has none."
    assert "bins=k" in table.notes[2]
    one_sided = compare([0, 1], [1], [0.25, 0.75], [1.0])
    assert len(one_sided.notes) == 2 and one_sided["kl_reverse"].finite and not one_sided["kl"].finite
    assert compare(*LINE).notes == ()


def test_zero_weights_are_no_support():
    table = compare([0, 1, 2], [0, 1, 2], [0.5, 0.5, 0], [0, 0.5, 0.5])
    assert "mass 0.5 of x" in table.notes[0]
    assert "share none" in compare([0, 1], [0, 1], [1, 0], [0, 1]).notes[0]


def test_bins_change_the_divergences_and_leave_the_transport():
    rng = np.random.default_rng(1)
    x, y = rng.random(300), rng.random(300) ** 1.2
    raw, coarse = compare(x, y), compare(x, y, bins=5)
    for key in ("w1_primal", "w1_dual", "w2", "energy", "ks"):
        assert raw[key].value == coarse[key].value
    assert coarse["kl"].finite and 0 < coarse["kl"].value < 0.2 and coarse.notes == ()
    edges = np.linspace(min(x.min(), y.min()), max(x.max(), y.max()), 6)
    p, q = (np.histogram(data, edges)[0] / 300 for data in (x, y))
    assert coarse["kl"].value == pytest.approx(divergences.kl(p, q), rel=1e-12)
    fine = compare(x, y, bins=100_000)
    assert "occupied bins" in fine.notes[0]
    assert "fewer bins" in compare([0.0, 0.1], [9.0, 9.1], bins=3).notes[0]


def test_points_in_one_bin_share_it():
    assert compare([0.0, 1.0], [0.4, 0.6], bins=1)["kl"].value == 0


def test_to_dict_is_ready_for_json():
    answer = compare([0.0, 1.0], [2.0, 3.0]).to_dict()
    again = json.loads(json.dumps(answer, allow_nan=False))
    assert again == answer
    assert set(answer["distances"]) >= REQUIRED
    assert answer["distances"]["kl"]["value"] == answer["distances"]["kl"]["upper"] == "inf"
    assert answer["distances"]["kl"]["finite"] is False
    assert (answer["n"], answer["m"], answer["d"], answer["cost"], answer["status"]) == (
        2,
        2,
        1,
        "euclidean",
        "optimal",
    )
    for distance in answer["distances"].values():
        assert {"value", "lower", "upper", "how", "finite", "symmetric", "metric"} <= set(distance)


def test_it_prints_in_a_terminal_and_in_a_notebook():
    table = compare([0.0, 1.0], [2.0, 3.0])
    text, page = repr(table), table._repr_html_()
    assert max(map(len, text.splitlines())) <= 100
    for distance in table.distances:
        assert distance.label in text
    assert text.startswith("2 against 2 points in dimension 1") and "W1 is proved to lie in [" in text
    assert page.startswith("<table>") and page.count("<tr>") == len(table.distances) + 1
    assert "f + g &lt;= d" in page and "f + g <= d" not in page
    assert "KL = inf" in page and isinstance(table, Comparison)


def test_a_distance_by_its_key():
    table = compare(*LINE)
    assert table["w2"].label == "W2"
    with pytest.raises(KeyError, match=r"no distance 'w3'; there are w1_primal, w1_dual"):
        table["w3"]


def test_many_points_take_the_large_path():
    rng = np.random.default_rng(2)
    x, y = rng.random(300), rng.random(300) + 0.5
    assert LP_PAIRS < 300 * 300
    table = compare(x, y)
    assert table["w1_primal"].label == "W1, cost of the plan" and "line" in table["w1_primal"].how
    assert table["w1_dual"].label == "W1, value of the potentials"
    assert table["w1_primal"].value == pytest.approx(table["w1_dual"].value, rel=1e-9)
    assert table["w1_pot"].value == pytest.approx(np.abs(np.sort(x) - np.sort(y)).mean(), rel=1e-9)
    assert set(table.to_dict()["distances"]) >= REQUIRED


def test_very_many_points_leave_the_dense_solver_out():
    x = np.arange(2500.0)
    assert len(x) ** 2 > POT_PAIRS
    table = compare(x, x + 0.25)
    assert "w1_pot" not in {d.key for d in table.distances}
    assert table["w1_primal"].value == pytest.approx(0.25) and table["w2"].value == pytest.approx(0.25)


def test_measures_and_arrays_are_the_same():
    x, y, a, b = random_pair(3)
    one, other = compare(x, y, a, b), compare(DiscreteMeasure(x, a), DiscreteMeasure(y, b))
    assert one.to_dict() == other.to_dict()
    assert one.mu.n == 12 and one.transport.status.name == "OPTIMAL"


def test_identical_measures():
    x, _, a, _ = random_pair(4)
    for distance in compare(x, x, a, a).distances:
        assert distance.value == pytest.approx(0, abs=1e-9), distance.key


@pytest.mark.parametrize(
    "cost",
    ["sqeuclidean", np.ones((2, 2)), lambda x, y: np.ones((len(x), len(y))), Power(as_cost("euclidean"), 2),
     CallableCost(lambda x, y: np.ones((len(x), len(y))), metric=True, name="mine")],
    ids=["squared", "matrix", "callable", "power", "named"],
)  # fmt: skip
def test_costs_that_are_no_metric_on_points(cost):
    with pytest.raises(InvalidInput, match=r"metric must be a metric on points; got '.*For other costs use emd"):
        compare([0.0, 1.0], [2.0, 3.0], metric=cost)


def test_masses_other_than_one():
    with pytest.raises(InvalidInput, match=r"the weights of x must sum to 1; got 2\. Pass normalize=True"):
        compare([0, 1], [0, 1], [1, 1], [1, 1])
    with pytest.raises(InvalidInput, match=r"the weights of y must sum to 1; got 2\."):
        compare([0, 1], [0, 1], None, [1, 1])
    assert compare([0, 1], [0, 1], [1, 1], [1, 3], normalize=True)["tv"].value == 0.25


def test_other_bad_input():
    with pytest.raises(InvalidInput, match=r"same dimension"):
        compare([0, 1], [[0, 1]])
    with pytest.raises(InvalidInput, match=r"bins must be a positive integer, or 1 of them"):
        compare([0, 1], [0, 1], bins=0)
    with pytest.raises(InvalidInput, match=r"points must be finite"):
        compare([0, math.nan], [0, 1])
